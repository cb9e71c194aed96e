"""Full-text search on both engines: SQLite's FTS5 or PostgreSQL's tsvector, newest first, a page at a time.

Words come here folded, as they are indexed; a word holds letters and numbers only, so nothing typed is an error or a command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from . import db

NEWEST = 400
FEW = 1_000


@dataclass(frozen=True)
class Index:
    """The index over one table: the column whose numbers rise with time, its FTS5 table, its column on PostgreSQL."""

    key: Any
    fts: str
    vector: str


def newest(
    rows: sa.Select[*tuple[Any, ...]], index: Index, words: Sequence[str], rooms: Sequence[int], *, before: int, count: int
) -> Sequence[Any]:
    """The newest `count` of `rows` that hold all the words; `rows` says itself which of them the reader may see."""
    if db.engine().dialect.name == "sqlite":
        return db.session().execute(_in_fts(rows.limit(count), index, words, rooms, before)).all()
    return _in_tsvector(rows.order_by(index.key.desc()).limit(count), index, words, before, count)


def _in_tsvector(rows: sa.Select[*tuple[Any, ...]], index: Index, words: Sequence[str], before: int, count: int) -> Sequence[Any]:
    """PostgreSQL cannot tell a rare word from one it never counted, so the roads are chosen here: words of every day fill a page
    from the newest rows alone; rare ones are all taken from the index and sorted; for those between, rows are walked."""
    ask, key = db.session(), index.key
    typed = sa.func.plainto_tsquery(sa.literal_column("'simple'"), " ".join(words))
    matches = sa.literal_column(index.vector).op("@@")(typed)
    earlier = key < before if before else sa.true()
    recent = sa.select(key.label("number"), matches.label("hit")).where(earlier).order_by(key.desc()).limit(NEWEST).subquery()
    found = ask.execute(rows.join(recent, recent.c.number == key).where(recent.c.hit)).all()
    if len(found) >= count:
        return found
    few = ask.scalars(sa.select(key).where(matches, earlier).limit(FEW + 1)).all()
    if len(few) > FEW:
        return ask.execute(rows.where(matches, earlier)).all()
    return ask.execute(rows.where(key == sa.func.any(sa.cast(list(few), sa.ARRAY(sa.Integer))))).all()


def _in_fts(
    rows: sa.Select[*tuple[Any, ...]], index: Index, words: Sequence[str], rooms: Sequence[int], before: int
) -> sa.Select[*tuple[Any, ...]]:
    """FTS5 walks its rows newest first and stops at the limit, however common the words are."""
    fts = sa.table(index.fts, sa.column("rowid", sa.Integer))
    match = " AND ".join(f'folded : "{word}"' for word in words)
    if len(rooms) == 1:
        match += f' AND room_id : "{rooms[0]}"'
    rows = (
        rows.join(fts, fts.c.rowid == index.key)
        .where(sa.literal_column(index.fts).op("MATCH")(match))
        .order_by(fts.c.rowid.desc())
    )
    return rows.where(fts.c.rowid < before) if before else rows
