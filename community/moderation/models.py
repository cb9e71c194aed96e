"""The desk's rows: cases, their signals and snapshots, decisions, sanctions, appeals.

What must never happen is refused by the database: two open cases for one target, a decision without rule or reason, a
decision on one's own words, an appeal decided by the first decider.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from community.core.db import Base, one_of, said
from community.safety import CONCERNS, SEVERITIES

STATES = ("open", "claimed", "escalated", "closed")
SIGNALS = ("finding", "report", "help-request", "appeal", "rescan", "scanner-failed")
OUTCOMES = ("leave", "hide", "restore", "warn", "suspend")
NOT_CLOSED = sa.text("state <> 'closed'")


class Case(Base):
    """The one open queue item for one target. `author_id` and `room_id` are copies made when it opened."""

    __tablename__ = "cases"
    __table_args__ = (
        one_of("state", STATES),
        one_of("concern", CONCERNS),
        one_of("severity", SEVERITIES),
        sa.UniqueConstraint("id", "author_id"),
        sa.Index(
            "uq_cases_open_target", "target_kind", "target_id", unique=True, sqlite_where=NOT_CLOSED, postgresql_where=NOT_CLOSED
        ),
        sa.Index("ix_cases_desk", "severity_rank", "due_at", sqlite_where=NOT_CLOSED, postgresql_where=NOT_CLOSED),
        sa.Index("ix_cases_target", "target_kind", "target_id"),
        sa.CheckConstraint("(state = 'claimed') = (claimed_by_id IS NOT NULL)", name="claimed_by_somebody"),
        sa.CheckConstraint("claimed_by_id IS NULL OR claimed_by_id <> author_id", name="not_claimed_by_author"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    target_kind: Mapped[str] = mapped_column(sa.String(20))
    target_id: Mapped[int]
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("rooms.id"), index=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    concern: Mapped[str] = mapped_column(sa.String(20))
    severity: Mapped[str] = mapped_column(sa.String(8))
    severity_rank: Mapped[int] = mapped_column(sa.SmallInteger)
    state: Mapped[str] = mapped_column(sa.String(10), default="open")
    level: Mapped[int] = mapped_column(
        default=0
    )  # how loud the clock made it: 0 on time, 1 on-duty told again, 2 on-call, 3 admins
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]  # when somebody should have taken it; fixed until the case becomes graver
    louder_at: Mapped[datetime]  # when the clock raises `level` next
    closed_at: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(index=True)
    claimed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    claim_until: Mapped[datetime | None]
    escalated_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    escalation_note: Mapped[str] = mapped_column(sa.Text, default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class Snapshot(Base):
    """The words and their surroundings as they were when a signal arrived."""

    __tablename__ = "snapshots"
    __table_args__ = (sa.UniqueConstraint("id", "case_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    taken_at: Mapped[datetime]
    words: Mapped[str] = mapped_column(sa.Text)
    surroundings: Mapped[list[Any]]  # [{"author", "words", "at", "after"}] in reading order
    visibility: Mapped[str] = mapped_column(sa.String(10))
    edition: Mapped[int] = mapped_column(default=1)


class Signal(Base):
    """One reason a thing is in the queue. Offsets are code points of the snapshot's words."""

    __tablename__ = "signals"
    __table_args__ = (one_of("kind", SIGNALS), one_of("concern", CONCERNS), one_of("severity", SEVERITIES))

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    snapshot_id: Mapped[int] = mapped_column(sa.ForeignKey("snapshots.id"))
    kind: Mapped[str] = mapped_column(sa.String(16))
    concern: Mapped[str] = mapped_column(sa.String(20))
    severity: Mapped[str] = mapped_column(sa.String(8))
    created_at: Mapped[datetime]
    reporter_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    note: Mapped[str] = mapped_column(sa.Text, default="")
    rule_key: Mapped[str] = mapped_column(sa.String(80), default="")
    lexicon_revision: Mapped[int] = mapped_column(default=0)
    view: Mapped[str] = mapped_column(sa.String(20), default="")
    start: Mapped[int] = mapped_column(default=0)
    end: Mapped[int] = mapped_column(default=0)
    cues: Mapped[list[str]]
    explanation: Mapped[str] = mapped_column(sa.Text, default="")


class Decision(Base):
    """An append-only act on a case with its statement of reasons. `author_id` is tied to the case's by a foreign key."""

    __tablename__ = "decisions"
    __table_args__ = (
        one_of("outcome", OUTCOMES),
        said("reason"),
        sa.CheckConstraint("decider_id <> author_id", name="not_on_own_words"),
        sa.ForeignKeyConstraint(["case_id", "author_id"], ["cases.id", "cases.author_id"], name="fk_decisions_case_author"),
        sa.ForeignKeyConstraint(
            ["snapshot_id", "case_id"], ["snapshots.id", "snapshots.case_id"], name="fk_decisions_snapshot_case"
        ),
        sa.UniqueConstraint("id", "decider_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(index=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    decider_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    outcome: Mapped[str] = mapped_column(sa.String(10))
    house_rule_id: Mapped[int] = mapped_column(sa.ForeignKey("house_rules.id"))
    reason: Mapped[str] = mapped_column(sa.Text)
    snapshot_id: Mapped[int]
    case_version: Mapped[int]
    created_at: Mapped[datetime]


class Sanction(Base):
    """A reversible restriction created by one decision."""

    __tablename__ = "sanctions"
    __table_args__ = (
        one_of("kind", ("suspension",)),
        sa.CheckConstraint("ends_at > starts_at", name="lasts"),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by_id IS NULL)", name="lifted_by_somebody"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(sa.ForeignKey("decisions.id"), unique=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(12), default="suspension")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    lift_reason: Mapped[str] = mapped_column(sa.Text, default="")


class Appeal(Base):
    """The author's answer to a decision. `first_decider_id` is tied to the decision's by a foreign key."""

    __tablename__ = "appeals"
    __table_args__ = (
        one_of("outcome", ("open", "upheld", "overturned")),
        said("words"),
        sa.ForeignKeyConstraint(
            ["decision_id", "first_decider_id"], ["decisions.id", "decisions.decider_id"], name="fk_appeals_decision_decider"
        ),
        sa.CheckConstraint("decided_by_id IS NULL OR decided_by_id <> first_decider_id", name="by_somebody_else"),
        sa.CheckConstraint("decided_by_id IS NULL OR decided_by_id <> author_id", name="not_by_author"),
        sa.CheckConstraint("(outcome = 'open') = (decided_by_id IS NULL)", name="decided_by_somebody"),
        sa.CheckConstraint("(outcome = 'open') = (answer_id IS NULL)", name="answered_by_a_decision"),
        sa.CheckConstraint("outcome = 'open' OR length(trim(reason)) > 0", name="reason_said"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(unique=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    first_decider_id: Mapped[int]
    words: Mapped[str] = mapped_column(sa.Text)
    created_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(sa.String(10), default="open")
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    answer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("decisions.id"), unique=True)  # the decision that answered it
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(sa.Text, default="")
