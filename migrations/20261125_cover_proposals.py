"""Moderators propose to cover words; authors answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from community.core.db import UTCDateTime

revision = "20261125_cover_proposals"
down_revision = "20261125_sessions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    waiting = sa.text("answer = 'waiting'")
    op.create_table(
        "cover_proposals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("proposer_id", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("answer IN ('waiting', 'taken', 'left', 'replaced')", name=op.f("ck_cover_proposals_answer_known")),
        sa.CheckConstraint("length(trim(reason)) > 0", name=op.f("ck_cover_proposals_reason_said")),
        sa.CheckConstraint("proposer_id <> author_id", name=op.f("ck_cover_proposals_not_to_oneself")),
        sa.CheckConstraint("(answer = 'waiting') = (answered_at IS NULL)", name=op.f("ck_cover_proposals_answered_at_a_moment")),
        sa.ForeignKeyConstraint(
            ["case_id", "author_id"], ["cases.id", "cases.author_id"], name=op.f("fk_cover_proposals_case_author")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f("fk_cover_proposals_author_id")),
        sa.ForeignKeyConstraint(["proposer_id"], ["accounts.id"], name=op.f("fk_cover_proposals_proposer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cover_proposals")),
    )
    op.create_index(op.f("ix_cover_proposals_case_id"), "cover_proposals", ["case_id"])
    op.create_index(
        "uq_cover_proposals_waiting", "cover_proposals", ["case_id"], unique=True, sqlite_where=waiting, postgresql_where=waiting
    )


def downgrade() -> None:
    op.drop_table("cover_proposals")
