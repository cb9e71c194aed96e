"""Reading a room's messages, by keyset on the sequence number, both ways.

Every answer says how far it is complete: between its two ends a reader's screen may show exactly these messages and no
others, so that a number nobody may see (held, hidden, withdrawn) leaves no gap to wait for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import sqlalchemy as sa

from community.accounts.blocking import NOBODY, Apart, apart_from
from community.accounts.models import Account
from community.core import db
from community.core.clock import now
from community.rooms.models import Room

from .models import Message, Reaction
from .presence import SHOWN, presence

PAGE = 50
CATCH_UP_MAX = 200
CATCH_UP_CHARS = 60_000
"""Of words in one answer. It is one frame, which must stay far below what is kept for a slow reader (`websocket.MAX_BACKLOG`): a
character can take 12 bytes there, and a reader that is dropped for the answer itself would never catch up."""
QUOTED = 90  # characters of an answered message
MUTED = {"words": "(you muted them)"}


class Stretch(NamedTuple):
    """Messages in reading order. Complete from `start` to `through`, both included; `more` lie beyond in the direction asked."""

    messages: list[dict[str, Any]]
    start: int
    through: int
    more: bool
    quotes: list[dict[str, Any]]  # the beginnings of messages that these answer, as far as this reader sees them
    own: list[dict[str, Any]]  # which kind answers are the reader's: the messages themselves are the same for everybody


_shown = (
    sa.select(
        Message.room_id.label("room"), Message.seq, Message.id, Account.name.label("author"), Message.author_id, Account.hue,
        Message.body, Message.covers, Message.note, Message.reply_to, Message.edited_at, Message.version,
        Message.created_at.label("at"), Message.visibility.label("state"),
    )
    .join(Account, Account.id == Message.author_id)
)  # fmt: skip


def _seen_by(actor: Account, room_id: int, apart: Apart) -> Any:
    own = sa.and_(Message.author_id == actor.id, Message.visibility.in_(("held", "hidden")))
    seen = _shown.where(Message.room_id == room_id, sa.or_(Message.visibility == "visible", own))
    return seen.where(Message.author_id.not_in(apart.unseen)) if apart.unseen else seen


def _as_seen(row: Any, apart: Apart) -> dict[str, Any]:
    """What somebody muted wrote is there without its words: `state` says so, and the page opens it."""
    seen = {**row._mapping, "at": row.at.isoformat(), "edited": row.edited_at is not None, "reactions": {}}
    del seen["edited_at"]
    if row.author_id in apart.folded:
        seen |= {"body": "", "covers": [], "note": "", "state": "muted"}
    return seen


def _stretch(
    actor: Account, room: Room, apart: Apart, messages: list[dict[str, Any]], start: int, through: int, more: bool
) -> Stretch:  # fmt: skip
    """With the kind answers of all these messages and all their quotes: one question each."""
    changed = {message["id"]: message for message in messages if message["version"] > 1}  # every answer raises the version
    own = _add_reactions(actor, changed) if changed else []
    wanted = {message["reply_to"] for message in messages if message["reply_to"] is not None}
    return Stretch(messages, start, through, more, _quotes(room, wanted, apart) if wanted else [], own)


def _add_reactions(actor: Account, messages: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    mine = sa.func.max(sa.case((Reaction.account_id == actor.id, 1), else_=0))
    rows = (
        sa.select(Reaction.message_id, Reaction.kind, sa.func.count(), mine)
        .where(Reaction.message_id.in_(messages))
        .group_by(Reaction.message_id, Reaction.kind)
        .order_by(Reaction.kind)
    )
    own: dict[int, list[str]] = {}
    for message_id, kind, count, given in db.session().execute(rows):
        messages[message_id]["reactions"][kind] = count
        if given:
            own.setdefault(messages[message_id]["seq"], []).append(kind)
    return [{"seq": seq, "mine": mine} for seq, mine in sorted(own.items())]


def _quotes(room: Room, wanted: set[int], apart: Apart) -> list[dict[str, Any]]:
    """Looked up anew each time: what is gone is not in it, and a note, a cover or a mute stands for its words."""
    rows = _shown.where(Message.room_id == room.id, Message.seq.in_(wanted), Message.visibility == "visible")
    rows = rows.where(Message.author_id.not_in(apart.unseen)) if apart.unseen else rows
    found = db.session().execute(rows.order_by(Message.seq)).all()
    return [quote_of(row._mapping) | (MUTED if row.author_id in apart.folded else {}) for row in found]


def quote_of(message: Any) -> dict[str, Any]:
    """The beginning of a message in one line."""
    if message["note"] or message["covers"]:
        words = f"({message['note'] or 'partly covered'})"
    else:
        words = " ".join(message["body"][: QUOTED * 2].split())
    short = words if len(words) <= QUOTED else words[: QUOTED - 1] + "…"
    return {"seq": message["seq"], "id": message["id"], "author": message["author"], "words": short}


def quote_in(actor: Account, room: Room, seq: int) -> list[dict[str, Any]]:
    """One quote, for a screen that heard an answer to something older than it shows."""
    return _quotes(room, {seq}, apart_from(actor))


def people_here(actor: Account, room: Room) -> Sequence[Any]:
    """Who is here, by name. Who keeps apart from this reader is not among them, and nothing says since when."""
    ids = presence.people(room.id) - apart_from(actor).unseen
    rows = sa.select(Account.id, Account.name, Account.hue, Account.role).where(Account.id.in_(ids), ~Account.appears_away)
    standing = sa.or_(Account.suspended_until.is_(None), Account.suspended_until <= now())
    return db.session().execute(rows.where(standing).order_by(Account.name_key).limit(SHOWN + 1)).all() if ids else ()


def last_seq(room_id: int) -> int:
    """The number of the room's last message, asked anew. Numbers are given under a lock, so all up to it are stored."""
    return db.session().execute(sa.select(Room.last_seq).where(Room.id == room_id)).scalar_one()


