"""The doors for everybody: signing up, in and out, one's own profile, house rules, help, about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user

from community.core import db
from community.core.clock import now
from community.core.errors import Forbidden, Invalid, Refused, TooMany
from community.core.limits import give_back, limit
from community.core.web import local_path, public, signed_in, signed_in_even_suspended
from community.safety import countries, helplines_for
from config import Config

from . import access, actions, blocking, forms, queries
from .actions import NewAccount, name_key
from .browsers import browser_of
from .models import Account
from .passwords import NOBODY, check_password, hash_password, is_password

blueprint = Blueprint("accounts", __name__)
NAME_READ = 100
THEME_SECONDS = 365 * 86_400
TWINS_WITHIN = timedelta(minutes=2)
PROFILE_LIMIT = "20 per hour"
MUTE_LIMIT = "120 per minute"
WRONG = "This name and password do not belong together. Check both; capital letters matter in the password."
NOT_YOURS_NOW = "This is not your password now. Capital letters matter."
TRIED_TOO_OFTEN = "There were too many failed tries with this name or from this address. Wait a few minutes, then try again."
SIGNED_UP_TOO_OFTEN = "There were too many sign-ups from this address. Wait an hour, then try again; nobody is shut out for good."
WELCOME = (
    "Welcome, {}. It is good that you are here. Choose a room and read for as long as you like; nobody has to write. "
    "“Help now”, above, is there at any hour."
)
SIGN_UPS_CLOSED = "New accounts are made by the team here. Write to them if you would like one."


def _config() -> Config:
    config: Config = current_app.config["KITH"]
    return config


def _go_on() -> str:
    return local_path(request.values.get("next"), url_for("rooms.index"))


def _errors(refusal: Refused | None) -> dict[str, str]:
    """What stands beside the fields; "" is for the whole form."""
    if refusal is None:
        return {}
    return refusal.fields if isinstance(refusal, Invalid) else {"": refusal.sentence}


# ---- signing up


@blueprint.route("/sign-up", methods=["GET", "POST"])
@public
def sign_up() -> Any:
    if current_user.is_authenticated:
        return redirect(_go_on(), 303)
    if request.method != "POST":  # HEAD reads as GET does
        return _sign_up_page({"country": _config().default_country})
    try:
        made = _new_account()
        entered = _enter(made)
    except Refused as refusal:
        return _sign_up_page(request.form, refusal), refusal.status
    flash(WELCOME.format(made.name), "ok")
    return entered


def _new_account() -> Account:
    """The account just made; when the form was sent twice, the one its twin made."""
    config = _config()
    if config.signup == "closed":
        raise Forbidden(SIGN_UPS_CLOSED)
    form = _sign_up_form(config)
    _limit("sign-up", request.remote_addr, config.signup_limit, SIGNED_UP_TOO_OFTEN)
    db.end_reading()
    new = NewAccount(form.name, hash_password(form.password), form.country, form.email)
    try:
        with db.write():
            return actions.add_account(new)
    except Invalid:
        twin = _twin(form)
        if twin is None:
            raise
        return twin


def _sign_up_form(config: Config) -> forms.SignUp:
    """With other problems, that the name is taken is said at once and not on the next try; a form that is right may be the twin
    of one sent before. Asked as seldom as a sign-in may be tried, or it would be a place to ask who is here."""
    try:
        return forms.sign_up(request.form, asks_email=config.signup_email)
    except Invalid as problem:
        taken = {} if "name" in problem.fields else _taken_name(request.form.get("name", ""), config.login_limit)
        raise Invalid(taken | problem.fields) from None


def _taken_name(name: str, allowance: str) -> dict[str, str]:
    try:
        limit("name asked from", request.remote_addr, allowance)
    except TooMany:
        return {}
    return {"name": actions.NAME_TAKEN} if access.account_named(name_key(name)) else {}


def _twin(form: forms.SignUp) -> Account | None:
    """Only an account made a moment ago can be of the same form; for an older one this would be a place to try passwords."""
    made = access.account_named(name_key(form.name))
    if made is None or made.name != form.name or made.created_at < now() - TWINS_WITHIN:
        return None
    return _tried(form.name, form.password)


def _sign_up_page(typed: Mapping[str, str], refusal: Refused | None = None) -> str:
    return render_template(
        "accounts/sign_up.html", typed=typed, errors=_errors(refusal), rules=queries.house_rules(),
        countries=forms.countries_to_choose(), config=_config(), go_on=request.values.get("next", ""),
    )  # fmt: skip


# ---- signing in and out


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Any:
    if current_user.is_authenticated:
        return redirect(_go_on(), 303)
    if request.method != "POST":
        return _sign_in_page()
    try:
        return _enter(_who_signs_in())
    except Refused as refusal:
        return _sign_in_page(refusal), refusal.status


def _sign_in_page(refusal: Refused | None = None) -> str:
    return render_template(
        "accounts/sign_in.html", name=request.form.get("name", "")[:NAME_READ], errors=_errors(refusal), config=_config(),
        go_on=request.values.get("next", ""), left="left" in request.args,
    )  # fmt: skip


def _who_signs_in() -> Account:
    """Counted before the password is looked at, so that many tries at once count as many; a right one is taken back."""
    name = request.form.get("name", "")[:NAME_READ]
    account = _tried(name, request.form.get("password", ""))
    if account is None:
        raise Invalid({"": WRONG})
    return account


def _tried(name: str, password: str) -> Account | None:
    allowance = _config().login_limit
    tries = (("sign-in from", request.remote_addr), ("sign-in as", name_key(name)))
    for what, who in tries:
        _limit(what, who, allowance, TRIED_TOO_OFTEN)
    account = _proven(name, password)
    if account is not None:
        for what, who in tries:
            give_back(what, who, allowance)
    return account


def _proven(name: str, password: str) -> Account | None:
    """Whose name and password these are. Takes the same time when nobody has the name."""
    account = access.account_named(name_key(name))
    db.end_reading()
    right = is_password(password, account.password_hash if account else NOBODY)
    return account if right else None


def _limit(what: str, who: object, allowance: str, sentence: str) -> None:
    try:
        limit(what, who, allowance)
    except TooMany:
        raise TooMany(sentence) from None


def _enter(account: Account) -> Any:
    """A new sign-in with a new identifier; nothing of the visitor's session is kept. Where somebody's own sign-in had ended, the
    forms they left open in this browser can still be sent."""
    with db.write():
        fresh = access.account_again(account.id, account.password_hash)
        if fresh is None:
            raise Invalid({"": WRONG})
        same_person = access.was_signed_in(fresh, session.get("_user_id"))
        actions.sign_in(fresh, days=_config().session_days, browser=browser_of(request.user_agent.string))
    forms_left_open = session.get("csrf_token") if same_person else None
    session.clear()
    login_user(fresh)
    if forms_left_open:
        session["csrf_token"] = forms_left_open
    session.permanent = True
    return redirect(url_for("accounts.suspended") if fresh.is_suspended else _go_on(), 303)


@blueprint.post("/sign-out")
@signed_in_even_suspended
def sign_out() -> Any:
    with db.write():
        actions.sign_out(current_user)
    logout_user()
    session.clear()  # empty: the cookie itself is taken back
    return redirect(url_for("accounts.sign_in", left=1), 303)


# ---- one's own profile


@blueprint.get("/me")
@signed_in_even_suspended
def profile() -> Any:
    return _profile_page()


def _profile_page(refusal: Refused | None = None, typed: Mapping[str, str] | None = None) -> Any:
    page = render_template(
        "accounts/profile.html", errors=_errors(refusal), typed=typed or _as_typed(current_user), config=_config(),
        countries=forms.countries_to_choose(), sign_ins=queries.sign_ins_of(current_user.id), themes=forms.THEMES,
        theme=request.cookies.get("theme", "auto"), muted=queries.muted_words_of(current_user.id),
    )  # fmt: skip
    return page, refusal.status if refusal else 200


def _as_typed(account: Account) -> dict[str, str]:
    return {"name": account.name, "country": account.country, "email": account.email or ""}


@blueprint.post("/me")
@signed_in
def change_profile() -> Any:
    try:
        form = forms.profile(request.form, asks_email=_config().signup_email)
        limit("profile", current_user.id, PROFILE_LIMIT)
        with db.write():
            actions.change_profile(current_user, name=form.name, country=form.country, email=form.email)
    except Refused as refusal:
        return _profile_page(refusal, request.form)
    flash("Your profile is saved.", "ok")
    return redirect(url_for("accounts.profile"), 303)


@blueprint.post("/me/presence")
@signed_in
def change_presence() -> Any:
    limit("profile", current_user.id, PROFILE_LIMIT)
    away, typing = (bool(request.form.get(name)) for name in ("appears_away", "shows_typing"))
    with db.write():
        actions.change_presence(current_user, appears_away=away, shows_typing=typing)
    flash("How others notice you in chats is saved.", "ok")
    return redirect(url_for("accounts.profile", _anchor="presence-title"), 303)


@blueprint.post("/me/muted")
@signed_in
def mute() -> Any:
    try:
        limit("mute", current_user.id, MUTE_LIMIT)
        db.stored(lambda: actions.mute(current_user, request.form.get("words")))
    except Refused as refusal:
        return _profile_page(refusal, _as_typed(current_user) | {"words": request.form.get("words", "")})
    return redirect(url_for("accounts.profile", _anchor="muted-title"), 303)


@blueprint.post("/me/muted/<int:muted_id>/remove")
@signed_in
def unmute(muted_id: int) -> Any:
    with db.write():
        actions.unmute(current_user, muted_id)
    return redirect(url_for("accounts.profile", _anchor="muted-title"), 303)


@blueprint.get("/me/apart")
@signed_in
def apart() -> Any:
    return render_template("accounts/apart.html", people=blocking.kept_away_by(current_user))


@blueprint.get("/people/<int:account_id>/apart")
@signed_in
def keep_away_page(account_id: int) -> Any:
    """What blocking and muting mean, before either is done. Works without script."""
    other = blocking.person_to_block(current_user, account_id)
    return render_template("accounts/keep_away.html", other=other)


@blueprint.post("/people/<int:account_id>/apart")
@signed_in
def keep_away(account_id: int) -> Any:
    limit("mute", current_user.id, MUTE_LIMIT)
    kind = "block" if request.form.get("kind") == "block" else "mute"
    other = db.stored(lambda: blocking.keep_away(current_user, account_id, kind))
    flash(f"{other.name} is {'blocked' if kind == 'block' else 'muted'}. Nobody is told. You can undo it here.", "ok")
    return redirect(url_for("accounts.apart"), 303)


@blueprint.post("/people/<int:account_id>/meet")
@signed_in
def meet_again(account_id: int) -> Any:
    with db.write():
        blocking.meet_again(current_user, account_id)
    return redirect(url_for("accounts.apart"), 303)


@blueprint.post("/me/password")
@signed_in_even_suspended
def change_password() -> Any:
    try:
        new = check_password(request.form.get("new_password", ""), name=current_user.name, field="new_password")
        if _tried(current_user.name, request.form.get("current_password", "")) is None:
            raise Invalid({"current_password": NOT_YOURS_NOW})
        hashed = hash_password(new)
        with db.write():
            actions.change_password(current_user, hashed)
    except Refused as refusal:
        return _profile_page(refusal)
    flash("Your password is changed. Every other sign-in has ended.", "ok")
    return redirect(url_for("accounts.profile"), 303)


@blueprint.post("/me/sign-ins")
@signed_in_even_suspended
def end_other_sign_ins() -> Any:
    with db.write():
        actions.sign_out_everywhere(current_user, keep_current=True)
    flash("You are signed out everywhere else.", "ok")
    return redirect(url_for("accounts.profile"), 303)


@blueprint.get("/suspended")
@signed_in_even_suspended
def suspended() -> Any:
    """What a suspension means, which decision made it, and how to appeal."""
    if not current_user.is_suspended:
        return redirect(url_for("accounts.profile"))
    return render_template(
        "accounts/suspended.html",
        restrictions=queries.restrictions_of(current_user.id),
        lines=helplines_for(current_user.country),
    )


# ---- for everybody


@blueprint.post("/theme")
@public
def theme() -> Any:
    """Light or dark on this device; `auto` follows the system and needs no cookie."""
    chosen = request.form.get("theme", "auto")
    answer = redirect(local_path(request.form.get("next"), url_for("accounts.about")), 303)
    if chosen in forms.THEMES and chosen != "auto":
        answer.set_cookie("theme", chosen, max_age=THEME_SECONDS, samesite="Lax", secure=_config().secure_cookies, httponly=True)
    else:
        answer.delete_cookie("theme", samesite="Lax", secure=_config().secure_cookies, httponly=True)
    return answer


@blueprint.get("/house-rules")
@public
def house_rules() -> Any:
    return render_template("accounts/house_rules.html", rules=queries.house_rules())


@blueprint.get("/help")
@public
def help_now() -> Any:
    """Helplines: of the country asked for, of one's own, or of this community."""
    known = countries()
    own = current_user.country if current_user.is_authenticated else _config().default_country
    asked = request.args.get("country", own)
    country = asked if asked in known else forms.ELSEWHERE
    return render_template(
        "accounts/help.html", country=country, country_name=known.get(country, ""), lines=helplines_for(country),
        countries=forms.countries_to_choose(),
    )  # fmt: skip


@blueprint.get("/about")
@public
def about() -> Any:
    return render_template(
        "accounts/about.html", config=_config(), themes=forms.THEMES, theme=request.cookies.get("theme", "auto")
    )
