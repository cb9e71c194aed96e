"""The live door keeps its promises: stored before answered, told once, caught up, refused in a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from community import create_app
from community.chat import queries
from community.core.prepared import Prepared
from community.core.realtime import MALFORMED_ALLOWED, sockets
from community.core.websocket import MAX_BACKLOG
from tests.people import WORRYING, Person, Stage


def ask(client: Any, event: str, **payload: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.emit(event, payload, callback=True)
    return answer


def heard(client: Any, event: str = "message") -> list[dict[str, Any]]:
    return [_only(packet["args"]) for packet in client.get_received() if packet["name"] == event]


def _only(arguments: Any) -> Any:
    """The test client unpacks the event named "message" and no other."""
    return arguments[0] if isinstance(arguments, list) else arguments


def write(client: Any, room: int, body: str, key: str = "k1") -> dict[str, Any]:
    return ask(client, "write_message", room=room, key=key, body=body)


def test_entering_says_how_far_the_room_is_and_whether_one_may_write(stage: Stage, ana: Person, dev: Person) -> None:
    ana.says("Good morning.")
    answer = ask(ana.live(), "enter_room", room=stage.low_days)
    whole = {
        "ok": True,
        "room": stage.low_days,
        "last_seq": 1,
        "may_write": True,
        "sentence": "",
        "hours": "staffed",
        "live": True,
        "here": 1,
    }
    assert answer == whole
    stranger = ask(dev.live(), "enter_room", room=str(stage.low_days))
    assert stranger["ok"]
    assert not stranger["may_write"]
    assert "Join" in stranger["sentence"]


def test_a_message_is_stored_answered_and_told_to_everyone_in_the_room_once(stage: Stage, ana: Person, ben: Person) -> None:
    first, second = ana.live(), ben.live()
    for client in (first, second):
        ask(client, "enter_room", room=stage.low_days)
        client.get_received()
    answer = write(first, stage.low_days, "I slept badly.")
    assert answer["ok"]
    assert (answer["repeated"], answer["held"], answer["support"]) == (False, False, None)
    assert heard(second) == heard(first) == [answer["message"]]


def test_the_same_key_is_one_message_and_one_answer(stage: Stage, ana: Person) -> None:
    client = ana.live()
    once = write(client, stage.low_days, WORRYING)
    again = write(client, stage.low_days, WORRYING)
    assert again == {**once, "repeated": True}
    assert once["support"]
    other = write(client, stage.low_days, "Something else.")
    assert (other["ok"], other["code"]) == (False, "conflict")
    assert stage.ask(lambda: queries.last_seq(stage.low_days)) == 1


def test_held_words_are_told_to_nobody_but_their_author(stage: Stage, ana: Person, ben: Person) -> None:
    first, second = ana.live(), ben.live()
    for client in (first, second):
        ask(client, "enter_room", room=stage.eating)
    answer = write(first, stage.eating, WORRYING)
    assert answer["held"]
    assert answer["message"]["body"] == WORRYING
    assert heard(second) == []
    assert ask(second, "read_after", room=stage.eating, seq=0)["messages"] == []
    assert ask(first, "read_after", room=stage.eating, seq=0)["messages"] == [answer["message"]]


def test_a_number_nobody_may_see_leaves_no_gap_to_wait_for(stage: Stage, ana: Person, ben: Person) -> None:
    ana.says("One.", room=stage.eating)
    ana.says(WORRYING, room=stage.eating)
    answer = ask(ben.live(), "read_after", room=stage.eating, seq=0)
    assert [message["seq"] for message in answer["messages"]] == [1]
    assert (answer["through"], answer["more"]) == (2, False)


def test_catching_up_comes_in_pages_that_say_how_far_they_are_complete(stage: Stage, ana: Person, ben: Person) -> None:
    count = queries.CATCH_UP_MAX + 3
    for number in range(count):
        ana.says(f"Message {number}.", key=f"n{number}")
    client = ben.live()
    first = ask(client, "read_after", room=stage.low_days, seq=0)
    assert (len(first["messages"]), first["through"], first["more"]) == (queries.CATCH_UP_MAX, queries.CATCH_UP_MAX, True)
    rest = ask(client, "read_after", room=stage.low_days, seq=first["through"])
    assert ([message["seq"] for message in rest["messages"]], rest["through"], rest["more"]) == ([201, 202, 203], count, False)


def test_an_answer_is_never_so_long_that_a_connection_is_dropped_for_it(stage: Stage, ana: Person) -> None:
    said = [ana.says(f"{number} " + "🫂" * 1_990).message.seq for number in range(60)]
    through, pages = 0, []
    while not pages or pages[-1]["more"]:
        pages.append(ask(ana.live(), "read_after", room=stage.low_days, seq=through))
        through = pages[-1]["through"]
    assert [line["seq"] for page in pages for line in page["messages"]] == said
    assert max(len(json.dumps(page)) for page in pages) < MAX_BACKLOG / 4


def test_who_may_not_read_a_room_learns_nothing_of_it(stage: Stage, ana: Person, ida: Person) -> None:
    with stage.writing() as session:
        from community.rooms.models import Room

        session.get_one(Room, stage.eating).read_by = "staff"
    client = ana.live()
    for event, extra in (("enter_room", {}), ("read_after", {"seq": 0}), ("write_message", {"key": "k", "body": "x"})):
        hidden = ask(client, event, room=stage.eating, **extra)
        missing = ask(client, event, room=999_999, **extra)
        assert hidden == missing
        assert hidden["code"] == "not-found"


def test_leaving_a_room_ends_its_events(stage: Stage, ana: Person, ben: Person) -> None:
    client = ben.live()
    ask(client, "enter_room", room=stage.low_days)
    ask(client, "leave_room", room=stage.low_days)
    ana.says("Is anybody here?")
    assert heard(client) == []


def test_too_long_words_are_refused_in_a_sentence_and_nothing_is_stored(stage: Stage, ana: Person) -> None:
    answer = write(ana.live(), stage.low_days, "x" * 3000)
    assert answer["code"] == "invalid"
    assert "3,000" in answer["error"]
    assert stage.ask(lambda: queries.last_seq(stage.low_days)) == 0


@pytest.mark.parametrize(
    "body", ["half \ud83d", "nul \x00 here", "a" + "\u0301" * 1500, "\u202eright to left", "<script>alert(1)</script>"]
)
def test_strange_words_are_kept_as_far_as_a_database_can_hold_them(stage: Stage, ana: Person, body: str) -> None:
    answer = write(ana.live(), stage.low_days, body)
    assert answer["ok"], answer
    assert answer["message"]["body"] == body.replace("\ud83d", "\ufffd").replace("\x00", "\ufffd")


MALFORMED: list[Any] = [
    None, [], [1, 2], "text", 7, {}, {"room": None}, {"room": True, "seq": 0}, {"room": 1.5, "seq": 0}, {"room": 1},
    {"room": 1, "seq": "0"}, {"room": 1, "seq": -1}, {"room": 10**30, "seq": 0}, {"room": 1, "seq": 10**30},
    {"room": 1, "seq": 0, "more": 1}, {"room": "1; --", "seq": 0}, {"room": "", "seq": 0}, {"room": {"id": 1}, "seq": 0},
]  # fmt: skip


@pytest.mark.parametrize("payload", MALFORMED, ids=lambda value: json.dumps(value)[:30])
def test_a_malformed_payload_gets_a_sentence(stage: Stage, ana: Person, payload: Any) -> None:
    answer = ana.live().emit("read_after", payload, callback=True)
    assert answer["code"] == "malformed"
    assert "Reload" in answer["error"]


def test_names_the_sender_made_up_are_not_repeated(ana: Person) -> None:
    answer = ana.live().emit("enter_room", {"room": 1, "<script>": 1}, callback=True)
    assert "script" not in answer["error"]


@pytest.mark.parametrize("event", ["read_after", "nobody_knows_this", "may_hear", "malformed"])
def test_five_malformed_messages_close_the_socket(stage: Stage, ana: Person, event: str) -> None:
    client = ana.live()
    for _ in range(MALFORMED_ALLOWED - 1):
        client.emit(event, "nonsense")
    assert client.is_connected()
    client.emit(event, "nonsense")
    assert not client.is_connected()


def test_a_suspended_member_has_no_live_connection(sam: Person) -> None:
    assert not sam.live().is_connected()


def test_writing_too_fast_is_refused_and_the_words_stay_with_the_writer(stage: Stage, ana: Person) -> None:
    client = ana.live()
    answers = [write(client, stage.low_days, f"Line {number}", key=f"k{number}") for number in range(35)]
    assert [answer["ok"] for answer in answers].count(True) == 30
    assert answers[-1]["code"] == "too-many"


def test_a_quiet_message_asks_four_things(stage: Stage, ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who it is; the room, whether they joined, whether this was sent before, and the rules in force; its place; the row."""
    client = ana.live()
    ask(client, "enter_room", room=stage.low_days)
    write(client, stage.low_days, "Good morning.", key="first")  # what a process looks at once a second is looked at
    statements: list[str] = []
    engine = stage.app.extensions["kith_engine"]
    sa.event.listen(engine, "before_cursor_execute", note := lambda *told: statements.append(told[2].split()[0]))
    run = Prepared.first

    def noted(prepared: Prepared, *given: Any) -> Any:
        statements.append(str(prepared.statement).split()[0])
        return run(prepared, *given)

    monkeypatch.setattr(Prepared, "first", noted)
    try:
        write(client, stage.low_days, "I slept well.", key="second")
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert statements == ["SELECT", "SELECT", "UPDATE", "INSERT"]


def test_an_app_that_begins_has_nobody_connected(stage: Stage, ana: Person) -> None:
    """Connections of an earlier app in this process would count as this one's windows, and refuse people."""
    assert ana.live().is_connected()
    assert len(sockets.of(ana.id)) == 1
    again = create_app(stage.app.config["KITH"])
    again.extensions["kith_engine"].dispose()
    assert len(sockets) == 0
