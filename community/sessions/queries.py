"""Reading sessions: the calendar, one session as its page shows it, and the facilitators' side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.audit import AuditEntry
from community.core.clock import now
from community.rooms.access import looks_after
from community.rooms.models import Room
from community.rooms.queries import readable_rooms

from .access import leads, seat_of
from .guide import Step, current_step, steps_of
from .models import CalendarFeed, CheckIn, FacilitatedSession, Facilitator, Seat

FEED_AHEAD = timedelta(days=120)
AHEAD_SHOWN = 3
STEPS = ("Very hard", "Hard", "In between", "All right", "Good")


def rooms_of_facilitators() -> Sequence[Any]:
    """Session, room and account of each facilitator of a session that is open or paused; side-rooms count as the session."""
    live = FacilitatedSession.state.in_(("open", "paused"))
    mine = sa.select(FacilitatedSession.id, FacilitatedSession.room_id, Facilitator.account_id).join(
        Facilitator, Facilitator.session_id == FacilitatedSession.id
    )
    aside = sa.select(FacilitatedSession.id, Seat.side_room_id, Facilitator.account_id).join(
        Facilitator, Facilitator.session_id == FacilitatedSession.id
    ).join(Seat, Seat.session_id == FacilitatedSession.id)  # fmt: skip
    return db.session().execute(sa.union(mine.where(live), aside.where(live, Seat.side_room_id.is_not(None)))).all()


def sessions_ahead(room_id: int) -> Sequence[FacilitatedSession]:
    """The next ones of a room, for its page."""
    rows = sa.select(FacilitatedSession).where(
        FacilitatedSession.host_room_id == room_id, FacilitatedSession.state.in_(("planned", "open", "paused"))
    )
    return db.session().scalars(rows.order_by(FacilitatedSession.starts_at, FacilitatedSession.id).limit(AHEAD_SHOWN)).all()


@dataclass(frozen=True)
class Month:
    """Sessions of one month by day, in the community's zone: [(day, [(session, room name)])]."""

    first: date
    days: list[tuple[date, list[tuple[FacilitatedSession, str]]]]

    @property
    def before(self) -> date:
        return (self.first - timedelta(days=1)).replace(day=1)

    @property
    def next(self) -> date:
        return (self.first + timedelta(days=32)).replace(day=1)


def month(actor: Account, first: date, zone: ZoneInfo) -> Month:
    made = Month(first, [])
    rooms = readable_rooms(actor)
    rows = _between(rooms, datetime.combine(first, time(), zone), datetime.combine(made.next, time(), zone))
    found = db.session().scalars(rows)
    for day, sessions in groupby(found, key=lambda session: session.starts_at.astimezone(zone).date()):
        made.days.append((day, [(session, rooms[session.host_room_id]) for session in sessions]))
    return made


def sessions_for_feed(actor: Account) -> Sequence[FacilitatedSession]:
    rows = _between(readable_rooms(actor), now() - timedelta(days=7), now() + FEED_AHEAD)
    return db.session().scalars(rows).all()


def _between(rooms: Any, start: datetime, end: datetime) -> sa.Select[FacilitatedSession]:
    return (
        sa.select(FacilitatedSession)
        .where(FacilitatedSession.host_room_id.in_(list(rooms)), FacilitatedSession.starts_at >= start)
        .where(FacilitatedSession.starts_at < end)
        .order_by(FacilitatedSession.starts_at, FacilitatedSession.id)
    )  # fmt: skip


def has_feed(actor: Account) -> bool:
    return db.session().get(CalendarFeed, actor.id) is not None


@dataclass(frozen=True)
class Shown:
    """A session as one reader sees it."""

    session: FacilitatedSession
    room: Room
    seat: Seat | None
    leads: bool
    plans: bool
    facilitators: list[str]
    ahead: int  # how many wait before this reader
    said_how: bool  # they said how they left, since they last came in

    @property
    def is_inside(self) -> bool:
        return self.session.is_live and (self.leads or (self.seat is not None and self.seat.state == "inside"))

    @property
    def is_waiting(self) -> bool:
        return self.seat is not None and self.seat.state == "waiting"

    @property
    def door_is_open(self) -> bool:
        return self.session.is_live or (self.session.state == "planned" and self.session.door_opens_at <= now())


