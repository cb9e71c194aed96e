"""Hours as people type them."""

from __future__ import annotations

import pytest

from community.core.errors import Invalid
from community.rooms.forms import as_typed, room_settings, spans_of
from community.rooms.posture import Span
from tests.rooms.settings import OPEN_ROOM


@pytest.mark.parametrize(
    ("typed", "spans"),
    [
        ("9-17", [(540, 1020)]),
        ("9:00-12:30, 14:00-24:00", [(540, 750), (840, 1440)]),
        ("14-18 and 9–12", [(540, 720), (840, 1080)]),
        ("20:00 to 0:00", [(1200, 1440)]),
        ("closed", []),
        ("  ", []),
    ],
)
def test_hours_are_understood_as_people_write_them(typed: str, spans: list[tuple[int, int]]) -> None:
    assert spans_of(2, typed) == [Span(2, *span) for span in spans]


@pytest.mark.parametrize(
    "typed", ["25-26", "9:75-10", "17-9", "9-9", "9-12, 11-13", "9-10, 11-12, 13-14", "morning", "9", "-", "９-１７", "<script>"]
)
def test_hours_that_cannot_be_are_refused_in_a_sentence_that_names_the_day(typed: str) -> None:
    form = {**OPEN_ROOM, "hours": "set", "day0": "9-17", "day3": typed}
    if typed == "-":
        assert room_settings(form).hours == (Span(0, 540, 1020),)
        return
    with pytest.raises(Invalid) as refusal:
        room_settings(form)
    assert refusal.value.fields["day3"].startswith("Thursday: ")


def test_hours_without_a_single_span_would_mean_always_and_are_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        room_settings({**OPEN_ROOM, "hours": "set", "day0": "closed"})
    assert "hours" in refusal.value.fields


def test_hours_come_back_as_they_can_be_typed() -> None:
    week = [Span(0, 540, 720), Span(0, 840, 1440), Span(6, 0, 60)]
    form = {**OPEN_ROOM, **as_typed(week)}
    assert form["day0"] == "09:00-12:00, 14:00-24:00"
    assert list(room_settings(form).hours) == week
