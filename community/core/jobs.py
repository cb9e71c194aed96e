"""Timers. Everything that must happen later is a row (a due time, an unsent notification); a sweep finds and does it.

So nothing is lost when a process dies, and no queue holds a second copy of the truth. One process runs each sweep: it holds a
lease row, renewed at every turn; when it dies, another process takes over once the lease ends.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Mapped, mapped_column

from . import db
from .clock import now
from .realtime import every

HOLDER = f"{socket.gethostname()}:{os.getpid()}"


class JobLease(db.Base):
    __tablename__ = "job_leases"

    name: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    holder: Mapped[str] = mapped_column(sa.String(120))
    until: Mapped[datetime]


@dataclass(frozen=True)
class Sweep:
    name: str
    seconds: float
    act: Callable[[], None]


SWEEPS: list[Sweep] = []


def sweep(seconds: float) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Declare a function that is run about every `seconds` by one process at a time. It opens its own `write()`."""

    def declare(act: Callable[[], None]) -> Callable[[], None]:
        SWEEPS.append(Sweep(f"{act.__module__}.{act.__name__}", seconds, act))
        return act

    return declare


def start(app: Flask) -> None:
    for declared in SWEEPS:
        every(declared.seconds, _turn(declared), app)


def _turn(declared: Sweep) -> Callable[[], None]:
    def turn() -> None:
        if _holds(declared):
            declared.act()

    turn.__qualname__ = declared.name
    return turn


def _holds(declared: Sweep) -> bool:
    """Take or renew the lease: one conditional statement, so exactly one process wins."""
    moment, length = now(), timedelta(seconds=3 * declared.seconds)
    too_long = JobLease.until > moment + 2 * length  # taken while a clock was wrong: nobody waits for that day
    with db.write() as database:
        taken = database.execute(
            sa.update(JobLease)
            .where(JobLease.name == declared.name, sa.or_(JobLease.holder == HOLDER, JobLease.until < moment, too_long))
            .values(holder=HOLDER, until=moment + length)
        )
        if taken.rowcount:  # type: ignore[attr-defined]
            return True
        if database.get(JobLease, declared.name) is None:
            database.add(JobLease(name=declared.name, holder=HOLDER, until=moment + length))
            return True
    return False
