"""Loading people, if allowed."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from community.core import db
from community.core.clock import now
from community.core.errors import NotFound
from community.core.prepared import Prepared

from .models import Account, AuthSession, HouseRule


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def account_signed_in(token: str) -> Account | None:
    """Who holds this sign-in now; None once it is revoked or has ended. Asked at every request and every socket event."""
    found = db.session().execute(_signed_in, {"token_hash": token_hash(token), "moment": now()}).first()
    if found is None:
        return None
    account, session_id, seen_at = found
    account.session_id, account.session_token, account.session_seen_s = session_id, token, seen_at.timestamp()
    return account  # type: ignore[no-any-return]


_signed_in = (
    sa.select(Account, AuthSession.id, AuthSession.seen_at)
    .join(AuthSession, AuthSession.account_id == Account.id)
    .where(
        AuthSession.token_hash == sa.bindparam("token_hash"),
        AuthSession.revoked_at.is_(None),
        AuthSession.expires_at > sa.bindparam("moment"),
    )
)


def account_live(token: str) -> Account | None:
    """The same for one event of a live connection, at a third of the cost: a copy of the row, which no session knows."""
    row = db.first_alone(_signed_in_row, token_hash=token_hash(token), moment=now())
    if row is None:
        return None
    *columns, session_id, seen_at = row
    account = db.copy_of(Account, dict(zip(_COLUMNS, columns, strict=True)))
    account.session_id, account.session_token, account.session_seen_s = session_id, token, seen_at.timestamp()
    return account


_COLUMNS = tuple(column.key for column in Account.__table__.columns)
_signed_in_row = Prepared(_signed_in.with_only_columns(Account.__table__, AuthSession.id, AuthSession.seen_at))


def was_signed_in(account: Account, token: object) -> bool:
    """Whether this sign-in, in force or over, is or was one of this account."""
    if not isinstance(token, str):
        return False
    theirs = sa.select(AuthSession.id).where(AuthSession.account_id == account.id, AuthSession.token_hash == token_hash(token))
    return db.session().scalar(theirs) is not None


def account_named(name_key: str) -> Account | None:
    return db.session().scalars(sa.select(Account).where(Account.name_key == name_key)).one_or_none()


def account_again(account_id: int, password_hash: str) -> Account | None:
    """The account, unless its password changed since it was proven."""
    found = db.session().get(Account, account_id, populate_existing=True)
    return found if found is not None and found.password_hash == password_hash else None


def account_to_manage(actor: Account, account_id: int) -> Account:
    """Any account, for an admin; nobody else learns that it exists."""
    found = db.session().get(Account, account_id) if actor.is_admin else None
    if found is None:
        raise NotFound
    return found


def house_rule_to_manage(actor: Account, rule_id: int) -> HouseRule:
    found = db.session().get(HouseRule, rule_id) if actor.is_admin else None
    if found is None:
        raise NotFound
    return found


def live_sessions(account_ids: list[int]) -> dict[int, set[int]]:
    """The sign-ins in force of each account."""
    rows = db.session().execute(
        sa.select(AuthSession.account_id, AuthSession.id).where(
            AuthSession.account_id.in_(account_ids), AuthSession.revoked_at.is_(None), AuthSession.expires_at > now()
        )
    )
    found: dict[int, set[int]] = {account_id: set() for account_id in account_ids}
    for account_id, session_id in rows:
        found[account_id].add(session_id)
    return found


def has_demo_accounts() -> bool:
    return db.session().scalar(sa.select(Account.id).where(Account.is_demo).limit(1)) is not None


def has_accounts() -> bool:
    return db.session().scalar(sa.select(Account.id).limit(1)) is not None
