"""The phrase automaton: pyahocorasick, or the same answers from plain Python when it cannot be imported."""

from collections.abc import Iterator
from itertools import product
from typing import Any, Protocol

try:
    import ahocorasick  # type: ignore[import-not-found, unused-ignore]

    ENGINE = "pyahocorasick"
except ImportError:  # no wheel for this machine: slower, same findings
    ahocorasick = None
    ENGINE = "python"

Hit = tuple[int, int]
"""(target, length in symbols) of one phrase that ends at a position."""


class Automaton(Protocol):
    def iter(self, symbols: str) -> Iterator[tuple[int, tuple[Hit, ...]]]:
        """(index of the last symbol, hits that end there), for every phrase in the text."""


class PythonAutomaton:
    """A trie walked from every position: O(length x longest phrase)."""

    def __init__(self, phrases: dict[str, tuple[Hit, ...]]) -> None:
        self._root: dict[str, Any] = {}
        for phrase, hits in phrases.items():
            node = self._root
            for symbol in phrase:
                node = node.setdefault(symbol, {})
            node[""] = hits

    def iter(self, symbols: str) -> Iterator[tuple[int, tuple[Hit, ...]]]:
        for start in range(len(symbols)):
            node = self._root
            for at in range(start, len(symbols)):
                step = node.get(symbols[at])
                if step is None:
                    break
                node = step
                if "" in node:
                    yield at, node[""]


_ALPHABETS = tuple(tuple(map(chr, range(first, first + 60))) for first in (0x20, 0x60, 0xA0))
_UNKNOWN = "\x01\x01\x01"


class CodedAutomaton:
    """pyahocorasick over short codes: it searches a node's edges one by one, so a node must not have thousands.

    Each symbol becomes three characters, each from an alphabet of its own, so that no match can begin inside a code.
    """

    def __init__(self, phrases: dict[str, tuple[Hit, ...]]) -> None:
        symbols = sorted({symbol for phrase in phrases for symbol in phrase})
        self._codes = _Codes(zip(map(ord, symbols), _codes(), strict=False))
        self._automaton = ahocorasick.Automaton()
        for phrase, hits in phrases.items():
            self._automaton.add_word(phrase.translate(self._codes), hits)
        self._automaton.make_automaton()

    def iter(self, symbols: str) -> Iterator[tuple[int, tuple[Hit, ...]]]:
        for at, hits in self._automaton.iter(symbols.translate(self._codes)):
            yield at // 3, hits


class _Codes(dict[int, str]):
    def __missing__(self, symbol: int) -> str:
        return _UNKNOWN


def _codes() -> Iterator[str]:
    """216,000 codes: more than the words of any lexicon. The first character changes fastest, to spread the edges."""
    last, middle, first = _ALPHABETS
    return (c + b + a for a, b, c in product(last, middle, first))


def build(phrases: dict[str, tuple[Hit, ...]], engine: str = ENGINE) -> Automaton:
    """An automaton over symbol strings; none of the phrases may be empty."""
    if engine == "python" or not phrases:
        return PythonAutomaton(phrases)
    return CodedAutomaton(phrases)
