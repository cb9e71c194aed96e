"""How people write: short forms, words of emphasis, everyday words. Read once from speech.toml and everyday.txt."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("speech.toml")
_EVERYDAY = Path(__file__).with_name("everyday.txt")


@cache
def _speech() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))


@cache
def short_forms() -> dict[str, tuple[str, ...]]:
    """`dont` -> (`do`, `not`)."""
    return {short: tuple(long.split()) for short, long in _speech()["short"].items()}


@cache
def emphasis() -> frozenset[str]:
    """Words that may stand inside a phrase without being named."""
    return frozenset(_speech()["emphasis"]["words"].split())


@cache
def clause(part: str) -> frozenset[str]:
    """The `subjects` that begin a clause, what may stand `between`, and what says that a finding is `told` of oneself."""
    return frozenset(_speech()["clause"][part].split())


@cache
def opens() -> dict[str, bool]:
    """Words that may begin a clause before a finding: True for its subject, False for what may stand between."""
    return dict.fromkeys(clause("between") | emphasis(), False) | dict.fromkeys(clause("subjects"), True)


@cache
def closes() -> dict[str, list[list[str]]]:
    """Words that close a clause, one or two, by the first of them: ["any", "more"]."""
    closes: dict[str, list[list[str]]] = {}
    for close in _speech()["clause"]["closes"]:
        closes.setdefault(close.split()[0], []).append(close.split())
    return closes


@cache
def _share() -> dict[str, float]:
    ranked = dict.fromkeys(_speech()["commonest"]["words"].split())
    return {word: 0.1 / rank for rank, word in enumerate(ranked, 5)}


_UNLISTED = 1e-5


def share(word: str) -> float:
    """About how often a word is met, as a share of all words: a tenth over its rank, by Zipf."""
    return _share().get(word, _UNLISTED)


def is_common(word: str) -> bool:
    """Whether meeting the word says nothing."""
    return word in _share() or word in emphasis()


@cache
def glue() -> dict[tuple[str, str], str]:
    """(`my`, `self`) -> `myself`."""
    pairs = ((apart.split(), whole) for apart, whole in _speech()["glue"].items())
    return {(first, second): whole for (first, second), whole in pairs}


@cache
def everyday() -> frozenset[str]:
    """Ordinary words, never taken for a misspelling of a watched one."""
    lines = _EVERYDAY.read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def long_form(words: tuple[str, ...]) -> tuple[str, ...]:
    """Every short form written out."""
    forms = short_forms()
    if forms.keys().isdisjoint(words):
        return words
    return tuple(part for word in words for part in forms.get(word, (word,)))
