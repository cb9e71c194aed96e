"""When a case must be taken, and who is told when nobody does. A clock only makes a case louder; it never closes it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask import current_app

from community.accounts.models import Account
from community.core import audit, db
from community.core.clock import minutes, now
from community.core.jobs import sweep
from community.core.realtime import announce
from community.notifications.actions import notify
from community.training.queries import on_shift

from .access import who_may_see
from .events import CaseChanged
from .models import Appeal, Case, Decision
from .transitions import after

LEVELS = 3
BATCH = 50


def due_after(severity: str) -> datetime:
    return now() + minutes(getattr(current_app.config["KITH"], f"due_minutes_{severity}"))


@sweep(10)
def raise_overdue_cases() -> None:
    """Each case nobody took in time goes one level louder: certified people on duty, then the on-call seniors, then admins."""
    with db.write():
        for case in _overdue():
            case.level += 1
            case.louder_at = due_after(case.severity)
            case.changed_at = now()
            people = _people_to_tell(case)
            for account_id in people:
                notify(account_id, "case-overdue", mail=True, case=case.id, severity=case.severity, level=case.level)
            audit.record(None, "case.overdue", f"case:{case.id}", level=case.level, told=len(people))
            tell_desks(case)


@sweep(5)
def end_old_claims() -> None:
    """A claim is a lease: when it ends unrenewed, the case is open to everybody again."""
    with db.write() as database:
        ended = sa.select(Case).where(Case.state == "claimed", Case.claim_until <= now()).limit(BATCH)
        for case in database.scalars(ended.with_for_update(skip_locked=True)).all():
            audit.record(None, "case.claim-ended", f"case:{case.id}", held_by=case.claimed_by_id)
            case.state, case.claimed_by_id, case.claim_until = after(case.state, "release"), None, None
            case.changed_at = now()
            tell_desks(case)


def page_on_call(case: Case) -> None:
    """At once, for rules whose action is `page` and for cases passed on: who is on call; when nobody is, who is on duty; else admins."""
    for account_id in _on_shift(case, "on-call") or _on_shift(case, "duty") or _admins(case):
        notify(account_id, "case-paged", mail=True, case=case.id, severity=case.severity)


def tell_desks(case: Case, *, also: tuple[str, ...] = ()) -> None:
    """Announce the case to those who may see it, and to those certified for the concerns in `also`: theirs goes away."""
    announce(CaseChanged(case.id, tuple(db.session().scalars(who_may_see(case, also)))))


def _overdue() -> list[Case]:
    """Not those somebody holds: they were taken. A claim that ends makes them overdue again."""
    waiting = sa.and_(Case.state.in_(("open", "escalated")), Case.louder_at <= now(), Case.level < LEVELS)
    rows = sa.select(Case).where(waiting).order_by(Case.severity_rank.desc(), Case.louder_at).limit(BATCH)
    return list(db.session().scalars(rows.with_for_update(skip_locked=True)))


def _people_to_tell(case: Case) -> list[int]:
    """Nobody at a level is no reason for silence: the next level is told instead. Admins get no words, only that it waits."""
    if case.level == 1 and (people := _on_shift(case, "duty")):
        return people
    if case.level <= 2 and (people := _on_shift(case, "on-call")):
        return people
    return _admins(case)


def _on_shift(case: Case, kind: str) -> list[int]:
    """Staff on that shift who could take this case. The first decider of an open appeal could not."""
    rows = who_may_see(case).where(Account.id.in_(on_shift(kind)), Account.id.not_in(_first_deciders(case)))
    return list(db.session().scalars(rows))


def _first_deciders(case: Case) -> sa.Select[int]:
    appealed = sa.select(Appeal.first_decider_id).join(Decision, Decision.id == Appeal.decision_id)
    return appealed.where(Decision.case_id == case.id, Appeal.outcome == "open")


def _admins(case: Case) -> list[int]:
    return list(db.session().scalars(sa.select(Account.id).where(Account.role == "admin", Account.id != case.author_id)))
