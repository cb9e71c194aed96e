"""The audit log: append-only rows, each holding the hash of the one before.

On floor zero because every floor above has staff acts to record. The database refuses UPDATE and DELETE (triggers in the
migration); `verify` recomputes the chain. Details name things by id and never hold members' words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .clock import now
from .db import Base, session

FIRST_HASH = "0" * 64


class AuditEntry(Base):
    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    actor_name: Mapped[str] = mapped_column(sa.String(60))
    act: Mapped[str] = mapped_column(sa.String(60), index=True)
    subject: Mapped[str] = mapped_column(sa.String(80), index=True)
    detail: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64), unique=True)


class AuditHead(Base):
    """One row: the last hash. Updating it serialises writers on PostgreSQL; SQLite has one writer anyway."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    last_hash: Mapped[str] = mapped_column(sa.String(64))


def record(actor: Any, act: str, subject: str, **detail: Any) -> AuditEntry:
    """Write one act by `actor` (an account, or None for the system) on `subject` ("case:12"), in the caller's transaction."""
    database = session()
    head = database.scalars(sa.select(AuditHead).with_for_update()).one_or_none()
    if head is None:
        head = AuditHead(id=1, last_hash=FIRST_HASH)
        database.add(head)
    entry = AuditEntry(
        at=now(),
        actor_id=actor.id if actor else None,
        actor_name=actor.name if actor else "system",
        act=act,
        subject=subject,
        detail=detail,
        previous_hash=head.last_hash,
    )
    entry.hash = head.last_hash = _hash(entry)
    database.add(entry)
    database.flush()
    return entry


def verify() -> Iterator[str]:
    """One sentence per broken link; nothing when the chain is whole."""
    expected = FIRST_HASH
    for entry in session().scalars(sa.select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=500)):
        if entry.previous_hash != expected:
            yield f"Entry {entry.id} does not follow the entry before it: something between was removed or added."
        if entry.hash != _hash(entry):
            yield f"Entry {entry.id} ({entry.act} on {entry.subject}) was changed after it was written."
        expected = entry.hash
    head = session().get(AuditHead, 1)
    if head is not None and head.last_hash != expected:
        yield "The last entries are missing: the log ends before its recorded head."


def _hash(entry: AuditEntry) -> str:
    facts = [entry.at.isoformat(), entry.actor_id, entry.actor_name, entry.act, entry.subject, entry.detail]
    text = json.dumps([entry.previous_hash, *facts], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
