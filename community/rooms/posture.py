"""A room's posture at an hour: staffed, quiet, night or closed, and what each of them changes.

`posture_at` is pure: hours in, posture out. A span is wall-clock minutes in the room's own zone. Where clocks go back, it
begins at the first and ends at the last moment that the clock shows those times; where they go forward over one, that time is
read as if they had not yet (RFC 5545). A span is over when the next one of the week begins. Holidays come before the week; of
two at once the one that begins later holds. So a posture never flickers, and `changes_at` is the very moment at which it changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from community.core.clock import in_short, now

from .hours import DAY, Hours
from .models import Room

Stretch = tuple[datetime, datetime, str]  # begin and end (UTC), posture
HORIZON = 16  # days: a week that changes at all does so within a fortnight, also where clocks skip one of its spans
LATEST = 100  # changes to look through for the next staffed hours


@dataclass(frozen=True)
class Effect:
    """What an hour changes. `says` tells members, in one sentence, how the room is then."""

    waits: bool  # words noticed from amber on wait for a moderator, where the room chose that
    covers: bool  # details of methods are covered until a moderator has looked
    pace: int  # seconds between two messages of one person
    says: str


EFFECTS = {
    "staffed": Effect(False, False, 0, "The room is open, and moderators look in."),
    "quiet": Effect(True, False, 0, "The room is open; answers of moderators take longer."),
    "night": Effect(True, True, 20, "The room is open; moderators read later."),
    "closed": Effect(True, True, 0, "The chat is closed; the rest of the room stays open."),
}
SLOW = "In the chat, one message every {} s."
COVERS = "Details of methods stay covered until a moderator has looked."
WAITS = "Words that sound worrying wait until a moderator has read them; you still see yours."
STAYS = "Words that sound worrying stay where they are, and a moderator is asked to look."


@dataclass(frozen=True)
class Posture:
    name: str  # staffed, quiet, night, closed
    changes_at: datetime | None  # when it next changes, aware in the room's zone; None: never


def posture_at(outside: str, timezone: str, hours: Hours, moment: datetime) -> Posture:
    plan = _Plan(outside, timezone, hours)
    moment = moment.astimezone(UTC)
    name, change = plan.name_at(moment), plan.edge_after(moment)
    while change is not None and plan.name_at(change) == name:
        change = plan.edge_after(change)
    return Posture(name, change and change.astimezone(plan.zone))


def staffed_from(outside: str, timezone: str, hours: Hours, moment: datetime) -> datetime | None:
    """From when the room is staffed: this very moment, or the next such hour, as far as the hours tell."""
    at: datetime | None = moment.astimezone(ZoneInfo(timezone))
    for _ in range(LATEST):
        if at is None:
            break
        posture = posture_at(outside, timezone, hours, at)
        if posture.name == "staffed":
            return at
        at = posture.changes_at
    return None


class _Plan:
    """The hours of one room, laid out on the line of time."""

    def __init__(self, outside: str, timezone: str, hours: Hours) -> None:
        self.zone = ZoneInfo(timezone)
        self.outside = outside if hours.week else "staffed"
        self.by_day = [sorted(span for span in hours.week if span.weekday == day) for day in range(7)]
        self.holidays = self._days_off(hours)

    def name_at(self, moment: datetime) -> str:
        return _holding(self.holidays, moment) or _holding(self._week(moment, 3), moment) or self.outside

    def edge_after(self, moment: datetime) -> datetime | None:
        """The next moment at which the posture may change."""
        edges = [edge for start, end, _ in self.holidays for edge in (start, end) if edge > moment]
        if _holding(self.holidays, moment) is None:
            week = self._week(moment, HORIZON)
            name = _holding(week, moment) or self.outside
            beyond = moment + timedelta(days=HORIZON - 2)  # what lies at the end of the list is no change
            later = (edge for start, end, _ in week for edge in (start, end) if moment < edge < beyond)
            change = next((edge for edge in later if (_holding(week, edge) or self.outside) != name), None)
            edges += [change] if change else []
        return min(edges, default=None)

    def _week(self, moment: datetime, days: int) -> list[Stretch]:
        """The spans from two days before until so many days after, in order and apart."""
        today = moment.astimezone(self.zone).date()
        found: list[Stretch] = []
        over = datetime.max.replace(tzinfo=UTC)
        for ahead in reversed(range(-2, days)):
            day = today + timedelta(days=ahead)
            for span in reversed(self.by_day[day.weekday()]):
                start, end = self._stretch(day, day, span.opens, span.closes)
                if start < min(end, over):
                    found.append((start, min(end, over), span.posture))
                    over = start
        return found[::-1]

    def _days_off(self, hours: Hours) -> list[Stretch]:
        found = []
        for one in sorted(hours.holidays):
            days = (one.last - one.first).days
            runs = [(one.first, one.last)] if one.whole_days else [(one.first + timedelta(days=n),) * 2 for n in range(days + 1)]
            found += [(*self._stretch(first, last, one.opens, one.closes), one.posture) for first, last in runs]
        return sorted(stretch for stretch in found if stretch[0] < stretch[1])

    def _stretch(self, first: date, last: date, opens: int, closes: int) -> tuple[datetime, datetime]:
        start, end = self._wall(first, opens), self._wall(last, closes)
        return start.astimezone(UTC), max(end.astimezone(UTC), end.replace(fold=1).astimezone(UTC))

    def _wall(self, day: date, minute: int) -> datetime:
        day += timedelta(days=minute // DAY)
        minute %= DAY
        return datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=self.zone)


def _holding(stretches: Sequence[Stretch], moment: datetime) -> str | None:
    return next((name for start, end, name in reversed(stretches) if start <= moment < end), None)


@lru_cache(maxsize=1024)
def posture_in_minute(outside: str, timezone: str, hours: Hours, minute: datetime) -> Posture:
    """Spans begin and end on whole minutes: within one, every page gets the same answer."""
    return posture_at(outside, timezone, hours, minute)


@lru_cache(maxsize=1024)
def _staffed_in_minute(outside: str, timezone: str, hours: Hours, minute: datetime) -> datetime | None:
    return staffed_from(outside, timezone, hours, minute)


@lru_cache
def place_of(timezone: str) -> str:
    """ "Europe/London" as a reader says it: London."""
    return timezone.rsplit("/", 1)[-1].replace("_", " ")


def this_minute() -> datetime:
    return now().replace(second=0, microsecond=0)


def posture_now(room: Room) -> Posture:
    return posture_in_minute(room.outside_hours, room.timezone, room.hours, this_minute())


def next_staffed(room: Room) -> datetime | None:
    """From when on somebody should be there, in the room's zone; None when no hours say so."""
    return _staffed_in_minute(room.outside_hours, room.timezone, room.hours, this_minute())


