"""Whether somebody is shown as being in a room, and whether writing is shown while it happens, as each member wishes.

Columns are added one by one, never by a batch change: that would re-create the table and drop its triggers.
"""

from __future__ import annotations

from alembic import op

revision = "20261125_here"
down_revision = "20261125_reading"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE accounts ADD COLUMN appears_away BOOLEAN NOT NULL DEFAULT FALSE")
    op.execute("ALTER TABLE accounts ADD COLUMN shows_typing BOOLEAN NOT NULL DEFAULT TRUE")


def downgrade() -> None:
    op.execute("ALTER TABLE accounts DROP COLUMN shows_typing")
    op.execute("ALTER TABLE accounts DROP COLUMN appears_away")
