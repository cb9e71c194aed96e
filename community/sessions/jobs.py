"""The clock of sessions, and who is there. The rows are the truth, so it holds in every process and after any of them was killed."""

from __future__ import annotations

import sqlalchemy as sa

from community.chat.events import chat_room
from community.core import db
from community.core.clock import now
from community.core.jobs import sweep
from community.core.realtime import sockets

from . import clock, ending, queries
from .models import FacilitatedSession

BATCH = 50
PRESENCE_SECONDS = 10


def look_who_leads() -> None:
    """In each process: facilitators with a live screen in their session's room, or in one of its side-rooms, are written down."""
    if not len(sockets):
        return
    seen = {
        (session_id, account_id)
        for session_id, room_id, account_id in queries.rooms_of_facilitators()
        if any(chat_room(room_id) in socket.rooms for socket in sockets.of(account_id))
    }
    if seen:
        with db.write():
            clock.note_presence(seen)


@sweep(5)
def move_clocks() -> None:
    """Each in a transaction of its own: one that fails keeps no other from ending."""
    due = sa.or_(
        FacilitatedSession.state.in_(("open", "paused")),
        sa.and_(FacilitatedSession.state == "planned", FacilitatedSession.starts_at <= now()),
    )
    numbers = db.session().scalars(sa.select(FacilitatedSession.id).where(due).limit(BATCH)).all()
    for number in numbers:
        with db.write() as database:
            rows = sa.select(FacilitatedSession).where(FacilitatedSession.id == number, due)
            session = database.scalars(
                rows.with_for_update(skip_locked=True).execution_options(populate_existing=True)
            ).one_or_none()
            if session is not None:
                clock.move_clock(session)


@sweep(60)
def delete_what_was_kept() -> None:
    """What had to stay for a case goes when the case is done with."""
    with db.write():
        for session in ending.with_transcripts_left():
            ending.delete_transcript(session)
        for session in ending.with_check_ins_left():
            ending.delete_check_ins(session)
