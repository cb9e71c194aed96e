"""A member's way through a session: coming, arriving, waiting, leaving, being let in or taken out."""

from __future__ import annotations

from community.accounts.models import Account
from community.core import audit, db, text
from community.core.clock import now
from community.core.errors import Conflict, Forbidden, Invalid
from community.moderation.intake import Reviewed, review

from .access import leads, seat_of, session_to_lead, session_to_see
from .models import CheckIn, FacilitatedSession, Seat
from .places import admit, go, let_in_who_waits
from .queries import said_how_they_left
from .telling import changed_quietly, tell
from .transitions import after

WORDS_MAX = 1_000


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
    changed_quietly(session, actor.id)
    let_in_who_waits(session, arriving=actor.id)
    return reviewed


def leave_session(actor: Account, session_id: int, *, step: int | None, words: str) -> Reviewed | None:
    """Whoever leaves may say how. After the end it can still be said."""
    session = session_to_see(actor, session_id, lock=True)
    seat = seat_of(actor.id, session)
    if seat is None or seat.state == "removed":
        raise Conflict("You are not in this session.")
    if seat.state in ("inside", "waiting", "coming"):
        go(session, seat, "left")
    if step is None and text.is_blank(words):
        return None
    if seat.entered_at is None or said_how_they_left(seat):
        return None
    return _check_in(actor, session, "leaving", step, words)


def let_in(actor: Account, session_id: int, account_id: int) -> FacilitatedSession:
    session = session_to_lead(actor, session_id, lock=True)
    seat = seat_of(account_id, session)
    if seat is None or seat.state != "waiting":
        raise Conflict("This person is not waiting any more. Reload the page to see who is.")
    if session.state != "open":
        raise Conflict("Nobody can be let in while the session is not open.")
    if not admit(session, seat):
        raise Conflict("Every place is taken. The next person can come in when somebody leaves.")
    audit.record(actor, "session.let-in", f"session:{session.id}", account=account_id)
    return session


def remove_from_session(actor: Account, session_id: int, account_id: int) -> FacilitatedSession:
    """They hear nothing more of it, and do not come back into this session."""
    session = session_to_lead(actor, session_id, lock=True)
    seat = seat_of(account_id, session)
    if seat is None or seat.state not in ("waiting", "inside"):
        raise Conflict("This person is not in the session now. Reload the page to see who is.")
    go(session, seat, "removed")
    tell(session, "removed", [account_id])
    audit.record(actor, "session.removed", f"session:{session.id}", account=account_id)
    return session


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
