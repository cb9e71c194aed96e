"""Who is in a room now, counted by person from the live connections of all processes.

In memory alone: nothing is stored, nobody can ask since when somebody is here, and what was known is forgotten with the process.
Somebody whose connection was lost is still here for a while, because pages are reloaded and trains go through tunnels.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from community.core.processes import tell_processes, told_by_others
from community.core.realtime import send, socketio, sockets

from .events import HereChanged, chat_room

NAMESPACE = "/"
TOPIC = "here"
LOOK_SECONDS = 2
LINGER_S = 30
REPEAT_S = 15
FORGET_S = 40  # a process that said nothing for so long is gone
SHOWN = 50
"""More than these are not counted one by one: a busy room is told nothing each time somebody comes."""

People = frozenset[int]
NOBODY_HERE: People = frozenset()


@dataclass(slots=True)
class Screen:
    """One live screen in a room. `shown`: its person is seen by others. `unseen`: whom it must not count."""

    account_id: int
    shown: bool
    unseen: People


@dataclass
class Told:
    """What another process said last."""

    at: float
    rooms: dict[int, People] = field(default_factory=dict)


class Presence:
    """What this process knows. `enter`, `leave` and `settle` are told by the live door; `look` runs every few seconds."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new app knows nobody yet."""
        self.process = uuid4().hex
        self.clock = time.monotonic
        self._screens: defaultdict[int, dict[str, Screen]] = defaultdict(dict)
        self._seen: defaultdict[int, dict[int, float]] = defaultdict(dict)  # room -> person -> when last on a screen there
        self._others: dict[str, Told] = {}
        self._shown: dict[tuple[int, str], tuple[int, People]] = {}  # what a room's audience, or a screen, was told
        self._passed_on: dict[int, People] = {}
        self._repeat_at = 0.0

    def audience(self, room_id: int) -> str:
        """Screens of this process that may all hear the same number. Who keeps away from somebody is told alone."""
        return f"here:{room_id}:{self.process}"

    def enter(self, room_id: int, sid: str, account_id: int, *, shown: bool, unseen: People) -> int:
        """How many are here, as this screen may know."""
        self._screens[room_id][sid] = Screen(account_id, shown, unseen)
        if shown:
            self._seen[room_id][account_id] = self.clock()
        elif not any(other.shown and other.account_id == account_id for other in self._screens[room_id].values()):
            self._seen[room_id].pop(account_id, None)
        counted = _counted(self.people(room_id) - unseen)
        if unseen:
            self._shown[room_id, sid] = counted
        return counted[0]

    def leave(self, room_id: int, sid: str) -> None:
        self._screens[room_id].pop(sid, None)
        self._shown.pop((room_id, sid), None)

    def settle(self, sid: str, account_id: int, *, away: bool, unseen: People) -> None:
        """Somebody's wishes changed: who appears away is gone from every room at once, without lingering."""
        for room_id, screens in self._screens.items():
            if sid in screens:
                screens[sid] = Screen(account_id, screens[sid].shown and not away, unseen)
                if away:
                    self._seen[room_id].pop(account_id, None)

    def people(self, room_id: int) -> People:
        """Everybody who is seen in this room, in whichever process."""
        others = [told.rooms.get(room_id, NOBODY_HERE) for told in self._others.values()]
        return frozenset(self._seen.get(room_id, ())).union(*others)

    def hear(self, said: dict[str, Any]) -> None:
        """Another process tells who is seen in the rooms it names."""
        told = self._others.setdefault(said["process"], Told(0))
        told.at = self.clock()
        if said["whole"]:
            told.rooms.clear()
        told.rooms |= {int(room_id): frozenset(people) for room_id, people in said["rooms"].items()}

    def look(self) -> None:
        """Tell the other processes and this one's screens what changed."""
        moment = self.clock()
        self._forget(moment)
        self._tell_others(moment)
        for room_id, screens in list(self._screens.items()):
            people = self.people(room_id)
            self._tell(self.audience(room_id), room_id, people)
            for sid, screen in list(screens.items()):
                if screen.unseen:
                    self._tell(sid, room_id, people - screen.unseen)

    def _tell(self, whom: str, room_id: int, people: People) -> None:
        """Only news: in a busy room people beyond what is shown come and go without a word."""
        before, self._shown[room_id, whom] = self._shown.get((room_id, whom)), _counted(people)
        if before != self._shown[room_id, whom]:
            send(HereChanged(whom, room_id, self._shown[room_id, whom][0]))

    def _forget(self, moment: float) -> None:
        for room_id, screens in list(self._screens.items()):
            for sid, screen in list(screens.items()):
                if not _is_inside(room_id, sid):
                    self.leave(room_id, sid)
                elif screen.shown:
                    self._seen[room_id][screen.account_id] = moment
            if not screens:
                del self._screens[room_id]
                self._shown.pop((room_id, self.audience(room_id)), None)
        for room_id, people in list(self._seen.items()):
            self._seen[room_id] = {person: at for person, at in people.items() if at > moment - LINGER_S}
            if not self._seen[room_id]:
                del self._seen[room_id]
        self._others = {process: told for process, told in self._others.items() if told.at > moment - FORGET_S}

    def _tell_others(self, moment: float) -> None:
        """What changed, and now and then everything: what was lost on the way is right again then."""
        here = {room_id: frozenset(people) for room_id, people in self._seen.items()}
        whole = moment >= self._repeat_at
        news = here if whole else _differing(self._passed_on, here)
        if whole or news:
            rooms = {room_id: sorted(people) for room_id, people in news.items()}
            tell_processes(socketio.server.manager, TOPIC, {"process": self.process, "whole": whole, "rooms": rooms})
        self._passed_on = here
        if whole:
            self._repeat_at = moment + REPEAT_S


def _differing(before: dict[int, People], after: dict[int, People]) -> dict[int, People]:
    return {room: after.get(room, NOBODY_HERE) for room in {*before, *after} if before.get(room) != after.get(room)}


def _counted(people: People) -> tuple[int, People]:
    """At most one more than is shown, and who they are as long as they can be named."""
    return (len(people), people) if len(people) <= SHOWN else (SHOWN + 1, NOBODY_HERE)


def _is_inside(room_id: int, sid: str) -> bool:
    socket = sockets.get(NAMESPACE, sid)
    return socket is not None and chat_room(room_id) in socket.rooms


presence = Presence()
told_by_others[TOPIC] = presence.hear
