"""The admin's pages about safety rules in force: find, read, retire, try, look back and go back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db
from community.core.errors import Invalid, NotFound, Refused
from community.core.text import storable, whole
from community.core.web import admin_only
from community.rooms.queries import all_rooms, profile_of
from community.safety import CONCERNS, PROFILES, SEVERITIES, Rule

from . import actions, forms, queries
from .changes import Outcome
from .checking import in_pool
from .differences import RuleDifference, compare, rule_difference
from .seeing import seen_in

blueprint = Blueprint("lexicon_admin", __name__, url_prefix="/admin/lexicon")


@blueprint.get("")
@admin_only
def index() -> Any:
    number, rules = queries.rules_now()
    asked = {name: request.args.get(name, "")[:100] for name in ("q", "concern", "severity", "origin")}
    origins = queries.origins_of(rules.values())
    shown = [rule for rule in rules.values() if _is_asked_for(rule, origins[rule.key], asked)]
    groups = [(concern, [rule for rule in shown if rule.concern == concern]) for concern in CONCERNS]
    return render_template(
        "lexicon/admin.html",
        number=number,
        total=len(rules),
        groups=[(concern, found) for concern, found in groups if found],
        origins=origins,
        asked=asked,
        rooms=room_names(),
        concerns=CONCERNS,
        severities=SEVERITIES,
        drafts=queries.count_living_drafts(),
        due=queries.due_for_review(rules.values()),
    )


def _is_asked_for(rule: Rule, origin: str, asked: Mapping[str, str]) -> bool:
    words = asked["q"].casefold().strip()
    return (
        (not words or words in f"{rule.key} {rule.pattern} {rule.why} {rule.owner}".casefold())
        and asked["concern"] in ("", rule.concern)
        and asked["severity"] in ("", rule.severity)
        and (not asked["origin"] or (asked["origin"] == "here") == (origin != "starter pack"))
    )


@blueprint.get("/rules/<key>")
@admin_only
def rule(key: str) -> Any:
    return _rule_page(key)


def _rule_page(key: str, problem: Refused | None = None) -> Any:
    _, rules = queries.rules_now()
    states = queries.states_of(key)
    if not states and key not in rules:
        raise NotFound
    shown = rules.get(key) or queries.rule_of(states[0][0])
    return render_template(
        "lexicon/rule.html",
        rule=shown,
        in_force=key in rules,
        origin=queries.origins_of([shown])[key],
        states=states,
        differences=in_pool(_between, [queries.rule_of(row[0]) for row in states], room_names()),
        draft=queries.living_draft(key),
        rooms=room_names(),
        problem=problem.sentence if problem else "",
        typed=request.form.get("note", ""),
    ), problem.status if problem else 200


def _between(states: list[Rule], rooms: Mapping[int, str]) -> list[RuleDifference | None]:
    """For each state, the newest first, how it differs from the one before it; None for the first."""
    pairs = zip(states, [*states[1:], None], strict=True)
    return [rule_difference(before, after, rooms) if before else None for after, before in pairs]


@blueprint.post("/rules/<key>/retire")
@admin_only
def retire(key: str) -> Any:
    if key not in queries.rules_now()[1] and queries.states_of(key):
        flash(f"“{key}” was retired already.")
        return redirect(url_for("lexicon_admin.rule", key=key), 303)
    try:
        note = forms.note_from(request.form, f"Retired {key}")
        checked = actions.check_change(retire=[key])
        with db.write():
            outcome = actions.retire_rule(current_user, key, note=note, checked_against=checked)
    except NotFound:
        raise
    except Refused as refusal:
        return _rule_page(key, refusal)
    return told(outcome, f"“{key}” is retired. The next words are judged without it.", url_for("lexicon_admin.index"))


def told(outcome: Outcome, sentence: str, onward: str) -> Any:
    """On to the page after a change; a proposal leads to its draft and says what it waits for."""
    if outcome.in_force:
        queries.current_lexicon()  # swaps in what was compiled for the check; the next words find it ready
        flash(sentence, "ok")
        return redirect(onward, 303)
    flash("This touches a crisis rule, so another admin puts it in force. Nothing has changed yet.", "warn")
    return redirect(url_for("lexicon_admin.draft", draft_id=outcome.draft_id), 303)


# ---- looking back, going back


@blueprint.get("/history")
@admin_only
def history() -> Any:
    before = whole(request.args.get("before"))
    page, changes = queries.revisions(before)
    older = page[-1].number if page and page[-1].number > 1 else None
    return render_template("lexicon/history.html", revisions=page, changes=changes, older=older)


@blueprint.get("/history/<int:number>")
@admin_only
def revision(number: int) -> Any:
    """One revision: who, when, why, and every rule that changed, as a difference."""
    found = _revision(number)
    after, before = queries.rules_of(number), queries.rules_of(number - 1)
    return render_template(
        "lexicon/revision.html",
        revision=found,
        current=queries.current_number(),
        total=len(after),
        differences=in_pool(compare, before, after, room_names()) if number > 1 else [],
    )


@blueprint.get("/history/<int:number>/back")
@admin_only
def look_back(number: int) -> Any:
    return _back_page(number)


@blueprint.post("/history/<int:number>/back")
@admin_only
def go_back(number: int) -> Any:
    """A new revision with the rules of an older one."""
    _revision(number)
    try:
        change = queries.change_back_to(number)
        note = forms.note_from(request.form, f"Back to revision {number}")
        checked = actions.check_change(put=change.put, retire=change.retire)
        with db.write():
            outcome = actions.go_back(
                current_user, number, note=note, seen=request.form.get("seen", type=int), checked_against=checked
            )
    except NotFound:
        raise
    except Refused as refusal:
        return _back_page(number, refusal)
    sentence = f"The rules are those of revision {number} again, as revision {outcome.revision}."
    return told(outcome, sentence, url_for("lexicon_admin.history"))


def _back_page(number: int, problem: Refused | None = None) -> Any:
    current, rules = queries.rules_now()
    return render_template(
        "lexicon/back.html",
        revision=_revision(number),
        current=current,
        differences=in_pool(compare, rules, queries.rules_of(number), room_names()),
        problem=problem.sentence if problem else "",
        typed=request.form.get("note", ""),
    ), problem.status if problem else 200


def _revision(number: int) -> Any:
    found = queries.revision(number)
    if found is None:
        raise NotFound
    return found


# ---- trying a text


@blueprint.route("/try", methods=["GET", "POST"])
@admin_only
def try_text() -> Any:
    """Look what the rules in force see in a text. Nothing is stored."""
    typed, errors = storable(request.form.get("text", "")), {}
    room = _room_chosen()
    profile = profile_of(room) if room else request.form.get("profile", "general")
    seen = None
    try:
        if typed:
            text = forms.text_to_try(typed)
            seen = seen_in(text, queries.current_lexicon(), room, profile if profile in PROFILES else "general")
    except Invalid as problem:
        errors = problem.fields
    return render_template(
        "lexicon/try.html",
        text=typed,
        seen=seen,
        rooms=room_names(),
        room=room,
        profiles=PROFILES,
        profile=profile,
        errors=errors,
    ), 422 if errors else 200


def room_names() -> dict[int, str]:
    return {room.id: room.name for room in all_rooms()}


def _room_chosen() -> int | None:
    room = request.form.get("room", type=int)
    return room if room in room_names() else None
