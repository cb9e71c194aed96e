"""docs/realtime.md names every live event and every verb a browser can say."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import community
from community.core.realtime import Event, LiveNamespace

TOP = Path(community.__file__).parents[1]
NAMED = set(re.findall(r"^\| `([a-z_]+)` \|", (TOP / "docs/realtime.md").read_text(), re.MULTILINE))
OURS = "community."


@pytest.fixture(autouse=True, scope="module")
def everything_is_imported() -> None:
    for found in pkgutil.walk_packages(community.__path__, OURS):
        importlib.import_module(found.name)


def _subclasses(cls: type) -> set[type]:
    found = {each for sub in cls.__subclasses__() for each in {sub, *_subclasses(sub)}}
    return {each for each in found if each.__module__.startswith(OURS)}


def test_every_event_is_written_down_with_its_fields() -> None:
    missing = {event.name for event in _subclasses(Event)} - NAMED
    assert not missing, f"write them down in docs/realtime.md: {sorted(missing)}"


def test_every_verb_of_a_browser_is_written_down() -> None:
    verbs = {
        name.removeprefix("on_")
        for namespace in _subclasses(LiveNamespace)
        for name, _ in inspect.getmembers(namespace, inspect.isfunction)
        if name.startswith("on_") and name not in ("on_connect", "on_disconnect")
    }
    assert verbs
    assert not verbs - NAMED, f"write them down in docs/realtime.md: {sorted(verbs - NAMED)}"


def test_nothing_is_written_down_that_does_not_exist() -> None:
    known = {event.name for event in _subclasses(Event)}
    known |= {name.removeprefix("on_") for cls in _subclasses(LiveNamespace) for name in dir(cls) if name.startswith("on_")}
    refusals = {"malformed", "forbidden", "invalid", "conflict", "failed"}
    assert not NAMED - known - refusals, f"docs/realtime.md speaks of {sorted(NAMED - known - refusals)}"
