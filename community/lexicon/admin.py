"""The admin's pages about safety rules: read, try, change, retire, and look back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db
from community.core.errors import Conflict, Invalid, NotFound, Refused
from community.core.text import storable
from community.core.web import admin_only
from community.rooms.queries import all_rooms
from community.safety import ACTIONS, CONCERNS, SEVERITIES, Finding, Lexicon, Rule, explain, scan

from . import actions, forms, queries

blueprint = Blueprint("lexicon_admin", __name__, url_prefix="/admin/lexicon")


@blueprint.get("")
@admin_only
def index() -> Any:
    number, rules = queries.rules_now()
    asked = {name: request.args.get(name, "")[:100] for name in ("q", "concern", "severity", "origin")}
    origins = {key: queries.origin_of(rule) for key, rule in rules.items()}
    shown = [rule for rule in rules.values() if _is_asked_for(rule, origins[rule.key], asked)]
    groups = [(concern, [rule for rule in shown if rule.concern == concern]) for concern in CONCERNS]
    return render_template(
        "lexicon/admin.html",
        number=number,
        total=len(rules),
        groups=[(concern, found) for concern, found in groups if found],
        origins=origins,
        asked=asked,
        rooms=_room_names(),
        concerns=CONCERNS,
        severities=SEVERITIES,
    )


def _is_asked_for(rule: Rule, origin: str, asked: Mapping[str, str]) -> bool:
    words = asked["q"].casefold().strip()
    return (
        (not words or words in f"{rule.key} {rule.pattern} {rule.why}".casefold())
        and asked["concern"] in ("", rule.concern)
        and asked["severity"] in ("", rule.severity)
        and (not asked["origin"] or (asked["origin"] == "here") == (origin != "starter pack"))
    )


@blueprint.get("/rules/<key>")
@admin_only
def rule(key: str) -> Any:
    number, rules = queries.rules_now()
    states = queries.states_of(key)
    if not states and key not in rules:
        raise NotFound
    shown = rules.get(key) or queries.rule_of(states[0][0])
    return render_template(
        "lexicon/rule.html",
        rule=shown,
        in_force=key in rules,
        origin=queries.origin_of(shown),
        states=states,
        number=number,
        rooms=_room_names(),
    )


@blueprint.get("/history")
@admin_only
def history() -> Any:
    before = request.args.get("before", type=int)
    page, changes = queries.revisions(before)
    older = page[-1].number if page and page[-1].number > 1 else None
    return render_template("lexicon/history.html", revisions=page, changes=changes, older=older)


@blueprint.get("/new")
@admin_only
def new() -> Any:
    return _form({"severity": "amber", "action": "flag", "concern": request.args.get("concern", "")})


@blueprint.post("/new")
@admin_only
def make() -> Any:
    return _save(None)


@blueprint.get("/rules/<key>/edit")
@admin_only
def edit(key: str) -> Any:
    former = _former(key)
    return _form(forms.as_typed(former), former=former)


@blueprint.post("/rules/<key>/edit")
@admin_only
def change(key: str) -> Any:
    return _save(_former(key))


@blueprint.post("/rules/<key>/retire")
@admin_only
def retire(key: str) -> Any:
    try:
        note = forms.note_from(request.form, f"Retired {key}")
        checked = actions.check_change(retire=[key])
        with db.write():
            actions.retire_rule(current_user, key, note=note, checked_against=checked)
    except Refused as refusal:
        flash(refusal.sentence, "error")
        return redirect(url_for("lexicon_admin.rule", key=key), 303)
    flash(f"“{key}” is retired. The next words are judged without it.", "ok")
    return redirect(url_for("lexicon_admin.index"), 303)


@blueprint.route("/try", methods=["GET", "POST"])
@admin_only
def try_text() -> Any:
    """Look what the rules in force see in a text. Nothing is stored."""
    typed = storable(request.form.get("text", ""))[: forms.MAX_TRIED]
    room = _room_chosen()
    seen = _seen(typed, queries.current_lexicon(), room) if typed else None
    return render_template("lexicon/try.html", text=typed, seen=seen, rooms=_room_names(), room=room)


@dataclass(frozen=True)
class Seen:
    """One finding as the page explains it."""

    finding: Finding
    sentence: str


def _seen(text: str, lexicon: Lexicon, room: int | None) -> list[Seen]:
    return [Seen(finding, explain(finding, text, lexicon)) for finding in scan(text, lexicon, room=room)]


def _former(key: str) -> Rule:
    """The rule as it is, or as it last was."""
    _, rules = queries.rules_now()
    if key in rules:
        return rules[key]
    states = queries.states_of(key)
    if not states:
        raise NotFound
    return queries.rule_of(states[0][0])


def _save(former: Rule | None) -> Any:
    """Check outside the write lock, publish inside it. Refused: the form comes back as it was typed."""
    try:
        rule = _parsed(former)
        if request.form.get("act") == "try":
            return _form(request.form, former=former, tried=_compare(rule))
        if _is_in_force(rule):
            flash(f"“{rule.key}” says exactly this already.")
            return redirect(url_for("lexicon_admin.rule", key=rule.key), 303)
        _refuse_overtaken(former)
        note = forms.note_from(request.form, f"{'Changed' if former else 'Added'} {rule.key}")
        checked = actions.check_change(put=[rule])
        with db.write():
            outcome = actions.put_rule(current_user, rule, note=note, checked_against=checked)
    except (Invalid, Conflict) as problem:
        return _form(request.form, former=former, problem=problem)
    queries.current_lexicon()  # swaps in what was compiled for the check; the next words find it ready
    flash(f"“{rule.key}” is in force in revision {outcome.revision}. The next words are judged with it.", "ok")
    return redirect(url_for("lexicon_admin.rule", key=rule.key), 303)


def _parsed(former: Rule | None) -> Rule:
    _, rules = queries.rules_now()
    return forms.rule_from(request.form, former=former, rooms=_room_names().keys(), rules=rules)


def _is_in_force(rule: Rule) -> bool:
    _, rules = queries.rules_now()
    return rules.get(rule.key) == rule


def _refuse_overtaken(former: Rule | None) -> None:
    """Somebody else changed this very rule after the form was opened: their words are not overwritten unseen."""
    based_on = request.form.get("based_on", type=int)
    states = queries.states_of(former.key) if former else []
    if based_on is None or not states or states[0][0].since_revision <= based_on:
        return
    latest = states[0]
    raise Conflict(
        f"{latest.put_by or 'Somebody'} changed this rule in revision {latest[0].since_revision} while you were editing. "
        "Compare the two below and on the rule’s page; saving again puts yours in force."
    )


def _compare(rule: Rule) -> dict[str, Any]:
    """What the rules in force see, and what they would see with this rule as well."""
    text = storable(request.form.get("text", ""))[: forms.MAX_TRIED]
    _, rules = queries.rules_now()
    after = queries.compiled(queries.with_change(rules, put=[rule]))
    return {"now": _seen(text, queries.current_lexicon(), rule.room), "then": _seen(text, after, rule.room), "key": rule.key}


def _form(typed: Mapping[str, str], *, former: Rule | None = None, problem: Refused | None = None, tried: Any = None) -> Any:
    errors = problem.fields if isinstance(problem, Invalid) else {"": problem.sentence} if problem else {}
    return render_template(
        "lexicon/edit.html",
        form=typed,
        former=former,
        errors=errors,
        tried=tried,
        based_on=queries.current_number(),
        rooms=_room_names(),
        concerns=CONCERNS,
        severities=SEVERITIES,
        actions=ACTIONS,
    ), problem.status if problem else 200


def _room_names() -> dict[int, str]:
    return {room.id: room.name for room in all_rooms()}


def _room_chosen() -> int | None:
    room = request.form.get("room", type=int)
    return room if room in _room_names() else None
