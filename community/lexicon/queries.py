"""Reading the rules."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from gevent import get_hub, monkey
from sqlalchemy.engine import Engine
from sqlalchemy.orm import aliased

from community.accounts.models import Account
from community.core import audit, db
from community.core.clock import now
from community.core.errors import Conflict
from community.core.text import storable
from community.safety import ENGINE, EXPRESSIONS, Lexicon, Rule, starter_rules

from .changes import FROM_CASE, Change, change_to, is_bundle, rule_from
from .differences import in_short
from .models import LIVING, Draft, LexiconRule, Revision

logger = logging.getLogger(__name__)
_compiled: WeakKeyDictionary[Engine, Lexicon] = WeakKeyDictionary()
_one_at_a_time = monkey.get_original("_thread", "allocate_lock")()


def current_number() -> int:
    """The revision in force; 0 means the packs as shipped."""
    return db.ask(newest).scalar() or 0


newest = sa.select(sa.func.max(Revision.number))


def current_lexicon(number: int | None = None) -> Lexicon:
    """The compiled rules in force, asked in the writer's own transaction: a rule published a moment ago by any process
    already judges this text. Who publishes compiles first; other processes compile when they look, a few times a second.
    `number` is for whoever asked for `newest` with something else."""
    number, ready = current_number() if number is None else number, _compiled.get(db.engine())
    if ready is not None and ready.revision >= number:
        return ready
    return prepare(number)


def prepare(number: int) -> Lexicon:
    """Compile a revision, unless these very rules were compiled a moment ago, and swap it in as one reference."""
    rules = [rule_of(row) for row in rules_in(number)] if number else list(starter_rules())
    lexicon = copy.copy(compiled(rules))
    lexicon.revision = number
    _compiled[db.engine()] = lexicon
    return lexicon


def compiled(rules: Iterable[Rule]) -> Lexicon:
    """Compiling burns CPU for hundreds of milliseconds: off the event loop, one at a time. Raises PatternError."""
    lexicon: Lexicon = get_hub().threadpool.apply(_in_turn, (tuple(rules),))
    return lexicon


def _in_turn(rules: tuple[Rule, ...]) -> Lexicon:
    """Whoever waits for the same rules finds them compiled. The lock is the system's own: it is taken in threads of the pool,
    where the event loop cannot wake anybody."""
    with _one_at_a_time:
        return _compile(rules)


@lru_cache(maxsize=2)
def _compile(rules: tuple[Rule, ...]) -> Lexicon:
    """Kept by content: what was checked before publishing is what judges after it. Where expressions cannot be read, the other
    rules still judge, and /readyz says what is lacking; a new rule with an expression is refused before it comes here."""
    return Lexicon.compile(rule for rule in rules if EXPRESSIONS or rule.kind != "regex")


def scanner_state() -> str:
    """For /readyz: whether the rules in force can be read at all, and what makes reading slow or narrow here."""
    try:
        current_lexicon()
    except sa.exc.SQLAlchemyError:
        return "unknown: the database does not answer"
    except Exception:
        logger.exception("readiness: the rules in force cannot be read, so every text goes to a moderator")
        return "cannot read the rules in force, so a moderator is asked to read every text: see the log"
    limits = []
    if ENGINE == "python":
        limits.append("slow scanner: pyahocorasick cannot be imported; it finds the same")
    if not EXPRESSIONS:
        limits.append("no rules with regular expressions: google-re2 cannot be imported")
    return "ok" if not limits else f"ok ({'; '.join(limits)})"


def rules_in(number: int) -> Sequence[LexiconRule]:
    """The rules of one revision."""
    in_force = sa.or_(LexiconRule.until_revision.is_(None), LexiconRule.until_revision > number)
    rows = (
        sa.select(LexiconRule)
        .where(LexiconRule.since_revision <= number, in_force)
        .order_by(LexiconRule.concern, LexiconRule.key)
    )
    return db.session().scalars(rows).all()


def rule_of(row: LexiconRule) -> Rule:
    return Rule(
        key=row.key, pattern=row.pattern, concern=row.concern, severity=row.severity, action=row.action, why=row.why,
        must_match=tuple(row.must_match), must_not_match=tuple(row.must_not_match), exceptions=tuple(row.exceptions),
        views=tuple(row.views) if row.views is not None else None, language=row.language, room=row.room_id,
        kind=row.kind, only_in=tuple(row.only_in), not_in=tuple(row.not_in), owner=row.owner, review_by=row.review_by,
    )  # fmt: skip


# ---- the admin's pages


def rules_now() -> tuple[int, dict[str, Rule]]:
    """The revision in force and its rules by key."""
    number = current_number()
    rules = [rule_of(row) for row in rules_in(number)] if number else starter_rules()
    return number, {rule.key: rule for rule in rules}


def rules_of(number: int) -> dict[str, Rule]:
    """The rules of one revision by key; 0 is the packs as shipped."""
    return {rule.key: rule for rule in (map(rule_of, rules_in(number)) if number else starter_rules())}


def change_back_to(number: int) -> Change:
    """What has to change for the rules to be those of an older revision."""
    return change_to(rules_of(number).values(), rules_now()[1])


def due_for_review(rules: Iterable[Rule]) -> list[Rule]:
    """Rules whose review date has come, the longest due first."""
    today = now().date().isoformat()
    return sorted((rule for rule in rules if rule.review_by and rule.review_by <= today), key=lambda rule: rule.review_by)


def with_change(rules: dict[str, Rule], *, put: Iterable[Rule] = (), retire: Iterable[str] = ()) -> list[Rule]:
    """The rules as they would be, in the order in which they would be read back."""
    changed = {key: rule for key, rule in rules.items() if key not in set(retire)} | {rule.key: rule for rule in put}
    return sorted(changed.values(), key=lambda rule: (rule.concern, rule.key))


def origins_of(rules: Iterable[Rule]) -> dict[str, str]:
    """By key: whether a rule is as a starter pack had it, when this community began or today."""
    began, today = rules_of(min(current_number(), 1)), {rule.key: rule for rule in starter_rules()}
    return {rule.key: _origin(rule, (began.get(rule.key), today.get(rule.key))) for rule in rules}


def _origin(rule: Rule, shipped: tuple[Rule | None, ...]) -> str:
    if not any(shipped):
        return "made here"
    return "starter pack" if rule in shipped else "starter pack, changed here"


def states_of(key: str) -> Sequence[Any]:
    """Every state a rule had, the newest first, with who put it in force and who took it out."""
    putter, taker = aliased(Account), aliased(Account)
    came, left = aliased(Revision), aliased(Revision)
    rows = (
        sa.select(
            LexiconRule, came.created_at.label("came_at"), came.note, putter.name.label("put_by"),
            left.created_at.label("left_at"), left.note.label("left_note"), taker.name.label("taken_by"),
        )
        .join(came, came.number == LexiconRule.since_revision)
        .outerjoin(left, left.number == LexiconRule.until_revision)
        .outerjoin(putter, putter.id == came.created_by_id)
        .outerjoin(taker, taker.id == left.created_by_id)
        .where(LexiconRule.key == storable(key))
        .order_by(LexiconRule.since_revision.desc())
    )  # fmt: skip
    return db.session().execute(rows).all()


REVISIONS_A_PAGE = 50


def revision(number: int) -> Any:
    """Number, time, note and name of who made it; None where there is no such revision."""
    rows = sa.select(Revision.number, Revision.created_at, Revision.note, Account.name)
    rows = rows.outerjoin(Account, Account.id == Revision.created_by_id).where(Revision.number == number)
    return db.session().execute(rows).one_or_none()


def revisions(before: int = 0) -> tuple[list[Any], dict[int, list[tuple[str, str]]]]:
    """A page of revisions, the newest first, and by number the keys that came ("put") and left ("retired")."""
    rows = sa.select(Revision.number, Revision.created_at, Revision.note, Account.name).outerjoin(
        Account, Account.id == Revision.created_by_id
    )
    if before:
        rows = rows.where(Revision.number < before)
    page = list(db.session().execute(rows.order_by(Revision.number.desc()).limit(REVISIONS_A_PAGE)).all())
    return page, _changes([row.number for row in page if row.number > 1])


def _changes(numbers: list[int]) -> dict[int, list[tuple[str, str]]]:
    """A rule that leaves while another state of it comes was changed, not retired."""
    wanted = sa.or_(LexiconRule.since_revision.in_(numbers), LexiconRule.until_revision.in_(numbers))
    rows = db.session().execute(sa.select(LexiconRule.key, LexiconRule.since_revision, LexiconRule.until_revision).where(wanted))
    came: dict[int, set[str]] = {number: set() for number in numbers}
    left: dict[int, set[str]] = {number: set() for number in numbers}
    for key, since, until in rows:
        came.get(since, set()).add(key)
        left.get(until or 0, set()).add(key)
    return {
        number: [
            *((key, "changed" if key in left[number] else "new") for key in sorted(came[number])),
            *((key, "retired") for key in sorted(left[number] - came[number])),
        ]
        for number in numbers
    }


# ---- drafts


def living_draft(key: str) -> Draft | None:
    """The one draft of a rule that is neither published nor discarded."""
    return db.session().scalars(sa.select(Draft).where(Draft.key == key, LIVING)).one_or_none()


def draft_rule(draft: Draft) -> Rule:
    """The rule as a draft would have it. Conflict for a draft without one rule of its own."""
    if draft.rule is None:
        raise Conflict("This draft retires a rule: it would notice nothing.")
    if is_bundle(draft.rule):
        raise Conflict("This draft changes many rules at once. Look at them one by one.")
    return rule_from(draft.rule)


def shadow_drafts() -> list[tuple[Draft, Rule]]:
    """Drafts that are watched in shadow now, each with its rule."""
    rows = sa.select(Draft).where(Draft.state == "shadow", Draft.shadow_until > now()).order_by(Draft.id)
    return [(draft, draft_rule(draft)) for draft in db.session().scalars(rows)]


def moved_since(number: int, keys: Iterable[str]) -> list[str]:
    """A sentence for each of the rules that somebody changed or retired after revision `number`."""
    came, left = LexiconRule.since_revision, LexiconRule.until_revision
    rows = (
        sa.select(LexiconRule.key, sa.func.max(Revision.number).label("at"))
        .join(Revision, sa.or_(Revision.number == came, Revision.number == left))
        .where(LexiconRule.key.in_(list(keys)), Revision.number > number)
        .group_by(LexiconRule.key)
        .order_by(LexiconRule.key)
    )
    latest = {row.key: row.at for row in db.session().execute(rows)}
    if not latest:
        return []
    before, now_ = rules_of(number), rules_now()[1]
    told = {at: revision(at) for at in set(latest.values())}
    return [
        f"{told[at].name or 'The installation'} changed “{key}” in revision {at}, after this draft was made "
        f"({_what_moved(before.get(key), now_.get(key))})."
        for key, at in latest.items()
    ]


def _what_moved(before: Rule | None, after: Rule | None) -> str:
    if before and after:
        return in_short(before, after) or "there and back"
    return "new" if after else "retired"


def living_drafts() -> Sequence[Any]:
    """Drafts with the name of who made them, the ones that wait for a second admin first."""
    rows = sa.select(Draft, Account.name).join(Account, Account.id == Draft.created_by_id).where(LIVING)
    return db.session().execute(rows.order_by(Draft.state != "proposed", Draft.changed_at.desc(), Draft.id)).all()


def count_living_drafts() -> int:
    return db.session().scalar(sa.select(sa.func.count()).select_from(Draft).where(LIVING)) or 0


DISCARDED_SHOWN = 20


def discarded_drafts() -> Sequence[Any]:
    """The latest, so that each can be brought back."""
    rows = sa.select(Draft, Account.name).join(Account, Account.id == Draft.created_by_id).where(Draft.state == "discarded")
    return db.session().execute(rows.order_by(Draft.changed_at.desc(), Draft.id).limit(DISCARDED_SHOWN)).all()


def sides_of(draft: Draft, change: Change, rules: Mapping[str, Rule]) -> tuple[dict[str, Rule], dict[str, Rule]]:
    """What a draft compares: the rules in force (published: before it) and those it would put there."""
    in_force = rules if draft.published_revision is None else rules_of(draft.published_revision - 1)
    before = {key: in_force[key] for key in change.keys if key in in_force}
    return before, {key: rule for key, rule in before.items() if key not in change.retire} | {
        rule.key: rule for rule in change.put
    }


def names_of(draft: Draft) -> dict[int, str]:
    """Who made a draft and who proposed it, by id."""
    rows = sa.select(Account.id, Account.name).where(Account.id.in_([draft.created_by_id, draft.proposed_by_id or 0]))
    return {row.id: row.name for row in db.session().execute(rows)}


def story_of(draft_id: int) -> Sequence[audit.AuditEntry]:
    """What happened to a draft, the newest first."""
    rows = sa.select(audit.AuditEntry).where(audit.AuditEntry.subject == f"draft:{draft_id}")
    return db.session().scalars(rows.order_by(audit.AuditEntry.id.desc()).limit(REVISIONS_A_PAGE)).all()


# ---- packs

IMPORTED = "lexicon.imported"
"""The audit entry of a revision that came from a pack."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What members wrote in cases that rules learned from."""

    sentences: frozenset[str]
    exceptions: frozenset[str]


