"""Hours as people type them."""

from __future__ import annotations

from typing import Any

import pytest

from community.core.errors import Invalid
from community.rooms.forms import as_typed, spans_of, week_of
from community.rooms.hours import Span
from tests.rooms.settings import WEEK


@pytest.mark.parametrize(
    ("typed", "spans"),
    [
        ("9-17", [(540, 1020)]),
        ("9:00-12:30, 14:00-24:00", [(540, 750), (840, 1440)]),
        ("14-18 and 9–12", [(540, 720), (840, 1080)]),
        ("20:00 to 0:00", [(1200, 1440)]),
        ("none", []),
        ("  ", []),
        ("closed", [(0, 1440, "closed")]),
        ("9-17, 20-6 night", [(540, 1020), (1200, 1800, "night")]),
    ],
)
def test_hours_are_understood_as_people_write_them(typed: str, spans: list[Any]) -> None:
    assert spans_of(2, typed) == [Span(2, *span) for span in spans]


@pytest.mark.parametrize(
    "typed",
    [
        "25-26",
        "9:75-10",
        "17-9 tonight",
        "9-9",
        "9-12, 11-13",
        "9-10, 11-12, 13-14, 15-16, 17-18",
        "morning",
        "9-17, 16-18",
        "9",
        "-",
        "９-１７",
        "<script>",
    ],
)
def test_hours_that_cannot_be_are_refused_in_a_sentence_that_names_the_day(typed: str) -> None:
    form = {**WEEK, "hours": "set", "day0": "9-17", "day3": typed}
    if typed == "-":
        assert week_of(form).spans == (Span(0, 540, 1020),)
        return
    with pytest.raises(Invalid) as refusal:
        week_of(form)
    assert refusal.value.fields["day3"].startswith("Thursday: ")


def test_hours_without_a_single_span_would_mean_always_and_are_refused() -> None:
    with pytest.raises(Invalid) as refusal:
        week_of({**WEEK, "day0": "none"})
    assert "hours" in refusal.value.fields


def test_hours_come_back_as_they_can_be_typed() -> None:
    week = (Span(0, 540, 720), Span(0, 840, 1440), Span(6, 0, 60), Span(6, 1320, 1800, "night"))
    form = {**WEEK, **as_typed(week)}
    assert form["day0"] == "09:00-12:00, 14:00-24:00"
    assert week_of(form).spans == week
