"""Rules that look at letters, kinds of rooms, drafts and shadow, passes over the past, muted words, covered words, a second signal.

Columns are added one by one, never by a batch change: that would re-create the table and drop its triggers.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from community.core.db import UTCDateTime

revision = "20261125_lexicon_lives"
down_revision = "20261124_search"
branch_labels = None
depends_on = None

EMPTY_LIST = "JSON NOT NULL DEFAULT '[]'"
COLUMNS = {
    "rooms": {
        "profile": "VARCHAR(12) NOT NULL DEFAULT 'general' CONSTRAINT ck_rooms_profile_known "
        "CHECK (profile IN ('general', 'eating', 'voices', 'substances', 'carers'))"
    },
    "lexicon_rules": {
        "kind": "VARCHAR(8) NOT NULL DEFAULT 'phrase' CONSTRAINT ck_lexicon_rules_kind_known "
        "CHECK (kind IN ('phrase', 'inside', 'regex'))",
        "only_in": EMPTY_LIST,
        "not_in": EMPTY_LIST,
        "owner": "VARCHAR(60) NOT NULL DEFAULT ''",
        "review_by": "VARCHAR(10) NOT NULL DEFAULT ''",
    },
    "decisions": {"false_alarm": "BOOLEAN NOT NULL DEFAULT FALSE"},
    "cases": {"score": "SMALLINT NOT NULL DEFAULT 0"},
    "posts": {"covers": EMPTY_LIST},
    "messages": {"covers": EMPTY_LIST},
    "accounts": {"muted_count": "INTEGER NOT NULL DEFAULT 0"},
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for name, kind in columns.items():
            op.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
    op.create_index("ix_signals_rule", "signals", ["rule_key", "id"])
    _make_tables()


def downgrade() -> None:
    for table in ("second_signals", "pass_hits", "passes", "lexicon_sightings", "lexicon_drafts", "muted_words"):
        op.drop_table(table)
    op.drop_index("ix_signals_rule", "signals")
    for table, columns in COLUMNS.items():
        for name in columns:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")


def _make_tables() -> None:
    op.create_table(
        "muted_words",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=100), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("length(trim(words)) > 0", name=op.f("ck_muted_words_words_said")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_muted_words_account_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_muted_words")),
        sa.UniqueConstraint("account_id", "words", name=op.f("uq_muted_words_account_id_words")),
    )
    op.create_table(
        "second_signals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("trained_at", UTCDateTime(), nullable=False),
        sa.Column("trained_by_id", sa.Integer(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("gain", sa.Double(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("weights", sa.JSON(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["trained_by_id"], ["accounts.id"], name=op.f("fk_second_signals_trained_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_signals")),
    )
    op.create_index(
        "uq_second_signals_on",
        "second_signals",
        ["is_on"],
        unique=True,
        sqlite_where=sa.text("is_on"),
        postgresql_where=sa.text("is_on"),
    )
    op.create_table(
        "lexicon_drafts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=True),
        sa.Column("based_on", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("proposed_by_id", sa.Integer(), nullable=True),
        sa.Column("shadow_since", UTCDateTime(), nullable=True),
        sa.Column("shadow_until", UTCDateTime(), nullable=True),
        sa.Column("published_revision", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(state = 'proposed') <= (proposed_by_id IS NOT NULL)", name=op.f("ck_lexicon_drafts_proposed_by_somebody")
        ),
        sa.CheckConstraint(
            "(state = 'published') = (published_revision IS NOT NULL)", name=op.f("ck_lexicon_drafts_published_in_a_revision")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'shadow', 'proposed', 'published', 'discarded')", name=op.f("ck_lexicon_drafts_state_known")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["accounts.id"], name=op.f("fk_lexicon_drafts_created_by_id")),
        sa.ForeignKeyConstraint(["proposed_by_id"], ["accounts.id"], name=op.f("fk_lexicon_drafts_proposed_by_id")),
        sa.ForeignKeyConstraint(
            ["published_revision"], ["lexicon_revisions.number"], name=op.f("fk_lexicon_drafts_published_revision")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lexicon_drafts")),
    )
    op.create_index(
        "uq_lexicon_drafts_living",
        "lexicon_drafts",
        ["key"],
        unique=True,
        sqlite_where=sa.text("state IN ('open', 'shadow', 'proposed')"),
        postgresql_where=sa.text("state IN ('open', 'shadow', 'proposed')"),
    )
    op.create_table(
        "lexicon_sightings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("item_kind", sa.String(length=20), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["lexicon_drafts.id"], name=op.f("fk_lexicon_sightings_draft_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_lexicon_sightings_room_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lexicon_sightings")),
    )
    op.create_index("ix_lexicon_sightings_draft", "lexicon_sightings", ["draft_id", "id"], unique=False)
    op.create_table(
        "passes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("draft_id", sa.Integer(), nullable=True),
        sa.Column("rule", sa.JSON(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("cursor_kind", sa.String(length=20), nullable=False),
        sa.Column("cursor_id", sa.Integer(), nullable=False),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("no_action", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("started_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('preview', 'rescan')", name=op.f("ck_passes_kind_known")),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'cancelled', 'failed')", name=op.f("ck_passes_state_known")),
        sa.ForeignKeyConstraint(["draft_id"], ["lexicon_drafts.id"], name=op.f("fk_passes_draft_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["started_by_id"], ["accounts.id"], name=op.f("fk_passes_started_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passes")),
    )
    op.create_index("ix_passes_state", "passes", ["state", "id"], unique=False)
    op.create_table(
        "pass_hits",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pass_id", sa.Integer(), nullable=False),
        sa.Column("item_kind", sa.String(length=20), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("decided", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["pass_id"], ["passes.id"], name=op.f("fk_pass_hits_pass_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_pass_hits_room_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pass_hits")),
    )
    op.create_index("ix_pass_hits_pass", "pass_hits", ["pass_id", "id"], unique=False)
