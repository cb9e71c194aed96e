"""Holidays: added and removed on the page, in several rooms at once, each in its own time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine

from community.core import db
from community.core.audit import AuditEntry
from community.core.clock import now
from community.rooms.actions import HOLIDAYS_MAX, holiday_key
from community.rooms.hours import DAY, Holiday, Hours, Span
from community.rooms.models import Room
from tests.people import Person, Stage

SOON = now().date() + timedelta(days=20)


def holidays(stage: Stage, room: int = 0) -> list[Holiday]:
    return stage.ask(lambda: list(db.session().get_one(Room, room or stage.low_days).hours.holidays))


def add(ida: Person, days: str, *, posture: str = "closed", times: str = "", **more: Any) -> Any:
    path = f"/admin/rooms/{ida.stage.low_days}/holidays"
    return ida.post(path, days=days, posture=posture, times=times, **more)


def audited(stage: Stage) -> list[str]:
    acts = sa.select(AuditEntry.act).where(AuditEntry.act.startswith("room.holiday")).order_by(AuditEntry.id)
    return stage.ask(lambda: list(db.session().scalars(acts)))


def test_a_holiday_is_added_shown_and_removed(stage: Stage, ida: Person) -> None:
    assert add(ida, f"{SOON} Team day").status_code == 303
    (one,) = holidays(stage)
    assert one == Holiday(SOON, SOON, 0, DAY, "closed", "Team day")
    page = ida.get(f"/admin/rooms/{stage.low_days}/hours").text
    assert "Team day" in page
    path = f"/admin/rooms/{stage.low_days}/holidays/remove"
    for _ in range(2):
        assert ida.post(path, holiday=holiday_key(one)).status_code == 303
    assert holidays(stage) == []
    assert audited(stage) == ["room.holidays-added", "room.holiday-removed"]


def test_several_lines_and_runs_of_days_with_hours_are_understood(stage: Stage, ida: Person) -> None:
    last = SOON + timedelta(days=2)
    lines = f"{SOON} to {last} Long weekend\n\n  {SOON + timedelta(days=9)} Fête <b>\n"
    assert add(ida, lines, posture="quiet", times="14-18:30").status_code == 303
    assert [(one.first, one.last, one.opens, one.closes, one.name) for one in holidays(stage)] == [
        (SOON, last, 840, 1110, "Long weekend"),
        (SOON + timedelta(days=9), SOON + timedelta(days=9), 840, 1110, "Fête <b>"),
    ]
    page = ida.get(f"/admin/rooms/{stage.low_days}/hours").text
    assert "14:00-18:30" in page
    assert "Fête &lt;b&gt;" in page


def test_the_same_days_in_several_rooms_hold_by_the_clocks_of_each(stage: Stage, ida: Person, ana: Person) -> None:
    stage.do(lambda: db.session().execute(sa.update(Room).where(Room.id == stage.eating).values(timezone="Asia/Kolkata")))
    add(ida, f"{SOON} Team day", room=[str(stage.eating), "x", "99999"])
    assert holidays(stage) == []  # one of the rooms is not there: nothing is stored by half
    add(ida, f"{SOON} Team day", room=[str(stage.eating)])
    assert holidays(stage) == holidays(stage, stage.eating) != []
    midnight = datetime(SOON.year, SOON.month, SOON.day, tzinfo=UTC)
    seen = []
    for hour in (-6, 1, 19):
        with time_machine.travel(midnight + timedelta(hours=hour), tick=False):
            rooms = (ana.get(f"/rooms/{room}").text for room in (stage.low_days, stage.eating))
            seen.append(tuple("<b>Closed</b>" in page for page in rooms))
    assert seen == [(False, False), (True, True), (True, False)], (
        "in Kolkata the day begins and ends five and a half hours earlier"
    )


def test_saying_a_holiday_twice_is_saying_it_once(stage: Stage, ida: Person) -> None:
    for _ in range(2):
        assert add(ida, f"{SOON} Team day").status_code == 303
    assert len(holidays(stage)) == 1


def test_a_holiday_that_is_over_goes_when_another_is_added(stage: Stage, ida: Person) -> None:
    add(ida, f"{SOON} Team day")
    with time_machine.travel(now() + timedelta(days=25)):
        assert add(ida, f"{SOON + timedelta(days=40)} Another").status_code == 303
    assert [one.name for one in holidays(stage)] == ["Another"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"days": "Christmas"}, "days"), ({"days": "2026-02-30 Never"}, "days"), ({"days": ""}, "days"),
        ({"days": f"{SOON}"}, "days"), ({"days": f"{SOON} to {SOON - timedelta(days=1)} Back"}, "days"),
        ({"days": f"{SOON} to {SOON + timedelta(days=31)} Long"}, "days"), ({"days": "2001-01-01 Over"}, "days"),
        ({"days": f"{SOON.year + 6}-01-01 Far"}, "days"), ({"days": f"{SOON} {'x' * 61}"}, "days"),
        ({"days": f"{SOON} A\n" * 41}, "days"), ({"times": "tea time"}, "times"), ({"times": "25-26"}, "times"),
        ({"posture": "asleep"}, "posture"), ({"posture": ""}, "posture"), ({"days": "２０２７-01-01 Wide"}, "days"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_is_refused_with_what_was_typed_and_nothing_is_stored(
    stage: Stage, ida: Person, typed: dict[str, str], field: str
) -> None:
    good = f"{SOON} Team <day>"
    form = {"days": good, "posture": "quiet", "times": "", **typed}
    if field == "days" and "\n" not in form["days"]:
        form["days"] = f"{good}\n{form['days']}" if form["days"] else ""
    answer = ida.post(f"/admin/rooms/{stage.low_days}/holidays", room=str(stage.eating), **form)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert "Team &lt;day&gt;" in answer.text or typed.get("days") == "" or "\n" in form["days"]
    assert f'name="room" value="{stage.eating}" checked' in answer.text
    assert holidays(stage) == holidays(stage, stage.eating) == []


def test_a_room_has_room_for_so_many_holidays_and_says_so(stage: Stage, ida: Person) -> None:
    many = tuple(
        Holiday(SOON + timedelta(days=n), SOON + timedelta(days=n), 0, DAY, "quiet", f"Day {n}") for n in range(HOLIDAYS_MAX)
    )
    stage.do(lambda: db.session().execute(sa.update(Room).values(hours=Hours((), many))))
    answer = add(ida, f"{SOON} One more")
    assert answer.status_code == 422
    assert "Remove some first" in answer.text
    assert len(holidays(stage)) == HOLIDAYS_MAX


@pytest.mark.parametrize("who", ["ana", "mia", "sol"])
def test_only_admins_set_hours_and_holidays(stage: Stage, who: str, request: pytest.FixtureRequest) -> None:
    person: Person = request.getfixturevalue(who)
    for path in ("hours", "holidays", "holidays/remove"):
        answer = person.post(f"/admin/rooms/{stage.low_days}/{path}", days=f"{SOON} Mine", posture="closed", holiday="x")
        assert answer.status_code == 404
    assert holidays(stage) == []


# ---- clocks that change


LONDON = ZoneInfo("Europe/London")


def week_of_nights(stage: Stage) -> None:
    """Staffed from 6 to 22, night from 22 to 6, every day."""
    week = tuple(span for day in range(7) for span in (Span(day, 360, 1320), Span(day, 1320, 1800, "night")))
    stage.do(lambda: db.session().execute(sa.update(Room).values(hours=Hours(week), outside_hours="closed")))


def shown(person: Person, moment: datetime) -> str:
    with time_machine.travel(moment, tick=False):
        return str(person.get(f"/rooms/{person.stage.low_days}").text)


@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 28), 7), (date(2027, 10, 31), 9)])
def test_a_night_in_which_clocks_change_ends_at_six_on_the_wall(stage: Stage, day: date, hours: int) -> None:
    week_of_nights(stage)
    begins = datetime(day.year, day.month, day.day - 1, 22, tzinfo=LONDON).astimezone(UTC)
    morning = begins + timedelta(hours=hours)
    with time_machine.travel(begins - timedelta(days=1)):
        ana = stage.person("Ana", rooms=True)
        ana.client  # noqa: B018  (signs in)
    assert "<b>Staffed hours</b>" in shown(ana, begins - timedelta(seconds=1))
    for moment in (begins, begins + timedelta(hours=hours / 2), morning - timedelta(seconds=1)):
        page = shown(ana, moment)
        assert "<b>Night</b>" in page
        assert f'<time datetime="{morning.astimezone(LONDON).isoformat()}" data-when="weekday">' in page
        assert "06:00 in London</time>, when a moderator comes." in page
    assert "<b>Staffed hours</b>" in shown(ana, morning)


@pytest.mark.parametrize(
    ("now_is", "says"),
    [(date(2027, 3, 25), "clocks go forward by 60 minutes"), (date(2027, 10, 28), "clocks go back by 60 minutes")],
)
def test_the_admin_sees_the_days_on_which_clocks_change(stage: Stage, now_is: date, says: str) -> None:
    week_of_nights(stage)
    with time_machine.travel(datetime(now_is.year, now_is.month, now_is.day, 12, tzinfo=UTC), tick=False):
        page = stage.person("Ida", role="admin").get(f"/admin/rooms/{stage.low_days}/hours").text
    told = page[page.index(says) :][:400]
    assert "00:00-06:00 night" in told
    assert "06:00-22:00 staffed" in told
