"""The live door of a room's chat. Every event and answer is written down in docs/realtime.md."""

from __future__ import annotations

from typing import Annotated, Any

from flask import current_app
from pydantic import BeforeValidator, Field, PlainValidator

from community.accounts.blocking import apart_from
from community.accounts.models import Account
from community.core import db, unheard
from community.core.errors import Refused
from community.core.limits import limit
from community.core.realtime import LiveNamespace, LiveSocket, Payload, hears_others, send, silence
from community.moderation.advice import given_away
from community.safety.personal import taken_out

from . import actions, queries
from .access import chat_to_read, is_shown_in, room_to_type_in, standing_in
from .events import ApartChanged, StandingChanged, TypingNoticed, chat_room
from .hours import hour_in
from .models import as_seen, counts_of
from .presence import presence
from .typing import pace

LARGEST = 2**31 - 1


def _number(given: object) -> object:
    """A room id may come as the digits of an address."""
    return int(given) if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) <= 10 else given


def _words(given: object) -> str:
    """Any text at all. Text that no database can hold (half an emoji, NUL) is made storable by the verb, not refused here."""
    if not isinstance(given, str):
        raise ValueError("words are text")
    return given


RoomId = Annotated[int, BeforeValidator(_number), Field(ge=1, le=LARGEST)]
Words = Annotated[str, PlainValidator(_words)]


class InRoom(Payload):
    room: RoomId


class NewMessage(Payload):
    room: RoomId
    key: str
    body: Words
    note: Words = ""
    reply_to: Annotated[int, Field(ge=1, le=LARGEST)] | None = None


class OneMessage(Payload):
    message: Annotated[int, Field(ge=1, le=LARGEST)]


class Edited(OneMessage):
    body: Words
    note: Words | None = None


class Reacted(OneMessage):
    kind: str
    on: bool


class After(Payload):
    room: RoomId
    seq: Annotated[int, Field(ge=0, le=LARGEST)]


class ChatNamespace(LiveNamespace):
    """Rooms and everything addressed to one account."""

    def may_hear(self, actor: Account, room: str) -> bool:
        kind, number, *_ = room.split(":")
        try:
            return kind in ("room", "here") and chat_to_read(actor, int(number)) is not None
        except Refused:
            return False

    def arrived(self, actor: Account) -> None:
        unheard.keep_from(self.sid(), apart_from(actor).silent)

    def refreshed(self, socket: LiveSocket, actor: Account) -> None:
        """Authority changed, or whom they keep away from. A room that is lost grows silent; only its screen can say so."""
        apart = apart_from(actor)
        keeps_away = bool(apart.silent) or socket.sid in unheard.kept_from
        unheard.keep_from(socket.sid, apart.silent)
        presence.settle(socket.sid, actor.id, away=actor.appears_away, unseen=apart.unseen)
        if apart.unseen:
            silence(socket, "here")
        send(ApartChanged(socket.sid) if keeps_away else StandingChanged(socket.sid))

    def on_enter_room(self, actor: Account, payload: InRoom) -> dict[str, Any]:
        """Hear the room first, then say how far it had come: nothing falls between the two."""
        room = chat_to_read(actor, payload.room)
        self.hear(chat_room(payload.room))
        db.end_reading()
        standing = standing_in(actor, payload.room)
        return {
            "room": payload.room,
            "last_seq": queries.last_seq(payload.room),
            "may_write": standing.may_write,
            "sentence": standing.sentence,
            "hours": hour_in(room).word,
            "live": hears_others(),
            "here": self._be_here(actor, payload.room),
        }

    def _be_here(self, actor: Account, room_id: int) -> int:
        """Who keeps away from somebody hears no number that is the same for all."""
        unseen = apart_from(actor).unseen
        (self.stop_hearing if unseen else self.hear)(presence.audience(room_id))
        return presence.enter(room_id, self.sid(), actor.id, shown=is_shown_in(actor, room_id), unseen=unseen)

    def on_leave_room(self, actor: Account, payload: InRoom) -> dict[str, Any]:
        self.stop_hearing(chat_room(payload.room))
        self.stop_hearing(presence.audience(payload.room))
        presence.leave(payload.room, self.sid())
        return {"room": payload.room}

    def on_typing(self, actor: Account, payload: InRoom) -> dict[str, Any]:
        """Told to the room and stored nowhere. Too often is no error: it is just not told."""
        room = room_to_type_in(actor, payload.room)
        if room is not None and pace.allows(room.id, actor.id):
            send(TypingNoticed(room.id, actor.id, actor.name))
        return {}

    def on_write_message(self, actor: Account, payload: NewMessage) -> dict[str, Any]:
        """Stored and committed before the answer; announced to the room after the commit."""
        return write_and_answer(actor, payload.room, payload.key, payload.body, note=payload.note, reply_to=payload.reply_to)

    def on_edit_message(self, actor: Account, payload: Edited) -> dict[str, Any]:
        return edit_and_answer(actor, payload.message, payload.body, note=payload.note)

    def on_react(self, actor: Account, payload: Reacted) -> dict[str, Any]:
        return react_and_answer(actor, payload.message, payload.kind, on=payload.on)

    def on_withdraw_message(self, actor: Account, payload: OneMessage) -> dict[str, Any]:
        return withdraw_and_answer(actor, payload.message)

    def on_read_after(self, actor: Account, payload: After) -> dict[str, Any]:
        room = chat_to_read(actor, payload.room)
        return queries.messages_after(actor, room, payload.seq)._asdict()

    def on_read_quote(self, actor: Account, payload: After) -> dict[str, Any]:
        room = chat_to_read(actor, payload.room)
        return {"quotes": queries.quote_in(actor, room, payload.seq)}


