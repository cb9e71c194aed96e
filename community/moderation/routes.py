"""The members' side (support card, report, statement of reasons) and the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db, text
from community.core.clock import now
from community.core.errors import Conflict, Forbidden, NotFound, Refused, SignInNeeded
from community.core.limits import limit
from community.core.web import signed_in, signed_in_even_suspended, staff_only, wants_fragment
from community.lexicon.actions import check_counterexample
from community.lexicon.queries import current_lexicon

from . import access, actions, advice, casefile, desk, forms, learning, proposals, queries
from .hearers import Called
from .reviewable import Reviewable

blueprint = Blueprint("moderation", __name__)
blueprint.add_app_template_filter(forms.place_in_words, "place")
blueprint.add_app_template_filter(lambda key: key.replace("-", " "), "in_words")


@blueprint.get("/support/<int:notification_id>")
@signed_in_even_suspended
def support(notification_id: int) -> Any:
    return _support(notification_id)


def _support(notification_id: int, *, note: str = "", errors: dict[str, str] | None = None, status: int = 200) -> Any:
    card = queries.support_card(current_user, notification_id)
    page = "moderation/_support.html" if wants_fragment() else "moderation/support.html"
    return render_template(page, card=card, note=note, errors=errors or {}), status


@blueprint.post("/support/<int:notification_id>/talk")
@signed_in_even_suspended
def talk(notification_id: int) -> Any:
    """Asking twice is fine: nobody who needs somebody is told that they asked already."""
    note = request.form.get("note", "")
    try:
        _count_words()
        db.stored(lambda: actions.ask_for_moderator(current_user, notification_id, note=note))
    except Refused as refusal:
        return _support(notification_id, note=note, errors=forms.errors_of(refusal), status=refusal.status)
    if wants_fragment():
        return _support(notification_id)
    return redirect(url_for(".support", notification_id=notification_id), 303)


@blueprint.get("/personal/<int:notification_id>")
@signed_in
def personal(notification_id: int) -> Any:
    """What the author may not want to share. Settled, or taken out: it is not there any more."""
    card = advice.advice_card(current_user, notification_id)
    page = "moderation/_personal.html" if wants_fragment() else "moderation/personal.html"
    return render_template(page, card=card)


@blueprint.post("/personal/<int:notification_id>/fine")
@signed_in
def personal_is_fine(notification_id: int) -> Any:
    with db.write():
        item = advice.say_it_is_fine(current_user, notification_id)
    return {"ok": True} if wants_fragment() else redirect(item.path(), 303)


@blueprint.get("/proposals/<int:proposal_id>")
@signed_in
def proposal(proposal_id: int) -> Any:
    return render_template("moderation/proposal.html", proposal=proposals.proposal_for(current_user, proposal_id))


@blueprint.post("/proposals/<int:proposal_id>")
@signed_in
def answer_proposal(proposal_id: int) -> Any:
    take = request.form.get("answer") == "take"
    try:
        db.stored(lambda: proposals.answer_proposal(current_user, proposal_id, take=take))
    except Conflict as refusal:
        flash(refusal.sentence, "warn")
    return redirect(url_for(".proposal", proposal_id=proposal_id), 303)


@blueprint.get("/words/<kind>/<int:target_id>")
@signed_in_even_suspended
def words(kind: str, target_id: int) -> Any:
    """One's own words: on to their place, or, where that is closed to their author, the words themselves."""
    found = queries.own_words(current_user, kind, target_id)
    return redirect(found.path, 303) if found.path else render_template("moderation/words.html", found=found)


@blueprint.get("/report/<kind>/<int:target_id>")
@signed_in
def report(kind: str, target_id: int) -> Any:
    item = access.item_to_report(current_user, kind, target_id)
    if item.author_id == current_user.id:
        raise Forbidden(actions.OWN_WORDS)
    if request.args.get("sent"):
        return render_template("moderation/reported.html", item=item, back=item.path())
    return _report_form(item, {})


@blueprint.post("/report/<kind>/<int:target_id>")
@signed_in
def send_report(kind: str, target_id: int) -> Any:
    item = access.item_to_report(current_user, kind, target_id)
    try:
        _count_words()
        concern = forms.concern_reported(request.form)
        db.stored(lambda: actions.report(current_user, kind, target_id, concern=concern, note=request.form.get("note", "")))
    except Refused as refusal:
        return _report_form(item, forms.errors_of(refusal)), refusal.status
    return redirect(url_for(".report", kind=kind, target_id=target_id, sent=1), 303)


def _report_form(item: Reviewable, errors: dict[str, str]) -> str:
    about = queries.about_to_report(item)
    options = forms.worry_options()
    return render_template(
        "moderation/report.html", item=item, about=about, options=options, form=request.form, errors=errors, back=item.path()
    )


@blueprint.get("/decisions/<int:decision_id>")
@signed_in_even_suspended
def statement(decision_id: int) -> Any:
    return _statement(decision_id)


