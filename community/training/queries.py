"""Who is trained for what, and who is on duty now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from community.accounts.models import Account
from community.core import db
from community.core.clock import now
from community.rooms.models import Room, StaffScope
from community.safety import CONCERNS

from .models import Certificate, Shift

OVERLAP = timedelta(seconds=2)
LAPSING_SOON = timedelta(days=30)


def in_force() -> sa.ColumnElement[bool]:
    """Granted, not revoked, not run out."""
    return sa.and_(Certificate.revoked_at.is_(None), Certificate.expires_at > now(), Certificate.granted_at <= now())


def concerns_of(account: Account) -> frozenset[str]:
    """Concerns this account is certified for at this moment."""
    if not account.is_staff:
        return frozenset()
    rows = sa.select(Certificate.concern).where(Certificate.account_id == account.id, in_force())
    return frozenset(db.session().scalars(rows))


def certified_for(concern: str) -> sa.Select[int]:
    """Ids of accounts certified for a concern now, as a select to build on."""
    return sa.select(Certificate.account_id).where(Certificate.concern == concern, in_force())


def on_shift(kind: str) -> sa.Select[int]:
    moment = now()
    return sa.select(Shift.account_id).where(Shift.kind == kind, Shift.starts_at <= moment, Shift.ends_at > moment)


def somebody_is_here(room_id: int) -> bool:
    """Whether somebody in good standing who is certified and looks after this room is on duty now. In staffed hours a page
    may then say that a moderator is here."""
    moment = now()
    scoped = sa.select(StaffScope.account_id).where(sa.or_(StaffScope.room_id == room_id, StaffScope.room_id.is_(None)))
    trained = sa.select(Certificate.account_id).where(in_force())
    here = (
        on_shift("duty")
        .join(Account, Account.id == Shift.account_id)
        .where(Account.role != "member", sa.or_(Account.suspended_until.is_(None), Account.suspended_until <= moment))
        .where(Shift.account_id.in_(scoped), Shift.account_id.in_(trained))
    )
    return db.session().scalar(here.limit(1)) is not None


def lapsed_since(moment: datetime) -> set[int]:
    """Accounts with a certificate that ran out between `moment` and now."""
    rows = sa.select(Certificate.account_id).where(Certificate.expires_at > moment - OVERLAP, Certificate.expires_at <= now())
    return set(db.session().scalars(rows))


# ---- the admin's page


@dataclass
class Trained:
    """Somebody on the team and what they are certified for now: concern -> until when."""

    id: int
    name: str
    role: str
    until: dict[str, datetime] = field(default_factory=dict)

    @property
    def lapsing(self) -> list[str]:
        return [concern for concern, until in self.until.items() if until < now() + LAPSING_SOON]


def team() -> list[Trained]:
    """Everybody on the staff with their certificates in force, in two statements."""
    staff = sa.select(Account.id, Account.name, Account.role).where(Account.role != "member").order_by(Account.name)
    people = {row.id: Trained(*row) for row in db.session().execute(staff)}
    rows = sa.select(Certificate.account_id, Certificate.concern, Certificate.expires_at).where(in_force())
    for account_id, concern, until in db.session().execute(rows.order_by(Certificate.expires_at)):
        if account_id in people:
            people[account_id].until[concern] = until
    return list(people.values())


def uncovered(people: Sequence[Trained]) -> list[str]:
    """Concerns nobody is certified for now: their cases reach no desk."""
    covered = {concern for person in people for concern in person.until}
    return [concern for concern in CONCERNS if concern not in covered]


def certificates_of(account: Account) -> Sequence[Any]:
    """All certificates one person ever had, the newest first, with who granted and revoked them."""
    granter, revoker = aliased(Account), aliased(Account)
    rows = (
        sa.select(
            Certificate.concern, Certificate.granted_at, Certificate.expires_at, Certificate.revoked_at,
            granter.name.label("granted_by"), revoker.name.label("revoked_by"),
        )
        .outerjoin(granter, granter.id == Certificate.granted_by_id)
        .outerjoin(revoker, revoker.id == Certificate.revoked_by_id)
        .where(Certificate.account_id == account.id)
        .order_by(Certificate.id.desc())
    )  # fmt: skip
    return db.session().execute(rows.limit(200)).all()


def shifts_between(start: datetime, end: datetime) -> Sequence[Any]:
    rows = sa.select(Shift.id, Shift.kind, Shift.starts_at, Shift.ends_at, Account.id.label("account_id"), Account.name)
    rows = rows.join(Account, Account.id == Shift.account_id).where(Shift.starts_at < end, Shift.ends_at > start)
    return db.session().execute(rows.order_by(Shift.starts_at, Account.name)).all()


def week(monday: date, zone: ZoneInfo) -> list[tuple[date, list[Any]]]:
    """Seven days and the shifts that touch each of them, in one statement."""
    edges = [datetime.combine(monday + timedelta(days=day), time(), zone) for day in range(8)]
    shifts = shifts_between(edges[0], edges[7])
    return [
        (start.date(), [shift for shift in shifts if shift.starts_at < end and shift.ends_at > start])
        for start, end in pairwise(edges)
    ]


def usual_zone() -> str:
    """The time zone of the first room: where this community lives."""
    return db.session().scalar(sa.select(Room.timezone).order_by(Room.position, Room.id).limit(1)) or "UTC"
