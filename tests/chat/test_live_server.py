"""Two real processes over PostgreSQL and Redis: every screen ends with the one sequence."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from community import create_app
from community.accounts import actions as accounts
from community.chat.models import Message
from community.core import db
from community.moderation.models import Case
from community.rooms.models import Room
from config import Config
from tests import live, servers
from tests.people import WORRYING, Person, Stage

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("chat-servers")]
WITHIN_A_SECOND = 1.0
SELDOM = 0.08  # an account may say 120 things in 10 seconds


@dataclass
class Town:
    """One community served by two processes."""

    stage: Stage
    processes: list[live.Server]
    wires: list[live.Wire] = field(default_factory=list)

    def wire(self, person: Person, process: int) -> live.Wire:
        made = live.Wire(self.processes[process], f"kith={person.client.get_cookie('kith').value}")
        self.wires.append(made)
        return made

    def screen(self, person: Person, process: int, room: int) -> live.Screen:
        return live.Screen(self.wire(person, process), room)

    def logs(self) -> str:
        return "".join(process.log.read_text() for process in self.processes)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with ExitStack() as stack:
        url = servers.fresh_postgres()
        redis_url = stack.enter_context(servers.redis(folder))
        options = {"database_url": url, "redis_url": redis_url, "WRITE_LIMIT": "100000 per minute"}
        processes = [stack.enter_context(live.serving(folder, **options)) for _ in range(2)]
        app = create_app(Config(mode="test", data_dir=folder, database_url=url, jobs="outside", fanout="stock"))
        made = Town(Stage(app), processes)
        yield made
        for wire in made.wires:
            wire.close()
        app.extensions["kith_engine"].dispose()
    assert "Traceback" not in made.logs(), made.logs()[-6000:]


@pytest.fixture
def room(town: Town) -> int:
    """A fresh room that anybody may read, and Ana and Ben have joined."""
    return town.stage.do(lambda: _new_room(town.stage, mode="publish"))


def _new_room(stage: Stage, **settings: Any) -> int:
    from community.core.clock import now
    from community.rooms.actions import add_member

    made = Room(slug=f"r{random.getrandbits(48):x}", name="Kitchen", created_at=now(), **settings)
    db.session().add(made)
    db.session().flush()
    for name in ("Ana", "Ben", "Sam"):
        if name in stage.people:
            add_member(made, stage.people[name].id)
    return made.id


@pytest.fixture
def pair(town: Town) -> tuple[Person, Person]:
    return town.stage.person("Ana"), town.stage.person("Ben")


def test_every_screen_in_both_processes_ends_with_the_one_sequence(town: Town, pair: tuple[Person, Person], room: int) -> None:
    """Four writers at once, every third message sent twice with its key; eight screens on two processes."""
    town.stage.do(lambda: [_join(room, person) for person in pair])
    readers = [town.screen(person, process, room) for person in pair for process in (0, 1) for _ in (1, 2)]
    with ThreadPoolExecutor(4) as pool:
        writers = [town.screen(person, process, room) for person in pair for process in (0, 1)]
        answers = [answer for batch in pool.map(_write_many, writers, range(4)) for answer in batch]
    assert all(answer["ok"] for answer in answers), [answer for answer in answers if not answer["ok"]][:1]
    stored = town.stage.ask(lambda: _stored(room))
    assert sorted(seq for seq, _ in stored) == list(range(1, len(stored) + 1)) == list(range(1, 4 * 30 + 1))
    for reader in readers:
        live.until(lambda reader=reader: len(reader.words()) == len(stored), 10, "all messages on the screen")  # type: ignore[misc]
        assert reader.words() == [body for _, body in stored]
        assert len(reader.told) == len(set(reader.told)), "an event was told twice"


def _write_many(writer: live.Screen, who: int) -> list[dict[str, Any]]:
    answers = []
    for number in range(30):
        key, body = f"w{who}-{number}", f"Writer {who}, line {number}"
        answers.append(writer.write(key, body))
        if number % 3 == 0:
            again = writer.write(key, body)
            assert again == {**answers[-1], "repeated": True}
    return answers


def _stored(room: int) -> list[tuple[int, str]]:
    rows = sa.select(Message.seq, Message.body).where(Message.room_id == room).order_by(Message.seq)
    return [(seq, body) for seq, body in db.session().execute(rows)]


def _join(room: int, person: Person) -> None:
    from community.rooms.access import is_member
    from community.rooms.actions import add_member

    found = db.session().get_one(Room, room)
    if not is_member(person.account(), found):
        add_member(found, person.id)


def test_one_key_sent_at_once_to_both_processes_is_one_message(town: Town, pair: tuple[Person, Person], room: int) -> None:
    ana, _ = pair
    town.stage.do(lambda: _join(room, ana))
    screens = [town.screen(ana, process, room) for process in (0, 1)]
    with ThreadPoolExecutor(2) as pool:
        for number in range(12):
            both = list(pool.map(lambda screen, n=number: screen.write(f"twin-{n}", WORRYING), screens))  # type: ignore[misc]
            assert sorted(answer["repeated"] for answer in both) == [False, True]
            assert both[0]["message"] == both[1]["message"]
            assert both[0]["support"] == both[1]["support"]
    assert len(town.stage.ask(lambda: _stored(room))) == 12
    cases = town.stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).where(Case.room_id == room)))
    assert cases == 12


def test_held_words_reach_nobody_else_in_any_process(town: Town, pair: tuple[Person, Person]) -> None:
    room = town.stage.do(lambda: _new_room(town.stage, mode="hold"))
    town.stage.do(lambda: [_join(room, person) for person in pair])
    writer = town.screen(pair[0], 0, room)
    others = [town.screen(pair[1], process, room) for process in (0, 1)]
    answer = writer.write("held", WORRYING)
    assert answer["held"]
    writer.write("after", "Something light.")
    for other in others:
        live.until(lambda other=other: other.words() == ["Something light."], 5)  # type: ignore[misc]
        assert other.through == 2
    town.stage.do(lambda: _make_visible(answer["message"]["id"]))  # from a third process, which has no Redis: a lost hint
    for other in others:
        other.through = 0
        other.catch_up()
        assert other.words() == [WORRYING, "Something light."]


def _make_visible(message_id: int) -> None:
    found = db.session().get_one(Message, message_id)
    found.visibility = "visible"
    found.changed()


def _unheard(writer: live.Screen, screens: list[live.Screen], number: int) -> bool:
    """A message written now is on the writer's own screen and on none of theirs."""
    body = f"After {number}."
    assert writer.write(f"{writer.room}-after-{number}", body)["ok"]
    live.until(lambda: body in writer.words(), 5)
    return not any(body in screen.words() for screen in screens)


def test_a_name_of_the_servers_own_does_not_hide_a_socket_from_it(town: Town, pair: tuple[Person, Person]) -> None:
    """Saying "disconnect" must not take a connection off the list of those that lose authority."""
    person = town.stage.person("Sly")
    room = town.stage.do(lambda: _new_room(town.stage))
    town.stage.do(lambda: [_join(room, someone) for someone in (pair[1], person)])
    sly, writer = town.screen(person, 0, room), town.screen(pair[1], 0, room)
    for name in ("disconnect", "connect"):
        sly.wire.send_text(f'42["{name}"]')
    town.stage.do(lambda: accounts.sign_out_everywhere(person.account()))
    count = iter(range(10_000))
    live.until(lambda: _unheard(writer, [sly], next(count)), WITHIN_A_SECOND, "nothing more is heard", SELDOM)
