"""Kith: a moderated online peer community. `create_app` is the table of contents."""

from __future__ import annotations

from flask import Flask

from config import Config, read

from . import (
    accounts,
    background,
    chat,
    commands,
    forum,
    help,
    lexicon,
    moderation,
    notifications,
    rooms,
    search,
    sessions,
    training,
)
from .core import audit as audit
from .core import db, health, limits, logs, migrations, realtime, web


def create_app(config: Config | None = None) -> Flask:
    app = Flask(__name__, template_folder="../templates", static_folder=None)
    app.config["KITH"] = config or read()
    for part in (logs, db, migrations, limits, web, health):
        part.init_app(app)
    for package in (accounts, rooms, training, notifications, lexicon, moderation, forum, chat, help, sessions, search):
        package.init_app(app)
    web.serve_static(app)
    realtime.init_app(app)
    web.guard_all(app)
    commands.init_app(app)
    background.init_app(app)
    return app
