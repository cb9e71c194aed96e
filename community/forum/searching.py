"""Searching posts: SQLite's FTS5 or PostgreSQL's tsvector, newest first, only what the reader may read.

What is typed and what is indexed are folded alike, by the safety engine: case, accents, apostrophes and full-width letters make
no difference. What is typed is only ever words: quotes, operators and signs separate them, so nothing typed is an error or a
command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import Any, NamedTuple, TypeAlias

import sqlalchemy as sa

from community.accounts.blocking import apart_from
from community.accounts.models import Account
from community.accounts.queries import muted_by
from community.core import db
from community.safety import fold, folding
from community.safety.muting import Muted

from .models import Post, Topic

Rows: TypeAlias = sa.Select[int, int, int, str, int, str, datetime, str, list[Any], int, int]
LONGEST = 200
MOST_WORDS = 8
HITS_A_PAGE = 20
AROUND = 110
NEWEST = 400
FEW = 1_000
_fts = sa.table("posts_fts", sa.column("rowid", sa.Integer))


class Asker(NamedTuple):
    """Who searches, the words they muted, and from whom they keep away."""

    id: int
    muted: Muted | None
    apart: frozenset[int]


class Piece(NamedTuple):
    """A part of somebody's words: whether it is one of the words asked for, and whether readers see it only when they ask."""

    words: str
    asked: bool
    covered: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A post that has all the words. `muted`: the reader muted words in its title or in what is shown of it. `apart`: they keep
    away from whoever wrote it or opened its topic; then nothing of it is shown."""

    path: str
    title: str
    room: str
    author: str
    written_at: datetime
    pieces: tuple[Piece, ...]
    muted: bool
    apart: bool


@dataclass(frozen=True)
class Found:
    words: Sequence[str]
    hits: Sequence[Hit]
    older: int | None  # goes on before the post with this id


def search_posts(actor: Account, rooms: Mapping[int, str], asked: str, *, room_id: int = 0, before: int = 0) -> Found:
    """Visible posts with all the words of `asked`, in `rooms` (those the reader may read) or in one of them."""
    words = words_in(asked)
    wanted = [room_id] if room_id in rooms else [] if room_id else list(rooms)
    if not words or not wanted:
        return Found(words, (), None)
    rows = _matching(words, wanted, before)
    asker = Asker(actor.id, muted_by(actor), apart_from(actor).chosen)
    hits = [_hit(row, frozenset(words), rooms[row.room_id], asker) for row in rows[:HITS_A_PAGE]]
    return Found(words, hits, rows[HITS_A_PAGE - 1].id if len(rows) > HITS_A_PAGE else None)


def _hit(row: Any, words: frozenset[str], room: str, asker: Asker) -> Hit:
    mine, muted = row.author_id == asker.id, asker.muted
    shown = tuple(pieces(row.body, words, () if mine else row.covers))
    hidden = muted is not None and not mine and muted.hides(f"{row.title}\n{''.join(piece.words for piece in shown)}")
    path = f"/topics/{row.topic_id}?at={row.number}#post-{row.id}"
    apart = bool(asker.apart) and not asker.apart.isdisjoint((row.author_id, row.topic_author_id))
    return Hit(path, row.title, room, row.name, row.created_at, shown, hidden, apart)


def words_in(asked: str) -> list[str]:
    """What the index is asked for. A word without a letter or number, such as an emoji, is in no index."""
    folded = fold(asked[:LONGEST]).split()
    return list(dict.fromkeys(word for word in folded if any(map(str.isalnum, word))))[:MOST_WORDS]


def _matching(words: Sequence[str], rooms: Sequence[int], before: int) -> Sequence[Any]:
    """The newest matches, one more than a page holds if there are."""
    rows = (
        sa.select(
            Post.id,
            Post.number,
            Post.topic_id,
            Topic.title,
            Post.room_id,
            Account.name,
            Post.created_at,
            Post.body,
            Post.covers,
            Post.author_id,
            Topic.author_id.label("topic_author_id"),
        )
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
    match = " AND ".join(f'folded : "{word}"' for word in words)
    if len(rooms) == 1:
        match += f' AND room_id : "{rooms[0]}"'
    rows = (
        rows.join(_fts, _fts.c.rowid == Post.id)
        .where(sa.literal_column("posts_fts").op("MATCH")(match))
        .order_by(_fts.c.rowid.desc())
    )
    return rows.where(_fts.c.rowid < before) if before else rows


def pieces(body: str, words: frozenset[str], covers: Iterable[Sequence[int]] = ()) -> Iterator[Piece]:
    """The words of the body around the first hit, cut at both ends."""
    found = _places(body, words)
    first = next(found, (0, 0))
    start = max(0, first[0] - AROUND)
    start = body.rfind(" ", 0, start) + 1 if start else 0
    end = min(len(body), first[1] + 2 * AROUND)
    rest = takewhile(lambda place: place[0] < end, found)
    asked = [(begin, min(stop, end)) for begin, stop in (first, *rest) if begin < stop]
    covered = [(max(begin, start), min(stop, end)) for begin, stop in covers if begin < end and stop > start]
    if start:
        yield Piece("… ", False, False)
    edges = sorted({start, end, *(edge for span in (*asked, *covered) for edge in span)})
    for begin, stop in pairwise(edges):
        yield Piece(body[begin:stop], _within(begin, asked), _within(begin, covered))
    if end < len(body):
        yield Piece(" …", False, False)


def _places(body: str, words: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Where the words stand. Plain English needs no folding: there the expression finds the same at a tenth of the time."""
    if body.isascii():
        plain = body.lower()
        yield from (match.span() for match in _plainly(words).finditer(plain) if not _goes_on(plain, match.start()))
        return
    for word, place in zip(folding.words(body), folding.spans(body), strict=True):
        if _is_asked(word, words):
            yield place


@lru_cache(maxsize=256)
def _plainly(words: frozenset[str]) -> re.Pattern[str]:
    """The words in lower case, with or without apostrophes. Words of other scripts are in no plain text."""
    spelt = ["['`]*".join(word) for word in words if word.isascii()]
    return re.compile(rf"(?:{'|'.join(spelt) or '(?!)'})(?!['`]*[0-9a-z])")


def _goes_on(plain: str, start: int) -> bool:
    """Whether a word goes on across `start`, apostrophes or not. Asked for matches only: before each place it would cost much."""
    while start and plain[start - 1] in "'`":
        start -= 1
    return start > 0 and plain[start - 1].isalnum()


def _is_asked(word: str, words: frozenset[str]) -> bool:
    """A folded word as the index has it: a sign inside makes it two."""
    return word in words if word.isalnum() and word.isascii() else not words.isdisjoint(fold(word).split())


def _within(place: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(begin <= place < stop for begin, stop in spans)
