"""Writers who do what a browser does, and a recount that shares no code with what it counts.

Content note: six plain words and phrases that worry.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from community import create_app
from community.chat.models import Message
from community.core import db
from community.core.clock import now
from community.moderation.models import Case
from community.rooms.actions import add_member
from community.rooms.models import Room
from config import Config
from tests import live, servers
from tests.people import Person, Stage

UNLIMITED = {
    "WRITE_LIMIT": "1000000 per minute",
    "SOCKET_LIMIT": "1000000 per minute",
    "SOCKETS_PER_ACCOUNT": "1000",
    "SOCKETS_PER_ADDRESS": "1000",
}
GONE = (OSError, AssertionError, live.websocket.WebSocketException)
ANSWER_S = 8.0

PHRASES = ("want to be here anymore", "feels hopeless", "hurt myself", "no way out", "relapsed", "no hope left")
"""All of the worrying words that the crowd says. A message that holds one must have one case; any other must have none."""
WORRYING = (
    "I don’t want to be here anymore",
    "Everything FEELS HOPELESS today",
    "I want to hurt myself",
    "There is no way out for me",
    "I relapsed last night",
    "There is no hope left",
)
QUIET = (
    "A quiet line",
    "I want to be here on Monday",
    "The bus was late and it rained",
    "My tea went cold, hope yours is warm",
    "Привет, как дела",
    "🫂 Good night everyone",
)


class Said(NamedTuple):
    room: int
    words: str
    seq: int


@dataclass
class Writer:
    """Writes one message after another; what got no answer is sent again with its key, on a new connection if need be."""

    person: Person
    server: live.Server
    rooms: tuple[int, ...]
    acknowledged: dict[str, Said] = field(default_factory=dict)
    slowest: float = 0.0
    count: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def work(self, stop: threading.Event) -> None:
        wire = None
        while not stop.is_set():
            self.count += 1
            key = f"{self.person.name}-{self.count}"
            words = f"{self.chance.choice(WORRYING if self.count % 4 == 0 else QUIET)} ({key})"
            room = self.rooms[self.count % len(self.rooms)]
            started = time.monotonic()
            while (wire := self._say(wire, room, key, words)) is None or key not in self.acknowledged:
                stop.wait(0.05 + self.chance.random() / 10)  # as the page does: not all at once
            self.slowest = max(self.slowest, time.monotonic() - started)
        if wire is not None:
            wire.close()

    def _say(self, wire: live.Wire | None, room: int, key: str, words: str) -> live.Wire | None:
        """The connection, if it is still good."""
        try:
            wire = wire or connect(self.server, self.person)
            number = wire.tell("write_message", {"room": room, "key": key, "body": words})
            live.until(lambda: number in wire.answers or wire.closed.is_set(), ANSWER_S, "an answer")
            answer = wire.answers.pop(number, {"ok": False, "code": "closed"})
        except GONE:
            answer = {"ok": False, "code": "closed"}
        if answer["ok"]:
            assert not answer["repeated"] or answer["message"]["body"] == words
            self.acknowledged[key] = Said(room, words, answer["message"]["seq"])
        elif answer["code"] not in ("too-many", "failed"):
            if wire is not None:
                wire.close()
            return None
        return wire


class Town:
    """A served community, its writers and its rooms: one that publishes and one that holds what worries."""

    def __init__(self, stage: Stage, servers: list[live.Server]) -> None:
        self.stage, self.servers = stage, servers
        self.rooms = (stage.low_days, stage.eating)
        self.writers: list[Writer] = []

    def writers_on(self, *processes: int) -> list[Writer]:
        """A writer on each of these processes, under a name of their own."""
        return [self._writer(process) for process in processes]

    def people(self, *names: str, **options: Any) -> list[Person]:
        """Signed in, each in a browser of their own."""
        people = [self.stage.person(name, **options) for name in names]
        assert all(person.client for person in people)
        return people

    def _writer(self, process: int) -> Writer:
        (person,) = self.people(f"Writer{len(self.writers)}", rooms=True)
        writer = Writer(person, self.servers[process], self.rooms, chance=random.Random(len(self.writers)))
        self.writers.append(writer)
        return writer

    def a_room(self, *people: Person, **settings: Any) -> int:
        return self.stage.do(lambda: _a_room(people, settings))

    def logs(self) -> str:
        return "".join(server.log.read_text() for server in self.servers)

    def recount(self) -> None:
        """Every acknowledged message once and where its answer said, every case once, each room's sequence without gaps."""
        said = {key: words for writer in self.writers for key, words in writer.acknowledged.items()}
        stored, cases = self.stage.ask(lambda: _stored(self.rooms))
        assert sorted(row.client_key for row in stored) == sorted(said), "lost or doubled"
        assert {row.client_key: Said(row.room_id, row.body, row.seq) for row in stored} == said
        numbers = defaultdict(list)
        for row in stored:
            numbers[row.room_id].append(row.seq)
        for room, sequence in numbers.items():
            assert sorted(sequence) == list(range(1, len(sequence) + 1)), f"the sequence of room {room} has gaps"
        worrying = [row.id for row in stored if any(phrase in row.body.lower() for phrase in PHRASES)]
        assert worrying, "nothing to recount"
        assert Counter(cases) == Counter(worrying), "one case each, no more"


def _stored(rooms: tuple[int, ...]) -> tuple[list[Any], list[int]]:
    wanted = sa.select(Message.client_key, Message.room_id, Message.body, Message.id, Message.seq).where(
        Message.room_id.in_(rooms)
    )
    cases = sa.select(Case.target_id).where(Case.target_kind == "message", Case.room_id.in_(rooms))
    return list(db.session().execute(wanted)), list(db.session().scalars(cases))


def _a_room(people: tuple[Person, ...], settings: dict[str, Any]) -> int:
    room = Room(slug=f"r{time.monotonic_ns()}", name="Kitchen", created_at=now(), **settings)
    db.session().add(room)
    db.session().flush()
    for person in people:
        add_member(room, person.id)
    return room.id


def connect(server: live.Server, person: Person, *headers: str, namespace: str = "/", **options: Any) -> live.Wire:
    return live.Wire(server, cookie_of(person), namespace, *headers, **options)


def cookie_of(person: Person) -> str:
    return f"kith={person.client.get_cookie('kith').value}"


def write_and_go_on(writer: live.Screen, words: str) -> None:
    """Written, and heard on the writer's own screen."""
    answer = writer.write(f"k{time.monotonic_ns()}", words)
    assert answer["ok"], answer
    live.until(lambda: words in writer.words(), live.PATIENCE, "one's own words on the screen")


@contextmanager
def writing(*writers: Writer) -> Iterator[None]:
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


def go_on(writers: list[Writer], more: int = 8, seconds: float = 30) -> None:
    """Every writer gets `more` further messages through."""
    wanted = [(writer, len(writer.acknowledged) + more) for writer in writers]
    live.until(lambda: all(len(writer.acknowledged) >= enough for writer, enough in wanted), seconds, "the writers go on")


@contextmanager
def a_stage(folder: Any, url: str) -> Iterator[Stage]:
    servers.migrate(url, folder)
    app = create_app(Config(mode="test", data_dir=folder, database_url=url, jobs="outside", fanout="stock"))
    yield Stage(app)
    app.extensions["kith_engine"].dispose()


def at_once(act: Callable[[Any], Any], over: Any, hands: int = 16) -> list[Any]:
    with ThreadPoolExecutor(hands) as pool:
        return list(pool.map(act, over))


def close_all(wires: list[live.Wire]) -> None:
    for wire in wires:
        with suppress(*GONE):
            wire.close()
