"""How soon words are read in a room, told honestly: who is here, who comes next, and how long it took in the last days.

What is told is counted from the rows of the log, once a minute for each room and process, and is never about fewer than a few
cases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from community.core import db
from community.core.audit import AuditEntry
from community.core.clock import now
from community.rooms.models import Room
from community.rooms.posture import posture_now, somebody_comes, this_minute
from community.safety import severity_rank
from community.training.queries import somebody_is_here

from .models import Case, Signal

LOOK_BACK = timedelta(days=7)
FEWEST = 3  # a figure from fewer would tell of one person's words
READ = ("case.read", "case.decided")  # acts by which somebody had the words of a case before them


class Wait(NamedTuple):
    """How long noticed words waited: until somebody read them, or, when nobody did, until now."""

    took: timedelta
    read: bool
    severity: str = ""


class Lately(NamedTuple):
    here: bool
    waits: tuple[Wait, ...]


def typical_wait(waits: Sequence[Wait]) -> timedelta | None:
    """The median: after so long half of the words had been read. Words that still wait were not read for as long as they have
    waited, and say nothing of later (product-limit estimate, Kaplan and Meier 1958). None: fewer than half were read so far."""
    unread, left = Fraction(1), len(waits)
    for wait in sorted(waits, key=lambda wait: (wait.took, not wait.read)):
        if wait.read:
            unread *= Fraction(left - 1, left)
            if unread <= Fraction(1, 2):
                return wait.took
        left -= 1
    return None


def somebody_here(room: Room) -> bool:
    """Whether a page may say that a moderator is here: in staffed hours, when one is on duty."""
    return posture_now(room).name == "staffed" and _lately(room).here


def how_soon(room: Room, severity: str = "", *, if_known: bool = False) -> str:
    """How soon worrying words, or words of one severity, were read in this room lately, in a sentence. `if_known`: nothing where
    there were too few to say."""
    waits = [wait for wait in _lately(room).waits if severity in ("", wait.severity)]
    words = "words like these" if severity else "worrying words"
    if if_known and sum(wait.read for wait in waits) < FEWEST:
        return ""
    if len(waits) < FEWEST:
        return f"In the last 7 days there were too few {words} to say how soon they are read."
    if sum(wait.read for wait in waits) < FEWEST:
        return f"In the last 7 days too few {words} were read to say how soon."
    typical = typical_wait(waits)
    if typical is None:
        return f"In the last 7 days fewer than half of {words} were read so far."
    return f"In the last 7 days {words} were read within {in_round_numbers(typical)} (median)."


def in_round_numbers(wait: timedelta) -> str:
    """Rounded up: "within" stays true."""
    minutes = max(1, math.ceil(wait.total_seconds() / 60))
    if minutes <= 90:
        return f"{minutes} min"
    hours = math.ceil(minutes / 60)
    return f"{hours} hours" if hours <= 48 else f"{math.ceil(hours / 24)} days"


def when_read(room: Room) -> str:
    """When somebody reads words that wait: a sentence for their author, or nothing in staffed hours that nobody is seen in."""
    return somebody_comes(room) or ("A moderator is here now." if somebody_here(room) else "")


_kept: WeakKeyDictionary[Engine, dict[int, tuple[datetime, Lately]]] = WeakKeyDictionary()


def _lately(room: Room) -> Lately:
    """What is said in a session is read at the desk of the room that holds it."""
    minute, desk = this_minute(), room.host_id or room.id
    rooms = _kept.setdefault(db.engine(), {})
    if desk not in rooms or rooms[desk][0] != minute:
        rooms[desk] = (minute, Lately(somebody_is_here(desk), tuple(_waits(desk))))
    return rooms[desk][1]


def _waits(room_id: int) -> list[Wait]:
    """Of what rules noticed from amber on. What they found in old words is not in it: that calls nobody."""
    moment, seen = now(), sa.exists().where(Signal.case_id == Case.id, Signal.kind.in_(("finding", "scanner-failed")))
    reading = sa.and_(
        AuditEntry.subject == sa.literal("case:") + sa.cast(Case.id, sa.String),
        AuditEntry.act.in_(READ),
        AuditEntry.at >= Case.opened_at,
    )
    rows = (
        sa.select(Case.severity, Case.opened_at, sa.func.min(AuditEntry.at).label("read_at"))
        .outerjoin(AuditEntry, reading)
        .where(Case.room_id == room_id, Case.opened_at > moment - LOOK_BACK)
        .where(Case.severity_rank >= severity_rank("amber"), seen)
        .group_by(Case.id, Case.severity, Case.opened_at)
    )
    found = db.session().execute(rows)
    return [Wait((row.read_at or moment) - row.opened_at, row.read_at is not None, row.severity) for row in found]
