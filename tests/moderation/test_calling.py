"""Who is told of a case, and that nobody is left out of it. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from community.core import db
from community.core.audit import AuditEntry
from community.core.clock import now
from community.training.models import Shift
from tests.moderation.acting import case_of, claim, told
from tests.people import Person, Stage


def on_shift(person: Person, kind: str) -> None:
    def add() -> None:
        hours = {"starts_at": now() - timedelta(hours=1), "ends_at": now() + timedelta(hours=8)}
        db.session().add(Shift(account_id=person.id, kind=kind, **hours))

    person.stage.do(add)


def senior(stage: Stage, name: str, **also: Any) -> Person:
    return stage.person(name, role="senior", concerns="all", **also)


def pass_on(person: Person, case_id: int) -> str:
    """Claim and pass on; the sentence the page then says."""
    claim(person, case_id)
    return str(person.post(f"/desk/cases/{case_id}/escalate", _follow=True, note="Please look, I know them.").text)


def detail(stage: Stage, act: str) -> dict[str, Any]:
    rows = sa.select(AuditEntry.detail).where(AuditEntry.act == act).order_by(AuditEntry.id.desc()).limit(1)
    return stage.ask(lambda: db.session().scalars(rows).one())


# ---- passing on


def test_with_nobody_on_call_a_case_passed_on_reaches_a_senior_and_the_admins(
    stage: Stage, ana: Person, mia: Person, ida: Person
) -> None:
    max_ = senior(stage, "Max")
    on_shift(mia, "duty")
    page = pass_on(mia, case_of(ana))
    assert "Nobody is on call: Max and the admins have been told." in page
    assert [len(told(person, "case-paged")) for person in (max_, ida, mia)] == [1, 1, 0]
    assert told(max_, "case-paged")[0]["why"] == "senior"
    assert "You are on call" not in max_.get("/notifications").text
    assert detail(stage, "case.escalated") == {"told": 2, "on_call": False}


def test_a_senior_on_duty_is_told_before_those_at_home(stage: Stage, ana: Person, mia: Person, ida: Person) -> None:
    here, at_home = senior(stage, "Max"), senior(stage, "Rui")
    on_shift(here, "duty")
    assert "Nobody is on call: Max has been told." in pass_on(mia, case_of(ana))
    assert [len(told(person, "case-paged")) for person in (here, at_home, ida)] == [1, 0, 0]


def test_a_moderator_on_call_who_could_not_take_it_is_not_the_one_told(stage: Stage, ana: Person, mia: Person, ida: Person) -> None:
    other = stage.person("Kay", role="moderator", concerns="all", on_call=True)
    assert "Nobody is on call: the admins have been told." in pass_on(mia, case_of(ana))
    assert (len(told(other, "case-paged")), len(told(ida, "case-paged"))) == (0, 1)


def test_whoever_passes_a_case_on_is_told_nothing_new(stage: Stage, ana: Person, sol: Person, ida: Person) -> None:
    page = pass_on(sol, case_of(ana))
    assert "Nobody is on call: the admins have been told." in page
    assert (told(sol, "case-paged"), len(told(ida, "case-paged"))) == ([], 1)


def test_when_nobody_can_be_told_of_a_case_passed_on_the_page_says_so(stage: Stage, ana: Person, mia: Person) -> None:
    assert "nobody could be told" in pass_on(mia, case_of(ana))
    assert detail(stage, "case.escalated")["told"] == 0


def test_the_senior_on_call_is_told_and_the_page_says_so(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    assert "Whoever is on call has been told." in pass_on(mia, case_of(ana))
    assert "You are on call, and a case asks for you now" in sol.get("/notifications").text
    assert detail(stage, "case.escalated") == {"told": 1, "on_call": True}


def test_an_admin_who_cannot_see_a_case_is_told_who_could_take_it(stage: Stage, ana: Person, mia: Person, ida: Person) -> None:
    case_id = case_of(ana)
    senior(stage, "Max")
    pass_on(mia, case_id)
    page = ida.get("/notifications").text
    assert "Max could take it: please ask one of them." in page
    assert f"/desk/cases/{case_id}" not in page
    assert 'href="/admin">To the overview' in page
