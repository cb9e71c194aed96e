"""kill -9 in the middle of writing: what was acknowledged is stored once, and each worrying text has exactly one case.

Content note: one plain sentence about not wanting to be here.
"""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from community import create_app
from community.chat.models import Message
from community.core import db
from community.moderation.models import Case
from config import Config
from tests import live, servers
from tests.people import WORRYING, Person, Stage

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("kill")]
KILLS = 3
WRITERS = ("Ana", "Ben", "Cleo")
MESSAGES_BETWEEN_KILLS = 25  # of each writer
OPTIONS = {"WRITE_LIMIT": "100000 per minute", "SOCKET_LIMIT": "100000 per minute"}


@dataclass
class Writer:
    """Writes with a new key each time and, like the page, sends what was not acknowledged again with the same key."""

    person: Person
    room: int
    waiting: dict[str, str] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def work(self, server: live.Server, stop: threading.Event) -> None:
        try:
            wire = live.Wire(server, f"kith={self.person.client.get_cookie('kith').value}")
            for key, words in list(self.waiting.items()):
                self._send(wire, key, words)
            for _ in range(MESSAGES_BETWEEN_KILLS):
                if stop.is_set():
                    return
                self.count += 1
                key = f"{self.person.name}-{self.count}"
                self._send(wire, key, f"{WORRYING} ({key})" if self.count % 3 == 0 else f"a quiet line ({key})")
        except (OSError, AssertionError, live.websocket.WebSocketException):
            return  # the server was killed: what waits is sent again

    def _send(self, wire: live.Wire, key: str, words: str) -> None:
        self.waiting[key] = words
        answer = wire.ask("write_message", room=self.room, key=key, body=words)
        if answer.get("ok"):
            self.acknowledged[key] = self.waiting.pop(key)
        elif answer["code"] == "closed":
            raise OSError("the server has gone")


def kill(server: live.Server) -> None:
    live.os.killpg(server.pid, signal.SIGKILL)
    server.process.wait(10)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_no_word_and_no_case_is_lost_or_doubled_by_kill_9(engine: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kith.sqlite3'}" if engine == "sqlite" else servers.fresh_postgres()
    servers.migrate(url, tmp_path)
    app = create_app(Config(mode="test", data_dir=tmp_path, database_url=url, jobs="outside", fanout="stock"))
    stage = Stage(app)
    writers = [Writer(stage.person(name, rooms=True), stage.low_days) for name in WRITERS]
    for writer in writers:
        assert writer.person.client
    server = live.start(tmp_path, DATABASE_URL=url, **OPTIONS)
    for _ in range(KILLS):
        live.until(server.ready, what="the server is ready")
        _work_until(server, writers, enough=len(WRITERS) * MESSAGES_BETWEEN_KILLS // 2)
        server = live.start(tmp_path, DATABASE_URL=url, **OPTIONS)
    live.until(server.ready, what="the server is ready")
    for writer in writers:
        writer.work(server, threading.Event())
    server.stop()
    _recount(app, writers)


def _work_until(server: live.Server, writers: list[Writer], *, enough: int) -> None:
    """All write at once; the server is killed once `enough` more were acknowledged, so in the middle of the rest."""
    before, stop = sum(len(writer.acknowledged) for writer in writers), threading.Event()
    with ThreadPoolExecutor(len(writers)) as pool:
        work = [pool.submit(writer.work, server, stop) for writer in writers]
        live.until(
            lambda: sum(len(writer.acknowledged) for writer in writers) - before >= enough, what="messages before the kill"
        )
        kill(server)
        stop.set()
    assert not [done.exception() for done in work if done.exception()]


def _recount(app: Flask, writers: list[Writer]) -> None:
    said = {key: words for writer in writers for key, words in writer.acknowledged.items()}
    assert not any(writer.waiting for writer in writers)
    with app.app_context():
        session = db.session()
        stored = session.execute(sa.select(Message.client_key, Message.body, Message.id, Message.seq)).all()
        cases = session.execute(sa.select(Case.target_id)).scalars().all()
    assert sorted(row.client_key for row in stored) == sorted(said), "lost or doubled"
    assert {row.client_key: row.body for row in stored} == said
    assert sorted(row.seq for row in stored) == list(range(1, len(stored) + 1)), "the sequence has gaps"
    assert sorted(cases) == sorted(row.id for row in stored if "want to be here anymore" in row.body), "one case each, no more"
