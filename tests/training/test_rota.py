"""Who is there when."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from community.core import db
from community.core.audit import AuditEntry
from community.core.clock import now
from community.rooms.models import Room
from community.training.models import Shift
from community.training.queries import on_shift, somebody_is_here, week
from tests.people import Person, Stage

LONDON = ZoneInfo("Europe/London")


def local(moment: datetime) -> str:
    return moment.astimezone(LONDON).strftime("%Y-%m-%dT%H:%M")


def shifts(stage: Stage) -> list[Shift]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(Shift).order_by(Shift.id))))


def hours(start: float, end: float, person: Person, kind: str = "duty") -> dict[str, str]:
    moment = now()
    return {
        "person": str(person.id), "kind": kind, "zone": LONDON.key, "starts": local(moment + timedelta(hours=start)),
        "ends": local(moment + timedelta(hours=end)),
    }  # fmt: skip


def acts(stage: Stage) -> list[str]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(AuditEntry.act).where(AuditEntry.actor_id.is_not(None)))))


def test_a_shift_planned_in_the_page_puts_mia_on_duty(stage: Stage, ida: Person, mia: Person) -> None:
    assert ida.post("/admin/training/shifts", **hours(-1, 5, mia)).status_code == 303
    assert stage.ask(lambda: list(db.session().scalars(on_shift("duty")))) == [mia.id]
    assert "<b>Mia</b> is on duty" in ida.get("/admin/training").text
    assert acts(stage) == ["shift.added"]


def test_the_hours_of_a_shift_are_read_in_the_zone_it_names(stage: Stage, ida: Person, mia: Person) -> None:
    year = now().year + 1
    sent = {
        "person": str(mia.id),
        "kind": "duty",
        "zone": "America/New_York",
        "starts": f"{year}-07-01T20:00",
        "ends": f"{year}-07-02T02:00",
    }
    assert ida.post("/admin/training/shifts", **sent).status_code == 303
    assert shifts(stage)[0].starts_at.isoformat() == f"{year}-07-02T00:00:00+00:00"


def test_the_same_shift_sent_twice_is_one(stage: Stage, ida: Person, mia: Person) -> None:
    sent = hours(1, 5, mia)
    for _ in range(2):
        assert ida.post("/admin/training/shifts", **sent).status_code == 303
    assert len(shifts(stage)) == 1


def test_nobody_is_on_duty_twice_at_once(stage: Stage, ida: Person, mia: Person) -> None:
    ida.post("/admin/training/shifts", **hours(1, 5, mia))
    assert ida.post("/admin/training/shifts", **hours(4, 6, mia)).status_code == 422
    assert ida.post("/admin/training/shifts", **hours(6, 7, mia)).status_code == 303
    assert len(shifts(stage)) == 2


def test_on_call_is_for_seniors(stage: Stage, ida: Person, mia: Person, sol: Person) -> None:
    assert ida.post("/admin/training/shifts", **hours(20, 30, mia, "on-call")).status_code == 422
    assert ida.post("/admin/training/shifts", **hours(20, 30, sol, "on-call")).status_code == 303
    assert [shift.account_id for shift in shifts(stage)] == [sol.id, sol.id]


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("person", {"person": ""}), ("person", {"person": "x' OR 1"}), ("kind", {"kind": "holiday"}), ("starts", {"starts": "tomorrow"}),
        ("ends", {"ends": ""}), ("ends", {"ends": "2020-01-01T00:00"}), ("ends", {"ends": "2199-01-01T00:00"}),
    ],
)  # fmt: skip
def test_a_shift_that_cannot_be_is_refused_beside_its_field(
    stage: Stage, ida: Person, mia: Person, field: str, changed: dict[str, str]
) -> None:
    answer = ida.post("/admin/training/shifts", **(hours(1, 5, mia) | changed))
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert shifts(stage) == []


def test_members_are_never_on_duty(stage: Stage, ida: Person, ana: Person) -> None:
    assert ida.post("/admin/training/shifts", **hours(1, 5, ana)).status_code == 422
    assert shifts(stage) == []


def test_a_shift_to_come_is_removed_one_that_runs_ends_now_and_one_that_is_over_stays(
    stage: Stage, ida: Person, mia: Person
) -> None:
    moment = now()
    spans = ((2, 3), (-1, 1), (-3, -2))
    stage.do(
        lambda: db.session().add_all(
            Shift(
                account_id=mia.id, kind="duty", starts_at=moment + timedelta(hours=start), ends_at=moment + timedelta(hours=end)
            )
            for start, end in spans
        )
    )
    ids = [shift.id for shift in shifts(stage)]
    assert [ida.post(f"/admin/training/shifts/{shift}/remove").status_code for shift in ids] == [303, 303, 403]
    running, over = shifts(stage)
    assert running.ends_at <= now()
    assert over.ends_at == moment - timedelta(hours=2)
    assert acts(stage) == ["shift.removed", "shift.removed"]
    assert ida.post("/admin/training/shifts/999/remove").status_code == 404


def test_a_shift_over_midnight_stands_on_both_days_of_the_week(stage: Stage, mia: Person) -> None:
    starts = datetime(2026, 3, 28, 22, tzinfo=LONDON)  # the night in which summer time begins
    stage.do(
        lambda: db.session().add(Shift(account_id=mia.id, kind="duty", starts_at=starts, ends_at=starts + timedelta(hours=6)))
    )
    days = stage.ask(lambda: week(datetime(2026, 3, 23).date(), LONDON))
    assert [bool(found) for _, found in days] == [False] * 5 + [True, True]


@pytest.mark.parametrize("query", ["week=2026-03-25", "week=nonsense&zone=Mars/Olympus", "week=9999-12-31", "zone=Asia/Tokyo"])
def test_any_week_and_zone_can_be_asked_for(stage: Stage, ida: Person, query: str) -> None:
    stage.do(lambda: db.session().execute(sa.update(Room).values(timezone="Asia/Kolkata")))
    assert ida.get(f"/admin/training?{query}").status_code == 200


def test_a_moderator_is_here_only_when_certified_in_scope_and_on_duty(
    stage: Stage, ida: Person, mia: Person, noa: Person
) -> None:
    def here(room: int) -> bool:
        return stage.ask(lambda: somebody_is_here(room))

    ida.post("/admin/training/shifts", **hours(-1, 5, noa))
    assert not here(stage.low_days)  # Noa is certified for nothing
    ida.post("/admin/training/shifts", **hours(1, 5, mia))
    assert not here(stage.low_days)  # Mia comes later
    stage.do(lambda: db.session().execute(sa.update(Shift).values(starts_at=now() - timedelta(hours=1))))
    assert here(stage.low_days)
    ida.post(f"/admin/rooms/scopes/{mia.id}", scope="some", room=stage.eating)
    assert not here(stage.low_days)
    assert here(stage.eating)


def test_a_shift_that_ends_on_this_weekday_next_week_is_said_with_its_date(stage: Stage, ida: Person, mia: Person) -> None:
    ends = (now() + timedelta(days=7)).astimezone(LONDON)
    assert ida.post("/admin/training/shifts", **hours(-1, 7 * 24, mia)).status_code == 303
    page = ida.get("/admin/training").text
    assert f">{ends:%a} {ends.day} {ends:%b %H:%M}</time>" in page
    assert f"to {ends:%a} {ends.day} {ends:%b %H:%M}</span>" in page
