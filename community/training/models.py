"""Certificates (trained for a concern until a date) and shifts (on duty, or on call for escalations)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from community.core.db import Base, one_of
from community.safety import CONCERNS

SHIFT_KINDS = ("duty", "on-call")


class Certificate(Base):
    __tablename__ = "certificates"
    __table_args__ = (
        one_of("concern", CONCERNS),
        sa.CheckConstraint("granted_by_id <> account_id", name="not_by_oneself"),
        sa.CheckConstraint("expires_at > granted_at", name="lasts"),
        sa.Index("ix_certificates_in_force", "account_id", "concern", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"))
    concern: Mapped[str] = mapped_column(sa.String(20))
    granted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    granted_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    end_told: Mapped[bool] = mapped_column(default=False)  # its holder was told that it ran out


class Shift(Base):
    __tablename__ = "shifts"
    __table_args__ = (
        one_of("kind", SHIFT_KINDS),
        sa.CheckConstraint("ends_at > starts_at", name="lasts"),
        sa.Index("ix_shifts_span", "starts_at", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
