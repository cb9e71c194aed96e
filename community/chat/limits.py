"""Rules of form that a room sets for its chat: how often, links, mentions. They never look at what is meant, but
that slow mode lets a cry for help through; and staff are exempt."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.clock import now
from community.core.errors import Forbidden, TooMany
from community.rooms.models import Room
from community.rooms.posture import posture_now, slow_seconds

from .models import Message

_LINK = re.compile(r"\b(?:https?://|www\.)\S", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w@])@(\w+)")
spared: list[Callable[[Account, Room], bool]] = []
"""Whom else slow mode spares, asked of those above who know: whoever leads a session there."""
EVERYONE = frozenset({"everyone", "everybody", "all", "here", "channel", "room"})


def refuse_form(actor: Account, room: Room, words: str) -> None:
    """Raises a sentence; the words are kept where they were typed."""
    if actor.is_staff:
        return
    if room.links_by != "anyone" and _LINK.search(words):
        _refuse_link(actor, room)
    if "@" in words:
        _refuse_mentions(room, words)


def _refuse_link(actor: Account, room: Room) -> None:
    if room.links_by == "nobody":
        raise Forbidden("In this room nobody posts links. Take the link out and send it again; your words are kept.")
    if actor.created_at > now() - timedelta(days=room.link_days):
        raise Forbidden(
            f"You can post links here once you have been a member for {room.link_days} days. "
            "Take the link out and send it again; your words are kept."
        )


def _refuse_mentions(room: Room, words: str) -> None:
    named = {name.casefold() for name in _MENTION.findall(words)}
    if named & EVERYONE:
        raise Forbidden("Nobody calls everyone at once here. Take the @ out and send it again; your words are kept.")
    if len(named) > room.mentions_max:
        fit = "no people" if room.mentions_max == 0 else f"at most {room.mentions_max}"
        raise Forbidden(f"One message names {fit} with @ here. Take some out and send it again; your words are kept.")


def refuse_haste(actor: Account, room: Room, *, unless: Callable[[], bool]) -> None:
    """Slow mode. Asks nothing in a room without it; `unless` is asked only before a refusal: a cry for help does not wait."""
    pace = pace_of(room)
    if not pace or actor.is_staff or any(spares(actor, room) for spares in spared):
        return
    latest = sa.select(sa.func.max(Message.created_at)).where(Message.room_id == room.id, Message.author_id == actor.id)
    moment = db.session().scalar(latest.where(Message.created_at > now() - timedelta(seconds=pace)))
    if moment is not None and not unless():
        wait = max(1, pace - int((now() - moment).total_seconds()))
        raise TooMany(f"This room goes slowly: you can write again in {wait} s. Your words are kept.")


def pace_of(room: Room) -> int:
    """Seconds between two messages of one member: what the room asks for, or this hour, whichever is more."""
    return max(room.slow_seconds, slow_seconds(posture_now(room).name))


def said_before_writing(room: Room) -> str:
    """The room's rules of form, for the composer."""
    rules = []
    if pace := pace_of(room):
        rules.append(f"This room goes slowly: one message every {pace} s.")
    if room.links_by == "nobody":
        rules.append("No links here.")
    elif room.links_by == "settled":
        rules.append(f"Links only from people who have been here for {room.link_days} days.")
    return " ".join(rules)
