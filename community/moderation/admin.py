"""The admin's pages that need cases or members' words: overview, audit log, suspensions, and how rules did and would do.

Numbers and ids, but for what a draft would have matched: those words are collapsed, and reading them is audited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db, text
from community.core.clock import now
from community.core.errors import Conflict, NotFound, Refused
from community.core.web import admin_only, wants_fragment
from community.lexicon import access as drafts
from community.lexicon import actions as lexicon
from community.lexicon.queries import current_number, rule_of, rules_now, states_of

from . import actions, forms, looking_back, overview, queries, rule_figures, second_signal, shadows, sightings

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.get("")
@admin_only
def index() -> Any:
    return render_template("moderation/admin.html", at=overview.overview())


@blueprint.get("/audit")
@admin_only
def audit() -> Any:
    asked = {key: text.storable(request.args.get(key, "")).strip() for key in ("actor", "act", "subject")}
    found = overview.audit_entries(**asked, before=text.whole(request.args.get("before")))
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
    found = queries.sanctions(before=text.whole(request.args.get("before")))
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


# ---- a draft on the past


@blueprint.get("/lexicon/drafts/<int:draft_id>/past")
@admin_only
def past(draft_id: int) -> Any:
    return _past(draft_id)


@blueprint.post("/lexicon/drafts/<int:draft_id>/past")
@admin_only
def look_back(draft_id: int) -> Any:
    try:
        days = forms.days_of(request.form, looking_back.DAYS_MAX)
        with db.write():
            looking_back.start_preview(current_user, draft_id, days=days)
    except NotFound:
        raise
    except Refused as refusal:
        return _past(draft_id, forms.errors_of(refusal)), refusal.status
    return redirect(url_for(".past", draft_id=draft_id), 303)


def _past(draft_id: int, errors: dict[str, str] | None = None) -> str:
    """Words of members only once the pass has ended: while it runs the page tells how far it is."""
    draft = drafts.draft_to_read(current_user, draft_id)
    at = looking_back.latest_preview(draft.id)
    if wants_fragment():
        return render_template("moderation/_pass.html", at=at)
    change = request.args.get("change", "")
    change = change if change in ("new", "kept", "lost") else looking_back.first_to_show(at)
    if at and not at.living and at.total(change):
        _note_reading(f"pass:{at.row.id}", "preview.read")
    page = text.whole(request.args.get("after"))
    found, older = looking_back.hits(at.row, change, after=page) if at and not at.living else ([], None)
    return render_template(
        "moderation/past.html", draft=draft, at=at, outdated=at and looking_back.is_outdated(draft, at.row), change=change,
        found=found, older=older, errors=errors or {}, form=request.form,
        outcome_words=forms.OUTCOME_WORDS,
    )  # fmt: skip


def _note_reading(subject: str, act: str) -> None:
    if looking_back.reading_is_news(current_user, subject, act):
        with db.write():
            looking_back.note_reading(current_user, subject, act)


@blueprint.post("/passes/<int:pass_id>/cancel")
@admin_only
def cancel_pass(pass_id: int) -> Any:
    with db.write():
        row = looking_back.cancel(current_user, pass_id)
    return _to_pass(row)


@blueprint.post("/passes/<int:pass_id>/resume")
@admin_only
def resume_pass(pass_id: int) -> Any:
    with db.write():
        row = looking_back.resume(current_user, pass_id)
    return _to_pass(row)


def _to_pass(row: Any) -> Any:
    if row.kind == "preview" and row.draft_id:
        return redirect(url_for(".past", draft_id=row.draft_id), 303)
    return redirect(url_for(".rescan"), 303)


# ---- a draft in shadow


@blueprint.get("/lexicon/drafts/<int:draft_id>/shadow")
@admin_only
def shadow(draft_id: int) -> Any:
    return _shadow(draft_id)


@blueprint.post("/lexicon/drafts/<int:draft_id>/shadow")
@admin_only
def start_shadow(draft_id: int) -> Any:
    def act() -> None:
        lexicon.start_shadow(current_user, draft_id, days=forms.days_of(request.form, sightings.SHADOW_DAYS_MAX))

    return _change_shadow(draft_id, act, "The draft is in shadow. Nobody is told what it notices; you read it here.")


@blueprint.post("/lexicon/drafts/<int:draft_id>/shadow/stop")
@admin_only
def stop_shadow(draft_id: int) -> Any:
    return _change_shadow(draft_id, lambda: lexicon.stop_shadow(current_user, draft_id), "The draft is not in shadow any more.")


def _change_shadow(draft_id: int, act: Callable[[], object], done: str) -> Any:
    try:
        with db.write():
            act()
    except NotFound:
        raise
    except Refused as refusal:
        return _shadow(draft_id, forms.errors_of(refusal)), refusal.status
    shadows.prepare()
    flash(done, "ok")
    return redirect(url_for(".shadow", draft_id=draft_id), 303)


def _shadow(draft_id: int, errors: dict[str, str] | None = None) -> str:
    draft = drafts.draft_to_read(current_user, draft_id)
    rule = looking_back.rule_or_none(draft)
    seen = sightings.sightings(draft, rule.severity, before=text.whole(request.args.get("before"))) if rule else None
    if seen and seen.rows:
        _note_reading(f"draft:{draft.id}", "shadow.read")
    return render_template(
        "moderation/shadow.html", draft=draft, rule=rule, seen=seen, errors=errors or {}, form=request.form, now_at=now()
    )


# ---- a rescan


@blueprint.get("/rescan")
@admin_only
def rescan() -> Any:
    return _rescan()


@blueprint.post("/rescan")
@admin_only
def start_rescan() -> Any:
    try:
        since = forms.since_of(request.form, forms.EPOCH)
        with db.write():
            looking_back.start_rescan(current_user, since=since)
    except Refused as refusal:
        return _rescan(forms.errors_of(refusal)), refusal.status
    return redirect(url_for(".rescan"), 303)


def _rescan(errors: dict[str, str] | None = None) -> str:
    passes = looking_back.rescans()
    if wants_fragment():
        return render_template("moderation/_pass.html", at=passes[0] if passes else None)
    return render_template(
        "moderation/rescan.html", passes=passes, revision=current_number(), errors=errors or {}, form=request.form
    )


# ---- how rules do


@blueprint.get("/lexicon/figures")
@admin_only
def figures() -> Any:
    shown = rule_figures.figures(rules_now()[1].values())
    order = request.args.get("by", "")
    return render_template(
        "moderation/figures.html", figures=rule_figures.ordered(shown, order), order=order,
        advice={one.rule.key: said for one in shown if (said := rule_figures.advice(one))}, cost=rule_figures.cost_known,
    )  # fmt: skip


@blueprint.get("/lexicon/rules/<key>/figures")
@admin_only
def figures_of_rule(key: str) -> Any:
    """Asked with `measure`, the rule is also timed on recent words."""
    rule = rules_now()[1].get(key)
    if rule is None:
        states = states_of(key)
        if not states:
            raise NotFound
        rule = rule_of(states[0][0])
    (shown,) = rule_figures.figures([rule])
    cost = rule_figures.cost(rule) if request.args.get("measure") else rule_figures.cost_known(rule)
    return render_template(
        "moderation/rule_figures.html", at=shown, advice=rule_figures.advice(shown), weeks=rule_figures.weekly(key), cost=cost
    )
