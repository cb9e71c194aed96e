"""Publishing rules. Each publish makes one numbered revision, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from community.accounts.models import Account
from community.core import audit, db, text
from community.core.clock import now
from community.core.errors import Conflict, Forbidden, Invalid, NotFound
from community.notifications.actions import notify
from community.safety import Rule, check_rule, starter_rules

from .access import draft_to_bring_back, draft_to_change
from .changes import ASKED_AT, FROM_CASE, Change, Outcome, bundle_of, change_from, fields_of, is_bundle
from .checking import check_change as check_change
from .consent import admins, second_admin_needed
from .models import Draft, LexiconRule, Revision, Sighting, title_of
from .packfiles import PackFile
from .packs import Packed
from .queries import IMPORTED, change_back_to, current_number, living_draft, moved_since, rules_now

LONGEST_SHADOW = 90
PACK_KEY = "pack:"
"""The key of a draft that holds a pack; no rule's key has a colon."""
OVERTAKEN = "Somebody published other rules at the same moment, so yours were not saved. Look at them, and save yours once more."


def import_starter_rules() -> None:
    """The first revision: the starter packs as shipped, where there is none yet."""
    if current_number():
        return
    number = _new_revision(None, "Starter packs as shipped")
    db.session().add_all(_row_of(rule, number) for rule in starter_rules())


def put_rule(actor: Account, rule: Rule, *, note: str, checked_against: int) -> Outcome:
    """Put one checked rule in force, new or in place of its former state."""
    return change_rules(actor, Change(put=(rule,)), key=rule.key, note=note, checked_against=checked_against)


def retire_rule(actor: Account, key: str, *, note: str, checked_against: int) -> Outcome:
    """Take one rule out. Its states stay readable, and it can be put back."""
    in_force = sa.select(LexiconRule.id).where(LexiconRule.key == key, LexiconRule.until_revision.is_(None))
    if current_number() and db.session().scalar(in_force) is None:
        raise Conflict("This rule was retired already.")
    return change_rules(actor, Change(retire=(key,)), key=key, note=note, checked_against=checked_against)


def change_rules(actor: Account, change: Change, *, key: str, note: str, checked_against: int) -> Outcome:
    """Put a checked change in force or, where a crisis rule asks for two admins, leave it as a proposal under `key`."""
    _refuse_unchecked(actor, checked_against)
    if not second_admin_needed(change, rules_now()[1]):
        return Outcome(revision=publish(actor, note=note, put=change.put, retire=change.retire))
    draft = _draft_of(actor, key, change, note)
    if draft.state != "proposed":
        _propose(actor, draft)
    return Outcome(draft_id=draft.id)


def go_back(actor: Account, number: int, *, note: str, seen: int | None, checked_against: int) -> Outcome:
    """Make a new revision whose rules are those of revision `number`. `seen`: the revision it was compared with on the page."""
    if seen is not None and seen != current_number():
        raise Conflict(f"The rules are at revision {current_number()} now. Look at the differences again.")
    change = change_back_to(number)
    if not change:
        raise Conflict(f"The rules are those of revision {number} already.")
    return change_rules(actor, change, key=f"back-to:{number}", note=note, checked_against=checked_against)


def import_pack(actor: Account, file: PackFile, change: Change, *, note: str, seen: int | None, checked_against: int) -> Outcome:
    """Put what a pack changes in force, as one revision."""
    if seen is not None and seen != current_number():
        raise Conflict(f"The rules are at revision {current_number()} now. Look at the differences again.")
    if not change:
        raise Conflict("Nothing was left to import: the rules here stay as they are.")
    stem = "-".join(re.findall("[a-z0-9]+", file.pack.name.lower()))[:60]
    outcome = change_rules(actor, change, key=f"{PACK_KEY}{stem}", note=note, checked_against=checked_against)
    if outcome.revision is not None:
        _note_import(actor, outcome.revision, file.pack.name)
    return outcome


