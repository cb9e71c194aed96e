"""The forum's pages: a room's topics, a topic, writing, changing and taking back one's own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user

from community.accounts.blocking import apart_from
from community.accounts.queries import muted_by
from community.core import db
from community.core.errors import Invalid, NotFound, Refused
from community.core.limits import limit
from community.core.text import whole
from community.core.web import signed_in
from community.moderation.advice import advice_card, given_away
from community.moderation.promptness import when_read
from community.moderation.queries import support_card
from community.rooms.access import why_not_write
from community.rooms.models import Room
from community.rooms.posture import WAITS, words_wait
from community.safety.personal import taken_out

from . import access, actions, forms, queries

blueprint = Blueprint("forum", __name__)


@blueprint.get("/rooms/<int:room_id>/topics")
@signed_in
def room(room_id: int) -> Any:
    place = access.forum_to_read(current_user, room_id)
    before = forms.place_of(request.args.get("before"))
    listed = queries.topics_of(current_user, room_id, before=before)
    return render_template(
        "forum/room.html",
        room=place,
        topics=listed.topics,
        older=forms.place_text(listed.older),
        is_first=before is None,
        muted=muted_by(current_user),
        apart=apart_from(current_user).chosen,
        closed=_why_not(place),
    )


def _why_not(room: Room) -> str:
    """The sentence that says why this person cannot write here now."""
    return why_not_write(current_user, room, "forum")


@blueprint.get("/rooms/<int:room_id>/topics/new")
@signed_in
def new_topic(room_id: int) -> Any:
    return _topic_form(room_id, {}, {})


@blueprint.post("/rooms/<int:room_id>/topics/new")
@signed_in
def open_topic(room_id: int) -> Any:
    config, form = current_app.config["KITH"], request.form
    key = forms.key_of(form.get("form_key"))
    try:
        limit("write", current_user.id, config.write_limit)
        written = db.stored(
            lambda: actions.open_topic(
                current_user, room_id, title=form.get("title"), body=form.get("body"), form_key=key,
                limits=(config.title_max, config.post_max),
            )
        )  # fmt: skip
    except NotFound:
        raise
    except Refused as refusal:
        return _topic_form(room_id, form, _errors(refusal)), refusal.status
    return _to_post(written)


def _topic_form(room_id: int, typed: Any, errors: dict[str, str]) -> Any:
    place = access.forum_to_read(current_user, room_id)
    waits = f"{WAITS} {when_read(place)}" if words_wait(place) else ""
    return render_template(
        "forum/new_topic.html",
        room=place,
        typed=typed,
        errors=errors,
        closed=_why_not(place),
        waits=waits,
        form_key=forms.new_key(),
    )


def _errors(refusal: Refused) -> dict[str, str]:
    return refusal.fields if isinstance(refusal, Invalid) else {"": refusal.sentence}


def _to_post(written: actions.Written) -> Any:
    """On to the post. Cards for its author stand right above it, support first."""
    post, support, personal = written.post, written.reviewed.support_id, written.reviewed.advice_id
    anchor = "support-title" if support else f"personal-{personal}" if personal else f"post-{post.id}"
    here = url_for("forum.topic", topic_id=post.topic_id, at=post.number, support=support, personal=personal, _anchor=anchor)
    return redirect(here, 303)


@blueprint.get("/topics/<int:topic_id>")
@signed_in
def topic(topic_id: int) -> Any:
    return _topic_page(topic_id, at=whole(request.args.get("at"), 1))


def _topic_page(topic_id: int, *, at: int, typed: str = "", errors: dict[str, str] | None = None) -> Any:
    found, place = access.topic_to_read(current_user, topic_id)
    pages = queries.Pages.holding(at, found.post_count)
    mine, muted, apart = found.author_id == current_user.id, muted_by(current_user), apart_from(current_user).chosen
    return render_template(
        "forum/topic.html",
        topic=found,
        room=place,
        pages=pages,
        posts=queries.posts_on(current_user, found, pages, muted=muted, apart=apart),
        title_apart=found.author_id in apart,
        title_muted=muted is not None and not mine and muted.hides(found.title),
        at=at,
        card=_card(support_card, "support"),
        personal=_card(advice_card, "personal"),
        mine=mine,
        waits=when_read(place),
        closed=_why_not(place),
        typed=typed,
        errors=errors or {},
        form_key=forms.new_key(),
        longest=current_app.config["KITH"].post_max,
    )


def _card(of: Callable[[Any, int], Any], name: str) -> Any:
    """A card for the author, by its number in the address; somebody else's number shows nothing."""
    number = whole(request.args.get(name))
    try:
        return of(current_user, number) if number else None
    except NotFound:
        return None


@blueprint.post("/topics/<int:topic_id>/posts")
@signed_in
def reply(topic_id: int) -> Any:
    config, body = current_app.config["KITH"], request.form.get("body")
    key = forms.key_of(request.form.get("form_key"))
    try:
        limit("write", current_user.id, config.write_limit)
        written = db.stored(lambda: actions.write_post(current_user, topic_id, body=body, form_key=key, limit=config.post_max))
    except NotFound:
        raise
    except Refused as refusal:
        last = whole(request.form.get("at"), 1)
        return _topic_page(topic_id, at=last, typed=body or "", errors=_errors(refusal)), refusal.status
    return _to_post(written)


@blueprint.get("/posts/<int:post_id>/edit")
@signed_in
def edit(post_id: int) -> Any:
    """`?without=1`: the words without what their author may not want to share, to be saved or put back."""
    return _edit_form(post_id, None, {}, without=bool(request.args.get("without")))


@blueprint.post("/posts/<int:post_id>/edit")
@signed_in
def save(post_id: int) -> Any:
    config, body = current_app.config["KITH"], request.form.get("body")
    try:
        limit("write", current_user.id, config.write_limit)
        with db.write():
            written = actions.edit_post(current_user, post_id, body=body, limit=config.post_max)
    except Invalid as refusal:
        return _edit_form(post_id, body or "", refusal.fields), refusal.status
    return _to_post(written)


def _edit_form(post_id: int, typed: str | None, errors: dict[str, str], *, without: bool = False) -> Any:
    post = access.post_to_edit(current_user, post_id)
    found, place = access.topic_to_read(current_user, post.topic_id)
    out = given_away(post) if without else ()
    return render_template(
        "forum/edit.html",
        post=post,
        topic=found,
        room=place,
        typed=taken_out(post.body, out) if typed is None else typed,
        taken_out=[post.body[start:end] for _, start, end in out],
        errors=errors,
        longest=current_app.config["KITH"].post_max,
    )


@blueprint.post("/posts/<int:post_id>/withdraw")
@signed_in
def withdraw(post_id: int) -> Any:
    with db.write():
        post = actions.withdraw_post(current_user, post_id)
    flash("You took these words back. Nobody reads them here any more.", "ok")
    if post.topic.visibility == "withdrawn":
        return redirect(url_for("forum.room", room_id=post.room_id), 303)
    return redirect(url_for("forum.topic", topic_id=post.topic_id, at=post.number, _anchor=f"post-{post.id}"), 303)
