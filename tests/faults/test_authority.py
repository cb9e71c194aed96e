"""Authority that is lost is silence within a second: in every process, with Redis and without."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from community.accounts import actions as accounts
from community.core import db
from community.core.clock import now
from community.rooms import actions as rooms
from community.rooms.models import Room
from community.training.models import Certificate
from tests import live, servers
from tests.faults.crowd import GONE, UNLIMITED, a_stage, close_all
from tests.people import PASSWORD_HASH, Person, Stage

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("faults")]
AT_ONCE_S = 1.0


@dataclass
class Town:
    stage: Stage
    processes: list[live.Server]
    redis: Any
    wires: list[live.Wire]

    def wire(self, person: Person, process: int, namespace: str = "/") -> live.Wire:
        assert person.client
        made = live.Wire(self.processes[process], f"kith={person.client.get_cookie('kith').value}", namespace)
        self.wires.append(made)
        return made


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("authority")
    with ExitStack() as stack:
        url = servers.fresh_postgres()
        redis_url, process = stack.enter_context(servers.redis_process(folder))
        stage = a_stage(folder, url)
        options = {"database_url": url, "redis_url": redis_url, **UNLIMITED}
        made = Town(stage, [stack.enter_context(live.serving(folder, **options)) for _ in range(2)], process, [])
        yield made
        close_all(made.wires)
        stage.app.extensions["kith_engine"].dispose()


def signs_out(stage: Stage, person: Person, room: int) -> None:
    accounts.sign_out_everywhere(person.account())


def is_suspended(stage: Stage, person: Person, room: int) -> None:
    accounts.restrict(person.account(), decision_id=-person.id, until=now() + timedelta(days=1))


def leaves(stage: Stage, person: Person, room: int) -> None:
    rooms.leave_room(person.account(), room)


def is_removed(stage: Stage, person: Person, room: int) -> None:
    rooms.take_out_of_room(stage.person("Ida").account(), room, person.id)


def sees_the_room_archived(stage: Stage, person: Person, room: int) -> None:
    rooms.archive_room(stage.person("Ida").account(), room)


def sees_the_room_become_the_teams(stage: Stage, person: Person, room: int) -> None:
    db.session().get_one(Room, room).read_by = "staff"
    rooms.everyone_checked_again()


def has_the_password_changed_elsewhere(stage: Stage, person: Person, room: int) -> None:
    account = person.account()
    account.session_id = -1  # another sign-in than the one of these connections
    accounts.change_password(account, PASSWORD_HASH)


LOSSES = [
    signs_out,
    is_suspended,
    leaves,
    is_removed,
    sees_the_room_archived,
    sees_the_room_become_the_teams,
    has_the_password_changed_elsewhere,
]
Loses = Callable[[Stage, Person, int], None]


def _a_room(stage: Stage, *people: Person) -> int:
    room = Room(slug=f"r{time.monotonic_ns()}", name="Kitchen", created_at=now(), read_by="joined")
    db.session().add(room)
    db.session().flush()
    for person in people:
        rooms.add_member(room, person.id)
    return room.id


def silenced(town: Town, loses: Loses) -> None:
    stage = town.stage
    stage.person("Ida", role="admin")
    ben = stage.person("Ben", role="admin")  # goes on writing where others may not
    person = stage.person(f"Eve{time.monotonic_ns()}")
    room = stage.do(lambda: _a_room(stage, ben, person))
    wires = [town.wire(person, process) for process in (0, 1)]
    writers = [town.wire(ben, process) for process in (0, 1)]
    for wire in (*wires, *writers):
        assert wire.ask("enter_room", room=room)["ok"]
    stage.do(lambda: loses(stage, person, room))
    live.until(lambda: not any(_accepted(wire, room) for wire in wires), AT_ONCE_S, "nothing more is accepted", 0.05)
    time.sleep(AT_ONCE_S)  # the second it may take; what is said after it reaches nobody who lost the right
    for wire in wires:
        wire.heard.queue.clear()
    for process, writer in enumerate(writers):
        town.processes[process].ready()
        _tell(writer, room, f"after {process}")
    for wire in wires:
        assert not [name for name, *_ in list(wire.heard.queue) if name == "message"]
    close_all([*wires, *writers])


def _accepted(wire: live.Wire, room: int) -> bool:
    key = f"k{time.monotonic_ns()}"
    asked: list[tuple[str, dict[str, Any]]] = [("write_message", {"key": key, "body": "still here"}), ("read_after", {"seq": 0})]
    try:
        return any(wire.ask(event, room=room, **payload)["ok"] for event, payload in asked)
    except GONE:
        return False


def _tell(writer: live.Wire, room: int, words: str) -> None:
    """Written where that is still possible; either way the process has answered before we look."""
    answer = writer.ask("write_message", room=room, key=f"t{time.monotonic_ns()}", body=words)
    if answer["ok"]:
        seq = answer["message"]["seq"]
        live.until(lambda: any(said["seq"] == seq for name, said in list(writer.heard.queue) if name == "message"), 5)


@pytest.mark.parametrize("loses", LOSSES, ids=lambda loses: loses.__name__)
def test_who_loses_the_right_hears_and_says_nothing_more_in_any_process(town: Town, loses: Loses) -> None:
    silenced(town, loses)


def test_a_certificate_that_ran_out_takes_the_desk_from_every_process(town: Town) -> None:
    stage = town.stage
    mia = stage.person("Mia", role="moderator", concerns=("suicide",))
    desks = [town.wire(mia, process, "/desk") for process in (0, 1)]
    soon = now() + timedelta(seconds=0.5)
    stage.do(lambda: db.session().execute(sa.update(Certificate).where(Certificate.account_id == mia.id).values(expires_at=soon)))
    for desk in desks:
        live.until(lambda desk=desk: any(said[0] == "desk_changed" for said in list(desk.heard.queue)), 0.5 + AT_ONCE_S)  # type: ignore[misc]


def test_with_redis_frozen_or_dead_the_row_alone_silences(town: Town) -> None:
    os.kill(town.redis.pid, signal.SIGSTOP)
    try:
        silenced(town, signs_out)
    finally:
        os.kill(town.redis.pid, signal.SIGCONT)
    town.redis.kill()
    town.redis.wait()
    silenced(town, leaves)
    silenced(town, is_suspended)
