"""The search page."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, render_template, request
from flask_login import current_user

from community.core.web import signed_in
from community.safety.finding import LONGEST, MOST_WORDS, words_of

from .queries import Before, find

blueprint = Blueprint("search", __name__)
_before = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")
_room = re.compile(r"[0-9]{1,9}")


@blueprint.get("/search")
@signed_in
def page() -> Any:
    """Search every room this person may read, or one of them. Nothing typed is an error; what is not searched is said."""
    asked, room = request.args.get("q", ""), request.args.get("room", "")
    chosen = int(room) if _room.fullmatch(room) else 0
    place = _before.fullmatch(request.args.get("before", ""))
    found = find(current_user, asked, room_id=chosen, before=Before(int(place[1]), int(place[2])) if place else Before())
    return render_template("search/page.html", asked=asked[:LONGEST], chosen=chosen, found=found, left_out=_left_out(asked))


def _left_out(asked: str) -> str:
    if len(asked) > LONGEST:
        return f"Only the first {LONGEST} characters were searched."
    if len(words_of(asked)) > MOST_WORDS:
        return f"Only the first {MOST_WORDS} words were searched. Fewer words find more."
    return ""
