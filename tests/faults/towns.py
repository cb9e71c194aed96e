"""Two served communities: a small one (one process, SQLite) and a grown one (two processes, PostgreSQL, Redis)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests import live, servers
from tests.faults.crowd import UNLIMITED, Town, a_stage

SMALL_LIMITS = UNLIMITED | {"SOCKET_LIMIT": "100 per second", "MESSAGE_MAX": "4000"}


class Grown(Town):
    database: Any
    redis: servers.RedisServer


@contextmanager
def small_town(folder: Path) -> Iterator[Town]:
    """Its wall clock can be moved."""
    url = f"sqlite:///{folder / 'kith.sqlite3'}"
    with (
        a_stage(folder, url) as stage,
        live.serving(folder, "tests.faults.moved_clock:app", database_url=url, **SMALL_LIMITS) as server,
    ):
        yield Town(stage, [server])


@contextmanager
def grown_town(folder: Path) -> Iterator[Grown]:
    database = servers.postgres()
    url = servers.url_of(database)
    with ExitStack() as stack:
        redis = stack.enter_context(servers.redis_server(folder))
        stage = stack.enter_context(a_stage(folder, url))
        options = {"database_url": url, "redis_url": redis.url, **UNLIMITED}
        town = Grown(stage, [stack.enter_context(live.serving(folder, **options)) for _ in range(2)])
        town.database, town.redis = database, redis
        yield town
