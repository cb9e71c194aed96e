"""The admin's overview, audit log and suspensions. Numbers and ids, never members' words."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db, text
from community.core.clock import now
from community.core.errors import Refused
from community.core.web import admin_only

from . import actions, forms, overview, queries

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.get("")
@admin_only
def index() -> Any:
    return render_template("moderation/admin.html", at=overview.overview())


@blueprint.get("/audit")
@admin_only
def audit() -> Any:
    asked = {key: text.storable(request.args.get(key, "")).strip() for key in ("actor", "act", "subject")}
    found = overview.audit_entries(**asked, before=forms.number(request.args.get("before")))
    return render_template("moderation/audit.html", found=found, asked=asked)


@blueprint.post("/audit/verify")
@admin_only
def verify() -> Any:
    with db.write():
        problems = actions.verify_audit(current_user)
    if problems:
        for problem in problems:
            flash(problem, "error")
    else:
        flash("The chain is whole: every entry follows the one before it, and none was changed.", "ok")
    return redirect(url_for(".audit"), 303)


@blueprint.get("/sanctions")
@admin_only
def sanctions() -> Any:
    return _sanctions({}, None)


@blueprint.post("/sanctions/<int:sanction_id>/lift")
@admin_only
def lift(sanction_id: int) -> Any:
    try:
        with db.write():
            actions.lift_sanction(current_user, sanction_id, reason=request.form.get("reason", ""))
    except Refused as refusal:
        errors = forms.errors_of(refusal)
        return _sanctions(errors, sanction_id), refusal.status
    flash("The suspension is lifted. The member reads your reason in their notifications.", "ok")
    return redirect(url_for(".sanctions"), 303)


def _sanctions(errors: dict[str, str], wrong: int | None) -> str:
    found = queries.sanctions(before=forms.number(request.args.get("before")))
    return render_template(
        "moderation/admin_sanctions.html", found=found, errors=errors, wrong=wrong, form=request.form, now_at=now()
    )
