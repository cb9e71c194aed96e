"""Schema migrations: Flask-Alembic over the revisions in `migrations/`.

They run on an engine of their own with SQLite's foreign keys off: a batch change re-creates a table, and with them on every
child row would be deleted by CASCADE.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_alembic import Alembic

from . import db

FOLDER = Path(__file__).parents[2] / "migrations"
UNMANAGED = ("posts_search", "posts_fts", "message_words_search", "message_words_fts")
"""Full-text tables and indexes, made by hand in a migration for each engine."""


def init_app(app: Flask) -> None:
    config = app.config["KITH"]
    app.config["ALEMBIC"] = {"script_location": str(FOLDER)}
    app.config["ALEMBIC_CONTEXT"] = {
        "render_as_batch": True,
        "compare_type": True,
        "compare_server_default": False,
        "render_item": _render_item,
        "include_object": _managed,
        "transaction_per_migration": True,
    }
    engine = db.make_engine(config.sqlalchemy_url, pool_size=1, foreign_keys=False)
    Alembic(app, run_mkdir=False, metadatas=db.Base.metadata, engines=engine)


def waiting_migrations() -> int:
    """How many revisions the database has not seen yet."""
    scripts = ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER)])
    with db.engine().connect() as connection:
        current = MigrationContext.configure(connection).get_current_heads()
    known = {script.revision for script in scripts.walk_revisions()}
    if not set(current) <= known:
        return len(known)
    return len(list(scripts.iterate_revisions("heads", current or "base")))


def _render_item(kind: str, item: Any, context: Any) -> Any:
    if kind == "type" and isinstance(item, db.UTCDateTime):
        context.imports.add("from community.core.db import UTCDateTime")
        return "UTCDateTime()"
    return False


def _managed(_item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    return not (name and name.startswith(UNMANAGED)) and not (kind == "table" and name == "sqlite_sequence")
