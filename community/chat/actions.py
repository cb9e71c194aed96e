"""Writing in a room's live chat: stored first, with its place in the room, then announced."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db, text
from community.core.clock import now
from community.core.db import UTCDateTime
from community.core.errors import Conflict, Invalid, TooMany
from community.core.realtime import announce
from community.moderation.intake import Reviewed, review, reviewed_before, withdrawn
from community.rooms.access import room_to_write_in
from community.rooms.models import Room

from .access import message_to_withdraw
from .events import MessageWritten
from .models import Message, as_seen

KEY_MAX = 200


@dataclass(frozen=True)
class Written:
    """A stored message and what the gate did. `repeated`: the same key had been sent before."""

    message: Message
    reviewed: Reviewed
    repeated: bool = False


def write_message(actor: Account, room_id: int, *, body: object, key: str, limit: int) -> Written:
    """The same key with the same words is one message and the same answer; with other words it is refused."""
    room = room_to_write_in(actor, room_id, part="chat")
    if not 1 <= len(key) <= KEY_MAX or not key.isascii() or not key.isprintable():
        raise Invalid({"key": f"A client key has 1 to {KEY_MAX} plain characters. Reload the page; your words are kept."})
    words = text.words_of(body, field="body", limit=limit, what="your message")
    if (before := _sent_before(actor, key, words, room.id)) is not None:
        return before
    if room.pace_seconds:
        _keep_pace(actor, room)
    message = Message(
        room_id=room.id, seq=_next_place(room.id), author_id=actor.id, client_key=key, body=words, visibility="visible",
        created_at=now(), edition=1,
    )  # fmt: skip
    reviewed = review(message)
    if message.visibility == "visible":
        announce(MessageWritten(room.id, as_seen(message, actor)))
    return Written(message, reviewed)


def withdraw_message(actor: Account, message_id: int) -> Message:
    """Take one's own message back, however old it is; every screen takes it away. A case about it keeps its snapshot."""
    message = message_to_withdraw(actor, message_id)
    if message.visibility != "withdrawn":
        message.visibility = "withdrawn"
        message.changed()
        withdrawn(message)
    return message


def _keep_pace(actor: Account, room: Room) -> None:
    """Slow mode: some quiet between two messages of one person."""
    last = sa.select(sa.func.max(Message.created_at, type_=UTCDateTime())).where(
        Message.room_id == room.id, Message.author_id == actor.id
    )
    before = db.session().scalar(last)
    wait = room.pace_seconds - (now() - before).total_seconds() if before else 0
    if wait > 0:
        raise TooMany(
            f"It goes slowly here: one message each in {room.pace_seconds} seconds. Send yours in {ceil(wait)} seconds."
        )


def _next_place(room_id: int) -> int:
    """The room's row stays locked until the commit, so numbers have no gaps and follow the order of commits."""
    return int(db.ask(_take_place, room=room_id, moment=now()).scalar_one())


_rooms = sa.table("rooms", sa.column("id"), sa.column("last_seq"), sa.column("last_activity_at"))
_take_place = (
    sa.update(_rooms)
    .where(_rooms.c.id == sa.bindparam("room"))
    .values(last_seq=_rooms.c.last_seq + 1, last_activity_at=sa.bindparam("moment", type_=UTCDateTime()))
    .returning(_rooms.c.last_seq)
)
_sent = sa.select(Message.id).where(Message.author_id == sa.bindparam("author"), Message.client_key == sa.bindparam("key"))


def _sent_before(actor: Account, key: str, words: str, room_id: int) -> Written | None:
    number = db.ask(_sent, author=actor.id, key=key).scalar()
    if number is None:
        return None
    found = db.session().get_one(Message, number)
    if found.body != words or found.room_id != room_id:
        raise Conflict("This message was sent before with other words. Reload the page and send it again.")
    return Written(found, reviewed_before(found), repeated=True)
