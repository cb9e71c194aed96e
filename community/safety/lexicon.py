"""A lexicon: all rules of one revision, compiled once and never changed."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from math import prod
from sys import intern
from types import MappingProxyType
from typing import NamedTuple

from community.safety import patterns, speech, streams
from community.safety.automaton import ENGINE, Automaton, begun
from community.safety.letters import Letters
from community.safety.patterns import Choices, Stretch
from community.safety.rules import Rule
from community.safety.vocabulary import Vocabulary

MAX_PHRASES = 20_000
"""Phrases one stretch of a rule may stand for once its prefixes are written out."""
FEW = 24
"""Phrases that are looked for as they are, even if a part of each would do."""
MANY = 10**9
"""No more are thought of as one list, whatever a pattern says."""
SELDOM = 30_000_000
"""In so many words one look in vain more is worth one phrase less: it costs memory, and time at every publish."""


@dataclass(frozen=True, slots=True)
class Part:
    """The phrases one piece of a pattern stands for, as symbols, and the lengths they have."""

    phrases: frozenset[str]
    lengths: tuple[int, ...]
    longest_first: tuple[int, ...]
    firsts: frozenset[str]
    """The symbols they begin with, if the part stands after the anchor."""
    lasts: frozenset[str]
    """The symbols they end with, if it stands before the anchor."""


class Target(NamedTuple):
    """One way a rule, or an exception to it, can match.

    Only the phrases of the rarest part, the anchor, are in the automaton. The parts before it are checked leftwards
    and those after it rightwards, nearest first, each with the number of words that may lie between.
    """

    rule: Rule
    exception: bool
    before: tuple[tuple[Part, int], ...]
    after: tuple[tuple[Part, int], ...]


Beside = tuple[frozenset[str], int, frozenset[str], int]
"""The symbols of which one stands before an anchor, among how many; and the same after it. No symbols among none: anything may."""


class Lexicon:
    """Immutable. `compile` raises patterns.PatternError with the key of the rule that cannot be read."""

    __slots__ = (
        "automaton",
        "beside",
        "fragments",
        "glue",
        "letters",
        "pairs",
        "reach",
        "revision",
        "rules",
        "targets",
        "vocabulary",
    )

    revision: int
    rules: Mapping[str, Rule]
    targets: tuple[Target, ...]
    vocabulary: Vocabulary
    automaton: Automaton
    beside: tuple["Beside | None", ...]
    """By target, what must stand next to its anchor; None if nothing must."""
    letters: Letters
    fragments: re.Pattern[str]
    glue: streams.Glue
    pairs: streams.Pairs
    reach: int
    """No match goes further than so many symbols from the end of its anchor."""

    @classmethod
    def compile(cls, rules: Iterable[Rule], revision: int = 0, engine: str = ENGINE) -> "Lexicon":
        made = cls()
        made.revision = revision
        made.rules = MappingProxyType({rule.key: rule for rule in rules})
        ways = [way for rule in made.rules.values() for way in _ways(rule)]
        made.letters = Letters(made.rules.values(), engine)
        made.vocabulary = Vocabulary(_counted(ways))
        phrases = Phrases(made.vocabulary, begun(engine))
        made.targets = tuple([phrases.target(number, way) for number, way in enumerate(ways)])
        made.beside = tuple(map(_beside, made.targets))
        several = (target for target, sides in zip(made.targets, made.beside, strict=True) if sides)
        made.reach = phrases.longest + max(map(_reach, several), default=0)
        made.pairs = phrases.pairs
        made.automaton = phrases.automaton
        made.automaton.close()
        del ways, phrases
        made.vocabulary.learn()
        made.fragments = streams.fragments_of(made.vocabulary.reader)
        made.glue = streams.glue_of(made.vocabulary.reader)
        return made


class Way(NamedTuple):
    """A parsed pattern."""

    rule: Rule
    exception: bool
    parts: tuple[Stretch, ...]
    gaps: tuple[int, ...]


def _ways(rule: Rule) -> list[Way]:
    try:
        ways = [Way(rule, False, way.parts, way.gaps) for way in patterns.parse(rule.pattern)] if rule.kind == "phrase" else []
        for pattern in rule.exceptions:
            ways += [Way(rule, True, way.parts, way.gaps) for way in patterns.parse(pattern)]
    except patterns.PatternError as error:
        raise patterns.PatternError(f"{rule.key}: {error}") from error
    return ways


def _counted(ways: list[Way]) -> Counter[str]:
    """In how many phrases each word is."""
    counts: Counter[str] = Counter()
    for way in ways:
        for stretch in way.parts:
            size = prod(map(len, stretch))
            for choices in stretch:
                times = size // len(choices)
                for phrase in choices:
                    for word in phrase:
                        counts[word] += times
    return counts


class Place(NamedTuple):
    """What may stand at one place of a pattern, "" for nothing."""

    symbols: list[str]
    share: float
    """About the share of all words at which it is met."""


Piece = tuple[Place, ...]
"""Places that follow each other."""


class Phrases:
    """What is looked for: the phrases of every target's anchor."""

    def __init__(self, vocabulary: Vocabulary, automaton: Automaton) -> None:
        self.automaton = automaton
        self.pairs: streams.Pairs = {}
        self.longest = 0
        self._one, self._several = vocabulary.one_choice.__getitem__, vocabulary.choices

    def target(self, number: int, way: Way) -> Target:
        parts = [[self._symbols(choices) for choices in stretch] for stretch in way.parts]
        for part in parts:
            self._pair(part)
            if prod(map(len, part)) > MAX_PHRASES:
                raise patterns.PatternError(
                    f"{way.rule.key}: The pattern stands for more than {MAX_PHRASES} phrases: make it two rules."
                )
        if len(parts) == 1 and (len(parts[0]) == 1 or prod(map(len, parts[0])) <= FEW):  # nothing to cut
            self._look_for(number, parts[0])
            return Target(way.rule, way.exception, (), ())
        pieces, gaps, anchor = _cut(
            [tuple(map(Place, *both)) for both in zip(parts, map(_met, way.parts), strict=True)], way.gaps
        )
        self._look_for(number, [place.symbols for place in pieces[anchor]])
        before = [(_part(pieces[at], before=True), gaps[at]) for at in range(anchor - 1, -1, -1)]
        after = [(_part(pieces[at], before=False), gaps[at - 1]) for at in range(anchor + 1, len(pieces))]
        return Target(way.rule, way.exception, tuple(before), tuple(after))

    def _look_for(self, number: int, anchor: list[list[str]]) -> None:
        self.automaton.add(number, _written_out(anchor))
        self.longest = max(self.longest, sum([max(map(len, place)) for place in anchor]))

    def _symbols(self, choices: Choices) -> list[str]:
        symbols: list[str] = []
        for phrase in choices:
            try:
                symbols.append("".join(map(self._one, phrase)))
            except KeyError:  # a prefix
                symbols += map("".join, product(*map(self._several, phrase)))
        return list(dict.fromkeys(symbols))

    def _pair(self, part: list[list[str]]) -> None:
        """Remember which symbols follow which."""
        lasts: set[str] = set()
        for place in part:
            for symbols in place:
                for first, second in pairwise(symbols):
                    if second not in self.pairs.get(first, ""):
                        self._follow(first, second)
            if len(part) > 1:
                firsts = "".join({symbols[0] for symbols in place if symbols})
                for last in lasts:
                    self._follow(last, firsts)
                ends = {symbols[-1] for symbols in place if symbols}
                lasts = ends | lasts if "" in place else ends

    def _follow(self, first: str, seconds: str) -> None:
        known = self.pairs.get(first, "")
        self.pairs[intern(first)] = known + "".join([second for second in seconds if second not in known])


