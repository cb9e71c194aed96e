"""The one clock: aware UTC datetimes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_pretended: ContextVar[datetime | None] = ContextVar("pretended", default=None)


def now() -> datetime:
    return _pretended.get() or datetime.now(UTC)


@contextmanager
def pretend(moment: datetime) -> Iterator[None]:
    """Demo content happens in the past: inside, `now()` is `moment`. Never used while serving."""
    token = _pretended.set(moment)
    try:
        yield
    finally:
        _pretended.reset(token)


def in_short(moment: datetime) -> str:
    """A moment near now as a reader says it, in its own zone: the hour today, with the weekday in the next days, and with the
    date where a weekday alone could be read as the nearer one."""
    days = (moment.date() - now().astimezone(moment.tzinfo).date()).days
    if days == 0:
        return f"{moment:%H:%M}"
    return f"{moment:%a %H:%M}" if 0 < days < 7 else f"{moment:%a} {moment.day} {moment:%b %H:%M}"


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
