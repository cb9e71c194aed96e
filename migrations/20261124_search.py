"""Full-text search of posts: an FTS5 index over `posts` kept by triggers, or a generated tsvector with a GIN index.

A batch change of `posts` on SQLite re-creates the table and drops its triggers without a word: a migration that does so must
call `keep_fts` again and rebuild the index.
"""

from __future__ import annotations

from alembic import op

revision = "20261124_search"
down_revision = "20261124_guards"
branch_labels = None
depends_on = None

ADD = "INSERT INTO posts_fts(rowid, body, room_id) VALUES (new.id, new.body, new.room_id);"
REMOVE = "INSERT INTO posts_fts(posts_fts, rowid, body, room_id) VALUES ('delete', old.id, old.body, old.room_id);"
TRIGGERS = {
    "posts_fts_added": f"AFTER INSERT ON posts BEGIN {ADD} END",
    "posts_fts_removed": f"AFTER DELETE ON posts BEGIN {REMOVE} END",
    "posts_fts_changed": f"AFTER UPDATE OF body, room_id ON posts BEGIN {REMOVE} {ADD} END",
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE posts_fts USING fts5(body, room_id, content='posts', content_rowid='id', columnsize=0, "
            "tokenize='unicode61 remove_diacritics 2')"
        )
        keep_fts()
        op.execute("INSERT INTO posts_fts(posts_fts) VALUES ('rebuild')")
        return
    # Signs between words become spaces first: the parser would keep "a.b" or "/a/b" as one word.
    op.execute(
        "ALTER TABLE posts ADD COLUMN posts_search tsvector GENERATED ALWAYS AS "
        "(to_tsvector('simple', translate(body, '-_./:@#&=+%~<>''’', repeat(' ', 16)))) STORED"
    )
    op.execute("CREATE INDEX posts_search_words ON posts USING gin (posts_search)")


def keep_fts() -> None:
    for name, does in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {does}")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
        op.execute("DROP TABLE posts_fts")
        return
    op.execute("DROP INDEX posts_search_words")
    op.execute("ALTER TABLE posts DROP COLUMN posts_search")
