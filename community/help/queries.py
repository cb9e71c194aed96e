"""Whose moderators are asked, and what became of a request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.clock import now
from community.core.errors import Conflict
from community.moderation.models import Case, Decision
from community.moderation.queries import Away, away_from
from community.rooms.models import Membership, Room, StaffScope
from community.rooms.queries import readable_rooms
from community.training.queries import certified_for

from .access import request_to_read
from .models import HelpRequest

ASKED_ABOUT = "suicide"
NOBODY = "There is no room here yet, so there is no moderator to ask. Please call one of the numbers, or write to the people who run this place."


def room_that_answers(actor: Account) -> Room:
    """One of their own rooms, the newest first; who is in none is answered from a room they could read. A room that somebody
    trained looks after goes before one that nobody does."""
    joined = sa.select(Membership.room_id).join(Room, Room.id == Membership.room_id)
    joined = joined.where(Membership.account_id == actor.id, Room.archived_at.is_(None))
    own = list(db.session().scalars(joined.order_by(Membership.joined_at.desc(), Membership.room_id)))
    rooms = list(dict.fromkeys([*own, *readable_rooms(actor)]))
    if not rooms:
        raise Conflict(NOBODY)
    covered = _looked_after(actor)
    chosen = next((room for room in rooms if None in covered or room in covered), rooms[0])
    return db.session().get_one(Room, chosen)


def _looked_after(actor: Account) -> set[int | None]:
    """Rooms (None: every room) that somebody else in good standing, trained for this, looks after."""
    rows = (
        sa.select(StaffScope.room_id)
        .join(Account, Account.id == StaffScope.account_id)
        .where(Account.id.in_(certified_for(ASKED_ABOUT)), Account.role != "member", Account.id != actor.id)
        .where(sa.or_(Account.suspended_until.is_(None), Account.suspended_until <= now()))
    )
    return set(db.session().scalars(rows))


def away_now(actor: Account) -> Away | None:
    """Whether those who would be asked are away at this hour."""
    try:
        return away_from(room_that_answers(actor))
    except Conflict:
        return None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its author reads it. `decision_id`: where the answer is; None while it waits."""

    words: str
    asked_at: datetime
    decision_id: int | None
    away: Away | None


def asked(actor: Account, request_id: int) -> Asked:
    request = request_to_read(actor, request_id)
    about = sa.and_(Case.target_kind == HelpRequest.kind, Case.target_id == request.id)
    answer = None
    if db.session().scalar(sa.select(Case.state).where(about).order_by(Case.id.desc()).limit(1)) == "closed":
        decided = sa.select(Decision.id).join(Case, Case.id == Decision.case_id).where(about)
        answer = db.session().scalar(decided.order_by(Decision.id.desc()).limit(1))
    return Asked(request.body, request.created_at, answer, away_from(db.session().get_one(Room, request.room_id)))
