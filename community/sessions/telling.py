"""Who is told what: notifications, and a hint to the screens in the session's rooms."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from community.chat.events import chat_room
from community.core import db
from community.core.realtime import announce
from community.notifications.actions import notify

from .events import SessionChanged
from .models import FacilitatedSession, Facilitator, Seat


def tell(session: FacilitatedSession, says: str, people: Iterable[int]) -> None:
    for account_id in people:
        notify(
            account_id, "session", mail=says in ("cancelled", "moved", "facilitator"), says=says, session=session.id, title=session.title,
            starts_at=session.starts_at.isoformat(),
        )  # fmt: skip


def changed(session: FacilitatedSession, *leaving: int) -> None:
    """Every screen in it fetches the panel and asks again whether it may write. `leaving`: people whom it tells by their account,
    because when it is sent they do not hear the rooms any more."""
    if session.room_id is not None:
        aside = sa.select(Seat.side_room_id).where(Seat.session_id == session.id, Seat.side_room_id.is_not(None))
        rooms = (session.room_id, *db.session().scalars(aside))
        accounts = (f"account:{account_id}" for account_id in leaving)
        announce(SessionChanged(session.id, (*(chat_room(room_id) for room_id in rooms), *accounts)))


def changed_quietly(session: FacilitatedSession, account_id: int) -> None:
    """A hand, a place in the queue: nobody else's screen does anything that could be noticed."""
    leading = db.session().scalars(sa.select(Facilitator.account_id).where(Facilitator.session_id == session.id))
    announce(SessionChanged(session.id, tuple(f"account:{one}" for one in {account_id, *leading})))


def seated(session: FacilitatedSession, states: Collection[str]) -> list[int]:
    return list(db.session().scalars(sa.select(Seat.account_id).where(Seat.session_id == session.id, Seat.state.in_(states))))