def _note_import(actor: Account, number: int, name: str) -> None:
    """From here on, what this revision brought counts as the pack's, and a later edit of it as a local one."""
    audit.record(actor, IMPORTED, f"revision:{number}", pack=name)


def note_export(actor: Account | None, packed: Packed, *, learned: bool) -> None:
    """Rules leave the house: who took them, and whether members' words went along."""
    audit.record(
        actor, "lexicon.exported", "lexicon", pack=packed.pack.name, rules=len(packed.pack.rules), with_members_words=learned
    )


def _refuse_unchecked(actor: Account, checked_against: int) -> None:
    if not actor.is_admin:
        raise NotFound
    if current_number() != checked_against:
        raise Conflict(OVERTAKEN)


def publish(actor: Account, *, note: str, put: Iterable[Rule] = (), retire: Iterable[str] = ()) -> int:
    """Put rules in force and take others (by key) out, as one new revision. Returns its number."""
    put, retire = list(put), list(retire)
    import_starter_rules()
    try:
        number = _new_revision(actor, note)
    except IntegrityError as error:  # two publishers at once: the primary key lets one through
        raise Conflict(OVERTAKEN) from error
    leaving = [*retire, *(rule.key for rule in put)]
    db.session().execute(
        sa.update(LexiconRule)
        .where(LexiconRule.key.in_(leaving), LexiconRule.until_revision.is_(None))
        .values(until_revision=number)
    )
    db.session().flush()
    db.session().add_all(_row_of(rule, number) for rule in put)
    audit.record(actor, "lexicon.published", f"revision:{number}", put=[rule.key for rule in put], retired=retire, note=note)
    return number


def _new_revision(actor: Account | None, note: str) -> int:
    number = current_number() + 1
    db.session().add(Revision(number=number, created_at=now(), created_by_id=actor.id if actor else None, note=note))
    db.session().flush()
    return number


def _row_of(rule: Rule, number: int) -> LexiconRule:
    return LexiconRule(
        key=rule.key, pattern=rule.pattern, concern=rule.concern, severity=rule.severity, action=rule.action, why=rule.why,
        must_match=list(rule.must_match), must_not_match=list(rule.must_not_match), exceptions=list(rule.exceptions),
        views=list(rule.views) if rule.views is not None else None, language=rule.language, room_id=rule.room,
        kind=rule.kind, only_in=list(rule.only_in), not_in=list(rule.not_in), owner=rule.owner, review_by=rule.review_by,
        since_revision=number,
    )  # fmt: skip


# ---- drafts


def save_draft(actor: Account, rule: Rule, *, note: str, based_on: int, draft_id: int | None = None, seen: str = "") -> Draft:
    """Keep a change without putting it in force. `seen` is when the edited draft was last changed, as its editor saw it:
    somebody else's changes are not overwritten unseen. What was proposed or watched in shadow is open again."""
    if not actor.is_admin:
        raise NotFound
    living = living_draft(rule.key) if draft_id is None else None
    if living is not None and living.created_by_id == actor.id and living.rule == fields_of(rule):
        return living  # a form sent twice
    if draft_id is None:
        draft = _new_draft(actor, rule.key, fields_of(rule), note, based_on)
    else:
        draft = draft_to_change(actor, draft_id)
        if seen and seen != draft.changed_at.isoformat():
            raise Conflict(
                "Somebody changed this draft while you were editing. Below stands what yours would change of it; saving again "
                "keeps yours."
            )
        draft.rule = _with_origin(rule, draft.rule)
        draft.note, draft.based_on = note or draft.note, based_on
        _open_again(draft)
    audit.record(actor, "lexicon.draft-saved", f"draft:{draft.id}", rule=draft.key)
    return draft


def _with_origin(rule: Rule, former: dict[str, Any] | None) -> dict[str, Any]:
    """Words that came from a case stay marked as such through every edit."""
    return fields_of(rule) | {name: former[name] for name in (FROM_CASE, ASKED_AT) if former and name in former}


