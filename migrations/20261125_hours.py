"""A room's week and holidays are one value in its row; each span of the week names its posture.

Rooms that are there keep what their admin chose for noticed words: `waits_unstaffed` is off for them.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "20261125_hours"
down_revision = "20261125_words_chat"
branch_labels = None
depends_on = None

DAY = 1440
rooms = sa.table("rooms", sa.column("id", sa.Integer), sa.column("hours", sa.Text))
spans = sa.table(
    "room_hours",
    *(sa.column(name, sa.Integer) for name in ("room_id", "weekday", "opens", "closes")),
)


def upgrade() -> None:
    op.execute("ALTER TABLE rooms ADD COLUMN hours TEXT NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE rooms ADD COLUMN waits_unstaffed BOOLEAN NOT NULL DEFAULT FALSE")
    week: dict[int, list[list[object]]] = {}
    for room, *span in op.get_bind().execute(sa.select(spans).order_by("weekday", "opens")):
        week.setdefault(room, []).append([*span, "staffed"])
    for room, kept in week.items():
        op.execute(sa.update(rooms).where(rooms.c.id == room).values(hours=json.dumps({"week": kept})))
    op.drop_index(op.f("ix_room_hours_room_id"), "room_hours")
    op.drop_table("room_hours")


def downgrade() -> None:
    op.create_table(
        "room_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("opens", sa.SmallInteger(), nullable=False),
        sa.Column("closes", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "weekday BETWEEN 0 AND 6 AND opens >= 0 AND opens < closes AND closes <= 1440", name=op.f("ck_room_hours_span")
        ),
        sa.ForeignKeyConstraint(["room_id"], ["rooms.id"], name=op.f("fk_room_hours_room_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_hours")),
    )
    op.create_index(op.f("ix_room_hours_room_id"), "room_hours", ["room_id"])
    for room, kept in op.get_bind().execute(sa.select(rooms.c.id, rooms.c.hours)).all():
        for weekday, opens, closes, posture in json.loads(kept).get("week", []):
            if posture == "staffed":
                _put_back(room, weekday, opens, closes)
    op.execute("ALTER TABLE rooms DROP COLUMN waits_unstaffed")
    op.execute("ALTER TABLE rooms DROP COLUMN hours")


def _put_back(room: int, weekday: int, opens: int, closes: int) -> None:
    """What goes past midnight becomes two spans."""
    pieces = [(weekday, opens, min(closes, DAY)), ((weekday + 1) % 7, 0, closes - DAY)]
    rows = [{"room_id": room, "weekday": day, "opens": start, "closes": end} for day, start, end in pieces if start < end]
    op.bulk_insert(spans, rows)
