"""What breaks under a running chat in one process costs nobody a word: recounted after each fault.

Content note: plain words and phrases that worry (in crowd.py).
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from tests import live
from tests.faults import breaking
from tests.faults.crowd import Town, at_once, connect, cookie_of, go_on, write_and_go_on, writing
from tests.people import Person

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("faults-small")]


def test_kill_9_in_the_middle_of_writing_loses_and_doubles_nothing(small: Town) -> None:
    writers = small.writers_on(0, 0, 0)
    with writing(*writers):
        go_on(writers)
        breaking.kill_workers(small.servers[0], writers, times=5)
    small.recount()


def test_a_file_locked_by_another_process_stops_no_reader_and_loses_nothing(small: Town) -> None:
    writers = small.writers_on(0, 0, 0)
    file = Path(small.stage.app.extensions["kith_engine"].url.database)
    with writing(*writers):
        go_on(writers)
        slowest = breaking.lock_the_file(file, small.servers[0], writers, seconds=5)
    small.recount()
    assert slowest < 1, "pages are read while the file is locked"


def test_a_clock_that_jumps_two_hours_back_or_a_year_on_loses_nothing_and_locks_nobody_out(small: Town) -> None:
    """A year on, sign-ins have ended and nobody writes; once the clock is right again, all go on with the same keys.
    Each writes more than a window of the limit takes: one counted by the wall clock would stay shut for two hours."""
    (server,), writers = small.servers, small.writers_on(0, 0, 0)
    with writing(*writers):
        go_on(writers)
        breaking.move_clock(server, -2 * 3600)
        go_on(writers, more=120)
        breaking.move_clock(server, 400 * 86_400)
        live.until(lambda: not connect(server, writers[0].person).welcome, 5, "a year later everybody is signed out")
        breaking.move_clock(server, 0)
        go_on(writers)
    small.recount()
    assert "Traceback" not in small.logs()


def test_three_hundred_dropped_at_once_are_back_in_half_a_minute_and_miss_nothing(small: Town) -> None:
    readers = small.people(*(f"Reader{number}" for number in range(10)))
    assert breaking.drop_all(small, readers, count=300) < breaking.BACK_WITHIN_S


def test_the_page_does_not_come_back_with_everybody_else() -> None:
    first, most, jitter = breaking.jitter_of_the_page()
    assert jitter >= 0.5
    assert first <= 1
    assert most * (1 + jitter) < breaking.BACK_WITHIN_S


def test_fifty_who_never_read_cost_bounded_memory_and_catch_up_when_they_do(small: Town) -> None:
    """The others hear everything meanwhile."""
    (server,) = small.servers
    ana, ben, *idle = small.people("Ana", "Ben", *(f"Idle{number}" for number in range(5)))
    room = small.a_room(ana, *idle)
    deaf = at_once(lambda number: _deaf(server, idle[number % 5], room), range(50))
    reader = live.Screen(connect(server, ben), room)
    writer = live.Screen(connect(server, ana), room)
    before, most = breaking.memory_of(server), 0.0
    for number in range(200):  # 48 kB each as JSON: together more than any backlog and the kernel hold
        write_and_go_on(writer, f"{number} " + "🫂" * 3_990)
        most = max(most, breaking.memory_of(server) - before)
    live.until(lambda: len(reader.words()) == 200, 20, "who reads hears everything")
    assert reader.told == list(range(1, 201))
    assert most < 300, f"{most} MB for fifty readers that never read"
    for sock in deaf:
        assert _is_dropped(sock)
    late = live.Screen(connect(server, idle[0]), room)
    assert late.words() == reader.words(), "who was dropped asks for what they missed"


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


def _is_dropped(sock: Any) -> bool:
    """Reads what the kernel kept, to its end."""
    try:
        while sock.recv(1_000_000):
            pass
    except ConnectionError:
        pass  # ended as well
    finally:
        sock.close()
    return True
