"""Writing in a room's live chat: stored first, with its place in the room, then announced."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db, text
from community.core.clock import now
from community.core.db import UTCDateTime
from community.core.errors import Conflict, Invalid
from community.core.prepared import Prepared
from community.core.realtime import announce
from community.moderation.intake import Facts, Reviewed, cries_for_help, review, review_again, reviewed_before, withdrawn
from community.rooms.models import Room

from .access import chat_to_write_in, message_to_answer, message_to_edit, message_to_react_to, message_to_withdraw
from .events import MessageReacted, MessageWritten, OwnReactions
from .limits import refuse_form, refuse_haste
from .models import NOTE_MAX, REACTIONS, Message, Reaction, as_seen, counts_of
from .searching import fold_again

KEY_MAX = 200


@dataclass(frozen=True)
class Written:
    """A stored message and what the gate did. `repeated`: the same key had been sent before."""

    message: Message
    reviewed: Reviewed
    repeated: bool = False


def write_message(
    actor: Account, room_id: int, *, body: object, key: str, limit: int, note: object = "", reply_to: int | None = None
) -> Written:
    """The same key with the same words is one message and the same answer; with other words it is refused."""
    well_formed = 1 <= len(key) <= KEY_MAX and key.isascii() and key.isprintable()
    room, sent, revision = chat_to_write_in(actor, room_id, key if well_formed else "")
    if not well_formed:
        raise Invalid({"key": f"A client key has 1 to {KEY_MAX} plain characters. Reload the page; your words are kept."})
    words = text.words_of(body, field="body", limit=limit, what="your message")
    if sent is not None:
        return _sent_before(sent, words, room.id)
    noted = _note(note)
    refuse_form(actor, room, f"{noted} {words}")
    facts = Facts(revision, room.profile, actor.country)
    refuse_haste(actor, room, unless=lambda: cries_for_help(words, room.id, facts))
    if reply_to is not None:
        message_to_answer(actor, room, reply_to)
    message = db.copy_of(
        Message,
        {
            "room_id": room.id,
            "seq": _next_place(room.id),
            "author_id": actor.id,
            "client_key": key,
            "body": words,
            "visibility": "visible",
            "created_at": now(),
            "edition": 1,
            "version": 1,
            "note": noted,
            "reply_to": reply_to,
        },
    )
    reviewed = review(message, facts)
    if message.visibility == "visible":
        announce(MessageWritten(room.id, as_seen(message, actor)))
    return Written(message, reviewed)


def _note(typed: object) -> str:
    """A content note is one short line, or none."""
    if not isinstance(typed, str) or text.is_blank(typed):
        return ""
    return text.line_of(typed, field="note", limit=NOTE_MAX, what="the content note")


def edit_message(
    actor: Account, message_id: int, *, body: object, limit: int, minutes: int, note: object = None
) -> Written:  # fmt: skip
    """Change one's own words, and the content note if one is given, for a while; the gate reads them again, and snapshots keep
    what was said before."""
    message = message_to_edit(actor, message_id, minutes=minutes)
    words = text.words_of(body, field="body", limit=limit, what="your message")
    noted = message.note if note is None else _note(note)
    if (words, noted) == (message.body, message.note):
        return Written(message, Reviewed(held=message.visibility == "held", support_id=None))
    refuse_form(actor, db.session().get_one(Room, message.room_id), f"{noted} {words}")
    was, message.body, message.note, message.edited_at = message.body, words, noted, now()
    reviewed = review_again(message, was=was)
    fold_again(message)
    message.changed()
    return Written(message, reviewed)


def react(actor: Account, message_id: int, kind: str, *, on: bool) -> Message:
    """Give one kind answer or take it back. Twice is once, and nobody is notified."""
    if kind not in REACTIONS:
        raise Invalid({"kind": "Choose one of the answers that are offered."})
    message = message_to_react_to(actor, message_id)
    row = db.session().get(Reaction, (message.id, actor.id, kind))
    if (row is not None) != on:
        _put_reaction(message, actor, kind, row)
        numbers = message.room_id, message.id, message.seq, message.version
        announce(MessageReacted(*numbers, counts_of(message.id)))
        announce(OwnReactions(actor.id, message.room_id, message.seq, message.version, reactions_of(actor, message)))
    return message


def _put_reaction(message: Message, actor: Account, kind: str, row: Reaction | None) -> None:
    """The message's row is locked first, so that versions and counts have one order."""
    risen = sa.update(Message).where(Message.id == message.id).values(version=Message.version + 1)
    message.version = db.session().scalar(risen.returning(Message.version)) or message.version
    if row is None:
        db.session().add(Reaction(message_id=message.id, account_id=actor.id, kind=kind))
    else:
        db.session().delete(row)
    db.session().flush()


def reactions_of(actor: Account, message: Message) -> list[str]:
    rows = sa.select(Reaction.kind).where(Reaction.message_id == message.id, Reaction.account_id == actor.id)
    return sorted(db.session().scalars(rows))


def withdraw_message(actor: Account, message_id: int) -> Message:
    """Take one's own message back, however old it is; every screen takes it away. A case about it keeps its snapshot."""
    message = message_to_withdraw(actor, message_id)
    if message.visibility != "withdrawn":
        message.visibility = "withdrawn"
        message.changed()
        withdrawn(message)
    return message


def _next_place(room_id: int) -> int:
    """The room's row stays locked until the commit, so numbers have no gaps and follow the order of commits."""
    return int(db.first(_take_place, room=room_id, moment=now()).last_seq)


_rooms = sa.table("rooms", sa.column("id"), sa.column("last_seq"), sa.column("last_activity_at"))
_take_place = Prepared(
    sa.update(_rooms)
    .where(_rooms.c.id == sa.bindparam("room"))
    .values(last_seq=_rooms.c.last_seq + 1, last_activity_at=sa.bindparam("moment", type_=UTCDateTime()))
    .returning(_rooms.c.last_seq)
)


def _sent_before(number: int, words: str, room_id: int) -> Written:
    found = db.session().get_one(Message, number)
    if (found.body != words and found.edited_at is None) or found.room_id != room_id:
        raise Conflict("This message was sent before with other words. Reload the page and send it again.")
    return Written(found, reviewed_before(found), repeated=True)
