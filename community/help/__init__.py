"""Asking to talk to a moderator, without having written anything in a room."""

from __future__ import annotations

from flask import Flask

from . import models as models
from . import routes


def init_app(app: Flask) -> None:
    app.register_blueprint(routes.blueprint)
