"""Parsing what an admin typed about a room. Every problem is named at once, beside its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from community.core import text
from community.core.clock import now
from community.core.errors import Invalid
from community.safety import PROFILES

from .hours import DAY, DAYS, POSTURES, Holiday, Span, clock_time
from .models import LINKERS, MODES, OUTSIDE, READERS, WRITERS

MAX_GUIDANCE = 5_000
NUMBERS = {  # what it is called, the most, and what an empty field means
    "slow_seconds": ("The time between two messages", 3_600, "0"),
    "link_days": ("How long somebody is a member before posting links", 365, "7"),
    "mentions_max": ("How many people one message may name", 50, "5"),
    "position": ("The place in the list", 1_000, "0"),
}
SPANS_A_DAY = 4
HOLIDAYS_AT_ONCE, HOLIDAY_DAYS = 40, 31
_TIME = r"(\d{1,2})(?:[:.h](\d{2}))?"
_BETWEEN = re.compile(rf"{_TIME}\s*(?:-|–|—|to|until)\s*{_TIME}", re.ASCII)
_SPAN = re.compile(rf"(.*?)\s*({'|'.join(POSTURES)})?", re.ASCII)
_HOLIDAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\s*(?:-|–|—|to|until)\s*(\d{4}-\d{2}-\d{2}))?\s+(\S.*)", re.ASCII)
_NONE = frozenset({"", "-", "–", "none", "off"})


@dataclass(frozen=True)
class RoomSettings:
    """All that an admin says about a room, but for its hours."""

    name: str
    purpose: str
    guidance: str
    has_forum: bool
    has_chat: bool
    read_by: str
    write_by: str
    mode: str
    profile: str
    slow_seconds: int
    links_by: str
    link_days: int
    mentions_max: int
    position: int


@dataclass(frozen=True)
class Week:
    """When a room is staffed. No spans: around the clock."""

    timezone: str
    outside_hours: str
    waits_unstaffed: bool
    spans: tuple[Span, ...]


@cache
def timezones() -> tuple[str, ...]:
    """Names a person would look for: places, and UTC."""
    return (*sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")), "UTC")


def room_settings(form: Mapping[str, str]) -> RoomSettings:
    """Raises Invalid with a sentence for each field that cannot be taken."""
    problems: dict[str, str] = {}
    name = _line(problems, form, "name", limit=60, what="a name", needed=True)
    purpose = _line(problems, form, "purpose", limit=300, what="the purpose")
    guidance = text.storable(form.get("guidance", "")).strip()
    if len(guidance) > MAX_GUIDANCE:
        problems["guidance"] = f"The guidance is {len(guidance):,} characters long and {MAX_GUIDANCE:,} fit. Shorten it."
    has_forum, has_chat = form.get("has_forum") == "1", form.get("has_chat") == "1"
    if not has_forum and not has_chat:
        problems["has_forum"] = "A room needs a forum, a chat, or both: tick one."
    asked = (
        ("profile", PROFILES),
        ("read_by", READERS),
        ("write_by", WRITERS),
        ("mode", MODES),
        ("links_by", LINKERS),
    )
    chosen = {field: _choice(problems, form, field, known) for field, known in asked}
    numbers = {field: _number(problems, form, field, *bounds) for field, bounds in NUMBERS.items()}
    if problems:
        raise Invalid(problems)
    told: dict[str, Any] = {"name": name, "purpose": purpose, "guidance": guidance, **chosen, **numbers}
    return RoomSettings(**told, has_forum=has_forum, has_chat=has_chat)


def _line(problems: dict[str, str], form: Mapping[str, str], field: str, *, limit: int, what: str, needed: bool = False) -> str:
    typed = form.get(field, "")
    if not needed and text.is_blank(typed):
        return ""
    try:
        return text.line_of(typed, field=field, limit=limit, what=what)
    except Invalid as problem:
        problems |= problem.fields
        return ""


def _choice(problems: dict[str, str], form: Mapping[str, str], field: str, known: tuple[str, ...]) -> str:
    value = form.get(field, "")
    if value not in known:
        problems[field] = "Choose one of the answers."
    return value


def _number(problems: dict[str, str], form: Mapping[str, str], field: str, what: str, most: int, usual: str) -> int:
    typed = form.get(field, "").strip() or usual
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10 and int(typed) <= most):
        problems[field] = f"{what} is a number from 0 to {most:,}."
        return 0
    return int(typed)


def week_of(form: Mapping[str, str]) -> Week:
    """Raises Invalid with a sentence for each field that cannot be taken."""
    problems: dict[str, str] = {}
    timezone = _choice(problems, form, "timezone", timezones())
    outside = _choice(problems, form, "outside_hours", OUTSIDE)
    spans = _spans(problems, form)
    if problems:
        raise Invalid(problems)
    return Week(timezone, outside, form.get("waits_unstaffed") == "1", spans)


def _spans(problems: dict[str, str], form: Mapping[str, str]) -> tuple[Span, ...]:
    """One line a weekday: "none", or spans such as "9-12, 14:30-18, 22-6 night"."""
    if form.get("hours") != "set":
        return ()
    found: list[Span] = []
    for weekday in range(7):
        try:
            found += spans_of(weekday, form.get(f"day{weekday}", ""))
        except ValueError as problem:
            problems[f"day{weekday}"] = f"{DAYS[weekday]}: {problem}"
    if not found and not problems:
        problems["hours"] = "No day has hours. Give at least one, or choose “around the clock”."
    for span, later in _neighbours(found):
        if 1440 * span.weekday + span.closes > later:
            problems[f"day{span.weekday}"] = (
                f"{DAYS[span.weekday]}: two spans overlap. End the one that begins at {clock_time(span.opens)} earlier."
            )
    return tuple(found)


def _neighbours(spans: list[Span]) -> list[tuple[Span, int]]:
    """Each span with the minute of the week at which the next one begins; after Sunday comes Monday."""
    ordered = sorted(spans)
    begins = [DAY * span.weekday + span.opens for span in ordered]
    return list(zip(ordered, [*begins[1:], *(begin + 7 * DAY for begin in begins[:1])], strict=True))


def spans_of(weekday: int, typed: str) -> list[Span]:
    """Raises ValueError with a sentence."""
    line = typed.strip().lower()
    if line in _NONE:
        return []
    pieces = [piece.strip() for piece in re.split(r"[,;]|\band\b", line[:200])]
    if len(pieces) > SPANS_A_DAY:
        raise ValueError(f"at most {SPANS_A_DAY} spans fit in a day, such as 9:00-12:00, 14:00-18:00.")
    return sorted(_span(weekday, piece) for piece in pieces)


def _span(weekday: int, piece: str) -> Span:
    """A posture alone is the whole day; a span without one is staffed."""
    match = _SPAN.fullmatch(piece)
    times, posture = (match[1], match[2]) if match else (piece, None)
    if posture and not times:
        return Span(weekday, 0, DAY, posture)
    return Span(weekday, *_between(times), posture or "staffed")


def _between(typed: str) -> tuple[int, int]:
    """An end that is not after the beginning is on the next day."""
    match = _BETWEEN.fullmatch(typed)
    if match is None:
        raise ValueError(f"“{typed[:40]}” was not understood. Write 9:00-17:30, or 22-6 night, or none.")
    opens, closes = _minute(match[1], match[2]), _minute(match[3], match[4]) or DAY
    if opens in (closes, DAY):
        raise ValueError("a span ends at another time than it begins; a whole day is 0-24.")
    return opens, closes + (DAY if closes < opens else 0)


def _minute(hour: str, minute: str | None) -> int:
    made = int(hour) * 60 + int(minute or 0)
    if int(minute or 0) > 59 or made > DAY:
        raise ValueError(f"{hour}:{minute or '00'} is no time of day.")
    return made


def holidays_of(form: Mapping[str, str]) -> list[Holiday]:
    """One a line: a date or two, and a name. Raises Invalid."""
    problems: dict[str, str] = {}
    posture, opens, closes = _choice(problems, form, "posture", POSTURES), 0, DAY
    if times := form.get("times", "").strip().lower():
        try:
            opens, closes = _between(times)
        except ValueError as problem:
            problems["times"] = f"Between which hours: {problem}"
    lines = [line.strip() for line in text.storable(form.get("days", "")).splitlines() if line.strip()]
    if not 1 <= len(lines) <= HOLIDAYS_AT_ONCE:
        problems["days"] = f"Days: write one a line, at most {HOLIDAYS_AT_ONCE} at once, such as 2026-12-25 Christmas Day."
    found = []
    for number, line in enumerate(lines[:HOLIDAYS_AT_ONCE], 1):
        try:
            found.append(Holiday(*_days(line), opens, closes, posture, _name_of(line)))
        except ValueError as problem:
            problems.setdefault("days", f"Days, line {number}: {problem}")
    if problems:
        raise Invalid(problems)
    return found


def _days(line: str) -> tuple[date, date]:
    match = _HOLIDAY.fullmatch(line)
    if match is None:
        raise ValueError(
            f"“{line[:40]}” was not understood. Write 2026-12-25 Christmas Day, or 2026-12-24 to 2026-12-26 Christmas."
        )
    try:
        first, last = date.fromisoformat(match[1]), date.fromisoformat(match[2] or match[1])
    except ValueError:
        raise ValueError("there is no such date. Dates are written year-month-day.") from None
    if not timedelta(0) <= last - first < timedelta(days=HOLIDAY_DAYS):
        raise ValueError(f"the last day comes after the first, and at most {HOLIDAY_DAYS} days are one holiday.")
    today = now().date()
    if last < today or last.year > today.year + 5:
        raise ValueError("these days are over, or more than five years away.")
    return first, last


def _name_of(line: str) -> str:
    match = _HOLIDAY.fullmatch(line)
    return text.line_of(match[3], field="days", limit=60, what="a name") if match else ""


def as_typed(hours: tuple[Span, ...]) -> dict[str, str]:
    """The fields of the week as a person would type them."""
    lines = {f"day{day}": ", ".join(_typed(span) for span in sorted(hours) if span.weekday == day) for day in range(7)}
    return {"hours": "set" if hours else "always", **{day: line or "none" for day, line in lines.items()}}


def _typed(span: Span) -> str:
    told = f"{clock_time(span.opens)}-{clock_time(span.closes)}"
    return told if span.posture == "staffed" else f"{told} {span.posture}"
