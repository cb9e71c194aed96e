"""Telling people things: a row now, a live hint after the commit, an e-mail from the row when one is configured."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.clock import minutes, now
from community.core.realtime import announce

from .events import NotificationAdded
from .models import Notification

MAIL_WAITS = (minutes(1), minutes(5), minutes(30), timedelta(hours=2), timedelta(hours=12))


def notify(account_id: int, kind: str, *, mail: bool = False, read: bool = False, **data: Any) -> Notification:
    """Store one notification. `mail`: also by e-mail, if the account has an address; `read`: shown already, kept for later."""
    row = Notification(
        account_id=account_id, kind=kind, data=data, created_at=now(), read_at=now() if read else None,
        mail_state="due" if mail else "none", mail_next_at=now() if mail else None,
    )  # fmt: skip
    database = db.session()
    database.add(row)
    database.flush()
    if not read:
        database.execute(
            sa.update(Account).where(Account.id == account_id).values(unread_notifications=Account.unread_notifications + 1)
        )
        announce(NotificationAdded(account_id))
    return row


def mark_read(actor: Account, ids: Collection[int]) -> None:
    """These have been read. The counter goes down by what was unread, however many pages mark the same at once."""
    _read(actor, Notification.id.in_(ids))


def mark_all_read(actor: Account) -> None:
    _read(actor, sa.true())


def _read(actor: Account, which: sa.ColumnElement[bool]) -> None:
    database = db.session()
    newly = database.execute(
        sa.update(Notification)
        .where(Notification.account_id == actor.id, Notification.read_at.is_(None), which)
        .values(read_at=now())
        .execution_options(synchronize_session=False)
    ).rowcount  # type: ignore[attr-defined]
    database.execute(
        sa.update(Account)
        .where(Account.id == actor.id)
        .values(unread_notifications=Account.unread_notifications - newly)
        .execution_options(synchronize_session=False)
    )
    database.refresh(actor, ["unread_notifications"])


def mail_sent(ids: Collection[int]) -> None:
    _settle_mail(ids, "sent")


def mail_not_needed(ids: Collection[int]) -> None:
    """Nobody to write to, no server to write with, or read meanwhile."""
    _settle_mail(ids, "none")


def _settle_mail(ids: Collection[int], state: str) -> None:
    db.session().execute(
        sa.update(Notification)
        .where(Notification.id.in_(ids), Notification.mail_state == "due")
        .values(mail_state=state, mail_next_at=None)
        .execution_options(synchronize_session=False)
    )


def mail_failed(ids: Collection[int]) -> None:
    """Tried in vain: again after the next wait, and given up (visibly, as `failed`) after the last."""
    for row in db.session().scalars(sa.select(Notification).where(Notification.id.in_(ids), Notification.mail_state == "due")):
        wait = MAIL_WAITS[row.mail_attempts] if row.mail_attempts < len(MAIL_WAITS) else None
        row.mail_attempts += 1
        row.mail_state, row.mail_next_at = ("due", now() + wait) if wait else ("failed", None)
