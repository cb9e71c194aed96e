"""Planning a session, leading it, and what members do in it. Coming and going is in `arriving`, what time does in `clock`."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

import sqlalchemy as sa

from community.accounts.access import account_named
from community.accounts.actions import name_key
from community.accounts.models import Account
from community.core import audit, db, text
from community.core.clock import now
from community.core.errors import Conflict, Invalid
from community.notifications.actions import notify
from community.rooms.access import may_read
from community.rooms.actions import add_member
from community.rooms.models import Membership, Room

from .access import room_to_plan_in, seat_inside, session_to_lead, session_to_plan, session_to_see
from .clock import BY_HAND_FOR, close, facilitators_of, resume, seen
from .forms import SessionPlan
from .models import CalendarFeed, FacilitatedSession, Facilitator
from .places import SLUG, aside_for, close_aside, let_in_who_waits, room_for
from .telling import changed, changed_quietly, seated, tell
from .transitions import after

MORE_MINUTES = 10
THEMES_MAX = 2_000
PLAIN = ("title", "about", "ground_rules", "plan", "starts_at", "minutes", "capacity", "door_minutes", "slow_seconds", "grace_minutes",
         "by_hand", "keeps_transcript")  # fmt: skip


def plan_session(actor: Account, room_id: int, plan: SessionPlan, *, form_key: str) -> FacilitatedSession:
    """The same form sent twice plans one session."""
    room = room_to_plan_in(actor, room_id)
    twin = db.session().scalars(sa.select(FacilitatedSession).where(FacilitatedSession.form_key == form_key)).one_or_none()
    if twin is not None:
        if twin.made_by_id != actor.id or twin.host_room_id != room.id:
            raise Conflict("This form was used before. Load it anew and send it again.")
        return twin
    people = _people_named(plan.facilitators, room)
    _must_lie_ahead(plan)
    session = FacilitatedSession(host_room_id=room.id, form_key=form_key, made_by_id=actor.id, created_at=now(), state="planned")
    _settle(session, plan, people)
    audit.record(actor, "session.planned", f"session:{session.id}", room=room.id, facilitators=[one.id for one in people])
    return session


def change_session(actor: Account, session_id: int, plan: SessionPlan) -> FacilitatedSession:
    """Until it opens. Who said they would come is told when the time changed."""
    session = session_to_plan(actor, session_id, lock=True)
    session.state = after(session.state, "change")
    people = _people_named(plan.facilitators, db.session().get_one(Room, session.host_room_id))
    _must_lie_ahead(plan)
    moved = session.starts_at != plan.starts_at
    _settle(session, plan, people)
    if moved:
        tell(session, "moved", seated(session, ("coming", "waiting")))
    audit.record(actor, "session.changed", f"session:{session.id}", moved=moved, facilitators=[one.id for one in people])
    return session


def cancel_session(actor: Account, session_id: int) -> FacilitatedSession:
    session = session_to_plan(actor, session_id, lock=True)
    session.state, session.ended_at = after(session.state, "cancel"), now()
    tell(session, "cancelled", seated(session, ("coming", "waiting")))
    audit.record(actor, "session.cancelled", f"session:{session.id}")
    return session


def _must_lie_ahead(plan: SessionPlan) -> None:
    if plan.starts_at + timedelta(minutes=plan.minutes) <= now():
        raise Invalid({"starts": "This time is over already. Choose a later one."})


def _people_named(names: Iterable[str], room: Room) -> list[Account]:
    people = []
    for name in names:
        account = account_named(name_key(text.storable(name)))
        if account is None:
            raise Invalid({"facilitators": f"There is nobody called “{name}”. Check the spelling."})
        if not may_read(account, room):
            raise Invalid({"facilitators": f"{account.name} cannot read this room, so they cannot lead a session in it."})
        people.append(account)
    return people


def _settle(session: FacilitatedSession, plan: SessionPlan, people: list[Account]) -> None:
    for field in PLAIN:
        setattr(session, field, getattr(plan, field))
    database = db.session()
    database.add(session)
    database.flush()
    before = set(database.scalars(sa.select(Facilitator.account_id).where(Facilitator.session_id == session.id)))
    database.execute(sa.delete(Facilitator).where(Facilitator.session_id == session.id))
    database.add_all(
        Facilitator(session_id=session.id, account_id=account.id, leads=place == 0) for place, account in enumerate(people)
    )
    database.flush()
    tell(session, "facilitator", [account.id for account in people if account.id not in before])


# ---- in a live session


def open_session(actor: Account, session_id: int) -> FacilitatedSession:
    """It gets its room, and whoever waits is let in, in the order they came. Opened twice is opened once."""
    session = session_to_lead(actor, session_id, lock=True)
    if session.is_live:
        seen(session, actor)
        return session
    if session.state == "planned" and now() < session.door_opens_at:
        raise Conflict(f"The door opens {session.door_minutes} minutes before the beginning. Then you can open the session.")
    session.state, session.opened_at = after(session.state, "open"), now()
    room = room_for(session, session.title[:60], SLUG.format(session.id))
    session.room_id = room.id
    for row in facilitators_of(session):
        add_member(room, row.account_id)
    seen(session, actor)
    let_in_who_waits(session)
    audit.record(actor, "session.opened", f"session:{session.id}", room=room.id)
    return session


def here_again(actor: Account, session_id: int) -> FacilitatedSession:
    """A facilitator says by hand that they are there: the session goes on at once."""
    session = session_to_lead(actor, session_id, lock=True)
    seen(session, actor)
    if session.state == "paused":
        resume(session)
    audit.record(actor, "session.facilitator-present", f"session:{session.id}")
    return session


def stay_by_hand(actor: Account, session_id: int) -> FacilitatedSession:
    """The same for a browser without script, which no live connection speaks for: it holds for five minutes."""
    session = here_again(actor, session_id)
    seen(session, actor, ahead=BY_HAND_FOR)
    return session


def extend_session(actor: Account, session_id: int) -> FacilitatedSession:
    session = session_to_lead(actor, session_id, lock=True)
    if not session.is_live or session.minutes + MORE_MINUTES > 720:
        raise Conflict("This session cannot be made longer now.")
    session.minutes += MORE_MINUTES
    audit.record(actor, "session.extended", f"session:{session.id}", minutes=session.minutes)
    changed(session)
    return session


def set_pace(actor: Account, session_id: int, seconds: int) -> FacilitatedSession:
    """Slow mode: one message of each person in so many seconds; 0 ends it."""
    session = session_to_lead(actor, session_id, lock=True)
    if not 0 <= seconds <= 300:
        raise Invalid({"slow_seconds": "Choose a pause from 0 to 300 seconds."})
    session.slow_seconds = seconds
    if session.room_id:
        db.session().get_one(Room, session.room_id).slow_seconds = seconds
    audit.record(actor, "session.pace-set", f"session:{session.id}", seconds=seconds)
    changed(session)
    return session


def lower_hand(actor: Account, session_id: int, account_id: int) -> FacilitatedSession:
    session = session_to_lead(actor, session_id)
    seat_inside(account_id, session).hand_at = None
    audit.record(actor, "session.hand-answered", f"session:{session.id}", account=account_id)
    changed_quietly(session, account_id)
    return session


def raise_hand(actor: Account, session_id: int, *, up: bool) -> FacilitatedSession:
    """Only facilitators see it."""
    session = session_to_see(actor, session_id)
    seat = seat_inside(actor.id, session)
    seat.hand_at = (seat.hand_at or now()) if up else None
    changed_quietly(session, actor.id)
    return session


def open_side_room(actor: Account, session_id: int, account_id: int) -> Room:
    """A room for one facilitator and one member. It is as reviewable as any room, and its words go when the session's go."""
    session = session_to_lead(actor, session_id, lock=True)
    if not session.is_live:
        raise Conflict("A side-room belongs to an open session. This one is not open.")
    seat = seat_inside(account_id, session)
    room = aside_for(session, actor.id, account_id)
    if seat.side_room_id not in (None, room.id):
        raise Conflict("Another facilitator talks with this person in a side-room now.")
    seat.side_room_id = room.id
    there = set(db.session().scalars(sa.select(Membership.account_id).where(Membership.room_id == room.id)))
    for one in {actor.id, account_id} - there:
        add_member(room, one)
    seat.hand_at = None
    if account_id not in there:
        notify(account_id, "session", says="side-room", session=session.id, title=session.title, room=room.id)
    audit.record(actor, "session.side-room-opened", f"session:{session.id}", account=account_id, room=room.id)
    changed(session)
    return room


