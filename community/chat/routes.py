"""The chat page: it reads and writes without JavaScript, and is the road of the live page when the socket is down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_login import current_user

from community.accounts.queries import muted_by
from community.core.clock import now
from community.core.errors import NotFound, Refused
from community.core.web import signed_in, wants_fragment
from community.moderation.advice import advice_card, given_away
from community.moderation.queries import support_card
from community.rooms.models import Room
from community.rooms.posture import place_of, posture_now
from community.safety.muting import Muted
from community.safety.personal import taken_out
from community.training.queries import somebody_is_here

from . import queries
from .access import chat_to_read, message_taken_back, message_to_edit, message_to_read, standing_in
from .limits import said_before_writing
from .models import REACTIONS
from .sockets import LARGEST, edit_and_answer, react_and_answer, withdraw_and_answer, write_and_answer

blueprint = Blueprint("chat", __name__)
CLOSE_TOGETHER_S = 300
BESIDE = ("note", "reply_to", "edited", "version", "reactions")  # what a screen reads beside the words


@blueprint.get("/rooms/<int:room_id>/chat")
@signed_in
def show(room_id: int) -> Any:
    again = _taken_back(room_id)
    return _page(room_id, body=again.words if again else "", again=again)


@blueprint.post("/rooms/<int:room_id>/chat")
@signed_in
def write(room_id: int) -> Any:
    """A form, sent by a page without script or by the live page while its socket is down."""
    key, body, note = (request.form.get(field, "") for field in ("key", "body", "note"))
    actor, reply_to = current_user._get_current_object(), _as_number(request.form.get("reply_to", ""))
    try:
        answer = write_and_answer(actor, room_id, key, body, note=note, reply_to=reply_to)
    except NotFound:
        raise
    except Refused as refusal:
        if wants_fragment():
            return {"ok": False, "code": refusal.code, "error": refusal.sentence}, refusal.status
        return _page(room_id, body=body, note=note, reply_to=reply_to, error=refusal.sentence), refusal.status
    if wants_fragment():
        return {"ok": True, **answer}
    return redirect(_place_of(room_id, answer["message"]["id"], answer), 303)


@blueprint.get("/messages/<int:message_id>/edit")
@signed_in
def change(message_id: int) -> Any:
    message = message_to_edit(current_user, message_id, minutes=current_app.config["KITH"].edit_minutes)
    return render_template("chat/edit.html", message=message, body=message.body, note=message.note, error="")


@blueprint.post("/messages/<int:message_id>/edit")
@signed_in
def edit(message_id: int) -> Any:
    """The words go through the gate again. A refusal keeps what was typed."""
    body, note = request.form.get("body", ""), request.form.get("note")
    try:
        answer = edit_and_answer(current_user, message_id, body, note=note)
    except NotFound:
        raise
    except Refused as refusal:
        if wants_fragment():
            return {"ok": False, "code": refusal.code, "error": refusal.sentence}, refusal.status
        message = message_to_read(current_user, message_id)
        page = render_template("chat/edit.html", message=message, body=body, note=note or "", error=refusal.sentence)
        return page, refusal.status
    if wants_fragment():
        return {"ok": True, **answer}
    return redirect(_place_of(answer["message"]["room"], message_id, answer), 303)


@blueprint.post("/messages/<int:message_id>/react")
@signed_in
def react(message_id: int) -> Any:
    given = request.form.get("give", "")
    answer = react_and_answer(current_user, message_id, given or request.form.get("take", ""), on=bool(given))
    if wants_fragment():
        return {"ok": True, **answer}
    return redirect(url_for("chat.show", room_id=answer["room"], at=answer["seq"], _anchor=f"message-{message_id}"), 303)


@blueprint.post("/messages/<int:message_id>/withdraw")
@signed_in
def withdraw(message_id: int) -> Any:
    """Gone from every screen; the words wait in their author's composer."""
    answer = withdraw_and_answer(current_user, message_id)
    if wants_fragment():
        return {"ok": True, **answer}
    return redirect(url_for("chat.show", room_id=answer["room"], again=message_id, _anchor="f-body"), 303)


@blueprint.get("/rooms/<int:room_id>/chat/here")
@signed_in
def here(room_id: int) -> Any:
    """Who is here, by name, for a screen that opened the list."""
    return render_template("chat/_here.html", people=queries.people_here(current_user, chat_to_read(current_user, room_id)))


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