@blueprint.post("/decisions/<int:decision_id>/appeal")
@signed_in_even_suspended
def appeal(decision_id: int) -> Any:
    words, days = request.form.get("words", ""), current_app.config["KITH"].appeal_days
    try:
        _count_words()
        card = db.stored(lambda: actions.appeal(current_user, decision_id, words=words, days=days))
    except NotFound:
        raise
    except Refused as refusal:
        return _statement(decision_id, words=words, errors=forms.errors_of(refusal)), refusal.status
    flash("Your appeal is sent. Somebody who did not make this decision looks at it and answers you here.", "ok")
    return redirect(url_for(".statement", decision_id=decision_id, support=card), 303)


def _statement(decision_id: int, *, words: str = "", errors: dict[str, str] | None = None) -> str:
    days = current_app.config["KITH"].appeal_days
    told = queries.statement(current_user, decision_id, appeal_days=days)
    card = _card_beside(text.whole(request.args.get("support")))
    return render_template("moderation/statement.html", told=told, words=words, errors=errors or {}, card=card)


def _card_beside(notification_id: int) -> Any:
    """The author's support card; somebody else's number shows nothing."""
    try:
        return queries.support_card(current_user, notification_id) if notification_id else None
    except NotFound:
        return None


@blueprint.get("/desk", endpoint="desk")
@staff_only
def show_desk() -> Any:
    lane = request.args.get("lane", "")
    after = forms.place_of(request.args.get("after", ""))
    found = desk.desk(current_user, only=lane if lane in desk.LANES else "", after=after)
    page = "moderation/_lanes.html" if wants_fragment() else "moderation/desk.html"
    mark = desk.fingerprint(found.beat)
    return render_template(page, desk=found, fingerprint=mark, open_id=_open_case(), after=after, now_at=now())


def _open_case() -> int:
    """The case beside which a script asks for the lists again."""
    return text.whole(request.args.get("open"))


@blueprint.get("/desk/changes")
@staff_only
def changes() -> Any:
    return desk.changes(current_user, forms.moment_of(request.args.get("since", "")))


@blueprint.get("/desk/cases/<int:case_id>/card")
@staff_only
def card(case_id: int) -> Any:
    return render_template("moderation/_card.html", card=desk.card(current_user, case_id), open_id=_open_case())


@blueprint.get("/desk/cases/<int:case_id>/version")
@staff_only
def version(case_id: int) -> Any:
    """Asked by an open case when something happened: NotFound once its reader may not see it any more."""
    return {"version": access.case_to_see(current_user, case_id).version}


@blueprint.get("/desk/cases/<int:case_id>")
@staff_only
def case(case_id: int) -> Any:
    access.case_to_see(current_user, case_id)
    if casefile.reading_is_news(current_user, case_id):
        with db.write():
            actions.note_reading(current_user, case_id)
    return _case_page(case_id)


def _case_page(case_id: int, errors: dict[str, str] | None = None) -> str:
    """The case as it is now, with whatever was typed into its forms."""
    file = casefile.case_file(current_user, case_id)
    lists = desk.desk(current_user)
    return render_template(
        "moderation/case.html",
        file=file,
        desk=lists,
        fingerprint=desk.fingerprint(lists.beat),
        open_id=case_id,
        form=request.form,
        typed=forms.was_deciding(request.form),
        errors=errors or {},
        outcomes=forms.ANSWERS if file.appeal else forms.outcomes_for(file.visibility),
        rule_options=[("", "Choose a rule"), *((rule.key, rule.title) for rule in file.rules)],
        outcome_words=forms.OUTCOME_WORDS,
        answer_words=forms.ANSWER_WORDS,
        signal_words=forms.SIGNAL_WORDS,
        act_words=forms.ACT_WORDS,
        now_at=now(),
    )


@blueprint.post("/desk/cases/<int:case_id>/claim")
@staff_only
def claim(case_id: int) -> Any:
    """Claiming again in the middle of a decision keeps what was typed."""

    def act() -> None:
        actions.claim(current_user, case_id, lease_minutes=_lease())

    refused = _try(case_id, act)
    if refused is None and forms.was_deciding(request.form):
        return _case_page(case_id)
    return refused or redirect(url_for(".case", case_id=case_id), 303)


@blueprint.post("/desk/cases/<int:case_id>/release")
@staff_only
def release(case_id: int) -> Any:
    refused = _try(case_id, lambda: actions.release(current_user, case_id))
    return refused or _back_to_desk("The case waits for somebody else now.")


@blueprint.post("/desk/cases/<int:case_id>/renew")
@staff_only
def renew(case_id: int) -> Any:
    """Asked by the page once a minute while somebody looks at it. A refusal is a sentence in JSON."""
    with db.write():
        held = actions.renew_claim(current_user, case_id, lease_minutes=_lease())
    if wants_fragment():
        return {"ok": True, "until": held.claim_until.isoformat() if held.claim_until else None}
    return redirect(url_for(".case", case_id=case_id), 303)


@blueprint.post("/desk/cases/<int:case_id>/escalate")
@staff_only
def escalate(case_id: int) -> Any:
    called: list[Called] = []
    refused = _try(case_id, lambda: called.append(actions.escalate(current_user, case_id, note=request.form.get("note", ""))))
    return refused or _back_to_desk(*forms.called_in_words(called[-1]))


