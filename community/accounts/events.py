"""What happens to live connections when somebody's authority changes."""

from __future__ import annotations

import time
from collections import deque
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


class Changes:
    """The changes that this process has not seen yet, by their numbers: clocks that disagree, or are set back, hide none."""

    def __init__(self) -> None:
        self._floor: int | None = None
        self._seen: set[int] = set()
        self._marks: deque[tuple[float, int]] = deque()

    def accounts(self) -> set[int]:
        """Whose authority changed since the last question. Numbers of a slow transaction become visible late, so what lies
        `OVERLAP` back is looked at again."""
        if self._floor is None:
            newest = db.session().scalar(sa.select(sa.func.max(AuthorityChange.id))) or 0
            self._floor = max(0, newest - FIRST_LOOK_BACK)
        rows = db.session().execute(_changes, {"floor": self._floor}).all()
        fresh = {row.account_id for row in rows if row.id not in self._seen}
        self._seen = {row.id for row in rows}
        moment = time.monotonic()
        self._marks.append((moment, max(self._seen, default=self._floor)))
        while self._marks[0][0] < moment - OVERLAP.total_seconds():
            self._floor = self._marks.popleft()[1]
        return fresh


FIRST_LOOK_BACK = 1_000
_changes = sa.select(AuthorityChange.id, AuthorityChange.account_id).where(AuthorityChange.id > sa.bindparam("floor"))


def forget_old_changes() -> None:
    """All but the newest: SQLite would give its number again, and `Changes` would take the next change for an old one."""
    newest = sa.select(sa.func.max(AuthorityChange.id)).scalar_subquery()
    old = AuthorityChange.at < now() - timedelta(hours=1)
    db.session().execute(sa.delete(AuthorityChange).where(old, AuthorityChange.id < newest))
