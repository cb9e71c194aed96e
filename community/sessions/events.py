"""What people in a session hear. Numbers only: the screen fetches what it may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from community.chat.events import chat_room
from community.core.realtime import Event


@dataclass(frozen=True)
class SessionChanged(Event):
    """It opened, paused, goes on, ended, or somebody came, left or raised a hand: fetch the panel beside the chat."""

    name: ClassVar[str] = "session_changed"
    namespace: ClassVar[str] = "/"
    session_id: int
    room_id: int

    def audience(self) -> Iterable[str]:
        return [chat_room(self.room_id)]

    def payload(self) -> dict[str, Any]:
        return {"session": self.session_id}
