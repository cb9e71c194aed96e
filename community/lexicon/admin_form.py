"""The form of one rule: a new one, one in force, or a draft. Kept as a draft, tried, or put in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db
from community.core.errors import Conflict, Invalid, NotFound, Refused
from community.core.text import storable
from community.core.web import admin_only
from community.safety import ACTIONS, CONCERNS, KINDS, PROFILES, SEVERITIES, Rule

from . import access, actions, forms, queries
from .admin import blueprint, room_names, told
from .checking import in_pool
from .consent import two_are_asked
from .differences import RuleDifference, compare
from .models import Draft
from .seeing import BothSides, both_sides


@blueprint.get("/new")
@admin_only
def new() -> Any:
    return _form(forms.BLANK | {"concern": request.args.get("concern", "")})


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


@blueprint.get("/drafts/<int:draft_id>/edit")
@admin_only
def edit_draft(draft_id: int) -> Any:
    draft = access.draft_to_change(current_user, draft_id)
    rule = queries.draft_rule(draft)
    return _form(forms.as_typed(rule) | {"note": draft.note}, former=rule, draft=draft)


@blueprint.post("/drafts/<int:draft_id>/edit")
@admin_only
def change_draft(draft_id: int) -> Any:
    draft = access.draft_to_change(current_user, draft_id)
    return _save(queries.draft_rule(draft), draft)


def _former(key: str) -> Rule:
    """The rule as it is, or as it last was."""
    _, rules = queries.rules_now()
    if key in rules:
        return rules[key]
    states = queries.states_of(key)
    if not states:
        raise NotFound
    return queries.rule_of(states[0][0])


def _save(former: Rule | None, draft: Draft | None = None) -> Any:
    """Refused: the form comes back as it was typed, and nothing is stored."""
    rule = None
    try:
        rule = forms.rule_from(
            forms.typed_in(request.form), former=former, rooms=room_names().keys(), rules=queries.rules_now()[1]
        )
        if request.form.get("act") == "try":
            return _form(forms.typed_in(request.form), former=former, draft=draft, tried=_compare(rule))
        if request.form.get("act") == "draft":
            return _keep(rule, former, draft)
        return _put_in_force(rule, former, draft)
    except Invalid as problem:
        return _form(forms.typed_in(request.form), former=former, draft=draft, problem=problem)
    except Conflict as problem:
        if draft is not None:
            draft = access.draft_to_read(current_user, draft.id)
        theirs = queries.draft_rule(draft) if draft is not None else _former(former.key) if former else None
        return _form(
            forms.typed_in(request.form), former=former, draft=draft, problem=problem, overtaken=_mine_against(theirs, rule)
        )


def _mine_against(theirs: Rule | None, mine: Rule | None) -> list[RuleDifference]:
    """What saving mine would change of what somebody else saved meanwhile."""
    if theirs is None or mine is None:
        return []
    return in_pool(compare, {theirs.key: theirs}, {mine.key: mine}, room_names())


def _keep(rule: Rule, former: Rule | None, draft: Draft | None) -> Any:
    with db.write():
        kept = _draft_as_typed(rule, former, draft)
    flash("The draft is kept. Nothing has changed for anybody yet.", "ok")
    return redirect(url_for("lexicon_admin.draft", draft_id=kept.id), 303)


def _draft_as_typed(rule: Rule, former: Rule | None, draft: Draft | None) -> Draft:
    return actions.save_draft(
        current_user,
        rule,
        note=forms.note_from(request.form, _usual_note(rule, former)),
        based_on=min(request.form.get("based_on", queries.current_number(), type=int), queries.current_number()),
        draft_id=draft.id if draft else None,
        seen=request.form.get("seen", ""),
    )


def _usual_note(rule: Rule, former: Rule | None) -> str:
    return f"{'Changed' if former and former.key in queries.rules_now()[1] else 'Added'} {rule.key}"


def _put_in_force(rule: Rule, former: Rule | None, draft: Draft | None) -> Any:
    """Check outside the write lock, publish inside it."""
    if queries.rules_now()[1].get(rule.key) == rule:
        flash(f"“{rule.key}” says exactly this already.")
        return redirect(url_for("lexicon_admin.rule", key=rule.key), 303)
    if draft is None:
        _refuse_overtaken(former)
    note = forms.note_from(request.form, _usual_note(rule, former))
    checked = actions.check_change(put=[rule])
    with db.write():
        if draft is None:
            outcome = actions.put_rule(current_user, rule, note=note, checked_against=checked)
        else:
            kept = _draft_as_typed(rule, former, draft)
            seen = kept.changed_at.isoformat()
            outcome = actions.publish_draft(current_user, kept.id, seen=seen, checked_against=checked)
    sentence = f"“{rule.key}” is in force in revision {outcome.revision}. The next words are judged with it."
    return told(outcome, sentence, url_for("lexicon_admin.rule", key=rule.key))


def _refuse_overtaken(former: Rule | None) -> None:
    """Somebody else changed this very rule after the form was opened: their words are not overwritten unseen."""
    based_on = request.form.get("based_on", type=int)
    states = queries.states_of(former.key) if former else []
    if based_on is None or not states or states[0][0].since_revision <= based_on:
        return
    latest = states[0]
    raise Conflict(
        f"{latest.put_by or 'Somebody'} changed this rule in revision {latest[0].since_revision} while you were editing. "
        "Below stands what yours would change of it; saving again puts yours in force."
    )


def _compare(rule: Rule) -> BothSides:
    """What the rules in force see, and what they would see with this rule as well."""
    return both_sides(forms.text_to_try(storable(request.form.get("text", ""))), rule)


def _form(
    typed: Mapping[str, Any],
    *,
    former: Rule | None = None,
    draft: Draft | None = None,
    problem: Refused | None = None,
    tried: BothSides | None = None,
    overtaken: Sequence[RuleDifference] | None = None,
) -> Any:
    errors = problem.fields if isinstance(problem, Invalid) else {"": problem.sentence} if problem else {}
    return render_template(
        "lexicon/edit.html",
        form=typed,
        former=former,
        draft=draft,
        seen=typed.get("seen", "") if overtaken is None else "",
        overtaken=overtaken,
        living=queries.living_draft(former.key) if former and draft is None else None,
        errors=errors,
        tried=tried,
        based_on=queries.current_number(),
        rooms=room_names(),
        concerns=CONCERNS,
        severities=SEVERITIES,
        kinds=KINDS,
        profiles=PROFILES,
        views=forms.WORD_VIEWS,
        actions=ACTIONS,
        two=two_are_asked(),
    ), problem.status if problem else 200
