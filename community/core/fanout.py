"""Fast fan-out: one event encoded once, framed once, written once per member.

`FanoutManager` and `RedisFanoutManager` are Socket.IO client managers. An event for a room becomes one websocket frame; one
dispatcher joins what piled up meanwhile and writes it once per member, pausing every `YIELD_AFTER` members. Members with packets
waiting in their Engine.IO queue, or on another transport, get theirs through that queue, so order holds.

FANOUT=stock puts the stock managers back (`unheard`).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import gevent
import redis
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from gevent.event import Event
from socketio import Manager
from socketio.packet import EVENT

from .hearing import HearingRedisManager
from .processes import TellsProcesses
from .unheard import author_of, kept_from
from .websocket import WSGI_SOCKET, FrameSocket, PacketQueue, filled, stalled, text_frame

logger = logging.getLogger(__name__)

YIELD_AFTER = 125
Key = tuple[str, Any]  # a namespace and a room
Waiting = tuple[bytes, EnginePacket, int | None]  # a frame, the same for other transports, and whose words they are


class Member(NamedTuple):
    """One connection in a room. `sock` is None where packets go through the Engine.IO queue (another transport)."""

    sid: str
    eio_sid: str
    sock: FrameSocket | None
    engine: Any


class Audience:
    """The members of a room until somebody enters or leaves, so arranged that nothing is looked at for each of them: `writes` are
    their sockets' own, and `at` says where those stand that need a closer look."""

    def __init__(self, members: list[Member]) -> None:
        self.members = members
        self.writes: list[Any] = [member.sock and member.sock.write for member in members]
        self.always = [
            at for at, member in enumerate(members) if member.sock is None or type(member.engine.queue) is not PacketQueue
        ]
        self.at: dict[Any, int] = {}
        for at, member in enumerate(members):
            self.at |= {member.sid: at, member.engine.queue: at, member.sock: at}

    def closely(self, first: int, last: int) -> list[int]:
        """Those between the two whose packets wait, who read slowly, or who keep away from somebody; in order."""
        found = {self.at[known] for known in (*filled, *stalled, *kept_from) if known in self.at}
        return sorted(at for at in found.union(self.always) if first <= at < last)


