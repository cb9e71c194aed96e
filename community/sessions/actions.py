"""Planning, opening, coming in, leaving, ending. The clock's acts are here too; it never punishes anybody."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable
from datetime import timedelta

import sqlalchemy as sa

from community.accounts.access import account_named
from community.accounts.actions import name_key
from community.accounts.models import Account
from community.core import audit, db, text
from community.core.clock import minutes, now
from community.core.errors import Conflict, Forbidden, Invalid
from community.core.realtime import announce
from community.moderation.intake import Reviewed, review
from community.notifications.actions import notify
from community.rooms.access import is_member, may_read
from community.rooms.actions import add_member, remove_member
from community.rooms.models import Membership, Room

from .access import leads, room_to_plan_in, seat_inside, seat_of, session_to_lead, session_to_plan, session_to_see
from .ending import delete_transcript
from .events import SessionChanged
from .forms import SessionPlan
from .models import CalendarFeed, CheckIn, FacilitatedSession, Facilitator, Seat
from .transitions import after

WORDS_MAX = 1_000
PRESENT_FOR = timedelta(seconds=30)
MORE_MINUTES = 10
PLAIN = ("title", "about", "ground_rules", "plan", "starts_at", "minutes", "capacity", "door_minutes", "slow_seconds", "grace_minutes",
         "by_hand", "keeps_transcript")  # fmt: skip


# ---- planning


def plan_session(actor: Account, room_id: int, plan: SessionPlan, *, form_key: str) -> FacilitatedSession:
    """The same form sent twice plans one session."""
    room = room_to_plan_in(actor, room_id)
    twin = db.session().scalars(sa.select(FacilitatedSession).where(FacilitatedSession.form_key == form_key)).one_or_none()
    if twin is not None and twin.made_by_id == actor.id:
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
        _tell(session, "moved", _seated(session, ("coming", "waiting")))
    audit.record(actor, "session.changed", f"session:{session.id}", moved=moved, facilitators=[one.id for one in people])
    return session


def cancel_session(actor: Account, session_id: int) -> FacilitatedSession:
    session = session_to_plan(actor, session_id, lock=True)
    session.state, session.ended_at = after(session.state, "cancel"), now()
    _tell(session, "cancelled", _seated(session, ("coming", "waiting")))
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
    _tell(session, "facilitator", [account.id for account in people if account.id not in before])


# ---- a facilitator's side


def open_session(actor: Account, session_id: int) -> FacilitatedSession:
    """It gets its room, and whoever waits is let in, in the order they came."""
    session = session_to_lead(actor, session_id, lock=True)
    if session.state == "planned" and now() < session.door_opens_at:
        raise Conflict(f"The door opens {session.door_minutes} minutes before the beginning. Then you can open the session.")
    session.state, session.opened_at = after(session.state, "open"), now()
    room = _room_for(session, session.title[:60], f"session-{session.id}")
    session.room_id = room.id
    for row in _facilitators(session):
        add_member(room, row.account_id)
    _seen(session, actor)
    _let_in_who_waits(session)
    audit.record(actor, "session.opened", f"session:{session.id}", room=room.id)
    return session


def here_again(actor: Account, session_id: int) -> FacilitatedSession:
    """A facilitator says by hand that they are there: the session goes on at once."""
    session = session_to_lead(actor, session_id, lock=True)
    _seen(session, actor)
    if session.state == "paused":
        _resume(session)
    audit.record(actor, "session.facilitator-present", f"session:{session.id}")
    return session


def extend_session(actor: Account, session_id: int) -> FacilitatedSession:
    session = session_to_lead(actor, session_id, lock=True)
    if not session.is_live or session.minutes + MORE_MINUTES > 720:
        raise Conflict("This session cannot be made longer now.")
    session.minutes += MORE_MINUTES
    audit.record(actor, "session.extended", f"session:{session.id}", minutes=session.minutes)
    _changed(session)
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
    _changed(session)
    return session


def let_in(actor: Account, session_id: int, account_id: int) -> FacilitatedSession:
    session = session_to_lead(actor, session_id, lock=True)
    seat = seat_of(account_id, session)
    if seat is None or seat.state != "waiting":
        raise Conflict("This person is not waiting any more. Reload the page to see who is.")
    if session.state != "open":
        raise Conflict("Nobody can be let in while the session is not open.")
    if not _admit(session, seat):
        raise Conflict("Every place is taken. The next person can come in when somebody leaves.")
    audit.record(actor, "session.let-in", f"session:{session.id}", account=account_id)
    return session


def remove_from_session(actor: Account, session_id: int, account_id: int) -> FacilitatedSession:
    """They hear nothing more of it, and do not come back into this session."""
    session = session_to_lead(actor, session_id, lock=True)
    seat = seat_of(account_id, session)
    if seat is None or seat.state not in ("waiting", "inside"):
        raise Conflict("This person is not in the session now. Reload the page to see who is.")
    _go(session, seat, "removed")
    _tell(session, "removed", [account_id])
    audit.record(actor, "session.removed", f"session:{session.id}", account=account_id)
    return session


def lower_hand(actor: Account, session_id: int, account_id: int) -> FacilitatedSession:
    session = session_to_lead(actor, session_id)
    seat_inside(account_id, session).hand_at = None
    audit.record(actor, "session.hand-answered", f"session:{session.id}", account=account_id)
    _changed(session)
    return session


def open_side_room(actor: Account, session_id: int, account_id: int) -> Room:
    """A room for one facilitator and one member. It is as reviewable as any room, and its words go when the session's go."""
    session = session_to_lead(actor, session_id, lock=True)
    if not session.is_live:
        raise Conflict("A side-room belongs to an open session. This one is not open.")
    seat = seat_inside(account_id, session)
    if seat.side_room_id is None:
        seat.side_room_id = _room_for(session, "Side-room", f"session-{session.id}-aside-{account_id}").id
    room = db.session().get_one(Room, seat.side_room_id)
    there = set(db.session().scalars(sa.select(Membership.account_id).where(Membership.room_id == room.id)))
    if there - {actor.id, account_id}:
        raise Conflict("Another facilitator talks with this person in their side-room now.")
    for one in {actor.id, account_id} - there:
        add_member(room, one)
    seat.hand_at = None
    if account_id not in there:
        notify(account_id, "session", says="side-room", session=session.id, title=session.title, room=room.id)
    audit.record(actor, "session.side-room-opened", f"session:{session.id}", account=account_id, room=room.id)
    _changed(session)
    return room


