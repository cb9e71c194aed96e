"""Fast fan-out: one event encoded once, framed once, written once per member; whole frames in order, never blocking.

Two pieces on documented extension points, no library patched:

- `FrameSocket` stands in front of the connection's socket (`environ["gunicorn.socket"]`). simple-websocket ignores the result
  of `sock.send()`, so under gevent a reader that pauses got broken frames. Here what does not fit is kept in order, up to
  `MAX_BACKLOG` bytes; beyond that the connection is dropped, and the client reconnects and asks for what it missed.
- `FanoutManager` / `RedisFanoutManager` are Socket.IO client managers. An event for a room becomes one websocket frame; one
  dispatcher joins what piled up meanwhile and writes it once per member, pausing every `YIELD_AFTER` members. Members with
  packets waiting in their Engine.IO queue, or on another transport, get theirs through that queue, so order holds.

FANOUT=stock puts the stock managers back.
"""

from __future__ import annotations

import logging
import struct
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any, NamedTuple

import gevent
import redis
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from gevent.event import Event
from socketio import Manager, RedisManager
from socketio.packet import EVENT

from .processes import TellsProcesses

logger = logging.getLogger(__name__)

MAX_BACKLOG = 4 * 1024 * 1024
YIELD_AFTER = 200
REDIS_PATIENCE_S = 1
WSGI_SOCKET = "gunicorn.socket"
Key = tuple[str, Any]  # a namespace and a room
Waiting = tuple[bytes, EnginePacket, int | None]  # a frame, the same for other transports, and whose words they are


# Whom a connection does not hear, by account id: events whose payload names such an `author_id` are not written to it. Each
# process knows its own connections; nothing is asked or stored for those who hear everybody.
kept_from: dict[str, frozenset[int]] = {}


def keep_from(sid: str, accounts: frozenset[int]) -> None:
    if accounts:
        kept_from[sid] = accounts
    else:
        kept_from.pop(sid, None)


def _author_of(data: Any) -> int | None:
    return data.get("author_id") if isinstance(data, dict) else None


