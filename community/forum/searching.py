"""Searching posts, newest first, only what the reader may read.

What is typed and what is indexed are folded alike, by the safety engine: case, accents, apostrophes and full-width letters make
no difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import fulltext
from community.safety.finding import Piece, pieces
from community.safety.muting import Muted

from .models import Post, Topic

_index = fulltext.Index(Post.id, fts="posts_fts", vector="posts.posts_search")


@dataclass(frozen=True, slots=True)
class PostHit:
    """A post that has all the words. `muted`: the reader muted words in its title or in what is shown of it."""

    id: int
    path: str
    title: str
    room: str
    author: str
    written_at: datetime
    pieces: tuple[Piece, ...]
    muted: bool
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
        )
        .join(Topic, Topic.id == Post.topic_id)
        .join(Account, Account.id == Post.author_id)
        .where(Post.visibility == "visible", Topic.visibility == "visible", Post.room_id.in_(rooms))
    )  # fmt: skip
    found = fulltext.newest(rows, _index, words, list(rooms), before=before, count=count)
    return [_hit(row, frozenset(words), rooms[row.room_id], actor, muted) for row in found]


def _hit(row: Any, words: frozenset[str], room: str, actor: Account, muted: Muted | None) -> PostHit:
    mine = row.author_id == actor.id
    shown = tuple(pieces(row.body, words, () if mine else row.covers))
    hidden = muted is not None and not mine and muted.hides(f"{row.title}\n{''.join(piece.words for piece in shown)}")
    path = f"/topics/{row.topic_id}?at={row.number}#post-{row.id}"
    return PostHit(row.id, path, row.title, room, row.name, row.created_at, shown, hidden)
