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
SEEN_BY_RULES = ("finding", "rescan")
PASSES = ("preview", "rescan")
PASS_STATES = ("waiting", "running", "done", "cancelled", "failed")
CHANGES = ("new", "kept", "lost")
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
        sa.Index("ix_cases_room_opened", "room_id", "opened_at"),
        sa.CheckConstraint("(state = 'claimed') = (claimed_by_id IS NOT NULL)", name="claimed_by_somebody"),
        sa.CheckConstraint("claimed_by_id IS NULL OR claimed_by_id <> author_id", name="not_claimed_by_author"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    target_kind: Mapped[str] = mapped_column(sa.String(20))
    target_id: Mapped[int]
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("rooms.id"))
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
    score: Mapped[int] = mapped_column(sa.SmallInteger, default=0)  # second signal, 0 to 100: orders inside a severity only

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
    __table_args__ = (
        one_of("kind", SIGNALS),
        one_of("concern", CONCERNS),
        one_of("severity", SEVERITIES),
        sa.Index("ix_signals_rule", "rule_key", "id"),
    )

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
    hid: Mapped[bool] = mapped_column(default=False)  # the words are hidden while this decision stands
    false_alarm: Mapped[bool] = mapped_column(default=False)  # the decider says that the safety rules were wrong here


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


class CoverProposal(Base):
    """A moderator asks the author to cover some of their words. One waits per case."""

    __tablename__ = "cover_proposals"
    __table_args__ = (
        one_of("answer", ("waiting", "taken", "left", "replaced")),
        said("reason"),
        sa.CheckConstraint("proposer_id <> author_id", name="not_to_oneself"),
        sa.CheckConstraint("(answer = 'waiting') = (answered_at IS NULL)", name="answered_at_a_moment"),
        sa.ForeignKeyConstraint(["case_id", "author_id"], ["cases.id", "cases.author_id"], name="fk_cover_proposals_case_author"),
        sa.Index(
            "uq_cover_proposals_waiting", "case_id", unique=True,
            sqlite_where=sa.text("answer = 'waiting'"), postgresql_where=sa.text("answer = 'waiting'"),
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(index=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    proposer_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    edition: Mapped[int]  # of the words: for others it says nothing
    spans: Mapped[list[Any]]  # [start, end] in code points of the body, in order and apart
    reason: Mapped[str] = mapped_column(sa.Text)
    answer: Mapped[str] = mapped_column(sa.String(10))
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class Pass(Base):
    """Rules going through words of the past: a preview only counts and shows, a rescan opens cases. Its cursor is kept with what it
    found, so that it goes on where it was after a kill."""

    __tablename__ = "passes"
    __table_args__ = (
        one_of("kind", PASSES),
        one_of("state", PASS_STATES),
        sa.Index("ix_passes_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(8))
    draft_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lexicon_drafts.id", ondelete="SET NULL"))
    rule: Mapped[dict[str, Any] | None]  # of a preview: {"then": the rule as it would be, "now": as it is}; either may be None
    revision: Mapped[int]  # a rescan judges by this one
    since: Mapped[datetime]
    state: Mapped[str] = mapped_column(sa.String(10), default="waiting")
    cursor_kind: Mapped[str] = mapped_column(sa.String(20), default="")
    cursor_id: Mapped[int] = mapped_column(default=0)
    read: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    found: Mapped[dict[str, Any]]  # {"upto": highest id by kind when it began, "new": {"post": 41}, …}: see passes.Found
    no_action: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(sa.Text, default="")
    started_by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class PassHit(Base):
    """One thing a pass found; the first ones of each pass are kept to be shown."""

    __tablename__ = "pass_hits"
    __table_args__ = (one_of("change", CHANGES), sa.Index("ix_pass_hits_pass", "pass_id", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    pass_id: Mapped[int] = mapped_column(sa.ForeignKey("passes.id", ondelete="CASCADE"))
    item_kind: Mapped[str] = mapped_column(sa.String(20))
    item_id: Mapped[int]
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("rooms.id"))
    start: Mapped[int]
    end: Mapped[int]
    severity: Mapped[str] = mapped_column(sa.String(8))
    decided: Mapped[str] = mapped_column(sa.String(16), default="")  # the latest outcome about this item, or nothing
    change: Mapped[str] = mapped_column(sa.String(4), default="new", server_default="new")


class SecondSignal(Base):
    """One trained weighing of words, from this community's own decided cases. At most one is on."""

    __tablename__ = "second_signals"
    __table_args__ = (
        sa.Index("uq_second_signals_on", "is_on", unique=True, sqlite_where=sa.text("is_on"), postgresql_where=sa.text("is_on")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    trained_at: Mapped[datetime]
    trained_by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    cases: Mapped[int]
    gain: Mapped[float]  # points of recall at equal alerts, cross-validated
    report: Mapped[dict[str, Any]]
    weights: Mapped[dict[str, Any]]
    is_on: Mapped[bool] = mapped_column(default=False)
