"""Every act on a case. Each writes its audit row in the same transaction and announces the case to its desks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlalchemy.orm.exc import StaleDataError

from community.accounts.actions import lift_restriction, restrict
from community.accounts.models import Account, HouseRule
from community.core import audit, db, text
from community.core.clock import minutes, now
from community.core.errors import Conflict, Forbidden, Invalid, NotFound
from community.notifications.actions import notify
from community.rooms.models import Room
from community.safety import CONCERNS

from .access import (
    case_to_claim,
    case_to_decide,
    case_to_see,
    decision_to_read,
    holder_lost_it,
    item_to_report,
    open_appeal,
    support_to_read,
)
from .deadlines import due_after, let_go, tell_desks
from .hearers import Called, page_on_call
from .intake import uncover
from .models import OUTCOMES, Appeal, Case, Decision, Sanction, Signal, Snapshot
from .notes import take_note
from .reviewable import Reviewable, find
from .transitions import after

REASON_MAX = 4_000
NOTE_MAX = 2_000
SUSPENSION_DAYS_MAX = 365
PROBLEMS_SHOWN = 20


@dataclass(frozen=True)
class Ruling:
    """What a moderator chose, as parsed by a door. `version` and `snapshot_id` are those of the page it was chosen on."""

    outcome: str
    rule_key: str
    reason: str
    version: int
    snapshot_id: int
    days: int = 0
    hide_words: bool = False
    false_alarm: bool = False

    def hides(self, outcome: str) -> bool:
        return outcome == "hide" or (outcome in ("warn", "suspend") and self.hide_words)


def claim(actor: Account, case_id: int, *, lease_minutes: int) -> Case:
    """Take a case for a while. One conditional update: of two at once exactly one wins, the other learns who has it."""
    case = case_to_claim(actor, case_id)
    after(case.state, "claim")
    moment = now()
    free = ("open", "escalated") if actor.is_senior else ("open",)
    ended = sa.and_(Case.state == "claimed", sa.or_(Case.claim_until <= moment, holder_lost_it()))
    won = db.session().execute(
        sa.update(Case)
        .where(
            Case.id == case.id,
            sa.or_(Case.state.in_(free), ended, Case.claimed_by_id == actor.id),
        )
        .values(state="claimed", claimed_by_id=actor.id, claim_until=moment + minutes(lease_minutes), changed_at=moment,
                version=Case.version + 1)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    db.session().refresh(case)
    if not won.rowcount:  # type: ignore[attr-defined]
        raise Conflict(_who_was_first(case))
    audit.record(actor, "case.claimed", f"case:{case.id}", until=case.claim_until.isoformat() if case.claim_until else None)
    tell_desks(case)
    return case


def _who_was_first(case: Case) -> str:
    if case.state != "claimed" or case.claim_until is None:
        return "Somebody else was a moment faster with this case. Reload the desk to see what became of it."
    return f"{_name(case.claimed_by_id)} has this case until {case.claim_until:%H:%M} UTC. Take another one."


def renew_claim(actor: Account, case_id: int, *, lease_minutes: int) -> Case:
    """While it is looked at, a claim goes on. Changes no version: a decision in writing stays valid."""
    case = case_to_decide(actor, case_id)
    db.session().execute(
        sa.update(Case)
        .where(Case.id == case.id, Case.claimed_by_id == actor.id)
        .values(claim_until=now() + minutes(lease_minutes))
        .execution_options(synchronize_session=False)
    )
    db.session().refresh(case)
    return case


def release(actor: Account, case_id: int) -> Case:
    case = case_to_decide(actor, case_id)
    let_go(case)
    _store(case)
    audit.record(actor, "case.released", f"case:{case.id}")
    tell_desks(case)
    return case


def escalate(actor: Account, case_id: int, *, note: str) -> Called:
    """Pass a case to the senior on call, with a note for them. Returns who was told of it."""
    case = case_to_claim(actor, case_id)
    if case.state == "claimed" and case.claimed_by_id != actor.id:
        raise Conflict(f"{_name(case.claimed_by_id)} has this case. Ask them to pass it on.")
    case.escalation_note = text.words_of(note, field="note", limit=NOTE_MAX, what="a sentence for the senior")
    case.state = after(case.state, "escalate")
    case.claimed_by_id, case.claim_until, case.changed_at, case.escalated_by_id = None, None, now(), actor.id
    case.level, case.louder_at = max(case.level, 2), due_after(case.severity)
    _store(case)
    called = page_on_call(case)
    audit.record(actor, "case.escalated", f"case:{case.id}", told=called.count, on_call=called.on_call)
    tell_desks(case)
    return called


def _store(case: Case) -> None:
    """Write the case if nobody changed it since it was read; otherwise refuse, and nothing of this act is left behind."""
    try:
        db.session().flush()
    except StaleDataError:
        raise Conflict(
            f"Case {case.id} changed at the same moment. Reload it and look again; what you wrote is still in the form."
        ) from None


def note_reading(actor: Account, case_id: int) -> Case:
    """Somebody opened a case, where its words are: reading a sensitive thing is audited."""
    case = case_to_see(actor, case_id)
    audit.record(actor, "case.read", f"case:{case.id}")
    return case


def decide(actor: Account, case_id: int, ruling: Ruling) -> Decision:
    """Decide a case: the words, the person's standing, the statement of reasons and the audit row are one transaction."""
    if (before := _decided_before(actor, case_id, ruling)) is not None:
        return before
    case = case_to_decide(actor, case_id)
    if open_appeal(case) is not None:
        raise Conflict("The author appealed meanwhile. Reload the case and decide the appeal.")
    decision = _close(actor, case, ruling, outcome=ruling.outcome, problems=_problems(case, ruling))
    item = find(case.target_kind, case.target_id)
    _apply_to_words(item, case, show=ruling.outcome == "restore")
    until = None
    if ruling.outcome == "suspend":
        until = _suspend(decision, ruling.days)
    _tell_author(decision, item, case, until=until.isoformat() if until else None)
    return decision


