"""People: signing up and in, standing, house rules."""

from __future__ import annotations

import logging

from flask import Flask, Response, current_app, g, session
from flask_login import AnonymousUserMixin, LoginManager
from sqlalchemy.exc import SQLAlchemyError

from community.core import db
from community.core.clock import now

from . import actions, admin, routes
from .access import account_live, account_signed_in

logger = logging.getLogger(__name__)
SEEN_EVERY_S = 3_600


class Visitor(AnonymousUserMixin):  # type: ignore[misc]
    """Somebody not signed in: has no id, no role and may hear nothing."""

    id = None
    is_suspended = is_staff = is_senior = is_admin = False


def init_app(app: Flask) -> None:
    manager = LoginManager()
    manager.session_protection = None  # sign-ins are rows; binding them to an address signs phones out
    manager.anonymous_user = Visitor
    manager.user_loader(account_signed_in)
    manager.init_app(app)
    app.extensions["kith_account_live"] = account_live
    app.register_blueprint(routes.blueprint)
    app.register_blueprint(admin.blueprint)
    app.after_request(_keep_sign_in)


def _keep_sign_in(response: Response) -> Response:
    """A visit makes the sign-in and its cookie last longer: one write an hour, not one a request."""
    account = g.get("_login_user")
    if account is None or not account.is_authenticated or response.status_code >= 400:
        return response
    if account.session_seen_s > now().timestamp() - SEEN_EVERY_S:
        return response
    try:
        with db.write():
            actions.keep_sign_in(account, days=current_app.config["KITH"].session_days)
        session.modified = True
    except SQLAlchemyError:
        logger.exception("a sign-in was not made to last longer; the page is right, and the next one tries again")
    return response
