"""The rules as rows. A revision is immutable: it holds every rule that came at or before it and had not left by then.

A draft is one change that is not in force: edited, tried on the past, watched in shadow, proposed, then published or discarded.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from community.core.db import Base, one_of, said
from community.safety import ACTIONS, CONCERNS, KINDS, SEVERITIES

DRAFT_STATES = ("open", "shadow", "proposed", "published", "discarded")
LIVING = sa.text("state IN ('open', 'shadow', 'proposed')")


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
        one_of("kind", KINDS),
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
    kind: Mapped[str] = mapped_column(sa.String(8), default="phrase")
    only_in: Mapped[list[str]] = mapped_column(default=list)
    not_in: Mapped[list[str]] = mapped_column(default=list)
    owner: Mapped[str] = mapped_column(sa.String(60), default="")
    review_by: Mapped[str] = mapped_column(sa.String(10), default="")  # an ISO date, or nothing
    room_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rooms.id", ondelete="CASCADE"))
    since_revision: Mapped[int] = mapped_column(sa.ForeignKey("lexicon_revisions.number"), index=True)
    until_revision: Mapped[int | None] = mapped_column(sa.ForeignKey("lexicon_revisions.number"))


def title_of(key: str) -> str:
    """Of a draft: its key; a pack or an older revision by its name."""
    return key.replace("pack:", "pack ").replace("back-to:", "back to revision ")


class Draft(Base):
    """A change that is not in force. `rule` holds the fields of one rule as they would be, or {"put": …, "retire": …} for a change
    of many (a pack, an older revision: its key has a colon); nothing: the rule `key` would be retired."""

    __tablename__ = "lexicon_drafts"
    __table_args__ = (
        one_of("state", DRAFT_STATES),
        sa.CheckConstraint("(state = 'proposed') <= (proposed_by_id IS NOT NULL)", name="proposed_by_somebody"),
        sa.CheckConstraint("(state = 'published') = (published_revision IS NOT NULL)", name="published_in_a_revision"),
        sa.Index("uq_lexicon_drafts_living", "key", unique=True, sqlite_where=LIVING, postgresql_where=LIVING),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(80))
    rule: Mapped[dict[str, Any] | None]
    based_on: Mapped[int]  # the revision it was made from
    note: Mapped[str] = mapped_column(sa.String(300), default="")
    state: Mapped[str] = mapped_column(sa.String(10), default="open")
    created_by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    proposed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # who publishes a crisis rule is another
    shadow_since: Mapped[datetime | None]
    shadow_until: Mapped[datetime | None]
    published_revision: Mapped[int | None] = mapped_column(sa.ForeignKey("lexicon_revisions.number"))

    @property
    def title(self) -> str:
        return title_of(self.key)


class Sighting(Base):
    """A draft in shadow would have noticed this. Ids and places only."""

    __tablename__ = "lexicon_sightings"
    __table_args__ = (sa.Index("ix_lexicon_sightings_draft", "draft_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    draft_id: Mapped[int] = mapped_column(sa.ForeignKey("lexicon_drafts.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    item_kind: Mapped[str] = mapped_column(sa.String(20))
    item_id: Mapped[int]
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("rooms.id"))
    start: Mapped[int]
    end: Mapped[int]