def _decided_before(actor: Account, case_id: int, ruling: Ruling) -> Decision | None:
    """The same form sent twice is one decision."""
    twin = sa.select(Decision).where(
        Decision.case_id == case_id, Decision.decider_id == actor.id, Decision.case_version == ruling.version,
        Decision.outcome == ruling.outcome, Decision.reason == text.storable(ruling.reason),
    )  # fmt: skip
    return db.session().scalars(twin).first()


def _problems(case: Case, ruling: Ruling) -> dict[str, str]:
    """What does not fit together in a ruling, by field."""
    problems = {}
    if ruling.outcome not in OUTCOMES:
        problems["outcome"] = "Choose what to do with these words."
    if ruling.outcome == "restore" and find(case.target_kind, case.target_id).visibility != "hidden":
        problems["outcome"] = (
            "These words are not hidden, so there is nothing to show again. “Leave as it is” lets held words out."
        )
    if ruling.outcome in ("leave", "restore") and ruling.hide_words:
        problems["hide"] = "You chose that the words can be seen. Untick this, or choose “Hide the words”."
    if ruling.outcome == "suspend" and not 1 <= ruling.days <= SUSPENSION_DAYS_MAX:
        problems["days"] = f"Say for how many days, from 1 to {SUSPENSION_DAYS_MAX}."
    if ruling.outcome != "suspend" and ruling.outcome in OUTCOMES and ruling.days:
        problems["days"] = "Only a suspension has days. Empty this, or choose “Suspend the author”."
    return problems


def _may_suspend(actor: Account, case: Case) -> None:
    if db.session().get_one(Account, case.author_id).is_staff and not actor.is_senior:
        raise Forbidden("The author is on the team: only a senior suspends them. Pass this case on.")


def _close(actor: Account, case: Case, ruling: Ruling, *, outcome: str, problems: dict[str, str]) -> Decision:
    """The part every decision shares: fresh page, house rule, reason, row, closed case, audit."""
    if case.version != ruling.version:
        raise Conflict(_what_changed(case))
    rule, reason = _grounds(ruling, problems)
    if outcome == "suspend":
        _may_suspend(actor, case)
    snapshot = db.session().get(Snapshot, ruling.snapshot_id)
    if snapshot is None or snapshot.case_id != case.id:
        raise Conflict("The words you decided on are not those of this case. Reload it and look again.")
    decision = Decision(
        case_id=case.id, author_id=case.author_id, decider_id=actor.id, outcome=outcome, house_rule_id=rule.id, reason=reason,
        snapshot_id=snapshot.id, case_version=case.version, created_at=now(), false_alarm=ruling.false_alarm, hid=ruling.hides(outcome),
    )  # fmt: skip
    db.session().add(decision)
    case.state = after(case.state, "decide")
    case.claimed_by_id, case.claim_until, case.closed_at, case.changed_at = None, None, now(), now()
    _store(case)
    audit.record(actor, "case.decided", f"case:{case.id}", decision=decision.id, outcome=outcome, rule=rule.key,
                 false_alarm=decision.false_alarm)  # fmt: skip
    tell_desks(case)
    return decision


