"""When a case must be taken, and who is told when nobody does. A clock only makes a case louder; it never closes it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask import current_app

from community.core import audit, db
from community.core.clock import minutes, now
from community.core.jobs import sweep
from community.core.realtime import announce

from .access import who_may_see
from .events import CaseChanged
from .hearers import Hearer, admins, takers, tell
from .models import Case
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
            tell(case, "case-overdue", people, level=case.level)
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


def tell_desks(case: Case, *, also: tuple[str, ...] = ()) -> None:
    """Announce the case to those who may see it, and to those certified for the concerns in `also`: theirs goes away."""
    announce(CaseChanged(case.id, tuple(db.session().scalars(who_may_see(case, also)))))


def _overdue() -> list[Case]:
    """Not those somebody holds: they were taken. A claim that ends makes them overdue again."""
    waiting = sa.and_(Case.state.in_(("open", "escalated")), Case.louder_at <= now(), Case.level < LEVELS)
    rows = sa.select(Case).where(waiting).order_by(Case.severity_rank.desc(), Case.louder_at).limit(BATCH)
    return list(db.session().scalars(rows.with_for_update(skip_locked=True)))


def _people_to_tell(case: Case) -> list[Hearer]:
    """Nobody at a level is no reason for silence: the next level is told instead. Admins get no words, only that it waits."""
    if case.level == 1 and (people := takers(case, shift="duty")):
        return people
    if case.level <= 2 and (people := takers(case, shift="on-call")):
        return people
    return admins(case)
