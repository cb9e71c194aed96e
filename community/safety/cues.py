"""Cues: what stands around a finding and makes it less urgent. They lower a severity; they never remove a finding."""

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property, lru_cache
from pathlib import Path

from community.safety import folding, speech

_FILE = Path(__file__).with_name("cues.toml")
_RED, _AMBER, _GREEN = "red", "amber", "green"
_SLIGHT = frozenset({"idiom", "title"})
"""These lower red to green; all others to amber."""

_SENTENCE_END = re.compile(r"[.!?;\n\r](?=\s|$)|\n")
_BEFORE, _AFTER = 10, 10
"""Words looked at on each side, within the sentence."""


class Context:
    """A text with what every cue needs of it, worked out once and only when there is a finding.

    With `last`, nothing is asked about words after that one and those around it.
    """

    def __init__(self, text: str, words: Sequence[str], plain: Callable[[str], str], last: int | None = None) -> None:
        self.text, self.words, self._read = text, words, plain
        self._upto = None if last is None else last + _AFTER + 1
        self.known: dict[tuple[int, int], tuple[str, ...]] = {}

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        return folding.spans(self.text, self._upto)

    @cached_property
    def quoted(self) -> list[tuple[int, int]]:
        if not any(sign in self.text for sign in _QUOTES):
            return []
        return [match.span() for match in _QUOTED.finditer(self.text)]

    @cached_property
    def _ends(self) -> list[int]:
        return [match.end() for match in _SENTENCE_END.finditer(self.text)]

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """Offsets of the sentence, or sentences, that hold a span."""
        before, after = bisect_right(self._ends, start), bisect_right(self._ends, end)
        low = self._ends[before - 1] if before else 0
        return low, self._ends[after] if after < len(self._ends) else len(self.text)

    def around(self, first: int, last: int) -> tuple[list[str], list[str]]:
        """Up to ten words before and after, in the same sentence, short forms written out."""
        start, end = self.spans[first][0], self.spans[last][1]
        low, high = self.sentence(start, end)
        begin = bisect_left(self.spans, (low,), max(0, first - _BEFORE), first)
        stop = bisect_left(self.spans, (high,), last + 1, min(len(self.spans), last + 1 + _AFTER))
        return self._plain(begin, first), self._plain(last + 1, stop)

    def rounded(self, first: int, last: int) -> tuple[int, int]:
        """The words a reader would mark: with the "I" (or "my", "we") that begins the clause, and a closing "anymore"."""
        low, high = self.sentence(self.spans[first][0], self.spans[last][1])
        return self._from_the_subject(first, low), self._to_the_close(last, high)

    def _from_the_subject(self, first: int, low: int) -> int:
        for at in range(first - 1, max(-1, first - 1 - _LEAD), -1):
            if self.spans[at][0] < low:
                break
            if self.words[at] in speech.clause("subjects"):
                return at
            if self.words[at] not in speech.clause("between") and self.words[at] not in speech.emphasis():
                break
        return first

    def _to_the_close(self, last: int, high: int) -> int:
        following = [word.strip(folding.MASKS) for word in self.words[last + 1 : last + 3]]
        for close in speech.closes().get(following[0], ()) if following else ():
            upto = last + len(close)
            if following[: len(close)] == close and self.spans[upto][1] <= high:
                return upto
        return last

    def said(self, first: int, last: int) -> list[str]:
        return self._plain(first, last + 1)

    def _plain(self, begin: int, stop: int) -> list[str]:
        return [part for word in self.words[begin:stop] for part in _spoken(self._read(word))]


@lru_cache(maxsize=20_000)
def _spoken(word: str) -> tuple[str, ...]:
    """What cues are looked for in: short forms written out, without signs and words of emphasis."""
    bare = (part.strip(folding.MASKS) for part in word.split())
    long = speech.long_form(tuple(part for part in bare if part))
    return tuple(part for part in long if part not in speech.emphasis() or part in _TELLING)


_LEAD = 4
"""Words looked at for the subject of a finding."""

