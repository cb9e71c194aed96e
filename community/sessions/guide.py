"""A session's plan: Markdown in which a heading that begins with a minute opens a timed step: `## 10 First round`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from community.core.text import clean

_STEP = re.compile(r"#{1,6}[ \t]+(\d{1,3})(?:[ \t]*[-–][ \t]*\d{1,3})?(?:[ \t]*min\.?)?[ \t]*[:.)]?[ \t]+(\S.*)", re.ASCII)


@dataclass(frozen=True)
class Step:
    """`minute` is counted from the opening; None for what stands before the first step."""

    minute: int | None
    title: str
    html: str


def begins_step(line: str) -> re.Match[str] | None:
    return _STEP.fullmatch(line.rstrip())


@lru_cache(maxsize=64)
def steps_of(plan: str) -> tuple[Step, ...]:
    """In the order of their minutes, whatever order they were written in."""
    minute, title, lines, found = None, "", [], []
    for line in [*plan.split("\n"), None]:
        begins = begins_step(line) if line is not None else None
        if line is not None and begins is None:
            lines.append(line)
            continue
        if title or "".join(lines).strip():
            found.append(Step(minute, title, clean("\n".join(lines))))
        if begins is not None:
            minute, title, lines = int(begins[1]), begins[2], []
    return tuple(sorted(found, key=lambda step: -1 if step.minute is None else step.minute))


def current_step(steps: tuple[Step, ...], minutes: float) -> Step | None:
    """The last step that has begun after so many minutes."""
    begun = [step for step in steps if step.minute is not None and step.minute <= minutes]
    return begun[-1] if begun else None
