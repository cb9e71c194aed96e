"""Real servers and real wires: gunicorn on a loopback port, and a browser's live connection without a browser.

`serving(folder, …)` brings the database up to date, starts one gunicorn, waits for /readyz and stops it by its id. Several of
them on one database and one Redis are a grown installation; give them the same `folder`, which holds the signing secret.
"""

from __future__ import annotations

import atexit
import http.client
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import websocket

from config import Config
from tests.servers import migrate

TOP = Path(__file__).parents[1]
PATIENCE = 20.0
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
Found = TypeVar("Found")
_never = threading.Event()


def until(condition: Callable[[], Found], seconds: float = PATIENCE, what: str = "", pause: float = 0.01) -> Found:
    """The first true answer of `condition`, asked every `pause` seconds; AssertionError once the deadline has passed."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or condition}"
        _never.wait(pause)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Server:
    """One gunicorn. `log` is the file of all it printed."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def workers(self) -> list[int]:
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def ready(self) -> bool:
        assert self.process.poll() is None, f"the server ended:\n{self.log.read_text()[-4000:]}"
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it and its workers, and nothing else: they are a process group of their own."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, how)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def serving(folder: Path, *application: str, database_url: str = "", redis_url: str = "", **settings: str) -> Iterator[Server]:
    """One process that serves the database at `database_url` (SQLite in `folder` when empty)."""
    url = database_url or f"sqlite:///{folder / 'kith.sqlite3'}"
    migrate(url, folder)
    server = start(folder, *application, DATABASE_URL=url, REDIS_URL=redis_url, **settings)
    try:
        until(server.ready, 3 * PATIENCE, "the server is ready")
        yield server
    finally:
        server.stop(signal.SIGQUIT)  # SIGTERM would wait for the connections that a test left open


def start(folder: Path, *application: str, **settings: str) -> Server:
    """Start gunicorn without waiting for it; `application` is another than wsgi:app."""
    port = free_port()
    log = folder / f"server-{port}.log"
    ours = {name.upper() for name in Config.model_fields}
    inherited = {name: value for name, value in os.environ.items() if name.upper() not in ours}
    given = {"MODE": "demo", "HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": str(folder), **settings}
    command = [str(Path(sys.executable).with_name("gunicorn")), "--config", str(TOP / "gunicorn.conf.py"), *application]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=TOP, env=inherited | given, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    return Server(port, process, log)


class Wire:
    """A live connection as a browser has one: Socket.IO over a websocket. `heard` holds the events in the order they came."""

    def __init__(self, server: Server, cookie: str, namespace: str = "/", *headers: str, **options: Any) -> None:
        self.namespace = namespace
        self.heard: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.answers: dict[int, Any] = {}
        self.welcome: dict[str, Any] | None = None
        self.refusal: Any = None
        self.closed = threading.Event()
        self._count = 0
        self._socket = websocket.create_connection(
            f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket",
            timeout=PATIENCE, header=[f"Cookie: {cookie}", *headers], **{"origin": server.url, **options},
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()
        self.send_text(f"40{self._prefix}")
        until(lambda: self.welcome or self.refusal or self.closed.is_set(), PATIENCE, "an answer to the connection")

    @property
    def _prefix(self) -> str:
        return "" if self.namespace == "/" else f"{self.namespace},"

    def send_text(self, text: str) -> None:
        """Anything at all, as it is."""
        self._socket.send(text)

    def send_bytes(self, data: bytes, opcode: int = websocket.ABNF.OPCODE_BINARY) -> None:
        self._socket.send(data, opcode)

    def tell(self, event: str, *arguments: Any) -> int:
        """Send an event that asks for an answer; returns the number to find it under."""
        self._count += 1
        self.send_text(f"42{self._prefix}{self._count}{json.dumps([event, *arguments])}")
        return self._count

    def ask(self, event: str, **payload: Any) -> dict[str, Any]:
        number = self.tell(event, payload)
        until(lambda: number in self.answers or self.closed.is_set(), PATIENCE, f"an answer to {event}")
        answer: dict[str, Any] = self.answers.pop(number, {"ok": False, "code": "closed"})
        return answer

    def close(self) -> None:
        with suppress(OSError, websocket.WebSocketException):
            self._socket.close(timeout=0)

    def _listen(self) -> None:
        try:
            while text := self._socket.recv():
                self._take(text)
        except (OSError, websocket.WebSocketException):
            pass
        finally:
            self.closed.set()

    def _take(self, text: str) -> None:
        if text == "2":
            self.send_text("3")
        elif text.startswith("4"):
            kind, rest = text[1], text[2:].removeprefix(self._prefix)
            if kind == "0":
                self.welcome = json.loads(rest)
            elif kind == "1":
                self.closed.set()
            elif kind == "2":
                name, *arguments = json.loads(rest)
                self.heard.put((name, *arguments))  # type: ignore[arg-type]
            elif kind == "3":
                number = rest[: rest.index("[")]
                self.answers[int(number)] = (json.loads(rest[len(number) :]) or [None])[0]
            elif kind == "4":
                self.refusal = rest


class Screen:
    """A client that does what docs/realtime.md says, and no more."""

    def __init__(self, wire: Wire, room: int) -> None:
        self.room, self.through = room, 0
        self.lines: dict[int, dict[str, Any]] = {}
        self.told: list[int] = []
        self.enter(wire)

    def enter(self, wire: Wire) -> None:
        """The first time, or after a connection was lost: asks for what was missed."""
        self.wire = wire
        answer = wire.ask("enter_room", room=self.room)
        assert answer["ok"], answer
        if answer["last_seq"] > self.through:
            self.catch_up()

    def write(self, key: str, body: str) -> dict[str, Any]:
        return self.wire.ask("write_message", room=self.room, key=key, body=body)

    def take(self) -> None:
        """All that was heard so far."""
        while True:
            try:
                name, payload = self.wire.heard.get_nowait()
            except queue.Empty:
                return
            if name == "message" and payload["room"] == self.room:
                self.told.append(payload["seq"])
                self.lines[payload["seq"]] = payload
                if payload["seq"] == self.through + 1:
                    self.through += 1
                elif payload["seq"] > self.through:
                    self.catch_up()

    def catch_up(self) -> None:
        more = True
        while more:
            answer = self.wire.ask("read_after", room=self.room, seq=self.through)
            self.lines |= {message["seq"]: message for message in answer["messages"]}
            self.through, more = answer["through"], answer["more"]

    def words(self) -> list[str]:
        self.take()
        return [self.lines[seq]["body"] for seq in sorted(self.lines)]


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """These processes stand still (SIGSTOP) meanwhile."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@lru_cache
def chromium() -> Any:
    """The one Chromium of this test process (Playwright can run once in a process)."""
    from playwright.sync_api import expect, sync_playwright

    from tests.servers import missing

    expect.set_options(timeout=PATIENCE * 1000)
    program = os.environ.get("CHROMIUM", shutil.which("chromium") or shutil.which("chromium-browser") or "")
    if not program:
        missing("Chromium (apt-get install chromium)")
    playwright = sync_playwright().start()
    atexit.register(playwright.stop)
    return playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
