"""How a moment near now is said."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from community.core import clock


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-25T08:00", "08:00"),
        ("2026-11-26T00:00", "Thu 00:00"),
        ("2026-12-01T02:28", "Tue 02:28"),
        ("2026-12-02T02:28", "Wed 2 Dec 02:28"),
        ("2026-11-24T22:00", "Tue 24 Nov 22:00"),
    ],
)
def test_a_weekday_stands_alone_only_where_it_can_mean_one_day(moment: str, said: str) -> None:
    with clock.pretend(datetime(2026, 11, 25, 2, 28, tzinfo=UTC)):
        assert clock.in_short(datetime.fromisoformat(moment).replace(tzinfo=UTC)) == said


def test_today_is_today_where_the_moment_is() -> None:
    with clock.pretend(datetime(2026, 11, 25, 23, 30, tzinfo=UTC)):
        assert clock.in_short(datetime(2026, 11, 26, 8, tzinfo=ZoneInfo("Asia/Tokyo"))) == "08:00"
