"""Each thing a preview found says what the change would do to it: found now, found as before, found no longer."""

from __future__ import annotations

from alembic import op

revision = "20261125_desk"
down_revision = "20261125_words"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE pass_hits ADD COLUMN change VARCHAR(4) NOT NULL DEFAULT 'new' "
        "CONSTRAINT ck_pass_hits_change_known CHECK (change IN ('new', 'kept', 'lost'))"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE pass_hits DROP COLUMN change")
