"""Rooms built around a shared experience, who is in them, and their hours."""

from __future__ import annotations

from flask import Flask

from . import admin, routes
from . import models as models


def init_app(app: Flask) -> None:
    app.register_blueprint(routes.blueprint)
    app.register_blueprint(admin.blueprint)