def _grounds(ruling: Ruling, problems: dict[str, str]) -> tuple[HouseRule, str]:
    """House rule and reason; or everything that has to be put right, at once."""
    in_force = sa.select(HouseRule).where(HouseRule.key == ruling.rule_key, HouseRule.retired_at.is_(None))
    rule = db.session().scalars(in_force).one_or_none()
    if rule is None:
        problems["rule"] = "Choose the house rule this rests on."
    try:
        reason = text.words_of(ruling.reason, field="reason", limit=REASON_MAX, what="the reason the author will read")
    except Invalid as problem:
        problems |= problem.fields
    if problems or rule is None:
        raise Invalid(problems)
    return rule, reason


def _what_changed(case: Case) -> str:
    acts = sa.select(audit.AuditEntry.act, audit.AuditEntry.at).where(audit.AuditEntry.subject == f"case:{case.id}")
    newest = acts.where(audit.AuditEntry.act != "case.read").order_by(audit.AuditEntry.id.desc()).limit(1)
    act, at = db.session().execute(newest).one()
    return (
        f"This case changed while you looked at it: {CHANGES.get(act, 'it went another way')} ({at:%H:%M} UTC). "
        "Look at it again before you decide; what you wrote is still in the form."
    )


CHANGES = {
    "case.signal-added": "there is a new reason to look at it",
    "case.reopened": "it was opened again",
    "case.words-edited": "the author edited the words",
    "case.words-withdrawn": "the author took the words back",
    "case.claimed": "it was claimed again",
    "case.overdue": "it became overdue",
    "proposal.taken": "the author agreed to cover words",
    "proposal.left": "the author answered your proposal and left the words as they are",
}


def _apply_to_words(item: Reviewable, case: Case, *, show: bool = False) -> None:
    """Words are hidden exactly while a decision that hid them stands. Held words are thereby let out or hidden by every decision."""
    covered = item.covers
    if covered:
        uncover(item)
    earlier = item.visibility == "hidden" and not show  # hidden before decisions said so themselves
    if not set_visibility(item, "hidden" if earlier or _hidden_still(case) else "visible") and item.covers != covered:
        item.changed()


def _hidden_still(case: Case) -> bool:
    """Some decision hid the words, was not overturned, and no later one showed them again. The answer to an appeal undoes only the
    decision it is about."""
    later = aliased(Decision)
    answers = sa.select(Appeal.answer_id).where(Appeal.answer_id.is_not(None))
    overturned = sa.exists().where(Appeal.decision_id == Decision.id, Appeal.outcome == "overturned")
    restored = sa.exists().where(
        later.case_id == Decision.case_id, later.id > Decision.id, later.outcome == "restore", later.id.not_in(answers)
    )
    hid = sa.or_(Decision.hid, Decision.outcome == "hide")
    standing = sa.select(Decision.id).where(Decision.case_id == case.id, hid, ~overturned, ~restored)
    return db.session().scalar(standing.limit(1)) is not None


def set_visibility(item: Reviewable, visibility: str) -> bool:
    """Whether it changed. Words their author withdrew stay withdrawn; private ones are never visible."""
    if item.visibility in (visibility, "withdrawn") or (item.private and visibility == "visible"):
        return False
    item.visibility = visibility
    db.session().flush()
    item.changed()
    return True


def _suspend(decision: Decision, days: int) -> datetime:
    account = db.session().get_one(Account, decision.author_id)
    until = now() + timedelta(days=days)
    db.session().add(Sanction(decision_id=decision.id, account_id=account.id, starts_at=now(), ends_at=until))
    restrict(account, decision_id=decision.id, until=until)
    return until


def _tell_author(decision: Decision, item: Reviewable, case: Case, *, until: str | None) -> None:
    rule, room = db.session().get_one(HouseRule, decision.house_rule_id), db.session().get_one(Room, case.room_id)
    notify(
        decision.author_id, "decision", mail=True, decision=decision.id, outcome=decision.outcome, rule=rule.title,
        reason=decision.reason, room=room.name, path=item.path(), excerpt=item.words()[:200], until=until,
        hidden=item.visibility == "hidden", item=item.kind, target=item.id, private=item.private,
    )  # fmt: skip


