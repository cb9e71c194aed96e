"""Certificates and shifts."""

from __future__ import annotations

from flask import Flask

from . import admin
from . import jobs as jobs
from . import models as models


def init_app(app: Flask) -> None:
    app.register_blueprint(admin.blueprint)