def close_side_room(actor: Account, session_id: int, account_id: int) -> FacilitatedSession:
    session = session_to_lead(actor, session_id, lock=True)
    close_aside(seat_inside(account_id, session))
    changed(session, actor.id, account_id)
    audit.record(actor, "session.side-room-closed", f"session:{session.id}", account=account_id)
    return session


def end_session(actor: Account, session_id: int) -> FacilitatedSession:
    session = session_to_lead(actor, session_id, lock=True)
    close(session, "facilitator")
    audit.record(actor, "session.ended", f"session:{session.id}", how="facilitator")
    return session


def note_themes(actor: Account, session_id: int, words: str) -> FacilitatedSession:
    """What it was about, for the team: kept when the transcript goes."""
    session = session_to_lead(actor, session_id)
    note = text.storable(words).strip()
    if len(note) > THEMES_MAX:
        raise Invalid({"themes": f"This is {len(note):,} characters long and {THEMES_MAX:,} fit. Shorten it."})
    session.themes = note
    audit.record(actor, "session.themes-noted", f"session:{session.id}", length=len(note))
    return session


def new_feed_token(actor: Account) -> str:
    """A new secret address; the one before leads nowhere from now on."""
    token = secrets.token_urlsafe(24)
    feed = db.session().get(CalendarFeed, actor.id) or CalendarFeed(account_id=actor.id)
    feed.token_hash, feed.made_at = hashlib.sha256(token.encode()).hexdigest(), now()
    db.session().add(feed)
    return token
