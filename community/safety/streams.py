"""The ways one text is read: as written, without words of emphasis, and, where something looks disguised, undisguised."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from community.safety import speech
from community.safety.reading import EMPHASIS, GLUED, OTHER, SHORT, SINGLE, Memory, Reader, symbol_of

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


Pairs = dict[str, str]
"""By symbol, those that follow it in some phrase."""

Glue = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""(a second symbol, the pairs that end with it: symbols apart, symbols as one of the same length)."""


def glue_of(reader: Reader) -> Glue:
    """The pairs of `speech.glue` that this reader knows."""
    own = reader.own
    ending: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for (first, second), whole in speech.glue().items():
        if first in own and second in own and whole in own:
            ending[own[second]].append((own[first] + own[second], own[whole] + GLUED))
    return tuple((second, tuple(pairs)) for second, pairs in ending.items())


def glued(symbols: str, glue: Glue) -> str:
    """The symbols with words that belong together (`my self`) as one."""
    for second, pairs in glue:
        if second in symbols:
            for apart, whole in pairs:
                symbols = symbols.replace(apart, whole)
    return symbols


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


def fragments_of(reader: Reader) -> re.Pattern[str]:
    """Where something may have been pulled apart: a lone letter, or two fragments in a row. A watched word of up to three letters
    that nobody says every day counts as one beside an unknown one: `su` is a Spanish word and half of `su ici de`."""
    rare = [
        symbol for word, symbol in reader.own.items()
        if 1 < len(word) < 4 and word.isalpha() and word not in speech.everyday() and not speech.is_common(word)
    ]  # fmt: skip
    short = re.escape("".join(rare))
    return re.compile(f"{SINGLE}|{SHORT}[{SHORT}{short}]" + (f"|[{short}]{SHORT}" if short else ""))


def likeliest(places: list[int], words: list[str], read: list[str], memory: Memory, pairs: Pairs) -> list[str]:
    """`read`, where the words at `places`, each with several readings, are read as what forms phrases with their neighbours;
    [] if that changes nothing."""
    changed: list[str] = []
    paths: dict[tuple[str, ...], list[str]] = {}  # whoever repeats a line is asked once
    for first, last in _runs(places):
        if first == last:
            beside = "".join(read[first - 1 : first]), "".join(read[last + 1 : last + 2])
            best = [_best_between(*beside, memory.ambiguous[words[first]], pairs)]
        else:
            before, after = read[first - 1 : first] if first else [], read[last + 1 : last + 2]
            choices = [(symbols,) for symbols in before] + [memory.ambiguous[word] for word in words[first : last + 1]]
            choices += [(symbols,) for symbols in after]
            if (asked := (*before, "", *words[first : last + 1], "", *after)) not in paths:
                paths[asked] = _best_path(choices, pairs)[len(before) : len(before) + last + 1 - first]
            best = paths[asked]
        if best != read[first : last + 1]:
            changed = changed or read.copy()
            changed[first : last + 1] = best
    return changed


