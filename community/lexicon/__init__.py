"""The safety rules as rows: edited, tried, published."""

from __future__ import annotations

from flask import Flask

from . import admin
from . import models as models


def init_app(app: Flask) -> None:
    app.register_blueprint(admin.blueprint)
