"""What time does to a session: without a facilitator it pauses, waits and closes. The clock never punishes anybody."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import audit, db
from community.core.clock import minutes, now
from community.rooms.access import is_member
from community.rooms.actions import add_member
from community.rooms.models import Membership, Room

from .ending import delete_transcript
from .models import FacilitatedSession, Facilitator, Seat
from .places import close_aside, empty_room, go, let_in_who_waits, may_write
from .telling import changed, seated, tell
from .transitions import after

PRESENT_FOR = timedelta(seconds=30)
BY_HAND_FOR = timedelta(minutes=5)
"""Where no live screen tells that a facilitator is there, they say so themselves, and it holds so long."""


def note_presence(seen: Collection[tuple[int, int]]) -> None:
    """Facilitators (session, account) who have a live screen in this process now. True across processes and after a kill."""
    for session_id, account_id in seen:
        db.session().execute(
            sa.update(Facilitator)
            .where(Facilitator.session_id == session_id, Facilitator.account_id == account_id)
            .values(seen_at=now())
        )


def move_clock(session: FacilitatedSession) -> None:
    """What the clock does to one session, whose row the caller locked."""
    present = any(row.seen_at is not None and row.seen_at > now() - PRESENT_FOR for row in facilitators_of(session))
    if session.state == "planned":
        if session.ends_at <= now():
            session.state, session.ended_at, session.ended_how = after(session.state, "lapse"), now(), "never-opened"
            tell(session, "cancelled", seated(session, ("coming", "waiting")))
            audit.record(None, "session.lapsed", f"session:{session.id}")
    elif session.ends_at <= now() or db.session().get_one(Room, session.host_room_id).archived_at is not None:
        _end_by_clock(session, "clock")
    elif session.state == "open" and not present:
        _pause(session)
    elif session.state == "paused" and present:
        resume(session)
    elif session.grace_ends_at is not None and session.grace_ends_at <= now():
        _end_by_clock(session, "no-facilitator")
    if session.is_live:
        _free_places(session)


def _free_places(session: FacilitatedSession) -> None:
    """Of those who may not be here any more: suspended, or taken out of the room that holds the session."""
    still_in = sa.exists().where(Membership.room_id == session.room_id, Membership.account_id == Seat.account_id)
    gone = sa.select(Seat).join(Account, Account.id == Seat.account_id).where(
        Seat.session_id == session.id, Seat.state == "inside", sa.or_(~still_in, Account.suspended_until > now())
    )  # fmt: skip
    for seat in db.session().scalars(gone).all():
        go(session, seat, "left")


def _pause(session: FacilitatedSession) -> None:
    session.state, session.grace_ends_at = after(session.state, "pause"), now() + minutes(session.grace_minutes)
    may_write(session, "staff")
    tell(session, "facilitator-needed", [row.account_id for row in facilitators_of(session)])
    audit.record(None, "session.paused", f"session:{session.id}")
    changed(session)


def resume(session: FacilitatedSession) -> None:
    session.state, session.grace_ends_at = after(session.state, "resume"), None
    may_write(session, "joined")
    audit.record(None, "session.resumed", f"session:{session.id}")
    let_in_who_waits(session)
    changed(session)


def _end_by_clock(session: FacilitatedSession, how: str) -> None:
    close(session, how)
    audit.record(None, "session.ended", f"session:{session.id}", how=how)


def close(session: FacilitatedSession, how: str) -> None:
    """Everybody is out; the transcript goes, unless the door said that it stays, and then nobody adds to it. What was said aside
    goes in any case: nobody could read it."""
    session.state = after(session.state, "end")
    session.ended_at, session.ended_how, session.grace_ends_at = now(), how, None
    changed(session, *seated(session, ("inside",)), *(one.account_id for one in facilitators_of(session)))
    for seat in db.session().scalars(sa.select(Seat).where(Seat.session_id == session.id, Seat.state.in_(("inside", "waiting")))):
        seat.state, seat.left_at, seat.hand_at = "left", now(), None
        close_aside(seat)
    session.inside_count = 0
    may_write(session, "staff")
    delete_transcript(session)
    if not session.keeps_transcript:
        empty_room(session.room_id or 0)


def seen(session: FacilitatedSession, actor: Account, *, ahead: timedelta = timedelta()) -> None:
    db.session().get_one(Facilitator, (session.id, actor.id)).seen_at = now() + ahead
    room = db.session().get(Room, session.room_id) if session.room_id else None
    if room is not None and session.is_live and not is_member(actor, room):
        add_member(room, actor.id)


def facilitators_of(session: FacilitatedSession) -> list[Facilitator]:
    rows = sa.select(Facilitator).where(Facilitator.session_id == session.id).execution_options(populate_existing=True)
    return list(db.session().scalars(rows))
