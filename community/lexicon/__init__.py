"""The safety rules as rows: edited, tried, published."""

from __future__ import annotations

from flask import Flask

from . import admin
from . import admin_drafts as admin_drafts
from . import admin_form as admin_form
from . import admin_packs as admin_packs
from . import models as models


def init_app(app: Flask) -> None:
    app.register_blueprint(admin.blueprint)  # with the pages that the other doors added to it
