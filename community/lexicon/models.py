"""The rules as rows. A revision is immutable: it holds every rule that came at or before it and had not left by then."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from community.core.db import Base, one_of, said
from community.safety import ACTIONS, CONCERNS, SEVERITIES


class Revision(Base):
    __tablename__ = "lexicon_revisions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    note: Mapped[str] = mapped_column(sa.String(300))


class LexiconRule(Base):
    """One state of one rule. Editing retires this row (`until_revision`) and adds another with the same key."""

    __tablename__ = "lexicon_rules"
    __table_args__ = (
        one_of("concern", CONCERNS),
        one_of("severity", SEVERITIES),
        one_of("action", ACTIONS),
        said("pattern"),
        sa.Index(
            "uq_lexicon_rules_in_force",
            "key",
            unique=True,
            sqlite_where=sa.text("until_revision IS NULL"),
            postgresql_where=sa.text("until_revision IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(80))
    pattern: Mapped[str] = mapped_column(sa.Text)
    concern: Mapped[str] = mapped_column(sa.String(20))
    severity: Mapped[str] = mapped_column(sa.String(8))
    action: Mapped[str] = mapped_column(sa.String(8))
    why: Mapped[str] = mapped_column(sa.Text)
    must_match: Mapped[list[str]]
    must_not_match: Mapped[list[str]]
    exceptions: Mapped[list[str]]
    views: Mapped[list[str] | None]
    language: Mapped[str] = mapped_column(sa.String(8), default="en")
    room_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rooms.id", ondelete="CASCADE"))
    since_revision: Mapped[int] = mapped_column(sa.ForeignKey("lexicon_revisions.number"), index=True)
    until_revision: Mapped[int | None] = mapped_column(sa.ForeignKey("lexicon_revisions.number"))