def somebody_comes(room: Room) -> str:
    """When somebody should be there next, in a sentence; nothing in staffed hours."""
    if posture_now(room).name == "staffed":
        return ""
    at = next_staffed(room)
    return (
        f"A moderator comes next at {in_short(at)} in {place_of(room.timezone)}."
        if at
        else "No hour is set when a moderator comes next."
    )


def is_open(room: Room) -> bool:
    """Whether chat may be written."""
    return posture_now(room).name != "closed"


def opens_again(room: Room) -> str:
    """When a closed chat opens, in a sentence."""
    at = posture_now(room).changes_at
    return f"It opens at {in_short(at)} in {place_of(room.timezone)}." if at else "No hour is set when it opens."


def words_wait(room: Room) -> bool:
    """Whether words noticed from amber on wait for a moderator now."""
    return _waits(room, posture_now(room).name)


def _waits(room: Room, posture: str) -> bool:
    return room.mode == "hold" or (room.waits_unstaffed and EFFECTS[posture].waits)


def details_covered(room: Room) -> bool:
    """Whether details of methods are covered now until a moderator has looked."""
    return EFFECTS[posture_now(room).name].covers


def slow_seconds(posture: str) -> int:
    """Seconds that this hour asks for between two messages of one person. Where the room itself asks for more, that holds."""
    return EFFECTS[posture].pace


def what_changes(room: Room, posture: str) -> str:
    """What holds in this hour for whoever writes."""
    effect = EFFECTS[posture]
    slow = SLOW.format(max(effect.pace, room.slow_seconds)) if effect.pace and room.has_chat else ""
    says = effect.says if room.has_chat else EFFECTS["quiet" if posture == "closed" else posture].says
    told = (says, slow, COVERS if effect.covers else "", WAITS if _waits(room, posture) else STAYS)
    return " ".join(sentence for sentence in told if sentence)
