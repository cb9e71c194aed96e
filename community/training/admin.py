"""The admin's pages about training: who is certified for what, and who is there when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.accounts.access import account_to_manage
from community.core import db
from community.core.clock import now
from community.core.errors import Invalid
from community.core.web import admin_only
from community.rooms.forms import timezones
from community.safety import CONCERNS

from . import actions, forms, queries

blueprint = Blueprint("training_admin", __name__, url_prefix="/admin/training")


@blueprint.get("")
@admin_only
def index() -> Any:
    return _overview()


@blueprint.get("/<int:account_id>")
@admin_only
def person(account_id: int) -> Any:
    return _person(account_id)


@blueprint.post("/<int:account_id>/certificates")
@admin_only
def grant(account_id: int) -> Any:
    try:
        until = forms.end_of_day(request.form.get("until", ""), field="until")
        with db.write():
            account = actions.grant_certificates(current_user, account_id, request.form.getlist("concern"), until)
    except Invalid as problem:
        return _person(account_id, problem)
    flash(f"{account.name} is certified. The desk opens for these concerns at once.", "ok")
    return redirect(url_for("training_admin.person", account_id=account_id), 303)


@blueprint.post("/<int:account_id>/certificates/<concern>/revoke")
@admin_only
def revoke(account_id: int, concern: str) -> Any:
    with db.write():
        account = actions.revoke_certificates(current_user, account_id, concern)
    flash(f"{account.name} no longer sees cases about this.", "ok")
    return redirect(url_for("training_admin.person", account_id=account_id), 303)


@blueprint.post("/shifts")
@admin_only
def plan() -> Any:
    zone = forms.zone_of(request.form.get("zone"), queries.usual_zone())
    typed = request.form.get("person", "")
    try:
        starts = forms.moment(request.form.get("starts", ""), zone, field="starts")
        ends = forms.moment(request.form.get("ends", ""), zone, field="ends")
        if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
            raise Invalid({"person": "Choose somebody from the list."})
        with db.write():
            actions.plan_shift(current_user, int(typed), request.form.get("kind", ""), starts, ends)
    except Invalid as problem:
        return _overview(problem)
    flash("The shift is planned.", "ok")
    return redirect(url_for("training_admin.index", week=starts.date().isoformat(), zone=zone.key, _anchor="rota"), 303)


@blueprint.post("/shifts/<int:shift_id>/remove")
@admin_only
def unplan(shift_id: int) -> Any:
    with db.write():
        shift = actions.remove_shift(current_user, shift_id)
    flash("The shift is removed.", "ok")
    return redirect(url_for("training_admin.index", week=shift.starts_at.date().isoformat(), _anchor="rota"), 303)


def _overview(problem: Invalid | None = None) -> Any:
    zone = forms.zone_of(request.values.get("zone"), queries.usual_zone())
    monday = forms.monday_of(request.args.get("week") or request.form.get("starts", "")[:10], zone)
    people, moment = queries.team(), now()
    return render_template(
        "training/admin.html",
        people=people,
        uncovered=queries.uncovered(people),
        present=queries.shifts_between(moment, moment + timedelta(seconds=1)),
        week=queries.week(monday, zone),
        monday=monday,
        step=timedelta(days=7),
        zone=zone,
        timezones=timezones(),
        moment=moment,
        form=request.form,
        errors=problem.fields if problem else {},
    ), 422 if problem else 200


def _person(account_id: int, problem: Invalid | None = None) -> Any:
    account = account_to_manage(current_user, account_id)
    lasts = timedelta(days=current_app.config["KITH"].certificate_days)
    return render_template(
        "training/person.html",
        account=account,
        certificates=queries.certificates_of(account),
        concerns=CONCERNS,
        chosen=request.form.getlist("concern"),
        until=request.form.get("until") or (now() + lasts).date().isoformat(),
        moment=now(),
        errors=problem.fields if problem else {},
    ), 422 if problem else 200
