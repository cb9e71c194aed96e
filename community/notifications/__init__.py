"""What people are told: in the app, by e-mail."""

from __future__ import annotations

from flask import Flask

from . import jobs, routes
from . import models as models


def init_app(app: Flask) -> None:
    app.register_blueprint(routes.blueprint)
    jobs.init_app(app)
