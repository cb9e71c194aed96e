"""The admin's pages about drafts: what waits, what it would change, and what becomes of it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db
from community.core.errors import NotFound, Refused
from community.core.web import admin_only

from . import access, actions, queries
from .admin import blueprint, room_names, told
from .changes import change_from, is_bundle
from .checking import in_pool
from .consent import second_admin_needed
from .differences import compare


@blueprint.get("/drafts")
@admin_only
def drafts() -> Any:
    return render_template("lexicon/drafts.html", living=queries.living_drafts(), discarded=queries.discarded_drafts())


@blueprint.get("/drafts/<int:draft_id>")
@admin_only
def draft(draft_id: int) -> Any:
    return _page(draft_id)


def _page(draft_id: int, problem: Refused | None = None) -> Any:
    found = access.draft_to_read(current_user, draft_id)
    change = change_from(found.key, found.rule)
    rules = queries.rules_now()[1]
    before, after = queries.sides_of(found, change, rules)
    living = found.state in access.LIVING_STATES
    return render_template(
        "lexicon/draft.html",
        draft=found,
        names=queries.names_of(found),
        differences=in_pool(compare, before, after, room_names()),
        living=living,
        single=found.rule is not None and not is_bundle(found.rule),
        moved=queries.moved_since(found.based_on, change.keys) if living else [],
        two=second_admin_needed(change, rules) if living else False,
        mine=found.proposed_by_id == current_user.id,
        story=queries.story_of(found.id),
        problem=problem.sentence if problem else "",
        typed=request.form.get("reason", ""),
    ), problem.status if problem else 200


@blueprint.post("/drafts/<int:draft_id>/publish")
@admin_only
def publish_draft(draft_id: int) -> Any:
    """Check outside the write lock, publish inside it. Where two admins are needed, the first press proposes."""
    try:
        found = access.draft_to_change(current_user, draft_id)
        change = change_from(found.key, found.rule)
        checked = actions.check_change(put=change.put, retire=change.retire)
        with db.write():
            outcome = actions.publish_draft(current_user, draft_id, seen=request.form.get("seen", ""), checked_against=checked)
    except NotFound:
        raise
    except Refused as refusal:
        return _page(draft_id, refusal)
    sentence = f"This draft is in force as revision {outcome.revision}. The next words are judged with it."
    return told(outcome, sentence, url_for("lexicon_admin.draft", draft_id=draft_id))


@blueprint.get("/drafts/<int:draft_id>/publish")
@blueprint.get("/drafts/<int:draft_id>/send-back")
@blueprint.get("/drafts/<int:draft_id>/discard")
@blueprint.get("/drafts/<int:draft_id>/bring-back")
@admin_only
def draft_again(draft_id: int) -> Any:
    """The address of a page that was an answer to a form, opened anew."""
    return redirect(url_for("lexicon_admin.draft", draft_id=draft_id), 303)


@blueprint.post("/drafts/<int:draft_id>/send-back")
@admin_only
def send_back(draft_id: int) -> Any:
    try:
        with db.write():
            actions.send_back(current_user, draft_id, reason=request.form.get("reason", ""))
    except NotFound:
        raise
    except Refused as refusal:
        return _page(draft_id, refusal)
    flash("It is a draft again. Who proposed it was told why.", "ok")
    return redirect(url_for("lexicon_admin.draft", draft_id=draft_id), 303)


@blueprint.post("/drafts/<int:draft_id>/discard")
@admin_only
def discard_draft(draft_id: int) -> Any:
    try:
        with db.write():
            actions.discard_draft(current_user, draft_id)
    except NotFound:
        raise
    except Refused as refusal:
        return _page(draft_id, refusal)
    flash("The draft is discarded. It can be brought back from this page.", "ok")
    return redirect(url_for("lexicon_admin.draft", draft_id=draft_id), 303)


@blueprint.post("/drafts/<int:draft_id>/bring-back")
@admin_only
def bring_back_draft(draft_id: int) -> Any:
    try:
        with db.write():
            actions.bring_back_draft(current_user, draft_id)
    except NotFound:
        raise
    except Refused as refusal:
        return _page(draft_id, refusal)
    flash("The draft is back.", "ok")
    return redirect(url_for("lexicon_admin.draft", draft_id=draft_id), 303)
