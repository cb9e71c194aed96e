"""What an admin sees of the desk: how much waits where, who could take it, and the audit log. No words of members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.audit import AuditEntry
from community.core.clock import now
from community.lexicon.queries import current_number
from community.rooms.models import Room, StaffScope
from community.training.models import Certificate

from .access import nobody_could_take
from .models import Case

PAGE = 50
SEVERITIES_SHOWN = ("crisis", "red", "amber", "green")


@dataclass(frozen=True, slots=True)
class RoomLoad:
    room: str
    waiting: dict[str, int]
    overdue: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Open cases that nobody could take. `trained`: somebody in good standing is certified for this concern in this room, and yet
    not for these cases: they wrote the words, reported them, decided what is appealed, or are not the senior it was passed to."""

    room: str
    concern: str
    cases: int
    trained: bool


@dataclass(frozen=True, slots=True)
class Overview:
    waiting: dict[str, int]
    overdue: int
    rooms: list[RoomLoad]
    gaps: list[Gap]
    people: dict[str, int]
    suspended: int
    room_count: int
    revision: int


def overview() -> Overview:
    rows = _open_cases()
    loads = _loads(rows)
    people = db.session().execute(sa.select(Account.role, sa.func.count()).group_by(Account.role)).all()
    return Overview(
        waiting={name: sum(load.waiting[name] for load in loads) for name in SEVERITIES_SHOWN},
        overdue=sum(load.overdue for load in loads),
        rooms=loads,
        gaps=_gaps(),
        people={row[0]: row[1] for row in people},
        suspended=_count(sa.select(Account.id).where(Account.suspended_until > now())),
        room_count=_count(sa.select(Room.id).where(Room.archived_at.is_(None), Room.host_id.is_(None))),
        revision=current_number(),
    )


def _open_cases() -> Sequence[Any]:
    late = sa.case((sa.and_(Case.due_at <= now(), Case.state != "claimed"), 1), else_=0)
    rows = (
        sa.select(
            Room.id, Room.name, Case.concern, Case.severity, sa.func.count().label("cases"), sa.func.sum(late).label("late")
        )
        .join(Room, Room.id == Case.room_id)
        .where(Case.state != "closed")
        .group_by(Room.id, Room.name, Room.position, Case.concern, Case.severity)
        .order_by(Room.position, Room.id, Case.concern)
    )
    return db.session().execute(rows).all()


def _loads(rows: Sequence[Any]) -> list[RoomLoad]:
    rooms: dict[str, list[Any]] = {}
    for row in rows:
        rooms.setdefault(row.name, []).append(row)
    return [RoomLoad(name, _by_severity(found), sum(row.late for row in found)) for name, found in rooms.items()]


def _by_severity(rows: Sequence[Any]) -> dict[str, int]:
    return {name: sum(row.cases for row in rows if row.severity == name) for name in SEVERITIES_SHOWN}


def _gaps() -> list[Gap]:
    rows = (
        sa.select(Room.id, Room.name, Case.concern, sa.func.count().label("cases"))
        .join(Room, Room.id == Case.room_id)
        .where(Case.state != "closed", nobody_could_take())
        .group_by(Room.id, Room.name, Room.position, Case.concern)
        .order_by(Room.position, Room.id, Case.concern)
    )
    found, covered = db.session().execute(rows).all(), _covered()
    return [
        Gap(row.name, row.concern, row.cases, not covered.isdisjoint({(row.id, row.concern), (None, row.concern)}))
        for row in found
    ]


def _covered() -> set[tuple[int | None, str]]:
    """Room (None: every room) and concern for which somebody in good standing is certified now."""
    moment = now()
    rows = (
        sa.select(StaffScope.room_id, Certificate.concern)
        .join(Certificate, Certificate.account_id == StaffScope.account_id)
        .join(Account, Account.id == StaffScope.account_id)
        .where(Account.role != "member", sa.or_(Account.suspended_until.is_(None), Account.suspended_until <= moment))
        .where(Certificate.revoked_at.is_(None), Certificate.granted_at <= moment, Certificate.expires_at > moment)
        .distinct()
    )
    return {(room_id, concern) for room_id, concern in db.session().execute(rows)}


def _count(rows: sa.Select[int]) -> int:
    return db.session().scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0


@dataclass(frozen=True, slots=True)
class Entries:
    rows: Sequence[Any]
    older: int | None  # id to go on before


def audit_entries(*, actor: str, act: str, subject: str, before: int) -> Entries:
    """The newest first. `actor` is a name, `act` begins an act ("case" or "case.decided"), `subject` is one thing ("case:12")."""
    rows = sa.select(AuditEntry.id, AuditEntry.at, AuditEntry.actor_name, AuditEntry.act, AuditEntry.subject, AuditEntry.detail)
    if actor:
        rows = rows.where(sa.func.lower(AuditEntry.actor_name) == actor.lower())
    if act:
        rows = rows.where(AuditEntry.act.startswith(act, autoescape=True))
    if subject:
        rows = rows.where(AuditEntry.subject == subject)
    if before:
        rows = rows.where(AuditEntry.id < before)
    found = db.session().execute(rows.order_by(AuditEntry.id.desc()).limit(PAGE + 1)).all()
    return Entries(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)
