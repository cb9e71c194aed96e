"""Searching posts: SQLite's FTS5 or PostgreSQL's tsvector, newest first, only what the reader may read.

What is typed is only ever words: quotes, operators and signs separate them, so nothing typed is an error or a command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db

from .models import Post, Topic

Rows: TypeAlias = sa.Select[int, int, int, str, int, str, datetime, str]
LONGEST = 200
MOST_WORDS = 8
HITS_A_PAGE = 20
AROUND = 110
NEWEST = 400
FEW = 1_000
_word = re.compile(r"[^\W_]+")
_fts = sa.table("posts_fts", sa.column("rowid", sa.Integer))


@dataclass(frozen=True, slots=True)
class Hit:
    """A post that has all the words. `pieces` are parts of it in order, each with whether it is one of the words."""

    path: str
    title: str
    room: str
    author: str
    written_at: datetime
    pieces: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Found:
    words: Sequence[str]
    hits: Sequence[Hit]
    older: int | None  # goes on before the post with this id


def search_posts(rooms: Mapping[int, str], asked: str, *, room_id: int = 0, before: int = 0) -> Found:
    """Visible posts with all the words of `asked`, in `rooms` (those the reader may read) or in one of them."""
    words = words_in(asked)
    wanted = [room_id] if room_id in rooms else [] if room_id else list(rooms)
    if not words or not wanted:
        return Found(words, (), None)
    rows = _matching(words, wanted, before)
    marked = re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, words))})(?![^\W_])", re.IGNORECASE)
    hits = [
        Hit(f"/topics/{topic_id}?at={number}#post-{post_id}", title, rooms[place], author, at, tuple(pieces(body, marked)))
        for post_id, number, topic_id, title, place, author, at, body in rows[:HITS_A_PAGE]
    ]
    return Found(words, hits, rows[HITS_A_PAGE - 1].id if len(rows) > HITS_A_PAGE else None)


def words_in(asked: str) -> list[str]:
    return list(dict.fromkeys(_word.findall(asked[:LONGEST].lower())))[:MOST_WORDS]


def _matching(words: Sequence[str], rooms: Sequence[int], before: int) -> Sequence[Any]:
    """The newest matches, one more than a page holds if there are."""
    rows = (
        sa.select(Post.id, Post.number, Post.topic_id, Topic.title, Post.room_id, Account.name, Post.created_at, Post.body)
        .join(Topic, Topic.id == Post.topic_id)
        .join(Account, Account.id == Post.author_id)
        .where(Post.visibility == "visible", Topic.visibility == "visible", Post.room_id.in_(rooms))
        .limit(HITS_A_PAGE + 1)
    )
    if db.engine().dialect.name == "sqlite":
        return db.session().execute(_in_fts(rows, words, rooms, before)).all()
    return _in_tsvector(rows.order_by(Post.id.desc()), words, before)


def _in_tsvector(rows: Rows, words: Sequence[str], before: int) -> Sequence[Any]:
    """PostgreSQL cannot tell a rare word from one it never counted, so the roads are chosen here: words of every day fill a page
    from the newest posts alone; rare ones are all taken from the index and sorted; for those between, posts are walked."""
    ask = db.session()
    typed = sa.func.plainto_tsquery(sa.literal_column("'simple'"), " ".join(words))
    matches = sa.literal_column("posts.posts_search").op("@@")(typed)
    earlier = Post.id < before if before else sa.true()
    newest = sa.select(Post.id, matches.label("hit")).where(earlier).order_by(Post.id.desc()).limit(NEWEST).subquery()
    found = ask.execute(rows.join(newest, newest.c.id == Post.id).where(newest.c.hit)).all()
    if len(found) > HITS_A_PAGE:
        return found
    few = ask.scalars(sa.select(Post.id).where(matches, earlier).limit(FEW + 1)).all()
    if len(few) > FEW:
        return ask.execute(rows.where(matches, earlier)).all()
    return ask.execute(rows.where(Post.id == sa.func.any(sa.cast(list(few), sa.ARRAY(sa.Integer))))).all()


def _in_fts(rows: Rows, words: Sequence[str], rooms: Sequence[int], before: int) -> Rows:
    """FTS5 walks its rows newest first and stops at the limit, however common the words are."""
    match = " AND ".join(f'body : "{word}"' for word in words)
    if len(rooms) == 1:
        match += f' AND room_id : "{rooms[0]}"'
    rows = (
        rows.join(_fts, _fts.c.rowid == Post.id)
        .where(sa.literal_column("posts_fts").op("MATCH")(match))
        .order_by(_fts.c.rowid.desc())
    )
    return rows.where(_fts.c.rowid < before) if before else rows


def pieces(body: str, marked: re.Pattern[str]) -> Iterator[tuple[str, bool]]:
    """The words of the body around the first hit, cut at both ends."""
    first = marked.search(body)
    start = max(0, first.start() - AROUND) if first else 0
    start = body.rfind(" ", 0, start) + 1 if start else 0
    end = min(len(body), (first.end() if first else 0) + 2 * AROUND)
    at = start
    if start:
        yield "… ", False
    for hit in marked.finditer(body, start, end):
        yield body[at : hit.start()], False
        yield hit[0], True
        at = hit.end()
    yield body[at:end] + (" …" if end < len(body) else ""), False
