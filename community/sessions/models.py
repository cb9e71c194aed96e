"""Sessions: a live chat with a beginning, an end and a facilitator.

A session is planned in a host room, whose readers see it. Once open it has a room of its own (`Room.host_id`), entered only through
the session's door, so that everything a chat can do and everything that guards it is the same there.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from community.core.db import Base, one_of, said
from community.moderation.reviewable import Line, Reviewable, register, reviewable_constraints

STATES = ("planned", "open", "paused", "ended", "cancelled")
SEATS = ("coming", "waiting", "inside", "left", "removed")
ENDINGS = ("facilitator", "clock", "no-facilitator", "never-opened")
MOMENTS = ("arrival", "leaving")


class FacilitatedSession(Base):
    __tablename__ = "facilitated_sessions"
    __table_args__ = (
        one_of("state", STATES),
        said("title"),
        sa.CheckConstraint("capacity > 0 AND inside_count >= 0 AND inside_count <= capacity", name="nobody_over_capacity"),
        sa.CheckConstraint("ended_how IS NULL OR ended_how IN ('facilitator', 'clock', 'no-facilitator', 'never-opened')", name="ended_how_known"),
        sa.Index("ix_facilitated_sessions_when", "host_room_id", "starts_at"),
        sa.Index("ix_facilitated_sessions_state", "state"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    host_room_id: Mapped[int] = mapped_column(sa.ForeignKey("rooms.id"))
    room_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rooms.id"), unique=True)
    form_key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    title: Mapped[str] = mapped_column(sa.String(120))
    about: Mapped[str] = mapped_column(sa.Text, default="")
    ground_rules: Mapped[str] = mapped_column(sa.Text, default="")
    plan: Mapped[str] = mapped_column(sa.Text, default="")  # Markdown; facilitators only
    starts_at: Mapped[datetime]
    minutes: Mapped[int]
    capacity: Mapped[int]
    door_minutes: Mapped[int]  # the door opens so long before the beginning
    by_hand: Mapped[bool]  # a facilitator lets in each person
    slow_seconds: Mapped[int]
    grace_minutes: Mapped[int]
    keeps_transcript: Mapped[bool]
    state: Mapped[str] = mapped_column(sa.String(10), default="planned")
    inside_count: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime | None]
    grace_ends_at: Mapped[datetime | None]  # only while paused
    ended_at: Mapped[datetime | None]
    ended_how: Mapped[str | None] = mapped_column(sa.String(16))
    deleted_at: Mapped[datetime | None]  # when the transcript was deleted
    purged_at: Mapped[datetime | None]  # when nothing was left that had to be kept
    themes: Mapped[str] = mapped_column(sa.Text, default="")
    made_by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[datetime]

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def door_opens_at(self) -> datetime:
        return self.starts_at - timedelta(minutes=self.door_minutes)

    @property
    def is_live(self) -> bool:
        return self.state in ("open", "paused")

    @property
    def is_over(self) -> bool:
        return self.state in ("ended", "cancelled")


class Facilitator(Base):
    """`seen_at`: when one of their screens was last in the session's room, as far as any process wrote it down."""

    __tablename__ = "session_facilitators"

    session_id: Mapped[int] = mapped_column(sa.ForeignKey("facilitated_sessions.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, index=True)
    leads: Mapped[bool]
    seen_at: Mapped[datetime | None]


class Seat(Base):
    """One member and one session: said to come, waiting at the door, inside, or gone."""

    __tablename__ = "session_seats"
    __table_args__ = (one_of("state", SEATS), sa.Index("ix_session_seats_queue", "session_id", "state", "queued_at"))

    session_id: Mapped[int] = mapped_column(sa.ForeignKey("facilitated_sessions.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, index=True)
    state: Mapped[str] = mapped_column(sa.String(10))
    rules_accepted_at: Mapped[datetime | None]
    queued_at: Mapped[datetime | None]
    entered_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    hand_at: Mapped[datetime | None]  # a silent hand; only facilitators see it
    side_room_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rooms.id"))


@register
class CheckIn(Reviewable, Base):
    """How somebody arrives or leaves, in their own words (which may be empty) and as a step from 1 to 5. Facilitators read it."""

    kind = "check-in"
    private = True
    __tablename__ = "session_check_ins"
    __table_args__ = (
        *reviewable_constraints(),
        one_of("moment", MOMENTS),
        sa.CheckConstraint("visibility <> 'visible'", name="private"),
        sa.CheckConstraint("step BETWEEN 1 AND 5", name="step"),
        sa.Index("ix_session_check_ins_session", "session_id", "author_id"),
    )

    session_id: Mapped[int] = mapped_column(sa.ForeignKey("facilitated_sessions.id", ondelete="CASCADE"))
    moment: Mapped[str] = mapped_column(sa.String(8))
    step: Mapped[int] = mapped_column(sa.SmallInteger)

    def surroundings(self) -> list[Line]:
        return []

    def path(self) -> str:
        return f"/sessions/{self.session_id}"

    def in_sight(self) -> bool:
        return False

    def changed(self) -> None:
        """No room shows it and nothing counts it."""


class CalendarFeed(Base):
    """The secret address of somebody's calendar feed. Only its hash is kept; a new one ends the old one."""

    __tablename__ = "calendar_feeds"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    made_at: Mapped[datetime]
