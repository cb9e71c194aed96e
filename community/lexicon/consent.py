"""Two people for crisis rules: they call somebody out of bed or fail to, so one pair of eyes is not enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from flask import current_app

from community.accounts.models import Account
from community.core import db
from community.core.clock import now
from community.safety import Rule

from .changes import Change


def second_admin_needed(change: Change, in_force: Mapping[str, Rule]) -> bool:
    """Whether the change touches a rule that is about a crisis now or would be, and the setting asks for two admins."""
    if not any(_is_crisis(in_force.get(key)) for key in change.keys) and not any(map(_is_crisis, change.put)):
        return False
    return two_are_asked()


def two_are_asked() -> bool:
    policy = current_app.config["KITH"].crisis_rules_need_two
    return policy == "always" or (policy == "auto" and len(admins()) > 1)


def _is_crisis(rule: Rule | None) -> bool:
    return rule is not None and rule.severity == "crisis"


def admins(*, but: int = 0) -> Sequence[int]:
    """The accounts that could publish now, without `but`."""
    active = sa.or_(Account.suspended_until.is_(None), Account.suspended_until <= now())
    return db.session().scalars(sa.select(Account.id).where(Account.role == "admin", active, Account.id != but)).all()
