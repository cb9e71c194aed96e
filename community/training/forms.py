"""Parsing days, moments and time zones an admin typed."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from community.core.clock import now
from community.core.errors import Invalid
from community.rooms.forms import timezones


def zone_of(typed: str | None, otherwise: str) -> ZoneInfo:
    return ZoneInfo(typed if typed in timezones() else otherwise)


def end_of_day(typed: str, *, field: str) -> datetime:
    """A day such as 2027-03-01; the certificate is good through it, everywhere (UTC)."""
    with suppress(ValueError, OverflowError):
        return datetime.combine(date.fromisoformat(typed.strip()) + timedelta(days=1), time(), ZoneInfo("UTC"))
    raise Invalid({field: "Give a day such as 2027-03-01."})


def moment(typed: str, zone: ZoneInfo, *, field: str) -> datetime:
    """A date and time in `zone`, as a browser's field sends it: 2027-03-01T20:00."""
    with suppress(ValueError, OverflowError):
        made = datetime.fromisoformat(typed.strip())
        if made.tzinfo is None and 2000 < made.year < 2200:
            return made.replace(tzinfo=zone)
    raise Invalid({field: "Give a date and a time such as 2027-03-01 20:00."})


def monday_of(typed: str | None, zone: ZoneInfo) -> date:
    """The Monday of the week asked for, or of this one."""
    day = now().astimezone(zone).date()
    with suppress(ValueError):
        asked = date.fromisoformat(typed or "")
        if 2000 < asked.year < 2200:
            day = asked
    return day - timedelta(days=day.weekday())
