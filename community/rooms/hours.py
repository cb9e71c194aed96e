"""A room's week and its holidays: one value, kept whole in the room's row, so that whoever has the room has its hours.

Times are wall-clock minutes after midnight in the room's own zone. What no span covers is the room's posture outside its hours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import sqlalchemy as sa

DAY = 1440
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
POSTURES = ("staffed", "quiet", "night", "closed")


class Span(NamedTuple):
    """`weekday` 0 is Monday. `closes` comes after `opens`, and beyond 1440 is on the next day."""

    weekday: int
    opens: int
    closes: int
    posture: str = "staffed"


class Holiday(NamedTuple):
    """What holds on each of these days, instead of the week, between `opens` and `closes`."""

    first: date
    last: date
    opens: int
    closes: int
    posture: str
    name: str

    @property
    def whole_days(self) -> bool:
        return (self.opens, self.closes) == (0, DAY)


@dataclass(frozen=True)
class Hours:
    """No spans: staffed around the clock, but for the holidays."""

    week: tuple[Span, ...] = ()
    holidays: tuple[Holiday, ...] = ()


@lru_cache(maxsize=1024)
def read_hours(kept: str) -> Hours:
    facts = json.loads(kept)
    holidays = (
        Holiday(date.fromisoformat(first), date.fromisoformat(last), opens, closes, posture, name)
        for first, last, opens, closes, posture, name in facts.get("holidays", ())
    )
    return Hours(tuple(Span(*span) for span in facts.get("week", ())), tuple(holidays))


def written_hours(hours: Hours) -> str:
    holidays = [[one.first.isoformat(), one.last.isoformat(), *one[2:]] for one in sorted(hours.holidays)]
    return json.dumps({"week": sorted(hours.week), "holidays": holidays}, ensure_ascii=False, separators=(",", ":"))


class HoursText(sa.TypeDecorator[Hours]):
    """Kept as JSON text. The same text is read once: it costs a page nothing."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Hours | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else written_hours(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Hours | None:
        return None if value is None else read_hours(value)


def clock_time(minute: int) -> str:
    """540 is "09:00"; the end of a day is "24:00"; 1560 is "02:00", on the next day."""
    minute -= DAY if minute > DAY else 0
    return f"{minute // 60:02}:{minute % 60:02}"
