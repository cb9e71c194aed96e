"""Faults in random order under writers who never stop, recounted after each; the long form of the tests beside this file.

    SOAK_SECONDS=3600 SOAK_WRITERS=8 SOAK_SOCKETS=300 SOAK_SEED=7 make soak

Half of the time belongs to one process on SQLite, half to two processes over PostgreSQL and Redis. It stops by itself, after
the fault under way; with 1 and the seed when a message or a case was lost or doubled.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests import live, servers
from tests.faults import breaking
from tests.faults.crowd import Town, Writer, connect, go_on, writing
from tests.faults.fuzzing import fuzz
from tests.faults.towns import Grown, grown_town, small_town

SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
WRITERS = int(os.environ.get("SOAK_WRITERS", "6"))
SOCKETS = int(os.environ.get("SOAK_SOCKETS", "300"))
SEED = int(os.environ.get("SOAK_SEED", str(time.time_ns() % 10**6)))
KILLS = 5
CUT_OFF = ("database", "process stopped")
"""After these the database has ended a transaction under way: the handler says so in the log, and the words are sent again."""
Faults = dict[str, Callable[[], object]]


def main() -> int:
    print(f"soak: {SECONDS:.0f} s, {WRITERS} writers, {SOCKETS} sockets, seed {SEED}", flush=True)
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="kith-soak-") as folder:
        for name, town_in, faults_of in (("small", small_town, faults_of_small), ("grown", grown_town, faults_of_grown)):
            place = Path(folder) / name
            place.mkdir()
            with town_in(place) as town:
                writers = town.writers_on(*(number % len(town.servers) for number in range(WRITERS)))
                try:
                    soak(name, town, writers, faults_of(town, writers, chance), chance)
                except AssertionError as broken:
                    print(f"{town.logs()[-4000:]}\nsoak: broken with seed {SEED}: {broken}", flush=True)
                    return 1
    print("soak: nothing lost, nothing doubled")
    return 0


def soak(name: str, town: Town, writers: list[Writer], faults: Faults, chance: random.Random) -> None:
    """Until half of the time is over; no fault comes twice before each came once."""
    over, waiting = time.monotonic() + SECONDS / 2, chance.sample(sorted(faults), len(faults))
    while time.monotonic() < over:
        fault, started = waiting.pop() if waiting else chance.choice(sorted(faults)), time.monotonic()
        before = len(town.logs())
        with writing(*writers):
            go_on(writers, seconds=60)
            faults[fault]()
            go_on(writers, seconds=60)
        town.recount()
        assert "Traceback" not in town.logs()[before:] or fault in CUT_OFF, "a traceback"
        stored = sum(len(writer.acknowledged) for writer in writers)
        print(f"{name}: {fault}, {time.monotonic() - started:.0f} s, {stored} messages stored once", flush=True)


def faults_of_small(town: Town, writers: list[Writer], chance: random.Random) -> Faults:
    (server,) = town.servers
    file = Path(town.stage.app.extensions["kith_engine"].url.database)
    readers = town.people(*(f"Reader{number}" for number in range(10)))

    def clock() -> None:
        breaking.move_clock(server, chance.choice([-2 * 3600, 3600, -30]))
        go_on(writers, more=120, seconds=120)
        breaking.move_clock(server, 400 * 86_400)
        live.until(lambda: not connect(server, readers[0]).welcome, 20, "a year later everybody is signed out")
        breaking.move_clock(server, 0)

    return {
        "kill -9": lambda: breaking.kill_workers(server, writers, times=KILLS),
        "file locked": lambda: breaking.lock_the_file(file, server, writers, seconds=chance.uniform(1, 9)),
        "clock": clock,
        "all sockets dropped": lambda: breaking.drop_all(town, readers, count=SOCKETS),
        "sockets that never read": lambda: breaking.never_read(town, count=50),
        "random packets": lambda: fuzz(server, readers[0], seed=chance.randrange(10**9), count=10_000),
    }


def faults_of_grown(town: Grown, writers: list[Writer], chance: random.Random) -> Faults:
    def kill() -> None:
        for _ in range(KILLS):
            server = chance.choice(town.servers)
            breaking.kill_workers(server, [writer for writer in writers if writer.server is server])

    def stop() -> None:
        frozen = chance.choice(town.servers)
        with live.stopped(frozen.pid, *frozen.workers()):
            go_on([writer for writer in writers if writer.server is not frozen], more=100, seconds=60)

    def silent_redis() -> None:
        for silent in (breaking.redis_frozen, breaking.redis_dead):
            with silent(town):
                go_on(writers, more=100, seconds=60)

    return {
        "kill -9": kill,
        "process stopped": stop,
        "database": lambda: servers.restart(town.database),
        "Redis frozen and killed": silent_redis,
    }


if __name__ == "__main__":
    sys.exit(main())
