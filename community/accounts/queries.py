"""Reading people: the house rules, somebody's sign-ins and restrictions, the admin's list of people."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from community.core import db
from community.core.clock import now
from community.safety.muting import Muted, mute_key

from .models import Account, AuthSession, HouseRule, MutedWord, Restriction

PEOPLE_SHOWN = 50
SIGN_INS_SHOWN = 50


def house_rules() -> Sequence[Any]:
    """The rules in force, in their order."""
    rows = sa.select(HouseRule.id, HouseRule.key, HouseRule.title, HouseRule.text).where(HouseRule.retired_at.is_(None))
    return db.session().execute(rows.order_by(HouseRule.position, HouseRule.id)).all()


def retired_house_rules() -> Sequence[Any]:
    rows = sa.select(HouseRule.id, HouseRule.title, HouseRule.retired_at).where(HouseRule.retired_at.is_not(None))
    return db.session().execute(rows.order_by(HouseRule.retired_at.desc())).all()


def sign_ins_of(account_id: int) -> Sequence[Any]:
    """The sign-ins in force, the newest visit first."""
    rows = sa.select(AuthSession.id, AuthSession.browser, AuthSession.created_at, AuthSession.seen_at).where(
        AuthSession.account_id == account_id, AuthSession.revoked_at.is_(None), AuthSession.expires_at > now()
    )
    return db.session().execute(rows.order_by(AuthSession.seen_at.desc()).limit(SIGN_INS_SHOWN)).all()


def muted_words_of(account_id: int) -> Sequence[Any]:
    """What somebody muted, in the order of the alphabet."""
    rows = sa.select(MutedWord.id, MutedWord.words).where(MutedWord.account_id == account_id)
    return sorted(db.session().execute(rows), key=lambda row: row.words.casefold())


def muted_by(actor: Account) -> Muted | None:
    """What this reader does not want to meet; None, without asking, for all who muted nothing."""
    if not actor.muted_count:
        return None
    words = db.session().scalars(sa.select(MutedWord.words).where(MutedWord.account_id == actor.id).order_by(MutedWord.id))
    return _muted(tuple(words))


@lru_cache(maxsize=256)
def _muted(words: tuple[str, ...]) -> Muted:
    return Muted(map(mute_key, words))


def restrictions_of(account_id: int) -> Sequence[Any]:
    """What is taken from this person now, each with the decision that did it."""
    rows = sa.select(Restriction.decision_id, Restriction.starts_at, Restriction.ends_at).where(
        Restriction.account_id == account_id, Restriction.lifted_at.is_(None), Restriction.ends_at > now()
    )
    return db.session().execute(rows.order_by(Restriction.ends_at.desc())).all()


def people(*, beginning: str = "", after: str = "") -> Sequence[Any]:
    """One page of people by name key, from `after` on; one row more than shown tells that there is a next page."""
    rows = sa.select(
        Account.id, Account.name, Account.name_key, Account.role, Account.created_at, Account.suspended_until, Account.hue
    ).where(Account.name_key > after)
    if beginning:
        rows = rows.where(Account.name_key.startswith(beginning, autoescape=True))
    return db.session().execute(rows.order_by(Account.name_key).limit(PEOPLE_SHOWN + 1)).all()
