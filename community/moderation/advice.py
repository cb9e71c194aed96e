"""Advice to the author alone: "You may not want to share this". Never a case, never a hold, and nobody else learns of it.

The row says only that something was noticed. What it was is read anew from the words each time, so that a number taken out
is kept nowhere, and a card whose reason is gone is gone.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.errors import NotFound
from community.notifications.actions import notify
from community.notifications.models import Notification
from community.rooms.models import Room
from community.safety.personal import Disclosure, disclosures

from .reviewable import Reviewable, find

logger = logging.getLogger(__name__)
SAYS = {
    "phone": "a phone number",
    "email": "an e-mail address",
    "address": "a house address",
    "postcode": "a postcode",
    "handle": "a name on another network",
    "link": "a link that hides where it leads",
}


@dataclass(frozen=True, slots=True)
class Card:
    """What was noticed (what it is, the words), who reads it now, and the author's two ways on."""

    id: int
    noticed: list[tuple[str, str]]
    who_reads: str
    take_out_method: str
    take_out_path: str
    fine_path: str
    back: str


def given_away(item: Reviewable) -> tuple[Disclosure, ...]:
    """What the body gives away, as its author's country writes it."""
    return _noticed(item.body, db.session().get_one(Account, item.author_id).country)


def _noticed(words: str, country: str) -> tuple[Disclosure, ...]:
    try:
        return disclosures(words, country)
    except Exception:
        logger.exception(
            "the words could not be looked through for personal data; they are stored, and their author gets no advice"
        )
        return ()


def offer_advice(item: Reviewable, country: str, *, was: str) -> int | None:
    """A private card (a notification id) when the words give something away, as their author's country writes it, that they did
    not in the edition before."""
    if item.private:
        return None  # nobody but moderators reads it
    found = _noticed(item.body, country)
    if not found:
        return None
    before = {was[start:end] for _, start, end in _noticed(was, country)} if was else set()
    if all(item.body[start:end] in before for _, start, end in found):
        return None
    return notify(
        item.author_id, "personal", read=True, item=item.kind, target=item.id, room=item.room_id, path=item.path(),
        kinds=[SAYS[kind] for kind in dict.fromkeys(kind for kind, _, _ in found)],
    ).id  # fmt: skip


def advice_card(actor: Account, notification_id: int) -> Card:
    """For the author of the words, while there is something to say. NotFound for everybody else, and once it is settled."""
    row, item = _advice_of(actor, notification_id)
    found = given_away(item)
    if row.data.get("fine") or not found or item.visibility not in ("visible", "held"):
        raise NotFound
    noticed = dict.fromkeys((SAYS[kind], item.body[start:end]) for kind, start, end in found)
    method, path = item.taken_out_at()
    return Card(row.id, list(noticed), _who_reads(item), method, path, f"/personal/{row.id}/fine", item.path())


def _who_reads(item: Reviewable) -> str:
    room = db.session().scalar(sa.select(Room.name).where(Room.id == item.room_id))
    if item.visibility == "held":
        return f"Only you and moderators of “{room}” see your words now; later everybody who reads there may."
    return f"Everybody who reads “{room}” can see it."


def say_it_is_fine(actor: Account, notification_id: int) -> Reviewable:
    """The author keeps it: the card does not come again. Returns the words it is about."""
    row, item = _advice_of(actor, notification_id)
    row.data = {**row.data, "fine": True}
    return item


def _advice_of(actor: Account, notification_id: int) -> tuple[Notification, Reviewable]:
    row = db.session().get(Notification, notification_id)
    if row is None or row.account_id != actor.id or row.kind != "personal":
        raise NotFound
    item: Reviewable = find(row.data["item"], row.data["target"])
    if item.author_id != actor.id:
        raise NotFound
    return row, item
