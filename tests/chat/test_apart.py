"""Two who keep apart, over two real processes, with either fan-out: nothing one says reaches a wire of the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from community import create_app
from community.accounts import blocking
from community.core import db
from community.core.clock import now
from community.rooms.actions import add_member
from community.rooms.models import Room
from config import Config
from tests import live, servers
from tests.people import Person, Stage

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("chat-apart")]


class Town:
    """One community on SQLite and Redis, served by two processes."""

    def __init__(self, stage: Stage, processes: list[live.Server]) -> None:
        self.stage, self.processes = stage, processes
        self.people = [stage.person(name) for name in ("Ana", "Ben", "Cleo")]
        self.room = stage.do(self._room)

    def _room(self) -> int:
        room = Room(slug="kitchen", name="Kitchen", created_at=now())
        db.session().add(room)
        db.session().flush()
        for person in self.people:
            add_member(room, person.id)
        return room.id

    def wire(self, person: Person, process: int) -> live.Wire:
        person.client  # noqa: B018  (signs in)
        made = live.Wire(self.processes[process], f"kith={person.client.get_cookie('kith').value}")
        assert made.ask("enter_room", room=self.room)["ok"]
        return made


@pytest.fixture(params=["own", "stock"])
def town(tmp_path: Any, request: pytest.FixtureRequest) -> Iterator[Town]:
    with ExitStack() as stack:
        options = {"redis_url": stack.enter_context(servers.redis(tmp_path)), "FANOUT": request.param}
        processes = [stack.enter_context(live.serving(tmp_path, **options)) for _ in range(2)]
        url = f"sqlite:///{tmp_path / 'kith.sqlite3'}"
        app = create_app(Config(mode="test", data_dir=tmp_path, database_url=url, jobs="outside", fanout="stock"))
        yield Town(Stage(app), processes)
        app.extensions["kith_engine"].dispose()


def said(wire: live.Wire, kind: str) -> list[Any]:
    return [told for name, told in [(event[0], event[-1]) for event in list(wire.heard.queue)] if name == kind]


def speaks(wire: live.Wire, room: int, words: str) -> None:
    assert wire.ask("write_message", room=room, key=words.replace(" ", "-"), body=words)["ok"]


def test_what_one_says_reaches_no_wire_of_the_other_in_any_process_and_all_count_people_once(town: Town) -> None:
    ana, ben, _ = town.people
    wires = {(person.name, process): town.wire(person, process) for person in town.people for process in (0, 1)}
    third = wires["Cleo", 1]
    live.until(lambda: any(told["here"] == 3 for told in said(wires["Ana", 0], "here_changed")), what="Ana counts three")
    town.stage.do(lambda: blocking.keep_away(ana.account(), ben.id, "block"))  # by a process that has no socket of either
    for name in ("Ana", "Ben"):
        for process in (0, 1):
            live.until(lambda wire=wires[name, process]: said(wire, "apart_changed"), what=f"{name} {process} knows")  # type: ignore[misc]
    counted = said(wires["Ana", 1], "here_changed")  # the news may have come already
    for wire in wires.values():
        wire.heard.queue.clear()
    for process in (0, 1):
        for name in ("Ana", "Ben"):
            wires[name, process].tell("typing", {"room": town.room})
            speaks(wires[name, process], town.room, f"By {name} in {process}")
    speaks(wires["Cleo", 0], town.room, "The end")
    for wire in wires.values():
        live.until(lambda wire=wire: any(told["body"] == "The end" for told in said(wire, "message")), what="the end")  # type: ignore[misc]
    for name, other in (("Ana", ben), ("Ben", ana)):
        for process in (0, 1):
            assert other.name not in str(list(wires[name, process].heard.queue)), (name, process)
            assert len(said(wires[name, process], "message")) == 3
    assert len(said(third, "message")) == 5
    assert {told["author"] for told in said(third, "typing_noticed")} == {"Ana", "Ben"}
    two = {"room": town.room, "here": 2}
    live.until(lambda: [*counted, *said(wires["Ana", 1], "here_changed")][-1:] == [two], what="Ana counts two")
