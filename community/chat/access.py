"""Loading messages, if allowed."""

from __future__ import annotations

from dataclasses import dataclass

from community.accounts.models import Account
from community.core import db
from community.core.errors import NotFound
from community.rooms.access import is_member, looks_after, room_to_read, why_not_write
from community.rooms.models import Room

from .models import Message


def chat_to_read(actor: Account, room_id: int) -> Room:
    room = room_to_read(actor, room_id)
    if not room.has_chat:
        raise NotFound
    return room


def message_to_read(actor: Account, message_id: int) -> Message:
    message = db.session().get(Message, message_id)
    if message is None:
        raise NotFound
    chat_to_read(actor, message.room_id)
    if message.visibility != "visible" and message.author_id != actor.id:
        raise NotFound
    return message


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
