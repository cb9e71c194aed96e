"""What a room's chat hears. Payloads are what everyone in the room may read; held and hidden words are never in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from community.core.realtime import Event


def chat_room(room_id: int) -> str:
    return f"room:{room_id}"


@dataclass(frozen=True)
class MessageWritten(Event):
    """A visible message was stored. A hint: clients order by `seq` and ask for what they miss."""

    name: ClassVar[str] = "message"
    namespace: ClassVar[str] = "/"
    room_id: int
    message: dict[str, Any]

    def audience(self) -> Iterable[str]:
        return [chat_room(self.room_id)]

    def payload(self) -> dict[str, Any]:
        return self.message


@dataclass(frozen=True)
class MessageHidden(Event):
    """A message is not to be seen any more (hidden or withdrawn). Ids only."""

    name: ClassVar[str] = "message_hidden"
    namespace: ClassVar[str] = "/"
    room_id: int
    message_id: int
    seq: int

    def audience(self) -> Iterable[str]:
        return [chat_room(self.room_id)]

    def payload(self) -> dict[str, Any]:
        return {"room": self.room_id, "id": self.message_id, "seq": self.seq}


@dataclass(frozen=True)
class StandingChanged(Event):
    """To one screen: what its person may read or write may have changed. It asks for its room anew. No payload."""

    name: ClassVar[str] = "standing_changed"
    namespace: ClassVar[str] = "/"
    sid: str

    def audience(self) -> Iterable[str]:
        return [self.sid]

    def payload(self) -> dict[str, Any]:
        return {}