def write_and_answer(
    actor: Account, room_id: int, key: str, body: object, *, note: object = "", reply_to: int | None = None
) -> dict[str, Any]:
    """The same answer on the live road and on the page's. Messages that come in one moment share a commit, so `actor` is the
    account itself and not `current_user`."""
    config = current_app.config["KITH"]
    limit("write", actor.id, config.write_limit)
    longest = config.message_max
    written = db.together(
        lambda: actions.write_message(actor, room_id, body=body, key=key, limit=longest, note=note, reply_to=reply_to)
    )
    return _answer(actor, written)


def _answer(actor: Account, written: actions.Written) -> dict[str, Any]:
    again = {"reactions": counts_of(written.message.id)} if written.message.version > 1 else {}
    return {
        "message": as_seen(written.message, actor) | again,
        "repeated": written.repeated,
        "held": written.reviewed.held,
        "support": written.reviewed.support_id,
        "personal": written.reviewed.advice_id,
    }


def edit_and_answer(actor: Account, message_id: int, body: object, *, note: object = None) -> dict[str, Any]:
    config = current_app.config["KITH"]
    limit("write", actor.id, config.write_limit)
    with db.write():
        written = actions.edit_message(
            actor, message_id, body=body, note=note, limit=config.message_max, minutes=config.edit_minutes
        )
    return _answer(actor, written)


def react_and_answer(actor: Account, message_id: int, kind: str, *, on: bool) -> dict[str, Any]:
    limit("write", actor.id, current_app.config["KITH"].write_limit)

    def act() -> dict[str, Any]:
        message = actions.react(actor, message_id, kind, on=on)
        numbers = {"room": message.room_id, "seq": message.seq, "id": message.id, "version": message.version}
        return {**numbers, "reactions": counts_of(message.id), "mine": actions.reactions_of(actor, message)}

    return db.stored(act)


def withdraw_and_answer(actor: Account, message_id: int) -> dict[str, Any]:
    """The words go back to their author: as they were, and without what they may not want to share."""
    with db.write():
        message = actions.withdraw_message(actor, message_id)
    without = taken_out(message.body, given_away(message))
    return {"room": message.room_id, "seq": message.seq, "id": message.id, "body": message.body, "without": without}
