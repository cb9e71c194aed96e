"""Search reads folded words, so that what is asked and what is indexed are folded alike: "cafe" finds "café", "don't" finds "don’t".

`posts.folded` is made by `community.safety.fold` when words are written; here for those that are there already, batch by batch.
Whoever changes what `fold` gives adds a migration that fills the column again.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import sqlalchemy as sa
from alembic import op

from community.safety import fold

revision = "20261125_words"
down_revision = "20261125_lexicon_lives"
branch_labels = None
depends_on = None

BATCH = 2_000
ADD = "INSERT INTO posts_fts(rowid, folded, room_id) VALUES (new.id, new.folded, new.room_id);"
REMOVE = "INSERT INTO posts_fts(posts_fts, rowid, folded, room_id) VALUES ('delete', old.id, old.folded, old.room_id);"
TRIGGERS = {
    "posts_fts_added": f"AFTER INSERT ON posts BEGIN {ADD} END",
    "posts_fts_removed": f"AFTER DELETE ON posts BEGIN {REMOVE} END",
    "posts_fts_changed": f"AFTER UPDATE OF folded, room_id ON posts BEGIN {REMOVE} {ADD} END",
}


def upgrade() -> None:
    _before().downgrade()
    op.execute("ALTER TABLE posts ADD COLUMN folded TEXT NOT NULL DEFAULT ''")
    _fold_all()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE posts_fts USING fts5(folded, room_id, content='posts', content_rowid='id', columnsize=0, "
            "tokenize='unicode61 remove_diacritics 0')"
        )
        keep_fts()
        op.execute("INSERT INTO posts_fts(posts_fts) VALUES ('rebuild')")
        return
    op.execute("ALTER TABLE posts ADD COLUMN posts_search tsvector GENERATED ALWAYS AS (to_tsvector('simple', folded)) STORED")
    op.execute("CREATE INDEX posts_search_words ON posts USING gin (posts_search)")


def keep_fts() -> None:
    """A batch change of `posts` on SQLite drops its triggers: a migration that makes one calls this again and rebuilds the index."""
    for name, does in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {does}")


def downgrade() -> None:
    _before().downgrade()  # the same names
    op.execute("ALTER TABLE posts DROP COLUMN folded")
    _before().upgrade()


def _fold_all() -> None:
    """The words there are, in the order of their ids; never more than a batch in memory."""
    posts = sa.table("posts", sa.column("id", sa.Integer), sa.column("body", sa.Text), sa.column("folded", sa.Text))
    fill = sa.update(posts).where(posts.c.id == sa.bindparam("post")).values(folded=sa.bindparam("words"))
    bind, after = op.get_bind(), 0
    batch = sa.select(posts.c.id, posts.c.body).order_by(posts.c.id).limit(BATCH)
    while rows := bind.execute(batch.where(posts.c.id > after)).all():
        bind.execute(fill, [{"post": number, "words": fold(body)} for number, body in rows])
        after = rows[-1].id


def _before() -> ModuleType:
    """The index over the words as written."""
    spec = importlib.util.spec_from_file_location("kith_search_before", Path(__file__).with_name("20261124_search.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
