"""A small load generator for Socket.IO rooms: raw websocket frames over loopback, one thread, one epoll loop.

Every client must get every message once and in one order; a run that sees anything else raises. Latency counts from the moment a
message was due, so that a server (or this generator) that stands still cannot hide its delay.
"""

from __future__ import annotations

import base64
import gc
import json
import os
import re
import select
import socket
import struct
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

DIGITS, LETTERS = b"0123456789", b"bcdfgjkmvz"  # marks are spelled, because some numbers are words that a rule holds
MARK = re.compile(rb"mark-([bcdfgjkmvz]+)-end")
_read_mark = bytes.maketrans(LETTERS, DIGITS)
_spell = str.maketrans(DIGITS.decode(), LETTERS.decode())
CONNECT_PATIENCE_S, DRAIN_PATIENCE_S = 60.0, 20.0


class Unsound(RuntimeError):
    """The server lost, repeated or reordered messages, or closed connections."""


@dataclass(slots=True)
class Client:
    """One websocket-only Socket.IO client."""

    wire: socket.socket
    number: int
    rest: bytes = b""
    joined: bool = False
    got: array[int] = field(default_factory=lambda: array("i"))


@dataclass(frozen=True)
class Outcome:
    deliveries: int
    cpu_s: float
    wall_s: float
    p50_ms: float
    p99_ms: float

    @property
    def per_cpu_s(self) -> float:
        return self.deliveries / self.cpu_s


