"""What happens to live connections when somebody's authority changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from community.core import db, realtime
from community.core.clock import now
from community.core.realtime import sockets

from .access import live_sessions
from .models import Account, AuthorityChange

OVERLAP = timedelta(seconds=10)  # rows of a slow transaction become visible late; applying one twice changes nothing


@dataclass(frozen=True)
class AuthorityChanged:
    """Sockets of this account lose what the account lost. Not sent to browsers."""

    account_id: int

    def apply(self) -> None:
        recheck_accounts([self.account_id])


def recheck_accounts(account_ids: list[int]) -> None:
    """Compare this process's sockets of these accounts with the database and take away what is gone."""
    here = [account_id for account_id in account_ids if sockets.of(account_id)]
    if not here:
        return
    alive = live_sessions(here)
    accounts = {account.id: account for account in db.session().scalars(sa.select(Account).where(Account.id.in_(here)))}
    for account_id in here:
        realtime.recheck(accounts.get(account_id), account_id, alive[account_id])


def accounts_changed_since(moment: datetime) -> set[int]:
    return set(db.session().scalars(sa.select(AuthorityChange.account_id).where(AuthorityChange.at > moment - OVERLAP)))


def forget_old_changes() -> None:
    db.session().execute(sa.delete(AuthorityChange).where(AuthorityChange.at < now() - timedelta(hours=1)))
