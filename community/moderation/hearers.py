"""Who is told of a case by name, beyond the desks that hear of it anyway: who could take it, and the admins."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.notifications.actions import notify
from community.training.queries import on_shift

from .access import could_take, who_may_see
from .models import Case

NAMED_AT_MOST = 5


class Hearer(NamedTuple):
    id: int
    name: str


@dataclass(frozen=True)
class Called:
    """Who was told at once: by name those who could take the case, whether they are on call, and how many admins besides."""

    names: tuple[str, ...]
    on_call: bool
    admins: int

    @property
    def count(self) -> int:
        return len(self.names) + self.admins


def takers(case: Case, *, shift: str = "") -> list[Hearer]:
    """Everybody who could take this case now; with `shift` those who are on such a shift."""
    rows = sa.select(Account.id, Account.name).join(Case, Case.id == case.id).where(could_take()).order_by(Account.id)
    if shift:
        rows = rows.where(Account.id.in_(on_shift(shift)))
    return [Hearer(*row) for row in db.session().execute(rows)]


def admins(case: Case) -> list[Hearer]:
    """Admins get no words they may not see, only that a case waits."""
    rows = sa.select(Account.id, Account.name).where(Account.role == "admin", Account.id != case.author_id)
    return [Hearer(*row) for row in db.session().execute(rows.order_by(Account.id))]


def page_on_call(case: Case) -> Called:
    """At once, for rules whose action is `page` and for cases passed on: who is on call, else who is on duty, of those who could take
    it. With neither, the admins; and for a case passed on every senior too. Whoever passed it on is told nothing new."""
    people, why = _to_page(case)
    others = [] if why in ("on-call", "duty") else _but_who_passed_it_on(case, admins(case))
    others = [one for one in others if one not in people]
    tell(case, "case-paged", people, why=why)
    tell(case, "case-paged", others, why="admin")
    return Called(tuple(one.name for one in people), why == "on-call", len(others))


def _to_page(case: Case) -> tuple[list[Hearer], str]:
    for shift in ("on-call", "duty"):
        if people := _but_who_passed_it_on(case, takers(case, shift=shift)):
            return people, shift
    return (_but_who_passed_it_on(case, takers(case)) if case.state == "escalated" else []), "senior"


def _but_who_passed_it_on(case: Case, people: Sequence[Hearer]) -> list[Hearer]:
    return [one for one in people if case.state != "escalated" or one.id != case.escalated_by_id]


def tell(case: Case, kind: str, people: Collection[Hearer], **facts: Any) -> None:
    """A notification each, by e-mail too. Who cannot see the case is told who could take it instead of being sent to its page."""
    if not people:
        return
    seeing = set(db.session().scalars(who_may_see(case)))
    able = [one.name for one in takers(case)][:NAMED_AT_MOST] if any(one.id not in seeing for one in people) else []
    for one in people:
        reach: dict[str, Any] = {} if one.id in seeing else {"unseen": True, "takers": able}
        notify(one.id, kind, mail=True, case=case.id, severity=case.severity, **facts, **reach)