def _runs(places: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of neighbours."""
    first = last = places[0]
    for at in places[1:]:
        if at > last + 1:
            yield first, last
            first = at
        last = at
    yield first, last


def _best_between(before: str, after: str, options: tuple[str, ...], pairs: Pairs) -> str:
    """`_best_path` for one place, which is nearly always all there is."""
    left, right = before[-1:], after.lstrip(EMPHASIS)[:1]
    best, most = "", -1.0
    for rank, option in enumerate(options):
        score = _paired(left, option.lstrip(EMPHASIS)[:1], pairs) + _paired(option[-1:], right, pairs) - rank / 100
        score += _inside(option, pairs)
        if score > most:
            best, most = option, score
    return best


def _best_path(choices: list[tuple[str, ...]], pairs: Pairs) -> list[str]:
    """One of the choices for each place, so that as many neighbours as possible form pairs."""
    scores: dict[str, float] = {"": 0.0}
    steps: list[dict[str, str]] = []
    for options in choices:
        step: dict[str, tuple[float, str]] = {}
        followed = [(score, before, pairs.get(before[-1:], "")) for before, score in scores.items()]
        for rank, option in enumerate(options):
            head = option.lstrip(EMPHASIS)[:1] or _NOBODY
            score, before = max([(score + (head in seconds), before) for score, before, seconds in followed])
            step[option] = (score + _inside(option, pairs) - rank / 100, before)
        scores = {option: score for option, (score, _) in step.items()}
        steps.append({option: before for option, (_, before) in step.items()})
    path = [max(scores, key=scores.__getitem__)]
    for back in reversed(steps[1:]):
        path.append(back[path[-1]])
    return path[::-1]


_NOBODY = "\x00"
"""Follows nothing."""


def _inside(option: str, pairs: Pairs) -> int:
    """The pairs within one reading: `killmyself` read as two words."""
    if len(option) < 2:
        return 0
    return sum(_paired(first, second, pairs) for first, second in pairwise(option.replace(EMPHASIS, "")))


def _paired(first: str, second: str, pairs: Pairs) -> bool:
    return second != "" and second in pairs.get(first, "")


# -------------------------------------------------------------------- putting letters together again


def put_together(words: list[str], read: list[str], memory: Memory, reader: Reader) -> list[list[Piece]]:
    """Where spaced letters (`k i l l`) and fragments (`su ici de`) join into words, and into what; in order of place.

    `read` has the symbols of each word.
    """
    return Apart(words, read, memory, reader).joints()


def woven(joints: list[list[Piece]], read: list[str]) -> list[str]:
    """The symbols of every word, with those of what was put together in their place."""
    parts: list[str] = []
    at = 0
    for made in joints:
        parts += read[at : made[0].first]
        parts += (piece.symbols for piece in made)
        at = made[-1].last + 1
    return parts + read[at:]


def origins(joints: list[list[Piece]], count: int) -> list[int | Piece]:
    """Where each part of `woven` came from: a word of `count`, by number, or a piece."""
    found: list[int | Piece] = []
    at = 0
    for made in joints:
        found += range(at, made[0].first)
        found += made
        at = made[-1].last + 1
    found += range(at, count)
    return found


class Apart:
    """Words among which some may have been pulled apart, with their symbols."""

    def __init__(self, words: list[str], read: list[str], memory: Memory, reader: Reader) -> None:
        self.words, self.read, self.memory, self.reader = words, read, memory, reader

    def joints(self) -> list[list[Piece]]:
        """Spaced letters first: `feel s u i c i d a l` is not "feels"."""
        lone = [at for at, symbols in enumerate(self.read) if symbols in _LONE][:MAX_REPAIRS]
        taken: set[int] = set()
        found = self._made(
            sorted({*lone, *(place - 1 for place in lone if place and len(self.words[place - 1]) == 1)}), self._letters, taken
        )
        found += self._made(sorted({*lone, *(place - 1 for place in lone if place)}), self._fragments, taken)
        return sorted(found, key=lambda made: made[0].first)

    def _made(self, places: list[int], make: Callable[[int, set[int]], list[Piece]], taken: set[int]) -> list[list[Piece]]:
        found = []
        for at in places:
            if at not in taken and (made := make(at, taken)):
                found.append(made)
                taken.update(range(made[0].first, made[-1].last + 1))
        return found

    def _letters(self, at: int, taken: set[int]) -> list[Piece]:
        words, end = self.words, at
        while end < len(words) and end - at < 60 and (len(words[end]) == 1 or not self.read[end]):
            end += 1
        if end - at < 3:
            return []
        letters = [(place, words[place]) for place in range(at, end) if words[place].isalnum()]
        run = "".join(letter for _, letter in letters)
        if len(run) < 3 or SINGLE not in self.read[at:end]:
            return []
        pieces, used = [], 0
        for part in self.memory.pieces(run):
            first, last = letters[used][0], letters[used + len(part) - 1][0]
            pieces.append(Piece(self.reader.base.get(part, OTHER), first, last, "spaced"))
            used += len(part)
        return pieces

    def _fragments(self, at: int, taken: set[int]) -> list[Piece]:
        """The longest run of fragments from here that makes one watched word."""
        words, own, begins_none = self.words, self.reader.own, self.reader.begins_none
        joined, best, watched = words[at], 0, ""
        if begins_none(joined):
            return []
        lone = self.read[at] in _LONE
        for end in range(at + 1, min(len(words), at + 10)):
            if end in taken:
                break
            if not self.read[end]:
                continue
            joined += words[end]
            if len(joined) > 14 or not words[end].isalpha() or begins_none(joined):
                break
            lone = lone or self.read[end] in _LONE
            if lone and len(joined) > 3 and joined in own:
                best, watched = end, joined
        if not best:
            return []
        return [Piece(symbol_of(watched, self.reader.own), at, best, "spaced")]