def _new_draft(actor: Account, key: str, kept: dict[str, Any] | None, note: str, based_on: int) -> Draft:
    draft = Draft(
        key=key, rule=kept, based_on=based_on, note=note, state="open",
        created_by_id=actor.id, created_at=now(), changed_at=now(),
    )  # fmt: skip
    if living_draft(key) is not None:
        raise _drafted(key)
    try:
        with db.session().begin_nested():
            db.session().add(draft)
    except IntegrityError as error:  # two at the same moment: the unique index lets one through
        raise _drafted(key) from error
    return draft


def _drafted(key: str) -> Conflict:
    return Conflict(f"There is a draft of “{title_of(key)}” already, under Drafts. Put it in force or discard it first.")


def _draft_of(actor: Account, key: str, change: Change, note: str) -> Draft:
    """A proposal made at once. The same one sent twice is one."""
    single = change.put[0] if len(change.keys) == 1 and change.put and change.put[0].key == key else None
    kept = fields_of(single) if single else None if change.retire == (key,) and not change.put else bundle_of(change)
    living = living_draft(key)
    if living is not None and living.rule == kept and living.state == "proposed":
        return living
    return _new_draft(actor, key, kept, note, current_number())


def _open_again(draft: Draft) -> None:
    if draft.state == "shadow":
        draft.shadow_until = now()
    draft.state, draft.proposed_by_id, draft.changed_at = "open", None, now()


def discard_draft(actor: Account, draft_id: int) -> Draft:
    """Done with; it can be brought back."""
    draft = draft_to_change(actor, draft_id)
    _open_again(draft)
    draft.state = "discarded"
    audit.record(actor, "lexicon.draft-discarded", f"draft:{draft.id}", rule=draft.key)
    return draft


def bring_back_draft(actor: Account, draft_id: int) -> Draft:
    draft = draft_to_bring_back(actor, draft_id)
    if living_draft(draft.key) is not None:
        raise Conflict(f"There is another draft of “{draft.key}” now. Publish or discard that one first.")
    draft.state, draft.changed_at = "open", now()
    audit.record(actor, "lexicon.draft-brought-back", f"draft:{draft.id}", rule=draft.key)
    return draft


def start_shadow(actor: Account, draft_id: int, *, days: int = 7) -> Draft:
    """Watch what a draft would notice beside the rules in force. What an earlier shadow saw is forgotten."""
    draft = draft_to_change(actor, draft_id)
    if not 1 <= days <= LONGEST_SHADOW:
        raise Invalid({"days": f"A shadow lasts from 1 to {LONGEST_SHADOW} days."})
    if draft.state == "proposed":
        raise Conflict("This draft waits for a second admin. Take the proposal back first.")
    if draft.rule is None or is_bundle(draft.rule):
        raise Conflict("Only a draft of one rule can be watched in shadow.")
    if draft.state == "shadow" and draft.shadow_until is not None and draft.shadow_until > now():
        raise Conflict("This draft is in shadow already. Stop it first.")
    db.session().execute(sa.delete(Sighting).where(Sighting.draft_id == draft.id))
    draft.state, draft.shadow_since, draft.shadow_until = "shadow", now(), now() + timedelta(days=days)
    audit.record(actor, "lexicon.shadow-started", f"draft:{draft.id}", rule=draft.key, days=days)
    return draft


def stop_shadow(actor: Account, draft_id: int) -> Draft:
    """The draft is open again; what was seen stays to be read."""
    draft = draft_to_change(actor, draft_id)
    if draft.state != "shadow":
        raise Conflict("This draft is not in shadow.")
    draft.state, draft.shadow_until = "open", min(draft.shadow_until or now(), now())
    audit.record(actor, "lexicon.shadow-stopped", f"draft:{draft.id}", rule=draft.key)
    return draft


# ---- publishing drafts, by two people where a crisis rule asks for it


