"""The admin's pages about packs: share rules as a file, and take in a file after a look at what it changes."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db
from community.core.clock import now
from community.core.errors import Invalid, NotFound, Refused
from community.core.web import admin_only
from community.safety import CONCERNS

from . import actions, forms, packfiles, packs, queries
from .admin import blueprint, room_names, told
from .checking import in_pool
from .differences import RuleDifference, rule_difference
from .packfiles import BrokenPack, PackFile
from .packs import Incoming


@blueprint.get("/packs")
@admin_only
def packs_page() -> Any:
    return _packs_page()


def _packs_page(problem: Refused | None = None, pasted: str = "") -> Any:
    rules = queries.rules_now()[1].values()
    learned = queries.learned_words()
    return render_template(
        "lexicon/packs.html",
        form=request.form,
        concerns=CONCERNS,
        chosen=request.form.getlist("concern") if "name" in request.form else CONCERNS,
        languages=_languages(),
        signer=f"{current_user.name}, {current_app.config['KITH'].site_name}",
        learned=len(learned.sentences) + len(learned.exceptions),
        of_rooms=sum(rule.room is not None for rule in rules),
        pasted=pasted,
        errors=problem.fields if isinstance(problem, Invalid) else {"": problem.sentence} if problem else {},
        sentences=problem.sentences if isinstance(problem, BrokenPack) else [],
    ), problem.status if problem else 200


def _languages() -> list[str]:
    """The languages of the rules, the one with most rules first."""
    found = [rule.language for rule in queries.rules_now()[1].values()]
    return sorted(set(found), key=lambda language: (-found.count(language), language))


@blueprint.get("/packs/export")
@blueprint.get("/packs/look")
@blueprint.get("/packs/import")
@admin_only
def packs_again() -> Any:
    """The address of a page that was an answer to a form, opened anew."""
    return redirect(url_for("lexicon_admin.packs_page"), 303)


@blueprint.post("/packs/export")
@admin_only
def export_pack() -> Any:
    try:
        choice, by = forms.export_from(request.form, _languages())
        made = packs.packed(choice)
        if not made.pack.rules:
            raise Invalid({"concern": "No rule fits what you chose, so there would be nothing in the pack."})
    except Invalid as problem:
        return _packs_page(problem)
    with db.write():
        actions.note_export(current_user, made, learned=choice.learned)
    written = packfiles.write(made.pack, by=by, at=now().date().isoformat())
    answer = Response(written, mimetype="application/toml")
    answer.headers["Content-Disposition"] = f'attachment; filename="{packs.file_name(made.pack)}"'
    return answer


@blueprint.post("/packs/look")
@admin_only
def look_at_pack() -> Any:
    """What a pack would change. Nothing is stored: the page holds the pack until it is taken in."""
    source = request.form.get("pack", "")
    try:
        source = forms.pack_from(source, request.files.get("file"))
        file = in_pool(packfiles.read, source)
    except Invalid as problem:
        return _packs_page(problem, source if len(source) <= packfiles.MAX_PACK else "")
    return _look_page(file, source)


@blueprint.post("/packs/import")
@admin_only
def import_pack() -> Any:
    """Everything or nothing, as one revision. Checked outside the write lock, published inside it."""
    try:
        source = forms.pack_from(request.form.get("pack", ""), None)
        file = in_pool(packfiles.read, source)
    except Invalid as problem:
        return _packs_page(problem)
    try:
        incoming = packs.sort_out(file.pack)
        change = packs.change_of(incoming, forms.choices_from(request.form, incoming))
        if not change:
            flash("Nothing was left to import: the rules here stay as they are.")
            return redirect(url_for("lexicon_admin.packs_page"), 303)
        note = forms.note_from(request.form, packs.usual_note(file.pack))
        checked = actions.check_change(put=change.put)
        seen = request.form.get("seen", type=int)
        with db.write():
            outcome = actions.import_pack(current_user, file, change, note=note, seen=seen, checked_against=checked)
    except NotFound:
        raise
    except Refused as problem:
        return _look_page(file, source, problem)
    rules = "1 rule" if len(change.put) == 1 else f"{len(change.put)} rules"
    sentence = f"{file.pack.name} is in force: {rules} in revision {outcome.revision}."
    return told(outcome, sentence, url_for("lexicon_admin.history"))


def _look_page(file: PackFile, source: str, problem: Refused | None = None) -> Any:
    incoming = packs.sort_out(file.pack)
    differences = in_pool(_differences, incoming, room_names())
    return render_template(
        "lexicon/import.html",
        file=file,
        source=source,
        groups=[
            (what, [pair for pair in zip(incoming, differences, strict=True) if pair[0].what == what])
            for what in ("conflict", "retired", "changed", "new")
        ],
        same=sum(entry.what == "same" for entry in incoming),
        seen=queries.current_number(),
        form=request.form,
        errors=problem.fields if isinstance(problem, Invalid) else {"": problem.sentence} if problem else {},
    ), problem.status if problem else 200


def _differences(incoming: list[Incoming], rooms: dict[int, str]) -> list[RuleDifference]:
    return [rule_difference(entry.mine, entry.theirs, rooms) for entry in incoming]
