"""Who is in a room and who is writing, as others may notice it: by person, by choice, never across a block, never with a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community.chat import presence as presences
from community.chat import typing
from community.chat.presence import LINGER_S, SHOWN, Presence, presence
from community.rooms.actions import leave_room
from community.rooms.models import Room
from tests.people import Person, Stage


class Clock:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def clock(app: Any) -> Iterator[Clock]:
    made = Clock()
    presence.clock = typing.pace.clock = made
    yield made
    presence.begin()
    typing.pace.__init__()  # type: ignore[misc]


def ask(wire: Any, event: str, **payload: Any) -> dict[str, Any]:
    answer: dict[str, Any] = wire.emit(event, payload, callback=True)
    return answer


def enters(stage: Stage, person: Person) -> tuple[Any, int]:
    wire = person.live()
    return wire, ask(wire, "enter_room", room=stage.low_days)["here"]


def heard(wire: Any, name: str) -> list[Any]:
    packets = [(packet["name"], packet["args"]) for packet in wire.get_received()]
    return [given[0] if isinstance(given, list) else given for told, given in packets if told == name]


def numbers(wire: Any) -> list[int]:
    return [told["here"] for told in heard(wire, "here_changed")]


def names(stage: Stage, person: Person) -> str:
    return str(person.get(f"/rooms/{stage.low_days}/chat/here").text)


def wishes(person: Person, **ticked: str) -> None:
    assert person.post("/me/presence", **ticked).status_code == 303


# ---- who is here


def test_a_person_is_here_once_however_many_windows_and_who_leaves_lingers(
    stage: Stage, ana: Person, ben: Person, clock: Clock
) -> None:
    wire, here = enters(stage, ana)
    assert here == 1
    (one, here), (two, _) = enters(stage, ben), enters(stage, ben)
    assert here == 2
    presence.look()
    assert numbers(wire) == [2]
    one.disconnect()
    presence.look()
    two.disconnect()
    clock.moment += LINGER_S - 1
    presence.look()
    assert numbers(wire) == []
    assert "Ben" in names(stage, ana)
    clock.moment += LINGER_S
    presence.look()
    assert numbers(wire) == [1]
    assert "Ben" not in names(stage, ana)
    assert "you" in names(stage, ana)


def test_nothing_says_since_when_somebody_is_here(stage: Stage, ana: Person, ben: Person, clock: Clock) -> None:
    enters(stage, ben)
    assert "Ben" in names(stage, ana)
    assert "<time" not in names(stage, ana)
    assert "ago" not in names(stage, ana)


@pytest.mark.parametrize("who", ["ana", "mia"])
def test_who_appears_away_is_gone_at_once_for_everybody_the_team_included(
    stage: Stage, ben: Person, who: str, clock: Clock, request: pytest.FixtureRequest
) -> None:
    shy: Person = request.getfixturevalue(who)
    (wire, _), (theirs, _) = enters(stage, ben), enters(stage, shy)
    presence.look()
    assert numbers(wire) == [2]
    wishes(shy, appears_away="1", shows_typing="1")
    presence.look()
    assert numbers(wire) == [1]
    assert shy.name not in names(stage, ben)
    assert "Ben" in names(stage, shy)
    assert ask(theirs, "enter_room", room=stage.low_days)["here"] == 1
    wishes(shy, shows_typing="1")
    ask(theirs, "enter_room", room=stage.low_days)
    presence.look()
    assert numbers(wire) == [2]


def test_who_only_reads_along_is_seen_by_nobody(stage: Stage, ana: Person, dev: Person, clock: Clock) -> None:
    enters(stage, ana)
    assert enters(stage, dev)[1] == 1
    assert "Dev" not in names(stage, ana)


def test_who_leaves_the_room_for_good_is_not_shown_again(stage: Stage, ana: Person, ben: Person, clock: Clock) -> None:
    wire, _ = enters(stage, ben)
    stage.do(lambda: leave_room(ben.account(), stage.low_days))
    ask(wire, "enter_room", room=stage.low_days)
    assert enters(stage, ana)[1] == 1


def test_two_who_keep_apart_neither_see_nor_count_each_other(
    stage: Stage, ana: Person, ben: Person, mia: Person, clock: Clock
) -> None:
    wires = {person.name: enters(stage, person)[0] for person in (ana, ben, mia)}
    presence.look()
    assert {name: numbers(wire)[-1] for name, wire in wires.items()} == {"Ana": 3, "Ben": 3, "Mia": 3}
    ana.post(f"/people/{ben.id}/apart", kind="block")
    presence.look()
    assert {name: numbers(wire) for name, wire in wires.items()} == {"Ana": [2], "Ben": [2], "Mia": []}
    assert "Ben" not in names(stage, ana)
    assert "Ana" not in names(stage, ben)
    assert "Ana" in names(stage, mia)
    wires["Ben"].disconnect()
    clock.moment += LINGER_S + 1
    presence.look()
    assert {name: numbers(wires[name]) for name in ("Ana", "Mia")} == {"Ana": [], "Mia": [2]}
    assert "data-here-says>2 here<" in ana.get(f"/rooms/{stage.low_days}/chat").text


def test_a_suspended_person_is_named_no_more_while_they_linger(stage: Stage, ana: Person, ben: Person, clock: Clock) -> None:
    from datetime import timedelta

    from community.accounts import actions as accounts
    from community.core.clock import now

    enters(stage, ben)
    stage.do(lambda: accounts.restrict(ben.account(), decision_id=77, until=now() + timedelta(days=1)))
    assert "Ben" not in names(stage, ana)


def test_a_stranger_to_the_room_learns_nothing(stage: Stage, ana: Person, dev: Person, clock: Clock) -> None:
    with stage.writing() as session:
        session.get_one(Room, stage.low_days).read_by = "joined"
    enters(stage, ana)
    assert dev.get(f"/rooms/{stage.low_days}/chat/here").status_code == 404


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["enter", "leave", "away", "look", "say", "wait"]),
        st.integers(0, 1),
        st.integers(1, 4),
        st.integers(0, 2),
    ),
    max_size=30,
)


class Two:
    """Two processes whose Redis is this list, and screens that keep the number they were told last."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.both = (Presence(), Presence())
        for each in self.both:
            each.clock = self.clock
        self.open: dict[tuple[int, str], int] = {}  # process and screen -> person
        self.apart = {1: frozenset({2}), 2: frozenset({1})}
        self.number: dict[tuple[int, str], int] = {}

    def does(self, move: str, process: int, person: int, screen: int) -> None:
        sid, known = f"{person}-{screen}", self.both[process]
        if move == "enter":
            self.open[process, sid] = person
            unseen = self.apart.get(person, frozenset())
            self.number[process, sid] = known.enter(1, sid, person, shown=person != 4, unseen=unseen)
        elif move == "leave":
            self.open.pop((process, sid), None)
        elif move == "away" and (process, sid) in self.open:
            known.settle(sid, person, away=True, unseen=self.apart.get(person, frozenset()))
        elif move == "wait":
            self.clock.moment += 7
        elif move == "look":
            known.look()

    def told(self, process: int, whom: str, here: int) -> None:
        for (where, sid), person in self.open.items():
            if where == process and (sid == whom or (whom == self.both[process].audience(1) and person not in self.apart)):
                self.number[where, sid] = here


