"""Loading cases, if allowed.

A moderator sees a case only if its room is in their scope and they hold a certificate in force for its concern; the case is
not about their own words and not one they reported. Everybody else learns nothing: NotFound, on pages, sockets and in counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.audit import AuditEntry
from community.core.clock import now
from community.core.errors import Conflict, Forbidden, NotFound
from community.notifications.models import Notification
from community.rooms.access import room_to_read
from community.rooms.models import StaffScope
from community.training.models import Certificate
from community.training.queries import certified_for, concerns_of, in_force

from .models import SEEN_BY_RULES, Appeal, Case, Decision, Signal, Snapshot
from .reviewable import Reviewable, find


@dataclass(frozen=True)
class Beat:
    """What a moderator may see now: concerns they are certified for, rooms in scope (None: every room)."""

    account_id: int
    concerns: frozenset[str]
    rooms: frozenset[int] | None

    def covers(self, room_id: int, concern: str) -> bool:
        return concern in self.concerns and (self.rooms is None or room_id in self.rooms)


def beat_of(actor: Account) -> Beat:
    """Read from the database each time: a certificate may have lapsed a second ago."""
    if not actor.is_staff or actor.is_suspended:
        return Beat(actor.id, frozenset(), frozenset())
    rooms = set(db.session().scalars(sa.select(StaffScope.room_id).where(StaffScope.account_id == actor.id)))
    return Beat(actor.id, concerns_of(actor), None if None in rooms else frozenset(room for room in rooms if room))


def on_beat(beat: Beat) -> sa.ColumnElement[bool]:
    """The same rule as SQL, for lists and counts."""
    own_report = sa.exists().where(Signal.case_id == Case.id, Signal.reporter_id == beat.account_id)
    rule = sa.and_(Case.concern.in_(beat.concerns), Case.author_id != beat.account_id, ~own_report)
    return rule if beat.rooms is None else sa.and_(rule, Case.room_id.in_(beat.rooms))


def who_may_see(case: Case, concerns: Iterable[str] = ()) -> sa.Select[int]:
    """The same rule from the other side: ids of the accounts on whose beat the case lies (for any of `concerns`, if given)."""
    scope = sa.select(StaffScope.account_id).where(sa.or_(StaffScope.room_id.is_(None), StaffScope.room_id == case.room_id))
    reported = sa.select(Signal.reporter_id).where(Signal.case_id == case.id, Signal.reporter_id.is_not(None))
    return sa.select(Account.id).where(
        Account.role != "member", Account.id != case.author_id, Account.id.in_(scope), Account.id.not_in(reported),
        sa.or_(Account.suspended_until.is_(None), Account.suspended_until <= now()),
        sa.or_(*(Account.id.in_(certified_for(concern)) for concern in {case.concern, *concerns})),
    )  # fmt: skip


def could_see() -> sa.ColumnElement[bool]:
    """The same rule for pairs: a row of Account beside a row of Case in one statement."""
    scope = _beside(StaffScope.account_id == Account.id, sa.or_(StaffScope.room_id.is_(None), StaffScope.room_id == Case.room_id))
    trained = _beside(Certificate.account_id == Account.id, Certificate.concern == Case.concern, in_force())
    reported = _beside(Signal.case_id == Case.id, Signal.reporter_id == Account.id)
    standing = sa.or_(Account.suspended_until.is_(None), Account.suspended_until <= now())
    staff = Account.id.in_(sa.select(StaffScope.account_id))  # few, found without reading all members
    return sa.and_(staff, Account.role != "member", Account.id != Case.author_id, scope, trained, ~reported, standing)


def could_take() -> sa.ColumnElement[bool]:
    """Those of them whom `why_not_claim` does not refuse."""
    senior_enough = sa.or_(Case.escalated_by_id.is_(None), Account.role.in_(("senior", "admin")))
    decided_first = _beside(
        Appeal.outcome == "open", Appeal.first_decider_id == Account.id, Appeal.decision_id == Decision.id,
        Decision.case_id == Case.id,
    )  # fmt: skip
    return sa.and_(could_see(), senior_enough, ~decided_first)


def _beside(*rule: sa.ColumnElement[bool]) -> sa.Exists:
    """About the Account and the Case of the statement around it, however deep it stands there."""
    return sa.exists().where(*rule).correlate(Account, Case)


def nobody_could_take() -> sa.ColumnElement[bool]:
    return ~sa.exists().where(could_take()).correlate(Case)


def holder_lost_it() -> sa.ColumnElement[bool]:
    """Somebody holds the case who could not take it any more: their certificate, role, scope or good standing ended."""
    holder = sa.exists().where(Account.id == Case.claimed_by_id, could_take()).correlate(Case)
    return sa.and_(Case.claimed_by_id.is_not(None), ~holder)


def case_to_see(actor: Account, case_id: int) -> Case:
    case = db.session().scalars(sa.select(Case).where(Case.id == case_id, on_beat(beat_of(actor)))).one_or_none()
    if case is None:
        raise NotFound
    return case


def cases_about(actor: Account, kind: str, ids: Collection[int]) -> dict[int, int]:
    """Id of the latest case of each of these things, as far as they are on the actor's beat. Held and hidden words are read
    there, one case at a time and on record, and nowhere else by anybody but their author."""
    if not ids or not actor.is_staff:
        return {}
    rows = sa.select(Case.target_id, sa.func.max(Case.id)).where(
        Case.target_kind == kind, Case.target_id.in_(ids), on_beat(beat_of(actor))
    )
    return {row[0]: row[1] for row in db.session().execute(rows.group_by(Case.target_id))}


def case_to_claim(actor: Account, case_id: int) -> Case:
    """Escalated cases are for seniors; an appeal is not for the first decider."""
    case = case_to_see(actor, case_id)
    refusal = why_not_claim(actor, case)
    if refusal:
        raise Forbidden(refusal)
    return case


def why_not_claim(actor: Account, case: Case) -> str:
    """A sentence for somebody who may see the case and not take it; nothing for everybody else."""
    if case.escalated_by_id and case.state != "closed" and not actor.is_senior:
        return "This case was passed to the senior on call. You can read it; they decide it."
    appeal = open_appeal(case)
    if appeal is not None and appeal.first_decider_id == actor.id:
        return "The author appealed your decision, so somebody else looks at it now. You can read along."
    return ""


def case_to_decide(actor: Account, case_id: int) -> Case:
    """The case, if `actor` holds it now."""
    case = case_to_claim(actor, case_id)
    if case.state == "closed":
        raise Conflict("This case has been decided meanwhile. Reload the desk to see what was decided.")
    if case.claimed_by_id == actor.id and case.claim_until is not None and case.claim_until > now():
        return case
    if not _had_it(actor, case):
        raise Forbidden("Claim the case first, so that nobody else decides it at the same time.")
    if case.claimed_by_id not in (None, actor.id):
        raise Conflict("Your claim has ended, and somebody else has the case now. What you wrote is still in the form.")
    raise Conflict("Your claim has ended. Claim the case again; what you wrote is still in the form.")


def _had_it(actor: Account, case: Case) -> bool:
    """Whether they claimed it once: what they sent was then written on a page of theirs."""
    rows = sa.select(AuditEntry.id).where(
        AuditEntry.subject == f"case:{case.id}", AuditEntry.act == "case.claimed", AuditEntry.actor_id == actor.id
    )
    return db.session().scalar(rows.limit(1)) is not None


def finding_to_teach(actor: Account, case_id: int, signal_id: int) -> tuple[Signal, str]:
    """A finding of a rule and the words it is about, for whoever holds the case now or was the last to decide it."""
    case = case_to_see(actor, case_id)
    signal = db.session().get(Signal, signal_id)
    if signal is None or signal.case_id != case.id or signal.kind not in SEEN_BY_RULES:
        raise NotFound
    if not may_teach(actor, case):
        raise Forbidden("Claim the case first: who teaches a rule has just looked at the words.")
    return signal, db.session().get_one(Snapshot, signal.snapshot_id).words


def may_teach(actor: Account, case: Case) -> bool:
    if case.state != "closed":
        return case.claimed_by_id == actor.id and case.claim_until is not None and case.claim_until > now()
    last = sa.select(Decision.decider_id).where(Decision.case_id == case.id).order_by(Decision.id.desc()).limit(1)
    return db.session().scalar(last) == actor.id


def open_appeal(case: Case) -> Appeal | None:
    rows = (
        sa.select(Appeal)
        .join(Decision, Decision.id == Appeal.decision_id)
        .where(Decision.case_id == case.id, Appeal.outcome == "open")
    )
    return db.session().scalars(rows.order_by(Appeal.id).limit(1)).one_or_none()


def decision_to_read(actor: Account, decision_id: int) -> Decision:
    """A statement of reasons is for the author of the words."""
    decision = db.session().get(Decision, decision_id)
    if decision is None or decision.author_id != actor.id:
        raise NotFound
    return decision


def item_to_report(actor: Account, kind: str, target_id: int) -> Reviewable:
    """What somebody wrote, if `actor` may read it: in a room they may read and in sight there, or their own."""
    item: Reviewable = find(kind, target_id)
    room_to_read(actor, item.room_id)
    if not item.in_sight() and item.author_id != actor.id:
        raise NotFound
    return item


def support_to_read(actor: Account, notification_id: int) -> tuple[Notification, Reviewable]:
    """A support card and the words it is about, for their author only. Suspended people keep theirs."""
    card = db.session().get(Notification, notification_id)
    if card is None or card.account_id != actor.id or card.kind not in ("support", "held"):
        raise NotFound
    return card, own_words(actor, card.data["item"], card.data["target"])


def own_words(actor: Account, kind: str, target_id: int) -> Reviewable:
    """What somebody wrote is theirs to read wherever it stands, also when its room is closed to them."""
    item: Reviewable = find(kind, target_id)
    if item.author_id != actor.id:
        raise NotFound
    return item


def must_be_senior(actor: Account) -> None:
    """Sanctions reach over all rooms: they are there for seniors and admins."""
    if not actor.is_senior:
        raise NotFound
