"""One's own profile, and the pages that are open to everybody."""

from __future__ import annotations

import pytest

from tests.accounts.visitors import Browser, words
from tests.people import PASSWORD, Person, Stage

NEW = "an even quieter password"


def test_name_country_and_address_can_be_changed(ana: Person) -> None:
    answer = ana.post("/me", name="Ana of the sea", country="DE", email="ana@example.org")
    assert answer.status_code == 303
    page = ana.get("/me").text
    assert 'value="Ana of the sea"' in page
    assert 'value="ana@example.org"' in page
    assert '<option value="DE" selected>' in page


def test_a_taken_name_changes_nothing_and_is_kept_in_the_form(ana: Person, ben: Person) -> None:
    answer = ana.post("/me", name="B en", country="DE", email="")
    assert answer.status_code == 422
    assert "Somebody already uses this name" in answer.text
    assert 'value="B en"' in answer.text
    assert ana.stage.ask(lambda: (ana.account().name, ana.account().country)) == ("Ana", "GB")


@pytest.mark.parametrize(
    "fields", [{}, {"name": "x"}, {"name": "a" * 1_000_000}, {"name": "Ana", "country": "<script>"}, {"name": "An\x00"}]
)
def test_a_profile_that_cannot_be_is_refused_in_a_sentence(ana: Person, fields: dict[str, str]) -> None:
    answer = ana.post("/me", **fields)
    assert answer.status_code == 422
    assert "Please look at this again" in answer.text


def test_a_new_password_ends_every_other_sign_in_and_keeps_this_one(stage: Stage, ana: Person) -> None:
    elsewhere = Browser(stage)
    elsewhere.signs_in("Ana")
    answer = ana.post("/me/password", current_password=PASSWORD, new_password=NEW)
    assert answer.status_code == 303
    assert not elsewhere.is_signed_in()
    assert ana.get("/me").status_code == 200
    assert Browser(stage).signs_in("Ana").status_code == 422
    assert Browser(stage).signs_in("Ana", NEW).status_code == 303


@pytest.mark.parametrize(
    ("now", "new", "field"), [("wrong", NEW, "current_password"), (PASSWORD, "short", "new_password"), ("", "", "new_password")]
)
def test_a_password_changes_only_for_who_knows_it_and_to_a_good_one(
    stage: Stage, ana: Person, now: str, new: str, field: str
) -> None:
    answer = ana.post("/me/password", current_password=now, new_password=new)
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    assert Browser(stage).signs_in("Ana").status_code == 303


def test_somebody_at_an_open_browser_cannot_try_passwords_for_ever(stage: Stage, ana: Person) -> None:
    tries = [ana.post("/me/password", current_password="wrong", new_password=NEW).status_code for _ in range(12)]
    assert tries[-1] == 429


def test_other_sign_ins_are_listed_and_can_be_ended(stage: Stage, ana: Person) -> None:
    phone = Browser(stage)
    phone.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0"
    phone.signs_in("Ana")
    assert "Firefox on Android" in ana.get("/me").text
    assert ana.post("/me/sign-ins").status_code == 303
    assert not phone.is_signed_in()
    assert "Firefox on Android" not in ana.get("/me").text


def test_the_theme_is_kept_on_this_device(ana: Person) -> None:
    answer = ana.post("/theme", theme="dark", next="/me")
    assert answer.location == "/me"
    assert 'data-theme="dark"' in ana.get("/me").text
    ana.post("/theme", theme="auto")
    assert "data-theme" not in ana.get("/me").text
    ana.post("/theme", theme="<script>", next="//evil.example")
    assert "data-theme" not in ana.get("/me").text


def test_helplines_are_those_of_ones_own_country_first(ana: Person) -> None:
    ana.post("/me", name="Ana", country="AU", email="")
    assert "13 11 14" in ana.get("/help").text


def test_anybody_finds_helplines_of_any_country_without_an_account(stage: Stage) -> None:
    browser = Browser(stage)
    assert "Samaritans" in browser.get("/help").text
    assert "Lifeline" in browser.get("/help?country=AU").text
    assert "Find A Helpline" in browser.get("/help?country=ZZ").text
    for odd in ("xx", "<script>", "\x00", "a" * 10_000):
        assert browser.get("/help", query_string={"country": odd}).status_code == 200


def test_a_number_that_can_be_dialled_is_a_link_and_no_other(stage: Stage) -> None:
    page = Browser(stage).get("/help?country=US").text
    assert 'href="tel:988"' in page
    assert "tel:988,then1" not in page


@pytest.mark.parametrize("path", ["/help", "/about", "/house-rules"])
def test_what_everybody_should_know_is_open_to_everybody(stage: Stage, sam: Person, path: str) -> None:
    assert Browser(stage).get(path).status_code == 200
    assert sam.get(path).status_code == 200


def test_about_names_the_licence_and_where_the_source_is(stage: Stage) -> None:
    stage.app.config["KITH"] = stage.app.config["KITH"].model_copy(update={"source_url": "https://code.example.org/kith"})
    page = Browser(stage).get("/about")
    assert "AGPL-3.0-or-later" in page.text
    assert 'href="https://code.example.org/kith"' in page.text
    assert "it misses people who suffer quietly" in words(page)
