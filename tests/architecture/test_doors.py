"""Rules about the whole: every door has a guard, every event an audience, every staff act an audit row."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

import community
from community.core.db import Base
from community.core.realtime import Event, LiveNamespace
from community.moderation.reviewable import KINDS, Reviewable

ROOT = Path(community.__file__).parent
GUARDS = {"public", "signed-in", "signed-in-even-suspended", "staff-only", "admin-only"}
OPEN_TO_STRANGERS = {
    "accounts.about",
    "accounts.help_now",
    "accounts.house_rules",
    "accounts.sign_in",
    "accounts.sign_up",
    "accounts.theme",
    "health.healthz",
    "health.readyz",
    "rooms.index",
    "sessions.feed",
}


def _modules() -> Iterator[str]:
    return (found.name for found in pkgutil.walk_packages([str(ROOT)], "community."))


def _all_subclasses(cls: type) -> set[type]:
    return {found for sub in cls.__subclasses__() for found in {sub, *_all_subclasses(sub)}}


@pytest.fixture(autouse=True, scope="module")
def everything_is_imported() -> None:
    for name in _modules():
        importlib.import_module(name)


def test_every_route_wears_a_guard_or_is_visibly_public(app: Flask) -> None:
    bare = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "guard", None) not in GUARDS
    }
    assert not bare, f"put @signed_in, @staff_only, @admin_only or @public directly under the route of: {sorted(bare)}"


def test_only_these_pages_are_open_to_strangers(app: Flask) -> None:
    public = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "guard", None) == "public"
    }
    assert public <= OPEN_TO_STRANGERS, (
        f"new public pages: say so in OPEN_TO_STRANGERS or guard them: {public - OPEN_TO_STRANGERS}"
    )


def test_every_admin_page_is_for_admins(app: Flask) -> None:
    loose = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin") and getattr(app.view_functions[rule.endpoint], "guard", None) != "admin-only"
    }
    assert not loose


def test_every_socket_handler_is_guarded() -> None:
    namespaces = _all_subclasses(LiveNamespace)
    assert namespaces
    for namespace in namespaces:
        for name, handler in inspect.getmembers(namespace, inspect.isfunction):
            if name.startswith("on_") and name not in ("on_connect", "on_disconnect"):
                assert getattr(handler, "guarded", False), f"{namespace.__name__}.{name} does not go through the guard"
            if name in ("on_connect", "on_disconnect"):
                assert name not in vars(namespace), f"{namespace.__name__}: use `arrived`; {name} belongs to LiveNamespace"


def test_every_event_names_itself_and_its_audience() -> None:
    events = _all_subclasses(Event)
    assert events
    for event in events:
        assert "audience" in vars(event), f"{event.__name__} has no audience of its own"
        assert event.name
        assert event.namespace.startswith("/")


def test_everything_people_write_to_each_other_is_reviewable() -> None:
    """A table with an author and a body holds words for others: it is a Reviewable and registered."""
    for mapper in Base.registry.mappers:
        columns = set(mapper.columns.keys())
        if {"author_id", "body"} <= columns:
            assert issubclass(mapper.class_, Reviewable), f"{mapper.class_.__name__} holds words but is not a Reviewable"
            assert KINDS.get(mapper.class_.kind) is mapper.class_, f"{mapper.class_.__name__} is not @register-ed"
    assert len(KINDS) >= 2


def test_every_datetime_column_is_aware_utc() -> None:
    for table in Base.metadata.tables.values():
        for column in table.columns:
            assert not isinstance(column.type, sa.DateTime), (
                f"{table.name}.{column.name}: annotate datetime so that it is UTCDateTime"
            )


def _functions(path: Path) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


def _called(node: ast.AST) -> set[str]:
    calls = (found.func for found in ast.walk(node) if isinstance(found, ast.Call))
    return {
        call.attr if isinstance(call, ast.Attribute) else call.id for call in calls if isinstance(call, ast.Attribute | ast.Name)
    }


def _writes_audit(name: str, verbs: dict[str, ast.FunctionDef], seen: frozenset[str] = frozenset()) -> bool:
    if name not in verbs or name in seen:
        return False
    called = _called(verbs[name])
    return "record" in called or any(_writes_audit(other, verbs, seen | {name}) for other in called)


def _is_staff_write(view: ast.FunctionDef) -> bool:
    marks = [ast.unparse(mark) for mark in view.decorator_list]
    writes = any(".post(" in mark or "POST" in mark for mark in marks)
    return writes and any(mark in ("staff_only", "admin_only") for mark in marks)


RENEWING_IS_LOOKING = {"renew_claim"}  # a claim that goes on while it is looked at: the claim itself is in the log


def test_every_staff_act_writes_an_audit_row() -> None:
    """Each verb that a staff or admin form calls leads to `audit.record` in its own package."""
    checked = 0
    for package in (path for path in ROOT.iterdir() if (path / "actions.py").is_file()):
        verbs = {
            name: node
            for file in sorted(package.glob("*.py"), key=lambda file: file.name == "actions.py")
            for name, node in _functions(file).items()
        }
        actions = _functions(package / "actions.py")
        for door in (*package.glob("routes.py"), *package.glob("admin*.py")):
            door_functions = _functions(door)
            for view in door_functions.values():
                if not _is_staff_write(view):
                    continue
                reached = _called(view) | {
                    name for other in _called(view) if other in door_functions for name in _called(door_functions[other])
                }
                for verb in (reached & set(actions)) - RENEWING_IS_LOOKING:
                    first = actions[verb].args.args[:1]
                    if first and first[0].arg == "actor":
                        checked += 1
                        assert _writes_audit(verb, verbs), f"{package.name}.actions.{verb} is a staff act without audit.record"
    assert checked >= 10
