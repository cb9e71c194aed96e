"""Everything about one case, for the moderator who may see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from community.accounts.models import Account, HouseRule
from community.core import db
from community.core.audit import AuditEntry
from community.core.clock import now
from community.rooms.models import Room
from community.safety import severity_rank

from .access import case_to_see, may_teach, open_appeal, why_not_claim
from .highlight import Piece, Span, pieces
from .models import SEEN_BY_RULES, Appeal, Case, CoverProposal, Decision, Signal, Snapshot
from .proposals import suggested_words, waiting_for_author
from .reviewable import Reviewable, find

SNAPSHOTS_SHOWN = 20
SIGNALS_SHOWN = 100
HISTORY_SHOWN = 60
READING_NOTED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Edition:
    """One state of the words: what they were, with what was seen in them."""

    words: str
    pieces: list[Piece]
    taken_at: datetime
    hidden_characters: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """One line of the conversation around the words."""

    author: str
    words: str
    at: datetime
    after: bool
    since: bool  # written after the snapshot was taken


@dataclass(frozen=True, slots=True)
class Reason:
    """Signals that say the same. What rules found of one concern, as grave, is one reason; what a person said stands alone."""

    signals: list[Signal]

    @property
    def newest(self) -> Signal:
        return self.signals[0]

    @property
    def seen(self) -> list[Signal]:
        """Each explanation once."""
        return list({signal.explanation: signal for signal in self.signals}.values())


@dataclass(frozen=True, slots=True)
class Record:
    """What moderators decided about this author before, in numbers."""

    outcomes: dict[str, int]
    overturned: int


@dataclass(slots=True)
class CaseFile:
    case: Case
    room: str
    author: str
    author_since: datetime
    holder: str
    holding: bool
    cannot_claim: str
    snapshot_id: int
    editions: list[Edition]
    turns: list[Turn]
    signals: Sequence[Signal]
    reasons: list[Reason]
    visibility: str
    edited_since: str  # the words as they are now, when they differ from what is shown
    path: str
    decisions: Sequence[Any]
    history: Sequence[Any]
    record: Record
    rules: Sequence[Any]
    appeal: Appeal | None = None
    appealed: Any = None
    escalated_by: str = ""
    may_teach: bool = False
    asked_author: CoverProposal | None = None  # a proposal that waits for its answer
    suggested: str = ""

    @property
    def found_by_rules(self) -> bool:
        return any(signal.kind in SEEN_BY_RULES for signal in self.signals)


def case_file(actor: Account, case_id: int) -> CaseFile:
    case = case_to_see(actor, case_id)
    item: Reviewable = find(case.target_kind, case.target_id)
    snapshots, signals = _snapshots(case), _signals(case)
    names = _names({case.author_id, case.claimed_by_id, case.escalated_by_id})
    appeal, decisions = open_appeal(case), _decisions(case)
    held = case.state == "claimed" and case.claim_until is not None and case.claim_until > now()
    return CaseFile(
        case=case, room=db.session().get_one(Room, case.room_id).name, author=names[case.author_id][0],
        author_since=names[case.author_id][1], holder=names[case.claimed_by_id][0] if held and case.claimed_by_id else "",
        holding=held and case.claimed_by_id == actor.id, cannot_claim=why_not_claim(actor, case), snapshot_id=snapshots[0].id,
        editions=_editions(snapshots, signals), turns=_turns(snapshots[0], item), signals=signals, reasons=_reasons(signals),
        visibility="private" if item.private else item.visibility,
        edited_since=item.words() if item.words() != snapshots[0].words else "", path=item.path(), decisions=decisions,
        history=_history(case), record=_record(case.author_id), rules=house_rules(), appeal=appeal,
        appealed=next((row for row in decisions if appeal and row.id == appeal.decision_id), None),
        escalated_by=names[case.escalated_by_id][0] if case.escalated_by_id else "", may_teach=may_teach(actor, case),
        asked_author=waiting_for_author(case.id), suggested=suggested_words(case),
    )  # fmt: skip


def reading_is_news(actor: Account, case_id: int) -> bool:
    """Whether nobody noted yet that `actor` is reading this case now."""
    noted = sa.select(AuditEntry.id).where(
        AuditEntry.subject == f"case:{case_id}", AuditEntry.act == "case.read", AuditEntry.actor_id == actor.id,
        AuditEntry.at > now() - READING_NOTED_EVERY,
    )  # fmt: skip
    return db.session().scalar(noted.limit(1)) is None


def house_rules() -> Sequence[Any]:
    rows = sa.select(HouseRule.key, HouseRule.title).where(HouseRule.retired_at.is_(None))
    return db.session().execute(rows.order_by(HouseRule.position, HouseRule.id)).all()


def _snapshots(case: Case) -> Sequence[Snapshot]:
    """The newest first; there is always one."""
    rows = sa.select(Snapshot).where(Snapshot.case_id == case.id).order_by(Snapshot.id.desc()).limit(SNAPSHOTS_SHOWN)
    return db.session().scalars(rows).all()


def _signals(case: Case) -> Sequence[Signal]:
    rows = sa.select(Signal).where(Signal.case_id == case.id).order_by(Signal.id.desc()).limit(SIGNALS_SHOWN)
    return db.session().scalars(rows).all()


def _reasons(signals: Sequence[Signal]) -> list[Reason]:
    """The gravest first, and of equals the newest."""
    alike: dict[tuple[object, ...], list[Signal]] = {}
    for signal in signals:
        same = (signal.kind, signal.concern, signal.severity) if signal.kind in ("finding", "rescan") else (signal.id,)
        alike.setdefault(same, []).append(signal)
    found = [Reason(group) for group in alike.values()]
    return sorted(found, key=lambda reason: (-severity_rank(reason.newest.severity), -reason.newest.id))


def _names(ids: set[int | None]) -> dict[int, tuple[str, datetime]]:
    rows = sa.select(Account.id, Account.name, Account.created_at).where(Account.id.in_({one for one in ids if one}))
    return {account_id: (name, since) for account_id, name, since in db.session().execute(rows)}


def _editions(snapshots: Sequence[Snapshot], signals: Sequence[Signal]) -> list[Edition]:
    """Each different text once, the newest first, with everything seen in any snapshot of that text."""
    texts: dict[str, list[Snapshot]] = {}
    for snapshot in snapshots:
        texts.setdefault(snapshot.words, []).append(snapshot)
    return [_edition(words, same, signals) for words, same in texts.items()]


def _edition(words: str, same: list[Snapshot], signals: Sequence[Signal]) -> Edition:
    ids = {snapshot.id for snapshot in same}
    seen = (signal for signal in signals if signal.kind in SEEN_BY_RULES and signal.snapshot_id in ids)
    spans = [Span(signal.start, signal.end, signal.severity) for signal in seen]
    return Edition(words, pieces(words, spans), same[-1].taken_at, hides_something(words))


def hides_something(words: str) -> bool:
    """Direction overrides and invisible characters: what is read may not be what was typed."""
    return any(
        char in "\u200b\u2060\ufeff\u00ad" or "\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in words
    )


def _turns(snapshot: Snapshot, item: Reviewable) -> list[Turn]:
    """The conversation as it was, and what was said after the words since then."""
    then = [
        Turn(line["author"], line["words"], datetime.fromisoformat(line["at"]), line["after"], False)
        for line in snapshot.surroundings
    ]
    known = {(turn.author, turn.at) for turn in then}
    lately = [line for line in item.surroundings() if line.after and (line.author, line.at) not in known]
    return then + [Turn(line.author, line.words, line.at, True, True) for line in lately]


def _decisions(case: Case) -> Sequence[Any]:
    rows = (
        sa.select(Decision.id, Decision.outcome, Decision.reason, Decision.created_at, Decision.decider_id,
                  Account.name.label("decider"), HouseRule.title.label("rule"), Appeal.id.label("answers"))
        .join(Account, Account.id == Decision.decider_id)
        .join(HouseRule, HouseRule.id == Decision.house_rule_id)
        .outerjoin(Appeal, Appeal.answer_id == Decision.id)
        .where(Decision.case_id == case.id)
    )  # fmt: skip
    return db.session().execute(rows.order_by(Decision.id)).all()


def _history(case: Case) -> Sequence[Any]:
    """What was done with the case; that it was read stands in the audit log only. Of a clock that goes on and on, the last turn."""
    following = sa.func.lead(AuditEntry.act).over(order_by=AuditEntry.id).label("following")
    all_of_it = sa.select(AuditEntry.id, AuditEntry.at, AuditEntry.actor_name, AuditEntry.act, AuditEntry.detail, following)
    rows = all_of_it.where(AuditEntry.subject == f"case:{case.id}", AuditEntry.act != "case.read").subquery()
    again = sa.and_(rows.c.act == "case.overdue", sa.func.coalesce(rows.c.following, "") == "case.overdue")
    shown = sa.select(rows.c.at, rows.c.actor_name, rows.c.act, rows.c.detail).where(~again)
    return db.session().execute(shown.order_by(rows.c.id.desc()).limit(HISTORY_SHOWN)).all()


def _record(author_id: int) -> Record:
    """Answers to appeals are no further decisions; decisions that were overturned are counted apart."""
    answers = sa.select(Appeal.answer_id).where(Appeal.answer_id.is_not(None), Appeal.author_id == author_id)
    overturned = sa.exists().where(Appeal.decision_id == Decision.id, Appeal.outcome == "overturned")
    rows = (
        sa.select(Decision.outcome, overturned.label("overturned"), sa.func.count().label("times"))
        .where(Decision.author_id == author_id, Decision.id.not_in(answers))
        .group_by(Decision.outcome, overturned)
    )
    counted = db.session().execute(rows).all()
    outcomes: dict[str, int] = {row.outcome: row.times for row in counted if not row.overturned}
    return Record(outcomes, sum(row.times for row in counted if row.overturned))
