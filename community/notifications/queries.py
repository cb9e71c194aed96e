"""Reading what somebody was told, and what still has to go out by e-mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.clock import now

from .models import Notification

SHOWN = 20
BATCH = 50


def notifications_of(account_id: int, *, before: int | None = None) -> Sequence[Any]:
    """One page, newest first, from below `before`; one row more than shown tells that there are older ones."""
    rows = sa.select(Notification.id, Notification.kind, Notification.data, Notification.created_at, Notification.read_at)
    rows = rows.where(Notification.account_id == account_id)
    if before is not None:
        rows = rows.where(Notification.id < before)
    return db.session().execute(rows.order_by(Notification.id.desc()).limit(SHOWN + 1)).all()


def mail_due() -> Sequence[Any]:
    """Notifications whose e-mail should go out now, the longest waiting first."""
    rows = (
        sa.select(Notification.id, Notification.account_id, Notification.mail_attempts, Notification.read_at, Account.email)
        .join(Account, Account.id == Notification.account_id)
        .where(Notification.mail_state == "due", Notification.mail_next_at <= now())
    )
    return db.session().execute(rows.order_by(Notification.mail_next_at, Notification.id).limit(BATCH)).all()
