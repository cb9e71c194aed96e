"""The front page, a room's page, joining and leaving."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db
from community.core.web import local_path, public, signed_in

from . import access, actions, queries
from .posture import next_staffed, place_of, posture_now, what_changes

blueprint = Blueprint("rooms", __name__)


@blueprint.get("/")
@public
def index() -> Any:
    """Visitors are told what this is; members see their rooms."""
    if not current_user.is_authenticated:
        return render_template("rooms/welcome.html")
    rooms = queries.rooms_to_see(current_user)
    return render_template("rooms/index.html", rooms=rooms, place_of=place_of)


@blueprint.get("/rooms/<int:room_id>")
@signed_in
def show(room_id: int) -> Any:
    room = access.room_to_read(current_user, room_id)
    if room.host_id is not None:
        return redirect(f"/sessions/of-room/{room.id}")
    posture = posture_now(room)
    return render_template(
        "rooms/show.html",
        room=room,
        joined=access.is_member(current_user, room),
        looks_after=access.looks_after(current_user, room.id),
        posture=posture,
        changes=what_changes(room, posture.name),
        comes=next_staffed(room),
        picture=(picture := queries.picture_of(room)),
        alike=queries.runs_of(picture),
        minute=queries.minute_there(room),
        place=place_of(room.timezone),
    )


@blueprint.post("/rooms/<int:room_id>/join")
@signed_in
def join(room_id: int) -> Any:
    room = db.stored(lambda: actions.join_room(current_user, room_id))
    flash(f"You are in “{room.name}” now. Read for as long as you like; write when you want to.", "ok")
    return redirect(local_path(request.form.get("next"), url_for("rooms.show", room_id=room_id)), 303)


@blueprint.post("/rooms/<int:room_id>/leave")
@signed_in
def leave(room_id: int) -> Any:
    with db.write():
        room = actions.leave_room(current_user, room_id)
    flash(f"You left “{room.name}”. What you wrote there stays. You can come back whenever the room is open to you.", "ok")
    return redirect(url_for("rooms.index"), 303)
