"""What a person is told. The row is the promise and the outbox: e-mail is sent after the commit and retried from here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from community.core.db import Base, one_of

MAIL_STATES = ("none", "due", "sent", "failed")


class Notification(Base):
    """`kind` picks the template `notifications/kinds/<kind>.html`; `data` holds ids and the sender's own facts."""

    __tablename__ = "notifications"
    __table_args__ = (
        one_of("mail_state", MAIL_STATES),
        sa.Index("ix_notifications_of_account", "account_id", "id"),
        sa.Index(
            "ix_notifications_mail_due",
            "mail_next_at",
            sqlite_where=sa.text("mail_state = 'due'"),
            postgresql_where=sa.text("mail_state = 'due'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(sa.String(40))
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    mail_state: Mapped[str] = mapped_column(sa.String(8), default="none")
    mail_attempts: Mapped[int] = mapped_column(default=0)
    mail_next_at: Mapped[datetime | None]
