"""Who is told of a case, and that nobody is left out of it. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from community.core import db
from community.core.audit import AuditEntry
from community.core.clock import now
from community.core.errors import Conflict, Forbidden
from community.moderation import actions
from community.moderation.deadlines import end_old_claims, raise_overdue_cases
from community.moderation.models import Case
from community.rooms.models import StaffScope
from community.safety import CONCERNS
from community.training.models import Certificate, Shift
from tests.moderation.acting import CRUEL, case_of, claim, read, told
from tests.people import WORRYING, Person, Stage


def on_shift(person: Person, kind: str) -> None:
    def add() -> None:
        hours = {"starts_at": now() - timedelta(hours=1), "ends_at": now() + timedelta(hours=8)}
        db.session().add(Shift(account_id=person.id, kind=kind, **hours))

    person.stage.do(add)


def senior(stage: Stage, name: str, **also: Any) -> Person:
    return stage.person(name, role="senior", concerns="all", **also)


def sweep(stage: Stage, turn: Callable[[], None]) -> None:
    with stage.app.app_context():
        turn()


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


def test_a_moderator_on_call_who_could_not_take_it_is_not_the_one_told(
    stage: Stage, ana: Person, mia: Person, ida: Person
) -> None:
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


def test_a_case_passed_on_stays_with_the_seniors_when_it_is_released(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    pass_on(mia, case_id)
    claim(sol, case_id)
    stage.do(lambda: actions.release(sol.account(), case_id))
    assert read(stage, case_id).state == "escalated"
    with pytest.raises(Forbidden, match="passed to the senior"):
        claim(mia, case_id)


def test_a_case_passed_on_calls_its_seniors_again_when_their_claim_ends(
    stage: Stage, ana: Person, mia: Person, sol: Person
) -> None:
    case_id = case_of(ana)
    pass_on(mia, case_id)
    claim(sol, case_id)
    with time_machine.travel(now() + timedelta(minutes=11)):
        with pytest.raises(Forbidden, match="passed to the senior"):
            claim(mia, case_id)
        sweep(stage, end_old_claims)
    assert read(stage, case_id).state == "escalated"
    assert len(told(sol, "case-paged")) == 2


def test_the_clock_of_a_case_passed_on_begins_anew(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    with time_machine.travel(now() + timedelta(minutes=19)):
        pass_on(mia, case_id)
        assert read(stage, case_id).louder_at > now() + timedelta(minutes=19)
    with time_machine.travel(now() + timedelta(minutes=25)):
        sweep(stage, raise_overdue_cases)
    assert told(sol, "case-overdue") == []


def test_a_case_passed_on_that_becomes_graver_is_no_quieter_and_calls_again(
    stage: Stage, ana: Person, ben: Person, sol: Person, ida: Person
) -> None:
    case_id = case_of(ana, CRUEL)
    pass_on(sol, case_id)
    stage.do(lambda: db.session().execute(sa.update(Case).values(level=3)))
    message = read(stage, case_id).target_id
    ben.post(f"/report/message/{message}", worry="worried")
    case = read(stage, case_id)
    assert (case.concern, case.severity, case.state, case.level) == ("suicide", "red", "escalated", 3)
    assert len(told(ida, "case-paged")) == 2


# ---- the clock


def test_the_clock_never_falls_silent_while_a_case_waits(stage: Stage, ana: Person, sol: Person, ida: Person) -> None:
    case_id, begun = case_of(ana), now()
    for turn in range(1, 7):
        with time_machine.travel(begun + timedelta(minutes=21 * turn)):
            sweep(stage, raise_overdue_cases)
    assert read(stage, case_id).level == 3
    levels = [data["level"] for data in told(sol, "case-overdue")]
    assert levels == [1, 2, 3, 3, 3, 3]
    assert [data["level"] for data in told(ida, "case-overdue")] == [3, 3, 3, 3]
    claim(sol, case_id)
    with time_machine.travel(begun + timedelta(minutes=21 * 8)):
        sweep(stage, raise_overdue_cases)
    assert len(told(ida, "case-overdue")) == 4


def test_a_claim_that_ends_on_an_overdue_case_is_told_of(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    with time_machine.travel(now() + timedelta(minutes=21)):
        sweep(stage, raise_overdue_cases)
        claim(mia, case_id)
    with time_machine.travel(now() + timedelta(minutes=32)):
        sweep(stage, end_old_claims)
        sweep(stage, raise_overdue_cases)
    assert len(told(sol, "case-overdue")) == 2


# ---- a holder who may not hold it any more


def _revoke(person: Person, *concerns: str) -> None:
    ended = sa.update(Certificate).where(Certificate.account_id == person.id, Certificate.concern.in_(concerns or CONCERNS))
    person.stage.do(lambda: db.session().execute(ended.values(revoked_at=now())))


@pytest.mark.parametrize("lost", ["certificate", "one certificate", "role", "scope", "standing"])
def test_a_claim_ends_with_the_authority_of_its_holder(lost: str, stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    held, kept = case_of(ana), case_of(ana, WORRYING + " now")
    claim(mia, held)
    claim(sol, kept)
    losses = {
        "certificate": lambda: _revoke(mia),
        "one certificate": lambda: _revoke(mia, "suicide"),
        "role": lambda: stage.do(lambda: setattr(mia.account(), "role", "member")),
        "scope": lambda: stage.do(lambda: db.session().execute(sa.delete(StaffScope).where(StaffScope.account_id == mia.id))),
        "standing": lambda: stage.do(lambda: setattr(mia.account(), "suspended_until", now() + timedelta(days=1))),
    }
    losses[lost]()
    sweep(stage, end_old_claims)
    assert (read(stage, held).state, read(stage, kept).state) == ("open", "claimed")


def test_somebody_else_need_not_wait_for_a_claim_without_authority(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    with pytest.raises(Conflict, match="Mia has this case until"):
        claim(sol, case_id)
    _revoke(mia)
    claim(sol, case_id)
    assert read(stage, case_id).claimed_by_id == sol.id