def shown_to(actor: Account, session: FacilitatedSession) -> Shown:
    seat, ahead = seat_of(actor.id, session), 0
    if seat is not None and seat.state == "waiting" and seat.queued_at is not None:
        waiting = sa.select(sa.func.count()).select_from(Seat).where(
            Seat.session_id == session.id, Seat.state == "waiting", Seat.queued_at < seat.queued_at
        )  # fmt: skip
        ahead = db.session().scalar(waiting) or 0
    return Shown(
        session=session, room=db.session().get_one(Room, session.host_room_id), seat=seat, leads=leads(actor, session),
        plans=looks_after(actor, session.host_room_id), facilitators=names_of_facilitators(session), ahead=ahead,
        said_how=seat is not None and seat.state == "left" and said_how_they_left(seat),
    )  # fmt: skip


def said_how_they_left(seat: Seat) -> bool:
    said = sa.select(CheckIn.id).where(
        CheckIn.session_id == seat.session_id, CheckIn.author_id == seat.account_id, CheckIn.moment == "leaving",
        CheckIn.created_at >= (seat.entered_at or now()),
    )  # fmt: skip
    return db.session().scalar(said.limit(1)) is not None


def names_of_facilitators(session: FacilitatedSession) -> list[str]:
    """Who leads comes first."""
    rows = sa.select(Account.name).join(Facilitator, Facilitator.account_id == Account.id)
    rows = rows.where(Facilitator.session_id == session.id).order_by(Facilitator.leads.desc(), Account.name)
    return list(db.session().scalars(rows))


@dataclass(frozen=True)
class Person:
    """Somebody in, at the door of, or gone from a session, as facilitators see them."""

    id: int
    name: str
    state: str
    hand_at: datetime | None
    side_room_id: int | None
    check_ins: list[Any]


@dataclass(frozen=True)
class Side:
    """What only facilitators see."""

    people: list[Person]
    steps: tuple[Step, ...]
    now_at: Step | None
    proofs: Sequence[AuditEntry]

    def those(self, *states: str) -> list[Person]:
        return [one for one in self.people if one.state in states]

    @property
    def hands(self) -> list[Person]:
        return sorted((one for one in self.people if one.hand_at), key=lambda one: one.hand_at or now())


def facilitators_side(session: FacilitatedSession) -> Side:
    rows = (
        sa.select(Account.id, Account.name, Seat.state, Seat.hand_at, Seat.side_room_id)
        .join(Account, Account.id == Seat.account_id)
        .where(Seat.session_id == session.id)
        .order_by(Seat.queued_at, Account.name)
    )
    said = _check_ins(session)
    people = [Person(*row, said.get(row.id, [])) for row in db.session().execute(rows)]
    steps = steps_of(session.plan)
    since = (now() - session.opened_at).total_seconds() / 60 if session.opened_at and session.is_live else -1
    proofs = sa.select(AuditEntry).where(
        AuditEntry.subject == f"session:{session.id}", AuditEntry.act == "session.transcript-deleted"
    )
    return Side(people, steps, current_step(steps, since), db.session().scalars(proofs.order_by(AuditEntry.id)).all())


def _check_ins(session: FacilitatedSession) -> dict[int, list[Any]]:
    rows = sa.select(CheckIn.author_id, CheckIn.moment, CheckIn.step, CheckIn.body, CheckIn.created_at)
    found: dict[int, list[Any]] = {}
    for row in db.session().execute(rows.where(CheckIn.session_id == session.id).order_by(CheckIn.id)):
        found.setdefault(row.author_id, []).append(row)
    return found


@dataclass(frozen=True)
class Beside:
    """What stands beside the chat of a session's room or side-room; `side` only for facilitators."""

    shown: Shown
    side: Side | None
    is_aside: bool

    @property
    def count(self) -> int:
        """How many things wait for this reader."""
        if self.side is not None:
            return len(self.side.hands) + len(self.side.those("waiting"))
        seat = self.shown.seat
        return int(seat is not None and seat.side_room_id is not None and not self.is_aside)

    @property
    def calls(self) -> str:
        """The same in a sentence, for people who listen."""
        if not self.count:
            return ""
        if self.side is None:
            return "A facilitator would like to talk with you alone: your side-room is in the panel of the session."
        return f"Hands up: {len(self.side.hands)}. At the door: {len(self.side.those('waiting'))}."


def beside(actor: Account, session: FacilitatedSession, room_id: int) -> Beside:
    shown = shown_to(actor, session)
    return Beside(shown, facilitators_side(session) if shown.leads else None, room_id != session.room_id)
