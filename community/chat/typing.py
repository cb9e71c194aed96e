"""How often it is told that somebody is writing. In memory alone."""

from __future__ import annotations

import time
from collections import defaultdict

EACH_S = 4
"""One person is told of once in so many seconds, however often their browsers say it."""
MOST = 5
"""So many people at once are told of in a room; screens only say "several" then."""


class Pace:
    def __init__(self) -> None:
        self.clock = time.monotonic
        self._rooms: defaultdict[int, dict[int, float]] = defaultdict(dict)  # room -> person -> when told last

    def allows(self, room_id: int, account_id: int) -> bool:
        moment = self.clock()
        told = {person: at for person, at in self._rooms[room_id].items() if at > moment - EACH_S}
        allowed = account_id not in told and len(told) < MOST
        self._rooms[room_id] = told | {account_id: moment} if allowed else told
        return allowed


pace = Pace()