def messages_after(actor: Account, room: Room, seq: int, count: int = CATCH_UP_MAX, *, opened: int | None = None) -> Stretch:
    """The oldest messages after `seq`, at most `count` and as many as fit into one answer."""
    stored = room.last_seq  # as loaded before: what is committed between the two questions is then at worst asked for again
    apart = apart_from(actor)
    seen = _seen_by(actor, room.id, apart).where(Message.seq > seq)
    rows = db.session().execute(seen.order_by(Message.seq).limit(count + 1)).all()
    count = min(count, _fitting(row.body for row in rows))
    messages = [_as_seen(row, NOBODY if row.seq == opened else apart) for row in rows[:count]]
    if len(rows) > count:
        return _stretch(actor, room, apart, messages, seq + 1, messages[-1]["seq"], True)
    through = max(seq, stored, *(message["seq"] for message in messages[-1:]))
    return _stretch(actor, room, apart, messages, seq + 1, through, False)


def _fitting(bodies: Iterable[str]) -> int:
    return max(1, sum(length <= CATCH_UP_CHARS for length in accumulate(map(len, bodies))))


def messages_before(actor: Account, room: Room, seq: int | None = None, count: int = PAGE) -> Stretch:
    """The newest `count` messages before `seq`, or the newest of all."""
    apart = apart_from(actor)
    rows = _seen_by(actor, room.id, apart).order_by(Message.seq.desc()).limit(count + 1)
    found = db.session().execute(rows if seq is None else rows.where(Message.seq < seq)).all()
    messages = [_as_seen(row, apart) for row in reversed(found[:count])]
    more = len(found) > count
    through = max(0, room.last_seq if seq is None else seq - 1, *(line["seq"] for line in messages[-1:]))
    return _stretch(actor, room, apart, messages, messages[0]["seq"] if more else 1, through, more)


def messages_from(actor: Account, room: Room, seq: int) -> Stretch:
    """The page that follows `seq`; `more` says whether older ones exist."""
    after = messages_after(actor, room, seq, PAGE)
    older = _seen_by(actor, room.id, apart_from(actor)).where(Message.seq <= seq).limit(1)
    return after._replace(more=db.session().execute(older).first() is not None)


def messages_around(actor: Account, room: Room, seq: int, *, opened: int | None = None) -> Stretch:
    """A page with `seq` in its middle; `more` says whether older ones exist. `opened` is shown although its author is muted."""
    before = messages_before(actor, room, seq, PAGE // 2)
    after = messages_after(actor, room, seq - 1, PAGE // 2, opened=opened)
    quotes = {quote["seq"]: quote for quote in before.quotes + after.quotes}
    messages, own = before.messages + after.messages, before.own + after.own
    return Stretch(messages, before.start, after.through, before.more, list(quotes.values()), own)
