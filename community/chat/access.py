"""Loading messages, if allowed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import sqlalchemy as sa

from community.accounts.blocking import apart_from
from community.accounts.models import Account
from community.core import db
from community.core.clock import now
from community.core.errors import Forbidden, Invalid, NotFound
from community.core.prepared import Prepared
from community.lexicon.queries import newest
from community.rooms.access import (
    is_member,
    looks_after,
    room_to_chat_in,
    room_to_read,
    room_to_write_in,
    room_with_joined,
    why_not_write,
)  # fmt: skip
from community.rooms.models import Room

from .models import Message


def chat_to_read(actor: Account, room_id: int) -> Room:
    room = room_to_read(actor, room_id)
    if not room.has_chat:
        raise NotFound
    return room


class ToWriteIn(NamedTuple):
    """A chat that somebody may write in, the message they sent there with the same key before, if any, and the rules in force."""

    room: Room
    sent: int | None
    revision: int


def chat_to_write_in(actor: Account, room_id: int, key: str) -> ToWriteIn:
    row = db.first(_asked_to_write, room=room_id, account=actor.id, key=key)
    return ToWriteIn(room_to_chat_in(actor, row), row.sent, row.revision or 0)


_sent = sa.select(Message.id).where(Message.author_id == sa.bindparam("account"), Message.client_key == sa.bindparam("key"))
_asked_to_write = Prepared(
    room_with_joined.add_columns(_sent.scalar_subquery().label("sent"), newest.scalar_subquery().label("revision"))
)


def message_to_read(actor: Account, message_id: int) -> Message:
    message = db.session().get(Message, message_id)
    if message is None:
        raise NotFound
    chat_to_read(actor, message.room_id)
    if message.visibility != "visible" and message.author_id != actor.id:
        raise NotFound
    if message.author_id in apart_from(actor).unseen:
        raise NotFound
    return message


def message_to_answer(actor: Account, room: Room, seq: int) -> Message:
    """A message of this room that the writer sees."""
    found = db.session().scalar(sa.select(Message.id).where(Message.room_id == room.id, Message.seq == seq))
    try:
        if found is None:
            raise NotFound
        return message_to_read(actor, found)
    except NotFound:
        gone = "The message you answer is no longer here. Take the reply away and send it again; your words are kept."
        raise Invalid({"reply_to": gone}) from None


def message_to_react_to(actor: Account, message_id: int) -> Message:
    """A visible message of somebody else, for whoever may write in its room."""
    message = message_to_read(actor, message_id)
    room_to_write_in(actor, message.room_id, part="chat")
    if message.visibility != "visible":
        raise NotFound
    if message.author_id == actor.id:
        raise Forbidden("This is your own message. These answers are for others.")
    return message


def message_to_edit(actor: Account, message_id: int, *, minutes: int) -> Message:
    """One's own message, for some minutes, where one may still write."""
    message = message_to_read(actor, message_id)
    room_to_write_in(actor, message.room_id, part="chat")
    if message.author_id != actor.id:
        raise Forbidden("Only the person who wrote this can change it. You can report it instead.")
    if message.visibility in ("hidden", "withdrawn"):
        raise Forbidden("This message is not shown any more, so it cannot be changed. Your words are kept.")
    if message.created_at < now() - timedelta(minutes=minutes):
        raise Forbidden(f"A message can be changed for {minutes} minutes. You can still take it back and write it anew.")
    return message


def message_to_withdraw(actor: Account, message_id: int) -> Message:
    """One's own message, at any time and wherever it may still be read, unless a moderator hid it."""
    message = message_to_read(actor, message_id)
    if message.author_id != actor.id:
        raise Forbidden("Only the person who wrote this can take it back. You can report it instead.")
    if message.visibility == "hidden":
        raise Forbidden("A moderator hid this message, so it cannot be taken back. You can appeal in your notifications.")
    return message


def message_taken_back(actor: Account, room: Room, message_id: int) -> Message:
    """What its author took back in this room, to write it anew."""
    message = db.session().get(Message, message_id)
    if message is None or (message.author_id, message.room_id, message.visibility) != (actor.id, room.id, "withdrawn"):
        raise NotFound
    return message


def room_to_type_in(actor: Account, room_id: int) -> Room | None:
    """The room, if `actor` may write in it now; none where nobody is to notice that they do."""
    room = room_to_chat_in(actor, db.ask(room_with_joined, room=room_id, account=actor.id).first())
    return room if actor.shows_typing and not actor.appears_away else None


def is_shown_in(actor: Account, room_id: int) -> bool:
    """Whether others see that `actor` is here: only who joined or looks after the room, unless they appear away. Who just reads
    along is seen by nobody."""
    if actor.appears_away:
        return False
    return is_member(actor, db.session().get_one(Room, room_id)) or looks_after(actor, room_id)


@dataclass(frozen=True)
class Standing:
    """Whether somebody may write in a chat now; if not, the sentence that says why, and whether joining is what is missing."""

    may_write: bool
    sentence: str = ""
    may_join: bool = False


def standing_in(actor: Account, room_id: int) -> Standing:
    room = chat_to_read(actor, room_id)
    sentence = why_not_write(actor, room, "chat")
    if not sentence:
        return Standing(True)
    may_join = room.archived_at is None and room.write_by == "joined" and not is_member(actor, room)
    return Standing(False, sentence, may_join and not looks_after(actor, room_id))
