"""A room's posture at an hour: staffed within its hours, otherwise what the room says (quiet, night, closed).

`posture_at` is pure: spans in, posture out. A span is wall-clock minutes in the room's own zone. Where clocks go back, it
begins at the first and ends at the last moment that the clock shows those times; where they go forward over one, that time is
read as if they had not yet (RFC 5545). So a posture never flickers, and `changes_at` is the very moment at which it changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from community.core import db
from community.core.clock import now

from .models import Room, RoomHours

DAY = 1440
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Span(NamedTuple):
    """One staffed span: `weekday` 0 is Monday; `opens` and `closes` are minutes after midnight."""

    weekday: int
    opens: int
    closes: int


@dataclass(frozen=True)
class Posture:
    name: str  # staffed, quiet, night, closed
    changes_at: datetime | None  # when it next changes, aware in the room's zone; None: never


def posture_at(outside: str, timezone: str, hours: Sequence[Span], moment: datetime) -> Posture:
    if not hours:
        return Posture("staffed", None)
    zone = ZoneInfo(timezone)
    local = moment.astimezone(zone)
    until = _end_of_staffing(hours, local)
    if until is None:
        return Posture(outside, _next_opening(hours, local))
    while until - moment < timedelta(days=7):  # spans that touch are one
        longer = _end_of_staffing(hours, until)
        if longer is None:
            return Posture("staffed", until)
        until = longer
    return Posture("staffed", None)


@lru_cache(maxsize=1024)
def posture_in_minute(outside: str, timezone: str, hours: tuple[Span, ...], minute: datetime) -> Posture:
    """Spans begin and end on whole minutes: within one, every page gets the same answer."""
    return posture_at(outside, timezone, hours, minute)


def _end_of_staffing(hours: Sequence[Span], local: datetime) -> datetime | None:
    """When the span that holds this moment ends; None outside all spans."""
    for start, end in _spans(hours, local, range(-1, 1)):
        if start <= local.astimezone(UTC) < end:
            return end.astimezone(local.tzinfo)
    return None


def _next_opening(hours: Sequence[Span], local: datetime) -> datetime | None:
    for start, end in _spans(hours, local, range(15)):
        if start > local.astimezone(UTC) and start < end:
            return start.astimezone(local.tzinfo)
    return None


def _spans(hours: Sequence[Span], local: datetime, days: range) -> Iterator[tuple[datetime, datetime]]:
    """Begin and end (UTC) of the spans on the days counted from this one, in order."""
    for ahead in days:
        day = local.date() + timedelta(days=ahead)
        for span in sorted(span for span in hours if span.weekday == day.weekday()):
            yield _first(day, span.opens, local), _last(day, span.closes, local)


def _first(day: date, minute: int, local: datetime) -> datetime:
    return _wall(day, minute, local).astimezone(UTC)


def _last(day: date, minute: int, local: datetime) -> datetime:
    wall = _wall(day, minute, local)
    return max(wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC))


def _wall(day: date, minute: int, local: datetime) -> datetime:
    day += timedelta(days=minute // DAY)
    minute %= DAY
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=local.tzinfo)


def clock_time(minute: int) -> str:
    """540 is "09:00"; the end of a day is "24:00"."""
    return f"{minute // 60:02}:{minute % 60:02}"


@lru_cache
def place_of(timezone: str) -> str:
    """ "Europe/London" as a reader says it: London."""
    return timezone.rsplit("/", 1)[-1].replace("_", " ")


def hours_of(room: Room) -> list[Span]:
    return hours_of_rooms([room.id]).get(room.id, [])


def hours_of_rooms(room_ids: Sequence[int]) -> dict[int, list[Span]]:
    """The spans of many rooms in one statement."""
    rows = sa.select(RoomHours.room_id, RoomHours.weekday, RoomHours.opens, RoomHours.closes)
    found: dict[int, list[Span]] = {}
    for room_id, *span in db.session().execute(rows.where(RoomHours.room_id.in_(room_ids))):
        found.setdefault(room_id, []).append(Span(*span))
    return found


def this_minute() -> datetime:
    return now().replace(second=0, microsecond=0)


def posture_now(room: Room) -> Posture:
    return posture_in_minute(room.outside_hours, room.timezone, tuple(hours_of(room)), this_minute())


def is_open(room: Room) -> bool:
    """Whether chat may be written: always, unless the room closes outside its hours and this is outside."""
    return room.outside_hours != "closed" or posture_now(room).name != "closed"
