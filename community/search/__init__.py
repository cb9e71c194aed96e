"""Finding words again: in topics and in chats, on one page."""

from __future__ import annotations

from flask import Flask

from .routes import blueprint


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
