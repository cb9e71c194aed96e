"""How far somebody has read, and what is unread. Words of one's own and of people one does not meet are not counted.

Writing a message touches nothing of this: unread is what lies between two numbers that exist already, counted when asked for.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from community.accounts.blocking import apart_from
from community.accounts.models import Account
from community.core import db
from community.rooms.models import Room
from community.rooms.queries import chats_followed, follower

from .models import Message, ReadPlace

COUNTED = 100  # "99+" needs no more


class Unread(NamedTuple):
    """What somebody has not seen of one chat. `since` is how far they had read; None: they never opened it, so nothing is new."""

    since: int | None = None
    first: int | None = None  # number of the first unread message
    number: int = 0  # of unread messages, at most COUNTED


def note_read(actor: Account, room: Room, seq: int) -> int:
    """They have seen all up to `seq`, which no screen can lead beyond the room's last. Answers how far they are now."""
    upsert = postgresql.insert if db.engine().dialect.name == "postgresql" else sqlite.insert
    row = upsert(ReadPlace).values(account_id=actor.id, room_id=room.id, seq=min(seq, room.last_seq))
    forward: Any = row.on_conflict_do_update(
        index_elements=[ReadPlace.account_id, ReadPlace.room_id],
        set_={"seq": row.excluded.seq},
        where=ReadPlace.seq < row.excluded.seq,
    )
    db.session().execute(forward)
    return place_in(actor, room.id) or 0


def place_in(actor: Account, room_id: int) -> int | None:
    rows = sa.select(ReadPlace.seq).where(ReadPlace.account_id == actor.id, ReadPlace.room_id == room_id)
    return db.session().scalar(rows)


def unread_in(actor: Account, room: Room) -> Unread:
    news = sa.and_(Message.room_id == ReadPlace.room_id, Message.seq > ReadPlace.seq, *_news(actor.id, apart_from(actor).silent))
    rows = sa.select(ReadPlace.seq, Message.seq).outerjoin(Message, news)
    rows = rows.where(ReadPlace.account_id == actor.id, ReadPlace.room_id == room.id)
    found = db.session().execute(rows.order_by(Message.seq).limit(COUNTED)).all()
    if not found or found[0][1] is None:
        return Unread(found[0][0] if found else None)
    return Unread(found[0][0], found[0][1], len(found))


def unread_by_room(actor: Account) -> dict[int, int]:
    """How many messages (at most COUNTED) are unread in each chat that `actor` follows and has opened; rooms without any are
    not in it. One question for all rooms, and a room where nothing was written since is not counted at all."""
    if actor.is_suspended:
        return {}
    silent = apart_from(actor).silent
    values = follower(actor) | ({"silent": sorted(silent)} if silent else {})
    return {row.room_id: row.unread for row in db.ask(_by_room(bool(silent)), **values) if row.unread}


@cache
def _by_room(some_silent: bool) -> sa.Select[int, int]:
    me: Any = sa.bindparam("me")
    news = sa.select(sa.literal(1).label("one")).where(Message.room_id == ReadPlace.room_id, Message.seq > ReadPlace.seq)
    news = news.where(*_news(me, sa.bindparam("silent", expanding=True) if some_silent else ()))
    capped = news.order_by(Message.seq.desc()).limit(COUNTED).correlate(ReadPlace).subquery()
    count = sa.select(sa.func.count()).select_from(capped).correlate(ReadPlace).scalar_subquery()
    return (
        sa.select(ReadPlace.room_id, count.label("unread"))
        .join(Room, Room.id == ReadPlace.room_id)
        .where(ReadPlace.account_id == me, Room.last_seq > ReadPlace.seq, Room.id.in_(chats_followed))
    )


def _news(reader: Any, silent: Any) -> list[sa.ColumnElement[bool]]:
    news = [Message.visibility == "visible", Message.author_id != reader]
    return [*news, Message.author_id.not_in(silent)] if isinstance(silent, sa.BindParameter) or silent else news