_QUOTED = re.compile(
    r'(?m)^[ \t]*+>[^\n]{0,2000}+|"[^"\n]{1,400}+"|(?<!“)“[^”\n]{1,400}+”|(?<!«)«[^»\n]{1,400}+»'
    r"|\[quote[^\]\n]{0,40}\](?:(?!\[quote).){0,2000}?\[/quote\]"
)  # what follows a sign is looked at a bounded number of times, however many signs there are
_QUOTES = ('"', "“", "«", ">", "[quote")
_TELLING = frozenset({"never", "lol", "ever", "today"})


Phrase = tuple[str, str, tuple[str, ...]]
"""(cue, where it must stand, its words)."""


@cache
def _listed() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(_FILE.read_text("utf-8"))


@cache
def _by_first_words() -> dict[str, dict[str, list[Phrase]]]:
    """By the first word, and by the second or "" for a phrase of one."""
    index: dict[str, dict[str, list[Phrase]]] = defaultdict(lambda: defaultdict(list))
    for cue, places in _listed().items():
        for where, phrases in places.items():
            for phrase in phrases:
                words = speech.long_form(tuple(phrase.split()))
                index[words[0]][(*words, "")[1]].append((cue, where, words))
    return {first: dict(seconds) for first, seconds in index.items()}


def of(first: int, last: int, context: Context) -> tuple[str, ...]:
    """The cues around the words first..last, in the order of cues.toml; then quoted."""
    if (first, last) not in context.known:
        context.known[first, last] = _of(first, last, context)
    return context.known[first, last]


def _of(first: int, last: int, context: Context) -> tuple[str, ...]:
    before, after = context.around(first, last)
    said = context.said(first, last)
    seen = _seen(before, said, after)
    unless = {cue for cue, where in seen if where in ("unless", "against")}
    found = {cue for cue, _ in seen} - unless
    cues = [cue for cue in _listed() if cue in found]
    start = context.spans[first][0]
    if context.quoted and any(low < start < high for low, high in context.quoted):
        cues.append("quoted")
    return tuple(cues)


def _seen(before: list[str], said: list[str], after: list[str]) -> set[tuple[str, str]]:
    """(cue, where) of the phrases that stand where they must."""
    words = before + said + after
    start, end = len(before), len(before) + len(said)
    told = bool(said) and said[0] in speech.clause("told")
    return {
        (cue, where)
        for at, cue, where, phrase in _phrases(words)
        if _stands(where, at, at + len(phrase), start, end) and not (where == "ends" and told and _is_of_another(cue, phrase))
    }


def _phrases(words: list[str]) -> Iterator[tuple[int, str, str, tuple[str, ...]]]:
    """(place, cue, where, phrase) of every listed phrase in the words."""
    index = _by_first_words()
    for at, word in enumerate(words):
        seconds = index.get(word)
        if seconds is None:
            continue
        following = words[at + 1] if at + 1 < len(words) else ""
        for second in {"", following} & seconds.keys():
            for cue, where, phrase in seconds[second]:
                if len(phrase) < 3 or tuple(words[at : at + len(phrase)]) == phrase:
                    yield at, cue, where, phrase


def _is_of_another(cue: str, phrase: tuple[str, ...]) -> bool:
    """What right before an "I" belongs to the clause before: "my friend", or a lone "no"."""
    return cue == "third-person" or len(phrase) == 1


def _stands(where: str, at: int, upto: int, start: int, end: int) -> bool:
    """Whether a phrase at..upto is where its list says, for a finding at start..end. What lies in a finding is not around it."""
    inside = start <= at and upto <= end
    return {
        "ends": upto == start,
        "starts": at == end,
        "before": upto <= start,
        "near": not inside,
        "within": inside,
        "unless": inside,
        "against": True,
    }[where]


_AMID_RECOVERY = frozenset({"eating", "substances"})
"""Concerns that people write about while they recover: the recovery cue is shown there and lowers nothing."""


def lowered(severity: str, seen: tuple[str, ...], concern: str = "") -> str:
    """The severity once the cues are counted: crisis and red become amber, amber green; a slight cue makes red green too."""
    counted = [cue for cue in seen if cue != "recovery" or concern not in _AMID_RECOVERY]
    if not counted or severity == _GREEN:
        return severity
    return _GREEN if severity == _AMBER or (severity == _RED and _SLIGHT & set(counted)) else _AMBER
