"""The desk: gate, cases, decisions, appeals, deadlines."""

from __future__ import annotations

from flask import Flask

from community.core.realtime import socketio

from . import admin, promptness, routes
from . import models as models
from .events import DESK
from .sockets import DeskNamespace


def init_app(app: Flask) -> None:
    app.register_blueprint(routes.blueprint)
    app.register_blueprint(admin.blueprint)
    # For pages of floors below, which know nothing of cases.
    app.jinja_env.globals.update(somebody_here=promptness.somebody_here, how_soon=promptness.how_soon)
    socketio.on_namespace(DeskNamespace(DESK))
