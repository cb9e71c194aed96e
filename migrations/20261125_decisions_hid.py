"""A decision says whether it hid the words.

Added as a column, never by a batch change: that would re-create the table and drop its triggers. Decisions made before say it only
by their outcome; they are never changed.
"""

from __future__ import annotations

from alembic import op

revision = "20261125_decisions_hid"
down_revision = "20261125_desk"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE decisions ADD COLUMN hid BOOLEAN NOT NULL DEFAULT FALSE")


def downgrade() -> None:
    op.execute("ALTER TABLE decisions DROP COLUMN hid")
