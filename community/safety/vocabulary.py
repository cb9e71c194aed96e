"""From words to symbols: the words that rules know, and everyday words. `reading` reads all others."""

from bisect import bisect_left
from collections import Counter
from itertools import takewhile
from sys import intern

from community.safety import speech
from community.safety.indexes import indexes
from community.safety.reading import OTHER, Memory, Prefixes, Reader, symbol_of

REMEMBERED = 60_000
"""Words kept with their reading; then a new memory begins."""

_FIRST, _SURROGATES = 0x100, range(0xD800, 0xE000)


class Vocabulary:
    """The words that rules know, everyday words, and how an unknown word is read. Never changes but for its memory."""

    def __init__(self, counts: Counter[str]) -> None:
        """`counts` says in how many phrases each word is. Knows the symbols of words; to read texts it must `learn` more."""
        self.own: dict[str, str] = {}
        self._weights = counts
        self._assign(counts)

    def learn(self) -> None:
        """Make what reading takes, once the phrases are made: much of it takes the room of what they were made of."""
        base = self._filled()
        del self.one_choice, self._sorted_own, self._choices
        spellable = {word for word in {*self.own, *speech.short_forms()} if word.isascii() and word.isalpha()}
        made = indexes(spellable, base, self._weights)
        self.reader = Reader(self.own, base, self._prefixes, self._weights, made)
        self._memory = Memory(self.reader)

    def memory(self) -> Memory:
        """The memory to read one text with."""
        memory = self._memory
        if len(memory) > REMEMBERED:
            memory = self._memory = Memory(self.reader)
        return memory

    def _assign(self, counts: Counter[str]) -> None:
        numbers = (number for number in range(_FIRST, 0x110000) if number not in _SURROGATES)
        apart = {word for pair, whole in speech.glue().items() if whole in counts for word in pair}
        prefixes: dict[str, str] = {}
        for word in sorted(set(counts) | speech.emphasis() | apart, key=lambda word: (-counts[word], word)):
            if word.endswith("*"):
                prefixes[word[:-1]] = chr(next(numbers))
            else:
                self.own[word] = intern(chr(next(numbers)))  # lexicons share them
        self.one_choice = {word: symbol_of(word, self.own) for word in self.own}
        self._sorted_own = sorted(self.own)
        self._choices: dict[str, tuple[str, ...]] = {}
        self._prefixes = Prefixes(prefixes)

    def _filled(self) -> dict[str, str]:
        base = {word: self._prefixes.of(word) or OTHER for word in speech.everyday()}
        base |= self.one_choice
        for short, long in speech.short_forms().items():
            base[short] = "".join(base.get(word, OTHER) for word in long)
        return base

    def choices(self, word: str) -> tuple[str, ...]:
        """The symbol strings that satisfy one word of a pattern: more than one for a prefix."""
        if not word.endswith("*"):
            return (symbol_of(word, self.own),)
        if word not in self._choices:
            stem = word[:-1]
            among = self._sorted_own[bisect_left(self._sorted_own, stem) :]
            known = [symbol_of(own, self.own) for own in takewhile(lambda own: own.startswith(stem), among)]
            longer = [whole for prefix, whole in self._prefixes.symbols.items() if prefix.startswith(stem)]
            self._choices[word] = (*known, *longer)
        return self._choices[word]
