"""Personal data: said to the author alone, at once, and nothing else happens to the words.

Content note: one plain sentence about not wanting to be here.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

from community.chat.models import Message
from community.core import db
from community.forum.models import Post
from community.moderation import advice
from community.notifications.models import Notification
from tests.people import WORRYING, Person, Stage

NUMBER = "07911 123456"
TITLE = "You may not want to share this"


def write(person: Person, stage: Stage, body: str) -> Any:
    return person.post(f"/rooms/{stage.low_days}/topics/new", title="Evenings", body=body)


def say(person: Person, stage: Stage, body: str, key: str = "k") -> Any:
    return person.post(f"/rooms/{stage.low_days}/chat", body=body, key=key)


def told(stage: Stage) -> list[Notification]:
    rows = sa.select(Notification).where(Notification.kind == "personal").order_by(Notification.id)
    return stage.ask(lambda: list(db.session().scalars(rows)))


def link_of(page: str, words: str) -> str:
    found = re.search(rf'href="([^"]+)">{words}<', page)
    assert found, words
    return found[1].replace("&amp;", "&")


def test_the_author_is_told_right_above_the_post_and_the_words_stand_as_written(stage: Stage, ana: Person, ben: Person) -> None:
    answer = write(ana, stage, f"Text me on {NUMBER}, please.")
    assert re.search(r"#personal-\d+$", answer.location)
    own = ana.get(answer.location).text
    assert own.index(TITLE) < own.index("Text me on")
    assert f'<b class="given-away" dir="auto">{NUMBER}</b>' in own
    assert f"Text me on {NUMBER}, please." in ben.get(answer.location.split("?")[0]).text
    assert stage.ask(lambda: db.session().scalars(sa.select(Post.visibility)).one()) == "visible"


def test_nobody_else_ever_sees_the_card(stage: Stage, ana: Person, ben: Person, sol: Person) -> None:
    answer = write(ana, stage, f"Text me on {NUMBER}.")
    (row,) = told(stage)
    for other in (ben, sol):
        assert TITLE not in other.get(answer.location).text
        assert other.get(f"/personal/{row.id}").status_code == 404
        assert other.post(f"/personal/{row.id}/fine").status_code == 404
    assert row.account_id == ana.id
    assert NUMBER not in str(row.data), "what was noticed is kept nowhere but in the words"


def test_it_opens_no_case_by_itself(stage: Stage, ana: Person) -> None:
    ana.opens("Pictures", "They are on https://www.раураӏ.com for now.")
    assert stage.cases() == []
    assert len(told(stage)) == 1


def test_the_support_card_comes_first(stage: Stage, ana: Person) -> None:
    answer = write(ana, stage, f"{WORRYING}. Call me on {NUMBER}.")
    assert answer.location.endswith("#support-title")
    page = ana.get(answer.location).text
    assert page.index("You are not alone with this") < page.index(TITLE) < page.index(f"Call me on {NUMBER}")


def test_taking_it_out_leads_to_a_draft_without_it_that_can_be_undone(stage: Stage, ana: Person, ben: Person) -> None:
    answer = write(ana, stage, f"Text me on {NUMBER}, please.")
    draft = link_of(ana.get(answer.location).text, "Take it out")
    page = ana.get(draft).text
    assert "Text me on [phone number], please.</textarea>" in page
    assert NUMBER in page.split("<form")[1] or NUMBER in page
    whole = link_of(page, "Put it back")
    assert f"Text me on {NUMBER}, please.</textarea>" in ana.get(whole).text
    saved = ana.post(whole, body="Text me on [phone number], please.")
    assert "personal=" not in saved.location
    assert NUMBER not in ben.get(saved.location).text
    (row,) = told(stage)
    assert ana.get(f"/personal/{row.id}").status_code == 404, "there is nothing to say any more"


def test_saying_that_it_is_fine_settles_it(stage: Stage, ana: Person) -> None:
    answer = write(ana, stage, f"Text me on {NUMBER}.")
    (row,) = told(stage)
    settled = ana.post(f"/personal/{row.id}/fine")
    assert settled.status_code == 303
    assert "#post-" in settled.location
    assert TITLE not in ana.get(answer.location).text
    assert "You said that it is fine." in ana.get("/notifications").text
    post = stage.ask(lambda: db.session().scalars(sa.select(Post)).one())
    ana.post(f"/posts/{post.id}/edit", body=f"Text me on {NUMBER}, any time.")
    assert len(told(stage)) == 1, "the same number is not held against them again"
    ana.post(f"/posts/{post.id}/edit", body=f"Text me on {NUMBER}, or ana@example.org.")
    assert len(told(stage)) == 2


def test_it_can_be_found_again_without_having_been_news(stage: Stage, ana: Person) -> None:
    write(ana, stage, f"Text me on {NUMBER}.")
    page = ana.get("/notifications").text
    assert "a phone number" in page
    assert "is-unread" not in page
    assert TITLE in ana.get(f"/personal/{told(stage)[0].id}").text


def test_a_message_with_a_number_brings_the_card_to_the_page(stage: Stage, ana: Person, ben: Person) -> None:
    answer = say(ana, stage, f"call me {NUMBER}")
    assert "personal=" in answer.location
    assert TITLE in ana.get(answer.location).text
    assert TITLE not in ben.get(answer.location).text
    assert f"call me {NUMBER}" in ben.get(f"/rooms/{stage.low_days}/chat").text


def test_a_message_sent_twice_gets_the_same_card(stage: Stage, ana: Person) -> None:
    assert say(ana, stage, f"call me {NUMBER}").location == say(ana, stage, f"call me {NUMBER}").location
    assert len(told(stage)) == 1


def test_a_message_is_taken_back_and_its_words_wait_in_the_box(stage: Stage, ana: Person, ben: Person) -> None:
    page = ana.get(say(ana, stage, f"call me {NUMBER} 🫂").location).text
    form = re.search(r'action="(/messages/\d+/withdraw)"', page)
    assert form
    answer = ana.post(form[1])
    assert answer.status_code == 303
    again = ana.get(answer.location).text
    assert "call me [phone number] 🫂</textarea>" in again
    whole = link_of(again, "Put it back as it was")
    assert f"call me {NUMBER} 🫂</textarea>" in ana.get(whole).text
    for person in (ana, ben):
        assert NUMBER not in person.get(f"/rooms/{stage.low_days}/chat").text
    assert NUMBER not in ben.get(answer.location).text, "somebody else's number opens nothing"
    assert stage.ask(lambda: db.session().scalars(sa.select(Message.visibility)).one()) == "withdrawn"


def test_a_broken_parser_loses_no_words(stage: Stage, ana: Person, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def broken(_words: str, _country: str) -> Any:
        raise RuntimeError("numbering plan lost")

    monkeypatch.setattr(advice, "disclosures", broken)
    ana.says(f"call me {NUMBER}")
    assert stage.ask(lambda: db.session().scalars(sa.select(Message.body)).one()) == f"call me {NUMBER}"
    assert told(stage) == []
    assert "gets no advice" in caplog.text
