"""The pattern language of a rule, for people who never saw a regular expression.

    want to die           these words, in this order; case, accents, apostrophes and punctuation do not matter
    suicid*               any word that begins so
    (jump|fall) off       one of several; an alternative may have several words or be a pattern itself
    [really] want         may be there or not
    kill _3 myself        up to three words between (`_` alone: up to one)
    🔫                    an emoji is a word

Words match whole: `rapist` is not in "therapist". Short forms equal their long forms on both sides ("don't", "dont",
"do not"; "wanna", "want to"), and words of emphasis ("really", "just") may stand between without being named.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, product
from math import prod
from typing import NamedTuple

from community.safety import folding, speech

MAX_PATTERN = 12_000
"""Characters in one pattern."""
MAX_ALTERNATIVES = 5_000
"""Phrases one bracket, or one stretch between gaps, may stand for."""
WIDE = 600
"""A longer list of alternatives than this is matched piece by piece instead of being written out."""
MAX_GAP = 9
MAX_DEPTH = 8

Phrase = tuple[str, ...]

Choices = tuple[Phrase, ...]
"""What one place of a pattern stands for; () is nothing."""

Stretch = tuple[Choices, ...]
"""Places that follow each other. What they stand for together is not written out: `phrases` does that."""


class PatternError(ValueError):
    """A pattern that cannot be read; the message is a sentence for the person who wrote it."""


class Parsed(NamedTuple):
    """One way to match: `parts` follow each other with up to `gaps[i]` words after part i."""

    parts: tuple[Stretch, ...]
    gaps: tuple[int, ...]


def phrases(stretch: Stretch) -> tuple[Phrase, ...]:
    """What the places of a stretch stand for together, each once."""
    return tuple(dict.fromkeys(_product(stretch)))


def parse(pattern: str) -> tuple[Parsed, ...]:
    """The ways a pattern can match: one, and one more for each phrase with a gap inside brackets. Raises PatternError."""
    if not pattern.strip():
        raise PatternError("The pattern is empty: write at least one word.")
    if len(pattern) > MAX_PATTERN:
        raise PatternError(f"The pattern is longer than {MAX_PATTERN} characters: make it two rules.")
    if _SIGNS.isdisjoint(pattern):  # most rules people write: nothing but words
        return (Parsed(((_plain(pattern),),), ()),)
    return _parsed(pattern)


def _plain(pattern: str) -> Choices:
    if pattern.isascii() and pattern.replace(" ", "").isalpha():
        return (_long(pattern.lower().split()),)
    return (tuple(word for token in pattern.split() for word in _long(_folded(token))),)


@lru_cache(maxsize=2_000)
def _parsed(pattern: str) -> tuple[Parsed, ...]:
    """Remembered: a publish changes few patterns."""
    return tuple(way for tokens in _alternatives(_tokens(pattern)) for way in _ways(tokens))


def _alternatives(tokens: list[str]) -> list[list[str]]:
    """The pattern cut at every `|` outside brackets; a bracket around the whole is no bracket."""
    depth, cuts, closes = 0, [-1], 0
    for at, token in enumerate(tokens):
        depth += (token in "([") - (token in ")]")
        if token == "|" and not depth:
            cuts.append(at)
        closes += not depth and at < len(tokens) - 1
    if tokens and not closes and tokens[0] == "(" and tokens[-1] == ")" and not depth:
        return _alternatives(tokens[1:-1])
    if len(cuts) == 1:
        return [tokens]
    pieces = [tokens[start + 1 : end] for start, end in zip(cuts, [*cuts[1:], len(tokens)], strict=True)]
    return [alternative for piece in pieces for alternative in _alternatives(piece)]


def _ways(tokens: list[str]) -> tuple[Parsed, ...]:
    sequence, rest = _sequence(tokens, 0, 0)
    if rest:
        raise PatternError(f"There is a {rest[0]} without its opening bracket.")
    parts, gaps = _parts(sequence)
    if any(all(() in choices for choices in part) for part in parts):
        if len(parts) > 1 and () in (parts[0], parts[-1]):
            raise PatternError("A gap such as _3 stands between words: put a word before it and one after it.")
        raise PatternError("The pattern can match nothing at all: keep a word outside [ ] on each side of a gap.")
    if not any(map(_is_gap, tokens)):
        return (Parsed(parts, gaps),)
    if len(parts) > 1:
        if any(map(_gapped, (phrase for part in parts for choices in part for phrase in choices))):
            raise PatternError("A gap inside brackets cannot stand beside one outside, or beside very long lists.")
        return (Parsed(parts, gaps),)
    listed = phrases(parts[0])
    plain = tuple(phrase for phrase in listed if not _gapped(phrase))
    ways = [Parsed(((plain,),), ())] if plain else []
    return (*ways, *(_cut(phrase) for phrase in listed if _gapped(phrase)))


def _parts(sequence: list[Choices]) -> tuple[tuple[Stretch, ...], tuple[int, ...]]:
    """Cut at gaps, and with a gap of nothing where the list would get too long to write out."""
    pieces: list[list[Choices]] = [[]]
    gaps: list[int] = []
    for choices in sequence:
        if len(choices) == 1 and len(choices[0]) == 1 and _is_gap(choices[0][0]):
            gaps.append(_gap(choices[0][0]))
            pieces.append([])
            continue
        if len(choices) == 1 and pieces[-1] and len(pieces[-1][-1]) == 1:  # words that must be there are one place
            choices = (pieces[-1].pop()[0] + choices[0],)
        pieces[-1].append(choices)
        cut = _cut_at(pieces[-1]) if _size(pieces[-1]) > WIDE else 0
        if cut:
            gaps.append(0)
            pieces.append(pieces[-1][cut:])
            del pieces[-2][cut:]
    for piece in pieces:
        _refuse_too_many(_size(piece))
    return tuple(map(tuple, pieces)), tuple(gaps)


def _cut_at(piece: list[Choices]) -> int:
    """The last place to cut so that both sides keep a word that must be there, or 0."""
    named = [at for at, choices in enumerate(piece) if () not in choices]
    return named[-1] if len(named) > 1 else 0


def _cut(phrase: Phrase) -> Parsed:
    parts: list[Phrase] = [()]
    gaps: list[int] = []
    for word in phrase:
        if _is_gap(word):
            gaps.append(_gap(word))
            parts.append(())
        else:
            parts[-1] += (word,)
    if () in parts:
        raise PatternError("A gap must have a word on each side.")
    return Parsed(tuple(((part,),) for part in parts), tuple(gaps))


def _gapped(phrase: Phrase) -> bool:
    return any(map(_is_gap, phrase))


def _tokens(pattern: str) -> list[str]:
    for sign in "()[]|":
        pattern = pattern.replace(sign, f" {sign} ")
    return pattern.split()


_SIGNS = frozenset("()[]|_*")


def _is_gap(token: str) -> bool:
    return token == "_" or (token[0] == "_" and token[1:].isdigit())


def _gap(token: str) -> int:
    size = int(token[1:] or 1) if len(token) < 4 else MAX_GAP + 1
    if not 1 <= size <= MAX_GAP:
        raise PatternError(f"The gap {token} is too wide: use _1 to _{MAX_GAP}.")
    return size


_CLOSING = {"(": ")", "[": "]"}


def _sequence(tokens: list[str], at: int, depth: int) -> tuple[list[Choices], list[str]]:
    """The choices for each place of a pattern, and the tokens from the bracket that stopped the reading."""
    if depth > MAX_DEPTH:
        raise PatternError(f"Brackets are nested more than {MAX_DEPTH} deep: make it two rules.")
    found: list[Phrase] = []
    sequence: list[Choices] = []
    several = False
    while at < len(tokens) and tokens[at] not in (")", "]"):
        token = tokens[at]
        if token == "|":
            found += _product(sequence)
            sequence, several = [], True
        elif token in _CLOSING:
            inner, at = _bracket(tokens, at, depth)
            sequence.append(inner)
        else:
            sequence.append(((token,),) if _is_gap(token) else (_word(token),))
        at += 1
    if not several:
        return sequence, tokens[at:]
    found += _product(sequence)
    _refuse_too_many(len(found))
    return [tuple(found)], tokens[at:]


def _bracket(tokens: list[str], at: int, depth: int) -> tuple[Choices, int]:
    """What a bracket stands for, and the place of its closing sign."""
    opening = tokens[at]
    sequence, rest = _sequence(tokens, at + 1, depth + 1)
    if not rest or rest[0] != _CLOSING[opening]:
        raise PatternError(f"There is a {opening} without its {_CLOSING[opening]}.")
    inner = _product(sequence)
    return tuple(dict.fromkeys(inner if opening == "(" else [(), *inner])), len(tokens) - len(rest)


def _size(sequence: Sequence[Choices]) -> int:
    return prod(map(len, sequence))


def _product(sequence: Sequence[Choices]) -> list[Phrase]:
    _refuse_too_many(_size(sequence))
    return [tuple(chain.from_iterable(choice)) for choice in product(*sequence)]


def _refuse_too_many(count: int) -> None:
    if count > MAX_ALTERNATIVES:
        raise PatternError(f"The pattern stands for more than {MAX_ALTERNATIVES} phrases: make it two rules.")


def _word(token: str) -> Phrase:
    stem = token.removesuffix("*")
    if stem.count("*") or not stem:
        raise PatternError(f"The star in {token} must stand at the end of a word.")
    folded = _folded(stem)
    if token != stem:
        if len(folded[-1]) < 3:
            raise PatternError(f"{token} begins with too few letters: write at least three before the star.")
        return (*_long(folded[:-1]), f"{folded[-1]}*")
    return _long(folded)


def _long(words: list[str]) -> Phrase:
    return speech.long_form(tuple(words))


def _folded(token: str) -> list[str]:
    """The words of one token: punctuation may part it into several."""
    folded = [word.strip(folding.MASKS) or word for word in folding.words(token)]
    if not folded:
        raise PatternError(f"There is no word in {token}.")
    return folded
