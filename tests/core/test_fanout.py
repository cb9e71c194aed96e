"""Live fan-out: a reader that pauses gets whole frames in order, or is dropped; never a broken stream."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import gevent
import pytest
from gevent import socket as gsocket
from hypothesis import given
from hypothesis import strategies as st

from community.core.websocket import MAX_BACKLOG, FrameSocket, text_frame


@pytest.fixture
def pair() -> Iterator[tuple[FrameSocket, socket.socket]]:
    """Our end of a connection with small buffers, and a reader's end."""
    left, right = gsocket.socketpair()
    left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    right.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    ours = FrameSocket(left)
    yield ours, right
    ours.close()
    right.close()


def read_frames(reader: socket.socket, count: int, data: bytes = b"") -> list[str]:
    """`data` was read before."""
    frames: list[str] = []
    with gevent.Timeout(10):
        while len(frames) < count:
            data += reader.recv(65_536)
            while (frame := parse(data)) is not None:
                text, size = frame
                frames.append(text)
                data = data[size:]
    return frames


def parse(data: bytes) -> tuple[str, int] | None:
    """An independent reading of RFC 6455, 5.2, for frames from a server."""
    if len(data) < 2:
        return None
    assert data[0] == 0x81, "not a final text frame: the stream is broken"
    size, start = data[1], 2
    if size == 126:
        size, start = struct.unpack("!H", data[2:4])[0], 4
    elif size == 127:
        size, start = struct.unpack("!Q", data[2:10])[0], 10
    return (data[start : start + size].decode(), start + size) if len(data) >= start + size else None


def test_a_reader_that_pauses_gets_every_frame_whole_and_in_order(pair: tuple[FrameSocket, socket.socket]) -> None:
    ours, reader = pair
    texts = [f"{number}:" + "x" * (number % 700) for number in range(2_000)]
    for text in texts:
        ours.send(text_frame(text))  # the reader has not read a byte yet
    assert read_frames(reader, len(texts)) == texts


def test_sending_never_waits_for_the_reader(pair: tuple[FrameSocket, socket.socket]) -> None:
    ours, _reader = pair
    with gevent.Timeout(5):
        for _ in range(500):
            ours.send(text_frame("y" * 1_000))


def test_a_reader_too_far_behind_is_dropped_and_not_kept_in_memory(pair: tuple[FrameSocket, socket.socket]) -> None:
    ours, reader = pair
    frame = text_frame("z" * 60_000)
    sent = 0
    while not ours.dropped and sent < 3 * MAX_BACKLOG:
        ours.send(frame)
        sent += len(frame)
    assert ours.dropped
    assert sent <= MAX_BACKLOG + 200_000
    with pytest.raises(OSError):
        ours.send(frame)
    with gevent.Timeout(5):
        while reader.recv(65_536):
            pass  # what was in flight, then the end of the connection


def test_a_reader_that_left_costs_nothing_more(pair: tuple[FrameSocket, socket.socket]) -> None:
    ours, reader = pair
    reader.close()
    assert _refused(ours, text_frame("anybody there?"))


def _refused(ours: FrameSocket, frame: bytes) -> bool:
    """Whether one of a hundred sends is refused: the kernel says so only some frames after the reader left."""
    for _ in range(100):
        try:
            ours.send(frame)
        except OSError:
            return True
    return False


@given(st.text(max_size=300) | st.integers(0, 70_000).map(lambda size: "w" * size))
def test_a_frame_says_what_was_put_in(text: str) -> None:
    if any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        return
    frame = text_frame(text)
    assert parse(frame) == (text, len(frame))
