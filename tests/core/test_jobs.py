"""A timer runs in one process at a time, and another takes over when that one dies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from community.core import jobs
from community.core.jobs import Sweep
from tests.people import Stage

START = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(START, tick=False) as moved:
        yield moved


def turn(stage: Stage, monkeypatch: pytest.MonkeyPatch, who: str) -> bool:
    """Whether process `who` ran the timer when its turn came."""
    ran: list[str] = []
    monkeypatch.setattr(jobs, "HOLDER", who)
    stage.ask(jobs._turn(Sweep("test.sweep", 10, lambda: ran.append(who))))
    return bool(ran)


def test_one_process_holds_a_timer_and_keeps_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, clock: time_machine.Coordinates
) -> None:
    assert turn(stage, monkeypatch, "first")
    for _ in range(5):
        clock.shift(timedelta(seconds=10))
        assert not turn(stage, monkeypatch, "second")
        assert turn(stage, monkeypatch, "first")


def test_when_its_holder_dies_another_takes_over(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, clock: time_machine.Coordinates
) -> None:
    assert turn(stage, monkeypatch, "first")
    clock.shift(timedelta(seconds=29))
    assert not turn(stage, monkeypatch, "second")
    clock.shift(timedelta(seconds=2))
    assert turn(stage, monkeypatch, "second")
    assert not turn(stage, monkeypatch, "first")


def test_every_timer_has_its_own_name() -> None:
    names = [sweep.name for sweep in jobs.SWEEPS]
    assert len(names) == len(set(names))
