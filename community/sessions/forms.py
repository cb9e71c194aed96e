"""Parsing what staff typed about a session. Every problem is named at once, beside its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from community.core import text
from community.core.errors import Invalid
from community.training.forms import moment

from .guide import begins_step

PROSE_MAX = 5_000
PLAN_MAX = 20_000
STEPS_MAX = 60  # each is made into HTML whenever the plan is first shown
FACILITATORS_MAX = 10


@dataclass(frozen=True)
class SessionPlan:
    """All that staff say about a session. The first facilitator leads."""

    title: str
    about: str
    ground_rules: str
    plan: str
    starts_at: datetime
    minutes: int
    capacity: int
    door_minutes: int
    slow_seconds: int
    grace_minutes: int
    by_hand: bool
    keeps_transcript: bool
    facilitators: tuple[str, ...]


NUMBERS = {
    "minutes": (10, 480, "How long it lasts"),
    "capacity": (1, 200, "The number of places"),
    "door_minutes": (0, 120, "How long before the beginning the door opens"),
    "slow_seconds": (0, 300, "The pause between two messages"),
    "grace_minutes": (1, 60, "How long it waits for a facilitator"),
}


def session_plan(form: Mapping[str, str], zone: ZoneInfo) -> SessionPlan:
    """Raises Invalid with a sentence for each field that cannot be taken."""
    readers: dict[str, Callable[[], Any]] = {
        "title": lambda: text.line_of(form.get("title"), field="title", limit=120, what="a title"),
        "starts_at": lambda: moment(form.get("starts", ""), zone, field="starts"),
        "about": partial(_prose, form, "about", PROSE_MAX),
        "ground_rules": partial(_prose, form, "ground_rules", PROSE_MAX),
        "plan": lambda: _guide(form),
        "facilitators": lambda: _names(form.get("facilitators", "")),
        **{field: partial(_number, form, field) for field in NUMBERS},
    }
    read: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for field, reader in readers.items():
        try:
            read[field] = reader()
        except Invalid as problem:
            problems |= problem.fields
    if problems:
        raise Invalid(problems)
    return SessionPlan(**read, by_hand=form.get("by_hand") == "1", keeps_transcript=form.get("keeps_transcript") == "1")


def _names(typed: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in typed.split(",") if name.strip()))
    if not names:
        raise Invalid({"facilitators": "Name at least one facilitator: a session cannot be open without one."})
    if len(names) > FACILITATORS_MAX:
        raise Invalid({"facilitators": f"At most {FACILITATORS_MAX} people lead a session. Take some out."})
    return names


def step_of(typed: str, *, needed: bool) -> int | None:
    if typed in ("1", "2", "3", "4", "5"):
        return int(typed)
    if needed:
        raise Invalid({"step": "Choose the step that fits best; there is no wrong one."})
    return None


def _prose(form: Mapping[str, str], field: str, limit: int) -> str:
    words = text.storable(form.get(field, "")).strip()
    if len(words) > limit:
        raise Invalid({field: f"This is {len(words):,} characters long and {limit:,} fit. Shorten it."})
    return words


def _guide(form: Mapping[str, str]) -> str:
    plan = _prose(form, "plan", PLAN_MAX)
    steps = sum(begins_step(line) is not None for line in plan.split("\n"))
    if steps > STEPS_MAX:
        raise Invalid({"plan": f"This plan has {steps} timed steps, and {STEPS_MAX} fit. Join some."})
    return plan


def _number(form: Mapping[str, str], field: str) -> int:
    least, most, what = NUMBERS[field]
    typed = form.get(field, "").strip()
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else -1
    if not least <= number <= most:
        raise Invalid({field: f"{what} is a number from {least} to {most}."})
    return number
