"""Live messages."""

from __future__ import annotations

from flask import Flask

from community.core.realtime import socketio

from . import models as models
from . import presence
from .routes import blueprint
from .sockets import ChatNamespace


def init_app(app: Flask) -> None:
    presence.presence.begin()
    app.register_blueprint(blueprint)
    socketio.on_namespace(ChatNamespace("/"))
