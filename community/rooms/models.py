"""Rooms, who is in them, when somebody is there, and which of them a moderator looks after."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from community.core.db import Base, one_of, said
from community.safety import PROFILES

from .hours import Hours, HoursText

READERS = ("members", "joined", "staff")
WRITERS = ("joined", "staff")
MODES = ("publish", "hold")
OUTSIDE = ("quiet", "night", "closed")
LINKERS = ("anyone", "settled", "nobody")


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
        one_of("links_by", LINKERS),
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
    hours: Mapped[Hours] = mapped_column(HoursText, default=Hours())
    outside_hours: Mapped[str] = mapped_column(sa.String(10), default="quiet")  # posture where no span of the hours holds
    waits_unstaffed: Mapped[bool] = mapped_column(default=True)  # outside staffed hours noticed words wait, whatever `mode` says
    slow_seconds: Mapped[int] = mapped_column(default=0)  # between two chat messages of one member; 0: none
    links_by: Mapped[str] = mapped_column(sa.String(10), default="anyone")  # who may put links into the chat
    link_days: Mapped[int] = mapped_column(default=7)  # how long somebody is here before they are settled
    mentions_max: Mapped[int] = mapped_column(default=5)  # people named with @ in one message
    position: Mapped[int] = mapped_column(default=0)
    member_count: Mapped[int] = mapped_column(default=0)
    topic_count: Mapped[int] = mapped_column(default=0)
    last_seq: Mapped[int] = mapped_column(default=0)  # sequence number of the last chat message
    last_activity_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    host_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rooms.id"))  # of a session's room: in no list, with its own door

    asked_for, asked_joined = 0, False  # set by a loader that asked as well whether this account is a member; never stored


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