class FrameSocket:
    """A socket whose `send` takes everything, keeps order and never waits."""

    __slots__ = ("_backlog", "_held", "_raw", "_sock", "_watcher", "_write", "dropped")

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._raw = getattr(sock, "_sock", sock)
        self._write = self._raw.send
        self._backlog: deque[bytes] = deque()
        self._held = 0
        self._watcher: Any = None
        self.dropped = False

    def send(self, data: bytes) -> int:
        """All of `data`, now or as soon as the reader takes it. Raises OSError once the connection is gone."""
        if self.dropped:
            raise BrokenPipeError("the reader was too slow or has gone")
        size = len(data)
        if self._backlog:
            self._keep(data)
            return size
        try:
            sent = self._write(data)
        except BlockingIOError:
            sent = 0
        if sent < size:
            self._keep(data[sent:])
        return size

    sendall = send

    def _keep(self, data: bytes) -> None:
        if self._held + len(data) > MAX_BACKLOG:
            self._drop()
            return
        self._backlog.append(data)
        self._held += len(data)
        if self._watcher is None:
            self._watcher = gevent.get_hub().loop.io(self._raw.fileno(), 2)
            self._watcher.start(self._flush)

    def _flush(self) -> None:
        try:
            while self._backlog:
                first = self._backlog[0]
                sent = self._raw.send(first)
                self._held -= sent
                if sent < len(first):
                    self._backlog[0] = first[sent:]
                    return
                self._backlog.popleft()
        except BlockingIOError:
            return
        except OSError:
            self._drop()
            return
        self._stop_watching()

    def _drop(self) -> None:
        """Forget the backlog and end the connection: its reading greenlet sees the end and cleans up."""
        self.dropped = True
        self._stop_watching()
        self._backlog.clear()
        self._held = 0
        try:
            self._raw.shutdown(2)
        except OSError:
            logger.debug("a dropped connection was gone already")

    def _stop_watching(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None

    def close(self) -> None:
        self.dropped = True
        self._stop_watching()
        self._sock.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def whole_frames(app: Callable[..., Any]) -> Callable[..., Any]:
    """WSGI middleware: websocket handshakes get a FrameSocket."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("HTTP_UPGRADE", "").lower() == "websocket" and WSGI_SOCKET in environ:
            environ[WSGI_SOCKET] = FrameSocket(environ[WSGI_SOCKET])
        return app(environ, start_response)

    return wrapped


def text_frame(text: str) -> bytes:
    """An unmasked, final websocket text frame (RFC 6455, 5.2)."""
    data = text.encode()
    size = len(data)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + data
    if size < 65_536:
        return struct.pack("!BBH", 0x81, 126, size) + data
    return struct.pack("!BBQ", 0x81, 127, size) + data


class Member(NamedTuple):
    """One connection in a room. `sock` is None where packets go through the Engine.IO queue (another transport)."""

    sid: str
    eio_sid: str
    sock: FrameSocket | None
    engine: Any


class Fanout:
    """The dispatchers of one process: per room what waits to be written, and to whom until somebody enters or leaves."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager
        self.waiting: defaultdict[Key, list[Waiting]] = defaultdict(list)
        self.members: dict[Key, list[Member]] = {}

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
        members = self.members.get(key)
        if members is None:
            members = self.members[key] = self._find(key)
        moved = False
        everything = frames, packets = _joined(batch)
        for count, (sid, eio_sid, sock, engine) in enumerate(members, 1):
            if count % YIELD_AFTER == 0:
                gevent.sleep(0)
                moved = self.members.get(key) is not members
            if engine.closed or (moved and sid not in self.manager.rooms.get(key[0], {}).get(key[1], ())):
                continue
            if kept_from:
                frames, packets = _joined_for(sid, batch, everything)
            if not packets:
                continue
            if sock is not None and engine.upgraded and engine.queue.empty():
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
                found.append(Member(sid, eio_sid, sock if type(sock) is FrameSocket else None, engine))
        return found


def _joined(batch: list[Waiting]) -> tuple[bytes, list[Any]]:
    return b"".join(frame for frame, _, _ in batch), [packet for _, packet, _ in batch]


def _joined_for(sid: str, batch: list[Waiting], everything: tuple[bytes, list[Any]]) -> tuple[bytes, list[Any]]:
    silent = kept_from.get(sid)
    return everything if silent is None else _joined([each for each in batch if each[2] not in silent])


class KnowsMembers:
    """For a manager with a `fanout`: whoever enters or leaves a room, by whatever road, ends the list of its members."""

    fanout: Fanout

    def basic_enter_room(self, sid: str, namespace: str, room: Any, eio_sid: str | None = None) -> None:
        super().basic_enter_room(sid, namespace, room, eio_sid)  # type: ignore[misc]
        self.fanout.members.pop((namespace, room), None)

    def basic_leave_room(self, sid: str, namespace: str, room: Any) -> None:
        super().basic_leave_room(sid, namespace, room)  # type: ignore[misc]
        self.fanout.members.pop((namespace, room), None)


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
            self.fanout.put(namespace, room, encoded, _author_of(data))


class RedisFanoutManager(TellsProcesses, KnowsMembers, RedisManager):
    """For several processes. Every process, the sender's too, delivers what comes back from Redis, so that all of them see one
    order. When Redis does not answer, the sender's own clients get the event at once; others catch up from the database."""

    def __init__(self, url: str, channel: str) -> None:
        super().__init__(url, channel=channel)
        self._sender = redis.Redis.from_url(url, socket_timeout=REDIS_PATIENCE_S, socket_connect_timeout=REDIS_PATIENCE_S)
        self._outbox: list[dict[str, Any]] = []
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
        self._pass_on({**told, "author": _author_of(data)})

    def _pass_on(self, message: dict[str, Any]) -> None:
        self._outbox.append(message)
        self._something.set()

    def _send_outbox(self) -> None:
        """One sender keeps this process's events in order and off the writers' path."""
        while True:
            self._something.wait()
            self._something.clear()
            batch, self._outbox = self._outbox, []
            try:
                with self._sender.pipeline(transaction=False) as pipe:
                    for message in batch:
                        pipe.publish(self.channel, self.json.dumps(message))
                    pipe.execute()
            except redis.RedisError:
                logger.exception("Redis does not answer; this process tells its own clients, others ask the database")
                for message in batch:
                    self._handle_emit(message)

    def _handle_emit(self, message: dict[str, Any]) -> None:
        if "kith" not in message:
            super()._handle_emit(message)
        elif message["room"] in self.rooms.get(message["namespace"], {}):
            self.fanout.put(message["namespace"], message["room"], message["kith"], message.get("author"))


class StockManager(Manager):
    """The library's own, but for those who keep away from each other."""

    def emit(self, event: str, data: Any, namespace: str, room: Any = None, skip_sid: Any = None, **kwargs: Any) -> None:
        super().emit(event, data, namespace, room=room, skip_sid=_skipping(data, skip_sid), **kwargs)


class StockRedisManager(TellsProcesses, RedisManager):
    """The same over Redis: every process leaves out its own connections when it delivers."""

    def _handle_emit(self, message: dict[str, Any]) -> None:
        if "topic" not in message:
            data = message["data"][0] if isinstance(message["data"], list) and message["data"] else message["data"]
            message = {**message, "skip_sid": _skipping(data, message["skip_sid"])}
        super()._handle_emit(message)


def _skipping(data: Any, skip_sid: Any) -> Any:
    author = _author_of(data) if kept_from else None
    if author is None:
        return skip_sid
    before = [skip_sid] if isinstance(skip_sid, str) else list(skip_sid or ())
    return [*before, *(sid for sid, silent in list(kept_from.items()) if author in silent)]


def _encode(server: Any, event: str, data: Any, namespace: str) -> str:
    arguments = list(data) if isinstance(data, tuple) else [] if data is None else [data]
    encoded: str = server.packet_class(EVENT, namespace=namespace, data=[event, *arguments]).encode()
    return encoded
