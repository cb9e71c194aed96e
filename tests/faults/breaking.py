"""What can break, each as a step that leaves everything mended. Used by the tests and, again and again, by `make soak`."""

from __future__ import annotations

import http.client
import os
import random
import re
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests import live
from tests.faults.crowd import GONE, Town, Writer, at_once, close_all, connect, cookie_of, go_on, write_and_go_on
from tests.faults.towns import Grown
from tests.people import Person

BACK_WITHIN_S = 30.0
LINK = (Path(__file__).parents[2] / "static/js/chat.link.mjs").read_text()


def kill_workers(server: live.Server, writers: list[Writer], *, times: int = 1) -> None:
    """kill -9, each time in the middle of what the writers say; the next is killed once all of them got on."""
    for _ in range(times):
        before = server.workers()
        os.kill(random.choice(before), signal.SIGKILL)
        live.until(lambda before=before: set(server.workers()) - set(before), 10, "another worker")  # type: ignore[misc]
        go_on(writers, more=5, seconds=60)


def lock_the_file(file: Path, server: live.Server, writers: list[Writer], *, seconds: float) -> float:
    """Another process holds the file; returns how long the slowest page took meanwhile."""
    other = sqlite3.connect(file, isolation_level=None, timeout=20)
    other.execute("BEGIN IMMEDIATE")
    over, slowest = time.monotonic() + seconds, 0.0
    try:
        while time.monotonic() < over:
            started = time.monotonic()
            assert server.ready()
            slowest = max(slowest, time.monotonic() - started)
    finally:
        other.execute("ROLLBACK")
        other.close()
    go_on(writers)
    return slowest


def move_clock(server: live.Server, seconds: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", f"/-clock/{seconds}")
    assert connection.getresponse().status == 200


def drop_all(town: Town, readers: list[Person], *, count: int) -> float:
    """`count` screens lose their connection in one moment, come back as the browser does, and ask for what they missed.
    Returns how long the last one took once the server was back."""
    server, room = town.servers[0], town.a_room(*readers)
    screens = at_once(lambda number: live.Screen(connect(server, readers[number % len(readers)]), room), range(count))
    write_and_go_on(screens[0], "Before.")
    for worker in server.workers():
        os.kill(worker, signal.SIGKILL)
    live.until(lambda: all(screen.wire.closed.is_set() for screen in screens), 10, "all are dropped")
    first = _come_back(screens[0], server, readers[0])  # another worker has started
    started = time.monotonic()
    for number in range(20):
        write_and_go_on(first, f"Meanwhile {number}.")
    at_once(lambda number: _come_back(screens[number], server, readers[number % len(readers)]), range(1, count), hands=count)
    took = time.monotonic() - started
    write_and_go_on(first, "After.")
    truth = first.words()
    live.until(lambda: all(screen.words() == truth for screen in screens), 10, "all screens hold everything")
    for screen in screens:
        screen.wire.close()
    return took


def _come_back(screen: live.Screen, server: live.Server, person: Person) -> live.Screen:
    """Tries again as socket.io-client does with the numbers of the page."""
    (pause, most, jitter), over = jitter_of_the_page(), time.monotonic() + BACK_WITHIN_S
    while time.monotonic() < over:
        threading.Event().wait(pause * (1 + random.uniform(-jitter, jitter)))
        pause = min(2 * pause, most)
        try:
            screen.enter(connect(server, person))
        except GONE:
            continue
        return screen
    raise AssertionError("not back in time")


def jitter_of_the_page() -> tuple[float, float, float]:
    """The first pause and the longest in seconds, and by how much of it each try is moved."""

    def number(option: str) -> float:
        found = re.search(rf"\b{option}: ([\d_.]+)", LINK)
        assert found, option
        return float(found[1].replace("_", ""))

    return number("reconnectionDelay") / 1000, number("reconnectionDelayMax") / 1000, number("randomizationFactor")


def never_read(town: Town, *, count: int) -> float:
    """`count` sockets in a room read no byte, while one that does hears everything. They are dropped, and catch up once they
    come back. Returns by how many MB the workers grew meanwhile."""
    (server,), words = town.servers, "🫂" * 3_900
    writing, reading, *idle = town.people("Paula", "Quinn", *(f"Idle{number}" for number in range(5)))
    room = town.a_room(writing)
    deaf = at_once(lambda number: _deaf(server, idle[number % 5], room), range(count))
    writer, reader = live.Screen(connect(server, writing), room), live.Screen(connect(server, reading), room)
    before, most = memory_of(server), 0.0
    for number in range(200):  # 47 kB each as JSON: together more than any backlog and the kernel hold
        write_and_go_on(writer, f"{number} {words}")
        most = max(most, memory_of(server) - before)
    live.until(lambda: len(reader.words()) == 200, 20, "who reads hears everything")
    assert reader.told == list(range(1, 201))
    at_once(_read_to_the_end, deaf)
    late = live.Screen(connect(server, idle[0]), room)
    assert late.words() == reader.words(), "who was dropped asks for what they missed"
    close_all([screen.wire for screen in (writer, reader, late)])
    return most


def _deaf(server: live.Server, person: Person, room: int) -> socket.socket:
    """A socket that enters the room and then reads no byte."""
    wire = live.websocket.create_connection(
        f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket",
        timeout=10, origin=server.url, header=[f"Cookie: {cookie_of(person)}"],
        sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)],
    )  # fmt: skip
    wire.send("40")
    wire.send(f'421["enter_room",{{"room":{room}}}]')
    while not wire.recv().startswith("431"):
        pass
    sock: socket.socket = wire.sock
    return sock


def _read_to_the_end(sock: socket.socket) -> None:
    """What the kernel kept; the server has ended the connection, or this waits in vain and fails."""
    with sock, suppress(ConnectionError):
        while sock.recv(1_000_000):
            pass


def memory_of(server: live.Server) -> float:
    """Resident MB of the workers."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in server.workers())
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def redis_frozen(town: Grown) -> Iterator[None]:
    with live.stopped(town.redis.process.pid):
        yield


@contextmanager
def redis_dead(town: Grown) -> Iterator[None]:
    town.redis.kill()
    try:
        yield
    finally:
        town.redis.start()
