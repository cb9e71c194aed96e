"""Places under a rush: no session holds more people than it has places, and nobody who waited is forgotten."""

from __future__ import annotations

import threading

from community.core import db
from community.core.errors import Refused
from community.sessions import arriving
from community.sessions.models import FacilitatedSession
from tests.people import Person, Stage
from tests.sessions.staging import opened, seat, state

RUSH = 12


def test_places_are_never_given_twice(stage: Stage, mia: Person) -> None:
    number = opened(stage, mia, capacity=5)
    people = [stage.person(f"Guest{each}") for each in range(RUSH)]
    begin = threading.Barrier(RUSH)

    def comes(person: Person) -> None:
        begin.wait()
        stage.do(lambda: arriving.arrive(person.account(), number, accepts=True, step=3, words=""))

    rush([threading.Thread(target=comes, args=(person,)) for person in people])
    assert sorted(seat(stage, number, person) for person in people) == ["inside"] * 5 + ["waiting"] * (RUSH - 5)

    inside = [person for person in people if seat(stage, number, person) == "inside"]
    begin = threading.Barrier(len(inside))

    def goes(person: Person) -> None:
        begin.wait()
        try:
            stage.do(lambda: arriving.leave_session(person.account(), number, step=None, words=""))
        except Refused as refusal:
            raise AssertionError(refusal.sentence) from refusal

    rush([threading.Thread(target=goes, args=(person,)) for person in inside])
    assert sorted(seat(stage, number, person) for person in people) == ["inside"] * 5 + ["left"] * 5 + ["waiting"] * 2
    assert state(stage, number).inside_count == 5
    assert stage.ask(lambda: db.session().get_one(FacilitatedSession, number).capacity) == 5


def rush(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