def close_side_room(actor: Account, session_id: int, account_id: int) -> FacilitatedSession:
    session = session_to_lead(actor, session_id, lock=True)
    seat = seat_inside(account_id, session)
    if seat.side_room_id is not None:
        _empty_room(seat.side_room_id)
    audit.record(actor, "session.side-room-closed", f"session:{session.id}", account=account_id)
    _changed(session)
    return session


def end_session(actor: Account, session_id: int) -> FacilitatedSession:
    session = session_to_lead(actor, session_id, lock=True)
    _end(session, "facilitator")
    audit.record(actor, "session.ended", f"session:{session.id}", how="facilitator")
    return session


def note_themes(actor: Account, session_id: int, words: str) -> FacilitatedSession:
    """What it was about, for the team: kept when the transcript goes."""
    session = session_to_lead(actor, session_id)
    note = text.storable(words).strip()
    if len(note) > WORDS_MAX * 2:
        raise Invalid({"themes": f"This is {len(note):,} characters long and {WORDS_MAX * 2:,} fit. Shorten it."})
    session.themes = note
    audit.record(actor, "session.themes-noted", f"session:{session.id}", length=len(note))
    return session


# ---- a member's side


def say_coming(actor: Account, session_id: int, *, coming: bool) -> FacilitatedSession:
    session = session_to_see(actor, session_id, lock=True)
    if session.state != "planned":
        raise Conflict("This can be said until the session begins. Reload the page.")
    seat = seat_of(actor.id, session)
    if coming and seat is None:
        db.session().add(Seat(session_id=session.id, account_id=actor.id, state="coming"))
    elif coming and seat is not None and seat.state == "left":
        seat.state = "coming"
    elif not coming and seat is not None and seat.state in ("coming", "waiting"):
        seat.state = "left"
    return session


def arrive(actor: Account, session_id: int, *, accepts: bool, step: int | None, words: str) -> Reviewed | None:
    """Through the door: the ground rules, how one arrives, then a place or the queue. Arriving twice is arriving once."""
    session = session_to_see(actor, session_id, lock=True)
    seat = seat_of(actor.id, session)
    if leads(actor, session):
        raise Conflict("You lead this session: open it or go in on its page; you need no place.")
    if seat is not None and seat.state == "removed":
        raise Forbidden("A facilitator asked you to leave this session. You can write to the moderators on the page “Help now”.")
    if seat is not None and seat.state in ("inside", "waiting"):
        return None
    _door_must_be_open(session)
    if not accepts:
        raise Invalid({"accepts": "Please read the ground rules and agree to them; then you can come in."})
    reviewed = _check_in(actor, session, "arrival", step, words)
    if seat is None:
        seat = Seat(session_id=session.id, account_id=actor.id, state="waiting")
        db.session().add(seat)
    seat.state, seat.rules_accepted_at, seat.queued_at, seat.hand_at = "waiting", now(), now(), None
    db.session().flush()
    _let_in_who_waits(session, arriving=actor.id)
    _changed(session)
    return reviewed