@settings(max_examples=60, deadline=None)
@given(moves=MOVES)
def test_every_screen_ends_with_the_number_a_fresh_one_is_told(moves: list[tuple[str, int, int, int]]) -> None:
    two = Two()
    kept = presences.send, presences.tell_processes, presences._is_inside
    presences.tell_processes = lambda _manager, _topic, said: [
        each.hear(said) for each in two.both if each.process != said["process"]
    ]
    now_looking = [0]
    presences.send = lambda event: two.told(now_looking[0], event.whom, event.here)
    presences._is_inside = lambda _room, sid: (now_looking[0], sid) in two.open
    server, presences.socketio = presences.socketio, type("NoServer", (), {"server": type("S", (), {"manager": None})})()
    try:
        for move in moves:
            now_looking[0] = move[1]
            two.does(*move)
        two.clock.moment += LINGER_S + 1
        for _ in range(2):
            for now_looking[0] in (0, 1):
                two.both[now_looking[0]].look()
        for (process, sid), person in two.open.items():
            unseen = two.apart.get(person, frozenset())
            people = {two.both[0].people(1), two.both[1].people(1)}
            assert len(people) == 1, "both processes know the same"
            assert two.number[process, sid] == len(people.pop() - unseen)
    finally:
        presences.send, presences.tell_processes, presences._is_inside = kept
        presences.socketio = server


