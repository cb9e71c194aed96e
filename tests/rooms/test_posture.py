"""A posture never flickers, also when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community.rooms.hours import DAY, POSTURES, Holiday, Hours, Span
from community.rooms.posture import posture_at, staffed_from

LONDON = "Europe/London"
ZONES = (LONDON, "America/New_York", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
EVERY_DAY_8_TO_22 = [Span(day, 480, 1320) for day in range(7)]


def at(text: str, zone: str = LONDON) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@st.composite
def weeks(draw: st.DrawFn) -> list[Span]:
    """Hours as the form takes them: up to two spans a day that do not touch."""
    week = []
    for day in draw(st.sets(st.integers(0, 6), min_size=1)):
        edges = sorted(draw(st.lists(st.integers(0, DAY // 15), min_size=2, max_size=4, unique=True)))
        week += [Span(day, 15 * opens, 15 * closes) for opens, closes in zip(edges[::2], edges[1::2], strict=False)]
    return week


moments = st.datetimes(datetime(2025, 12, 1), datetime(2027, 12, 1), timezones=st.just(UTC))
near_clock_changes = st.sampled_from(
    [datetime(2026, 3, 29, 1), datetime(2026, 10, 25, 1), datetime(2026, 3, 8, 7), datetime(2026, 11, 1, 6), datetime(2026, 4, 23, 22), datetime(2026, 10, 29, 21)]
).flatmap(lambda change: st.integers(-1500, 1500).map(lambda minute: change.replace(tzinfo=UTC) + timedelta(minutes=minute)))  # fmt: skip


def test_a_room_without_hours_is_staffed_around_the_clock() -> None:
    assert posture_at("quiet", LONDON, Hours(), at("2026-11-24T04:00")).name == "staffed"
    assert posture_at("quiet", LONDON, Hours(), at("2026-11-24T04:00")).changes_at is None


@pytest.mark.parametrize(
    ("moment", "name", "changes"),
    [
        ("2026-11-24T07:59", "night", "2026-11-24T08:00"),
        ("2026-11-24T08:00", "staffed", "2026-11-24T22:00"),
        ("2026-11-24T21:59", "staffed", "2026-11-24T22:00"),
        ("2026-11-24T22:00", "night", "2026-11-25T08:00"),
    ],
)
def test_a_room_is_staffed_from_its_first_minute_to_its_last(moment: str, name: str, changes: str) -> None:
    posture = posture_at("night", LONDON, Hours(tuple(EVERY_DAY_8_TO_22)), at(moment))
    assert (posture.name, posture.changes_at) == (name, at(changes))


def test_hours_hold_by_the_wall_clock_when_summer_time_begins() -> None:
    posture = posture_at("night", LONDON, Hours(tuple(EVERY_DAY_8_TO_22)), at("2026-03-28T23:00"))
    assert posture.changes_at == at("2026-03-29T08:00")
    assert posture.changes_at.astimezone(UTC) == datetime(2026, 3, 29, 7, tzinfo=UTC)


def test_hours_that_touch_at_midnight_are_one_span() -> None:
    night = [Span(4, 1320, 1440), Span(5, 0, 360)]
    assert posture_at("closed", LONDON, Hours(tuple(night)), at("2026-11-27T23:00")).changes_at == at("2026-11-28T06:00")


def test_hours_over_the_whole_week_never_end() -> None:
    assert (
        posture_at("closed", LONDON, Hours(tuple([Span(day, 0, DAY) for day in range(7)])), at("2026-11-27T23:00")).changes_at
        is None
    )


@settings(max_examples=120, deadline=None)
@given(week=weeks(), zone=st.sampled_from(ZONES), moment=moments | near_clock_changes)
def test_a_posture_holds_until_the_moment_it_names_and_changes_then(week: list[Span], zone: str, moment: datetime) -> None:
    """Anywhere, on any day, daylight saving or not."""
    posture = posture_at("quiet", zone, Hours(tuple(week)), moment)
    if posture.changes_at is None:
        return
    changes = posture.changes_at.astimezone(UTC)  # arithmetic within a zone is by the wall clock
    assert changes > moment
    step = (changes - moment) / 7
    assert {posture_at("quiet", zone, Hours(tuple(week)), moment + n * step).name for n in range(7)} == {posture.name}
    assert posture_at("quiet", zone, Hours(tuple(week)), changes - timedelta(seconds=1)).name == posture.name
    assert posture_at("quiet", zone, Hours(tuple(week)), changes).name != posture.name


@settings(max_examples=100, deadline=None)
@given(week=weeks(), zone=st.sampled_from(ZONES), moment=moments)
def test_away_from_clock_changes_a_posture_is_what_the_wall_clock_says(week: list[Span], zone: str, moment: datetime) -> None:
    local = moment.astimezone(ZoneInfo(zone))
    if (local - timedelta(days=1)).utcoffset() != (local + timedelta(days=1)).utcoffset():
        return
    minute = 60 * local.hour + local.minute
    inside = any(span.weekday == local.weekday() and span.opens <= minute < span.closes for span in week)
    assert posture_at("quiet", zone, Hours(tuple(week)), moment).name == ("staffed" if inside else "quiet")


@st.composite
def plans(draw: st.DrawFn) -> Hours:
    """A week of named spans that may pass midnight, and some holidays near the clock changes."""
    named = [span._replace(posture=draw(st.sampled_from(POSTURES))) for span in draw(weeks())]
    last = max(named)
    first = min(named).opens + (7 - last.weekday + min(named).weekday) * DAY
    named[named.index(last)] = last._replace(
        closes=min(last.closes + draw(st.integers(0, 400)), last.opens + DAY, max(first, last.closes))
    )
    days = st.dates(datetime(2026, 3, 1).date(), datetime(2026, 11, 30).date())
    begins = draw(st.lists(days, max_size=3))
    off = [
        Holiday(day, day + timedelta(days=draw(st.integers(0, 3))), *draw(st.sampled_from([(0, DAY), (60, 150), (1200, 1560)])),
                draw(st.sampled_from(POSTURES)), "Off") for day in begins
    ]  # fmt: skip
    return Hours(tuple(named), tuple(off))


@settings(max_examples=100, deadline=None)
@given(hours=plans(), zone=st.sampled_from(ZONES), moment=moments | near_clock_changes)
def test_holidays_and_nights_hold_until_the_very_moment_they_name(hours: Hours, zone: str, moment: datetime) -> None:
    posture = posture_at("quiet", zone, hours, moment)
    if posture.changes_at is None:
        return
    changes = posture.changes_at.astimezone(UTC)
    step = (changes - moment) / 11
    assert {posture_at("quiet", zone, hours, moment + n * step).name for n in range(11)} == {posture.name}
    assert posture_at("quiet", zone, hours, changes - timedelta(seconds=1)).name == posture.name
    assert posture_at("quiet", zone, hours, changes).name != posture.name


def test_a_holiday_comes_before_the_week_and_a_night_passes_midnight() -> None:
    week = tuple(span for day in range(7) for span in (Span(day, 480, 1320), Span(day, 1320, 1800, "night")))
    christmas = Holiday(at("2026-12-25T00:00").date(), at("2026-12-25T00:00").date(), 0, DAY, "closed", "Christmas Day")
    hours = Hours(week, (christmas,))
    assert posture_at("quiet", LONDON, hours, at("2026-11-25T03:00")).name == "night"
    assert posture_at("quiet", LONDON, hours, at("2026-12-25T12:00")).changes_at == at("2026-12-26T00:00")
    assert staffed_from("quiet", LONDON, hours, at("2026-12-24T23:00")) == at("2026-12-26T08:00")
