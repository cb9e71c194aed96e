"""Packs: rules as TOML files that communities can share. The starter packs are the files in packs/.

A pack has `name`, `version`, `language`, an optional `note`, an optional table `[words]` and a list `[[rules]]`. A name from
`[words]` in braces, as in `i want to {die}`, stands for its alternatives; a loaded rule has them written out.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from community.safety.rules import Rule

_FOLDER = Path(__file__).with_name("packs")
_NAME = re.compile(r"\{([a-z_]+)\}")
_LISTS = ("must_match", "must_not_match", "exceptions", "views", "only_in", "not_in")
_FIELDS = frozenset({"key", "pattern", "kind", "concern", "severity", "action", "why", "owner", "review_by", *_LISTS})


class PackError(ValueError):
    """A pack that cannot be read; the message is a sentence that names the rule or line and what to change."""


@dataclass(frozen=True, slots=True)
class Pack:
    name: str
    version: str
    language: str
    rules: tuple[Rule, ...]
    note: str = ""


def read_pack(source: str) -> Pack:
    """A pack from its TOML text. Raises PackError."""
    try:
        raw = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise PackError(f"This is not a readable pack: {error}.") from error
    missing = [field for field in ("name", "version", "language", "rules") if not raw.get(field)]
    if missing:
        raise PackError(f"The pack lacks {', '.join(missing)}.")
    words = _written_out(raw.get("words", {}))
    language = str(raw["language"])
    rules = tuple(_rule(entry, words, language) for entry in raw["rules"])
    _refuse_repeats(rules)
    return Pack(str(raw["name"]), str(raw["version"]), language, rules, str(raw.get("note", "")))


def _rule(entry: dict[str, Any], words: dict[str, str], language: str) -> Rule:
    key = str(entry.get("key", ""))
    lacking = [field for field in ("key", "pattern", "concern", "severity") if not entry.get(field)]
    if lacking:
        raise PackError(f"The rule “{key}” lacks {', '.join(lacking)}.")
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        raise PackError(f"The rule “{key}” has a field nobody knows: {', '.join(unknown)}.")
    given: dict[str, Any] = {field: value for field, value in entry.items() if field not in _LISTS}
    given |= {field: tuple(entry[field]) for field in _LISTS if field in entry}
    given["exceptions"] = tuple(_filled(pattern, words, key) for pattern in given.get("exceptions", ()))
    given["pattern"] = _filled(entry["pattern"], words, key) if given.get("kind", "phrase") == "phrase" else str(entry["pattern"])
    return Rule(language=language, **given)


def _written_out(words: dict[str, str]) -> dict[str, str]:
    """`[words]` entries may use those above them."""
    known: dict[str, str] = {}
    for name, pattern in words.items():
        known[name] = f"({_filled(pattern, known, name)})"
    return known


def _filled(pattern: str, words: dict[str, str], key: str) -> str:
    def alternatives(match: re.Match[str]) -> str:
        if match[1] not in words:
            raise PackError(f"“{key}” uses {{{match[1]}}}, which [words] does not define above it.")
        return words[match[1]]

    return " ".join(_NAME.sub(alternatives, pattern).split())


def _refuse_repeats(rules: Iterable[Rule]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.key in seen:
            raise PackError(f"Two rules have the key “{rule.key}”.")
        seen.add(rule.key)


@cache
def starter_packs() -> tuple[Pack, ...]:
    """The packs that come with the project, by file name."""
    return tuple(read_pack(path.read_text("utf-8")) for path in sorted(_FOLDER.glob("*.toml")))


@cache
def starter_rules() -> tuple[Rule, ...]:
    """The rules of all starter packs."""
    rules = tuple(rule for pack in starter_packs() for rule in pack.rules)
    _refuse_repeats(rules)
    return rules
