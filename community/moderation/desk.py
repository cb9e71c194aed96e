"""The desk's lists: what waits for this moderator, lane by lane. They carry no words; order is severity, then overdue, then (where
the second signal is on) its score, then due time, then age."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from community.accounts.models import Account
from community.core import db
from community.core.clock import now
from community.core.errors import NotFound
from community.rooms.models import Room
from community.safety import severity_rank

from .access import Beat, beat_of, on_beat
from .models import Appeal, Case, Decision, Signal

LANES = {"mine": "I hold", "urgent": "Crisis and red", "amber": "Amber", "appeals": "Appeals", "green": "Green"}
IN_A_LANE = 50
OVERLAP = timedelta(seconds=10)  # rows of a slow transaction become visible late; loading a card twice changes nothing
KNOWN_AT_MOST = 2_000
RED = severity_rank("red")


class Place(NamedTuple):
    """Where a lane goes on: after this card. `overdue` is 0 or 1."""

    rank: int
    overdue: int
    score: int
    due_at: datetime
    case_id: int


@dataclass(frozen=True, slots=True)
class Card:
    """One case in a list. Never the words, never who wrote them."""

    id: int
    lane: str
    severity: str
    rank: int
    score: int
    concern: str
    kind: str
    room: str
    opened_at: datetime
    due_at: datetime
    overdue: bool
    holder: str
    mine: bool
    escalated: bool
    appealed: bool
    signals: int
    version: int


@dataclass(slots=True)
class Lane:
    key: str
    title: str
    cards: list[Card] = field(default_factory=list)
    count: int = 0
    more: Place | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    beat: Beat
    lanes: list[Lane]

    @property
    def is_empty(self) -> bool:
        return not any(lane.cards for lane in self.lanes)


def desk(actor: Account, *, only: str = "", after: Place | None = None) -> Desk:
    """Every lane with its first cards, or one lane from a place on. One statement, whatever waits."""
    beat = beat_of(actor)
    waiting = _waiting(actor, beat, after).subquery()
    rows = _with_names(waiting).where(waiting.c.place <= IN_A_LANE).order_by(waiting.c.place)
    lanes = {key: Lane(key, title) for key, title in LANES.items() if not only or key == only}
    for row in db.session().execute(rows) if beat.concerns else ():
        if row.lane in lanes:
            lane = lanes[row.lane]
            lane.cards.append(_card(row, actor.id))
            lane.count = row.in_lane
    for lane in lanes.values():
        last = lane.cards[-1] if lane.cards else None
        lane.more = (
            Place(last.rank, int(last.due_at <= now()), last.score, last.due_at, last.id)
            if last and lane.count > len(lane.cards)
            else None
        )
    return Desk(beat, list(lanes.values()))


def card(actor: Account, case_id: int) -> Card:
    """One card. NotFound when it is not (any more) on this moderator's desk."""
    waiting = _waiting(actor, beat_of(actor), None).where(Case.id == case_id).subquery()
    row = db.session().execute(_with_names(waiting)).one_or_none()
    if row is None:
        raise NotFound
    return _card(row, actor.id)


def changes(actor: Account, since: datetime | None) -> dict[str, Any]:
    """What a screen asks again and again, so that a lost event costs seconds: ids that changed, and all ids that are there."""
    beat, moment = beat_of(actor), now()
    rows = sa.select(Case.id, Case.changed_at, _lane(actor).label("lane")).where(*_on_desk(beat))
    rows = rows.order_by(Case.changed_at.desc()).limit(KNOWN_AT_MOST)
    found = db.session().execute(rows).all() if beat.concerns else []
    edge = since - OVERLAP if since else None
    changed = [row.id for row in found if edge is None or row.changed_at > edge]
    lanes = Counter(row.lane for row in found)
    return {
        "now": moment.isoformat(), "cases": changed, "here": [row.id for row in found], "beat": fingerprint(beat),
        "lanes": {key: lanes[key] for key in LANES},
    }  # fmt: skip


