"""Finding a day in a chat. Messages are numbered in the order of time, so their numbers are searched instead of an index of moments,
which would cost something with every message written."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.db import UTCDateTime
from community.rooms.models import Room

from .models import Message
from .queries import messages_after, messages_before


class Landing(NamedTuple):
    """The message to go to, and its day by the room's clock."""

    seq: int
    message_id: int
    day: date


def first_on(actor: Account, room: Room, day: date) -> Landing | None:
    """The first message of `day` that `actor` sees, or the nearest to that day; nothing when there is none at all."""
    zone = ZoneInfo(room.timezone)
    begins, ends = (datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + timedelta(days=1)))
    seq = _first_since(room, begins)
    later, earlier = messages_after(actor, room, seq - 1, 1).messages, messages_before(actor, room, seq, 1).messages
    if not later or (earlier and begins - _at(earlier[0]) < _at(later[0]) - ends):
        later = earlier
    return Landing(later[0]["seq"], later[0]["id"], _at(later[0]).astimezone(zone).date()) if later else None


def _at(message: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(message["at"])


def _first_since(room: Room, moment: datetime) -> int:
    """The number from which on messages are not older than `moment`: as many questions as the room's last number has digits in
    base two. Numbers without a message (a transcript that was deleted) are passed over."""
    low, high = 1, room.last_seq + 1
    while low < high:
        middle = (low + high) // 2
        found = db.ask(_next, room=room.id, seq=middle).first()
        if found is None or found.created_at >= moment:
            high = middle
        else:
            low = found.seq + 1
    return low


_next = (
    sa.select(Message.seq, sa.type_coerce(Message.created_at, UTCDateTime()).label("created_at"))
    .where(Message.room_id == sa.bindparam("room"), Message.seq >= sa.bindparam("seq"))
    .order_by(Message.seq)
    .limit(1)
)
