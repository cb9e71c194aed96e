"""The desk: gate, cases, decisions, appeals, deadlines."""

from __future__ import annotations

from flask import Flask

from community.core.realtime import socketio

from . import admin, routes
from . import models as models
from .events import DESK
from .sockets import DeskNamespace


def init_app(app: Flask) -> None:
    app.register_blueprint(routes.blueprint)
    app.register_blueprint(admin.blueprint)
    socketio.on_namespace(DeskNamespace(DESK))
