"""The admin's pages about rooms: make, change, archive, who is in them, who looks after them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.accounts.access import account_to_manage
from community.core import db
from community.core.errors import Invalid
from community.core.web import admin_only

from . import access, actions, forms, queries
from .hours import DAYS, clock_time
from .models import Room
from .posture import EFFECTS, place_of, posture_now, what_changes

blueprint = Blueprint("rooms_admin", __name__, url_prefix="/admin/rooms")

BLANK = {
    "has_forum": "1", "has_chat": "1", "read_by": "members", "write_by": "joined", "mode": "publish", "profile": "general",
    "slow_seconds": "0", "links_by": "anyone", "link_days": "7", "mentions_max": "5", "position": "0",
}  # fmt: skip


@blueprint.get("")
@admin_only
def index() -> Any:
    return render_template("rooms/admin.html", rooms=queries.all_rooms(), staff=queries.staff_scopes())


@blueprint.get("/new")
@admin_only
def new() -> Any:
    return _form(BLANK)


@blueprint.post("/new")
@admin_only
def make() -> Any:
    try:
        settings = forms.room_settings(request.form)
        room = db.stored(lambda: actions.make_room(current_user, settings))
    except Invalid as problem:
        return _form(request.form, problem)
    flash(f"“{room.name}” is open, and staffed around the clock until you say when somebody is there.", "ok")
    return redirect(url_for("rooms_admin.hours", room_id=room.id), 303)


@blueprint.get("/<int:room_id>")
@admin_only
def edit(room_id: int) -> Any:
    room = access.room_to_manage(current_user, room_id)
    return _form(_typed(room), room=room)


@blueprint.post("/<int:room_id>")
@admin_only
def change(room_id: int) -> Any:
    try:
        settings = forms.room_settings(request.form)
        with db.write():
            room = actions.change_room(current_user, room_id, settings)
    except Invalid as problem:
        return _form(request.form, problem, room=access.room_to_manage(current_user, room_id))
    flash(f"“{room.name}” is saved.", "ok")
    return redirect(url_for("rooms_admin.edit", room_id=room.id), 303)


@blueprint.post("/<int:room_id>/archive")
@admin_only
def archive(room_id: int) -> Any:
    with db.write():
        room = actions.archive_room(current_user, room_id)
    flash(f"“{room.name}” is archived. Nothing in it was deleted, and you can open it again.", "ok")
    return redirect(url_for("rooms_admin.index"), 303)


@blueprint.post("/<int:room_id>/reopen")
@admin_only
def reopen(room_id: int) -> Any:
    with db.write():
        room = actions.reopen_room(current_user, room_id)
    flash(f"“{room.name}” is open again.", "ok")
    return redirect(url_for("rooms_admin.edit", room_id=room.id), 303)


@blueprint.get("/<int:room_id>/hours")
@admin_only
def hours(room_id: int) -> Any:
    return _hours(access.room_to_manage(current_user, room_id))


@blueprint.post("/<int:room_id>/hours")
@admin_only
def set_week(room_id: int) -> Any:
    try:
        week = forms.week_of(request.form)
        with db.write():
            room = actions.set_week(current_user, room_id, week)
    except Invalid as problem:
        return _hours(access.room_to_manage(current_user, room_id), problem, week=request.form)
    flash(f"The hours of “{room.name}” are saved.", "ok")
    return redirect(url_for("rooms_admin.hours", room_id=room_id), 303)


@blueprint.post("/<int:room_id>/holidays")
@admin_only
def add_holidays(room_id: int) -> Any:
    try:
        days = forms.holidays_of(request.form)
        with db.write():
            rooms = actions.add_holidays(current_user, {room_id, *_rooms_chosen()}, days)
    except Invalid as problem:
        return _hours(access.room_to_manage(current_user, room_id), problem, days=request.form)
    flash(f"Added to {', '.join(f'“{room.name}”' for room in rooms)}.", "ok")
    return redirect(url_for("rooms_admin.hours", room_id=room_id, _anchor="holidays"), 303)


@blueprint.post("/<int:room_id>/holidays/remove")
@admin_only
def remove_holiday(room_id: int) -> Any:
    with db.write():
        actions.remove_holiday(current_user, room_id, request.form.get("holiday", ""))
    flash("That holiday is gone.", "ok")
    return redirect(url_for("rooms_admin.hours", room_id=room_id, _anchor="holidays"), 303)


def _hours(room: Room, problem: Invalid | None = None, *, week: Any = None, days: Any = None) -> Any:
    kept = {field: getattr(room, field) for field in ("timezone", "outside_hours", "waits_unstaffed")}
    return render_template(
        "rooms/hours.html",
        room=room,
        errors=problem.fields if problem else {},
        form=week or {**kept, **forms.as_typed(room.hours.week)},
        typed=days or {"posture": "closed"},
        chosen=_rooms_chosen(),
        days=DAYS,
        timezones=forms.timezones(),
        rooms=[other for other in queries.all_rooms() if other.id != room.id and other.archived_at is None],
        posture=posture_now(room),
        place=place_of(room.timezone),
        effects=[(name, what_changes(room, name)) for name in EFFECTS],
        picture=(picture := queries.picture_of(room)),
        alike=queries.runs_of(picture),
        minute=queries.minute_there(room),
        clocks=queries.clock_changes(room),
        key_of=actions.holiday_key,
        clock_time=clock_time,
    ), 422 if problem else 200


def _rooms_chosen() -> set[int]:
    return {int(value) for value in request.form.getlist("room") if value.isascii() and value.isdigit() and len(value) < 10}


@blueprint.get("/<int:room_id>/members")
@admin_only
def members(room_id: int) -> Any:
    return _members(access.room_to_manage(current_user, room_id))


@blueprint.post("/<int:room_id>/members")
@admin_only
def put_in(room_id: int) -> Any:
    try:
        with db.write():
            account = actions.put_in_room(current_user, room_id, request.form.get("name", ""))
    except Invalid as problem:
        return _members(access.room_to_manage(current_user, room_id), problem)
    flash(f"{account.name} is in this room now.", "ok")
    return redirect(url_for("rooms_admin.members", room_id=room_id), 303)


@blueprint.post("/<int:room_id>/members/<int:account_id>/remove")
@admin_only
def take_out(room_id: int, account_id: int) -> Any:
    with db.write():
        account = actions.take_out_of_room(current_user, room_id, account_id)
    flash(f"{account.name} is no longer in this room.", "ok")
    return redirect(url_for("rooms_admin.members", room_id=room_id), 303)


@blueprint.get("/scopes/<int:account_id>")
@admin_only
def scope(account_id: int) -> Any:
    account = account_to_manage(current_user, account_id)
    return render_template("rooms/scope.html", account=account, scope=queries.scope_of(account), rooms=queries.all_rooms())


@blueprint.post("/scopes/<int:account_id>")
@admin_only
def save_scope(account_id: int) -> Any:
    everything = request.form.get("scope") == "all"
    with db.write():
        account = actions.set_scope(current_user, account_id, everything=everything, room_ids=_rooms_chosen())
    flash(f"The rooms of {account.name} are saved.", "ok")
    return redirect(url_for("rooms_admin.index"), 303)


def _typed(room: Room) -> dict[str, Any]:
    plain = {field: getattr(room, field) for field in actions.PLAIN}
    return {**plain, **{field: str(getattr(room, field)) for field in forms.NUMBERS}}


def _form(typed: Any, problem: Invalid | None = None, *, room: Room | None = None) -> Any:
    return render_template(
        "rooms/edit.html", form=typed, errors=problem.fields if problem else {}, room=room
    ), 422 if problem else 200


def _members(room: Room, problem: Invalid | None = None) -> Any:
    return render_template(
        "rooms/members.html",
        room=room,
        members=queries.members_of(room),
        errors=problem.fields if problem else {},
        typed=request.form.get("name", ""),
    ), 422 if problem else 200
