"""People take their own messages back, at any time; screens take them away. Content note: one plain sentence about not wanting to be here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from community.chat.models import Message
from community.core import db
from community.core.clock import now
from community.moderation.models import Snapshot
from community.moderation.reviewable import find
from tests.people import WORRYING, Person, Stage


def hide(stage: Stage, message_id: int) -> None:
    def act() -> None:
        message = find("message", message_id)
        message.visibility = "hidden"
        message.changed()

    stage.do(act)


def state(stage: Stage) -> str:
    return stage.ask(lambda: db.session().scalars(sa.select(Message.visibility)).one())


def test_a_message_taken_back_leaves_every_screen(stage: Stage, ana: Person, ben: Person) -> None:
    message = ana.says("Never mind this.").message
    wire, other = ana.live(), ben.live()
    other.emit("enter_room", {"room": stage.low_days}, callback=True)
    answer = wire.emit("withdraw_message", {"message": message.id}, callback=True)
    assert answer == {
        "ok": True, "room": stage.low_days, "seq": 1, "id": message.id, "body": "Never mind this.", "without": "Never mind this.",
    }  # fmt: skip
    heard = [event for event in other.get_received() if event["name"] == "message_hidden"]
    assert heard[0]["args"] == [{"room": stage.low_days, "id": message.id, "seq": 1, "version": 2}]
    for person in (ana, ben):
        assert person.live().emit("read_after", {"room": stage.low_days, "seq": 0}, callback=True)["messages"] == []


def test_it_is_never_too_late_and_twice_is_fine(stage: Stage, ana: Person, ben: Person) -> None:
    message = ana.says("Long ago.").message
    with stage.writing() as session:
        session.get_one(Message, message.id).created_at = now() - timedelta(days=400)
    assert ana.post(f"/messages/{message.id}/withdraw").status_code == 303
    other = ben.live()
    other.emit("enter_room", {"room": stage.low_days}, callback=True)
    assert ana.post(f"/messages/{message.id}/withdraw").status_code == 303
    assert [event["name"] for event in other.get_received()] == []


@pytest.mark.parametrize("who", ["ben", "mia", "sol", "ida"])
def test_only_the_author_takes_it_back(stage: Stage, ana: Person, who: str, request: pytest.FixtureRequest) -> None:
    other: Person = request.getfixturevalue(who)
    message = ana.says("Mine.").message
    assert other.post(f"/messages/{message.id}/withdraw").status_code == 403
    refused = other.live().emit("withdraw_message", {"message": message.id}, callback=True)
    assert (refused["ok"], refused["code"]) == (False, "forbidden")
    assert state(stage) == "visible"


def test_strangers_and_the_suspended_take_nothing_back(stage: Stage, ana: Person, sam: Person) -> None:
    message = ana.says("Mine.").message
    assert stage.app.test_client().post(f"/messages/{message.id}/withdraw").status_code in (302, 400, 401)
    assert sam.post(f"/messages/{message.id}/withdraw").status_code == 403
    assert state(stage) == "visible"


def test_what_a_moderator_hid_stays_where_it_is(stage: Stage, ana: Person) -> None:
    message = ana.says("Something unkind.").message
    hide(stage, message.id)
    answer = ana.post(f"/messages/{message.id}/withdraw")
    assert answer.status_code == 403
    assert "appeal" in answer.text
    assert state(stage) == "hidden"


def test_a_case_keeps_what_was_said(stage: Stage, ana: Person) -> None:
    message = ana.says(WORRYING).message
    ana.post(f"/messages/{message.id}/withdraw")
    (case,) = stage.cases()
    assert case.state == "open"
    assert stage.ask(lambda: db.session().scalars(sa.select(Snapshot.words)).one()) == WORRYING


@pytest.mark.parametrize(
    "payload", [{}, {"message": 0}, {"message": "x"}, {"message": 2**40}, {"message": 1, "room": 1}, None, []]
)
def test_a_malformed_wish_is_refused(ana: Person, payload: Any) -> None:
    assert ana.live().emit("withdraw_message", payload, callback=True)["code"] == "malformed"


def test_what_is_not_there_is_not_found(ana: Person) -> None:
    assert ana.post("/messages/99/withdraw").status_code == 404
    assert ana.live().emit("withdraw_message", {"message": 99}, callback=True)["code"] == "not-found"


@pytest.mark.parametrize("query", ["?again=x", "?again=99", "?again=1", "?personal=1", "?personal=x"])
def test_nonsense_in_the_address_fills_no_box(stage: Stage, ana: Person, query: str) -> None:
    ana.says("Still here.")
    page = ana.get(f"/rooms/{stage.low_days}/chat{query}")
    assert page.status_code == 200
    assert "You took your message back" not in page.text
