"""A lexicon: all rules of one revision, compiled once and never changed."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
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


class Lexicon:
    """Immutable. `compile` raises patterns.PatternError with the key of the rule that cannot be read."""

    __slots__ = ("automaton", "fragments", "glue", "letters", "pairs", "revision", "rules", "targets", "vocabulary")

    revision: int
    rules: Mapping[str, Rule]
    targets: tuple[Target, ...]
    vocabulary: Vocabulary
    automaton: Automaton
    letters: Letters
    fragments: re.Pattern[str]
    glue: streams.Glue
    pairs: frozenset[str]

    @classmethod
    def compile(cls, rules: Iterable[Rule], revision: int = 0, engine: str = ENGINE) -> "Lexicon":
        made = cls()
        made.revision = revision
        made.rules = MappingProxyType({rule.key: rule for rule in rules})
        ways = [way for rule in made.rules.values() for way in _ways(rule)]
        made.letters = Letters(made.rules.values(), engine)
        made.vocabulary = Vocabulary(phrase for way in ways for part in way.parts for phrase in part)
        phrases: dict[str, list[Hit]] = defaultdict(list)
        made.targets = tuple(_target(number, way, made.vocabulary, phrases) for number, way in enumerate(ways))
        made.automaton = build(_shared(phrases), engine)
        made.pairs = _pairs(phrases, made.targets)
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


def _target(number: int, way: Way, vocabulary: Vocabulary, phrases: dict[str, list[Hit]]) -> Target:
    anchor = max(range(len(way.parts)), key=lambda at: _rarity(way.parts[at])) if len(way.parts) > 1 else 0
    parts = [_part(way.rule, part, vocabulary) for part in way.parts]
    hits = {length: (number, length) for length in parts[anchor].lengths}
    for symbols in parts[anchor].phrases:
        phrases[symbols].append(hits[len(symbols)])
    before = tuple((parts[at], way.gaps[at]) for at in range(anchor - 1, -1, -1))
    after = tuple((parts[at], way.gaps[at - 1]) for at in range(anchor + 1, len(parts)))
    return Target(way.rule, way.exception, before, after)


def _shared(phrases: dict[str, list[Hit]]) -> dict[str, tuple[Hit, ...]]:
    """Equal hits as one tuple: most phrases are one of many of their rule."""
    known: dict[tuple[Hit, ...], tuple[Hit, ...]] = {}
    return {symbols: known.setdefault(same, same) for symbols, hits in phrases.items() for same in (tuple(hits),)}


def _rarity(part: tuple[Phrase, ...]) -> float:
    """How few ordinary sentences hold the part: the fewer words it can begin a search at, the better an anchor."""
    return -sum(prod(speech.share(word) for word in phrase) for phrase in part)


def _part(rule: Rule, phrases: tuple[Phrase, ...], vocabulary: Vocabulary) -> Part:
    made: set[str] = set()
    for phrase in phrases:
        try:
            made.add("".join(map(vocabulary.one_choice.__getitem__, phrase)))
        except KeyError:  # a prefix
            made.update(map("".join, product(*map(vocabulary.choices, phrase))))
        if len(made) > MAX_PHRASES:
            raise patterns.PatternError(f"{rule.key}: The pattern stands for more than {MAX_PHRASES} phrases: make it two rules.")
    lengths = tuple(sorted(set(map(len, made))))
    firsts, lasts = frozenset(symbols[0] for symbols in made), frozenset(symbols[-1] for symbols in made)
    return Part(frozenset(made), lengths, lengths[::-1], firsts, lasts)


def _pairs(phrases: Iterable[str], targets: tuple[Target, ...]) -> frozenset[str]:
    """Symbols that stand side by side in some phrase."""
    beside = (part for target in targets for part, _ in (*target.before, *target.after))
    known = [*phrases, *(symbols for part in beside for symbols in part.phrases)]
    return frozenset(symbols[at : at + 2] for symbols in known for at in range(len(symbols) - 1))