def leave_session(actor: Account, session_id: int, *, step: int | None, words: str) -> Reviewed | None:
    """Whoever leaves may say how. After the end it can still be said."""
    session = session_to_see(actor, session_id, lock=True)
    seat = seat_of(actor.id, session)
    if seat is None or seat.state == "removed":
        raise Conflict("You are not in this session.")
    if seat.state in ("inside", "waiting", "coming"):
        _go(session, seat, "left")
    if step is None and text.is_blank(words):
        return None
    said = sa.select(CheckIn.id).where(
        CheckIn.session_id == session.id, CheckIn.author_id == actor.id, CheckIn.moment == "leaving",
        CheckIn.created_at >= (seat.entered_at or now()),
    )  # fmt: skip
    if seat.entered_at is None or db.session().scalar(said) is not None:
        return None
    return _check_in(actor, session, "leaving", step, words)


def raise_hand(actor: Account, session_id: int, *, up: bool) -> FacilitatedSession:
    """Only facilitators see it."""
    session = session_to_see(actor, session_id)
    seat_inside(actor.id, session).hand_at = now() if up else None
    _changed(session)
    return session


def new_feed_token(actor: Account) -> str:
    """A new secret address; the one before leads nowhere from now on."""
    token = secrets.token_urlsafe(24)
    feed = db.session().get(CalendarFeed, actor.id) or CalendarFeed(account_id=actor.id)
    feed.token_hash, feed.made_at = hashlib.sha256(token.encode()).hexdigest(), now()
    db.session().add(feed)
    return token


# ---- the clock


def note_presence(seen: Collection[tuple[int, int]]) -> None:
    """Facilitators (session, account) who have a live screen in this process now. True across processes and after a kill."""
    for session_id, account_id in seen:
        db.session().execute(
            sa.update(Facilitator)
            .where(Facilitator.session_id == session_id, Facilitator.account_id == account_id)
            .values(seen_at=now())
        )


def move_clock(session: FacilitatedSession) -> None:
    """What the clock does to one session, whose row the caller locked."""
    present = any(row.seen_at is not None and row.seen_at > now() - PRESENT_FOR for row in _facilitators(session))
    if session.state == "planned":
        if session.ends_at <= now():
            session.state, session.ended_at, session.ended_how = after(session.state, "lapse"), now(), "never-opened"
            _tell(session, "cancelled", _seated(session, ("coming", "waiting")))
            audit.record(None, "session.lapsed", f"session:{session.id}")
    elif session.ends_at <= now():
        _end_by_clock(session, "clock")
    elif session.state == "open" and not present:
        _pause(session)
    elif session.state == "paused" and present:
        _resume(session)
    elif session.grace_ends_at is not None and session.grace_ends_at <= now():
        _end_by_clock(session, "no-facilitator")


def _pause(session: FacilitatedSession) -> None:
    session.state, session.grace_ends_at = after(session.state, "pause"), now() + minutes(session.grace_minutes)
    _may_write(session, "staff")
    _tell(session, "facilitator-needed", [row.account_id for row in _facilitators(session)])
    audit.record(None, "session.paused", f"session:{session.id}")
    _changed(session)


def _resume(session: FacilitatedSession) -> None:
    session.state, session.grace_ends_at = after(session.state, "resume"), None
    _may_write(session, "joined")
    audit.record(None, "session.resumed", f"session:{session.id}")
    _let_in_who_waits(session)
    _changed(session)


def _end_by_clock(session: FacilitatedSession, how: str) -> None:
    _end(session, how)
    audit.record(None, "session.ended", f"session:{session.id}", how=how)


def _end(session: FacilitatedSession, how: str) -> None:
    """Everybody is out; the transcript goes, unless the door said that it stays, and then nobody adds to it."""
    session.state = after(session.state, "end")
    session.ended_at, session.ended_how, session.grace_ends_at = now(), how, None
    _changed(session)  # told first: afterwards nobody hears this room
    for seat in db.session().scalars(sa.select(Seat).where(Seat.session_id == session.id, Seat.state.in_(("inside", "waiting")))):
        seat.state, seat.left_at, seat.hand_at = "left", now(), None
        if seat.side_room_id is not None:
            _empty_room(seat.side_room_id)
    session.inside_count = 0
    _may_write(session, "staff")
    if not session.keeps_transcript:
        delete_transcript(session)
        _empty_room(session.room_id or 0)


