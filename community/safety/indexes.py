"""Where a word that is not known is looked up: the watched words by how they might be misspelt, squeezed or shortened. Made once."""

import re
from collections import Counter
from collections.abc import Callable, Container, Mapping
from math import log1p
from typing import NamedTuple

LONGEST_PIECE = 14
"""Letters of the longest watched word that is looked for in run-together words."""

RUN = re.compile(r"(.)\1+")
"""A letter that is repeated."""

_NO_VOWELS = dict.fromkeys(map(ord, "aeiou"))
_LITTLE = frozenset(
    [
        "i",
        "a",
        "u",
        "to",
        "my",
        "me",
        "be",
        "am",
        "im",
        "is",
        "it",
        "in",
        "on",
        "do",
        "so",
        "no",
        "of",
        "at",
        "we",
        "he",
        "up",
        "go",
        "if",
        "or",
        "an",
        "as",
        "us",
        "by",
        "ur",
    ]
)
"""The words of one or two letters that people run together with others."""


class Indexes(NamedTuple):
    """By key, the words it may stand for, with spaces between."""

    prices: Mapping[str, float]
    """What a piece of a run-together word costs, 0 for one that only begins a piece."""
    squeezed: Mapping[str, str]
    """By letters without their runs."""
    ordered: Mapping[str, str]
    """By `letters_key`."""
    shorter: Mapping[str, str]
    """By the word without one of its letters, and by the word."""
    consonants: Mapping[str, str]
    """By letters without vowels."""
    by_ends: Mapping[str, Mapping[int, list[str]]]
    """By the first letter, and by the first and the last; then by length; the likeliest first."""
    in_order: list[str]
    """All of them, sorted."""


def indexes(words: set[str], known: Container[str], weights: Counter[str]) -> Indexes:
    """Of watched words of plain letters. A word that is `known` is no other one with a letter left out; `weights` says in how many
    phrases each is."""
    pieces = [word for word in words if len(word) > 2 or word in _LITTLE]
    common = max(weights.values(), default=1)
    prices = {word[:end]: 0.0 for word in pieces for end in range(1, min(len(word), LONGEST_PIECE))}
    price = {count: 1.0 + 0.4 * (1 - log1p(count) / log1p(common)) for count in {0, *weights.values()}}
    prices.update((word, price[weights[word]]) for word in pieces)
    same = {piece: piece for piece in prices}  # a word without its last letter is there already
    squeezed, ordered, shorter, consonants = _Index(), _Index(), _Index(), _Index()
    in_order = sorted(words)
    for word in in_order:
        squeezed.add(RUN.sub(r"\1", word), word)
        without = word.translate(_NO_VOWELS)
        for bare in (without, word[0] + without) if word[0] in "aeiou" else (without,):
            if len(bare) > 1 and bare != word:
                consonants.add(bare, word)
        if len(word) < 4:
            continue
        ordered.add(letters_key(word), word)
        for short in {word[:at] + word[at + 1 :] for at in range(1, len(word))}:
            if short in shorter:
                shorter.add(short, word)
            elif short not in known:
                shorter[same.get(short, short)] = word
    shorter.update((word, word) for word in words)
    ends: dict[str, dict[int, list[str]]] = {}
    for word in sorted(words, key=likeliness(weights)):
        for key in (word[0], word[0] + word[-1]):
            ends.setdefault(key, {}).setdefault(len(word), []).append(word)
    return Indexes(prices, squeezed, ordered, shorter, consonants, ends, in_order)


class _Index(dict[str, str]):
    """key -> words, with spaces between: most keys have one word, and a string of its own costs nothing."""

    def add(self, key: str, word: str) -> None:
        known = self.get(key)
        self[key] = f"{known} {word}" if known else word


def letters_key(word: str) -> str:
    """The same for words that differ in the order of letters after the first."""
    return word[0] + "".join(sorted(word[1:]))


def likeliness(weights: Counter[str]) -> Callable[[str], tuple[int, str]]:
    """What words are sorted by, so that the one in most phrases comes first."""
    return lambda word: (-weights[word], word)
