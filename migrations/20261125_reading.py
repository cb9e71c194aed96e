"""How far each person has read each chat, and the words of chat messages as search reads them.

`message_words` is filled by a sweep beside the chat, so that writing a message costs nothing more. Words whose message says
something else now are emptied by a trigger at once: what was deleted or changed is not found, whoever did it. A batch change of
`messages` or `message_words` on SQLite drops its triggers: a migration that makes one calls `keep_words` or `keep_fts` again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261125_reading"
down_revision = "20261125_promptness"
branch_labels = None
depends_on = None

EMPTY = "UPDATE message_words SET folded = '' WHERE message_id = new.id;"
ADD = "INSERT INTO message_words_fts(rowid, folded, room_id) VALUES (new.message_id, new.folded, new.room_id);"
REMOVE = (
    "INSERT INTO message_words_fts(message_words_fts, rowid, folded, room_id) "
    "VALUES ('delete', old.message_id, old.folded, old.room_id);"
)
TRIGGERS = {
    "message_words_fts_added": f"AFTER INSERT ON message_words BEGIN {ADD} END",
    "message_words_fts_removed": f"AFTER DELETE ON message_words BEGIN {REMOVE} END",
    "message_words_fts_changed": f"AFTER UPDATE OF folded, room_id ON message_words BEGIN {REMOVE} {ADD} END",
}


def upgrade() -> None:
    op.create_table(
        "read_places",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_read_places_account_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_read_places_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "room_id", name=op.f("pk_read_places")),
    )
    op.create_table(
        "message_words",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_message_words_message_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message_words")),
        sa.UniqueConstraint("room_id", "seq", name=op.f("uq_message_words_room_id_seq")),
    )
    keep_words()
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE message_words_fts USING fts5(folded, room_id, content='message_words', content_rowid='message_id', "
            "columnsize=0, tokenize='unicode61 remove_diacritics 0')"
        )
        keep_fts()
        return
    op.execute(
        "ALTER TABLE message_words ADD COLUMN message_words_search tsvector "
        "GENERATED ALWAYS AS (to_tsvector('simple', folded)) STORED"
    )
    op.execute("CREATE INDEX message_words_search_words ON message_words USING gin (message_words_search)")


def keep_words() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER messages_say_something_else AFTER UPDATE OF body, note ON messages BEGIN {EMPTY} END")
        return
    op.execute(
        f"CREATE FUNCTION kith_empty_message_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {EMPTY} RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER messages_say_something_else AFTER UPDATE OF body, note ON messages "
        "FOR EACH ROW EXECUTE FUNCTION kith_empty_message_words()"
    )


def keep_fts() -> None:
    for name, does in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {does}")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER messages_say_something_else")
        op.execute("DROP TABLE message_words_fts")
    else:
        op.execute("DROP TRIGGER messages_say_something_else ON messages")
        op.execute("DROP FUNCTION kith_empty_message_words()")
    op.drop_table("message_words")
    op.drop_table("read_places")