class Crowd:
    """Clients connected to one server, or to several in turn, and joined to one room, until `close`."""

    def __init__(self, ports: int | Sequence[int], cookies: Sequence[str], room: int, cpu_s: Callable[[], float]) -> None:
        self.ports, self.room, self.cpu_s = [ports] if isinstance(ports, int) else list(ports), room, cpu_s
        self.poll = select.epoll()
        self.clients: dict[int, Client] = {}
        self.run_id = os.urandom(4).hex()
        self.due: list[float] = []
        self.missing: list[int] = []
        self.first = self.finished = 0
        self.delays = array("d")
        for number, cookie in enumerate(cookies):
            self._connect(number, cookie)
            self._read(0)
        deadline = time.monotonic() + CONNECT_PATIENCE_S
        while not all(client.joined for client in self.clients.values()):
            if time.monotonic() > deadline:
                raise Unsound(f"only {sum(client.joined for client in self.clients.values())} of {len(cookies)} clients joined")
            self._read(0.1)
        self.senders = list(self.clients.values())

    def _connect(self, number: int, cookie: str) -> None:
        port = self.ports[number % len(self.ports)]
        wire = socket.create_connection(("127.0.0.1", port), 30)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        wire.sendall(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            more = wire.recv(4096)
            if not more:
                raise Unsound(f"no websocket: {head[:200]!r}")
            head += more
        status, _, rest = head.partition(b"\r\n\r\n")
        if not status.startswith(b"HTTP/1.1 101"):
            raise Unsound(f"no websocket: {status[:200]!r}")
        client = self.clients[wire.fileno()] = Client(wire, number, rest)
        self._send(client, "40")
        wire.setblocking(False)
        self.poll.register(wire.fileno(), select.EPOLLIN)

    def _send(self, client: Client, packet: str) -> None:
        client.wire.sendall(frame(packet.encode()))

    def _read(self, wait: float) -> None:
        for number, _ in self.poll.poll(wait):
            client = self.clients[number]
            try:
                data = client.wire.recv(262_144)
            except BlockingIOError:
                continue
            if not data:
                raise Unsound("the server closed a connection")
            self._take(client, client.rest + data, time.perf_counter())

    def _take(self, client: Client, data: bytes, moment: float) -> None:
        at, size = 0, len(data)
        while size - at >= 2:
            length, head = data[at + 1] & 127, 2
            if length == 126:
                if size - at < 4:
                    break
                length, head = int.from_bytes(data[at + 2 : at + 4], "big"), 4
            elif length == 127:
                raise Unsound("a frame of 64 kB and more")
            if size - at < head + length:
                break
            self._packet(client, data[at + head : at + head + length], moment)
            at += head + length
        client.rest = data[at:]

    def _packet(self, client: Client, packet: bytes, moment: float) -> None:
        if packet[:2] == b"42":
            self._message(client, packet, moment)
        elif packet == b"2":
            self._send(client, "3")
        elif packet[:2] == b"40":
            self._send(client, f'421["enter_room",{{"room":{self.room}}}]')
        elif packet[:3] == b"431":
            if b'"ok":true' not in packet.replace(b" ", b""):
                raise Unsound(f"joining was refused: {packet[:300]!r}")
            client.joined = True
        elif packet[:2] == b"43" and b'"ok":false' in packet.replace(b" ", b""):
            raise Unsound(f"a message was refused: {packet[:300]!r}")
        elif packet[:2] == b"44":
            raise Unsound(f"a connection was refused: {packet[:300]!r}")

    def _message(self, client: Client, packet: bytes, moment: float) -> None:
        if b"mark-" not in packet:
            return
        number = number_in(packet) - self.first
        if number < 0:
            raise Unsound("a message of an earlier run came late")
        client.got.append(number)
        self.delays.append(moment - self.due[number])
        self.missing[number] -= 1
        if not self.missing[number]:
            self.finished += 1

    def _write(self, due: float) -> None:
        number = len(self.due)
        self.due.append(due)
        self.missing.append(len(self.clients))
        mark = f"mark-{str(self.first + number).translate(_spell)}-end"
        body = {"room": self.room, "key": f"{self.run_id}-{mark}", "body": f"It rained here all morning, and I made soup. {mark}"}
        self._send(self.senders[number % len(self.senders)], f'422["write_message",{json.dumps(body)}]')

    def closed_loop(self, window: int, seconds: float) -> Outcome:
        """`window` messages are kept in flight: what the server can do."""

        def act(moment: float, began: float) -> None:
            while len(self.due) - self.finished < window:
                self._write(time.perf_counter())

        return self._run(seconds, act)

    def open_loop(self, per_second: float, seconds: float) -> Outcome:
        """Messages leave on a fixed schedule: how long they take at that load."""

        def act(moment: float, began: float) -> None:
            while (due := began + len(self.due) / per_second) <= moment:
                self._write(due)

        return self._run(seconds, act)

    def listen(self, seconds: float) -> None:
        """Nobody writes; who is asked whether they are still there answers."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self._read(0.05)

    def _run(self, seconds: float, act: Callable[[float, float], None]) -> Outcome:
        self.first += len(self.due)
        self.due, self.missing, self.finished, self.delays = [], [], 0, array("d")
        for client in self.clients.values():
            client.got = array("i")
        gc.collect()
        gc.disable()
        used, began = self.cpu_s(), time.perf_counter()
        while (moment := time.perf_counter()) < began + seconds:
            act(moment, began)
            self._read(0.001)
        while self.finished < len(self.due):
            if time.perf_counter() > began + seconds + DRAIN_PATIENCE_S:
                raise Unsound(f"{sum(self.missing)} deliveries are missing")
            self._read(0.05)
        wall, cpu = time.perf_counter() - began, self.cpu_s() - used
        gc.enable()
        self._check()
        delays = sorted(self.delays)
        return Outcome(
            len(delays), cpu, wall, 1000 * delays[len(delays) // 2], 1000 * delays[min(len(delays) - 1, int(len(delays) * 0.99))]
        )

    def _check(self) -> None:
        """Everybody got everything once, in the same order."""
        orders = {bytes(client.got) for client in self.clients.values()}
        if len(orders) != 1:
            raise Unsound(f"{len(orders)} different orders were seen")
        if sorted(next(iter(self.clients.values())).got) != list(range(len(self.due))):
            raise Unsound("messages were lost or repeated")

    def close(self) -> None:
        for client in self.clients.values():
            client.wire.close()
        self.poll.close()


def number_in(words: bytes) -> int:
    """The number that is spelled in a message of a run."""
    found = MARK.search(words)
    if not found:
        raise Unsound(f"no message of a run: {words[:200]!r}")
    return int(found[1].translate(_read_mark))


def frame(payload: bytes) -> bytes:
    """A masked text frame, as a browser sends it."""
    key = os.urandom(4)
    length = len(payload)
    head = struct.pack("!BB", 0x81, 0x80 | length) if length < 126 else struct.pack("!BBH", 0x81, 0xFE, length)
    pad = (key * (length // 4 + 1))[:length]
    return head + key + (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(length, "big")
