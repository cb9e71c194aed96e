"""What the head of a chat says of this hour. An open page asks for it again when the hour is over, and when `word` changed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from community.core.clock import now
from community.moderation.promptness import somebody_here, when_read
from community.rooms.models import Room
from community.rooms.posture import Posture, next_staffed, place_of, posture_now

from .limits import said_before_writing


@dataclass(frozen=True)
class Hour:
    posture: Posture
    comes: datetime | None  # when a moderator should be there
    place: str
    rules: str
    waits: str  # what stands beside words that wait for a moderator
    word: str  # another one: the head says something else
    seconds_left: int | None  # until the posture changes


def hour_in(room: Room) -> Hour:
    posture, rules = posture_now(room), said_before_writing(room)
    told = (posture.name, posture.changes_at, "here" if somebody_here(room) else "", rules)
    word = " ".join(str(part) for part in told if part)
    return Hour(
        posture, next_staffed(room), place_of(room.timezone), rules, when_read(room), word, _seconds_until(posture.changes_at)
    )


def _seconds_until(moment: datetime | None) -> int | None:
    return None if moment is None else max(1, math.ceil((moment - now()).total_seconds()))
