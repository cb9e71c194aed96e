"""The error page: a sentence, the right status, and what was typed; also when the database is down."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from community.accounts.actions import sign_out_everywhere
from tests.accounts.visitors import TOKEN, Browser
from tests.people import PASSWORD, Person, Stage

TYPED = re.compile(r'name="(\w+)"(?: value="([^"]*)" readonly>|[^>]* readonly>\n(.*?)</textarea>)', re.S)


@pytest.mark.parametrize("path", ["/nothing/here", "/rooms/999999", "/rooms/99999999999999999999", "/%00", "/admin/people/1"])
def test_a_wrong_address_says_so_kindly(stage: Stage, ana: Person, path: str) -> None:
    for browser in (Browser(stage), ana):
        answer = browser.get(path)
        assert answer.status_code in (302, 404)
        assert "Traceback" not in answer.text


def test_an_expired_form_comes_back_with_the_words_and_can_be_sent_again(ana: Person) -> None:
    long = "I wrote this all night.\n\n<script>alert(1)</script> " * 30
    answer = ana.client.post("/me", data={"csrf_token": "old", "name": "Ana of the sea", "country": "DE", "email": long})
    assert answer.status_code == 400
    assert "<script>alert" not in answer.text
    typed = {name: unescape(one or many) for name, one, many in TYPED.findall(answer.text)}
    assert typed["email"] == long
    token = TOKEN.search(answer.text)
    assert token
    again = ana.client.post("/me", data={"csrf_token": token[1], "name": typed["name"], "country": typed["country"], "email": ""})
    assert again.status_code == 303
    assert ana.stage.ask(lambda: ana.account().name) == "Ana of the sea"


def test_an_expired_form_never_shows_a_password_and_asks_for_it_again(stage: Stage) -> None:
    browser = Browser(stage)
    answer = browser.client.post("/sign-up", data={"name": "Ana", "password": PASSWORD, "country": "GB", "agree": "1"})
    assert answer.status_code == 400
    assert PASSWORD not in answer.text
    assert 'name="password"' in answer.text
    token = TOKEN.search(answer.text)
    assert token
    form = {"csrf_token": token[1], "name": "Ana", "password": PASSWORD, "country": "GB", "agree": "1"}
    assert browser.client.post("/sign-up", data=form).status_code == 303


def test_several_values_of_one_field_all_come_back(ana: Person) -> None:
    answer = ana.client.post("/me", data={"name": ["one", "two"]})
    assert 'name="name" value="one" readonly' in answer.text
    assert 'name="name" value="two" readonly' in answer.text


def test_the_form_goes_back_to_its_own_address_and_nowhere_else(ana: Person) -> None:
    page = ana.client.post("//me", data={"name": "Ana"}, follow_redirects=True).text
    assert 'action="//' not in page


def test_a_signed_out_writer_keeps_the_words(stage: Stage) -> None:
    browser = Browser(stage)
    token = TOKEN.search(browser.get("/sign-in").text)
    assert token
    answer = browser.client.post("/me", data={"csrf_token": token[1], "name": "My long words"})
    assert answer.status_code == 401
    assert "My long words" in answer.text
    assert 'href="/sign-in"' in answer.text


def test_more_than_fits_is_refused_in_a_sentence(ana: Person) -> None:
    answer = ana.client.post("/me", data={"csrf_token": ana.csrf(), "name": "x" * 3_000_000})
    assert answer.status_code == 413
    assert "too much at once" in answer.text


def test_a_script_of_ours_gets_the_sentence_alone(ana: Person) -> None:
    answer = ana.client.get("/admin/people", headers={"X-Requested-With": "kith"})
    assert answer.status_code == 404
    assert answer.json["ok"] is False


@pytest.fixture
def broken(stage: Stage, ana: Person, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ana is signed in; from now on the database does not answer."""
    client = ana.client

    def down(*_: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("the disk is gone"))

    sa.event.listen(stage.app.extensions["kith_engine"], "before_cursor_execute", down)
    yield client
    sa.event.remove(stage.app.extensions["kith_engine"], "before_cursor_execute", down)


def test_with_the_database_down_there_is_still_a_page_with_help(broken: Any) -> None:
    answer = broken.get("/me")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert 'href="/help"' in answer.text
    assert "the disk is gone" not in answer.text


def test_with_the_database_down_words_come_back_too(broken: Any, ana: Person) -> None:
    answer = broken.post("/me", data={"csrf_token": ana.csrf(), "name": "What I wrote"})
    assert answer.status_code == 500
    assert "What I wrote" in answer.text


def test_with_the_database_down_helplines_are_shown_to_visitors(stage: Stage, broken: Any) -> None:
    assert "Samaritans" in Browser(stage).get("/help").text


def end_sign_ins(person: Person) -> None:
    person.stage.do(lambda: sign_out_everywhere(person.account()))


def test_after_an_expired_sign_in_one_press_sends_the_words(ana: Person) -> None:
    """They sign in on another page of the same browser; the form that came back with their words is sent as it stands."""
    ana.get("/me")
    end_sign_ins(ana)
    refused = ana.post("/help/talk", note="I wrote this all night.")
    assert refused.status_code == 401
    assert "I wrote this all night." in refused.text
    kept = TOKEN.search(refused.text)
    page = TOKEN.search(ana.get("/sign-in").text)
    assert kept
    assert page
    assert ana.client.post("/sign-in", data={"csrf_token": page[1], "name": "Ana", "password": PASSWORD}).status_code == 303
    sent = ana.client.post("/help/talk", data={"csrf_token": kept[1], "note": "I wrote this all night."})
    assert sent.status_code == 303
    assert sent.location == "/help/talk/1"


def test_a_form_left_open_by_one_person_is_not_sent_by_the_next(ana: Person, ben: Person) -> None:
    """On a shared device."""
    refused = TOKEN.search(ana.get("/me").text)
    end_sign_ins(ana)
    page = TOKEN.search(ana.get("/sign-in").text)
    assert refused
    assert page
    assert ana.client.post("/sign-in", data={"csrf_token": page[1], "name": "Ben", "password": PASSWORD}).status_code == 303
    assert ana.client.post("/help/talk", data={"csrf_token": refused[1], "note": "Mine."}).status_code == 400


def test_whose_cookie_is_gone_is_asked_to_sign_in_and_not_to_send_it_again(stage: Stage) -> None:
    answer = Browser(stage).client.post("/help/talk", data={"csrf_token": "old", "note": "I wrote this all night."})
    assert answer.status_code == 401
    assert "I wrote this all night." in answer.text
    assert 'href="/sign-in"' in answer.text
    assert "core.resend.mjs" in answer.text
