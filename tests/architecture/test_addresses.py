"""Whatever stands in an address, the answer is a page or a sentence, never a failure of the server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing.converters import NumberConverter

import community
from tests.people import Person, Stage

ROOT = Path(community.__file__).parent
ASKED = re.compile(r"request\.(?:args|values)\.get\(\"(\w+)\"|_number\(\"(\w+)\"\)|_card\(\w+, \"(\w+)\"\)")
STRANGE = ["0", "-1", "²", "x", "2147483648", "9223372036854775808", "9" * 40, "1e5", "\x00", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), ""]  # fmt: skip


def asked_names() -> set[str]:
    """Every name that some page reads from its address."""
    found = (match for path in ROOT.rglob("*.py") for match in ASKED.findall(path.read_text()))
    return {name for names in found for name in names if name}


def pages(app: Flask, number: int) -> list[str]:
    """The address of every page, with this number wherever one stands."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and rule.endpoint != "static"]
    found = []
    with app.test_request_context():
        for rule in rules:
            if not rule.rule.startswith(("/auth", "/socket.io")):
                given: dict[str, Any] = {
                    name: number if isinstance(kind, NumberConverter) else "x" for name, kind in rule._converters.items()
                }
                found.append(rule.build(given)[1])  # type: ignore[index]
    return found


@pytest.mark.parametrize("number", [0, 2**31, 2**63, 10**30])
def test_a_number_too_great_is_not_found(app: Flask, stage: Stage, ida: Person, number: int) -> None:
    asked = [path for path in pages(app, number) if str(number) in path]
    assert len(asked) > 20
    failed = [path for path in asked if ida.get(path).status_code >= 500]
    assert not failed


def test_strange_words_in_an_address_are_answered(app: Flask, stage: Stage, ida: Person, mia: Person) -> None:
    names = asked_names()
    assert {"before", "after", "at", "q", "support"} <= names
    failed = []
    for path in pages(app, 1):
        for words in STRANGE:
            if ida.get(path, query_string=dict.fromkeys(names, words)).status_code >= 500:
                failed.append((path, words))
    assert not failed
