"""Signing in and out: sign-ins are rows, and a copied cookie is worth nothing once its row is revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from community.accounts.browsers import browser_of
from community.accounts.models import AuthSession
from community.core import db
from community.core.clock import now
from tests.accounts.visitors import TOKEN, Browser, words
from tests.people import CSRF, PASSWORD, Person, Stage


def settings(stage: Stage, **changes: Any) -> None:
    stage.app.config["KITH"] = stage.app.config["KITH"].model_copy(update=changes)


def sign_ins(stage: Stage) -> list[AuthSession]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(AuthSession).order_by(AuthSession.id))))


def test_name_and_password_lead_in(stage: Stage, ana: Person) -> None:
    browser = Browser(stage)
    assert not browser.is_signed_in()
    answer = browser.signs_in("Ana")
    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.is_signed_in()


@pytest.mark.parametrize("name", ["ana", " Ana ", "ANA"])
def test_the_name_may_be_typed_in_any_case(stage: Stage, ana: Person, name: str) -> None:
    assert Browser(stage).signs_in(name).status_code == 303


def test_a_wrong_name_and_a_wrong_password_sound_exactly_alike(stage: Stage, ana: Person) -> None:
    nobody = Browser(stage).signs_in("Bea", "some wrong password")
    wrong = Browser(stage).signs_in("Ana", "some wrong password")
    assert nobody.status_code == wrong.status_code == 422
    assert words(nobody).replace("Bea", "") == words(wrong).replace("Ana", "")
    assert "some wrong password" not in wrong.text


def test_an_unknown_name_costs_as_much_work_as_a_known_one(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    monkeypatch.setattr("community.accounts.passwords._matches", lambda _password, hashed: bool(compared.append(hashed)))
    Browser(stage).signs_in("Nobody at all", "some wrong password")
    assert len(compared) == 1
    assert compared[0].startswith("$argon2id$v=19$m=65536")


ODD = {"empty": "", "nul": "An\x00a", "a megabyte": "a" * 1_000_000, "marks": "A" + "\u0301" * 10_000, "override": "\u202eana", "script": "<script>",
       "sql": "' OR 1=1 --"}  # fmt: skip


@pytest.mark.parametrize("typed", ODD.values(), ids=ODD.keys())
def test_odd_names_and_passwords_are_only_wrong(stage: Stage, ana: Person, typed: str) -> None:
    assert Browser(stage).signs_in(typed, "some wrong password").status_code == 422
    assert Browser(stage).signs_in("Ana", typed).status_code == 422


def test_missing_fields_are_only_wrong(stage: Stage) -> None:
    assert Browser(stage).fill("/sign-in").status_code == 422


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil", "/\tevil", "\\\\evil"]
)
def test_signing_in_leads_to_no_other_site(stage: Stage, ana: Person, target: str) -> None:
    browser = Browser(stage)
    answer = browser.fill("/sign-in", name="Ana", password=PASSWORD, next=target)
    assert answer.location == "/"
    assert browser.client.get("/sign-in", query_string={"next": target}).location == "/"


def test_signing_in_goes_on_where_one_wanted_to_be(stage: Stage, ana: Person) -> None:
    browser = Browser(stage)
    asked = browser.get("/me?x=1")
    assert asked.location == "/sign-in?next=/me?x%3D1"
    page = browser.get(asked.location).text
    assert 'name="next" value="/me?x=1"' in page
    assert browser.fill("/sign-in", name="Ana", password=PASSWORD, next="/me?x=1").location == "/me?x=1"


def test_a_session_prepared_by_somebody_else_is_not_taken_over(stage: Stage, ana: Person) -> None:
    browser = Browser(stage)
    with browser.client.session_transaction() as planted:
        planted.update(csrf_token=CSRF, planted="by somebody else")
    answer = browser.client.post("/sign-in", data={"csrf_token": ana.csrf(), "name": "Ana", "password": PASSWORD})
    assert answer.status_code == 303
    with browser.client.session_transaction() as kept:
        assert "planted" not in kept
        assert kept.get("csrf_token") != CSRF


def test_every_sign_in_has_a_new_identifier_and_only_its_hash_is_stored(stage: Stage, ana: Person) -> None:
    one, two = Browser(stage), Browser(stage)
    one.signs_in("Ana")
    two.signs_in("Ana")
    tokens = []
    for browser in (one, two):
        with browser.client.session_transaction() as cookie:
            tokens.append(cookie["_user_id"])
    assert tokens[0] != tokens[1]
    assert not {row.token_hash for row in sign_ins(stage)} & set(tokens)


def test_the_cookie_is_kept_for_weeks_and_hidden_from_scripts(stage: Stage, ana: Person) -> None:
    header = Browser(stage).signs_in("Ana").headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Expires=" in header


def test_a_copied_cookie_is_dead_after_signing_out(stage: Stage, ana: Person) -> None:
    browser, thief = Browser(stage), Browser(stage)
    browser.signs_in("Ana")
    thief.client.set_cookie("kith", browser.cookie)
    assert thief.is_signed_in()
    token = TOKEN.search(browser.get("/me").text)
    assert token
    answer = browser.client.post("/sign-out", data={"csrf_token": token[1]})
    assert answer.status_code == 303
    assert browser.cookie == ""
    assert not thief.is_signed_in()
    assert not browser.is_signed_in()
    assert all(row.revoked_at for row in sign_ins(stage))


def test_signing_out_needs_a_form_of_ours(stage: Stage, ana: Person) -> None:
    assert ana.get("/sign-out").status_code == 405
    assert ana.client.post("/sign-out").status_code == 400
    assert ana.get("/me").status_code == 200


def test_signing_out_closes_the_live_connections_of_that_sign_in(ana: Person) -> None:
    live = ana.live("/")
    assert live.is_connected("/")
    ana.post("/sign-out")
    assert not live.is_connected("/")


def test_too_many_failures_have_to_wait_whoever_tries(stage: Stage, ana: Person) -> None:
    settings(stage, login_limit="3 per 5 minutes")
    for _ in range(3):
        assert Browser(stage).signs_in("Ana", "some wrong password").status_code == 422
    answer = Browser(stage).signs_in("Ana")
    assert answer.status_code == 429
    assert "too many failed tries" in words(answer)
    assert 'value="Ana"' in answer.text


def test_one_address_cannot_try_one_password_on_everybody(stage: Stage, ana: Person) -> None:
    settings(stage, login_limit="3 per 5 minutes")
    for name in ("Bea", "Cem", "Dev"):
        Browser(stage).signs_in(name, "some wrong password")
    assert Browser(stage).signs_in("Ana").status_code == 429


def test_a_name_is_guarded_against_many_addresses(stage: Stage, ana: Person) -> None:
    settings(stage, login_limit="3 per 5 minutes")
    for number in range(3):
        browser = Browser(stage)
        browser.client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        browser.signs_in("Ana", "some wrong password")
    elsewhere = Browser(stage)
    elsewhere.client.environ_base["REMOTE_ADDR"] = "192.0.2.99"
    assert elsewhere.signs_in("Ana").status_code == 429


def test_signing_in_rightly_is_never_counted(stage: Stage, ana: Person) -> None:
    """A family, a clinic or a school shares one address."""
    settings(stage, login_limit="3 per 5 minutes")
    assert [Browser(stage).signs_in("Ana").status_code for _ in range(6)] == [303] * 6


def test_a_visit_makes_a_sign_in_last_and_is_written_once_an_hour(stage: Stage, ana: Person) -> None:
    started = now()
    with time_machine.travel(started, tick=False) as clock:
        browser = Browser(stage)
        browser.signs_in("Ana")
        browser.get("/me")
        [first] = sign_ins(stage)
        clock.shift(timedelta(minutes=30))
        assert "Set-Cookie" not in browser.get("/me").headers
        assert sign_ins(stage)[0].seen_at == first.seen_at
        clock.shift(timedelta(days=20))
        assert "Expires=" in browser.get("/me").headers["Set-Cookie"]
        assert sign_ins(stage)[0].expires_at == first.expires_at + timedelta(days=20, minutes=30)
        clock.shift(timedelta(days=20))
        assert browser.is_signed_in()


def test_without_a_visit_a_sign_in_ends(stage: Stage, ana: Person) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        browser = Browser(stage)
        browser.signs_in("Ana")
        clock.shift(timedelta(days=31))
        assert not browser.is_signed_in()


def test_a_browser_is_named_so_that_people_know_it_again() -> None:
    android = "Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0"
    edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36 Edg/131.0"
    assert browser_of(android) == "Firefox on Android"
    assert browser_of(edge) == "Edge on Windows"
    assert browser_of("<script>alert(1)</script>") == "A browser"


def test_asking_for_the_head_of_a_page_is_no_try(stage: Stage, ana: Person) -> None:
    """A probe, or a foreign page, cannot use up the tries of an address, and nobody gets in without a form."""
    browser = Browser(stage)
    for _ in range(15):
        assert browser.client.head("/sign-in").status_code == 200
    answer = browser.client.head("/sign-up", data={"name": "Headless", "password": PASSWORD, "country": "GB", "agree": "1"})
    assert answer.status_code == 200
    assert not browser.is_signed_in()
    assert browser.signs_in("Ana").status_code == 303
