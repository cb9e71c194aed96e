"""Loading sessions, if allowed. Who may read the host room sees that there is one; inside are those who were let in."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.errors import Conflict, Forbidden, NotFound
from community.rooms.access import looks_after, room_to_read
from community.rooms.models import Room

from .models import CalendarFeed, FacilitatedSession, Facilitator, Seat


def room_to_plan_in(actor: Account, room_id: int) -> Room:
    """Whoever looks after a room plans its sessions."""
    room = room_to_read(actor, room_id)
    if room.host_id is not None or not looks_after(actor, room.id):
        raise NotFound
    if room.archived_at is not None:
        raise Forbidden("This room is archived: no session can be planned in it.")
    return room


def session_to_see(actor: Account, session_id: int, *, lock: bool = False) -> FacilitatedSession:
    session = db.session().get(FacilitatedSession, session_id, with_for_update=lock or None, populate_existing=lock)
    if session is None:
        raise NotFound
    room_to_read(actor, session.host_room_id)
    return session


def session_to_plan(actor: Account, session_id: int, *, lock: bool = False) -> FacilitatedSession:
    session = session_to_see(actor, session_id, lock=lock)
    room_to_plan_in(actor, session.host_room_id)
    return session


def session_to_lead(actor: Account, session_id: int, *, lock: bool = False) -> FacilitatedSession:
    """For its facilitators; for everybody else this side of it is not there."""
    session = session_to_see(actor, session_id, lock=lock)
    if not leads(actor, session):
        raise NotFound
    return session


def leads(actor: Account, session: FacilitatedSession) -> bool:
    return db.session().get(Facilitator, (session.id, actor.id)) is not None


def leads_in(actor: Account, room: Room) -> bool:
    """Whether this is the room of a session that `actor` leads."""
    led = sa.select(Facilitator.account_id).join(FacilitatedSession, FacilitatedSession.id == Facilitator.session_id)
    return (
        room.host_id is not None
        and db.session().scalar(led.where(FacilitatedSession.room_id == room.id, Facilitator.account_id == actor.id)) is not None
    )


def session_in_room(actor: Account, room_id: int) -> FacilitatedSession:
    """The session whose room, or one of whose side-rooms, this is; for those who are in that room."""
    room_to_read(actor, room_id)
    aside = sa.select(Seat.session_id).where(Seat.side_room_id == room_id)
    rows = sa.select(FacilitatedSession).where(sa.or_(FacilitatedSession.room_id == room_id, FacilitatedSession.id.in_(aside)))
    found = db.session().scalars(rows).one_or_none()
    if found is None:
        raise NotFound
    return found


def seat_of(account_id: int, session: FacilitatedSession) -> Seat | None:
    return db.session().get(Seat, (session.id, account_id))


def seat_inside(account_id: int, session: FacilitatedSession) -> Seat:
    seat = seat_of(account_id, session)
    if seat is None or seat.state != "inside":
        raise Conflict("This person is not in the session now. Reload the page to see who is.")
    return seat


def feed_owner(token: str) -> Account:
    """Whose calendar this address is. A renewed, unknown or suspended one leads nowhere."""
    hashed = hashlib.sha256(token.encode()).hexdigest()
    rows = sa.select(Account).join(CalendarFeed, CalendarFeed.account_id == Account.id).where(CalendarFeed.token_hash == hashed)
    account = db.session().scalars(rows).one_or_none()
    if account is None or account.is_suspended:
        raise NotFound
    return account
