"""Searching chat messages, newest first, only what the reader may read.

The index is kept beside the chat: a sweep folds what was written since its last turn, room by room in the order of their
numbers, so that the message with the highest number says how far it is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import gevent
import sqlalchemy as sa

from community.accounts.blocking import apart_from
from community.accounts.models import Account
from community.core import db, fulltext
from community.core.jobs import sweep
from community.rooms.models import Room
from community.safety import fold
from community.safety.finding import Piece, pieces
from community.safety.muting import Muted

from .models import Message, MessageWords

AT_ONCE = 40  # a write of some milliseconds: whoever writes a message waits behind it
PAUSE_S = 0.03
TURN_S = 2.5
_index = fulltext.Index(MessageWords.message_id, fts="message_words_fts", vector="message_words.message_words_search")


@dataclass(frozen=True, slots=True)
class MessageHit:
    """A message that has all the words. One with a content note shows the note alone, except to its author."""

    id: int
    path: str
    title: str
    room: str
    author: str
    written_at: datetime
    pieces: tuple[Piece, ...]
    muted: bool
    note: str


def messages_with(
    actor: Account, words: Sequence[str], rooms: Mapping[int, str], muted: Muted | None, *, before: int, count: int
) -> list[MessageHit]:
    """Visible messages with all the words, in `rooms`: some of those whose chat the reader may read, with their names."""
    if not words or not rooms:
        return []
    rows = (
        sa.select(
            Message.id, Message.seq, Message.room_id, Account.name, Message.created_at, Message.body, Message.covers, Message.note,
            Message.author_id,
        )
        .join(MessageWords, MessageWords.message_id == Message.id)
        .join(Account, Account.id == Message.author_id)
        .where(Message.visibility == "visible", Message.room_id.in_(rooms))
    )  # fmt: skip
    silent = apart_from(actor).silent
    rows = rows.where(Message.author_id.not_in(silent)) if silent else rows
    found = fulltext.newest(rows, _index, words, list(rooms), before=before, count=count)
    return [_hit(row, frozenset(words), rooms[row.room_id], actor, muted) for row in found]


def _hit(row: Any, words: frozenset[str], room: str, actor: Account, muted: Muted | None) -> MessageHit:
    mine = row.author_id == actor.id
    note = "" if mine else row.note
    shown = () if note else tuple(pieces(row.body, words, () if mine else row.covers))
    hidden = muted is not None and not mine and muted.hides(f"{note}\n{''.join(piece.words for piece in shown)}")
    path = f"/rooms/{row.room_id}/chat?at={row.seq}#message-{row.id}"
    return MessageHit(row.id, path, f"Chat in {room}", room, row.name, row.created_at, shown, hidden, note)


# ---- keeping the index


@sweep(3)
def index_new_messages() -> None:
    """Room by room in turns, until few are left, which the next turn takes, or this one is over. After each write whoever waits to
    write a message comes first."""
    ends = time.monotonic() + TURN_S
    rooms: Sequence[int] = db.session().scalars(_behind).all()
    while rooms:
        rooms = [room_id for room_id in rooms if time.monotonic() < ends and _has_more(room_id)]


def _has_more(room_id: int) -> bool:
    with db.write():
        more = _index_some(room_id) == AT_ONCE
    gevent.sleep(PAUSE_S)
    return more


_indexed = sa.select(sa.func.coalesce(sa.func.max(MessageWords.seq), 0)).where(MessageWords.room_id == Room.id)
_through = _indexed.correlate(Room).scalar_subquery()
_behind = (
    sa.select(Room.id)
    .where(Room.archived_at.is_(None), Room.last_seq > _through)
    .where(sa.exists().where(Message.room_id == Room.id, Message.seq > _through).correlate(Room))
)


def _index_some(room_id: int) -> int:
    """The next messages of a room, locked against a change while they are folded: how many there were."""
    found: Sequence[Any] = db.ask(_unfolded, room=room_id).all()
    folded = [
        {"message_id": number, "room_id": room_id, "seq": seq, "folded": fold(f"{note}\n{body}")}
        for number, seq, note, body in found
    ]
    if folded:
        db.session().connection().execute(_fold, folded)  # past the mapper: there is nothing it should know of
    return len(folded)


_unfolded = (
    sa.select(Message.id, Message.seq, Message.note, Message.body)
    .where(
        Message.room_id == sa.bindparam("room"),
        Message.seq
        > sa.select(sa.func.coalesce(sa.func.max(MessageWords.seq), 0))
        .where(MessageWords.room_id == sa.bindparam("room"))
        .scalar_subquery(),
    )
    .order_by(Message.seq)
    .limit(AT_ONCE)
    .with_for_update(read=True, of=Message)
)
_fold = sa.insert(MessageWords)


def fold_again(message: Message) -> None:
    """It says something else now. One that the sweep has not come to yet is folded by it."""
    says = sa.update(MessageWords).where(MessageWords.message_id == message.id)
    db.session().execute(says.values(folded=fold(f"{message.note}\n{message.body}")))
