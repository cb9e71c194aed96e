"""The websocket of a live connection: whole frames in order, never blocking, and as little memory as an idle reader needs.

- `FrameSocket` stands in front of the connection's socket (`environ["gunicorn.socket"]`). What does not fit is kept in order, up
  to `MAX_BACKLOG` bytes; beyond that the connection is dropped, and the client reconnects and asks for what it missed.
  simple-websocket alone ignores the result of `sock.send()`: under gevent a reader that pauses got broken frames.
- `WebSocket` is what Engine.IO speaks through. RFC 6455 is wsproto's; it reads in the greenlet that waits, where simple-websocket
  keeps a second one and an event between the two. `Task` lets a connection wait for its next ping without a greenlet asleep.

Engine.IO looks both up in the table of its async mode (`eio._async`, which is not documented: tests/core/test_websocket.py).
"""

from __future__ import annotations

import logging
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from weakref import WeakSet

import gevent
from engineio.packet import MESSAGE, PING, Packet
from engineio.socket import Socket as EngineSocket
from gevent.queue import JoinableQueue
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, Message, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import generate_accept_token

logger = logging.getLogger(__name__)

MAX_BACKLOG = 4 * 1024 * 1024
WSGI_SOCKET = "gunicorn.socket"
READ_AT_ONCE = 16_384
LINGER_S = 5
"""How long somebody who was told that the connection ends may take to end it."""
_ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"


stalled: set[FrameSocket] = set()
"""Those whose reader has not taken everything yet."""
filled: WeakSet[PacketQueue] = WeakSet()
"""The queues with packets that no writer has taken yet."""


class FrameSocket:
    """A socket whose `send` takes everything, keeps order and never waits."""

    __slots__ = ("_backlog", "_raw", "_sock", "_watcher", "dropped", "held", "write")

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._raw = getattr(sock, "_sock", sock)
        self.write = self._raw.send
        self._backlog: deque[bytes] | None = None
        self.held = 0
        """Bytes that wait for the reader. While there are none, `write` may be tried at once."""
        self._watcher: Any = None
        self.dropped = False

    def send(self, data: bytes) -> int:
        """All of `data`, now or as soon as the reader takes it. Raises OSError once the connection is gone."""
        if self.dropped:
            raise BrokenPipeError("the reader was too slow or has gone")
        size = len(data)
        if self.held:
            self.keep(data)
            return size
        try:
            sent = self.write(data)
        except BlockingIOError:
            sent = 0
        if sent < size:
            self.keep(data[sent:])
        return size

    sendall = send

    def keep(self, data: bytes) -> None:
        """Until the reader takes it."""
        if self.held + len(data) > MAX_BACKLOG:
            self.drop()
            return
        if self._backlog is None:
            self._backlog = deque()
            stalled.add(self)
        self._backlog.append(data)
        self.held += len(data)
        if self._watcher is None:
            self._watcher = gevent.get_hub().loop.io(self._raw.fileno(), 2)
            self._watcher.start(self._flush)

    def _flush(self) -> None:
        try:
            while self._backlog:
                first = self._backlog[0]
                sent = self._raw.send(first)
                self.held -= sent
                if sent < len(first):
                    self._backlog[0] = first[sent:]
                    return
                self._backlog.popleft()
        except BlockingIOError:
            return
        except OSError:
            self.drop()
            return
        self._forget()

    def drop(self) -> None:
        """Forget the backlog and end the connection: its reading greenlet sees the end and cleans up."""
        self.dropped = True
        self._forget()
        try:
            self._raw.shutdown(2)
        except OSError:
            logger.debug("a dropped connection was gone already")

    def _forget(self) -> None:
        self._backlog, self.held = None, 0
        stalled.discard(self)
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None

    def close(self) -> None:
        self.dropped = True
        self._forget()
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
    return _frame(0x81, text.encode())


def _frame(kind: int, data: bytes) -> bytes:
    size = len(data)
    if size < 126:
        return struct.pack("!BB", kind, size) + data
    if size < 65_536:
        return struct.pack("!BBH", kind, 126, size) + data
    return struct.pack("!BBQ", kind, 127, size) + data


