"""The ways one text is read: as written, without words of emphasis, and, where something looks disguised, undisguised."""

import re
from typing import NamedTuple

from community.safety import speech
from community.safety.vocabulary import EMPHASIS, GLUED, OTHER, SHORT, SINGLE, Vocabulary

_UNNAMED = re.compile(f"{EMPHASIS}.|{GLUED}", re.DOTALL)
_LONE = (SINGLE, SHORT)
MAX_REPAIRS = 1_000
"""Places in one text where letters are put together again; beyond them the text is read as written."""


class Piece(NamedTuple):
    """Symbols that came from the words first..last (indexes, inclusive) by one view."""

    symbols: str
    first: int
    last: int
    view: str


def glue_pairs(vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """(symbols apart, symbols as one of the same length), for the pairs this vocabulary knows."""
    own = vocabulary.own
    pairs = ((own.get(a), own.get(b), own.get(whole)) for (a, b), whole in speech.glue().items())
    return [(a + b, whole + GLUED) for a, b, whole in pairs if a and b and whole]


def unnamed_removed(symbols: str) -> str:
    """The symbols without words of emphasis."""
    return _UNNAMED.sub("", symbols)


def places_kept(symbols: str) -> list[int]:
    """For each symbol of `unnamed_removed`, its index in `symbols`; and the length at the end."""
    kept: list[int] = []
    at = 0
    for match in _UNNAMED.finditer(symbols):
        kept.extend(range(at, match.start()))
        at = match.end()
    kept.extend(range(at, len(symbols) + 1))
    return kept


def looks_split(symbols: str) -> bool:
    """A lone letter, or two fragments in a row: something may have been pulled apart."""
    return SINGLE in symbols or SHORT + SHORT in symbols


def likeliest(words: list[str], vocabulary: Vocabulary, pairs: frozenset[str]) -> list[Piece]:
    """Pieces where each word with several readings has the one that forms phrases with its neighbours, or []."""
    ambiguous = vocabulary.ambiguous
    if not ambiguous or ambiguous.keys().isdisjoint(words):
        return []
    choices = [ambiguous.get(word) or (vocabulary[word],) for word in words]
    views = vocabulary.views
    return [Piece(symbols, at, at, views.get(words[at], "words")) for at, symbols in enumerate(_best_path(choices, pairs))]


def _best_path(choices: list[tuple[str, ...]], pairs: frozenset[str]) -> list[str]:
    """One of the choices for each place, so that as many neighbours as possible form pairs."""
    scores: dict[str, float] = {"": 0.0}
    steps: list[dict[str, str]] = []
    for options in choices:
        step: dict[str, tuple[float, str]] = {}
        for rank, option in enumerate(options):
            came = max((score + (_joint(before, option) in pairs), before) for before, score in scores.items())
            step[option] = (came[0] - rank / 100, came[1])
        scores = {option: score for option, (score, _) in step.items()}
        steps.append({option: before for option, (_, before) in step.items()})
    path = [max(scores, key=scores.__getitem__)]
    for back in reversed(steps[1:]):
        path.append(back[path[-1]])
    return path[::-1]


def _joint(before: str, after: str) -> str:
    return before[-1:] + after.lstrip(EMPHASIS)[:1]


# -------------------------------------------------------------------- putting letters together again


def put_together(words: list[str], vocabulary: Vocabulary) -> list[Piece]:
    """Pieces with spaced letters (`k i l l`) and fragments (`su ici de`) joined into words; [] if nothing was apart."""
    found = _joints(words, vocabulary)
    if not found:
        return []
    pieces: list[Piece] = []
    at = 0
    while at < len(words):
        made = found.get(at) or [Piece(vocabulary[words[at]], at, at, vocabulary.views.get(words[at], "words"))]
        pieces += made
        at = made[-1].last + 1
    return pieces


def _joints(words: list[str], vocabulary: Vocabulary) -> dict[int, list[Piece]]:
    """Where letters and fragments join, and into what. Spaced letters first: `feel s u i c i d a l` is not "feels"."""
    lone = [at for at, word in enumerate(words) if vocabulary[word] in _LONE][:MAX_REPAIRS]
    found: dict[int, list[Piece]] = {}
    taken: set[int] = set()
    for at in sorted({*lone, *(place - 1 for place in lone if place and len(words[place - 1]) == 1)}):
        if at not in taken and (made := _lone_letters(words, at, vocabulary)):
            found[at] = made
            taken.update(range(at, made[-1].last + 1))
    for at in sorted({*lone, *(place - 1 for place in lone if place)}):
        if at not in taken and (made := _fragments(words, at, vocabulary, taken)):
            found[at] = made
            taken.update(range(at, made[-1].last + 1))
    return found


def _lone_letters(words: list[str], at: int, vocabulary: Vocabulary) -> list[Piece]:
    end = at
    while end < len(words) and end - at < 60 and (len(words[end]) == 1 or not vocabulary[words[end]]):
        end += 1
    if end - at < 3:
        return []
    letters = [(place, words[place]) for place in range(at, end) if words[place].isalnum()]
    run = "".join(letter for _, letter in letters)
    if len(run) < 3 or not any(vocabulary[letter] == SINGLE for letter in run):
        return []
    pieces, used = [], 0
    for part in vocabulary.split_loosely(run):
        first, last = letters[used][0], letters[used + len(part) - 1][0]
        pieces.append(Piece(vocabulary.base.get(part, OTHER), first, last, "spaced"))
        used += len(part)
    return pieces


def _fragments(words: list[str], at: int, vocabulary: Vocabulary, taken: set[int]) -> list[Piece]:
    """The longest run of fragments from here that makes one watched word."""
    joined, best, watched = words[at], 0, ""
    lone = vocabulary[words[at]] in _LONE
    for end in range(at + 1, min(len(words), at + 10)):
        if end in taken:
            break
        if not vocabulary[words[end]]:
            continue
        joined += words[end]
        if len(joined) > 14 or not words[end].isalpha():
            break
        lone = lone or vocabulary[words[end]] in _LONE
        if lone and len(joined) > 3 and joined in vocabulary.own:
            best, watched = end, joined
    if not best:
        return []
    return [Piece(vocabulary.symbol(watched), at, best, "spaced")]
