"""Facilitated sessions."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_login import current_user

from community.chat import limits

from . import jobs as jobs
from . import models as models
from . import queries, routes
from .access import leads_in, session_in_room

limits.spared.append(leads_in)


def init_app(app: Flask) -> None:
    app.register_blueprint(routes.blueprint)
    app.jinja_env.globals.update(beside_chat=_beside_chat, sessions_ahead=queries.sessions_ahead)


def _beside_chat(room_id: int) -> Any:
    """For the chat page of a session's room, which stands below and knows nothing of sessions."""
    return queries.beside(current_user, session_in_room(current_user, room_id), room_id)