def test_a_busy_room_is_told_nothing_of_more_people_than_it_shows() -> None:
    known = Presence()
    told = []
    kept, presences.send = presences.send, told.append
    try:
        for person in range(SHOWN + 1):
            known._seen[1][person] = known.clock()
        known._tell("everybody", 1, known.people(1))
        known._seen[1][1000] = known.clock()
        known._tell("everybody", 1, known.people(1))
    finally:
        presences.send = kept
    assert [event.here for event in told] == [SHOWN + 1]


# ---- who is writing


def test_others_notice_that_somebody_writes_seldom_and_nothing_of_what(
    stage: Stage, ana: Person, ben: Person, clock: Clock
) -> None:
    (wire, _), (other, _) = enters(stage, ana), enters(stage, ben)
    for _ in range(3):
        assert ask(wire, "typing", room=stage.low_days) == {"ok": True}
    assert heard(other, "typing_noticed") == [{"room": stage.low_days, "author_id": ana.id, "author": "Ana"}]
    clock.moment += typing.EACH_S + 1
    ask(wire, "typing", room=stage.low_days)
    assert len(heard(other, "typing_noticed")) == 1
    assert ask(wire, "typing", room=stage.low_days, body="x")["code"] == "malformed"


def test_at_most_a_few_people_at_once_are_told_of(clock: Clock) -> None:
    assert [typing.pace.allows(1, person) for person in range(typing.MOST + 2)] == [True] * typing.MOST + [False] * 2
    assert typing.pace.allows(2, 0)


def test_writing_is_told_to_nobody_when_it_is_turned_off_or_somebody_appears_away(
    stage: Stage, ana: Person, ben: Person, clock: Clock
) -> None:
    (wire, _), (other, _) = enters(stage, ana), enters(stage, ben)
    for ticked in ({}, {"shows_typing": "1", "appears_away": "1"}):
        wishes(ana, **ticked)
        assert ask(wire, "typing", room=stage.low_days) == {"ok": True}
        assert heard(other, "typing_noticed") == []
    assert "data-typing" in ben.get(f"/rooms/{stage.low_days}/chat").text
    wishes(ben)
    assert "data-typing" not in ben.get(f"/rooms/{stage.low_days}/chat").text


def test_writing_is_not_noticed_across_a_block(stage: Stage, ana: Person, ben: Person, mia: Person, clock: Clock) -> None:
    ana.post(f"/people/{ben.id}/apart", kind="block")
    (wire, _), (blocked, _), (third, _) = enters(stage, ana), enters(stage, ben), enters(stage, mia)
    ask(wire, "typing", room=stage.low_days)
    assert (heard(blocked, "typing_noticed"), len(heard(third, "typing_noticed"))) == ([], 1)


def test_who_may_not_write_is_not_writing(stage: Stage, ana: Person, dev: Person, clock: Clock) -> None:
    other, _ = enters(stage, ana)
    wire, _ = enters(stage, dev)
    assert ask(wire, "typing", room=stage.low_days)["code"] == "forbidden"
    assert heard(other, "typing_noticed") == []
