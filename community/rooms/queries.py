"""Reading rooms: the list a member sees, the list an admin sees, who is in a room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db

from .hours import DAY, Hours
from .models import Membership, Room, StaffScope
from .posture import Posture, posture_at, posture_in_minute, this_minute

MEMBERS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class RoomLine:
    """A room as a list shows it."""

    id: int
    name: str
    purpose: str
    posture: Posture
    zone: str
    has_forum: bool
    has_chat: bool
    member_count: int
    last_activity_at: datetime | None
    joined: bool


def rooms_to_see(actor: Account) -> list[RoomLine]:
    """Every room `actor` may read, in the order the admin gave them. The same rule as `access.may_read`, as SQL."""
    joined = Membership.account_id.is_not(None)
    rows = (
        sa.select(
            Room.id, Room.name, Room.purpose, Room.timezone, Room.outside_hours, Room.hours, Room.has_forum, Room.has_chat,
            Room.member_count, Room.last_activity_at, joined.label("joined"),
        )
        .outerjoin(Membership, sa.and_(Membership.room_id == Room.id, Membership.account_id == actor.id))
        .where(Room.archived_at.is_(None), Room.host_id.is_(None), _readable(actor, joined))
        .order_by(Room.position, Room.id)
    )  # fmt: skip
    found = db.session().execute(rows).all() if not actor.is_suspended else []
    minute = this_minute()
    return [_line(row, posture_in_minute(row.outside_hours, row.timezone, row.hours, minute)) for row in found]


def readable_rooms(actor: Account) -> dict[int, str]:
    """Id and name of every room `actor` may read."""
    joined = sa.exists().where(Membership.room_id == Room.id, Membership.account_id == actor.id)
    rows = sa.select(Room.id, Room.name).where(Room.archived_at.is_(None), Room.host_id.is_(None), _readable(actor, joined))
    return {row.id: row.name for row in db.session().execute(rows.order_by(Room.position, Room.id))}


def searched_rooms(actor: Account) -> Sequence[Any]:
    """Id and name of every room whose words `actor` may find, and which parts it has: the rooms above, and the sessions they are in."""
    joined = sa.exists().where(Membership.room_id == Room.id, Membership.account_id == actor.id)
    rows = sa.select(Room.id, Room.name, Room.has_forum, Room.has_chat).where(
        Room.archived_at.is_(None), sa.or_(sa.and_(Room.host_id.is_(None), _readable(actor, joined)), _in_session(joined))
    )
    return db.session().execute(rows.order_by(Room.host_id.is_not(None), Room.position, Room.id)).all()


def _in_session(joined: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.and_(Room.host_id.is_not(None), joined)


chats_followed = (
    sa.select(Room.id)
    .join(Membership, Membership.room_id == Room.id)
    .where(Membership.account_id == sa.bindparam("me"))
    .where(Room.archived_at.is_(None), Room.host_id.is_(None), Room.has_chat)
    .where(
        sa.or_(
            Room.read_by != "staff",
            sa.bindparam("admin", type_=sa.Boolean),
            sa.and_(
                sa.bindparam("staff", type_=sa.Boolean),
                sa.exists().where(
                    StaffScope.account_id == sa.bindparam("me"),
                    sa.or_(StaffScope.room_id.is_(None), StaffScope.room_id == Room.id),
                ),
            ),
        )
    )
)
"""Ids of the rooms with a chat that somebody joined and may read; made once, because every page asks. Its values: `follower`."""


def follower(actor: Account) -> dict[str, Any]:
    return {"me": actor.id, "staff": actor.is_staff, "admin": actor.is_admin}


def _line(row: Any, posture: Posture) -> RoomLine:
    return RoomLine(
        row.id, row.name, row.purpose, posture, row.timezone, row.has_forum, row.has_chat, row.member_count,
        row.last_activity_at, bool(row.joined),
    )  # fmt: skip


def _readable(actor: Account, joined: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    if actor.is_admin:
        return sa.true()
    readable = sa.or_(Room.read_by == "members", sa.and_(Room.read_by == "joined", joined))
    if not actor.is_staff:
        return readable
    mine = sa.select(StaffScope.id).where(
        StaffScope.account_id == actor.id, sa.or_(StaffScope.room_id.is_(None), StaffScope.room_id == Room.id)
    )
    return sa.or_(readable, mine.exists())


def profile_of(room_id: int) -> str:
    """What the room is about, as rules know it."""
    profile: str = db.ask(_profile, room=room_id).scalar_one()
    return profile


_profile = sa.select(Room.profile).where(Room.id == sa.bindparam("room"))


def all_rooms() -> Sequence[Any]:
    """Every room with its settings, the archived last."""
    rows = sa.select(
        Room.id,
        Room.name,
        Room.read_by,
        Room.write_by,
        Room.mode,
        Room.has_forum,
        Room.has_chat,
        Room.member_count,
        Room.archived_at,
    ).where(Room.host_id.is_(None))
    return db.session().execute(rows.order_by(Room.archived_at.is_not(None), Room.position, Room.id)).all()


def members_of(room: Room) -> Sequence[Any]:
    """Id and name of who joined, the newest first, as far as a page shows them."""
    rows = sa.select(Account.id, Account.name, Membership.joined_at).join(Membership, Membership.account_id == Account.id)
    rows = rows.where(Membership.room_id == room.id).order_by(Membership.joined_at.desc(), Account.id.desc())
    return db.session().execute(rows.limit(MEMBERS_SHOWN)).all()


def scope_of(account: Account) -> frozenset[int] | None:
    """The rooms a moderator looks after; None means every room."""
    rooms = set(db.session().scalars(sa.select(StaffScope.room_id).where(StaffScope.account_id == account.id)))
    return None if None in rooms else frozenset(room for room in rooms if room is not None)


def staff_scopes() -> list[tuple[int, str, str, str]]:
    """Id, name, role and rooms in words of everybody on the staff."""
    rows = (
        sa.select(Account.id, Account.name, Account.role, StaffScope.id, Room.name)
        .outerjoin(StaffScope, StaffScope.account_id == Account.id)
        .outerjoin(Room, Room.id == StaffScope.room_id)
        .where(Account.role != "member")
        .order_by(Account.name, Room.position)
    )
    people: dict[tuple[int, str, str], list[str]] = {}
    for account_id, name, role, scope, room in db.session().execute(rows):
        rooms = people.setdefault((account_id, name, role), [])
        if scope is not None:
            rooms.append(room or "every room")
    return [(*who, _in_words(rooms)) for who, rooms in people.items()]


def _in_words(rooms: list[str]) -> str:
    if "every room" in rooms:
        return "every room"
    return ", ".join(rooms) or "no room yet"


# ---- pictures of hours


Stretch = tuple[int, int, str]  # minutes after midnight, posture
Picture = tuple[tuple[date, list[Stretch]], ...]


def picture_of(room: Room) -> Picture:
    """The seven days from today, each as what holds when, by the wall clock of the room."""
    today = this_minute().astimezone(ZoneInfo(room.timezone)).date()
    return _picture(room.outside_hours, room.timezone, room.hours, today)


@lru_cache(maxsize=256)
def _picture(outside: str, timezone: str, hours: Hours, today: date) -> Picture:
    days = (today + timedelta(days=ahead) for ahead in range(7))
    return tuple((day, _day(outside, timezone, hours, day)) for day in days)


def runs_of(picture: Picture) -> list[tuple[date, date, list[Stretch]]]:
    """First and last day of each run of days that are alike."""
    runs = [list(days) for _, days in groupby(picture, key=lambda told: told[1])]
    return [(days[0][0], days[-1][0], days[0][1]) for days in runs]


def minute_there(room: Room) -> int:
    """Minutes after midnight on the clocks of the room."""
    return _minute(this_minute(), ZoneInfo(room.timezone))


def _day(outside: str, timezone: str, hours: Hours, day: date) -> list[Stretch]:
    zone = ZoneInfo(timezone)
    at = datetime.combine(day, time(), zone).astimezone(UTC)
    over = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    found: list[Stretch] = []
    while at < over:
        posture = posture_at(outside, timezone, hours, at)
        until = min(posture.changes_at.astimezone(UTC), over) if posture.changes_at else over
        found.append((_minute(at, zone), DAY if until == over else _minute(until, zone), posture.name))
        at = until
    return found


def _minute(moment: datetime, zone: ZoneInfo) -> int:
    local = moment.astimezone(zone)
    return 60 * local.hour + local.minute


def clock_changes(room: Room) -> list[tuple[date, int, list[Stretch]]]:
    """The days of the coming year on which clocks change in the room's zone, by how many minutes, and what holds on them."""
    zone = ZoneInfo(room.timezone)
    today = this_minute().astimezone(zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(366))
    changes = ((day, _change(day, zone)) for day in days)
    return [(day, minutes, _day(room.outside_hours, room.timezone, room.hours, day)) for day, minutes in changes if minutes]


def _change(day: date, zone: ZoneInfo) -> int:
    before, after = (datetime.combine(each, time(), zone).utcoffset() for each in (day, day + timedelta(days=1)))
    return int(((after or timedelta()) - (before or timedelta())).total_seconds() // 60)
