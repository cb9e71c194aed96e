"""Facilitated sessions. Columns are added one by one, never by a batch change: that would re-create the table and drop its triggers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from community.core.db import UTCDateTime

revision = "20261125_sessions"
down_revision = "20261125_hours"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE rooms ADD COLUMN host_id INTEGER CONSTRAINT fk_rooms_host_id REFERENCES rooms (id)")
    _sessions()
    _people()
    _check_ins()
    op.create_table(
        "calendar_feeds",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_calendar_feeds_account_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feeds_token_hash")),
    )


def downgrade() -> None:
    for table in ("calendar_feeds", "session_check_ins", "session_seats", "session_facilitators", "facilitated_sessions"):
        op.drop_table(table)
    op.execute("ALTER TABLE rooms DROP COLUMN host_id")


def _sessions() -> None:
    name = "facilitated_sessions"
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host_room_id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=True),
        sa.Column("form_key", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("ground_rules", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("starts_at", UTCDateTime(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("door_minutes", sa.Integer(), nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("slow_seconds", sa.Integer(), nullable=False),
        sa.Column("grace_minutes", sa.Integer(), nullable=False),
        sa.Column("keeps_transcript", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("inside_count", sa.Integer(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=True),
        sa.Column("grace_ends_at", UTCDateTime(), nullable=True),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ended_how", sa.String(length=16), nullable=True),
        sa.Column("deleted_at", UTCDateTime(), nullable=True),
        sa.Column("purged_at", UTCDateTime(), nullable=True),
        sa.Column("themes", sa.Text(), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('planned', 'open', 'paused', 'ended', 'cancelled')", name=op.f(f"ck_{name}_state_known")),
        sa.CheckConstraint("length(trim(title)) > 0", name=op.f(f"ck_{name}_title_said")),
        sa.CheckConstraint(
            "capacity > 0 AND inside_count >= 0 AND inside_count <= capacity", name=op.f(f"ck_{name}_nobody_over_capacity")
        ),
        sa.CheckConstraint(
            "ended_how IS NULL OR ended_how IN ('facilitator', 'clock', 'no-facilitator', 'never-opened')",
            name=op.f(f"ck_{name}_ended_how_known"),
        ),
        sa.ForeignKeyConstraint(["host_room_id"], ["rooms.id"], name=op.f(f"fk_{name}_host_room_id")),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f(f"fk_{name}_room_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["accounts.id"], name=op.f(f"fk_{name}_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("room_id", name=op.f(f"uq_{name}_room_id")),
        sa.UniqueConstraint("form_key", name=op.f(f"uq_{name}_form_key")),
    )
    op.create_index("ix_facilitated_sessions_when", name, ["host_room_id", "starts_at"])
    op.create_index("ix_facilitated_sessions_state", name, ["state"])


def _people() -> None:
    name = "session_facilitators"
    op.create_table(
        name,
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("leads", sa.Boolean(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=True),
        *_session_and_account(name),
        sa.PrimaryKeyConstraint("session_id", "account_id", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_account_id"), name, ["account_id"])
    name = "session_seats"
    op.create_table(
        name,
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("rules_accepted_at", UTCDateTime(), nullable=True),
        sa.Column("queued_at", UTCDateTime(), nullable=True),
        sa.Column("entered_at", UTCDateTime(), nullable=True),
        sa.Column("left_at", UTCDateTime(), nullable=True),
        sa.Column("hand_at", UTCDateTime(), nullable=True),
        sa.Column("side_room_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("state IN ('coming', 'waiting', 'inside', 'left', 'removed')", name=op.f(f"ck_{name}_state_known")),
        *_session_and_account(name),
        sa.ForeignKeyConstraint(["side_room_id"], ["rooms.id"], name=op.f(f"fk_{name}_side_room_id")),
        sa.PrimaryKeyConstraint("session_id", "account_id", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_account_id"), name, ["account_id"])
    op.create_index(op.f(f"ix_{name}_queue"), name, ["session_id", "state", "queued_at"])


def _session_and_account(table: str) -> tuple[sa.ForeignKeyConstraint, sa.ForeignKeyConstraint]:
    session = sa.ForeignKeyConstraint(
        ["session_id"], ["facilitated_sessions.id"], name=op.f(f"fk_{table}_session_id"), ondelete="CASCADE"
    )
    account = sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f(f"fk_{table}_account_id"), ondelete="CASCADE")
    return session, account


def _check_ins() -> None:
    name = "session_check_ins"
    op.create_table(
        name,
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("moment", sa.String(length=8), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("visibility", sa.String(length=10), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("covers", sa.JSON(), nullable=False),
        sa.Column("lexicon_revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("visibility IN ('visible', 'held', 'hidden', 'withdrawn')", name=op.f(f"ck_{name}_visibility_known")),
        sa.CheckConstraint("moment IN ('arrival', 'leaving')", name=op.f(f"ck_{name}_moment_known")),
        sa.CheckConstraint("visibility <> 'visible'", name=op.f(f"ck_{name}_private")),
        sa.CheckConstraint("step BETWEEN 1 AND 5", name=op.f(f"ck_{name}_step")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["facilitated_sessions.id"], name=op.f(f"fk_{name}_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["author_id"], ["accounts.id"], name=op.f(f"fk_{name}_author_id")),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f(f"fk_{name}_room_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_author_id"), name, ["author_id"])
    op.create_index(op.f(f"ix_{name}_session"), name, ["session_id", "author_id"])
