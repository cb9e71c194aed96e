"""Pages of sessions: calendar and feed, the door, the panel beside the chat, leaving, actions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db
from community.core.clock import now
from community.core.errors import Forbidden, Invalid, NotFound, Refused
from community.core.limits import limit
from community.core.text import storable
from community.core.web import public, signed_in, staff_only, wants_fragment
from community.moderation.queries import support_card
from community.training.queries import usual_zone

from . import access, actions, arriving, calendar, clock, forms, queries
from .models import FacilitatedSession

blueprint = Blueprint("sessions", __name__)

BLANK = {"minutes": "60", "capacity": "8", "door_minutes": "15", "slow_seconds": "0",
         "ground_rules": "Speak of yourself, not for others.\nNobody has to speak; listening is enough.\nNo methods, no numbers.\n"
                         "What is said here stays here."}  # fmt: skip


@blueprint.get("/sessions")
@signed_in
def index() -> Any:
    return _calendar()


@blueprint.post("/sessions/feed")
@signed_in
def renew_feed() -> Any:
    """The address is shown this once; only its hash is kept."""
    token = db.stored(lambda: actions.new_feed_token(current_user))
    return _calendar(current_app.config["KITH"].public_url + url_for(".feed", token=token))


@blueprint.get("/sessions/feed/<token>.ics")
@public
def feed(token: str) -> Any:
    """Calendars have no cookie: the address is the secret."""
    config = current_app.config["KITH"]
    sessions = queries.sessions_for_feed(access.feed_owner(token))
    body = calendar.feed(sessions, community=config.site_name, site=config.public_url, moment=now())
    return Response(body, mimetype="text/calendar", headers={"Cache-Control": "private, no-store"})


@blueprint.get("/sessions/of-room/<int:room_id>")
@signed_in
def of_room(room_id: int) -> Any:
    return redirect(url_for(".show", session_id=access.session_in_room(current_user, room_id).id))


@blueprint.get("/sessions/of-room/<int:room_id>/beside")
@signed_in
def beside(room_id: int) -> Any:
    """The panel beside the chat, fetched anew when it heard that something changed. A facilitator's screen that fetches it is
    there, also where no socket gets through."""
    session = access.session_in_room(current_user, room_id)
    if access.leads(current_user, session):
        with db.write():
            clock.note_presence({(session.id, current_user.id)})
    return render_template("sessions/_beside.html", beside=queries.beside(current_user, session, room_id))


@blueprint.get("/sessions/<int:session_id>")
@signed_in
def show(session_id: int) -> Any:
    return _page(session_id)


@blueprint.get("/sessions/<int:session_id>/place")
@signed_in
def place(session_id: int) -> Any:
    """Where the reader belongs now: nowhere else while they wait; a screen that waits asks again."""
    shown = queries.shown_to(current_user, access.session_to_see(current_user, session_id))
    if shown.is_inside:
        return {"to": url_for("chat.show", room_id=shown.session.room_id)}
    return {"to": None if shown.is_waiting else url_for(".show", session_id=session_id)}


@blueprint.post("/sessions/<int:session_id>/coming")
@signed_in
def coming(session_id: int) -> Any:
    yes = request.form.get("coming") == "1"
    db.stored(lambda: arriving.say_coming(current_user, session_id, coming=yes))
    flash("You said that you will come. You can change your mind at any time." if yes else "Taken back. Nobody is told.", "ok")
    return redirect(url_for(".show", session_id=session_id), 303)


@blueprint.post("/sessions/<int:session_id>/arrive")
@signed_in
def arrive(session_id: int) -> Any:
    def act() -> Any:
        limit("write", current_user.id, current_app.config["KITH"].write_limit)
        step = forms.step_of(request.form.get("step", ""), needed=True)
        accepts, words = request.form.get("accepts") == "1", request.form.get("words", "")
        return db.stored(lambda: arriving.arrive(current_user, session_id, accepts=accepts, step=step, words=words))

    return _said(session_id, act)


@blueprint.post("/sessions/<int:session_id>/leave")
@signed_in
def leave(session_id: int) -> Any:
    def act() -> Any:
        limit("write", current_user.id, current_app.config["KITH"].write_limit)
        words = request.form.get("words", "")
        step = forms.step_of(request.form.get("step", ""), needed=bool(words.strip()))
        return db.stored(lambda: arriving.leave_session(current_user, session_id, step=step, words=words))

    return _said(session_id, act)


@blueprint.post("/sessions/<int:session_id>/hand")
@signed_in
def hand(session_id: int) -> Any:
    def act() -> FacilitatedSession:
        limit("write", current_user.id, current_app.config["KITH"].write_limit)
        return actions.raise_hand(current_user, session_id, up=request.form.get("up") == "1")

    return _done(session_id, act)


# ---- facilitators: members may be among them, so the loader is the guard


@blueprint.post("/sessions/<int:session_id>/open")
@signed_in
def open_it(session_id: int) -> Any:
    with db.write():
        session = actions.open_session(current_user, session_id)
    return redirect(url_for("chat.show", room_id=session.room_id), 303)


FACILITATORS_ACTS: dict[str, Callable[[Any, int], Any]] = {
    "here": actions.here_again,
    "stay": actions.stay_by_hand,
    "more-time": actions.extend_session,
    "end": actions.end_session,
}
ACTS_ON_A_PERSON: dict[str, Callable[[Any, int, int], Any]] = {
    "let-in": arriving.let_in,
    "remove": arriving.remove_from_session,
    "lower-hand": actions.lower_hand,
    "close-side-room": actions.close_side_room,
}


@blueprint.post("/sessions/<int:session_id>/lead/<act>")
@signed_in
def lead(session_id: int, act: str) -> Any:
    if act not in FACILITATORS_ACTS:
        raise NotFound
    done = _done(session_id, lambda: FACILITATORS_ACTS[act](current_user, session_id))
    return redirect(url_for(".show", session_id=session_id), 303) if act == "end" and not wants_fragment() else done


@blueprint.post("/sessions/<int:session_id>/people/<int:account_id>/<act>")
@signed_in
def person(session_id: int, account_id: int, act: str) -> Any:
    if act not in ACTS_ON_A_PERSON:
        raise NotFound
    return _done(session_id, lambda: ACTS_ON_A_PERSON[act](current_user, session_id, account_id))


@blueprint.post("/sessions/<int:session_id>/people/<int:account_id>/side-room")
@signed_in
def side_room(session_id: int, account_id: int) -> Any:
    room = db.stored(lambda: actions.open_side_room(current_user, session_id, account_id))
    return redirect(url_for("chat.show", room_id=room.id), 303)


@blueprint.post("/sessions/<int:session_id>/pace")
@signed_in
def pace(session_id: int) -> Any:
    typed = request.form.get("slow_seconds", "")
    seconds = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 5 else -1
    return _done(session_id, lambda: actions.set_pace(current_user, session_id, seconds))


@blueprint.post("/sessions/<int:session_id>/themes")
@signed_in
def themes(session_id: int) -> Any:
    try:
        with db.write():
            actions.note_themes(current_user, session_id, request.form.get("themes", ""))
    except Invalid as problem:
        return _page(session_id, problem)
    flash("The note is kept for the team.", "ok")
    return redirect(url_for(".show", session_id=session_id), 303)


# ---- planning


@blueprint.get("/rooms/<int:room_id>/sessions/new")
@staff_only
def new(room_id: int) -> Any:
    grace = str(current_app.config["KITH"].session_grace_minutes)
    typed = {**BLANK, "grace_minutes": grace, "facilitators": current_user.name, "form_key": uuid4().hex}
    return _form(access.room_to_plan_in(current_user, room_id), typed)


@blueprint.post("/rooms/<int:room_id>/sessions/new")
@staff_only
def plan(room_id: int) -> Any:
    try:
        plan = forms.session_plan(request.form, _zone())
        key = storable(request.form.get("form_key", ""))[:64] or uuid4().hex
        session = db.stored(lambda: actions.plan_session(current_user, room_id, plan, form_key=key))
    except Invalid as problem:
        return _form(access.room_to_plan_in(current_user, room_id), request.form, problem)
    flash(f"“{session.title}” is in the calendar.", "ok")
    return redirect(url_for(".show", session_id=session.id), 303)


@blueprint.get("/sessions/<int:session_id>/edit")
@staff_only
def edit(session_id: int) -> Any:
    session = access.session_to_plan(current_user, session_id)
    starts = session.starts_at.astimezone(_zone()).strftime("%Y-%m-%dT%H:%M")
    typed = {field: getattr(session, field) for field in actions.PLAIN if field != "starts_at"}
    typed |= {"starts": starts, "facilitators": ", ".join(queries.names_of_facilitators(session))}
    return _form(access.room_to_plan_in(current_user, session.host_room_id), typed, session=session)


@blueprint.post("/sessions/<int:session_id>/edit")
@staff_only
def change(session_id: int) -> Any:
    try:
        plan = forms.session_plan(request.form, _zone())
        with db.write():
            actions.change_session(current_user, session_id, plan)
    except Invalid as problem:
        session = access.session_to_plan(current_user, session_id)
        return _form(access.room_to_plan_in(current_user, session.host_room_id), request.form, problem, session=session)
    flash("The session is saved.", "ok")
    return redirect(url_for(".show", session_id=session_id), 303)


@blueprint.post("/sessions/<int:session_id>/cancel")
@staff_only
def cancel(session_id: int) -> Any:
    with db.write():
        actions.cancel_session(current_user, session_id)
    flash("The session is cancelled. Everybody who said they would come is told.", "ok")
    return redirect(url_for(".show", session_id=session_id), 303)


# ---- pieces


def _zone() -> ZoneInfo:
    return ZoneInfo(usual_zone())


def _calendar(address: str = "") -> Any:
    zone = _zone()
    first = now().astimezone(zone).date().replace(day=1)
    with suppress(ValueError):
        asked = date.fromisoformat(request.args.get("month", "") + "-01")
        first = asked if 2000 < asked.year < 2200 else first
    shown = queries.month(current_user, first, zone)
    return render_template(
        "sessions/calendar.html", month=shown, zone=zone, address=address, has_feed=queries.has_feed(current_user)
    )


def _page(session_id: int, problem: Refused | None = None) -> Any:
    session = access.session_to_see(current_user, session_id)
    shown = queries.shown_to(current_user, session)
    errors = problem.fields if isinstance(problem, Invalid) else {"": problem.sentence} if problem else {}
    return render_template(
        "sessions/show.html", shown=shown, session=session, steps=queries.STEPS, form=request.form, errors=errors, card=_support(),
        side=queries.facilitators_side(session) if shown.leads else None,
    ), problem.status if problem else 200  # fmt: skip


def _support() -> Any:
    number = request.args.get("support", "")
    try:
        return support_card(current_user, int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else None
    except NotFound:
        return None


def _said(session_id: int, act: Callable[[], Any]) -> Any:
    """A check-in: to the chat or back to the page, with the author's support card if there is one."""
    try:
        reviewed = act()
    except NotFound:
        raise
    except Refused as refusal:
        return _page(session_id, refusal)
    shown = queries.shown_to(current_user, access.session_to_see(current_user, session_id))
    card = reviewed.support_id if reviewed else None
    if shown.is_inside:
        return redirect(url_for("chat.show", room_id=shown.session.room_id, support=card), 303)
    return redirect(url_for(".show", session_id=session_id, support=card), 303)


def _done(session_id: int, act: Callable[[], FacilitatedSession]) -> Any:
    """One act on a live session, sent by the panel's script or by a form."""
    try:
        with db.write():
            session = act()
    except (Forbidden, NotFound):
        raise
    except Refused as refusal:
        if wants_fragment():
            return {"ok": False, "error": refusal.sentence}, refusal.status
        flash(refusal.sentence, "error")
        return redirect(url_for(".show", session_id=session_id), 303)
    if wants_fragment():
        return {"ok": True}
    if session.is_live:
        return redirect(url_for("chat.show", room_id=session.room_id, _anchor="side"), 303)
    return redirect(url_for(".show", session_id=session_id), 303)


def _form(room: Any, typed: Any, problem: Invalid | None = None, *, session: FacilitatedSession | None = None) -> Any:
    return render_template(
        "sessions/edit.html", room=room, form=typed, errors=problem.fields if problem else {}, session=session, zone=_zone(),
    ), 422 if problem else 200  # fmt: skip
