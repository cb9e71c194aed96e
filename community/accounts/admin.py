"""The admin's pages about people and house rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db
from community.core.clock import now
from community.core.errors import Invalid
from community.core.text import storable
from community.core.web import admin_only

from . import access, actions, forms, queries
from .actions import name_key
from .models import HouseRule

blueprint = Blueprint("accounts_admin", __name__)
ROLE_CHOICES = [
    ("member", "Member", "Reads and writes like everybody."),
    ("moderator", "Moderator", "Comes to the desk. Sees only the rooms in scope and the concerns of valid certificates."),
    ("senior", "Senior moderator", "Also takes what was escalated, and lifts sanctions."),
    ("admin", "Admin", "Also makes rooms, rules, moderators and admins."),
]
ROLE_NAMES = {role: words for role, words, _ in ROLE_CHOICES}


@blueprint.get("/admin/people")
@admin_only
def people() -> Any:
    asked = request.args.get("q", "")[:100]
    found = queries.people(beginning=name_key(asked), after=storable(request.args.get("after", "")[:80]))
    shown = found[: queries.PEOPLE_SHOWN]
    return render_template(
        "accounts/admin_people.html", people=shown, asked=asked, moment=now(),
        after=shown[-1].name_key if len(found) > len(shown) else None,
    )  # fmt: skip


@blueprint.get("/admin/people/<int:account_id>")
@admin_only
def person(account_id: int) -> Any:
    account = access.account_to_manage(current_user, account_id)
    return render_template(
        "accounts/admin_person.html", person=account, roles=ROLE_CHOICES, sign_ins=queries.sign_ins_of(account.id),
        restrictions=queries.restrictions_of(account.id),
    )  # fmt: skip


@blueprint.post("/admin/people/<int:account_id>/role")
@admin_only
def set_role(account_id: int) -> Any:
    with db.write():
        account = access.account_to_manage(current_user, account_id)
        actions.set_role(current_user, account, request.form.get("role", ""))
    flash(f"{account.name}: {ROLE_NAMES[account.role]} now.", "ok")
    return redirect(url_for("accounts_admin.person", account_id=account_id), 303)


@blueprint.post("/admin/people/<int:account_id>/sign-out")
@admin_only
def sign_out(account_id: int) -> Any:
    with db.write():
        account = access.account_to_manage(current_user, account_id)
        actions.end_sign_ins(current_user, account)
    flash(f"{account.name} is signed out everywhere.", "ok")
    return redirect(url_for("accounts_admin.person", account_id=account_id), 303)


@blueprint.get("/admin/house-rules")
@admin_only
def house_rules() -> Any:
    return _house_rules_page()


def _house_rules_page(refusal: Invalid | None = None) -> Any:
    page = render_template(
        "accounts/admin_house_rules.html", rules=queries.house_rules(), retired=queries.retired_house_rules(),
        typed=request.form, errors=refusal.fields if refusal else {},
    )  # fmt: skip
    return page, refusal.status if refusal else 200


@blueprint.post("/admin/house-rules")
@admin_only
def add_house_rule() -> Any:
    try:
        title, words = forms.house_rule(request.form)
    except Invalid as refusal:
        return _house_rules_page(refusal)
    with db.write():
        actions.add_house_rule(current_user, title=title, words=words)
    return _back(f"“{title}” is a house rule now.")


@blueprint.get("/admin/house-rules/<int:rule_id>")
@admin_only
def house_rule(rule_id: int) -> Any:
    rule = access.house_rule_to_manage(current_user, rule_id)
    return _house_rule_page(rule, {"title": rule.title, "text": rule.text})


def _house_rule_page(rule: HouseRule, typed: Mapping[str, str], refusal: Invalid | None = None) -> Any:
    errors = refusal.fields if refusal else {}
    return render_template("accounts/admin_house_rule.html", rule=rule, typed=typed, errors=errors), 422 if refusal else 200


@blueprint.post("/admin/house-rules/<int:rule_id>")
@admin_only
def edit_house_rule(rule_id: int) -> Any:
    try:
        title, words = forms.house_rule(request.form)
    except Invalid as refusal:
        return _house_rule_page(access.house_rule_to_manage(current_user, rule_id), request.form, refusal)
    with db.write():
        actions.edit_house_rule(current_user, access.house_rule_to_manage(current_user, rule_id), title=title, words=words)
    return _back(f"“{title}” is saved.")


@blueprint.post("/admin/house-rules/<int:rule_id>/retire")
@admin_only
def retire_house_rule(rule_id: int) -> Any:
    with db.write():
        rule = access.house_rule_to_manage(current_user, rule_id)
        actions.retire_house_rule(current_user, rule)
    return _back(f"“{rule.title}” is retired. Old decisions keep its words.")


@blueprint.post("/admin/house-rules/<int:rule_id>/bring-back")
@admin_only
def bring_back_house_rule(rule_id: int) -> Any:
    with db.write():
        rule = access.house_rule_to_manage(current_user, rule_id)
        actions.bring_back_house_rule(current_user, rule)
    return _back(f"“{rule.title}” holds again.")


@blueprint.post("/admin/house-rules/<int:rule_id>/move")
@admin_only
def move_house_rule(rule_id: int) -> Any:
    with db.write():
        rule = access.house_rule_to_manage(current_user, rule_id)
        actions.move_house_rule(current_user, rule, up=request.form.get("to") == "up")
    return _back(f"“{rule.title}” has moved.")


def _back(sentence: str) -> Any:
    flash(sentence, "ok")
    return redirect(url_for("accounts_admin.house_rules"), 303)
