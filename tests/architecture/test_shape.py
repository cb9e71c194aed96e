"""Rules about the shape: floors, sizes, settings written down, migrations that match the models."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import community
from community import create_app
from config import Config
from docs.make_settings import table
from tests import servers

ROOT = Path(community.__file__).parent
TOP = ROOT.parent


def test_imports_keep_their_floors() -> None:
    ran = subprocess.run([Path(sys.executable).with_name("lint-imports")], cwd=TOP, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_no_function_needs_a_scroll() -> None:
    long = [
        f"{path.relative_to(TOP)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno and node.end_lineno - node.lineno >= 45
    ]
    assert not long, "\n".join(long)


def test_every_setting_is_in_the_table() -> None:
    assert (TOP / "docs/settings.md").read_text() == table(), "run: python -m docs.make_settings > docs/settings.md"


def test_pages_use_no_other_host_and_no_inline_script_or_style() -> None:
    for page in (TOP / "templates").rglob("*.html"):
        text = page.read_text()
        assert " style=" not in text, f"{page.name}: no style attributes under this CSP"
        assert "<script>" not in text, f"{page.name}: no inline script under this CSP"
        assert 'src="http' not in text, f"{page.name}: no other host at run time"
        for handler in (" onclick=", " onload=", " onsubmit=", " onchange="):
            assert handler not in text, f"{page.name}: no inline handlers"


def test_only_stored_html_is_put_in_pages_unescaped() -> None:
    """`|safe` is for HTML that core.text.clean made, and nowhere else."""
    for page in (TOP / "templates").rglob("*.html"):
        for line in page.read_text().splitlines():
            if "|safe" in line.replace(" ", ""):
                assert "html" in line, f"{page.name}: {line.strip()}"


@pytest.mark.servers
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_migrations_go_up_and_back_and_match_the_models(engine: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'm.sqlite3'}" if engine == "sqlite" else servers.fresh_postgres()
    app = create_app(Config(mode="test", data_dir=tmp_path, database_url=url, jobs="outside"))
    with app.app_context():
        alembic = app.extensions["alembic"]
        alembic.upgrade()
        assert alembic.compare_metadata() == []
        alembic.downgrade("base")
    with app.app_context():
        left = set(_tables(app))
        assert left <= {"alembic_version"}, left
        alembic.upgrade()
        assert alembic.compare_metadata() == []


def _tables(app: object) -> list[str]:
    import sqlalchemy as sa

    from community.core import db

    return list(sa.inspect(db.engine()).get_table_names())
