"""Who is told what: notifications, and a hint to the screens in the session's rooms."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from community.core import db
from community.core.realtime import announce
from community.notifications.actions import notify

from .events import SessionChanged
from .models import FacilitatedSession, Seat


def tell(session: FacilitatedSession, says: str, people: Iterable[int]) -> None:
    for account_id in people:
        notify(
            account_id, "session", mail=says in ("cancelled", "moved", "facilitator"), says=says, session=session.id, title=session.title,
            starts_at=session.starts_at.isoformat(),
        )  # fmt: skip


def changed(session: FacilitatedSession) -> None:
    """Screens fetch the panel and ask again whether they may write."""
    if session.room_id is not None:
        announce(SessionChanged(session.id, session.room_id))


def seated(session: FacilitatedSession, states: Collection[str]) -> list[int]:
    return list(db.session().scalars(sa.select(Seat.account_id).where(Seat.session_id == session.id, Seat.state.in_(states))))
