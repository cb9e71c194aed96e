"""What breaks under a running chat in one process costs nobody a word: recounted after each fault.

Content note: plain words and phrases that worry (in crowd.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import live
from tests.faults import breaking
from tests.faults.crowd import Town, connect, go_on, writing

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
        live.until(lambda: not connect(server, writers[0].person).welcome, live.PATIENCE, "a year later everybody is signed out")
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
    most = breaking.never_read(small, count=50)
    assert most < 300, f"{most} MB for fifty readers that never read"
