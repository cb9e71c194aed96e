"""Searching posts, newest first, only what the reader may read.

What is typed and what is indexed are folded alike, by the safety engine: case, accents, apostrophes and full-width letters make
no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from community.accounts.blocking import apart_from
from community.accounts.models import Account
from community.core import fulltext
from community.safety.finding import Piece, pieces
from community.safety.muting import Muted

from .models import Post, Topic

_index = fulltext.Index(Post.id, fts="posts_fts", vector="posts.posts_search")


@dataclass(frozen=True, slots=True)
class PostHit:
    """A post that has all the words. `muted`: the reader muted words in its title or in what is shown of it. `apart`: they keep
    away from whoever wrote it or opened its topic; then nothing of it is shown."""

    id: int
    path: str
    title: str
    room: str
    author: str
    written_at: datetime
    pieces: tuple[Piece, ...]
    muted: bool
    apart: bool
    note: str = ""


def posts_with(
    actor: Account, words: Sequence[str], rooms: Mapping[int, str], muted: Muted | None, *, before: int, count: int
) -> list[PostHit]:
    """Visible posts with all the words, in `rooms`: some of those the reader may read, with their names."""
    if not words or not rooms:
        return []
    rows = (
        sa.select(
            Post.id, Post.number, Post.topic_id, Topic.title, Post.room_id, Account.name, Post.created_at, Post.body, Post.covers,
            Post.author_id,
            Topic.author_id.label("topic_author_id"),
        )
        .join(Topic, Topic.id == Post.topic_id)
        .join(Account, Account.id == Post.author_id)
        .where(Post.visibility == "visible", Topic.visibility == "visible", Post.room_id.in_(rooms))
    )  # fmt: skip
    found = fulltext.newest(rows, _index, words, list(rooms), before=before, count=count)
    asker = Asker(actor.id, muted, apart_from(actor).chosen)
    return [_hit(row, frozenset(words), rooms[row.room_id], asker) for row in found]


class Asker(NamedTuple):
    """Who searches, the words they muted, and from whom they keep away."""

    id: int
    muted: Muted | None
    apart: frozenset[int]


def _hit(row: Any, words: frozenset[str], room: str, asker: Asker) -> PostHit:
    mine, muted = row.author_id == asker.id, asker.muted
    shown = tuple(pieces(row.body, words, () if mine else row.covers))
    hidden = muted is not None and not mine and muted.hides(f"{row.title}\n{''.join(piece.words for piece in shown)}")
    path = f"/topics/{row.topic_id}?at={row.number}#post-{row.id}"
    apart = bool(asker.apart) and not asker.apart.isdisjoint((row.author_id, row.topic_author_id))
    return PostHit(row.id, path, row.title, room, row.name, row.created_at, shown, hidden, apart)
