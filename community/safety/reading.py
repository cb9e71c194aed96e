"""How one word is read: every word a rule knows is one character, so that phrases become short strings.

A word no rule knows is looked at once, remembered, and read as what it disguises if it disguises one: look-alikes,
elongation, leet, masks, run-together words, misspellings, dropped vowels. An everyday word is never a disguise.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby, islice, product

from community.safety import folding, speech
from community.safety.indexes import LONGEST_PIECE, RUN, Indexes, letters_key, likeliness

SINGLE, SHORT, OTHER, AMBIGUOUS, EMPHASIS, GLUED = "\x01", "\x02", "\x03", "\x04", "\x05", "\x06"
"""A lone letter; an unknown word of two to six letters; any other unknown word; before a word of several readings (taken out
before anything is looked for); before a word of emphasis; after glue."""

MOST_PIECES = 10_000
"""Runs of spaced letters kept with what they make."""

MOST_READINGS = 6
"""Watched words one disguised word is tried as."""

_LONGEST = 40
_BEYOND = "{"
"""After every letter."""
_VOWEL_LETTERS = frozenset("aeiou")
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
_PLAIN = {ord(sign): letters[0] for sign, letters in _LEET.items()}
MOST_ONES = 4
"""Digits in one word that are each tried as either of two letters."""
MOST_EFFORT = 2**MOST_ONES

Reading = tuple[str, str]
"""(symbols, the view that read them)."""


class Memory(dict[str, str]):
    """word -> symbols. Looking up an unknown word reads it and remembers the answer.

    Threads may share one: what is remembered of a word is always the same, and nothing is ever forgotten. When it has grown
    too large the vocabulary begins another; whoever is reading goes on with this one.
    """

    __slots__ = ("_pieces", "_reader", "ambiguous", "views")

    def __init__(self, reader: "Reader") -> None:
        super().__init__(reader.base)
        self._reader = reader
        self.views: dict[str, str] = {}
        """The view of each word that is not read as written."""
        self.ambiguous: dict[str, tuple[str, ...]] = dict(reader.numbers)
        """The symbols of each word with more than one reading, the likeliest first."""
        self.update((word, AMBIGUOUS + self[word]) for word in self.ambiguous)
        self._pieces: dict[str, list[str]] = {}

    def __missing__(self, word: str) -> str:
        readings = self._reader.read(word)
        symbols, view = readings[0]
        if view != "words":
            self.views[word] = view
        if len(readings) > 1:
            self.ambiguous[word] = tuple(symbols for symbols, _ in readings)
            symbols = AMBIGUOUS + symbols
        self[word] = symbols
        return symbols

    def symbols(self, word: str) -> str:
        """The symbols of a word without the sign that there are other readings."""
        return self[word].lstrip(AMBIGUOUS)

    def view(self, word: str) -> str:
        return self.views.get(word, "words")

    def pieces(self, letters: str) -> list[str]:
        """Spaced letters cut into words where that is possible."""
        known = self._pieces.get(letters)
        if known is None:
            known = self._reader.split_loosely(letters)
            if len(self._pieces) < MOST_PIECES:
                self._pieces[letters] = known
        return known

    def plain(self, word: str) -> str:
        """A disguised word as the watched words it is read as; any other word as it is."""
        return self._reader.named(self.symbols(word)) if word in self.views else word


def symbol_of(word: str, own: Mapping[str, str]) -> str:
    """The symbols of one watched word."""
    return EMPHASIS + own[word] if word in speech.emphasis() else own[word]


class Prefixes:
    """The beginnings of words that rules know (`suicid*`), and the symbol of each."""

    def __init__(self, symbols: Mapping[str, str]) -> None:
        self.symbols = symbols
        self._lengths = sorted({len(prefix) for prefix in symbols}, reverse=True)
        self._shortest = self._lengths[-1] if symbols else 0
        self._stems = {prefix[: self._shortest] for prefix in symbols}

    def of(self, word: str) -> str:
        """The symbol of the longest that begins the word, or ""."""
        if word[: self._shortest] not in self._stems:
            return ""
        for length in self._lengths:
            if length <= len(word) and word[:length] in self.symbols:
                return self.symbols[word[:length]]
        return ""


class Reader:
    """Reads words that are not in `base`, the symbols of every word that rules know or everybody says. Never changes.

    `own` has the symbol of each watched word, and `weights` says in how many phrases it is.
    """

    def __init__(
        self, own: Mapping[str, str], base: Mapping[str, str], prefixes: Prefixes, weights: Counter[str], indexes: Indexes
    ) -> None:
        self.own, self.base, self._prefixed = own, base, prefixes.of
        self._prices, self._squeezed, self._ordered, self._shorter, self._consonants, self._by_ends, self._in_order = indexes
        self._likeliness = likeliness(weights)
        self._names = {symbol: word for word, symbol in own.items()}
        self.numbers = {word: spelt for word in own if word.isdigit() and (spelt := self._spelt(word))}
        """The readings of watched numbers that also spell a word (`2` = to)."""

    def named(self, symbols: str) -> str:
        """The watched words that symbols stand for."""
        return " ".join(self._names.get(symbol, "") for symbol in symbols if symbol != EMPHASIS)

    def read(self, word: str) -> list[Reading]:
        """The ways to read a word that is not in `base`, the likeliest first; at least one."""
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
        readings = readings or self._leet(word) or (self._leet(core) if core != word else [])
        return readings or self._masked(core) or self._apart(core)

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
        known = len(plain) > 1 and self._shorter.get(plain) == plain
        return (self.base.get(digits, OTHER), self.base[plain]) if known else ()

    def _leet(self, word: str) -> list[Reading]:
        signs = sum(1 for char in word if char in _LEET)
        if not signs or signs > 8 or len(word) > 20:
            return []
        plains = [plain for plain in self._unriddled(word) if plain.isalpha()]
        for plain in plains:
            if len(plain) > 1 and (plain in self.own or plain in speech.short_forms() or self._prefixed(plain)):
                return [(self.base.get(plain) or self._prefixed(plain), "leet")]
        for plain in plains:
            found = self._joined(plain) or self._elongated(plain)
            if found:
                return [(symbols, "leet") for symbols, _ in found]
        return []

    def _unriddled(self, word: str) -> Iterable[str]:
        """The word with letters for digits and signs. Some stand for two: many of them are all taken for the same one."""
        if word.count("1") > MOST_ONES:
            return (word.replace("1", letter).translate(_PLAIN) for letter in _LEET["1"])
        return map("".join, product(*(_LEET.get(char, char) for char in word)))

    def _masked(self, word: str) -> list[Reading]:
        if len(word) < 2 or not word[0].isalpha() or not _MASKED.search(word):
            return []
        parts = _MASKED.split(word)
        head, tail = parts[0], parts[-1]
        if len(head) > 2:  # few begin so
            began = self._beginning_with(head)
            found = [known for known in began if len(known) == len(word) and _fits_signs(known, word)]
            found = found or [known for known in began if known.endswith(tail) and _fits(known, parts)]
            return [(self.base[known], "masked") for known in sorted(found, key=self._likeliness)[:MOST_READINGS]]
        among = self._by_ends.get(word[0] + tail[-1:], {})
        same_length = (known for known in among.get(len(word), ()) if known.startswith(head) and _fits_signs(known, word))
        found = list(islice(same_length, MOST_READINGS))
        if not found:
            likely = (known for size in among for known in among[size] if known.startswith(head) and known.endswith(tail))
            fitting = [known for known in likely if _fits(known, parts)]
            found = sorted(fitting, key=self._likeliness)[:MOST_READINGS]
        return [(self.base[known], "masked") for known in found]

    def _beginning_with(self, head: str) -> list[str]:
        ordered = self._in_order
        return ordered[bisect_left(ordered, head) : bisect_left(ordered, head + _BEYOND)]

    def _apart(self, core: str) -> list[Reading]:
        parts = _MASKED.split(core)
        if len(parts) == 1:
            return [(OTHER, "words")]
        return [("".join(self.base.get(part) or self.read(part)[0][0] for part in parts if part), "words")]

    def _letters(self, word: str) -> list[Reading]:
        """Readings of plain Latin letters that no rule and no everyday word knows."""
        if len(word) < 2:
            return []
        prefixed = self._prefixed(word)
        if prefixed:
            return [(prefixed, "words"), *(self._elongated(word) or self._joined(word))]
        return self._elongated(word) or self._misspelt(word) or self._vowelless(word) or self._joined(word)

    def _elongated(self, word: str) -> list[Reading]:
        if not RUN.search(word):
            return []
        squeezed = "".join(letter for letter, _ in groupby(word))
        known = self._squeezed.get(squeezed, "").split()
        return self._best([one for one in known if one == squeezed or _longer_runs(word, one)], "elongated")

    def _misspelt(self, word: str) -> list[Reading]:
        if len(word) < 3:
            return []
        swapped = self._ordered.get(letters_key(word))
        found = [known for known in swapped.split() if _one_swap(word, known)] if swapped else []
        longer = self._shorter.get(word)
        if longer:
            found += [known for known in longer.split() if known[:-1] != word or known[-2] == known[-1]]
        if len(word) >= 4 and not found:
            found = self._one_letter_off(word)
        return self._best(found, "typo") if found else []

    def _one_letter_off(self, word: str) -> list[str]:
        found: list[str] = []
        lookup, size = self._shorter.get, len(word)
        places = range(1, size - (size < 5 or word[-1] in "sdrygn"))
        for at, near in [(at, near) for at in places if (near := lookup(word[:at] + word[at + 1 :]))]:
            shorter = word[:at] + word[at + 1 :]
            if near == shorter:
                found.append(shorter)
                continue
            same = (known for known in near.split() if len(known) == len(word))
            found += (known for known in same if known[:at] + known[at + 1 :] == shorter)
        return found

    def _vowelless(self, word: str) -> list[Reading]:
        if not _VOWEL_LETTERS.isdisjoint(word[1:]):
            return []
        return self._best(self._consonants.get(word, "").split(), "vowels")

    def _joined(self, word: str) -> list[Reading]:
        if not 6 <= len(word) <= 32:
            return []
        pieces = self.split(word)
        if len(pieces) < 2 or not any(len(piece) > 2 for piece in pieces):
            return []
        return [("".join(self.base[piece] for piece in pieces), "joined")]

    def begins_none(self, letters: str) -> bool:
        """Whether no watched word begins so."""
        return letters not in self._prices and letters.isascii() and letters.isalpha()

    def split(self, word: str) -> list[str]:
        """The fewest known words that make up all of `word`, or []."""
        return self._cut(word, _NO_WAY)

    def split_loosely(self, letters: str) -> list[str]:
        """`letters` cut into known words where that is possible and into single letters elsewhere."""
        return self._cut(letters, 2.0)

    def _cut(self, word: str, lone: float) -> list[str]:
        """The cheapest way to cut all of `word` into pieces, or []. `lone` is the price of a letter that is no piece."""
        prices, size = self._prices, len(word)
        paid, begins = [0.0] + [_NO_WAY] * size, [0] * (size + 1)
        for start in range(size):
            so_far = paid[start]
            if so_far == _NO_WAY:
                continue
            if so_far + lone < paid[start + 1] and not prices.get(word[start]):
                paid[start + 1], begins[start + 1] = so_far + lone, start
            for end in range(start + 1, min(size, start + LONGEST_PIECE) + 1):
                price = prices.get(word[start:end])
                if price is None:
                    break
                if price and so_far + price < paid[end]:
                    paid[end], begins[end] = so_far + price, start
        return _pieces(word, begins) if paid[-1] != _NO_WAY else []

    def _best(self, known: list[str], view: str) -> list[Reading]:
        ranked = sorted(set(known), key=self._likeliness) if len(known) > 1 else known
        return [(self.base[word], view) for word in ranked[:MOST_READINGS]]


def _fits_signs(known: str, word: str) -> bool:
    """The same letters, wherever `word` has one."""
    return all(mine == theirs or mine in folding.MASKS for mine, theirs in zip(word, known, strict=True))


def _fits(known: str, parts: list[str]) -> bool:
    """The parts in their order, with one letter or more between; `known` has the first and the last at its ends."""
    head, *middle, tail = parts
    at, end = len(head), len(known) - len(tail)
    for part in middle:
        at = known.find(part, at + 1, end) + len(part)
        if at < len(part):
            return False
    return at < end


def _pieces(word: str, begins: list[int]) -> list[str]:
    pieces, end = [], len(word)
    while end:
        pieces.append(word[begins[end] : end])
        end = begins[end]
    return pieces[::-1]


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


def effort(word: str) -> int:
    """How many ways there are to read a word that is not known: 1 to MOST_EFFORT."""
    ones = word.count("1")
    return 2**ones if ones <= MOST_ONES else 2
