"""Loading rooms, if allowed. A room somebody may not read is not there for them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.errors import Forbidden, NotFound

from .models import Membership, Room, StaffScope
from .posture import is_open, opens_again


def is_member(actor: Account, room: Room) -> bool:
    if room.asked_for == actor.id:
        return room.asked_joined
    return db.ask(_joined, room=room.id, account=actor.id).first() is not None


def looks_after(actor: Account, room_id: int) -> bool:
    """A moderator, senior or admin scoped to this room."""
    if not actor.is_staff:
        return False
    return db.ask(_scoped, room=room_id, account=actor.id).first() is not None


_joined = sa.select(Membership.room_id).where(
    Membership.room_id == sa.bindparam("room"), Membership.account_id == sa.bindparam("account")
)
_scoped = (
    sa.select(StaffScope.id)
    .where(
        StaffScope.account_id == sa.bindparam("account"),
        sa.or_(StaffScope.room_id == sa.bindparam("room"), StaffScope.room_id.is_(None)),
    )
    .limit(1)
)


def may_read(actor: Account, room: Room) -> bool:
    """`members`: any signed-in account; `joined`: who joined; `staff`: who looks after the room. Admins read every room, except
    those of sessions: there, only who was let in."""
    if actor.is_suspended or (room.archived_at is not None and not actor.is_admin):
        return False
    if room.host_id is not None:
        return is_member(actor, room)
    if room.read_by == "members" or actor.is_admin or looks_after(actor, room.id):
        return True
    return room.read_by == "joined" and is_member(actor, room)


def room_to_read(actor: Account, room_id: int) -> Room:
    return _readable(actor, db.session().get(Room, room_id))


def room_to_read_by_slug(actor: Account, slug: str) -> Room:
    return _readable(actor, db.session().scalars(sa.select(Room).where(Room.slug == slug)).one_or_none())


def _readable(actor: Account, room: Room | None) -> Room:
    if room is None or not may_read(actor, room):
        raise NotFound
    return room


def room_to_write_in(actor: Account, room_id: int, *, part: str) -> Room:
    """The room, if `actor` may write in its `part` ("forum" or "chat") now. The refusal answers words: they are still there."""
    return _writable(actor, room_to_read(actor, room_id), part)


def room_to_chat_in(actor: Account, row: Any) -> Room:
    """The same for chat, from a row of `room_with_joined`: asked with every message, so in one statement with whatever chat
    needs besides. A copy, which the session does not know."""
    if row is None:
        raise NotFound
    room = db.copy_of(Room, dict(zip(_COLUMNS, row, strict=False)))
    room.asked_for, room.asked_joined = actor.id, row.joined
    return _writable(actor, _readable(actor, room), "chat")


_COLUMNS = tuple(column.key for column in Room.__table__.columns)
room_with_joined = sa.select(Room.__table__, sa.exists(_joined).label("joined")).where(Room.id == sa.bindparam("room"))


def _writable(actor: Account, room: Room, part: str) -> Room:
    refusal = why_not_write(actor, room, part)
    if refusal:
        raise Forbidden(f"{refusal} Your words are kept.")
    return room


def why_not_write(actor: Account, room: Room, part: str) -> str:
    """A sentence that says what to do, for somebody who may read the room and not write in it now; otherwise nothing."""
    if not (room.has_forum if part == "forum" else room.has_chat):
        raise NotFound
    if room.archived_at is not None:
        return "This room is archived: it can be read, and nothing new can be written."
    if room.host_id is not None and room.write_by == "staff":
        return "Nobody writes here now: the session is paused until a facilitator is back, or it is over. You can read along."
    if room.write_by == "staff" and not looks_after(actor, room.id):
        return "In this room only the team writes. You can read along."
    if room.write_by == "joined" and not is_member(actor, room) and not looks_after(actor, room.id):
        return f"Join “{room.name}” first; then you can write here."
    if part == "chat" and not is_open(room):
        return f"The chat is closed at this hour. {opens_again(room)}"
    return ""


def room_to_manage(actor: Account, room_id: int) -> Room:
    room = db.session().get(Room, room_id) if actor.is_admin else None
    if room is None or room.host_id is not None:
        raise NotFound
    return room


def must_have_a_door(room: Room) -> Room:
    """A session's room is entered and left on the session's page."""
    if room.host_id is not None:
        raise NotFound
    return room
