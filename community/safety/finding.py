"""The words somebody looks for: folded as the index holds them, and where they stand in what was written. Pure.

What is typed is only ever words: quotes, operators and signs separate them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import NamedTuple

from . import folding
from .folding import fold

LONGEST = 200
MOST_WORDS = 8
AROUND = 110


class Piece(NamedTuple):
    """A part of somebody's words: whether it is one of the words asked for, and whether readers see it only when they ask."""

    words: str
    asked: bool
    covered: bool


def words_in(asked: str) -> list[str]:
    """What the index is asked for. A word without a letter or number, such as an emoji, is in no index."""
    return words_of(asked)[:MOST_WORDS]


def words_of(asked: str) -> list[str]:
    folded = fold(asked[:LONGEST]).split()
    return list(dict.fromkeys(word for word in folded if any(map(str.isalnum, word))))


def pieces(body: str, words: frozenset[str], covers: Iterable[Sequence[int]] = ()) -> Iterator[Piece]:
    """The words of the body around the first hit, cut at both ends."""
    found = _places(body, words)
    first = next(found, (0, 0))
    start = max(0, first[0] - AROUND)
    start = body.rfind(" ", 0, start) + 1 if start else 0
    end = min(len(body), first[1] + 2 * AROUND)
    rest = takewhile(lambda place: place[0] < end, found)
    asked = [(begin, min(stop, end)) for begin, stop in (first, *rest) if begin < stop]
    covered = [(max(begin, start), min(stop, end)) for begin, stop in covers if begin < end and stop > start]
    if start:
        yield Piece("… ", False, False)
    edges = sorted({start, end, *(edge for span in (*asked, *covered) for edge in span)})
    for begin, stop in pairwise(edges):
        yield Piece(body[begin:stop], _within(begin, asked), _within(begin, covered))
    if end < len(body):
        yield Piece(" …", False, False)


def _places(body: str, words: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Where the words stand. Plain English needs no folding: there the expression finds the same at a tenth of the time."""
    if body.isascii():
        plain = body.lower()
        yield from (match.span() for match in _plainly(words).finditer(plain) if not _goes_on(plain, match.start()))
        return
    for word, place in zip(folding.words(body), folding.spans(body), strict=True):
        if _is_asked(word, words):
            yield place


@lru_cache(maxsize=256)
def _plainly(words: frozenset[str]) -> re.Pattern[str]:
    """The words in lower case, with or without apostrophes. Words of other scripts are in no plain text."""
    spelt = ["['`]*".join(word) for word in words if word.isascii()]
    return re.compile(rf"(?:{'|'.join(spelt) or '(?!)'})(?!['`]*[0-9a-z])")


def _goes_on(plain: str, start: int) -> bool:
    """Whether a word goes on across `start`, apostrophes or not. Asked for matches only: before each place it would cost much."""
    while start and plain[start - 1] in "'`":
        start -= 1
    return start > 0 and plain[start - 1].isalnum()


def _is_asked(word: str, words: frozenset[str]) -> bool:
    """A folded word as the index has it: a sign inside makes it two."""
    return word in words if word.isalnum() and word.isascii() else not words.isdisjoint(fold(word).split())


def _within(place: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(begin <= place < stop for begin, stop in spans)
