"""From words to symbols: every word a rule knows is one character, so that phrases become short strings.

A word no rule knows is looked at once, remembered, and read as what it disguises if it disguises one: look-alikes,
elongation, leet, masks, run-together words, misspellings, dropped vowels. An everyday word is never a disguise.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import product
from math import log1p

from community.safety import folding, speech

SINGLE, SHORT, OTHER, EMPHASIS, GLUED = "\x01", "\x02", "\x03", "\x05", "\x06"
"""A lone letter; an unknown word of two to six letters; any other unknown word; before a word of emphasis; after glue."""

REMEMBERED = 60_000
"""Unknown words kept with their reading; then the memory starts afresh."""

MOST_READINGS = 6
"""Watched words one disguised word is tried as."""

_FIRST, _SURROGATES = 0x100, range(0xD800, 0xE000)
_LONGEST = 40
_NO_WAY = float("inf")
_MASKED = re.compile("[" + re.escape(folding.MASKS) + "]+")
_LEET = {
    "0": "o",
    "1": "il",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "g",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "i",
    "|": "l",
    "+": "t",
}
_VOWELS = re.compile("[aeiou]")
_RUN = re.compile(r"(.)\1+")

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

Reading = tuple[str, str]
"""(symbols, the view that read them)."""


class Vocabulary(dict[str, str]):
    """word -> symbols. Looking up an unknown word reads it and remembers the answer."""

    def __init__(self, phrases: Iterable[tuple[str, ...]]) -> None:
        super().__init__()
        counts = Counter(word for phrase in phrases for word in phrase)
        self.prefixes: dict[str, str] = {}
        self._chosen: dict[str, list[str]] = {}
        self.own: dict[str, str] = {}
        self._weights = counts
        self._assign(counts)
        self._fill()
        self.base = dict(self)
        self._names = {symbol: word for word, symbol in self.own.items()}
        self.views: dict[str, str] = {}
        self._index()
        self._numbers = {word: self._spelt(word) for word in self.own if word.isdigit() and self._spelt(word)}
        self.ambiguous: dict[str, tuple[str, ...]] = dict(self._numbers)

    def _assign(self, counts: Counter[str]) -> None:
        numbers = (number for number in range(_FIRST, 0x110000) if number not in _SURROGATES)
        apart = {word for pair, whole in speech.glue().items() if whole in counts for word in pair}
        for word in sorted(set(counts) | speech.emphasis() | apart):
            if word.endswith("*"):
                self.prefixes[word[:-1]] = chr(next(numbers))
            else:
                self.own[word] = chr(next(numbers))
        self.prefix_lengths = sorted({len(prefix) for prefix in self.prefixes}, reverse=True)

    def _fill(self) -> None:
        for word in speech.everyday():
            self[word] = self._prefixed(word) or OTHER
        for word in self.own:
            self[word] = self.symbol(word)
        for short, long in speech.short_forms().items():
            self[short] = "".join(self.get(word, OTHER) for word in long)

    def symbol(self, word: str) -> str:
        """The symbols of one word of a pattern."""
        return EMPHASIS + self.own[word] if word in speech.emphasis() else self.own[word]

    def plain(self, word: str) -> str:
        """A disguised word as the watched words it is read as; any other word as it is."""
        if word not in self.views:
            return word
        return " ".join(self._names.get(symbol, "") for symbol in self.get(word, "") if symbol != EMPHASIS)

    def choices(self, word: str) -> list[str]:
        """The symbol strings that satisfy one word of a pattern: more than one for a prefix."""
        if word not in self._chosen:
            self._chosen[word] = self._prefix_choices(word[:-1]) if word.endswith("*") else [self.symbol(word)]
        return self._chosen[word]

    def _prefix_choices(self, stem: str) -> list[str]:
        known = [self.symbol(own) for own in self.own if own.startswith(stem)]
        return known + [symbol for prefix, symbol in self.prefixes.items() if prefix.startswith(stem)]

    def __missing__(self, word: str) -> str:
        if len(self) > REMEMBERED:
            self._forget()
        if word in self.base:  # another thread is just starting the memory afresh
            return self.base[word]
        readings = self._read(word)
        symbols, view = readings[0]
        if view != "words":
            self.views[word] = view
        if len(readings) > 1:
            self.ambiguous[word] = tuple(symbols for symbols, _ in readings)
        self[word] = symbols
        return symbols

    def _forget(self) -> None:
        self.clear()
        self.update(self.base)
        self.views.clear()
        self.ambiguous.clear()
        self.ambiguous.update(self._numbers)

    # ---------------------------------------------------------------- reading an unknown word

    def _read(self, word: str) -> list[Reading]:
        if len(word) > _LONGEST:
            return [(OTHER, "words")]
        core = word.strip(folding.MASKS)
        if not core.isalnum() or not core.isalpha() or core != word:
            return self._signs(word, core)
        if not core.isascii():
            return self._foreign(core)
        return self._letters(core) or [self._unknown(core)]

    def _unknown(self, word: str) -> Reading:
        if not word.isascii() or not word.isalpha():
            return OTHER, "words"
        return (SINGLE if len(word) == 1 else SHORT if len(word) < 7 else OTHER), "words"

    def _foreign(self, word: str) -> list[Reading]:
        plain = folding.straighten(word)
        if plain == word:
            plain = folding.imitated(word)
        if plain != word:
            symbols = self.base.get(plain) or self._prefixed(plain)
            if symbols:
                return [(symbols, "lookalike")]
            found = self._letters(plain) if plain.isascii() else []
            if found:
                return [(symbols, "lookalike") for symbols, _ in found]
        prefixed = self._prefixed(word)
        return [(prefixed or OTHER, "words")]

    def _signs(self, word: str, core: str) -> list[Reading]:
        """A word with digits or signs in it: leet, a mask, or punctuation that means nothing."""
        if not core:
            return [("", "words")]
        if core in self.base:
            return [(self.base[core], "words"), *(self._masked(word) if word[:-1] == core else [])]
        if not core.isascii():
            return self._foreign(core) if core.isalpha() else [(OTHER if core[0].isalnum() else "", "words")]
        if core.isdigit():
            return self._number(core)
        if core.isalpha() and core == word.rstrip(folding.MASKS):
            readings = self._letters(core) if len(core) > 1 or core == word else self._masked(word)
            return readings or [self._unknown(core)]
        readings = self._riddled(core)
        if len(core) == 3:  # `t_o` is riddled, `e*d` is masked: the neighbours decide
            readings = readings + self._masked(core) if core[1] == "_" else self._masked(core) + readings
        return readings or self._leet(word) or self._leet(core) or self._masked(core) or self._apart(core)

    def _riddled(self, core: str) -> list[Reading]:
        """A sign after every letter: `k|i|l|l`."""
        letters = core[::2]
        if len(letters) < 2 or not letters.isalpha() or any(sign not in folding.MASKS for sign in core[1::2]):
            return []
        symbols = self.base.get(letters) or self._prefixed(letters)
        return [(symbols, "spaced")] if symbols else [(symbols, "spaced") for symbols, _ in self._joined(letters)]

    def _number(self, digits: str) -> list[Reading]:
        """A number, and second the word it may spell (`70` = to)."""
        return [(symbols, "leet" if at else "words") for at, symbols in enumerate(self._spelt(digits))] or [(OTHER, "words")]

    def _spelt(self, digits: str) -> tuple[str, ...]:
        plain = "".join(_LEET.get(digit, " ")[0] for digit in digits)
        known = len(plain) > 1 and plain in self._spellable
        return (self.base.get(digits, OTHER), self.base[plain]) if known else ()

    def _leet(self, word: str) -> list[Reading]:
        choices = [_LEET.get(char, char) for char in word.lower()]
        signs = sum(1 for char in word if char in _LEET)
        if not signs or signs > 8 or len(word) > 20:
            return []
        plains = [plain for plain in map("".join, product(*choices)) if plain.isalpha()]
        for plain in plains:
            if len(plain) > 1 and (plain in self.own or plain in speech.short_forms() or self._prefixed(plain)):
                return [(self.base.get(plain) or self._prefixed(plain), "leet")]
        for plain in plains:
            found = self._joined(plain) or self._elongated(plain)
            if found:
                return [(symbols, "leet") for symbols, _ in found]
        return []

    def _masked(self, word: str) -> list[Reading]:
        if len(word) < 2 or not word[0].isalpha() or not _MASKED.search(word):
            return []
        exact = re.compile("".join("[a-z]" if char in folding.MASKS else re.escape(char) for char in word))
        loose = re.compile(_MASKED.sub("[a-z]+", word))
        bucket = self._by_first.get(word[0], ())
        found = [known for known in bucket if exact.fullmatch(known)] or [known for known in bucket if loose.fullmatch(known)]
        return self._best(found, "masked")

    def _apart(self, core: str) -> list[Reading]:
        parts = _MASKED.split(core)
        if len(parts) == 1:
            return [(OTHER, "words")]
        return [("".join(self[part] for part in parts if part), "words")]

    def _letters(self, word: str) -> list[Reading]:
        """Readings of plain Latin letters that no rule and no everyday word knows."""
        if len(word) < 2:
            return []
        prefixed = self._prefixed(word)
        if prefixed:
            return [(prefixed, "words"), *(self._elongated(word) or self._joined(word))]
        return self._elongated(word) or self._misspelt(word) or self._vowelless(word) or self._joined(word)

    def _prefixed(self, word: str) -> str:
        for length in self.prefix_lengths:
            if length <= len(word) and word[:length] in self.prefixes:
                return self.prefixes[word[:length]]
        return ""

    def _elongated(self, word: str) -> list[Reading]:
        squeezed = _RUN.sub(r"\1", word)
        if squeezed == word:
            return []
        found = [known for known in self._squeezed.get(squeezed, ()) if _longer_runs(word, known)]
        return self._best(found, "elongated")

    def _misspelt(self, word: str) -> list[Reading]:
        if len(word) < 3:
            return []
        found = [known for known in self._sorted.get(_letters_key(word), ()) if _one_swap(word, known)]
        found += (known for known in self._deleted.get(word, ()) if known[:-1] != word or known[-2] == known[-1])
        if len(word) >= 4 and not found:
            found = self._one_letter_off(word)
        return self._best(found, "typo")

    def _one_letter_off(self, word: str) -> list[str]:
        found: list[str] = []
        for at in range(1, len(word) - (len(word) < 5 or word[-1] in "sdrygn")):
            shorter = word[:at] + word[at + 1 :]
            if shorter in self._spellable:
                found.append(shorter)
            same = (known for known in self._deleted.get(shorter, ()) if len(known) == len(word))
            found += (known for known in same if known[:at] + known[at + 1 :] == shorter)
        return found

    def _vowelless(self, word: str) -> list[Reading]:
        if len(word) < 2 or _VOWELS.search(word[1:]):
            return []
        return self._best(self._consonants.get(word, ()), "vowels")

    def _joined(self, word: str) -> list[Reading]:
        if not 6 <= len(word) <= 32:
            return []
        pieces = self.split(word)
        if len(pieces) < 2 or not any(len(piece) > 2 for piece in pieces):
            return []
        return [("".join(self.base[piece] for piece in pieces), "joined")]

    def split(self, word: str) -> list[str]:
        """The fewest known words that make up all of `word`, or []."""
        ways: list[tuple[float, int]] = [(0.0, 0)] + [(_NO_WAY, 0)] * len(word)
        for start in range(len(word)):
            paid = ways[start][0]
            if paid == _NO_WAY:
                continue
            for end in range(start + 1, min(len(word), start + 14) + 1):
                price = self._pieces.get(word[start:end])
                if price and paid + price < ways[end][0]:
                    ways[end] = (paid + price, start)
        if ways[-1][0] == _NO_WAY:
            return []
        return _pieces(word, ways)

    def split_loosely(self, letters: str) -> list[str]:
        """`letters` cut into known words where that is possible and into single letters elsewhere."""
        ways: list[tuple[float, int]] = [(0.0, 0)] + [(_NO_WAY, 0)] * len(letters)
        for end in range(1, len(letters) + 1):
            for start in range(max(0, end - 14), end):
                price = self._pieces.get(letters[start:end], 2.0 if start == end - 1 else 0.0)
                if price and ways[start][0] + price < ways[end][0]:
                    ways[end] = (ways[start][0] + price, start)
        return _pieces(letters, ways)

    def _best(self, known: Iterable[str], view: str) -> list[Reading]:
        ranked = sorted(set(known), key=lambda word: (-self._weights[word], word))
        return [(self.base[word], view) for word in ranked[:MOST_READINGS]]

    # ---------------------------------------------------------------- indexes, made once

    def _index(self) -> None:
        spellable = {word for word in self.own if word.isascii() and word.isalpha()}
        spellable |= {word for word in speech.short_forms() if word.isalpha()}
        self._spellable = spellable
        common = max(self._weights.values(), default=1)
        self._pieces = {
            word: 1.0 + 0.4 * (1 - log1p(self._weights[word]) / log1p(common))
            for word in spellable
            if len(word) > 2 or word in _LITTLE
        }
        squeezed: dict[str, list[str]] = defaultdict(list)
        ordered: dict[str, list[str]] = defaultdict(list)
        deleted: dict[str, list[str]] = defaultdict(list)
        consonants: dict[str, list[str]] = defaultdict(list)
        by_first: dict[str, list[str]] = defaultdict(list)
        for word in spellable:
            squeezed[_RUN.sub(r"\1", word)].append(word)
            by_first[word[0]].append(word)
            for bare in {_VOWELS.sub("", word), word[0] + _VOWELS.sub("", word[1:])}:
                if len(bare) > 1 and bare != word:
                    consonants[bare].append(word)
            if len(word) < 4:
                continue
            ordered[_letters_key(word)].append(word)
            for short in {word[:at] + word[at + 1 :] for at in range(1, len(word))}:
                if short not in self.base:
                    deleted[short].append(word)
        self._squeezed, self._sorted, self._deleted = dict(squeezed), dict(ordered), dict(deleted)
        self._consonants, self._by_first = dict(consonants), dict(by_first)


def _pieces(word: str, ways: list[tuple[float, int]]) -> list[str]:
    pieces, end = [], len(word)
    while end:
        start = ways[end][1]
        pieces.append(word[start:end])
        end = start
    return pieces[::-1]


def _letters_key(word: str) -> str:
    return word[0] + "".join(sorted(word[1:]))


def _one_swap(word: str, known: str) -> bool:
    """Two neighbouring letters exchanged."""
    differ = [at for at in range(len(word)) if word[at] != known[at]]
    return len(differ) == 2 and differ[1] == differ[0] + 1


def _longer_runs(word: str, known: str) -> bool:
    """Every letter of `known` stands in `word`, repeated at least as often."""
    runs = zip(_lengths(word), _lengths(known), strict=True)
    return all(mine >= theirs for mine, theirs in runs)


def _lengths(word: str) -> list[int]:
    lengths: list[int] = []
    last = ""
    for char in word:
        if char == last:
            lengths[-1] += 1
        else:
            lengths.append(1)
            last = char
    return lengths
