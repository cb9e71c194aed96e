"""Asking for a talk, and what became of it. Suspended people ask as everybody does."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db
from community.core.errors import Invalid, Refused
from community.core.limits import limit
from community.core.web import signed_in_even_suspended
from community.safety import helplines_for

from . import actions, queries

blueprint = Blueprint("help", __name__)


@blueprint.get("/help/talk")
@signed_in_even_suspended
def talk() -> Any:
    return _form()


@blueprint.post("/help/talk")
@signed_in_even_suspended
def ask() -> Any:
    try:
        limit("write", current_user.id, current_app.config["KITH"].write_limit)
        made = db.stored(lambda: actions.ask_for_talk(current_user, note=request.form.get("note", "")))
    except Refused as refusal:
        return _form(refusal)
    return redirect(url_for(".asked", request_id=made.id), 303)


@blueprint.get("/help/talk/<int:request_id>")
@signed_in_even_suspended
def asked(request_id: int) -> Any:
    return render_template(
        "help/asked.html", asked=queries.asked(current_user, request_id), lines=helplines_for(current_user.country)
    )


def _form(refusal: Refused | None = None) -> Any:
    errors = refusal.fields if isinstance(refusal, Invalid) else {"": refusal.sentence} if refusal else {}
    page = render_template(
        "help/talk.html", note=request.form.get("note", ""), errors=errors, away=queries.away_now(current_user),
        lines=helplines_for(current_user.country),
    )  # fmt: skip
    return page, refusal.status if refusal else 200
