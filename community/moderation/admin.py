"""The admin's overview, audit log and suspensions. Numbers and ids, never members' words."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db, text
from community.core.clock import now
from community.core.errors import Conflict, Refused
from community.core.web import admin_only

from . import actions, forms, overview, queries, second_signal

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
            still = actions.lift_sanction(current_user, sanction_id, reason=request.form.get("reason", ""))
    except Refused as refusal:
        errors = forms.errors_of(refusal)
        return _sanctions(errors, sanction_id), refusal.status
    flash(forms.lifted_in_words(still), "ok")
    return redirect(url_for(".sanctions"), 303)


def _sanctions(errors: dict[str, str], wrong: int | None) -> str:
    found = queries.sanctions(before=forms.number(request.args.get("before")))
    return render_template(
        "moderation/admin_sanctions.html", found=found, errors=errors, wrong=wrong, form=request.form, now_at=now()
    )


@blueprint.get("/second-signal")
@admin_only
def second() -> Any:
    return _second_page()


def _second_page(refusal: Refused | None = None) -> Any:
    row = second_signal.in_force() or second_signal.newest()
    page = render_template(
        "moderation/second_signal.html", row=row, told=second_signal.telling(row) if row else None,
        errors=forms.errors_of(refusal) if refusal else {}, fewest_cases=second_signal.FEWEST_CASES,
        fewest_points=second_signal.FEWEST_POINTS,
    )  # fmt: skip
    return page, refusal.status if refusal else 200


@blueprint.post("/second-signal/train")
@admin_only
def train_second() -> Any:
    """Reading and learning take seconds, so they happen outside the transaction."""
    cases = second_signal.decided_cases()
    db.end_reading()
    if refusal := second_signal.why_not_train(cases):
        return _second_page(Conflict(refusal))
    weights, worth = second_signal.learn(cases)
    with db.write():
        second_signal.keep(current_user, weights, worth)
    flash("Trained. It is off until you switch it on.", "ok")
    return redirect(url_for(".second"), 303)


@blueprint.post("/second-signal/<int:number>/on")
@admin_only
def second_on(number: int) -> Any:
    try:
        with db.write():
            second_signal.switch_on(current_user, number)
    except Conflict as refusal:
        return _second_page(refusal)
    flash("It is on: inside each severity, cases that resemble those you acted on come first.", "ok")
    return redirect(url_for(".second"), 303)


@blueprint.post("/second-signal/off")
@admin_only
def second_off() -> Any:
    with db.write():
        second_signal.switch_off(current_user)
    flash("It is off: inside each severity, what is due first comes first.", "ok")
    return redirect(url_for(".second"), 303)
