"""Reading a room's messages, by keyset on the sequence number, both ways.

Every answer says how far it is complete: between its two ends a reader's screen may show exactly these messages and no
others, so that a number nobody may see (held, hidden, withdrawn) leaves no gap to wait for.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.rooms.models import Room

from .models import Message

PAGE = 50
CATCH_UP_MAX = 200


class Stretch(NamedTuple):
    """Messages in reading order. Complete from `start` to `through`, both included; `more` lie beyond in the direction asked."""

    messages: list[dict[str, Any]]
    start: int
    through: int
    more: bool


_shown = (
    sa.select(
        Message.room_id.label("room"), Message.seq, Message.id, Account.name.label("author"), Message.author_id, Account.hue,
        Message.body, Message.covers, Message.created_at.label("at"), Message.visibility.label("state"),
    )
    .join(Account, Account.id == Message.author_id)
)  # fmt: skip


def _seen_by(actor: Account, room_id: int) -> Any:
    own = sa.and_(Message.author_id == actor.id, Message.visibility.in_(("held", "hidden")))
    return _shown.where(Message.room_id == room_id, sa.or_(Message.visibility == "visible", own))


def _as_seen(row: Any) -> dict[str, Any]:
    return {**row._mapping, "at": row.at.isoformat()}


def last_seq(room_id: int) -> int:
    """The number of the room's last message, asked anew. Numbers are given under a lock, so all up to it are stored."""
    return db.session().execute(sa.select(Room.last_seq).where(Room.id == room_id)).scalar_one()


def messages_after(actor: Account, room: Room, seq: int, count: int = CATCH_UP_MAX) -> Stretch:
    """The oldest `count` messages after `seq`."""
    stored = room.last_seq  # as loaded before: what is committed between the two questions is then at worst asked for again
    rows = db.session().execute(_seen_by(actor, room.id).where(Message.seq > seq).order_by(Message.seq).limit(count + 1)).all()
    messages = [_as_seen(row) for row in rows[:count]]
    if len(rows) > count:
        return Stretch(messages, seq + 1, messages[-1]["seq"], True)
    return Stretch(messages, seq + 1, max(seq, stored, *(message["seq"] for message in messages[-1:])), False)


def messages_before(actor: Account, room: Room, seq: int | None = None, count: int = PAGE) -> Stretch:
    """The newest `count` messages before `seq`, or the newest of all."""
    rows = _seen_by(actor, room.id).order_by(Message.seq.desc()).limit(count + 1)
    found = db.session().execute(rows if seq is None else rows.where(Message.seq < seq)).all()
    messages = [_as_seen(row) for row in reversed(found[:count])]
    more = len(found) > count
    through = max(0, room.last_seq if seq is None else seq - 1, *(line["seq"] for line in messages[-1:]))
    return Stretch(messages, messages[0]["seq"] if more else 1, through, more)


def messages_around(actor: Account, room: Room, seq: int) -> Stretch:
    """A page with `seq` in its middle; `more` says whether older ones exist."""
    before = messages_before(actor, room, seq, PAGE // 2)
    after = messages_after(actor, room, seq - 1, PAGE // 2)
    return Stretch(before.messages + after.messages, before.start, after.through, before.more)
