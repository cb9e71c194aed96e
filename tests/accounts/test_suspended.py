"""A suspended member can sign in, read why, and appeal; the rooms are closed to them."""

from __future__ import annotations

from tests.accounts.visitors import Browser
from tests.people import Person, Stage


def test_a_suspended_member_signs_in_and_is_told_what_it_means(stage: Stage, sam: Person) -> None:
    answer = Browser(stage).signs_in("Sam")
    assert answer.location == "/suspended"
    page = sam.get("/suspended").text
    assert "Your account is suspended" in page
    assert f'href="/decisions/{-sam.id}"' in page
    assert 'href="/notifications"' in page
    assert "Samaritans" in page


def test_a_suspended_member_reads_notifications_but_no_room(stage: Stage, sam: Person) -> None:
    assert sam.get("/notifications").status_code == 200
    answer = sam.get(f"/rooms/{stage.low_days}")
    assert answer.status_code == 403
    assert "Your account is suspended" in answer.text
    assert 'href="/suspended"' in answer.text


def test_a_suspended_member_cannot_become_somebody_else(stage: Stage, sam: Person) -> None:
    assert sam.post("/me", name="Max", country="GB", email="").status_code == 403
    assert stage.ask(lambda: sam.account().name) == "Sam"


def test_a_suspended_member_still_owns_the_account(sam: Person) -> None:
    assert sam.get("/me").status_code == 200
    assert sam.post("/me/sign-ins").status_code == 303
    assert sam.post("/sign-out").status_code == 303


def test_who_is_not_suspended_is_not_told_so(ana: Person) -> None:
    assert ana.get("/suspended").location == "/me"
