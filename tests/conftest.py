"""One cast and one way to make an app, for every test.

The database is SQLite unless KITH_TEST_DATABASE=postgresql, which starts a real PostgreSQL from PyPI once per session and
runs the tests that have a database: the others said what they know on the first run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from community import create_app
from config import Config
from tests import servers
from tests.people import Person, Stage

ENGINE = os.environ.get("KITH_TEST_DATABASE", "sqlite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A journey in a browser is walked once more before it counts as failed; the summary names it (RERUN), because it is a race to be
    looked for, in the page or in the test."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))
    if ENGINE == "sqlite":
        return
    ours = [item for item in items if "blank" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(ours)])
    items[:] = ours


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A migrated, empty database, made once and copied for each test."""
    if ENGINE == "postgresql":
        return servers.PostgresTemplate(tmp_path_factory.mktemp("postgres"))
    return servers.SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def config(blank: Any, tmp_path: Path) -> Iterator[Config]:
    with blank.copy(tmp_path) as url:
        yield Config(mode="test", data_dir=tmp_path, database_url=url, jobs="outside", fanout="stock")


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    made = create_app(config)
    yield made
    made.extensions["kith_engine"].dispose()
    shutil.rmtree(config.data_dir, ignore_errors=True)


@pytest.fixture
def stage(app: Flask) -> Stage:
    """Two rooms ("Low days" publishes, "Eating" holds), house rules, starter lexicon, and nobody yet."""
    return Stage(app)


@pytest.fixture
def ana(stage: Stage) -> Person:
    """A member of Low days and Eating."""
    return stage.person("Ana", rooms=True)


@pytest.fixture
def ben(stage: Stage) -> Person:
    """Another member, new today."""
    return stage.person("Ben", rooms=True)


@pytest.fixture
def dev(stage: Stage) -> Person:
    """Signed up, in no room."""
    return stage.person("Dev")


@pytest.fixture
def mia(stage: Stage) -> Person:
    """A moderator certified for suicide, self-harm and hopelessness, in every room."""
    return stage.person("Mia", role="moderator", concerns=("suicide", "self-harm", "hopelessness"))


@pytest.fixture
def noa(stage: Stage) -> Person:
    """A moderator in training: in every room, certified for nothing."""
    return stage.person("Noa", role="moderator")


@pytest.fixture
def sol(stage: Stage) -> Person:
    """A senior moderator certified for everything, on call."""
    return stage.person("Sol", role="senior", concerns="all", on_call=True)


@pytest.fixture
def ida(stage: Stage) -> Person:
    """The admin, certified for nothing."""
    return stage.person("Ida", role="admin")


@pytest.fixture
def sam(stage: Stage) -> Person:
    """A suspended member of Low days."""
    return stage.person("Sam", rooms=True, suspended=True)
