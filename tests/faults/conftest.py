"""One small town and one grown one for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.crowd import Town
from tests.faults.towns import Grown, grown_town, small_town


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with small_town(tmp_path_factory.mktemp("small")) as town:
        yield town


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grown]:
    with grown_town(tmp_path_factory.mktemp("grown")) as town:
        yield town
