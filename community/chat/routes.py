"""The chat page: it reads and writes without JavaScript, and is the road of the live page when the socket is down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.accounts.queries import muted_by
from community.core import db
from community.core.clock import now
from community.core.errors import Invalid, NotFound, Refused
from community.core.limits import limit
from community.core.web import signed_in, wants_fragment
from community.moderation.advice import advice_card, given_away
from community.moderation.queries import support_card
from community.rooms.models import Room
from community.rooms.posture import place_of
from community.safety.muting import Muted
from community.safety.personal import taken_out

from . import queries, reading
from .access import chat_to_read, message_taken_back, message_to_edit, message_to_read, standing_in
from .days import first_on
from .hours import hour_in
from .models import REACTIONS
from .sockets import LARGEST, edit_and_answer, react_and_answer, withdraw_and_answer, write_and_answer

blueprint = Blueprint("chat", __name__)
CLOSE_TOGETHER_S = 300
MARKS = "60 per minute"
GONE = "That message is not here any more, or was never shown to you. This is what was said around it."
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


@blueprint.get("/rooms/<int:room_id>/chat/hours")
@signed_in
def hours(room_id: int) -> Any:
    """The line of the head that says what holds at this hour, for an open page."""
    room = chat_to_read(current_user, room_id)
    return render_template("chat/_hours.html", room=room, hour=hour_in(room), standing=standing_in(current_user, room_id))


def _page(
    room_id: int, *, body: str = "", note: str = "", reply_to: int | None = None, error: str = "", again: Again | None = None
) -> Any:
    room = chat_to_read(current_user, room_id)
    stretch, muted = _stretch(room), muted_by(current_user)
    answered = reply_to or _number("reply")
    return render_template(
        "chat/room.html",
        room=room,
        lines=_lines(stretch, muted),
        kinds=REACTIONS,
        hour=hour_in(room),
        note=note,
        answered=queries.quote_in(current_user, room, answered) if answered else [],
        edit_minutes=current_app.config["KITH"].edit_minutes,
        editable_since=now() - timedelta(minutes=current_app.config["KITH"].edit_minutes),
        muted=muted,
        stretch=stretch,
        newest=stretch.through >= room.last_seq,
        reading=_reading(room, stretch),
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
    at, before, after = _number("at"), _number("before"), _number("after")
    if at is not None:
        return queries.messages_around(current_user, room, at, opened=_number("open"))
    if after is not None:
        return queries.messages_from(current_user, room, after)
    return queries.messages_before(current_user, room, before)


class Reading(NamedTuple):
    """What is new on a page: after which message (`since`), the line it begins with, the first unread message, how many there are."""

    since: int | None
    line: int | None
    first: int | None
    number: int


def _reading(room: Room, stretch: queries.Stretch) -> Reading:
    """`since` comes in the address where a page led to the first unread message: its reading has moved on meanwhile."""
    if (at := _number("at")) is not None and all(message["seq"] != at for message in stretch.messages):
        flash(GONE, "warn")
    unread = reading.unread_in(current_user, room)
    since = _number("since") if "since" in request.args else unread.since
    news = [] if since is None else [message for message in stretch.messages if _is_news(message, since)]
    return Reading(since, news[0]["seq"] if news else None, unread.first, unread.number)


def _is_news(message: dict[str, Any], since: int) -> bool:
    return bool(message["seq"] > since and message["author_id"] != current_user.id and message["state"] == "visible")


@blueprint.post("/rooms/<int:room_id>/chat/read")
@signed_in
def read(room_id: int) -> Any:
    """A page says how far it was seen, now and then and when it is left. What moves nothing writes nothing."""
    actor, room = current_user._get_current_object(), chat_to_read(current_user, room_id)
    limit("read", actor.id, MARKS)
    seq = _as_number(request.form.get("seq", ""))
    if seq is None:
        raise Invalid({"seq": "Reload the page: it did not say how far you read."})
    _move_on(actor, room, seq)
    return {"ok": True, "unread": sum(reading.unread_by_room(actor).values())}


@blueprint.get("/rooms/<int:room_id>/chat/seen")
@signed_in
def seen(room_id: int) -> Any:
    """The same for a page without script: it holds this address as a picture of nothing."""
    actor, room = current_user._get_current_object(), chat_to_read(current_user, room_id)
    limit("read", actor.id, MARKS)
    _move_on(actor, room, _number("through") or 0)
    return "", 204


def _move_on(actor: Any, room: Room, seq: int) -> None:
    place = reading.place_in(actor, room.id)
    if place is None or place < min(seq, room.last_seq):
        db.together(lambda: reading.note_read(actor, room, seq))


@blueprint.get("/rooms/<int:room_id>/chat/day")
@signed_in
def day(room_id: int) -> Any:
    """Leads to the first message of a day by the room's clock, or says that there is none and leads to the nearest."""
    room, asked = chat_to_read(current_user, room_id), _day(request.args.get("on", ""))
    found = first_on(current_user, room, asked)
    if found is None:
        flash("Nothing has been written here yet that you can read.")
        return redirect(url_for("chat.show", room_id=room_id))
    if found.day != asked:
        where = place_of(room.timezone)
        flash(f"Nothing was said here on {asked:%-d %B %Y} ({where}). The nearest is from {found.day:%-d %B %Y}.")
    return redirect(url_for("chat.show", room_id=room_id, at=found.seq, _anchor=f"message-{found.message_id}"))


def _day(typed: str) -> date:
    try:
        asked = date.fromisoformat(typed)
    except ValueError:
        raise Invalid({"on": "Write the day as year, month and day, such as 2026-11-20."}) from None
    return min(max(asked, date(1970, 1, 2)), date(9000, 1, 1))


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
