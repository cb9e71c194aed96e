"""Rooms, who is in them, when somebody is there, and which of them a moderator looks after."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from community.core.db import Base, one_of, said
from community.safety import PROFILES

READERS = ("members", "joined", "staff")
WRITERS = ("joined", "staff")
MODES = ("publish", "hold")
OUTSIDE = ("quiet", "night", "closed")


class Room(Base):
    """A place built around one shared experience. `mode` says what happens to words a rule notices: published and flagged,
    or held until a moderator has looked."""

    __tablename__ = "rooms"
    __table_args__ = (
        one_of("read_by", READERS),
        one_of("write_by", WRITERS),
        one_of("mode", MODES),
        one_of("outside_hours", OUTSIDE),
        one_of("profile", PROFILES),
        said("name"),
        sa.CheckConstraint("has_forum OR has_chat", name="forum_or_chat"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(60), unique=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    purpose: Mapped[str] = mapped_column(sa.String(300), default="")
    guidance: Mapped[str] = mapped_column(sa.Text, default="")
    has_forum: Mapped[bool] = mapped_column(default=True)
    has_chat: Mapped[bool] = mapped_column(default=True)
    read_by: Mapped[str] = mapped_column(sa.String(10), default="members")
    write_by: Mapped[str] = mapped_column(sa.String(10), default="joined")
    mode: Mapped[str] = mapped_column(sa.String(10), default="publish")
    timezone: Mapped[str] = mapped_column(sa.String(60), default="Europe/London")
    profile: Mapped[str] = mapped_column(sa.String(12), default="general")  # which safety rules speak here
    outside_hours: Mapped[str] = mapped_column(sa.String(10), default="quiet")  # posture outside the opening hours
    position: Mapped[int] = mapped_column(default=0)
    member_count: Mapped[int] = mapped_column(default=0)
    topic_count: Mapped[int] = mapped_column(default=0)
    last_seq: Mapped[int] = mapped_column(default=0)  # sequence number of the last chat message
    last_activity_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    host_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("rooms.id")
    )  # of a session's room: in no list, only its own door leads in
    pace_seconds: Mapped[int] = mapped_column(default=0, server_default="0")  # slow mode: one message each in so many seconds


class RoomHours(Base):
    """One staffed span on one weekday (0 Monday), in minutes after midnight of the room's time zone.

    A room without rows is staffed at all hours.
    """

    __tablename__ = "room_hours"
    __table_args__ = (
        sa.CheckConstraint("weekday BETWEEN 0 AND 6 AND opens >= 0 AND opens < closes AND closes <= 1440", name="span"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("rooms.id", ondelete="CASCADE"), index=True)
    weekday: Mapped[int] = mapped_column(sa.SmallInteger)
    opens: Mapped[int] = mapped_column(sa.SmallInteger)
    closes: Mapped[int] = mapped_column(sa.SmallInteger)


class Membership(Base):
    __tablename__ = "memberships"

    room_id: Mapped[int] = mapped_column(sa.ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, index=True)
    joined_at: Mapped[datetime]


class StaffScope(Base):
    """Rooms a moderator looks after: one room a row, or every room where `room_id` is NULL. No row, no desk."""

    __tablename__ = "staff_scopes"
    __table_args__ = (
        sa.UniqueConstraint("account_id", "room_id"),
        sa.Index(
            "uq_staff_scopes_everywhere",
            "account_id",
            unique=True,
            sqlite_where=sa.text("room_id IS NULL"),
            postgresql_where=sa.text("room_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    room_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rooms.id", ondelete="CASCADE"))
