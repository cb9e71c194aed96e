"""Parsing what an admin typed about a rule. Every problem is named at once, beside its field."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from community.core import text
from community.core.errors import Invalid
from community.safety import CONCERNS, SEVERITIES, Rule, check_rule, fold

MAX_NOTE = 300
MAX_TRIED = 20_000
_KEY = re.compile(r"[a-z0-9][a-z0-9.-]{0,79}")
_KEY_SAYS = "The short name can have up to 80 small letters a-z, digits, dots and hyphens, such as plans-tonight."

# Which field a sentence of `check_rule` is about; the others are about the pattern.
_ABOUT = (
    ("must match and does not", "must_match"),
    ("must not match and does", "must_not_match"),
    ("stands in both lists", "must_not_match"),
    ("example", "must_match"),
    ("The reason is longer", "why"),
    ("no concern", "concern"),
    ("no severity", "severity"),
    ("no action", "action"),
)


def rule_from(form: Mapping[str, str], *, former: Rule | None, rooms: Collection[int], rules: Mapping[str, Rule]) -> Rule:
    """A sound rule, or Invalid with a sentence for each field. `former` is the rule being edited: its key stays.
    A new rule that says exactly what one of `rules` says is that one: a form sent twice makes one rule."""
    problems: dict[str, str] = {}
    key = former.key if former else _key(form, rules, problems)
    rule = _as_told(form, key, former, _room(form, rooms, problems))
    twin = next((known for known in rules.values() if replace(known, key=key) == rule), None)
    if twin is not None and former is None:
        return twin
    problems |= _problems_of(rule)
    if problems:
        raise Invalid(problems)
    return rule


def _as_told(form: Mapping[str, str], key: str, former: Rule | None, room: int | None) -> Rule:
    return Rule(
        key=key,
        pattern=" ".join(text.storable(form.get("pattern", "")).split()),
        concern=form.get("concern", ""),
        severity=form.get("severity", ""),
        action=form.get("action", ""),
        why=text.storable(form.get("why", "")).strip(),
        must_match=lines_of(form.get("must_match", "")),
        must_not_match=lines_of(form.get("must_not_match", "")),
        exceptions=lines_of(form.get("exceptions", "")),
        views=former.views if former else None,
        language=former.language if former else "en",
        room=room,
    )


def _key(form: Mapping[str, str], taken: Mapping[str, Rule], problems: dict[str, str]) -> str:
    """As typed; when left empty, made from the concern and the first words of the pattern."""
    typed = form.get("key", "").strip()
    if typed and not _KEY.fullmatch(typed):
        problems["key"] = _KEY_SAYS
    if typed in taken:
        problems["key"] = f"There is already a rule called “{typed}”. Choose another short name, or edit that rule."
    return typed or _made_key(form, taken)


def _made_key(form: Mapping[str, str], taken: Mapping[str, Rule]) -> str:
    words = re.findall("[a-z0-9]+", fold(form.get("pattern", "")[:200]))[:5]
    stem = "-".join([form.get("concern", "") if form.get("concern") in CONCERNS else "rule", *words])[:70]
    return next(key for key in (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3))) if key not in taken)


def _room(form: Mapping[str, str], rooms: Collection[int], problems: dict[str, str]) -> int | None:
    typed = form.get("room", "")
    if not typed:
        return None
    if typed.isascii() and typed.isdigit() and len(typed) < 10 and int(typed) in rooms:
        return int(typed)
    problems["room"] = "Choose a room from the list, or every room."
    return None


def _problems_of(rule: Rule) -> dict[str, str]:
    """The sentences of the safety engine beside the field they are about; exceptions are named by line."""
    problems: dict[str, str] = {}
    for number, pattern in enumerate(rule.exceptions, 1):
        wrong = check_rule(Rule("exception", pattern, CONCERNS[0], SEVERITIES[0]))
        if wrong:
            problems["exceptions"] = f"Line {number} of the exceptions: {wrong[0]}"
            break
    checked = replace(rule, exceptions=()) if "exceptions" in problems else rule
    for sentence in check_rule(checked):
        field = next((field for words, field in _ABOUT if words in sentence), "pattern")
        problems[field] = f"{problems[field]} {sentence}" if field in problems else sentence
    return problems


def lines_of(typed: str) -> tuple[str, ...]:
    """One entry a line, without blank lines and repeats."""
    stripped = (line.strip() for line in text.storable(typed).split("\n"))
    return tuple(dict.fromkeys(line for line in stripped if not text.is_blank(line)))


def note_from(form: Mapping[str, str], otherwise: str) -> str:
    """What changed, for the history; made up when left empty."""
    typed = form.get("note", "")
    if text.is_blank(typed):
        return otherwise
    return text.line_of(typed, field="note", limit=MAX_NOTE, what="the note")


def as_typed(rule: Rule) -> dict[str, str]:
    return {
        "key": rule.key, "pattern": rule.pattern, "concern": rule.concern, "severity": rule.severity, "action": rule.action,
        "why": rule.why, "must_match": "\n".join(rule.must_match), "must_not_match": "\n".join(rule.must_not_match),
        "exceptions": "\n".join(rule.exceptions), "room": str(rule.room or ""),
    }  # fmt: skip