def what_became_of(draft_id: int, since: datetime) -> tuple[str, list[str], str]:
    """Of what a case taught: the state of its draft, the sentences in it, and why it was sent back since, if it was."""
    draft = db.session().get_one(Draft, draft_id)
    back = (
        sa.select(audit.AuditEntry.detail)
        .where(audit.AuditEntry.subject == f"draft:{draft_id}", audit.AuditEntry.act == "lexicon.sent-back")
        .where(audit.AuditEntry.at >= since)
        .order_by(audit.AuditEntry.id.desc())
    )
    detail = db.session().scalars(back.limit(1)).first() or {}
    return draft.state, list((draft.rule or {}).get(FROM_CASE, {}).get("sentences", ())), str(detail.get("reason", ""))


def learned_words() -> Learned:
    marked = sa.cast(Draft.rule, sa.Text).contains(f'"{FROM_CASE}"')
    rows = db.session().scalars(sa.select(Draft.rule).where(Draft.state == "published", marked))
    found = [kept[FROM_CASE] for kept in rows if kept and FROM_CASE in kept]
    return Learned(
        frozenset(line for entry in found for line in entry["sentences"]),
        frozenset(line for entry in found for line in entry["exceptions"]),
    )


def rules_as_imported() -> dict[str, Rule]:
    """Each rule as the latest pack brought it; the first revision is the starter packs."""
    if not current_number():
        return {rule.key: rule for rule in starter_rules()}
    subjects = db.session().scalars(sa.select(audit.AuditEntry.subject).where(audit.AuditEntry.act == IMPORTED))
    numbers = {1, *(int(subject.removeprefix("revision:")) for subject in subjects)}
    rows = sa.select(LexiconRule).where(LexiconRule.since_revision.in_(numbers)).order_by(LexiconRule.since_revision)
    return {row.key: rule_of(row) for row in db.session().scalars(rows)}


def rules_ever() -> frozenset[str]:
    """The keys of all rules that are or were in force here."""
    return frozenset(db.session().scalars(sa.select(LexiconRule.key).distinct()))
