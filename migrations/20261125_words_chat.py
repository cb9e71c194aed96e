"""Replies, kind reactions, content notes and edits in chats; people who keep away from each other; rules of form for each room.

Columns are added one by one, never by a batch change: that would re-create the table and drop its triggers.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from community.core.db import UTCDateTime

revision = "20261125_words_chat"
down_revision = "20261125_pages"
branch_labels = None
depends_on = None

ADDED = (
    ("messages", "reply_to", "INTEGER"),
    ("messages", "note", "VARCHAR(80) NOT NULL DEFAULT ''"),
    ("messages", "edited_at", "{moment}"),
    ("messages", "version", "INTEGER NOT NULL DEFAULT 1"),
    ("accounts", "apart_count", "INTEGER NOT NULL DEFAULT 0"),
    ("rooms", "slow_seconds", "INTEGER NOT NULL DEFAULT 0"),
    ("rooms", "link_days", "INTEGER NOT NULL DEFAULT 7"),
    ("rooms", "mentions_max", "INTEGER NOT NULL DEFAULT 5"),
)
LINKS_BY = (
    "VARCHAR(10) NOT NULL DEFAULT 'anyone' CONSTRAINT ck_rooms_links_by_known CHECK (links_by IN ('anyone', 'settled', 'nobody'))"
)


def upgrade() -> None:
    moment = "TIMESTAMP WITH TIME ZONE" if op.get_bind().dialect.name == "postgresql" else "DATETIME"
    for table, column, kind in ADDED:
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind.format(moment=moment)}")
    op.execute(f"ALTER TABLE rooms ADD COLUMN links_by {LINKS_BY}")
    op.create_table(
        "message_reactions",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.CheckConstraint("kind IN ('with-you', 'thanks', 'hug', 'same')", name=op.f("ck_message_reactions_kind_known")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_reactions_message_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_message_reactions_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "account_id", "kind", name=op.f("pk_message_reactions")),
    )
    op.create_table(
        "blocks",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('block', 'mute')", name=op.f("ck_blocks_kind_known")),
        sa.CheckConstraint("account_id <> other_id", name=op.f("ck_blocks_two_people")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_blocks_account_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["other_id"], ["accounts.id"], name=op.f("fk_blocks_other_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "other_id", name=op.f("pk_blocks")),
    )
    op.create_index(op.f("ix_blocks_other_id"), "blocks", ["other_id"])


def downgrade() -> None:
    op.drop_table("blocks")
    op.drop_table("message_reactions")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE rooms DROP CONSTRAINT ck_rooms_links_by_known")
    op.execute("ALTER TABLE rooms DROP COLUMN links_by")
    for table, column, _kind in reversed(ADDED):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