def lift_sanction(actor: Account, sanction_id: int, *, reason: str) -> datetime | None:
    """Seniors end a sanction early. Only what that decision made is lifted: returns until when another one still suspends."""
    if not actor.is_senior:
        raise Forbidden("Only a senior moderator or admin can lift a sanction.")
    sanction = db.session().get(Sanction, sanction_id, with_for_update=True)
    if sanction is None:
        raise NotFound
    if sanction.account_id == actor.id:
        raise Forbidden("Nobody lifts their own sanction.")
    if sanction.lifted_at is not None:
        raise Conflict("This sanction has been lifted already.")
    words = text.words_of(reason, field="reason", limit=REASON_MAX, what="the reason the member will read")
    return _lift(actor, sanction, words)


def _lift(actor: Account, sanction: Sanction, reason: str) -> datetime | None:
    sanction.lifted_at, sanction.lifted_by_id, sanction.lift_reason = now(), actor.id, reason
    account = db.session().get_one(Account, sanction.account_id)
    lift_restriction(account, decision_id=sanction.decision_id)
    still = account.suspended_until if account.is_suspended else None
    audit.record(actor, "sanction.lifted", f"sanction:{sanction.id}", decision=sanction.decision_id)
    notify(sanction.account_id, "sanction-lifted", mail=True, decision=sanction.decision_id, reason=reason,
           still=still.isoformat() if still else None)  # fmt: skip
    return still


OWN_WORDS = "These are your own words. If you need someone, use “Help now”, or ask a moderator there."


def report(actor: Account, kind: str, target_id: int, *, concern: str, note: str) -> Case:
    """A member's report of something they can read. Its author is not told who. Saying the same twice is saying it once."""
    item = item_to_report(actor, kind, target_id)
    if item.author_id == actor.id:
        raise Forbidden(OWN_WORDS)
    if concern not in CONCERNS:
        raise Invalid({"concern": "Choose what this is about."})
    words = _note(note)
    known = db.session().scalars(_reported_before(actor, item, concern, words)).first()
    if known is not None:
        return known
    signal = Signal(kind="report", concern=concern, severity=REPORT_SEVERITY.get(concern, "amber"), created_at=now(), reporter_id=actor.id,
                    note=words, cues=[], explanation="A member reported this.")  # fmt: skip
    return take_note(item, signal).case


def _reported_before(actor: Account, item: Reviewable, concern: str, words: str) -> sa.Select[Case]:
    """A note may have made its report graver than what the reporter chose."""
    chosen = sa.and_(Signal.concern == concern, sa.or_(Signal.note == words, sa.literal(words) == ""))
    raised = sa.and_(Signal.rule_key != "", Signal.note == words)
    return sa.select(Case).join(Signal, Signal.case_id == Case.id).where(
        Case.target_kind == item.kind, Case.target_id == item.id, Case.state != "closed", Signal.kind == "report",
        Signal.reporter_id == actor.id, sa.or_(chosen, raised),
    )  # fmt: skip


def _note(words: str) -> str:
    """An optional sentence: empty, or kept whole."""
    if text.is_blank(words):
        return ""
    return text.words_of(words, field="note", limit=NOTE_MAX, what="a note")


REPORT_SEVERITY = {"suicide": "red", "self-harm": "red", "child-safety": "red", "harm-to-others": "red", "spam": "green"}


def ask_for_moderator(actor: Account, support_id: int, *, note: str) -> Case:
    """The author of noticed words asks, from their support card, to talk to a moderator. Asking again is fine."""
    _, item = support_to_read(actor, support_id)
    words = _note(note)
    asked = sa.select(Case).where(Case.target_kind == item.kind, Case.target_id == item.id).order_by(Case.id.desc()).limit(1)
    case = db.session().scalars(asked).one_or_none()
    if case is not None and case.state != "closed" and _asked_the_same(case, words):
        return case
    signal = Signal(kind="help-request", concern=case.concern if case else "hopelessness", severity="red", created_at=now(),
                    note=words, cues=[], explanation="The author asks to talk to a moderator.")  # fmt: skip
    return take_note(item, signal).case


def _asked_the_same(case: Case, words: str) -> bool:
    asked = sa.select(Signal.id).where(Signal.case_id == case.id, Signal.kind == "help-request", Signal.note == words)
    return db.session().scalar(asked.limit(1)) is not None


