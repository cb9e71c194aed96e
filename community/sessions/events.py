"""What people in a session hear. Numbers only: the screen fetches what it may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from community.core.realtime import Event


@dataclass(frozen=True)
class SessionChanged(Event):
    """It opened, paused, goes on, ended, or somebody came, left or raised a hand: fetch the panel beside the chat.

    A hand and a queue are heard by facilitators and by the person alone; the rest by everybody in the session and its side-rooms.
    """

    name: ClassVar[str] = "session_changed"
    namespace: ClassVar[str] = "/"
    session_id: int
    hearers: tuple[str, ...]

    def audience(self) -> Iterable[str]:
        return self.hearers

    def payload(self) -> dict[str, Any]:
        return {"session": self.session_id}
