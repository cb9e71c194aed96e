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
    version: int

    def audience(self) -> Iterable[str]:
        return [chat_room(self.room_id)]

    def payload(self) -> dict[str, Any]:
        return {"room": self.room_id, "id": self.message_id, "seq": self.seq, "version": self.version}


@dataclass(frozen=True)
class MessageReacted(Event):
    """Somebody answered a message kindly, or took that back: how many did, never who."""

    name: ClassVar[str] = "message_reacted"
    namespace: ClassVar[str] = "/"
    room_id: int
    message_id: int
    seq: int
    version: int
    reactions: dict[str, int]

    def audience(self) -> Iterable[str]:
        return [chat_room(self.room_id)]

    def payload(self) -> dict[str, Any]:
        numbers = {"room": self.room_id, "id": self.message_id, "seq": self.seq, "version": self.version}
        return {**numbers, "reactions": self.reactions}


@dataclass(frozen=True)
class OwnReactions(Event):
    """To every window of one person: which kinds are theirs at this message now."""

    name: ClassVar[str] = "own_reactions"
    namespace: ClassVar[str] = "/"
    account_id: int
    room_id: int
    seq: int
    version: int
    mine: list[str]

    def audience(self) -> Iterable[str]:
        return [f"account:{self.account_id}"]

    def payload(self) -> dict[str, Any]:
        return {"room": self.room_id, "seq": self.seq, "version": self.version, "mine": self.mine}


@dataclass(frozen=True)
class HereChanged(Event):
    """How many people are in a room, to screens that may know the same of it. A number and no names: those are fetched."""

    name: ClassVar[str] = "here_changed"
    namespace: ClassVar[str] = "/"
    whom: str
    room_id: int
    here: int

    def audience(self) -> Iterable[str]:
        return [self.whom]

    def payload(self) -> dict[str, Any]:
        return {"room": self.room_id, "here": self.here}


@dataclass(frozen=True)
class TypingNoticed(Event):
    """Somebody is writing in a room, nothing of what. Names its author as messages do, so it is not heard across a block."""

    name: ClassVar[str] = "typing_noticed"
    namespace: ClassVar[str] = "/"
    room_id: int
    author_id: int
    author: str

    def audience(self) -> Iterable[str]:
        return [chat_room(self.room_id)]

    def payload(self) -> dict[str, Any]:
        return {"room": self.room_id, "author_id": self.author_id, "author": self.author}


@dataclass(frozen=True)
class ApartChanged(Event):
    """To one screen: whom its person meets changed. It reads everything it shows again. Says nothing about whom."""

    name: ClassVar[str] = "apart_changed"
    namespace: ClassVar[str] = "/"
    sid: str

    def audience(self) -> Iterable[str]:
        return [self.sid]

    def payload(self) -> dict[str, Any]:
        return {}


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
