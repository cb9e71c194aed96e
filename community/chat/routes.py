"""The chat page: it reads and writes without JavaScript, and is the road of the live page when the socket is down."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_login import current_user

from community.core.clock import now
from community.core.errors import NotFound, Refused
from community.core.web import signed_in, wants_fragment
from community.moderation.queries import support_card
from community.rooms.models import Room
from community.rooms.posture import hours_of, place_of, posture_at
from community.training.queries import somebody_is_here

from . import queries
from .access import chat_to_read, standing_in
from .sockets import LARGEST, write_and_answer

blueprint = Blueprint("chat", __name__)
CLOSE_TOGETHER_S = 300


@blueprint.get("/rooms/<int:room_id>/chat")
@signed_in
def show(room_id: int) -> Any:
    return _page(room_id)


@blueprint.post("/rooms/<int:room_id>/chat")
@signed_in
def write(room_id: int) -> Any:
    """A form, sent by a page without script or by the live page while its socket is down."""
    key, body = request.form.get("key", ""), request.form.get("body", "")
    try:
        answer = write_and_answer(current_user._get_current_object(), room_id, key, body)
    except NotFound:
        raise
    except Refused as refusal:
        if wants_fragment():
            return {"ok": False, "code": refusal.code, "error": refusal.sentence}, refusal.status
        return _page(room_id, body=body, error=refusal.sentence), refusal.status
    if wants_fragment():
        return {"ok": True, **answer}
    return redirect(_place_of(room_id, answer["message"]["id"], answer["support"]), 303)


@blueprint.get("/rooms/<int:room_id>/chat/messages")
@signed_in
def messages(room_id: int) -> Any:
    """What `read_after` answers, for a screen without a socket; `before` reads the other way."""
    room = chat_to_read(current_user, room_id)
    before, after = _number("before"), _number("after")
    if before is not None:
        stretch = queries.messages_before(current_user, room, before)
    else:
        stretch = queries.messages_after(current_user, room, after or 0)
    return {"ok": True, **stretch._asdict()}


def _page(room_id: int, *, body: str = "", error: str = "") -> Any:
    room = chat_to_read(current_user, room_id)
    stretch = _stretch(room)
    posture = posture_at(room.outside_hours, room.timezone, hours_of(room), now())
    return render_template(
        "chat/room.html",
        room=room,
        lines=_lines(stretch.messages),
        stretch=stretch,
        newest=stretch.through >= room.last_seq,
        posture=posture,
        somebody_here=posture.name == "staffed" and somebody_is_here(room.id),
        place=place_of(room.timezone),
        standing=standing_in(current_user, room_id),
        card=_card(),
        key=uuid4().hex,
        body=body,
        error=error,
        longest=current_app.config["KITH"].message_max,
    )


def _stretch(room: Room) -> queries.Stretch:
    at, before = _number("at"), _number("before")
    if at is not None:
        return queries.messages_around(current_user, room, at)
    return queries.messages_before(current_user, room, before)


def _card() -> dict[str, Any] | None:
    """The author's own support card; somebody else's number, or an old one, shows nothing."""
    number = _number("support")
    try:
        return support_card(current_user, number) if number else None
    except NotFound:
        return None


def _number(name: str) -> int | None:
    """A number from the address; anything else is as if it were not there."""
    given = request.args.get(name, "")
    return min(int(given), LARGEST) if given.isascii() and given.isdigit() and len(given) <= 10 else None


def _place_of(room_id: int, message_id: int, support: int | None) -> str:
    return url_for("chat.show", room_id=room_id, support=support, _anchor=f"message-{message_id}")


def _lines(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages with what only a page needs: a moment to print, whether a day begins, whether the same person goes on."""
    lines, previous = [], None
    for message in found:
        moment = datetime.fromisoformat(message["at"])
        new_day = previous is None or previous["moment"].date() != moment.date()
        follows = (
            not new_day
            and previous is not None
            and previous["author_id"] == message["author_id"]
            and (moment - previous["moment"]).total_seconds() < CLOSE_TOGETHER_S
        )
        previous = {**message, "moment": moment, "new_day": new_day, "follows": follows}
        lines.append(previous)
    return lines