def _met(stretch: Stretch) -> list[float]:
    return [sum([prod(map(speech.share, phrase)) for phrase in choices]) for choices in stretch]


def _beside(target: Target) -> Beside | None:
    if not target.before and not target.after:
        return None
    before = [(part.lasts, gap + 1) for part, gap in target.before[:1]] or [_ANYTHING]
    after = [(part.firsts, gap + 1) for part, gap in target.after[:1]] or [_ANYTHING]
    return *before[0], *after[0]


_ANYTHING: tuple[frozenset[str], int] = (frozenset(), 0)


def _reach(target: Target) -> int:
    return max(sum(gap + part.longest_first[0] for part, gap in side) for side in (target.before, target.after))


def _size(piece: Piece) -> int:
    return prod([len(place.symbols) for place in piece])


def _share(piece: Piece) -> float:
    """The smaller, the fewer words begin a search: the better an anchor."""
    return prod([place.share for place in piece])


def _cut(parts: list[Piece], gaps: tuple[int, ...]) -> tuple[list[Piece], list[int], int]:
    """The pieces to look at, the gaps between them, and which of them is the anchor."""
    whole, between = [parts[0]], []
    for part, gap in zip(parts[1:], gaps, strict=True):
        if gap or _size(whole[-1]) * _size(part) > MANY:
            whole.append(part)
            between.append(gap)
        else:
            whole[-1] += part  # the parser cut what it would not write out: here is a better place
    rarest = min(range(len(whole)), key=lambda at: _share(whole[at]))
    pieces, within = [], []
    for at, part in enumerate(whole):
        made = _pieces(part, at == rarest)
        pieces += made
        within += [0] * (len(made) - 1) + between[at : at + 1]
    return pieces, within, min(range(len(pieces)), key=lambda at: _share(pieces[at]))


def _pieces(part: Piece, rarest: bool) -> list[Piece]:
    """Lists side by side stand for very many phrases; one of them, with the others only looked at where it is found, for few. The
    part with the anchor is cut where that saves more phrases than it costs looks in vain, any other where it is too long."""
    size = _size(part)
    cuts = _cuts(part) if size > (FEW if rarest else patterns.WIDE) else range(0)
    if not cuts:
        return [part]
    costs = {at: _cost(part[:at], part[at:]) for at in cuts}
    at = min(cuts, key=costs.__getitem__)
    if size <= patterns.WIDE and costs[at] > size + SELDOM * _share(part):
        return [part]
    first = rarest and _share(part[:at]) < _share(part[at:])
    return [*_pieces(part[:at], first), *_pieces(part[at:], rarest and not first)]


def _cuts(part: Piece) -> range:
    """Where both sides keep a word that must be there."""
    named = [at for at, place in enumerate(part) if "" not in place.symbols]
    return range(named[0] + 1, named[-1] + 1)


def _cost(before: Piece, after: Piece) -> float:
    return _size(before) + _size(after) + SELDOM * min(_share(before), _share(after))


def _part(piece: Piece, *, before: bool) -> Part:
    made = frozenset(_written_out([place.symbols for place in piece]))
    lengths = tuple(sorted(set(map(len, made))))
    at = -1 if before else 0
    ends = frozenset([intern(symbols[at]) for symbols in made])
    return Part(made, lengths, lengths[::-1], _NONE if before else ends, ends if before else _NONE)


_NONE: frozenset[str] = frozenset()


def _written_out(places: list[list[str]]) -> set[str]:
    """The symbols of every phrase that the places stand for together."""
    return set(map("".join, product(*places))) if len(places) > 1 else set(places[0])
