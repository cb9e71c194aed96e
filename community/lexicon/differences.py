"""What differs between two states of a rule, field by field, with the words that left and the words that came."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from community.safety import Rule

_TOKENS = re.compile(r"\s+|[|()\[\]]|[^\s|()\[\]]+")
_KEPT_AROUND = 12
"""Tokens of unchanged text shown on each side of a change."""
_TOO_MUCH = 4_000_000
"""Pairs of tokens; above this the words are not paired, because that would take seconds."""

LABELS = {
    "pattern": "Words to notice", "kind": "Kind of pattern", "concern": "Concern", "severity": "Severity", "action": "Does",
    "room": "Where", "only_in": "Only in rooms about", "not_in": "Not in rooms about", "why": "Why",
    "must_match": "Must notice", "must_not_match": "Must leave alone", "exceptions": "Exceptions", "views": "Sees through",
    "language": "Language", "owner": "Answers for it", "review_by": "Look again by",
}  # fmt: skip
_BY_LINE = ("must_match", "must_not_match", "exceptions")
_BY_WORD = ("pattern", "why")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of words: `how` is "same", "left", "came" or "skipped"."""

    how: str
    words: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs. `by_line`: the pieces are whole lines."""

    field: str
    label: str
    pieces: tuple[Piece, ...]
    by_line: bool = False


@dataclass(frozen=True, slots=True)
class RuleDifference:
    """One rule that differs: "new", "changed" or "retired"."""

    key: str
    what: str
    concern: str
    severity: str
    fields: tuple[Difference, ...]


def rule_difference(before: Rule | None, after: Rule | None, rooms: Mapping[int, str]) -> RuleDifference:
    shown = after or before
    if shown is None:
        raise ValueError("nothing to compare")
    what = "changed" if before and after else "new" if after else "retired"
    return RuleDifference(shown.key, what, shown.concern, shown.severity, tuple(_fields(before, after, rooms)))


def compare(before: Mapping[str, Rule], after: Mapping[str, Rule], rooms: Mapping[int, str]) -> list[RuleDifference]:
    """Every rule that differs between two states of the rules, by key. Long patterns take a while: off the event loop."""
    keys = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
    return [rule_difference(before.get(key), after.get(key), rooms) for key in keys]


def in_short(before: Rule, after: Rule) -> str:
    """Which fields differ, and how where that is short: “severity red → amber, words to notice”."""
    said = []
    for field, label in LABELS.items():
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            brief = field in ("severity", "action", "concern", "kind", "language")
            said.append(f"{label.lower()} {old} → {new}" if brief else label.lower())
    return ", ".join(said)


def _fields(before: Rule | None, after: Rule | None, rooms: Mapping[int, str]) -> Iterator[Difference]:
    for field, label in LABELS.items():
        old = getattr(before, field) if before else None
        new = getattr(after, field) if after else None
        if before and after and old == new:
            continue
        if field in _BY_LINE:
            pieces = tuple(_lines(old or (), new or (), whole=not (before and after)))
        elif field in _BY_WORD:
            pieces = tuple(_shortened(_words(old or "", new or "")))
        else:
            told = [_told(field, value, rooms) if state else "" for state, value in ((before, old), (after, new))]
            pieces = tuple(Piece(how, words) for how, words in zip(("left", "came"), told, strict=True) if words)
        if pieces:
            yield Difference(field, label, pieces, field in _BY_LINE)


def _told(field: str, value: object, rooms: Mapping[int, str]) -> str:
    if field == "room":
        return "every room" if value is None else rooms.get(value, "a room") if isinstance(value, int) else ""
    if field == "views":
        return "every disguise" if value is None else ", ".join(_strings(value))
    return ", ".join(_strings(value)) if isinstance(value, tuple) else str(value or "")


def _strings(value: object) -> Iterable[str]:
    return [str(entry) for entry in value] if isinstance(value, tuple | list) else []


def _lines(old: Iterable[str], new: Iterable[str], *, whole: bool) -> Iterator[Piece]:
    """Lines that left and lines that came; those that stayed are counted."""
    had, has = list(old), list(new)
    stayed = len(set(had) & set(has))
    yield from (Piece("left", line) for line in had if line not in set(has))
    yield from (Piece("came", line) for line in has if line not in set(had))
    if stayed and not whole:
        yield Piece("skipped", f"{stayed} more as before")


def _words(old: str, new: str) -> Iterator[Piece]:
    """The two texts as one, the words paired. Equal ends are set aside first: what was edited is mostly small."""
    had, has = _TOKENS.findall(old), _TOKENS.findall(new)
    first = _alike(had, has)
    last = _alike(had[first:][::-1], has[first:][::-1])
    head, tail = had[:first], had[len(had) - last :]
    had, has = had[first : len(had) - last], has[first : len(has) - last]
    yield Piece("same", "".join(head))
    if len(had) * len(has) > _TOO_MUCH:
        yield from (Piece("left", "".join(had)), Piece("came", "".join(has)))
    else:
        for how, a, b, c, d in SequenceMatcher(None, had, has, autojunk=True).get_opcodes():
            if how == "equal":
                yield Piece("same", "".join(had[a:b]))
            else:
                yield from (Piece("left", "".join(had[a:b])), Piece("came", "".join(has[c:d])))
    yield Piece("same", "".join(tail))


def _alike(one: list[str], other: list[str]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _shortened(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Without empty pieces, and long unchanged stretches cut to what stands beside a change."""
    kept = [piece for piece in pieces if piece.words]
    for at, piece in enumerate(kept):
        tokens = _TOKENS.findall(piece.words)
        ends = (at > 0) + (at < len(kept) - 1)
        if piece.how != "same" or len(tokens) <= _KEPT_AROUND * ends + 4:
            yield piece
            continue
        if at > 0:
            yield Piece("same", "".join(tokens[:_KEPT_AROUND]))
        yield Piece("skipped", "…")
        if at < len(kept) - 1:
            yield Piece("same", "".join(tokens[-_KEPT_AROUND:]))
