"""The websocket that Engine.IO speaks through: whole messages in order, a bounded size, an end that really comes."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from socket import MSG_DONTWAIT
from typing import Any

import engineio
import gevent
import pytest
from engineio.packet import MESSAGE, OPEN, Packet
from engineio.packet import PING as PING_PACKET
from engineio.socket import Socket
from gevent import socket as gsocket
from hypothesis import given, settings
from hypothesis import strategies as st

from community.core import websocket
from community.core.websocket import WSGI_SOCKET, FrameSocket, Task, WebSocket, install

from .test_fanout import parse

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # and the answer to it, from RFC 6455, 1.3
ANSWER = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


def masked(payload: bytes, opcode: int = TEXT, *, final: bool = True) -> bytes:
    """A frame as a browser sends it (RFC 6455, 5.2)."""
    mask, size = os.urandom(4), len(payload)
    length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0xFE, size)
    body = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes([(0x80 if final else 0) | opcode]) + length + mask + body


class Line:
    """A connection of which the test is the browser's end."""

    def __init__(self, handle: Callable[[WebSocket], Any]) -> None:
        server = engineio.Server(async_mode="gevent", max_http_buffer_size=1_000)
        ours, self.browser = gsocket.socketpair()
        self.websocket = WebSocket(handle, server)
        environ = {WSGI_SOCKET: FrameSocket(ours), "HTTP_SEC_WEBSOCKET_KEY": KEY}
        self.served = gevent.spawn(self._serve, environ)
        self.head = self.browser.recv(4_096)

    def _serve(self, environ: dict[str, Any]) -> None:
        with suppress(StopIteration):
            self.websocket(environ, None)

    def rest(self) -> bytes:
        """Everything until our end hangs up."""
        data = b""
        with gevent.Timeout(10):
            while more := self.browser.recv(65_536):
                data += more
        return data


def echo(said: WebSocket) -> None:
    while (message := said.wait()) is not None:
        said.send(message)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line(echo)
    yield made
    made.browser.close()
    made.served.join(10)
    assert made.served.ready()


def test_the_handshake_is_answered(line: Line) -> None:
    assert line.head.startswith(b"HTTP/1.1 101 ")
    assert ANSWER in line.head


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_messages_come_whole_and_in_order_however_they_were_cut(texts: list[str], dice: Any) -> None:
    line = Line(echo)
    wire = b""
    for text in texts:
        data = text.encode()
        cuts = sorted({0, len(data), *(dice.randrange(len(data) + 1) for _ in range(dice.randrange(3)))})
        parts = [data[start:end] for start, end in pairwise(cuts)] or [b""]
        for number, part in enumerate(parts):
            wire += masked(part, TEXT if not number else 0, final=number == len(parts) - 1)
    while wire:
        size = dice.randrange(1, 40)
        line.browser.sendall(wire[:size])
        wire = wire[size:]
        gevent.sleep(0)
    line.browser.sendall(masked(struct.pack("!H", 1000), CLOSE))
    data, heard = line.rest(), []
    for _ in texts:
        frame = parse(data)
        assert frame is not None
        heard.append(frame[0])
        data = data[frame[1] :]
    assert heard == texts
    line.browser.close()


def test_a_ping_is_answered_in_the_middle_of_a_message(line: Line) -> None:
    line.browser.sendall(masked(b"one ", final=False) + masked(b"there?", PING) + masked(b"message", 0))
    line.browser.sendall(masked(struct.pack("!H", 1000), CLOSE))
    assert line.rest() == b"\x8a\x06there?" + b"\x81\x0bone message" + b"\x88\x02\x03\xe8"


@pytest.mark.parametrize(
    "nonsense",
    [b"\x81\x02ab", masked(b"x", 0x3), masked(b"\xff\xfe"), masked(b"x" * 126, PING), masked(b"stray", 0), b"\x00" * 40],
    ids=["unmasked", "unknown kind", "no UTF-8", "long ping", "stray part", "zeros"],
)  # fmt: skip
def test_bytes_that_are_no_frames_end_the_connection(line: Line, nonsense: bytes) -> None:
    line.browser.sendall(nonsense)
    data = line.rest()
    assert data[:1] == b"\x88", "it says so before it hangs up"
    assert line.served.ready() or line.served.join(10) is None


def test_a_message_that_never_ends_is_not_gathered(line: Line) -> None:
    line.browser.sendall(masked(b"a" * 100, final=False))
    for _ in range(30):
        with suppress(OSError):
            line.browser.sendall(masked(b"a" * 100, 0, final=False))
    assert line.rest()[:4] == b"\x88\x02\x03\xf1"  # 1009: too big


def test_bytes_stay_bytes(line: Line) -> None:
    line.browser.sendall(masked(b"\x00\x01", BINARY) + masked(struct.pack("!H", 1000), CLOSE))
    assert line.rest() == b"\x82\x02\x00\x01" + b"\x88\x02\x03\xe8"


