"""Live messages."""

from __future__ import annotations

import logging

from flask import Flask, g
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from community.core.realtime import socketio

from . import models as models
from . import presence, reading
from .routes import blueprint
from .sockets import ChatNamespace

logger = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    presence.presence.begin()
    app.register_blueprint(blueprint)
    app.jinja_env.globals["unread_chats"] = _unread_chats
    socketio.on_namespace(ChatNamespace("/"))


def _unread_chats() -> dict[int, int]:
    """For the head of every page, and for pages about rooms, which stand below: asked once a page. A page about a failing
    database does without."""
    if "unread_chats" not in g:
        try:
            g.unread_chats = reading.unread_by_room(current_user) if current_user.is_authenticated else {}
        except SQLAlchemyError:
            logger.exception("unread messages could not be counted; the page goes without their number")
            return {}
    counted: dict[int, int] = g.unread_chats
    return counted
