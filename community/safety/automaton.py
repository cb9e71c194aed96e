"""The phrase automaton: pyahocorasick, or the same answers from plain Python when it cannot be imported."""

from collections.abc import Iterable
from itertools import accumulate
from typing import Any, Protocol

try:
    import ahocorasick  # type: ignore[import-not-found, unused-ignore]
except ImportError:  # no wheel for this machine: slower, same findings
    ahocorasick = None

ENGINE = "pyahocorasick" if ahocorasick else "python"

Hit = tuple[int, int]
"""(target, length in symbols) of one phrase that ends at a position."""

Found = tuple[int, tuple[Hit, ...]]
"""(index of the last symbol, hits that end there)."""


class Automaton(Protocol):
    def add(self, target: int, phrases: Iterable[str]) -> None:
        """Everything one target is found by: each phrase once, none of them empty."""

    def close(self) -> None:
        """Nothing is added any more: now it can find."""

    def find(self, symbols: str) -> list[Found]:
        """Every phrase in the text, in the order of their ends."""


class PythonAutomaton:
    """A trie walked from every position: O(length x longest phrase)."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}

    def add(self, target: int, phrases: Iterable[str]) -> None:
        for phrase in phrases:
            node = self._root
            for symbol in phrase:
                node = node.setdefault(symbol, {})
            node[""] = (*node.get("", ()), (target, len(phrase)))

    def close(self) -> None:
        pass

    def find(self, symbols: str) -> list[Found]:
        found: list[Found] = []
        for start in range(len(symbols)):
            node = self._root
            for at in range(start, len(symbols)):
                step = node.get(symbols[at])
                if step is None:
                    break
                node = step
                if "" in node:
                    found.append((at, node[""]))
        found.sort(key=lambda one: one[0])
        return found


class CodedAutomaton:
    """pyahocorasick over the bytes of UTF-8: it searches a node's edges one by one, so a node must not have thousands.

    No match can begin inside a character, because UTF-8 tells first bytes from others.
    """

    def __init__(self) -> None:
        self._automaton = ahocorasick.Automaton()
        self._automaton.add_word(_NEVER, ())  # the commonest byte gets the first edge, and is left at once
        self._same: dict[tuple[Hit, ...], tuple[Hit, ...]] = {}

    def add(self, target: int, phrases: Iterable[str]) -> None:
        automaton, same = self._automaton, self._same
        for phrase in phrases:
            coded = _coded(phrase).decode("latin-1")
            hits = (*automaton.get(coded, ()), (target, len(phrase)))
            automaton.add_word(coded, same.setdefault(hits, hits))  # most phrases are one of many that hit the same

    def close(self) -> None:
        self._automaton.make_automaton()
        self._same.clear()

    def find(self, symbols: str) -> list[Found]:
        coded = _coded(symbols)
        found: list[Found] = list(self._automaton.iter(coded.decode("latin-1")))
        return found if not found or len(coded) == len(symbols) else _in_symbols(found, coded)


_NEVER = "\x03\xff"
"""The symbol of an ordinary word, and a byte that UTF-8 never has."""


def _coded(symbols: str) -> bytes:
    return symbols.encode("utf-8", "surrogatepass")


def _in_symbols(found: list[Found], coded: bytes) -> list[Found]:
    """Places counted in symbols instead of bytes."""
    if len(found) * _FAR > len(coded):
        places = list(accumulate(coded.translate(_BEGINS)))
        return [(places[at] - 1, hits) for at, hits in found]
    placed, symbols, counted = [], 0, 0
    for at, hits in found:
        symbols += len(coded[counted : at + 1].decode("utf-8", "surrogatepass"))
        counted = at + 1
        placed.append((symbols - 1, hits))
    return placed


_FAR = 10
"""Bytes between two places from which on counting each takes longer."""
_BEGINS = bytes(not 0x80 <= byte < 0xC0 for byte in range(256))
"""1 for a byte that begins a character."""


def begun(engine: str = ENGINE) -> Automaton:
    """An automaton over symbol strings that knows no phrase yet."""
    return PythonAutomaton() if engine == "python" else CodedAutomaton()
