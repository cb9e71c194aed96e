"""The page of what one was told. A suspended member reads it too: the reasons are there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import current_user

from community.core import db
from community.core.web import signed_in_even_suspended

from . import actions, queries

blueprint = Blueprint("notifications", __name__)
KINDS = (
    "support", "held", "decision", "sanction-lifted", "appeal-decided", "case-overdue", "case-paged", "certificate-granted",
    "certificate-ended", "room-added", "personal", "session", "cover-proposed",
)  # fmt: skip


@blueprint.get("/notifications")
@signed_in_even_suspended
def index() -> Any:
    """Newest first. What is shown counts as read from then on, and is marked as new this once."""
    found = queries.notifications_of(current_user.id, before=request.args.get("before", type=_row_id))
    shown = found[: queries.SHOWN]
    unread = [row.id for row in shown if row.read_at is None]
    if unread:
        with db.write():
            actions.mark_read(current_user, unread)
    return render_template(
        "notifications/index.html", notes=shown, kinds=KINDS, moment_of=_moment_of, older=_older(found),
        first="before" not in request.args,
    )  # fmt: skip


def _row_id(written: str) -> int:
    """Raises ValueError, which shows the first page, for what no database could hold as an id."""
    number = int(written)
    if not 0 < number < 2**31:
        raise ValueError(written)
    return number


def _older(found: Any) -> str | None:
    return url_for("notifications.index", before=found[queries.SHOWN - 1].id) if len(found) > queries.SHOWN else None


def _moment_of(written: str | None) -> datetime | None:
    """A time in `data` is kept as ISO 8601."""
    return datetime.fromisoformat(written) if written else None


@blueprint.post("/notifications/read")
@signed_in_even_suspended
def read_all() -> Any:
    with db.write():
        actions.mark_all_read(current_user)
    return redirect(url_for("notifications.index"), 303)


@blueprint.post("/notifications/<int:notification_id>/read")
@signed_in_even_suspended
def read_one(notification_id: int) -> Any:
    with db.write():
        actions.mark_read(current_user, [notification_id])
    return redirect(url_for("notifications.index"), 303)