# ---- pieces


def _door_must_be_open(session: FacilitatedSession) -> None:
    if session.state == "planned" and now() < session.door_opens_at:
        raise Conflict(f"The door opens {session.door_minutes} minutes before the beginning. Come back then.")
    if session.is_over:
        after(session.state, "open")  # says why not


def _check_in(actor: Account, session: FacilitatedSession, moment: str, step: int | None, words: str) -> Reviewed:
    body = "" if text.is_blank(words) else text.words_of(words, field="words", limit=WORDS_MAX, what="how you are")
    if step is None:
        raise Invalid({"step": "Choose the step that fits best; there is no wrong one."})
    said = CheckIn(
        session_id=session.id, author_id=actor.id, room_id=session.host_room_id, moment=moment, step=step, body=body,
        visibility="held", created_at=now(), edition=1,
    )  # fmt: skip
    return review(said)


def _let_in_who_waits(session: FacilitatedSession, arriving: int | None = None) -> None:
    """In the order of the queue, as far as there are places. `arriving` is at the page anyway and needs no note."""
    if session.state != "open" or session.by_hand:
        return
    queue = (
        sa.select(Seat).where(Seat.session_id == session.id, Seat.state == "waiting").order_by(Seat.queued_at, Seat.account_id)
    )
    for seat in db.session().scalars(queue).all():
        if not _admit(session, seat, quietly=seat.account_id == arriving):
            return


def _admit(session: FacilitatedSession, seat: Seat, *, quietly: bool = False) -> bool:
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
    _changed(session)
    return True


def _go(session: FacilitatedSession, seat: Seat, state: str) -> None:
    was, seat.state, seat.left_at, seat.hand_at = seat.state, state, now(), None
    if was != "inside":
        _changed(session)
        return
    session.inside_count -= 1
    db.session().flush()
    for room_id in filter(None, (seat.side_room_id, session.room_id)):
        remove_member(db.session().get_one(Room, room_id), seat.account_id)
    if seat.side_room_id is not None:
        _empty_room(seat.side_room_id)
    _let_in_who_waits(session)
    _changed(session)


def _room_for(session: FacilitatedSession, name: str, slug: str) -> Room:
    """Judged by the same rules as its host, and in no list."""
    host = db.session().get_one(Room, session.host_room_id)
    room = Room(
        slug=slug, name=name, has_forum=False, has_chat=True, read_by="joined", write_by="joined", mode=host.mode,
        profile=host.profile, timezone=host.timezone, host_id=host.id, slow_seconds=session.slow_seconds, created_at=now(),
    )  # fmt: skip
    db.session().add(room)
    db.session().flush()
    return room


def _empty_room(room_id: int) -> None:
    room = db.session().get_one(Room, room_id)
    for account_id in db.session().scalars(sa.select(Membership.account_id).where(Membership.room_id == room_id)).all():
        remove_member(room, account_id)


def _may_write(session: FacilitatedSession, who: str) -> None:
    rooms = [session.room_id, *db.session().scalars(sa.select(Seat.side_room_id).where(Seat.session_id == session.id))]
    for room_id in filter(None, rooms):
        db.session().get_one(Room, room_id).write_by = who


def _seen(session: FacilitatedSession, actor: Account) -> None:
    db.session().get_one(Facilitator, (session.id, actor.id)).seen_at = now()
    room = db.session().get(Room, session.room_id) if session.room_id else None
    if room is not None and session.is_live and not is_member(actor, room):
        add_member(room, actor.id)


def _facilitators(session: FacilitatedSession) -> list[Facilitator]:
    rows = sa.select(Facilitator).where(Facilitator.session_id == session.id).execution_options(populate_existing=True)
    return list(db.session().scalars(rows))


def _seated(session: FacilitatedSession, states: Collection[str]) -> list[int]:
    return list(db.session().scalars(sa.select(Seat.account_id).where(Seat.session_id == session.id, Seat.state.in_(states))))


def _tell(session: FacilitatedSession, says: str, people: Iterable[int]) -> None:
    for account_id in people:
        notify(
            account_id, "session", mail=says in ("cancelled", "moved", "facilitator"), says=says, session=session.id, title=session.title,
            starts_at=session.starts_at.isoformat(),
        )  # fmt: skip


def _changed(session: FacilitatedSession) -> None:
    """Screens fetch the panel and ask again whether they may write."""
    if session.room_id is not None:
        announce(SessionChanged(session.id, session.room_id))
