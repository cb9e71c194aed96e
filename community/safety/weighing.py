"""A second opinion from a community's own past: which words stood in cases that were worth a moderator's time.

Pure. A weighing is a small dictionary, word or pair of words -> weight, that can be read, printed and stored as JSON. It never decides,
hides or finds anything; it only says which of two equally grave cases to read first.

Weights are smoothed log odds (add-one, as in multinomial naive Bayes, Manning, Raghavan and Schütze 2008, chapter 13), counted once
for a text. A score is the logistic of the mean weight of the words that are known, 0 to 100; 50 says nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log

from community.safety import folding

WORDS_READ = 400
"""Of one text."""
MOST_WEIGHTS = 4_000
FEWEST_TEXTS = 5
"""A word must stand in this many texts to be weighed: rarer ones would say who wrote, not what."""
STEEPNESS = 2.0
FOLDS = 5

Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Decided:
    """One decided case: the words it was about, its severity rank, and whether it was worth a moderator's time."""

    number: int
    words: str
    rank: int
    worth: bool


@dataclass(frozen=True, slots=True)
class Gain:
    """What a weighing is worth, cross-validated. Shares are 0 to 1: of all cases worth the time, those among the first half read."""

    cases: int
    worth: int
    share_by_age: float
    share_by_weight: float

    @property
    def points(self) -> float:
        return 100 * (self.share_by_weight - self.share_by_age)


def features(text: str) -> set[str]:
    """Folded words and pairs of neighbours. Numbers are left out: they tell people apart, not cases."""
    words = [word for word in folding.fold(text[: WORDS_READ * 12]).split()[:WORDS_READ] if not word.isdigit()]
    return {*words, *(f"{one} {other}" for one, other in pairwise(words))}


def train(cases: Iterable[Decided]) -> dict[str, float]:
    """The weights that tell apart most, at most MOST_WEIGHTS."""
    return _weights([(features(case.words), case.worth) for case in cases])


def _weights(read: Sequence[tuple[set[str], bool]]) -> dict[str, float]:
    worth, other = Counter[str](), Counter[str]()
    for found, is_worth in read:
        (worth if is_worth else other).update(found)
    texts = sum(is_worth for _, is_worth in read)
    base = log((texts + 1) / (len(read) - texts + 1))
    weighed = {
        word: log((worth[word] + 1) / (other[word] + 1)) - base
        for word in worth.keys() | other.keys()
        if worth[word] + other[word] >= FEWEST_TEXTS
    }
    telling = sorted(weighed, key=lambda word: (-abs(weighed[word]), word))[:MOST_WEIGHTS]
    return {word: round(weighed[word], 3) for word in sorted(telling)}


def score(text: str, weights: Weights) -> int:
    """0 to 100; 50 when none of the words is known."""
    return _score(features(text), weights)


def _score(found: set[str], weights: Weights) -> int:
    known = [weights[word] for word in sorted(found) if word in weights]
    if not known:
        return 50
    return round(100 / (1 + exp(-STEEPNESS * sum(known) / len(known) ** 0.5)))


def gain(cases: Sequence[Decided]) -> Gain:
    """Five folds: each case is scored by weights that never saw it. Inside each severity the same number of cases, half of them, is
    read once in the order of age and once in the order of the score."""
    read = [(features(case.words), case.worth) for case in cases]
    scores = [0] * len(cases)
    for fold in range(FOLDS):
        weights = _weights([facts for case, facts in zip(cases, read, strict=True) if case.number % FOLDS != fold])
        for at, case in enumerate(cases):
            if case.number % FOLDS == fold:
                scores[at] = _score(read[at][0], weights)
    by_age = by_weight = 0
    for rank in {case.rank for case in cases}:
        here = [at for at, case in enumerate(cases) if case.rank == rank]
        half = len(here) // 2
        by_age += sum(cases[at].worth for at in sorted(here, key=lambda at: cases[at].number)[:half])
        by_weight += sum(cases[at].worth for at in sorted(here, key=lambda at: (-scores[at], cases[at].number))[:half])
    worth = sum(case.worth for case in cases)
    return Gain(len(cases), worth, by_age / max(worth, 1), by_weight / max(worth, 1))
