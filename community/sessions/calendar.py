"""The iCalendar feed (RFC 5545). It tells whoever sees a calendar nothing but when: no titles, no rooms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from .models import FacilitatedSession

LINE = 75  # octets


def feed(sessions: Sequence[FacilitatedSession], *, community: str, site: str, moment: datetime) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Kith//Sessions//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    for session in sessions:
        lines += _event(session, community, site, moment)
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in _folded(line))


def _event(session: FacilitatedSession, community: str, site: str, moment: datetime) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:session-{session.id}@{site.split('://')[-1]}",
        f"DTSTAMP:{_utc(moment)}",
        f"DTSTART:{_utc(session.starts_at)}",
        f"DTEND:{_utc(session.ends_at)}",
        f"SUMMARY:{_text(f'A session at {community}')}",
        f"URL:{site}/sessions/{session.id}",
        f"STATUS:{'CANCELLED' if session.state == 'cancelled' else 'CONFIRMED'}",
        "CLASS:PRIVATE",
        "END:VEVENT",
    ]


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(words: str) -> str:
    for mark in ("\\", ";", ","):
        words = words.replace(mark, f"\\{mark}")
    return words.replace("\n", "\\n")


def _folded(line: str) -> Iterable[str]:
    """A long line goes on in the next one after a space, never inside a character."""
    part, size = "", 0
    for char in line:
        wide = len(char.encode())
        if size + wide > LINE:
            yield part
            part, size = " ", 1
        part, size = part + char, size + wide
    yield part
