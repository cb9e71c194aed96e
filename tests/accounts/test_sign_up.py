"""Signing up: a pseudonym, a password, a country, and consent to the house rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.clock import now
from tests.accounts.visitors import TOKEN, Browser, words
from tests.people import PASSWORD, Person, Stage


def accounts(stage: Stage) -> list[Account]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(Account).order_by(Account.id))))


def settings(stage: Stage, **changes: Any) -> None:
    stage.app.config["KITH"] = stage.app.config["KITH"].model_copy(update=changes)


def test_the_house_rules_stand_on_the_page_that_asks_for_consent(stage: Stage) -> None:
    page = Browser(stage).get("/sign-up").text
    assert "Be kind" in page
    assert "We speak to each other as we would like to be spoken to." in page


def test_a_new_member_is_signed_in_and_nothing_real_was_asked(stage: Stage) -> None:
    ana = Browser(stage)
    answer = ana.signs_up("Ana of the sea", country="DE")
    assert answer.status_code == 303
    assert ana.is_signed_in()
    [account] = accounts(stage)
    assert (account.name, account.country, account.email, account.role) == ("Ana of the sea", "DE", None, "member")
    assert PASSWORD not in account.password_hash
    assert account.password_hash.startswith("$argon2id$")


def test_a_form_sent_twice_makes_one_account_and_both_answers_lead_in(stage: Stage) -> None:
    ana = Browser(stage)
    token = TOKEN.search(ana.get("/sign-up").text)
    assert token
    cookie = ana.cookie
    form = {"csrf_token": token[1], "name": "Ana", "password": PASSWORD, "country": "GB", "agree": "1"}
    assert ana.client.post("/sign-up", data=form).status_code == 303
    ana.client.set_cookie("kith", cookie)
    assert ana.client.post("/sign-up", data=form).status_code == 303
    assert ana.is_signed_in()
    assert len(accounts(stage)) == 1


def test_a_taken_name_needs_another_and_the_rest_is_kept(stage: Stage) -> None:
    stage.person("Ana")
    answer = Browser(stage).signs_up("Ana", password="quite another password", email="ana@example.org", country="DE")
    assert answer.status_code == 422
    assert "Somebody already uses this name" in answer.text
    assert 'value="ana@example.org"' in answer.text
    assert '<option value="DE" selected>' in answer.text
    assert "quite another password" not in answer.text


@pytest.mark.parametrize("name", ["ana", "A n a", "Änä", "ＡＮＡ", "A.n.a", "Ana\u200d"])
def test_a_name_that_looks_the_same_is_the_same(stage: Stage, name: str) -> None:
    stage.person("Ana")
    assert Browser(stage).signs_up(name, password="quite another password").status_code == 422
    assert len(accounts(stage)) == 1


BAD_NAMES = {
    "empty": "", "spaces": "   ", "one letter": "A", "too long": "a" * 41, "a megabyte": "a" * 1_000_000, "nul": "A\x00na",
    "direction override": "Ana\u202eanA", "stacked marks": "A" + "\u0301" * 10_000, "only marks": "\u0301\u0301", "zero width": "\u200b\u200b",
    "two alphabets": "Аdmin", "frightening": "kill yourself",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_a_name_nobody_could_read_or_bear_is_refused_in_a_sentence(stage: Stage, name: str) -> None:
    answer = Browser(stage).signs_up(name)
    assert answer.status_code == 422
    assert 'class="errors"' in answer.text
    assert 'id="f-name-error"' in answer.text
    assert accounts(stage) == []


def test_a_surrogate_in_a_name_is_no_failure(stage: Stage) -> None:
    browser = Browser(stage)
    token = TOKEN.search(browser.get("/sign-up").text)
    assert token
    body = f"csrf_token={token[1]}&name=An%ED%A0%80a&password=a+quiet+password&country=GB&agree=1"
    answer = browser.client.post("/sign-up", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (303, 422)


def test_markup_in_a_name_is_shown_as_typed(stage: Stage) -> None:
    browser = Browser(stage)
    assert browser.signs_up("<script>alert(1)</script>").status_code == 303
    page = browser.get("/me").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


BAD_PASSWORDS = {"empty": "", "short": "123456789", "blank": " " * 12, "the name": "Ana of the sea", "one letter": "aaaaaaaaaaaa",
                 "tried first": "password123", "too long": "correct horse " * 20, "a megabyte": "a1b2c3" * 170_000}  # fmt: skip


@pytest.mark.parametrize("password", BAD_PASSWORDS.values(), ids=BAD_PASSWORDS.keys())
def test_a_password_that_is_easy_to_guess_is_refused_and_never_shown_again(stage: Stage, password: str) -> None:
    answer = Browser(stage).signs_up("Ana of the sea", password=password)
    assert answer.status_code == 422
    assert 'id="f-password-error"' in answer.text
    assert 'type="password" value' not in answer.text
    assert accounts(stage) == []


@pytest.mark.parametrize("password", ["four plain words here", "ünïcödé ist schön", "0123456789abc😀", "          pad ding"])
def test_long_enough_is_good_enough_without_rules_about_symbols(stage: Stage, password: str) -> None:
    assert Browser(stage).signs_up("Ana", password=password).status_code == 303
    again = Browser(stage)
    assert again.signs_in("Ana", password).status_code == 303


def test_every_problem_is_named_at_once(stage: Stage) -> None:
    answer = Browser(stage).signs_up("", password="", country="XX", email="not an address", agree="-")
    for field in ("name", "password", "country", "email", "agree"):
        assert f'id="f-{field}-error"' in answer.text or f'href="#f-{field}"' in answer.text, field


def test_missing_fields_are_named_too(stage: Stage) -> None:
    answer = Browser(stage).fill("/sign-up")
    assert answer.status_code == 422
    assert accounts(stage) == []


@pytest.mark.parametrize("address", ["ana", "ana@", "@example.org", "a b@example.org", "ana@example", "ana@example.org\r\nBcc: x@y.org",
                                     "a" * 250 + "@example.org", "ana@example.org, ben@example.org"])  # fmt: skip
def test_what_is_no_email_address_is_refused(stage: Stage, address: str) -> None:
    answer = Browser(stage).signs_up("Ana", email=address)
    assert answer.status_code == 422
    assert "f-email-error" in answer.text


def test_an_address_in_use_tells_nobody_that_somebody_is_here(stage: Stage) -> None:
    assert Browser(stage).signs_up("Ana", email="shared@example.org").status_code == 303
    assert Browser(stage).signs_up("Ben", email="shared@example.org").status_code == 303


def test_email_is_asked_for_as_the_settings_say(stage: Stage) -> None:
    settings(stage, signup_email="off")
    assert 'name="email"' not in Browser(stage).get("/sign-up").text
    assert Browser(stage).signs_up("Ana", email="ana@example.org").status_code == 303
    settings(stage, signup_email="required")
    answer = Browser(stage).signs_up("Ben")
    assert "this community needs one" in answer.text
    assert [account.email for account in accounts(stage)] == [None]


def test_where_sign_up_is_closed_nobody_gets_in(stage: Stage) -> None:
    browser = Browser(stage)
    token = TOKEN.search(browser.get("/sign-up").text)
    settings(stage, signup="closed")
    assert "made by the team" in browser.get("/sign-up").text
    assert token
    form = {"csrf_token": token[1], "name": "Ana", "password": PASSWORD, "country": "GB", "agree": "1"}
    assert browser.client.post("/sign-up", data=form).status_code == 403
    assert accounts(stage) == []


def test_many_sign_ups_from_one_address_have_to_wait_and_keep_what_was_typed(stage: Stage) -> None:
    settings(stage, signup_limit="1 per hour")
    assert Browser(stage).signs_up("Ana").status_code == 303
    answer = Browser(stage).signs_up("Ben of the hills")
    assert answer.status_code == 429
    assert "Wait an hour" in words(answer)
    assert 'value="Ben of the hills"' in answer.text
    assert len(accounts(stage)) == 1


def test_mistakes_do_not_use_up_the_sign_ups(stage: Stage) -> None:
    settings(stage, signup_limit="1 per hour")
    for _ in range(3):
        assert Browser(stage).signs_up("").status_code == 422
    assert Browser(stage).signs_up("Ana").status_code == 303


def test_who_came_from_a_page_goes_on_there(stage: Stage) -> None:
    browser = Browser(stage)
    token = TOKEN.search(browser.get("/sign-up?next=/rooms/1").text)
    assert token
    form = {"csrf_token": token[1], "name": "Ana", "password": PASSWORD, "country": "GB", "agree": "1", "next": "/rooms/1"}
    assert browser.client.post("/sign-up", data=form).location == "/rooms/1"


def test_signing_up_is_no_place_to_try_passwords(stage: Stage, ana: Person) -> None:
    """Only the twin of a form sent a moment ago leads in; an older account is signed in to on its own page."""
    with stage.writing() as database:
        database.get_one(Account, ana.id).created_at = now() - timedelta(minutes=3)
    browser = Browser(stage)
    assert browser.signs_up("Ana").status_code == 422
    assert not browser.is_signed_in()


@pytest.mark.parametrize(
    "name", ["Moderator", "Kith Team", "admin_ana", "Adm1n", "The Helpline", "Samaritans UK", "m0derators", "Support"]
)
def test_nobody_takes_a_name_of_the_team_or_of_a_helpline(stage: Stage, name: str) -> None:
    answer = Browser(stage).signs_up(name)
    assert answer.status_code == 422
    assert "could be taken for the team" in answer.text


@pytest.mark.parametrize("name", ["Teamwork", "modest moss", "Supper", "Helper bee", "kithara"])
def test_names_that_only_begin_like_one_are_fine(stage: Stage, name: str) -> None:
    assert Browser(stage).signs_up(name).status_code == 303


@pytest.mark.parametrize(("taken", "alike"), [("Ida", "lda"), ("Mia", "rnia"), ("Noa", "N0a"), ("Willow", "VVi11ow")])
def test_a_name_that_is_read_like_another_is_taken(stage: Stage, taken: str, alike: str) -> None:
    stage.person(taken)
    assert "looks the same" in Browser(stage).signs_up(alike).text


def test_a_taken_name_is_said_together_with_everything_else(stage: Stage) -> None:
    stage.person("Ana")
    answer = Browser(stage).signs_up("Ana", password="short", agree="-")
    assert answer.status_code == 422
    for field in ("name", "password", "agree"):
        assert f'id="f-{field}-error"' in answer.text or f'href="#f-{field}"' in answer.text, field
    assert "Somebody already uses this name" in answer.text


def test_forms_that_are_wrong_are_no_place_to_ask_who_is_here(stage: Stage) -> None:
    settings(stage, login_limit="2 per hour")
    stage.person("Ana")
    said = ["Somebody already uses" in Browser(stage).signs_up("Ana", password="short").text for _ in range(4)]
    assert said == [True, True, False, False]


def test_a_newcomer_is_welcomed_by_name_and_once(stage: Stage) -> None:
    browser = Browser(stage)
    browser.signs_up("Willow")
    page = words(browser.get("/"))
    assert "Welcome, Willow." in page
    assert "nobody has to write" in page
    assert "Welcome, Willow." not in words(browser.get("/"))