def _propose(actor: Account, draft: Draft) -> None:
    _open_again(draft)
    draft.state, draft.proposed_by_id = "proposed", actor.id
    audit.record(actor, "lexicon.proposed", f"draft:{draft.id}", rule=draft.key, note=draft.note)
    for account_id in admins(but=actor.id):
        _tell(account_id, "safety-rule-proposed", draft, f"{actor.name} proposes a change of “{draft.title}”: {draft.note}")


def _tell(account_id: int, kind: str, draft: Draft, sentence: str) -> None:
    asked_at = (draft.rule or {}).get(ASKED_AT, "/desk")
    path = f"/admin/lexicon/drafts/{draft.id}" if account_id in admins() else asked_at
    notify(account_id, kind, reason=sentence, path=path)


def publish_draft(actor: Account, draft_id: int, *, seen: str, checked_against: int) -> Outcome:
    """Put a checked draft in force. Where two admins are needed, the first press proposes and another admin's publishes. `seen`
    is when the draft was last changed, as who presses saw it: nobody puts in force what they have not read."""
    draft = draft_to_change(actor, draft_id)
    _refuse_unchecked(actor, checked_against)
    _refuse_overtaken(draft)
    change, rules = change_from(draft.key, draft.rule), rules_now()[1]
    if not change.differs_from(rules):
        raise Conflict("The rules say this already. Discard the draft, or edit it.")
    by_two = second_admin_needed(change, rules)
    if by_two and draft.proposed_by_id == actor.id:
        raise Forbidden("You proposed this change of a crisis rule. Another admin puts it in force.")
    if seen != draft.changed_at.isoformat():
        raise Conflict(
            "This draft changed after you opened it, so nothing was put in force. Read it as it is now, and decide then."
        )
    if by_two and draft.state != "proposed":
        _propose(actor, draft)
        return Outcome(draft_id=draft.id)
    number = publish(actor, note=draft.note, put=change.put, retire=change.retire)
    draft.state, draft.published_revision, draft.changed_at = "published", number, now()
    audit.record(actor, "lexicon.draft-published", f"draft:{draft.id}", rule=draft.key, revision=number)
    if draft.key.startswith(PACK_KEY):
        _note_import(actor, number, draft.key.removeprefix(PACK_KEY))
    if draft.proposed_by_id not in (None, actor.id):
        _tell(draft.proposed_by_id or 0, "safety-rule-in-force", draft, f"{actor.name} put “{draft.title}” in force.")
    return Outcome(revision=number)


def _refuse_overtaken(draft: Draft) -> None:
    """The rules may have moved on since the draft was made: it is not published over changes its author never saw."""
    moved = moved_since(draft.based_on, change_from(draft.key, draft.rule).keys)
    if moved:
        raise Conflict(
            " ".join(moved) + " Edit the draft: the form shows what is in force now, and saving it takes that as read."
        )


def send_back(actor: Account, draft_id: int, *, reason: str) -> Draft:
    """Not like this: the proposal is a draft again, and who proposed it reads why. The proposer takes it back the same way."""
    draft = draft_to_change(actor, draft_id)
    if draft.state != "proposed":
        raise Conflict("This draft is not proposed.")
    proposer = draft.proposed_by_id
    reason = text.line_of(reason, field="reason", limit=300, what="the reason")
    _open_again(draft)
    audit.record(actor, "lexicon.sent-back", f"draft:{draft.id}", rule=draft.key, reason=reason)
    if proposer not in (None, actor.id):
        _tell(proposer or 0, "safety-rule-sent-back", draft, f"{actor.name} sent “{draft.title}” back: {reason}")
    return draft


# ---- what a case taught


def check_counterexample(key: str, sentence: str, exception: str) -> int:
    """`check_change` for `add_counterexample`: outside `write()`, because it takes its time."""
    return check_change(put=[_taught(key, sentence, exception)])


