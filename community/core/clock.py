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


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