class Fanout:
    """The dispatchers of one process: per room what waits to be written, and to whom."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager
        self.waiting: defaultdict[Key, list[Waiting]] = defaultdict(list)
        self.audiences: dict[Key, Audience] = {}

    def put(self, namespace: str, room: Any, encoded: str, author: int | None = None) -> None:
        key = (namespace, room)
        idle = key not in self.waiting
        self.waiting[key].append((text_frame("4" + encoded), EnginePacket(MESSAGE, encoded), author))
        if idle:
            gevent.spawn(self._dispatch, key)

    def _dispatch(self, key: Key) -> None:
        """Write until nothing waits. The key stays in `waiting` meanwhile, so one room has one dispatcher."""
        try:
            while batch := self.waiting[key]:
                self.waiting[key] = []
                self._write(key, batch)
        except Exception:
            logger.exception("a live batch was not delivered; the rows are stored and screens ask for what they miss")
        finally:
            del self.waiting[key]

    def _write(self, key: Key, batch: list[Waiting]) -> None:
        """Who left during a pause is skipped; who came meanwhile asks for what was before."""
        audience = self.audiences.get(key)
        if audience is None:
            audience = self.audiences[key] = Audience(self._find(key))
        size = len(audience.members)
        frames, _ = _joined(batch)
        for first in range(0, size, YIELD_AFTER):
            if first:
                gevent.sleep(0)
            if self.audiences.get(key) is not audience:
                there = self.manager.rooms.get(key[0], {}).get(key[1], ())
                for member in audience.members[first : first + YIELD_AFTER]:
                    if member.sid in there:
                        self._hand(member, batch)
                continue
            begin, last = first, min(first + YIELD_AFTER, size)
            for at in audience.closely(first, last):
                _write_all(audience, begin, at, frames)
                self._hand(audience.members[at], batch)
                begin = at + 1
            _write_all(audience, begin, last, frames)

    def _hand(self, member: Member, batch: list[Waiting]) -> None:
        sid, eio_sid, sock, engine = member
        frames, packets = _joined_for(sid, batch)
        if engine.closed or not packets:
            return
        if sock is not None and engine.queue.empty():
            try:
                sock.send(frames)
            except OSError:
                logger.debug("a live reader has gone")
        else:
            for packet in packets:
                self.manager.server._send_eio_packet(eio_sid, packet)

    def _find(self, key: Key) -> list[Member]:
        environs, engines = self.manager.server.environ, self.manager.server.eio.sockets
        found = []
        for sid, eio_sid in self.manager.get_participants(*key):
            if (engine := engines.get(eio_sid)) is not None:
                sock = environs.get(eio_sid, {}).get(WSGI_SOCKET)
                found.append(Member(sid, eio_sid, sock if type(sock) is FrameSocket and engine.upgraded else None, engine))
        return found


def _write_all(audience: Audience, first: int, last: int, frames: bytes) -> None:
    """Nothing waits for any of these: what each costs here is nearly all that a message costs."""
    size = len(frames)
    for at, write in enumerate(audience.writes[first:last], first):
        try:
            sent = write(frames)
        except BlockingIOError:
            sent = 0
        except OSError:
            continue  # a reader who has gone
        if sent < size:
            sock: Any = audience.members[at].sock
            sock.keep(frames[sent:])


def _joined(batch: list[Waiting]) -> tuple[bytes, list[Any]]:
    return b"".join(frame for frame, _, _ in batch), [packet for _, packet, _ in batch]


def _joined_for(sid: str, batch: list[Waiting]) -> tuple[bytes, list[Any]]:
    silent = kept_from.get(sid)
    return _joined(batch if silent is None else [each for each in batch if each[2] not in silent])


class KnowsMembers:
    """For a manager with a `fanout`: whoever enters or leaves a room, by whatever road, ends the list of its members."""

    fanout: Fanout

    def basic_enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        super().basic_enter_room(sid, namespace, room, eio_sid)  # type: ignore[misc]
        self.fanout.audiences.pop((namespace, room), None)

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        super().basic_leave_room(sid, namespace, room)  # type: ignore[misc]
        self.fanout.audiences.pop((namespace, room), None)


class FanoutManager(KnowsMembers, Manager):
    """For one process."""

    def initialize(self) -> None:
        super().initialize()
        self.fanout = Fanout(self)

    def emit(self, event: str, data: Any, namespace: str, room: Any = None, skip_sid: Any = None, callback: Any = None,
             to: Any = None, **kwargs: Any) -> None:  # fmt: skip
        room = to or room
        if callback or skip_sid or not isinstance(room, str):
            super().emit(event, data, namespace, room=room, skip_sid=skip_sid, callback=callback, **kwargs)
            return
        encoded = _encode(self.server, event, data, namespace)
        if room in self.rooms.get(namespace, {}):
            self.fanout.put(namespace, room, encoded, author_of(data))


class RedisFanoutManager(TellsProcesses, KnowsMembers, HearingRedisManager):
    """For several processes. Every process, the sender's too, delivers what comes back from Redis, so that all of them see one
    order. When Redis does not answer, the sender's own clients get the event at once; others catch up from the database.
    A process that does not hear the others tells its own clients first, and whoever may be listening in Redis after that."""

    def __init__(self, url: str, channel: str, changed: Callable[[bool], None]) -> None:
        super().__init__(url, channel, changed)
        self._outbox: list[tuple[dict[str, Any], bool]] = []
        self._something = Event()

    def initialize(self) -> None:
        super().initialize()
        self.fanout = Fanout(self)
        self.server.start_background_task(self._send_outbox)

    def emit(self, event: str, data: Any, namespace: str | None = None, room: Any = None, skip_sid: Any = None,
             callback: Any = None, to: Any = None, **kwargs: Any) -> None:  # fmt: skip
        room, namespace = to or room, namespace or "/"
        if callback or skip_sid or not isinstance(room, str):
            super().emit(event, data, namespace=namespace, room=room, skip_sid=skip_sid, callback=callback, **kwargs)
            return
        encoded = _encode(self.server, event, data, namespace)
        told = {"method": "emit", "kith": encoded, "namespace": namespace, "room": room, "host_id": None}
        self._pass_on({**told, "author": author_of(data)})

    def _pass_on(self, message: dict[str, Any]) -> None:
        if not self.hearing:
            self._handle_emit(message)
        self._outbox.append((message, not self.hearing))
        self._something.set()

    def _send_outbox(self) -> None:
        """One sender keeps this process's events in order and off the writers' path."""
        while True:
            self._something.wait()
            self._something.clear()
            batch, self._outbox = self._outbox, []
            try:
                with self.sender.pipeline(transaction=False) as pipe:
                    for message, _ in batch:
                        pipe.publish(self.channel, self.json.dumps(message))
                    pipe.execute()
            except redis.RedisError as error:
                logger.error("Redis does not answer (%s); this process tells its own clients", type(error).__name__)
                for message in (message for message, told_here in batch if not told_here):
                    self._handle_emit(message)

    def _handle_emit(self, message: dict[str, Any]) -> None:
        if "kith" not in message:
            super()._handle_emit(message)
        elif message["room"] in self.rooms.get(message["namespace"], {}):
            self.fanout.put(message["namespace"], message["room"], message["kith"], message.get("author"))


def _encode(server: Any, event: str, data: Any, namespace: str) -> str:
    arguments = list(data) if isinstance(data, tuple) else [] if data is None else [data]
    encoded: str = server.packet_class(EVENT, namespace=namespace, data=[event, *arguments]).encode()
    return encoded
