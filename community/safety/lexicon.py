"""A lexicon: all rules of one revision, compiled once and never changed."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise, product
from math import prod
from types import MappingProxyType

from community.safety import patterns, speech, streams
from community.safety.automaton import ENGINE, Automaton, Hit, build
from community.safety.letters import Letters
from community.safety.patterns import Phrase
from community.safety.rules import Rule
from community.safety.vocabulary import Vocabulary

MAX_PHRASES = 20_000
"""Phrases one rule may stand for once its prefixes are written out."""


@dataclass(frozen=True, slots=True)
class Part:
    """The phrases one piece of a pattern stands for, as symbols, and the lengths they have."""

    phrases: frozenset[str]
    lengths: tuple[int, ...]
    longest_first: tuple[int, ...]
    firsts: frozenset[str]
    lasts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Target:
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
        made.vocabulary = Vocabulary(phrase for way in ways for part in way.parts for phrase in part)
        phrases = Phrases()
        made.targets = tuple(_target(number, way, made.vocabulary, phrases) for number, way in enumerate(ways))
        del ways  # what is not needed any more makes room for what is
        made.beside = tuple(map(_beside, made.targets))
        several = (target for target, sides in zip(made.targets, made.beside, strict=True) if sides)
        made.reach = phrases.longest + max(map(_reach, several), default=0)
        made.pairs = _pairs(phrases, made.targets)
        made.automaton = build(phrases.hits, engine)
        made.fragments = streams.fragments_of(made.vocabulary)
        made.glue = streams.glue_of(made.vocabulary)
        return made


@dataclass(frozen=True, slots=True)
class Way:
    """A parsed pattern with its short forms written out."""

    rule: Rule
    exception: bool
    parts: tuple[tuple[Phrase, ...], ...]
    gaps: tuple[int, ...]


def _ways(rule: Rule) -> list[Way]:
    try:
        parsed = [(way, False) for way in patterns.parse(rule.pattern)] if rule.kind == "phrase" else []
        parsed += [(way, True) for pattern in rule.exceptions for way in patterns.parse(pattern)]
    except patterns.PatternError as error:
        raise patterns.PatternError(f"{rule.key}: {error}") from error
    return [Way(rule, exception, _long(way), way.gaps) for way, exception in parsed]


def _long(way: patterns.Parsed) -> tuple[tuple[Phrase, ...], ...]:
    return tuple(tuple(map(speech.long_form, part)) for part in way.parts)


class Phrases:
    """The phrases of every target's anchor, and what each of them hits. Equal hits are one tuple: most phrases are one of many."""

    def __init__(self) -> None:
        self.hits: dict[str, tuple[Hit, ...]] = {}
        self.longest = 0
        self._same: dict[tuple[Hit, ...], tuple[Hit, ...]] = {}

    def add(self, number: int, anchor: Iterable[str]) -> None:
        alone: dict[int, tuple[Hit, ...]] = {}
        for symbols in anchor:
            hits = alone.setdefault(len(symbols), ((number, len(symbols)),))
            known = self.hits.get(symbols)
            if known:
                hits = known + hits
                hits = self._same.setdefault(hits, hits)
            self.hits[symbols] = hits
        self.longest = max(self.longest, *alone)


def _target(number: int, way: Way, vocabulary: Vocabulary, phrases: Phrases) -> Target:
    anchor = max(range(len(way.parts)), key=lambda at: _rarity(way.parts[at])) if len(way.parts) > 1 else 0
    before = tuple((_part(way.rule, way.parts[at], vocabulary), way.gaps[at]) for at in range(anchor - 1, -1, -1))
    after = tuple((_part(way.rule, way.parts[at], vocabulary), way.gaps[at - 1]) for at in range(anchor + 1, len(way.parts)))
    phrases.add(number, _written_out(way.rule, way.parts[anchor], vocabulary))
    return Target(way.rule, way.exception, before, after)


def _beside(target: Target) -> Beside | None:
    if not target.before and not target.after:
        return None
    before = [(part.lasts, gap + 1) for part, gap in target.before[:1]] or [_ANYTHING]
    after = [(part.firsts, gap + 1) for part, gap in target.after[:1]] or [_ANYTHING]
    return *before[0], *after[0]


_ANYTHING: tuple[frozenset[str], int] = (frozenset(), 0)


def _reach(target: Target) -> int:
    return max(sum(gap + part.longest_first[0] for part, gap in side) for side in (target.before, target.after))


def _rarity(part: tuple[Phrase, ...]) -> float:
    """How few ordinary sentences hold the part: the fewer words it can begin a search at, the better an anchor."""
    return -sum([prod(map(speech.share, phrase)) for phrase in part])


def _part(rule: Rule, phrases: tuple[Phrase, ...], vocabulary: Vocabulary) -> Part:
    made = frozenset(_written_out(rule, phrases, vocabulary))
    lengths = tuple(sorted(set(map(len, made))))
    firsts, lasts = frozenset([symbols[0] for symbols in made]), frozenset([symbols[-1] for symbols in made])
    return Part(made, lengths, lengths[::-1], firsts, lasts)


def _written_out(rule: Rule, phrases: tuple[Phrase, ...], vocabulary: Vocabulary) -> set[str]:
    """The symbols of every phrase the part stands for."""
    made: set[str] = set()
    for phrase in phrases:
        try:
            made.add("".join(map(vocabulary.one_choice.__getitem__, phrase)))
        except KeyError:  # a prefix
            made.update(map("".join, product(*map(vocabulary.choices, phrase))))
        if len(made) > MAX_PHRASES:
            raise patterns.PatternError(f"{rule.key}: The pattern stands for more than {MAX_PHRASES} phrases: make it two rules.")
    return made


def _pairs(phrases: Phrases, targets: tuple[Target, ...]) -> streams.Pairs:
    beside = (symbols for target in targets for part, _ in (*target.before, *target.after) for symbols in part.phrases)
    seconds: dict[str, str] = {}
    for symbols in chain(phrases.hits, beside):
        for first, second in pairwise(symbols):
            known = seconds.get(first, "")
            if second not in known:
                seconds[first] = known + second
    return seconds