def add_counterexample(
    actor: Account,
    key: str,
    sentence: str,
    exception: str,
    *,
    note: str = "",
    asked_at: str = "/desk",
    checked_against: int | None = None,
) -> Outcome:
    """Teach a rule to leave a sentence alone, for good: the sentence becomes one it must not match, `exception` (a pattern, or
    nothing) keeps it silent there. An admin's goes in force; a moderator's, and that of a crisis rule, waits for an(other) admin.
    `asked_at` is the page that who asked is led back to. Pass what `check_counterexample` returned; without it the checks run
    here, inside the caller's transaction."""
    if not actor.is_staff:
        raise NotFound
    rule = _taught(key, sentence, exception)
    if (checked_against if checked_against is not None else check_change(put=[rule])) != current_number():
        raise Conflict(OVERTAKEN)
    note = note or f"A false alarm of {key}, from a case"
    learned = {"sentences": [_one_line(sentence)], "exceptions": [_one_line(exception)] if exception.strip() else []}
    if not actor.is_admin or second_admin_needed(Change(put=(rule,)), rules_now()[1]):
        return Outcome(draft_id=_ask_to_teach(actor, rule, learned, note, asked_at).id)
    number = publish(actor, note=note, put=[rule])
    db.session().add(
        Draft(
            key=key, rule=fields_of(rule) | {FROM_CASE: learned}, based_on=number - 1, note=note, state="published",
            created_by_id=actor.id, created_at=now(), changed_at=now(), published_revision=number,
        )
    )  # fmt: skip
    return Outcome(revision=number)


def _ask_to_teach(actor: Account, rule: Rule, learned: dict[str, list[str]], note: str, asked_at: str) -> Draft:
    """A proposal; where a draft of the rule lives already, the sentence goes into that one and its state stays."""
    draft = living_draft(rule.key)
    if draft is None:
        kept = fields_of(rule) | {FROM_CASE: learned, ASKED_AT: asked_at}
        draft = _new_draft(actor, rule.key, kept, note, current_number())
        _propose(actor, draft)
        return draft
    if draft.rule is None or is_bundle(draft.rule):
        raise Conflict(f"Somebody proposed to retire “{rule.key}”. Once that is decided, this can be taught.")
    had = draft.rule.get(FROM_CASE, {"sentences": [], "exceptions": []})
    both = {name: list(dict.fromkeys([*had[name], *learned[name]])) for name in learned}
    draft.rule = fields_of(_and_not(change_from(rule.key, draft.rule).put[0], learned)) | {
        FROM_CASE: both,
        ASKED_AT: draft.rule.get(ASKED_AT, asked_at),
    }
    draft.changed_at = now()
    audit.record(actor, "lexicon.draft-taught", f"draft:{draft.id}", rule=draft.key)
    return draft


def _taught(key: str, sentence: str, exception: str) -> Rule:
    """The rule as it would be, sound by itself. Raises Invalid beside the field that is wrong."""
    former = rules_now()[1].get(key)
    if former is None:
        raise Conflict(f"The rule “{key}” is not in force any more: it notices nothing now.")
    said, pattern = _one_line(sentence), _one_line(exception)
    if text.is_blank(said):
        raise Invalid({"sentence": "Write the sentence that the rule must leave alone."})
    rule = _and_not(former, {"sentences": [said], "exceptions": [pattern] if pattern else []})
    problems = check_rule(rule)
    if problems:
        raise Invalid({"exception" if pattern else "sentence": " ".join(problems)})
    if rule == former:
        raise Conflict(f"The rule “{key}” leaves this sentence alone already.")
    return rule


def _and_not(rule: Rule, learned: dict[str, list[str]]) -> Rule:
    return replace(
        rule,
        must_not_match=tuple(dict.fromkeys([*rule.must_not_match, *learned["sentences"]])),
        exceptions=tuple(dict.fromkeys([*rule.exceptions, *learned["exceptions"]])),
    )


def _one_line(typed: str) -> str:
    return " ".join(text.storable(typed).split())
