"""Parsing what an admin typed about a room. Every problem is named at once, beside its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from community.core import text
from community.core.errors import Invalid
from community.safety import PROFILES

from .models import LINKERS, MODES, OUTSIDE, READERS, WRITERS
from .posture import DAY, DAYS, Span, clock_time

MAX_GUIDANCE = 5_000
NUMBERS = {  # what it is called, the most, and what an empty field means
    "slow_seconds": ("The time between two messages", 3_600, "0"),
    "link_days": ("How long somebody is a member before posting links", 365, "7"),
    "mentions_max": ("How many people one message may name", 50, "5"),
    "position": ("The place in the list", 1_000, "0"),
}
SPANS_A_DAY = 2
_SPAN = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(?:-|–|—|to|until)\s*(\d{1,2})(?:[:.h](\d{2}))?", re.ASCII)
_CLOSED = frozenset({"", "-", "–", "closed", "none", "off"})


@dataclass(frozen=True)
class RoomSettings:
    """All that an admin says about a room. No hours: staffed around the clock."""

    name: str
    purpose: str
    guidance: str
    has_forum: bool
    has_chat: bool
    read_by: str
    write_by: str
    mode: str
    profile: str
    timezone: str
    outside_hours: str
    slow_seconds: int
    links_by: str
    link_days: int
    mentions_max: int
    position: int
    hours: tuple[Span, ...]


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
        ("outside_hours", OUTSIDE),
        ("timezone", timezones()),
        ("links_by", LINKERS),
    )
    chosen = {field: _choice(problems, form, field, known) for field, known in asked}
    numbers = {field: _number(problems, form, field, *bounds) for field, bounds in NUMBERS.items()}
    hours = _hours(problems, form)
    if problems:
        raise Invalid(problems)
    told: dict[str, Any] = {"name": name, "purpose": purpose, "guidance": guidance, **chosen, **numbers}
    return RoomSettings(**told, has_forum=has_forum, has_chat=has_chat, hours=hours)


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


def _hours(problems: dict[str, str], form: Mapping[str, str]) -> tuple[Span, ...]:
    """One line a weekday: "closed", or up to two spans such as "9-12, 14:30-18"."""
    if form.get("hours") != "set":
        return ()
    found: list[Span] = []
    for weekday in range(7):
        try:
            found += spans_of(weekday, form.get(f"day{weekday}", ""))
        except ValueError as problem:
            problems[f"day{weekday}"] = f"{DAYS[weekday]}: {problem}"
    if not found and not any(field.startswith("day") for field in problems):
        problems["hours"] = "No day has hours. Give at least one, or choose “around the clock”."
    return tuple(found)


def spans_of(weekday: int, typed: str) -> list[Span]:
    """Raises ValueError with a sentence."""
    line = typed.strip().lower()
    if line in _CLOSED:
        return []
    pieces = [piece.strip() for piece in re.split(r"[,;]|\band\b", line[:200])]
    if len(pieces) > SPANS_A_DAY:
        raise ValueError("at most two spans a day fit, such as 9:00-12:00, 14:00-18:00.")
    spans = sorted(_span(weekday, piece) for piece in pieces)
    if any(later.opens <= earlier.closes for earlier, later in pairwise(spans)):
        raise ValueError("the two spans touch or overlap; write them as one.")
    return spans


def _span(weekday: int, piece: str) -> Span:
    match = _SPAN.fullmatch(piece)
    if match is None:
        raise ValueError(f"“{piece[:40]}” was not understood. Write 9:00-17:30, or closed.")
    opens, closes = _minute(match[1], match[2]), _minute(match[3], match[4]) or DAY
    if opens >= closes:
        raise ValueError("a span ends later than it begins. Hours past midnight go on the next day’s line.")
    return Span(weekday, opens, closes)


def _minute(hour: str, minute: str | None) -> int:
    made = int(hour) * 60 + int(minute or 0)
    if int(minute or 0) > 59 or made > DAY:
        raise ValueError(f"{hour}:{minute or '00'} is no time of day.")
    return made


def as_typed(hours: list[Span]) -> dict[str, str]:
    """The fields of the hours as a person would type them."""
    lines = {f"day{day}": ", ".join(_typed(span) for span in sorted(hours) if span.weekday == day) for day in range(7)}
    return {"hours": "set" if hours else "always", **{day: line or "closed" for day, line in lines.items()}}


def _typed(span: Span) -> str:
    return f"{clock_time(span.opens)}-{clock_time(span.closes)}"