def test_who_does_not_hang_up_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "LINGER_S", 0.05)
    line = Line(echo)
    line.websocket.close()
    assert line.rest() == b"\x88\x02\x03\xe8"  # and then the end, although the browser said nothing
    line.served.join(10)
    assert line.served.ready()
    with pytest.raises(OSError):
        line.websocket.send("more")


def test_a_browser_that_vanishes_ends_the_wait(line: Line) -> None:
    line.browser.close()
    line.served.join(10)
    assert line.served.ready()


def test_a_server_without_its_own_socket_says_which_one_has_it() -> None:
    server = engineio.Server(async_mode="gevent")
    said: list[str] = []
    answer = WebSocket(echo, server)({}, lambda status, headers: said.append(status))
    assert said == ["501 Not Implemented"]
    assert b"flask start" in b"".join(answer)


# ---- what Engine.IO looks up, which it does not document


def test_only_the_server_that_asks_speaks_through_ours() -> None:
    ours, other = engineio.Server(async_mode="gevent"), engineio.Server(async_mode="gevent")
    before = dict(other._async)
    install(ours)
    assert (ours._async["websocket"], ours._async["thread"]) == (WebSocket, Task)
    assert other._async == before
    assert set(ours._async) == set(before), "Engine.IO would not find what we give it"


def test_the_next_ping_waits_without_a_greenlet_asleep() -> None:
    server = engineio.Server(async_mode="gevent", ping_interval=0.05)
    install(server)
    engine = Socket(server, "a")
    engine.last_ping = 1.0  # a pong came
    engine.schedule_ping()
    assert engine.queue.empty()
    with gevent.Timeout(10):
        assert engine.queue.get().encode() == "2"
    assert engine.last_ping


def test_who_is_gone_is_not_pinged() -> None:
    server = engineio.Server(async_mode="gevent", ping_interval=0.01)
    install(server)
    engine = Socket(server, "a")
    engine.closed = True
    task = server.start_background_task(engine._send_ping)
    task.join(10)
    assert engine.queue.empty()


def test_other_tasks_start_at_once() -> None:
    server = engineio.Server(async_mode="gevent")
    install(server)
    heard: list[int] = []
    server.start_background_task(heard.append, 7).join(10)
    assert heard == [7]


# ---- the queue, and what need not wait in it


class Served:
    """An Engine.IO connection over a pair of sockets, as the server keeps it once the handshake is over."""

    def __init__(self) -> None:
        server = engineio.Server(async_mode="gevent")
        install(server)
        self.engine = Socket(server, "a")
        self.engine.send(Packet(OPEN, {"sid": "a"}))
        ours, self.browser = gsocket.socketpair()
        made = server._async["websocket"](self.engine._websocket_handler, server)
        self.served = gevent.spawn(self._serve, made, {WSGI_SOCKET: FrameSocket(ours), "HTTP_SEC_WEBSOCKET_KEY": KEY})
        self.came = b""
        self.texts(1)

    def _serve(self, made: Any, environ: dict[str, Any]) -> None:
        with suppress(StopIteration):
            made(environ, None)

    def at_once(self) -> list[str]:
        """What was written before anybody else had a turn."""
        with suppress(BlockingIOError):
            self.came += self.browser._sock.recv(65_536, MSG_DONTWAIT)
        return self._read()

    def texts(self, count: int) -> list[str]:
        found: list[str] = []
        with gevent.Timeout(10):
            while len(found) < count:
                self.came += self.browser.recv(65_536)
                found += self._read()
        return found

    def _read(self) -> list[str]:
        self.came = self.came.split(b"\r\n\r\n", 1)[-1] if self.came.startswith(b"HTTP/") else self.came
        found = []
        while read := parse(self.came):
            text, size = read
            found.append(text)
            self.came = self.came[size:]
        return found

    def leave(self) -> None:
        self.browser.close()
        self.served.join(10)
        assert self.served.ready()


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.leave()


def test_a_message_for_whom_nothing_waits_is_written_at_once(served: Served) -> None:
    served.engine.send(Packet(MESSAGE, "one"))
    assert served.at_once() == ["4one"]


def test_a_message_behind_others_waits_its_turn(served: Served) -> None:
    served.engine.send(Packet(PING_PACKET))
    served.engine.send(Packet(MESSAGE, "one"))
    assert served.at_once() == []
    assert served.texts(2) == ["2", "4one"]
    served.engine.send(Packet(MESSAGE, "two"))
    assert served.at_once() == ["4two"]


def test_pings_pass_through_the_writer_who_would_take_the_connection_for_dead(served: Served) -> None:
    served.engine.send(Packet(PING_PACKET))
    assert not served.engine.queue.empty()
    assert served.texts(1) == ["2"]


def test_a_message_for_who_has_just_left_disturbs_nobody(served: Served) -> None:
    served.browser.close()
    for _ in range(3):
        served.engine.send(Packet(MESSAGE, "one"))
    assert served.engine.queue.empty()