def appeal(actor: Account, decision_id: int, *, words: str, days: int) -> int | None:
    """The author's answer to a decision, once, within `days`. It reopens the case for somebody else. Returns the author's support
    card (a notification id), if what they wrote may mean distress."""
    decision = decision_to_read(actor, decision_id)
    case = db.session().get_one(Case, decision.case_id, with_for_update=True)
    refusal = why_no_appeal(decision, days=days)
    if refusal:
        raise Conflict(refusal)
    said = text.words_of(words, field="words", limit=REASON_MAX, what="why you see it differently")
    row = Appeal(decision_id=decision.id, author_id=actor.id, first_decider_id=decision.decider_id, words=said, created_at=now(),
                 outcome="open")  # fmt: skip
    db.session().add(row)
    db.session().flush()
    signal = Signal(kind="appeal", concern=case.concern, severity="amber", created_at=now(), note=said, cues=[],
                    explanation="The author appeals.")  # fmt: skip
    noted = take_note(find(case.target_kind, case.target_id), signal, card=True)
    audit.record(actor, "appeal.made", f"case:{case.id}", decision=decision.id)
    return noted.support_id


def why_no_appeal(decision: Decision, *, days: int) -> str:
    """A sentence for the author, or nothing when this decision can be appealed now."""
    earlier = db.session().scalars(
        sa.select(Appeal).join(Decision, Decision.id == Appeal.decision_id).where(Decision.case_id == decision.case_id)
    )
    for row in earlier:
        if row.decision_id == decision.id:
            return "You have appealed this decision already. The answer is, or will be, in your notifications."
        if row.answer_id == decision.id:
            return "This is the answer to your appeal. Two people have looked at it now, and it stays as it is."
        if row.outcome == "open":
            return "An appeal of yours about these words is being looked at. Wait for its answer first."
    if decision.outcome in ("leave", "restore"):
        return "Nothing was taken away by this decision, so there is nothing to appeal."
    if decision.created_at < now() - timedelta(days=days):
        return f"A decision can be appealed for {days} days, and this one is older. Write to the team instead."
    return ""


def decide_appeal(actor: Account, case_id: int, ruling: Ruling, *, overturn: bool | None) -> Appeal:
    """Somebody else answers an appeal (None: they did not say how). Overturning restores the words and lifts the sanction of the
    appealed decision only."""
    outcome = "restore" if overturn else "leave"
    if (before := _answered_before(actor, case_id, replace(ruling, outcome=outcome))) is not None:
        return before
    case = case_to_decide(actor, case_id)
    row = open_appeal(case)
    if row is None:
        raise Conflict("There is no open appeal on this case. Reload it.")
    first, item = db.session().get_one(Decision, row.decision_id), find(case.target_kind, case.target_id)
    problems = {} if overturn is not None else {"outcome": "Choose whether the first decision stays."}
    decision = _close(actor, case, ruling, outcome=outcome, problems=problems)
    row.outcome, row.answer_id = "overturned" if overturn else "upheld", decision.id
    row.decided_by_id, row.decided_at, row.reason = actor.id, now(), decision.reason
    _apply_to_words(item, case, show=bool(overturn))
    if overturn:
        _lift_of(actor, first, decision.reason)
    audit.record(actor, f"appeal.{row.outcome}", f"case:{case.id}", decision=first.id)
    notify(row.author_id, "appeal-decided", mail=True, decision=first.id, outcome=row.outcome, reason=decision.reason,
           path=item.path(), item=item.kind, target=item.id)  # fmt: skip
    return row


def _answered_before(actor: Account, case_id: int, ruling: Ruling) -> Appeal | None:
    """The same answer sent twice is one answer."""
    twin = _decided_before(actor, case_id, ruling)
    rows = sa.select(Appeal).where(Appeal.answer_id == (twin.id if twin else 0))
    return db.session().scalars(rows).one_or_none()


def _lift_of(actor: Account, decision: Decision, reason: str) -> None:
    sanction = db.session().scalars(sa.select(Sanction).where(Sanction.decision_id == decision.id)).one_or_none()
    if sanction is not None and sanction.lifted_at is None:
        _lift(actor, sanction, reason)


def verify_audit(actor: Account) -> list[str]:
    """Recompute the audit chain. One sentence per broken link, as many as a page shows; that it was checked is on record too."""
    problems = list(islice(audit.verify(), PROBLEMS_SHOWN))
    audit.record(actor, "audit.verified", "audit", whole=not problems)
    return problems


def _name(account_id: int | None) -> str:
    account = db.session().get(Account, account_id) if account_id else None
    return account.name if account else "Somebody"
