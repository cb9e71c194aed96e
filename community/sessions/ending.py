"""What becomes of a transcript. By default it is deleted when the session ends, with a proof that holds no words.

What belongs to a case that is not closed stays, and so does what a decision took away and its author may still appeal; nobody can
read it where it stood. When that is over it goes as well: the row of a message with a case stays, without its words, because the
case's page and the author's statement lead to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app

from community.chat.models import Message
from community.core import audit, db
from community.core.clock import now
from community.moderation.models import Case, Decision

from .models import CheckIn, FacilitatedSession
from .places import asides_of

CHECK_INS_KEPT = timedelta(days=7)
RULE = "The transcript is deleted when the session ends."


def delete_transcript(session: FacilitatedSession) -> None:
    """Now, as far as nothing has to be kept; called again until nothing is left."""
    rooms = asides_of(session) if session.keeps_transcript else [session.room_id, *asides_of(session)]
    proof = _delete(Message, Message.room_id.in_(rooms))
    if session.deleted_at is None or proof["deleted"] or proof["emptied"]:
        audit.record(None, "session.transcript-deleted", f"session:{session.id}", rule=RULE, **proof)
    session.deleted_at = session.deleted_at or now()
    if not proof["kept"]:
        session.purged_at = now()


def delete_check_ins(session: FacilitatedSession) -> None:
    proof = _delete(CheckIn, CheckIn.session_id == session.id)
    if proof["deleted"] or proof["emptied"]:
        audit.record(None, "session.check-ins-deleted", f"session:{session.id}", **proof)


def with_transcripts_left() -> Sequence[FacilitatedSession]:
    rows = sa.select(FacilitatedSession).where(FacilitatedSession.deleted_at.is_not(None), FacilitatedSession.purged_at.is_(None))
    return db.session().scalars(rows).all()


def with_check_ins_left() -> Sequence[FacilitatedSession]:
    """Ended long enough ago, and words are still there."""
    left = sa.exists().where(CheckIn.session_id == FacilitatedSession.id, sa.or_(CheckIn.body != "", ~_in_a_case(CheckIn)))
    rows = sa.select(FacilitatedSession).where(FacilitatedSession.ended_at < now() - CHECK_INS_KEPT, left)
    return db.session().scalars(rows).all()


def _delete(kind: Any, which: sa.ColumnElement[bool]) -> dict[str, Any]:
    """Deletes, and says what: numbers, the first and last place, a hash over the ids in order. No words."""
    place = kind.seq if kind is Message else kind.id
    rows = sa.select(
        kind.id, place.label("place"), _in_a_case(kind).label("case"), _still_needed(kind).label("needed"), kind.body != ""
    )
    found = db.session().execute(rows.where(which).order_by(kind.id)).all()
    gone = [row for row in found if not row.case]
    empty = [row for row in found if row.case and not row.needed and row[4]]
    ids = [row.id for row in gone]
    database = db.session()
    database.execute(sa.delete(kind).where(which, kind.id.in_(ids)).execution_options(synchronize_session="fetch"))
    without: dict[str, Any] = {"body": "", "visibility": "withdrawn", "covers": []} | ({"note": ""} if kind is Message else {})
    database.execute(sa.update(kind).where(kind.id.in_([row.id for row in empty])).values(without))
    places = [row.place for row in gone]
    return {
        "deleted": len(gone), "emptied": len(empty), "kept": sum(bool(row.case and row.needed) for row in found),
        "first": min(places, default=None), "last": max(places, default=None),
        "ids_sha256": hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest(),
    }  # fmt: skip


def _in_a_case(kind: Any) -> sa.ColumnElement[bool]:
    return sa.exists().where(Case.target_kind == kind.kind, Case.target_id == kind.id)


def _still_needed(kind: Any) -> sa.ColumnElement[bool]:
    since = now() - timedelta(days=current_app.config["KITH"].appeal_days)
    appealable = sa.exists().where(
        Decision.case_id == Case.id, Decision.outcome.in_(("hide", "warn", "suspend")), Decision.created_at > since
    )
    return sa.exists().where(Case.target_kind == kind.kind, Case.target_id == kind.id, sa.or_(Case.state != "closed", appealable))
