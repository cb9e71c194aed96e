"""How soon a room's words were read in the last days is asked by room and opening time: one index for both, in the old one's place."""

from __future__ import annotations

from alembic import op

revision = "20261125_promptness"
down_revision = "20261125_cover_proposals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_cases_room_opened", "cases", ["room_id", "opened_at"])
    op.drop_index(op.f("ix_cases_room_id"), "cases")


def downgrade() -> None:
    op.create_index(op.f("ix_cases_room_id"), "cases", ["room_id"])
    op.drop_index("ix_cases_room_opened", "cases")