class WebSocket:
    """One connection, from its handshake (which `packets.careful_frames` has looked at) to its end."""

    __slots__ = ("_came", "_closed", "_farewell", "_handle", "_largest", "_parts", "_size", "_wire", "_wires")

    def __init__(self, handle: Callable[[WebSocket], Any], server: Any) -> None:
        self._handle, self._largest = handle, server.max_http_buffer_size
        self._came: list[str | bytes] = []
        self._parts: list[Any] = []
        self._size = 0
        self._farewell: CloseConnection | None = None
        self._closed = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if WSGI_SOCKET not in environ:
            start_response("501 Not Implemented", [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
            return [b"Live connections need the server that `flask start` starts.\n"]
        self._wires: FrameSocket = environ[WSGI_SOCKET]
        self._wires.send(_ACCEPTED % generate_accept_token(environ["HTTP_SEC_WEBSOCKET_KEY"].encode()))
        self._wire = Connection(ConnectionType.SERVER)
        engine: Any = getattr(self._handle, "__self__", None)
        queue = (
            None if engine is None or engine.connected else engine.queue
        )  # who comes from another transport has not changed yet
        if type(queue) is PacketQueue:
            queue.wire = self
        try:
            self._handle(self)
        finally:
            self._closed = True
            if type(queue) is PacketQueue:
                queue.wire = None
            self._wires.close()
        raise StopIteration  # gunicorn: this connection is over, nothing more is to be written

    def wait(self) -> str | bytes | None:
        """The next message; None once the connection is over. What came before its end is read first."""
        while not self._came:
            if self._farewell is not None and not self._closed:
                self._end(self._farewell)
            if self._closed:
                return None
            try:
                data = self._wires.recv(READ_AT_ONCE)
            except OSError:
                return None
            if not data:
                return None
            self._wire.receive_data(data)
            self._take()
        return self._came.pop(0)

    def _take(self) -> None:
        for event in self._wire.events():
            if isinstance(event, Message):
                self._size += len(event.data)
                if self._size > self._largest:
                    self._farewell = CloseConnection(CloseReason.MESSAGE_TOO_BIG)
                    return
                self._parts.append(event.data)
                if event.message_finished:
                    self._came.append("".join(self._parts) if isinstance(event, TextMessage) else b"".join(self._parts))
                    self._parts, self._size = [], 0
            elif isinstance(event, Ping):
                self._answer(event.response())
            elif isinstance(event, CloseConnection):
                self._farewell = event.response()
                return

    def send(self, message: str | bytes) -> None:
        if self._closed:
            raise BrokenPipeError("the connection is closed")
        self._wires.send(text_frame(message) if isinstance(message, str) else _frame(0x82, message))

    def close(self) -> None:
        """Say that it is over. Who does not hang up is hung up on."""
        if not self._closed:
            self._end(CloseConnection(CloseReason.NORMAL_CLOSURE))
            gevent.spawn_later(LINGER_S, self._wires.drop)

    def _end(self, saying: CloseConnection) -> None:
        self._answer(saying)
        self._closed = True

    def _answer(self, event: Event) -> None:
        try:
            self._wires.send(self._wire.send(event))
        except OSError:
            logger.debug("a reader left before the answer")


class Task(gevent.Greenlet):  # type: ignore[misc]
    """What Engine.IO calls a thread. The one in which a connection would sleep until its next ping is a timer instead."""

    def __init__(self, target: Callable[..., Any], args: Iterable[Any] = (), kwargs: Mapping[str, Any] | None = None) -> None:
        self.delay_s = 0.0
        if getattr(target, "__func__", None) is EngineSocket._send_ping:
            engine: Any = target.__self__  # type: ignore[attr-defined]
            self.delay_s, target, args = engine.server.ping_interval, _ping, (engine,)
        super().__init__(target, *args, **(kwargs or {}))

    def start(self) -> None:
        if self.delay_s:
            self.start_later(self.delay_s)
        else:
            super().start()


class PacketQueue(JoinableQueue):  # type: ignore[misc]
    """An Engine.IO connection's queue, known while something waits in it. What would wait alone is written at once, but for pings:
    the writer behind the queue takes a connection for dead that it never has a packet for."""

    __slots__ = ("wire",)

    def __init__(self, maxsize: int | None = None) -> None:
        super().__init__(maxsize)
        self.wire: WebSocket | None = None

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if self.wire is not None and item is not None and item.packet_type == MESSAGE and self.empty():
            try:
                self.wire.send(item.encode())
            except OSError:
                logger.debug("a reader left before the answer")
            return
        filled.add(self)
        super().put(item, block, timeout)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        try:
            return super().get(block, timeout)
        finally:
            if self.empty():
                filled.discard(self)


def _ping(engine: Any) -> None:
    if not engine.closing and not engine.closed:
        engine.last_ping = time.time()
        engine.send(Packet(PING))


def install(engine_server: Any) -> None:
    """For this server's connections; others keep what the library gives them."""
    engine_server._async = {**engine_server._async, "websocket": WebSocket, "thread": Task, "queue": PacketQueue}
