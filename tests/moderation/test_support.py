"""The author's support card and the way back to their own words. Content note: one plain sentence about not wanting to be here."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from community.accounts import actions as accounts
from community.core import db
from community.core.clock import now
from community.rooms.hours import Hours, Span
from community.rooms.models import Room
from community.rooms.posture import this_minute
from tests.moderation.acting import decide
from tests.people import WORRYING, Person, Stage


def set_hours(stage: Stage, room_id: int, outside: str = "night") -> None:
    """Staffed 8 to 22 UTC, every day."""
    week = Hours(tuple(Span(day, 480, 1320) for day in range(7)))
    change_room(stage, room_id, outside_hours=outside, timezone="UTC", hours=week)


def change_room(stage: Stage, room_id: int, **values: Any) -> None:
    with stage.writing() as session:
        for field, value in values.items():
            setattr(session.get_one(Room, room_id), field, value)


def card_of(person: Person, **where: Any) -> str:
    return person.get(f"/support/{person.says(WORRYING, **where).reviewed.support_id}").text


# ---- times and hours


def test_times_on_the_card_are_moments_that_a_browser_puts_into_local_time(stage: Stage, ana: Person) -> None:
    page = card_of(ana, room=stage.eating)
    assert re.search(r'That should be before <time datetime="[^"]+" data-when="time">\d\d:\d\d UTC</time>', page)
    card = ana.says(WORRYING + " now").reviewed.support_id
    ana.post(f"/support/{card}/talk")
    asked = ana.get(f"/support/{card}").text
    assert re.search(r'was passed on at <time datetime="[^"]+" data-when="time">', asked)


@pytest.mark.parametrize(
    ("outside", "said"), [("night", "It is night in"), ("quiet", "quiet hours in"), ("closed", "is closed at")]
)
def test_at_night_the_card_says_until_when_an_answer_may_take(stage: Stage, ana: Person, outside: str, said: str) -> None:
    set_hours(stage, stage.eating, outside)
    night = (now() + timedelta(days=1)).replace(hour=2, minute=0)
    with time_machine.travel(night, tick=False):
        written = ana.opens("A long night", WORRYING, room=stage.eating).reviewed.support_id
        page = ana.get(f"/support/{written}").text
    assert said in page
    assert f'until <time datetime="{night:%Y-%m-%d}T08:00:00+00:00" data-when="weekday">08:00 UTC</time>' in page
    assert "That should be before" not in page, "one promise of a time, and the honest one"


def test_in_staffed_hours_nothing_is_said_about_the_hour(ana: Person) -> None:
    assert "may take" not in card_of(ana)


# ---- one button, one place


def test_asking_leaves_one_button_and_it_says_what_it_does(ana: Person) -> None:
    card = ana.says(WORRYING).reviewed.support_id
    assert ana.get(f"/support/{card}").text.count(f'action="/support/{card}/talk"') == 1
    ana.post(f"/support/{card}/talk")
    page = ana.get(f"/support/{card}").text
    assert page.count(f'action="/support/{card}/talk"') == 1
    assert "Add something for the moderator" in page
    piece = ana.get(f"/support/{card}", headers={"X-Requested-With": "kith"}).text
    assert "<form" not in piece
    assert f'href="/support/{card}"' in piece


# ---- the way back


def taken_out(stage: Stage, person: Person, room_id: int) -> None:
    from community.rooms.actions import remove_member

    change_room(stage, room_id, read_by="joined")
    stage.do(lambda: remove_member(db.session().get_one(Room, room_id), person.id))


def archived(stage: Stage, _person: Person, room_id: int) -> None:
    change_room(stage, room_id, archived_at=this_minute())


def without_chat(stage: Stage, _person: Person, room_id: int) -> None:
    change_room(stage, room_id, has_chat=False)


def suspended(stage: Stage, person: Person, _room_id: int) -> None:
    stage.do(lambda: accounts.restrict(person.account(), decision_id=-7, until=now().replace(year=now().year + 1)))


@pytest.mark.parametrize("lose", [taken_out, archived, without_chat, suspended])
def test_who_cannot_read_the_room_any_more_still_finds_their_words(stage: Stage, ana: Person, mia: Person, lose: Any) -> None:
    card = ana.says(WORRYING).reviewed.support_id
    (case,) = stage.cases()
    decide(mia, case.id, "hide")
    lose(stage, ana, stage.low_days)
    led = set(re.findall(r'href="(/(?:words|support|topics|rooms)/[^"]+)"', ana.get("/notifications").text))
    led |= set(re.findall(r'class="btn[^"]*" href="(/[^"]*)"', ana.get(f"/support/{card}").text))
    assert f"/words/message/{case.target_id}" in led
    for path in led:
        assert ana.get(path, follow_redirects=True).status_code == 200, path
    assert WORRYING in ana.get(f"/words/message/{case.target_id}").text


def test_who_can_read_the_room_is_led_to_the_very_place(stage: Stage, ana: Person) -> None:
    post = ana.opens("Slow morning", WORRYING).post
    answer = ana.get(f"/words/post/{post.id}")
    assert (answer.status_code, answer.location) == (303, f"/topics/{post.topic_id}?at=1#post-{post.id}")


def test_an_answer_in_a_topic_that_is_gone_is_still_there_for_its_author(stage: Stage, ana: Person, ben: Person) -> None:
    topic = ben.opens("Evening", "How was your day?").post.topic_id
    answer = ana.answers(topic, WORRYING).post
    with stage.writing() as session:
        session.get_one(type(answer), answer.id).topic.visibility = "hidden"
    assert ana.get(f"/topics/{topic}").status_code == 404
    page = ana.get(f"/words/post/{answer.id}")
    assert page.status_code == 200
    assert WORRYING in page.text


def test_nobody_finds_the_words_of_another_this_way(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    message = ana.says(WORRYING).message
    for person in (ben, mia):
        assert person.get(f"/words/message/{message.id}").status_code == 404
    for path in ("/words/message/999", "/words/nonsense/1"):
        assert ana.get(path).status_code == 404
