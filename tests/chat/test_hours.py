"""What an hour changes in a chat: who may write, how often, and what an open page learns of it.

Content note: one plain sentence about not wanting to be here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from community.chat.models import Message
from community.core import db
from community.core.clock import now
from community.rooms.actions import add_member
from community.rooms.hours import Hours, Span
from community.rooms.models import Room
from tests.people import WORRYING, Person, Stage

NOON = datetime(2027, 1, 12, 12, tzinfo=UTC)  # a Tuesday; in winter London has UTC


def set_hours(stage: Stage, *spans: Span, outside: str = "closed", **values: Any) -> None:
    hours = {"hours": Hours(spans), "outside_hours": outside, **values}
    stage.do(lambda: db.session().execute(sa.update(Room).where(Room.id == stage.low_days).values(**hours)))


def stored(stage: Stage) -> list[str]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(Message.body).order_by(Message.id))))


def line(person: Person) -> dict[str, str]:
    """What the head of the chat carries, as an open page fetches it."""
    answer = person.get(f"/rooms/{person.stage.low_days}/chat/hours", headers={"X-Requested-With": "kith"})
    assert answer.status_code == 200
    return dict(re.findall(r'data-(\w+)="([^"]*)"', answer.text)) | {"text": answer.text}


@pytest.fixture
def ana(stage: Stage) -> Person:
    with time_machine.travel(NOON - timedelta(days=1)):
        ana = stage.person("Ana", rooms=True)
        ana.client  # noqa: B018  (signs in)
    return ana


def test_a_closed_chat_refuses_on_every_road_says_when_it_opens_and_keeps_the_words(stage: Stage, ana: Person) -> None:
    set_hours(stage, Span(2, 540, 1020))
    says = "The chat is closed at this hour. It opens at Wed 09:00 in London."
    path = f"/rooms/{stage.low_days}/chat"
    with time_machine.travel(NOON, tick=False):
        assert says in ana.get(path).text
        by_form = ana.post(path, body="Anybody <here>?", note="a note", key="k")
        assert by_form.status_code == 403
        assert f"{says} Your words are kept." in by_form.text
        assert "Anybody &lt;here&gt;?" in by_form.text
        assert 'value="a note"' in by_form.text
        wire = ana.live()
        answer = wire.emit("write_message", {"room": stage.low_days, "key": "k", "body": "Anybody?"}, callback=True)
        assert (answer["ok"], answer["code"]) == (False, "forbidden")
        entered = wire.emit("enter_room", {"room": stage.low_days}, callback=True)
        assert (entered["may_write"], entered["sentence"]) == (False, says)
    assert stored(stage) == []


def test_a_chat_closes_and_opens_at_the_very_minute(stage: Stage, ana: Person) -> None:
    set_hours(stage, Span(1, 540, 1020))
    path = f"/rooms/{stage.low_days}/chat"
    for moment, status in (
        (NOON.replace(hour=8, minute=59, second=59), 403), (NOON.replace(hour=9), 303),
        (NOON.replace(hour=16, minute=59, second=59), 303), (NOON.replace(hour=17), 403),
    ):  # fmt: skip
        with time_machine.travel(moment, tick=False):
            assert ana.post(path, body=f"At {moment}.", key=f"k{moment:%H%M}").status_code == status


@pytest.mark.parametrize(("day", "opens"), [("2027-03-28", "05:00"), ("2027-10-31", "06:00")])
def test_a_chat_opens_by_the_clocks_of_its_room_after_they_changed(stage: Stage, day: str, opens: str) -> None:
    """Open from six in London on the Sunday on which clocks change; `opens` is in UTC."""
    moment = datetime.fromisoformat(f"{day}T{opens}:00+00:00")
    with time_machine.travel(moment - timedelta(days=1)):
        ana = stage.person("Ana", rooms=True)
        ana.client  # noqa: B018  (signs in)
    set_hours(stage, Span(6, 360, 1020))
    path = f"/rooms/{stage.low_days}/chat"
    for at, status in ((moment - timedelta(seconds=1), 403), (moment, 303)):
        with time_machine.travel(at, tick=False):
            assert ana.post(path, body="Good morning.", key="k").status_code == status


def test_a_session_keeps_no_hours(stage: Stage, ana: Person) -> None:
    """Its room is open while the session is, whatever the hours of the room that holds it."""
    set_hours(stage, Span(2, 540, 1020))
    with time_machine.travel(NOON, tick=False), stage.writing() as session:
        aside = Room(slug="aside", name="Aside", created_at=now(), host_id=stage.low_days)
        session.add(aside)
        session.flush()
        add_member(aside, ana.id)
        number = aside.id
    with time_machine.travel(NOON, tick=False):
        ana.says("Hello.", room=number)
    assert stored(stage) == ["Hello."]


# ---- slow at night


def test_at_night_everybody_writes_at_most_every_twenty_seconds_and_the_team_is_exempt(
    stage: Stage, ana: Person, mia: Person
) -> None:
    set_hours(stage, *(Span(day, 0, 1440, "night") for day in range(7)))
    path = f"/rooms/{stage.low_days}/chat"
    with time_machine.travel(NOON, tick=False) as clock:
        assert "one message every 20 s" in ana.get(path).text
        statuses = []
        for seconds in (0, 19, 1):
            clock.shift(timedelta(seconds=seconds))
            statuses.append(ana.post(path, body="Hm.", key=f"k{len(statuses)}").status_code)
        assert statuses == [303, 429, 303]
        for _ in range(2):
            mia.says("Hello.")


def test_a_room_slower_than_the_night_stays_as_slow(stage: Stage, ana: Person) -> None:
    set_hours(stage, *(Span(day, 0, 1440, "night") for day in range(7)), slow_seconds=60)
    with time_machine.travel(NOON, tick=False):
        assert line(ana)["rules"] == "This room goes slowly: one message every 60 s."


# ---- what an open page learns


def test_the_line_of_the_hour_says_when_it_changes_and_what_holds(stage: Stage, ana: Person) -> None:
    set_hours(stage, Span(1, 540, 1020), Span(1, 1020, 1200, "night"), Span(2, 540, 1020))
    with time_machine.travel(NOON.replace(hour=16, minute=59, second=18), tick=False):
        staffed = line(ana)
    with time_machine.travel(NOON.replace(hour=17), tick=False):
        night = line(ana)
    with time_machine.travel(NOON.replace(hour=20), tick=False):
        closed = line(ana)
    assert [told["left"] for told in (staffed, night, closed)] == ["42", str(3 * 3600), str(13 * 3600)]
    assert [told["writes"] for told in (staffed, night, closed)] == ["1", "1", ""]
    assert [told["waits"] for told in (staffed, night, closed)] == ["", *2 * ["A moderator comes next at Wed 09:00 in London."]]
    assert "20 s" in night["rules"]
    assert "closed" in closed["sentence"]
    assert len({told["hours"] for told in (staffed, night, closed)}) == 3


def test_the_standing_question_names_the_hour_of_the_page(stage: Stage, ben: Person) -> None:
    """So an open page notices what its timer cannot know: an admin changed the hours."""
    wire = ben.live()

    def named() -> str:
        return str(wire.emit("enter_room", {"room": stage.low_days}, callback=True)["hours"])

    before = named()
    assert before == line(ben)["hours"]
    set_hours(stage, Span((now().weekday() + 3) % 7, 0, 60))
    assert named() == line(ben)["hours"] != before


def test_the_line_is_there_for_those_who_may_read_alone(stage: Stage, ana: Person, dev: Person) -> None:
    stage.do(lambda: db.session().execute(sa.update(Room).values(read_by="joined")))
    path = f"/rooms/{stage.low_days}/chat/hours"
    assert dev.get(path).status_code == 404
    assert stage.app.test_client().get(path).status_code == 302


def test_words_that_wait_say_who_comes_on_their_writers_page_alone(stage: Stage, ana: Person) -> None:
    set_hours(stage, Span(2, 540, 1020), outside="quiet")
    path = f"/rooms/{stage.low_days}/chat"
    with time_machine.travel(NOON, tick=False):
        ben = stage.person("Ben", rooms=True)
        ana.says(WORRYING)
        assert "Only you see this. A moderator comes next at Wed 09:00 in London.</p>" in ana.get(path).text
        assert "Only you see this" not in ben.get(path).text
