"""When a case must be taken, and who is told when nobody does. A clock only makes a case louder; it never closes it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask import current_app

from community.core import audit, db
from community.core.clock import minutes, now
from community.core.jobs import sweep
from community.core.realtime import announce

from .access import holder_lost_it, who_may_see
from .events import CaseChanged
from .hearers import Hearer, admins, page_on_call, takers, tell
from .models import Case
from .transitions import after

LEVELS = 3
BATCH = 50


def due_after(severity: str) -> datetime:
    return now() + minutes(getattr(current_app.config["KITH"], f"due_minutes_{severity}"))


@sweep(10)
def raise_overdue_cases() -> None:
    """Each case nobody took in time goes one level louder: certified people on duty, then who is on call, then the admins. At the top
    it does not fall silent: who is on call and the admins hear of it again each time, until somebody takes it."""
    with db.write():
        for case in _overdue():
            case.level = min(case.level + 1, LEVELS)
            case.louder_at = due_after(case.severity)
            case.changed_at = now()
            people = _people_to_tell(case)
            tell(case, "case-overdue", people, level=case.level)
            audit.record(None, "case.overdue", f"case:{case.id}", level=case.level, told=len(people))
            tell_desks(case)


@sweep(5)
def end_old_claims() -> None:
    """A claim is a lease: when it ends unrenewed, or its holder may not take the case any more, the case waits again for those who may.
    Where people were told before that it is overdue, they are told again; one that was passed on calls its seniors again."""
    with db.write() as database:
        over = sa.or_(Case.claim_until <= now(), holder_lost_it())
        ended = sa.select(Case).where(Case.state == "claimed", over).limit(BATCH)
        for case in database.scalars(ended.with_for_update(skip_locked=True)).all():
            audit.record(None, "case.claim-ended", f"case:{case.id}", held_by=case.claimed_by_id)
            let_go(case)
            if case.level and case.due_at <= now():
                case.louder_at = now()
            if case.state == "escalated":
                page_on_call(case)
            tell_desks(case)


def let_go(case: Case) -> None:
    """Nobody holds it now. A case that was passed on waits for a senior, as before."""
    case.state = after(case.state, "hand-back" if case.escalated_by_id else "release")
    case.claimed_by_id, case.claim_until, case.changed_at = None, None, now()


def tell_desks(case: Case, *, also: tuple[str, ...] = ()) -> None:
    """Announce the case to those who may see it, and to those certified for the concerns in `also`: theirs goes away."""
    announce(CaseChanged(case.id, tuple(db.session().scalars(who_may_see(case, also)))))


def _overdue() -> list[Case]:
    """Not those somebody holds: they were taken. A claim that ends makes them overdue again."""
    waiting = sa.and_(Case.state.in_(("open", "escalated")), Case.louder_at <= now())
    rows = sa.select(Case).where(waiting).order_by(Case.severity_rank.desc(), Case.louder_at).limit(BATCH)
    return list(db.session().scalars(rows.with_for_update(skip_locked=True)))


def _people_to_tell(case: Case) -> list[Hearer]:
    """Nobody at a level is no reason for silence: the next level is told instead. Admins get no words, only that it waits."""
    if case.level == 1 and (people := takers(case, shift="duty")):
        return people
    if case.level <= 2 and (people := takers(case, shift="on-call")):
        return people
    calls = takers(case, shift="on-call")
    return calls + [one for one in admins(case) if one not in calls]