def _page(
    room_id: int, *, body: str = "", note: str = "", reply_to: int | None = None, error: str = "", again: Again | None = None
) -> Any:
    room = chat_to_read(current_user, room_id)
    stretch, muted = _stretch(room), muted_by(current_user)
    answered = reply_to or _number("reply")
    posture = posture_now(room)
    return render_template(
        "chat/room.html",
        room=room,
        lines=_lines(stretch, muted),
        kinds=REACTIONS,
        rules=said_before_writing(room),
        note=note,
        answered=queries.quote_in(current_user, room, answered) if answered else [],
        edit_minutes=current_app.config["KITH"].edit_minutes,
        editable_since=now() - timedelta(minutes=current_app.config["KITH"].edit_minutes),
        muted=muted,
        stretch=stretch,
        newest=stretch.through >= room.last_seq,
        posture=posture,
        somebody_here=posture.name == "staffed" and somebody_is_here(room.id),
        place=place_of(room.timezone),
        standing=standing_in(current_user, room_id),
        card=_card(support_card, "support"),
        personal=_card(advice_card, "personal"),
        again=again,
        key=uuid4().hex,
        body=body,
        error=error,
        longest=current_app.config["KITH"].message_max,
        people=() if room.host_id else queries.people_here(current_user, room),
    )


def _stretch(room: Room) -> queries.Stretch:
    at, before = _number("at"), _number("before")
    if at is not None:
        return queries.messages_around(current_user, room, at, opened=_number("open"))
    return queries.messages_before(current_user, room, before)


def _card(of: Callable[[Any, int], Any], name: str) -> Any:
    """A card for the author, by its number in the address; somebody else's number, or an old one, shows nothing."""
    number = _number(name)
    try:
        return of(current_user, number) if number else None
    except NotFound:
        return None


@dataclass(frozen=True)
class Again:
    """A message its author took back, on its way into the composer; `whole` is the way to have all of it there."""

    words: str
    whole: str | None


def _taken_back(room_id: int) -> Again | None:
    number = _number("again")
    try:
        message = message_taken_back(current_user, chat_to_read(current_user, room_id), number) if number else None
    except NotFound:
        return None
    if message is None:
        return None
    without = taken_out(message.body, given_away(message))
    if "whole" in request.args or without == message.body:
        return Again(message.body, None)
    return Again(without, url_for("chat.show", room_id=room_id, again=number, whole=1, _anchor="f-body"))


def _number(name: str) -> int | None:
    """A number from the address; anything else is as if it were not there."""
    return _as_number(request.args.get(name, ""))


def _as_number(given: str) -> int | None:
    return min(int(given), LARGEST) if given.isascii() and given.isdigit() and len(given) <= 10 else None


def _place_of(room_id: int, message_id: int, answer: dict[str, Any]) -> str:
    cards = {name: answer[name] for name in ("support", "personal")}
    return url_for("chat.show", room_id=room_id, **cards, _anchor=f"message-{message_id}")


def _lines(stretch: queries.Stretch, muted: Muted | None) -> list[dict[str, Any]]:
    """Messages with what only a page needs: a moment to print, whether a day begins, whether the same person goes on."""
    lines, previous = [], None
    quotes, own = {quote["seq"]: quote for quote in stretch.quotes}, {each["seq"]: each["mine"] for each in stretch.own}
    for message in stretch.messages:
        moment = datetime.fromisoformat(message["at"])
        new_day = previous is None or previous["moment"].date() != moment.date()
        follows = (
            not new_day
            and previous is not None
            and previous["author_id"] == message["author_id"]
            and (moment - previous["moment"]).total_seconds() < CLOSE_TOGETHER_S
        )
        mine = message["author_id"] == current_user.id
        parts = _parts(message["body"], [] if mine else message["covers"])
        folded = muted is not None and not mine and muted.hides(message["body"])
        previous = {**message, "moment": moment, "new_day": new_day, "follows": follows, "parts": parts, "muted": folded}
        previous["more"] = {field: message[field] for field in BESIDE}
        previous |= {"quote": quotes.get(message["reply_to"]), "mine": own.get(message["seq"], [])}
        lines.append(previous)
    return lines


def _parts(body: str, covers: list[list[int]]) -> list[tuple[str, bool, bool]]:
    """The words in order: each part, whether it was asked for (never here), and whether it is covered until a reader asks."""
    parts, at = [], 0
    for start, end in covers:
        parts += [(body[at:start], False, False), (body[start:end], False, True)]
        at = end
    return [*parts, (body[at:], False, False)]
