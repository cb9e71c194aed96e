"""Packs as files: read with a sentence for everything that is wrong, written with who signed them off.

A pack is TOML: `name`, `version`, `language`, an optional `note`, `[[rules]]`, and a table `[signed-off]` with `by`, `at` and the
SHA-256 of the content. The sum covers what the rules say, not how the file is laid out; it shows that a file was altered,
and seals nothing: who alters a file on purpose can make a new sum.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from community.core.errors import Invalid
from community.safety import Lexicon, Pack, PackError, PatternError, Rule, check_rule, read_pack

from .changes import fields_of

MAX_PACK = 500_000
"""Characters of one file: seven times the largest that is shipped."""
MAX_RULES = 2_000
SHOWN_SENTENCES = 12
_TEXTS = ("key", "pattern", "kind", "concern", "severity", "action", "why", "owner", "review_by")
_LISTS = ("must_match", "must_not_match", "exceptions", "views", "only_in", "not_in")
_DEFAULTS = fields_of(Rule("", "", "", ""))
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
_RULE_STARTS = re.compile(r"^[ \t]*\[\[[ \t]*rules[ \t]*\]\]", re.MULTILINE)
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


class BrokenPack(Invalid):
    """A pack that cannot be taken; each sentence names the line or the rule and what to change."""

    def __init__(self, sentences: list[str]) -> None:
        more = len(sentences) - SHOWN_SENTENCES
        self.sentences = sentences[:SHOWN_SENTENCES] + ([f"And {more} more."] if more > 0 else [])
        super().__init__({"pack": " ".join(self.sentences)})


@dataclass(frozen=True, slots=True)
class SignedOff:
    by: str
    at: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PackFile:
    """A sound pack, and whether it is what somebody signed off."""

    pack: Pack
    signed: SignedOff | None

    @property
    def altered(self) -> bool:
        return self.signed is not None and self.signed.sha256 != content_sum(self.pack)

    @property
    def standing(self) -> str:
        """Who answers for the content, in a sentence."""
        if self.signed is None:
            return "Nobody signed this pack off."
        if self.altered:
            return (
                f"Careful: this is not what {self.signed.by} signed off on {self.signed.at}. "
                "The file was altered since; read every change."
            )
        return f"Signed off by {self.signed.by} on {self.signed.at}, and not altered since."


def read(source: str) -> PackFile:
    """Raises BrokenPack. Burns CPU: off the event loop."""
    if len(source) > MAX_PACK:
        raise BrokenPack([f"This pack has {len(source):,} characters and {MAX_PACK:,} fit: make it two packs."])
    raw = _parsed(source)
    _refuse(list(_misshapen(raw, source)))
    try:
        pack = read_pack(source)
    except PackError as error:
        raise BrokenPack([_with_line(str(error), raw, source)]) from error
    _refuse(list(_unsound(pack, source)))
    return PackFile(pack, _signed(raw))


def _refuse(sentences: list[str]) -> None:
    if sentences:
        raise BrokenPack(sentences)


def _parsed(source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        at = _AT_LINE.search(said)
        if at is None:
            where = "At its end"
        else:
            said, where = said[: at.start()], f"Line {at[1]}"
        raise BrokenPack(
            [f"{where}: this cannot be read ({said}). Texts stand between quotation marks, lists between [ and ]."]
        ) from error
    except RecursionError as error:
        raise BrokenPack(["This pack has brackets in brackets without end. A rule needs one list at most."]) from error


def _misshapen(raw: dict[str, Any], source: str) -> Iterator[str]:
    """What is of the wrong kind, before anything reads it as a rule."""
    for name in ("name", "version", "language"):
        if not isinstance(raw.get(name), str) or not raw[name].strip():
            yield f'The pack has no {name}: write {name} = "…" at its top.'
    if isinstance(raw.get("language"), str) and len(raw["language"]) > 8:
        yield "The language is too long: write two letters, such as en or de."
    if not isinstance(raw.get("note", ""), str):
        yield "The note is no text: put it between quotation marks."
    words = raw.get("words", {})
    if not isinstance(words, dict) or not all(isinstance(value, str) for value in words.values()):
        yield "In [words], each name stands for one text between quotation marks."
    rules = raw.get("rules")
    if not isinstance(rules, list) or not rules or not all(isinstance(entry, dict) for entry in rules):
        yield "The pack has no rules: each begins with a line [[rules]]."
        return
    if len(rules) > MAX_RULES:
        yield f"The pack has {len(rules):,} rules and {MAX_RULES:,} fit: make it two packs."
    for number, entry in enumerate(rules):
        yield from (f"{_place(entry, number, source)}: {sentence}" for sentence in _misfits(entry))


def _misfits(entry: dict[str, Any]) -> Iterator[str]:
    for name in _TEXTS:
        if name in entry and not isinstance(entry[name], str):
            yield f"{name} is no text. Put it between quotation marks."
    for name in _LISTS:
        value = entry.get(name, [])
        if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
            yield f'{name} is no list of texts. Write it as {name} = ["…", "…"].'
    key = entry.get("key")
    if isinstance(key, str) and key and not _KEY.fullmatch(key):
        yield "the key can have up to 80 small letters a-z, digits, dots and hyphens, such as plans-tonight."
    if any("\x00" in str(value) for value in entry.values()):
        yield "it holds a character that no database can keep (NUL). Take it out."


def _unsound(pack: Pack, source: str) -> Iterator[str]:
    """Each rule by itself, then all examples with all rules of the pack side by side."""
    sound = True
    for number, rule in enumerate(pack.rules):
        for sentence in check_rule(rule):
            sound = False
            yield f"{_place({'key': rule.key}, number, source)}: {sentence}"
        if len(rule.owner) > 60:
            sound = False
            yield f"{_place({'key': rule.key}, number, source)}: the owner is longer than 60 characters. Shorten it."
    if sound:
        try:
            Lexicon.compile(pack.rules)
        except PatternError as error:  # each is readable, and together they are too much
            yield str(error)


def _place(entry: dict[str, Any], number: int, source: str) -> str:
    """“Rule “x” (line 12)”; the line is where its [[rules]] stands."""
    starts = [match.start() for match in _RULE_STARTS.finditer(source)]
    line = f" (line {source.count(chr(10), 0, starts[number]) + 1})" if number < len(starts) else ""
    key = entry.get("key")
    return f"Rule “{str(key)[:80]}”{line}" if key else f"Rule number {number + 1}{line}"


def _with_line(sentence: str, raw: dict[str, Any], source: str) -> str:
    """A sentence about a rule, with the line on which the rule begins."""
    for number, entry in enumerate(raw["rules"]):
        if f"“{entry.get('key', '')}”" in sentence:
            said = sentence.removeprefix(f"The rule “{entry.get('key', '')}” ")
            return (
                f"{_place(entry, number, source)}: it {said}" if said != sentence else f"{_place(entry, number, source)}: {said}"
            )
    return sentence


def _signed(raw: dict[str, Any]) -> SignedOff | None:
    told = raw.get("signed-off")
    if not isinstance(told, dict):
        return None
    return SignedOff(*(" ".join(str(told.get(name, "")).split())[:100] for name in ("by", "at", "sha256")))


def content_sum(pack: Pack) -> str:
    """The SHA-256 of what a pack says; the order of its rules and the layout of the file do not count."""
    rules = [_said(rule) for rule in sorted(pack.rules, key=lambda rule: rule.key)]
    facts = [pack.name, pack.version, pack.language, pack.note, rules]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _said(rule: Rule) -> dict[str, Any]:
    """The fields of a rule that a pack carries and that say something."""
    kept = fields_of(rule)
    return {name: kept[name] for name in (*_TEXTS, *_LISTS) if kept[name] != _DEFAULTS[name]}


def write(pack: Pack, *, by: str, at: str) -> str:
    """The file: read again, it is the same pack."""
    top = {"name": pack.name, "version": pack.version, "language": pack.language, "note": pack.note}
    signed = {"by": by, "at": at, "sha256": content_sum(pack)}
    lines = [f"{name} = {_text(value)}" for name, value in top.items() if value]
    lines += ["", "[signed-off]", *(f"{name} = {_text(value)}" for name, value in signed.items())]
    for rule in pack.rules:
        lines += ["", "[[rules]]", *(f"{name} = {_value(value)}" for name, value in _said(rule).items())]
    return "\n".join(lines) + "\n"


def _value(value: str | list[str]) -> str:
    if isinstance(value, str):
        return _text(value)
    return "[" + "".join(f"\n  {_text(line)}," for line in value) + "\n]"


def _text(value: str) -> str:
    """A TOML basic string: as JSON, which leaves one control character that TOML does not."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
