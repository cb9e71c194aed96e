"""Certificates open the desk and close it. Nobody certifies themselves."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine

from community.accounts.actions import set_role
from community.accounts.events import accounts_changed_since
from community.core import db
from community.core.audit import AuditEntry
from community.core.clock import now
from community.moderation.access import beat_of
from community.notifications.models import Notification
from community.training.jobs import tell_of_ends
from community.training.models import Certificate
from community.training.queries import concerns_of, team, uncovered
from tests.people import Person, Stage

FAR = (date.today() + timedelta(days=90)).isoformat()


def acts(stage: Stage) -> list[str]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(AuditEntry.act).where(AuditEntry.actor_id.is_not(None)))))


def concerns(person: Person) -> frozenset[str]:
    return person.stage.ask(lambda: concerns_of(person.account()))


@pytest.mark.parametrize("who", ["ana", "mia", "sol"])
def test_training_is_managed_by_admins_only(stage: Stage, noa: Person, who: str, request: pytest.FixtureRequest) -> None:
    person: Person = request.getfixturevalue(who)
    for page in ("", f"/{noa.id}"):
        assert person.get(f"/admin/training{page}").status_code == 404
    for path in (f"/{noa.id}/certificates", f"/{noa.id}/certificates/suicide/revoke", "/shifts", "/shifts/1/remove"):
        assert person.post(f"/admin/training{path}", concern="suicide", until=FAR).status_code == 404
    assert concerns(noa) == frozenset()
    assert acts(stage) == []


def test_granting_noa_a_certificate_opens_her_desk(stage: Stage, ida: Person, noa: Person) -> None:
    assert not stage.ask(lambda: beat_of(noa.account()).covers(stage.low_days, "suicide"))
    answer = ida.post(f"/admin/training/{noa.id}/certificates", concern=["suicide", "eating"], until=FAR)
    assert answer.status_code == 303
    assert stage.ask(lambda: beat_of(noa.account()).concerns) == {"suicide", "eating"}
    assert noa.id in stage.ask(lambda: accounts_changed_since(now()))
    assert acts(stage) == ["certificate.granted", "certificate.granted"]


def test_revoking_closes_it_at_once_and_live_connections_are_checked(stage: Stage, ida: Person, mia: Person) -> None:
    assert ida.post(f"/admin/training/{mia.id}/certificates/suicide/revoke").status_code == 303
    assert "suicide" not in concerns(mia)
    assert "self-harm" in concerns(mia)
    assert mia.id in stage.ask(lambda: accounts_changed_since(now()))
    assert acts(stage) == ["certificate.revoked"]


def test_a_revoked_certificate_stays_in_the_record_and_can_be_granted_again(stage: Stage, ida: Person, noa: Person) -> None:
    grant = f"/admin/training/{noa.id}/certificates"
    ida.post(grant, concern="suicide", until=FAR)
    ida.post(f"{grant}/suicide/revoke")
    assert "by Ida" in ida.get(f"/admin/training/{noa.id}").text
    assert concerns(noa) == frozenset()
    ida.post(grant, concern="suicide", until=FAR)
    assert concerns(noa) == {"suicide"}


def test_a_certificate_holds_through_its_last_day_and_no_longer(ida: Person, noa: Person) -> None:
    last = now() + timedelta(days=10)
    ida.post(f"/admin/training/{noa.id}/certificates", concern="suicide", until=last.date().isoformat())
    with time_machine.travel(last.replace(hour=23, minute=59), tick=False):
        assert concerns(noa) == {"suicide"}
    with time_machine.travel(last.replace(hour=0, minute=0, second=1) + timedelta(days=1), tick=False):
        assert concerns(noa) == frozenset()


def test_a_grant_sent_twice_is_one_certificate(stage: Stage, ida: Person, noa: Person) -> None:
    for _ in range(2):
        ida.post(f"/admin/training/{noa.id}/certificates", concern="suicide", until=FAR)
    assert stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).select_from(Certificate))) == 1


def test_nobody_certifies_themselves(stage: Stage, ida: Person) -> None:
    answer = ida.post(f"/admin/training/{ida.id}/certificates", concern="suicide", until=FAR)
    assert answer.status_code == 403
    assert "Nobody certifies themselves" in answer.text
    assert "Nobody certifies themselves" in ida.get(f"/admin/training/{ida.id}").text
    assert acts(stage) == []


def test_members_hold_no_certificates(stage: Stage, ida: Person, ana: Person) -> None:
    assert ida.post(f"/admin/training/{ana.id}/certificates", concern="suicide", until=FAR).status_code == 422
    assert acts(stage) == []


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("concern", {"until": FAR}),
        ("concern", {"until": FAR, "concern": ["suicide", "weather"]}),
        ("until", {"concern": "suicide", "until": "2020-01-01"}),
        ("until", {"concern": "suicide", "until": "9999-12-31"}),
        ("until", {"concern": "suicide", "until": "<script>"}),
        ("until", {"concern": "suicide"}),
    ],
)
def test_a_grant_that_cannot_be_is_refused_whole_beside_its_field(
    stage: Stage, ida: Person, noa: Person, field: str, sent: dict[str, str]
) -> None:
    answer = ida.post(f"/admin/training/{noa.id}/certificates", **sent)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert concerns(noa) == frozenset()
    assert acts(stage) == []


def test_the_page_names_what_nobody_is_trained_for_and_what_ends_soon(
    stage: Stage, ida: Person, mia: Person, sol: Person
) -> None:
    assert "Nobody is certified for" not in ida.get("/admin/training").text
    stage.do(
        lambda: db.session().execute(sa.update(Certificate).where(Certificate.account_id == sol.id).values(revoked_at=now()))
    )
    stage.do(
        lambda: db.session().execute(
            sa.update(Certificate).where(Certificate.concern == "suicide").values(expires_at=now() + timedelta(days=5))
        )
    )
    page = ida.get("/admin/training").text
    assert "eating" in stage.ask(lambda: uncovered(team()))
    assert "Nobody is certified for" in page
    assert "suicide ends" in page
    assert "self-harm ends" not in page
    assert mia.name in page


# ---- people are told


def told(person: Person) -> list[str]:
    rows = sa.select(Notification).where(Notification.account_id == person.id).order_by(Notification.id)
    return person.stage.ask(lambda: [note.kind for note in db.session().scalars(rows)])


def test_who_is_certified_is_told_once_for_all_of_it(ida: Person, noa: Person) -> None:
    for _ in range(2):
        ida.post(f"/admin/training/{noa.id}/certificates", concern=["self-harm", "eating"], until=FAR)
    assert told(noa) == ["certificate-granted"]
    assert "You are certified for self harm, eating" in noa.get("/notifications").text


def test_who_loses_a_certificate_is_told_kindly(ida: Person, mia: Person) -> None:
    for _ in range(2):
        ida.post(f"/admin/training/{mia.id}/certificates/suicide/revoke")
    assert told(mia) == ["certificate-ended"]
    assert "was taken back" in mia.get("/notifications").text


def test_a_certificate_that_ran_out_is_told_once_and_not_when_it_was_renewed(stage: Stage, ida: Person, noa: Person) -> None:
    soon, later = (date.today() + timedelta(days=days) for days in (10, 40))
    for concern, until in (("suicide", soon), ("eating", soon), ("eating", later)):
        ida.post(f"/admin/training/{noa.id}/certificates", concern=concern, until=until.isoformat())
    with time_machine.travel(now() + timedelta(days=20)):
        for _ in range(2):
            stage.ask(tell_of_ends)
        assert told(noa)[3:] == ["certificate-ended"]
        assert "Your certificate for suicide has run out" in noa.get("/notifications").text


def test_who_left_the_team_hears_nothing_of_old_certificates(stage: Stage, ida: Person, mia: Person) -> None:
    stage.do(lambda: set_role(ida.account(), mia.account(), "member"))
    with time_machine.travel(now() + timedelta(days=400)):
        stage.ask(tell_of_ends)
    assert told(mia) == []
