"""Requests for a talk with a moderator; people are told when a certificate runs out; answers that members see are
counted.

Columns are added one by one, never by a batch change: that would re-create the table and drop its triggers.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from community.core.db import UTCDateTime

revision = "20261125_pages"
down_revision = "20261125_decisions_hid"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "help_requests",
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("visibility", sa.String(length=10), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("covers", sa.JSON(), nullable=False),
        sa.Column("lexicon_revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "visibility IN ('visible', 'held', 'hidden', 'withdrawn')", name=op.f("ck_help_requests_visibility_known")
        ),
        sa.CheckConstraint("visibility <> 'visible'", name=op.f("ck_help_requests_private")),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_help_requests_author_id")),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_help_requests_room_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_requests")),
    )
    op.create_index(op.f("ix_help_requests_author_id"), "help_requests", ["author_id"])
    op.execute("ALTER TABLE certificates ADD COLUMN end_told BOOLEAN NOT NULL DEFAULT FALSE")
    op.execute("UPDATE certificates SET end_told = TRUE WHERE expires_at <= CURRENT_TIMESTAMP")
    op.execute("ALTER TABLE topics ADD COLUMN reply_count INTEGER NOT NULL DEFAULT 0")
    op.execute(
        "UPDATE topics SET reply_count = (SELECT count(*) FROM posts "
        "WHERE posts.topic_id = topics.id AND posts.number > 1 AND posts.visibility = 'visible')"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE topics DROP COLUMN reply_count")
    op.execute("ALTER TABLE certificates DROP COLUMN end_told")
    op.drop_index(op.f("ix_help_requests_author_id"), "help_requests")
    op.drop_table("help_requests")