def fingerprint(beat: Beat) -> str:
    """Changes when what a moderator may see changes: a screen then loads its lists anew."""
    facts = (sorted(beat.concerns), "all" if beat.rooms is None else sorted(beat.rooms))
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def _on_desk(beat: Beat) -> tuple[sa.ColumnElement[bool], ...]:
    """Not closed, on the beat, and not an appeal against one's own decision."""
    own = _open_appeals().where(Appeal.first_decider_id == beat.account_id)
    return (Case.state != "closed", on_beat(beat), ~own.exists())


def _open_appeals() -> sa.Select[int]:
    return (
        sa.select(Appeal.id)
        .join(Decision, Decision.id == Appeal.decision_id)
        .where(Decision.case_id == Case.id, Appeal.outcome == "open")
        .correlate(Case)
    )


def _waiting(actor: Account, beat: Beat, after: Place | None) -> sa.Select[*tuple[Any, ...]]:
    appealed, held, lane = _open_appeals().exists(), _held(), _lane(actor)
    late = _late()
    order = (Case.severity_rank.desc(), late.desc(), Case.score.desc(), Case.due_at, Case.id)
    rows: sa.Select[*tuple[Any, ...]] = sa.select(
        Case.id, Case.concern, Case.severity, Case.severity_rank, Case.score, Case.target_kind, Case.room_id, Case.state, Case.opened_at,
        Case.due_at, Case.version, sa.case((held, Case.claimed_by_id)).label("holder_id"), appealed.label("appealed"),
        lane.label("lane"), sa.func.row_number().over(partition_by=lane, order_by=order).label("place"),
        sa.func.count().over(partition_by=lane).label("in_lane"),
    ).where(*_on_desk(beat))  # fmt: skip
    return rows if after is None else rows.where(_later(after))


def _held() -> sa.ColumnElement[bool]:
    return sa.and_(Case.state == "claimed", Case.claim_until > now())


def _lane(actor: Account) -> sa.Case[str]:
    return sa.case(
        (sa.and_(_held(), Case.claimed_by_id == actor.id), "mine"),
        (Case.severity_rank >= RED, "urgent"),
        (_open_appeals().exists(), "appeals"),
        (Case.severity == "amber", "amber"),
        else_="green",
    )


def _late() -> sa.Case[int]:
    return sa.case((Case.due_at <= now(), 1), else_=0)


def _later(after: Place) -> sa.ColumnElement[bool]:
    """Behind this place in the order of the lanes, whose first three columns go down and whose last two go up."""
    down: list[tuple[sa.ColumnElement[int], int]] = [
        (Case.severity_rank.expression, after.rank), (_late(), after.overdue), (Case.score.expression, after.score)
    ]  # fmt: skip
    behind = sa.or_(Case.due_at > after.due_at, sa.and_(Case.due_at == after.due_at, Case.id > after.case_id))
    for column, value in reversed(down):
        behind = sa.or_(column < value, sa.and_(column == value, behind))
    return behind


def _with_names(waiting: sa.Subquery) -> sa.Select[*tuple[Any, ...]]:
    holder = aliased(Account)
    signals = sa.select(sa.func.count()).where(Signal.case_id == waiting.c.id).scalar_subquery()
    return (
        sa.select(waiting, Room.name.label("room"), holder.name.label("holder"), signals.label("signals"))
        .join(Room, Room.id == waiting.c.room_id)
        .outerjoin(holder, holder.id == waiting.c.holder_id)
    )


def _card(row: Any, actor_id: int) -> Card:
    return Card(
        id=row.id, lane=row.lane, severity=row.severity, rank=row.severity_rank, score=row.score, concern=row.concern, kind=row.target_kind,
        room=row.room, opened_at=row.opened_at, due_at=row.due_at, overdue=row.due_at <= now() and row.holder_id is None,
        holder=row.holder or "", mine=row.holder_id == actor_id, escalated=row.state == "escalated",
        appealed=bool(row.appealed), signals=row.signals, version=row.version,
    )  # fmt: skip
