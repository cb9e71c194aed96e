"""Writers who do what a browser does, and a recount that shares no code with what it counts.

Content note: one plain sentence about not wanting to be here.
"""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from community import create_app
from community.chat.models import Message
from community.core import db
from community.moderation.models import Case
from config import Config
from tests import live, servers
from tests.people import WORRYING, Person, Stage

UNLIMITED = {
    "WRITE_LIMIT": "1000000 per minute",
    "SOCKET_LIMIT": "1000000 per minute",
    "SOCKETS_PER_ACCOUNT": "1000",
    "SOCKETS_PER_ADDRESS": "1000",
}
GONE = (OSError, AssertionError, live.websocket.WebSocketException)
ANSWER_S = 8.0


@dataclass
class Writer:
    """Writes one message after another; what got no answer is sent again with its key, on a new connection."""

    person: Person
    server: live.Server
    room: int
    acknowledged: dict[str, str] = field(default_factory=dict)
    slowest: float = 0.0
    count: int = 0

    def work(self, stop: threading.Event) -> None:
        wire = None
        while not stop.is_set():
            self.count += 1
            key = f"{self.person.name}-{self.server.port}-{self.count}"
            words = f"{WORRYING} ({key})" if self.count % 5 == 0 else f"a quiet line ({key})"
            started = time.monotonic()
            while (wire := self._say(wire, key, words)) is None or key not in self.acknowledged:
                time.sleep(0.05 + random.random() / 10)  # as the page does: not all at once
            self.slowest = max(self.slowest, time.monotonic() - started)
            time.sleep(0.005)
        if wire is not None:
            wire.close()

    def _say(self, wire: live.Wire | None, key: str, words: str) -> live.Wire | None:
        """The connection, if it is still good."""
        try:
            wire = wire or live.Wire(self.server, f"kith={self.person.client.get_cookie('kith').value}")
            number = wire.tell("write_message", {"room": self.room, "key": key, "body": words})
            live.until(lambda: number in wire.answers or wire.closed.is_set(), ANSWER_S, "an answer")
            if wire.answers.pop(number, {}).get("ok"):
                self.acknowledged[key] = words
                return wire
        except GONE:
            pass
        if wire is not None:
            wire.close()
        return None


@contextmanager
def writing(*writers: Writer) -> Any:
    """All write until the block ends; then each still gets the answer to its last message."""
    stop = threading.Event()
    with ThreadPoolExecutor(len(writers)) as pool:
        work = [pool.submit(writer.work, stop) for writer in writers]
        try:
            yield
        finally:
            stop.set()
        for done in work:
            done.result()


def go_on(writers: list[Writer], more: int = 10, seconds: float = 20) -> None:
    """Every writer gets `more` further messages through."""
    wanted = {id(writer): len(writer.acknowledged) + more for writer in writers}
    live.until(lambda: all(len(w.acknowledged) >= wanted[id(w)] for w in writers), seconds, "the writers go on")


def recount(stage: Stage, writers: list[Writer]) -> None:
    """Every acknowledged message once, every case once, the sequence without gaps."""
    said = {key: words for writer in writers for key, words in writer.acknowledged.items()}
    with stage.app.app_context():
        session = db.session()
        stored = session.execute(sa.select(Message.client_key, Message.body, Message.id, Message.seq)).all()
        cases = session.execute(sa.select(Case.target_id).where(Case.target_kind == "message")).scalars().all()
    assert sorted(row.client_key for row in stored) == sorted(said), "lost or doubled"
    assert {row.client_key: row.body for row in stored} == said
    assert sorted(row.seq for row in stored) == list(range(1, len(stored) + 1)), "the sequence has gaps"
    worrying = [row.id for row in stored if "want to be here anymore" in row.body]
    assert worrying, "nothing to recount"
    assert sorted(cases) == sorted(worrying), "one case each, no more"


def a_stage(folder: Any, url: str) -> Stage:
    servers.migrate(url, folder)
    app = create_app(Config(mode="test", data_dir=folder, database_url=url, jobs="outside", fanout="stock"))
    return Stage(app)


def cast(stage: Stage, *names: str) -> list[Person]:
    people = [stage.person(name, rooms=True) for name in names]
    for person in people:
        assert person.client  # signs in
    return people


def close_all(wires: list[live.Wire]) -> None:
    for wire in wires:
        with suppress(*GONE):
            wire.close()
