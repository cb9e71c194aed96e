"""The rooms of a session, its places and its queue."""

from __future__ import annotations

import sqlalchemy as sa

from community.core import db
from community.core.clock import now
from community.notifications.actions import notify
from community.rooms.actions import add_member, remove_member
from community.rooms.models import Membership, Room

from .models import FacilitatedSession, Seat
from .telling import changed, changed_quietly

SLUG = "session:{}"


def let_in_who_waits(session: FacilitatedSession, arriving: int | None = None) -> None:
    """In the order of the queue, as far as there are places. `arriving` is at the page anyway and needs no note."""
    if session.state != "open" or session.by_hand:
        return
    queue = (
        sa.select(Seat).where(Seat.session_id == session.id, Seat.state == "waiting").order_by(Seat.queued_at, Seat.account_id)
    )
    for seat in db.session().scalars(queue).all():
        if not admit(session, seat, quietly=seat.account_id == arriving):
            return


def admit(session: FacilitatedSession, seat: Seat, *, quietly: bool = False) -> bool:
    """One conditional statement takes the place: nobody can take the same one."""
    took = db.session().execute(
        sa.update(FacilitatedSession)
        .where(
            FacilitatedSession.id == session.id, FacilitatedSession.state == "open",
            FacilitatedSession.inside_count < FacilitatedSession.capacity,
        )
        .values(inside_count=FacilitatedSession.inside_count + 1)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if not took.rowcount:  # type: ignore[attr-defined]
        return False
    db.session().refresh(session, ["inside_count"])
    seat.state, seat.entered_at = "inside", now()
    room = db.session().get_one(Room, session.room_id)
    if not db.session().get(Membership, (room.id, seat.account_id)):
        add_member(room, seat.account_id)
    if not quietly:
        notify(seat.account_id, "session", says="let-in", session=session.id, title=session.title, room=room.id)
    changed(session)
    return True


def go(session: FacilitatedSession, seat: Seat, state: str) -> None:
    was, seat.state, seat.left_at, seat.hand_at = seat.state, state, now(), None
    if was != "inside":
        changed_quietly(session, seat.account_id)
        return
    session.inside_count -= 1
    db.session().flush()
    close_aside(seat)
    remove_member(db.session().get_one(Room, session.room_id), seat.account_id)
    let_in_who_waits(session)
    changed(session, seat.account_id)


def room_for(session: FacilitatedSession, name: str, slug: str) -> Room:
    """Judged by the same rules as its host, and in no list. No name makes such a `slug`, so that no other room can have it."""
    host = db.session().get_one(Room, session.host_room_id)
    room = Room(
        slug=slug, name=name, has_forum=False, has_chat=True, read_by="joined", write_by="joined", mode=host.mode,
        profile=host.profile, timezone=host.timezone, host_id=host.id, slow_seconds=session.slow_seconds, created_at=now(),
        links_by=host.links_by, link_days=host.link_days, mentions_max=host.mentions_max,
    )  # fmt: skip
    db.session().add(room)
    db.session().flush()
    return room


def aside_for(session: FacilitatedSession, facilitator_id: int, account_id: int) -> Room:
    """The side-room of these two: whoever else leads the session gets another one, so that nobody reads what was said there."""
    slug = f"{SLUG.format(session.id)}:aside:{account_id}:{facilitator_id}"
    found = db.session().scalars(sa.select(Room).where(Room.slug == slug)).one_or_none()
    return found or room_for(session, "Side-room", slug)


def asides_of(session: FacilitatedSession) -> list[int]:
    """Every side-room there was."""
    rows = sa.select(Room.id).where(Room.slug.startswith(f"{SLUG.format(session.id)}:aside:"), Room.host_id.is_not(None))
    return list(db.session().scalars(rows))


def close_aside(seat: Seat) -> None:
    """Both are out of it; its words go when the session ends."""
    if seat.side_room_id is not None:
        empty_room(seat.side_room_id)
        seat.side_room_id = None


def empty_room(room_id: int) -> None:
    room = db.session().get_one(Room, room_id)
    for account_id in db.session().scalars(sa.select(Membership.account_id).where(Membership.room_id == room_id)).all():
        remove_member(room, account_id)


def may_write(session: FacilitatedSession, who: str) -> None:
    for room_id in filter(None, (session.room_id, *asides_of(session))):
        db.session().get_one(Room, room_id).write_by = who
