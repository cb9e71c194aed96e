"""Asking for a talk. What is said with it goes through the gate; that it was asked is a signal of its own."""

from __future__ import annotations

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db, text
from community.core.clock import now
from community.moderation.intake import add_signals, review
from community.moderation.models import Case, Signal

from .models import HelpRequest
from .queries import ASKED_ABOUT, room_that_answers

NOTE_MAX = 2_000


def ask_for_talk(actor: Account, *, note: str) -> HelpRequest:
    """A red case for those trained for the worst: whoever asks on the page for emergencies may be in one. Asking again in the
    same words, or in none, while it waits is asking once."""
    words = "" if text.is_blank(note) else text.words_of(note, field="note", limit=NOTE_MAX, what="a note")
    db.session().get(Account, actor.id, with_for_update=True)  # two forms of one person at once are read one after the other
    waiting = db.session().scalars(_waiting(actor, words)).first()
    if waiting is not None:
        return waiting
    request = HelpRequest(
        author_id=actor.id, room_id=room_that_answers(actor).id, body=words, visibility="held", created_at=now(), edition=1
    )  # fmt: skip
    review(request)
    asked = Signal(kind="help-request", concern=ASKED_ABOUT, severity="red", created_at=now(), cues=[],
                   explanation="The author asks to talk to a moderator. They asked on the page “Help now”, not in a room.")  # fmt: skip
    add_signals(request, [asked])
    return request


def _waiting(actor: Account, words: str) -> sa.Select[HelpRequest]:
    rows = sa.select(HelpRequest).join(Case, sa.and_(Case.target_kind == HelpRequest.kind, Case.target_id == HelpRequest.id))
    rows = rows.where(HelpRequest.author_id == actor.id, Case.state != "closed").order_by(HelpRequest.id.desc())
    return rows.where(HelpRequest.body == words) if words else rows