@blueprint.post("/desk/cases/<int:case_id>/propose")
@staff_only
def propose(case_id: int) -> Any:
    words, why = request.form.get("cover", ""), request.form.get("why", "")
    refused = _try(case_id, lambda: proposals.propose(current_user, case_id, words=words, reason=why))
    if refused is None:
        flash("The author was asked. Nothing changes unless they agree; the case stays yours.", "ok")
    return refused or redirect(url_for(".case", case_id=case_id), 303)


@blueprint.post("/desk/cases/<int:case_id>/decide")
@staff_only
def decide(case_id: int) -> Any:
    refused = _try(case_id, lambda: actions.decide(current_user, case_id, forms.ruling_of(request.form)))
    return refused or _back_to_desk("Decided. The author reads your reason in their notifications.")


@blueprint.post("/desk/cases/<int:case_id>/appeal")
@staff_only
def decide_appeal(case_id: int) -> Any:
    def act() -> None:
        ruling = forms.ruling_of(request.form)
        actions.decide_appeal(current_user, case_id, ruling, overturn=forms.answer_of(request.form))

    return _try(case_id, act) or _back_to_desk("The appeal is answered. The author reads your reason in their notifications.")


@blueprint.get("/desk/cases/<int:case_id>/signals/<int:signal_id>/teach")
@staff_only
def lesson(case_id: int, signal_id: int) -> Any:
    return _lesson(case_id, signal_id)


@blueprint.post("/desk/cases/<int:case_id>/signals/<int:signal_id>/teach")
@staff_only
def teach(case_id: int, signal_id: int) -> Any:
    """Sent with another sentence than the exception was made from, the page comes back with the new exception to confirm."""
    sentence, exception = (text.storable(request.form.get(name, "")) for name in ("sentence", "exception"))
    at = learning.lesson(current_user, case_id, signal_id, sentence=sentence)
    if at.taught and at.taught.holds:
        return _lesson(case_id, signal_id), 409
    if at.why_not or exception != at.exception or request.form.get("act") != "teach":
        return _lesson(case_id, signal_id, sentence), 422 if at.why_not else 200
    try:
        checked = check_counterexample(at.rule.key, at.sentence, at.exception)
        with db.write():
            outcome = learning.teach(
                current_user, case_id, signal_id, sentence=at.sentence, exception=at.exception, checked_against=checked
            )
    except (NotFound, SignInNeeded):
        raise
    except Refused as refusal:
        return _lesson(case_id, signal_id, sentence, forms.errors_of(refusal)), refusal.status
    if outcome.in_force:
        current_lexicon()  # swaps in what was compiled for the check; the next words find it ready
        flash(f"“{at.rule.key}” leaves such words alone from now on.", "ok")
    else:
        flash(f"An admin was asked to look at it. Until then “{at.rule.key}” stays as it is.", "ok")
    return redirect(url_for(".case", case_id=case_id), 303)


def _lesson(case_id: int, signal_id: int, sentence: str | None = None, errors: dict[str, str] | None = None) -> str:
    at = learning.lesson(current_user, case_id, signal_id, sentence=sentence)
    errors = errors or ({"sentence": at.why_not} if at.why_not and sentence is not None else {})
    return render_template("moderation/teach.html", at=at, errors=errors, changed=sentence is not None)


def _try(case_id: int, act: Callable[[], object]) -> Any:
    """None when it was done; otherwise the case page with the reason why not and everything typed."""
    try:
        db.stored(act)
    except (NotFound, SignInNeeded):
        raise
    except Refused as refusal:
        return _case_page(case_id, forms.errors_of(refusal)), refusal.status
    return None


def _back_to_desk(sentence: str, kind: str = "ok") -> Any:
    flash(sentence, kind)
    return redirect(url_for(".desk"), 303)


def _lease() -> int:
    return int(current_app.config["KITH"].claim_minutes)


@blueprint.get("/desk/sanctions")
@staff_only
def sanctions() -> Any:
    access.must_be_senior(current_user)
    return _sanctions({}, None)


@blueprint.post("/desk/sanctions/<int:sanction_id>/lift")
@staff_only
def lift(sanction_id: int) -> Any:
    try:
        with db.write():
            still = actions.lift_sanction(current_user, sanction_id, reason=request.form.get("reason", ""))
    except Refused as refusal:
        access.must_be_senior(current_user)
        return _sanctions(forms.errors_of(refusal), sanction_id), refusal.status
    flash(forms.lifted_in_words(still), "ok")
    return redirect(url_for(".sanctions"), 303)


def _sanctions(errors: dict[str, str], wrong: int | None) -> str:
    found = queries.sanctions(before=text.whole(request.args.get("before")))
    return render_template("moderation/sanctions.html", found=found, errors=errors, wrong=wrong, form=request.form, now_at=now())


def _count_words() -> None:
    limit("write", current_user.id, current_app.config["KITH"].write_limit)
