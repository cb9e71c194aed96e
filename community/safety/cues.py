"""Cues: what stands around a finding and makes it less urgent. They lower a severity; they never remove a finding."""

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path

from community.safety import folding, speech
from community.safety.vocabulary import Memory

_FILE = Path(__file__).with_name("cues.toml")
_RED, _AMBER, _GREEN = "red", "amber", "green"
_SLIGHT = frozenset({"idiom", "title"})
"""These lower red to green; all others to amber."""

_SENTENCE_END = re.compile(r"[.!?;\n\r](?=\s|$)|\n")
_BEFORE, _AFTER = 10, 10
"""Words looked at on each side, within the sentence."""


class Context:
    """A text with what every cue needs of it, worked out once and only when there is a finding.

    Nothing is asked about words that are further from first..last than cues look.
    """

    def __init__(self, text: str, words: Sequence[str], memory: Memory, first: int, last: int) -> None:
        self.text, self.words, self._memory = text, words, memory
        self._from, self._upto = max(first - _BEFORE, 0), last + _AFTER + 1
        self.known: dict[tuple[int, int], tuple[str, ...]] = {}

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """By number of the word. Those before the first that is asked about are at the beginning."""
        return [(0, 0)] * self._from + folding.spans(self.text, self._from, self._upto)

    @cached_property
    def quoted(self) -> list[tuple[int, int]]:
        if not any(sign in self.text for sign in _QUOTES):
            return []
        return [match.span() for match in _QUOTED.finditer(self.text)]

    @cached_property
    def _ends(self) -> list[int]:
        if not self.spans:
            return []
        begins, ends = self.spans[min(self._from, len(self.spans) - 1)][0], self.spans[-1][1] + 1
        return [match.end() for match in _SENTENCE_END.finditer(self.text, begins, ends)]

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """Offsets of the sentence, or sentences, that hold a span."""
        ends = self._ends
        before, after = bisect_right(ends, start), bisect_right(ends, end)
        return ends[before - 1] if before else 0, ends[after] if after < len(ends) else len(self.text)

    def around(self, first: int, last: int) -> tuple[list[str], list[str]]:
        """Up to ten words before and after, in the same sentence, short forms written out."""
        spans = self.spans
        low, high = self.sentence(spans[first][0], spans[last][1])
        begin = bisect_left(spans, (low,), max(0, first - _BEFORE), first)
        stop = bisect_left(spans, (high,), last + 1, min(len(spans), last + 1 + _AFTER))
        return self._plain(begin, first), self._plain(last + 1, stop)

    def rounded(self, first: int, last: int) -> tuple[int, int]:
        """The words a reader would mark: with the "I" (or "my", "we") that begins the clause, and a closing "anymore"."""
        low, high = self.sentence(self.spans[first][0], self.spans[last][1])
        return self._from_the_subject(first, low), self._to_the_close(last, high)

    def _from_the_subject(self, first: int, low: int) -> int:
        opens = speech.opens()
        for at in range(first - 1, max(-1, first - 1 - _LEAD), -1):
            subject = opens.get(self.words[at])
            if subject is None or self.spans[at][0] < low:
                break
            if subject:
                return at
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
        words = self.words[begin:stop]
        if not self._memory.views.keys().isdisjoint(words):
            words = list(map(self._memory.plain, words))
        return [part for word in words for part in _SPOKEN[word]]


class _Spoken(dict[str, tuple[str, ...]]):
    """What cues are looked for in: short forms written out, without signs and words of emphasis. Holds at most `LIMIT` words."""

    LIMIT = 20_000

    def __missing__(self, word: str) -> tuple[str, ...]:
        bare = (part.strip(folding.MASKS) for part in word.split())
        long = speech.long_form(tuple(part for part in bare if part))
        spoken = tuple(part for part in long if part not in speech.emphasis() or part in _TELLING)
        if len(self) < self.LIMIT:
            self[word] = spoken
        return spoken


_SPOKEN = _Spoken()


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

Phrases = list[Phrase]


@cache
def _listed() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(_FILE.read_text("utf-8"))


@cache
def _by_first_words() -> dict[str, tuple[Phrases, dict[str, Phrases]]]:
    """By the first word: the phrases of that word alone, and the others by their second."""
    index: dict[str, tuple[Phrases, dict[str, Phrases]]] = {}
    for cue, places in _listed().items():
        for where, phrases in places.items():
            for phrase in phrases:
                words = speech.long_form(tuple(phrase.split()))
                alone, longer = index.setdefault(words[0], ([], {}))
                (longer.setdefault(words[1], []) if len(words) > 1 else alone).append((cue, where, words))
    return index


def of(first: int, last: int, context: Context) -> tuple[str, ...]:
    """The cues around the words first..last, in the order of cues.toml; then quoted."""
    if (first, last) not in context.known:
        context.known[first, last] = _of(first, last, context)
    return context.known[first, last]


def _of(first: int, last: int, context: Context) -> tuple[str, ...]:
    seen = _seen(*context.around(first, last), context.said(first, last))
    unless = {cue for cue, where in seen if where in ("unless", "against")}
    found = {cue for cue, _ in seen} - unless
    cues = [cue for cue in _listed() if cue in found] if found else []
    start = context.spans[first][0]
    if context.quoted and any(low < start < high for low, high in context.quoted):
        cues.append("quoted")
    return tuple(cues)


def _seen(before: list[str], after: list[str], said: list[str]) -> set[tuple[str, str]]:
    """(cue, where) of the phrases that stand where they must."""
    index = _by_first_words()
    words = [*before, *said, *after, ""]
    start, end = len(before), len(before) + len(said)
    told = bool(said) and (said[0] in speech.clause("told") or said[1:2] == ["me"])  # “tell me …” is asked for oneself
    seen: set[tuple[str, str]] = set()
    for at, word in enumerate(words):
        if word not in index:
            continue
        alone, longer = index[word]
        for cue, where, phrase in (*alone, *longer.get(words[at + 1], ())):
            upto = at + len(phrase)
            if not _stands(where, at, upto, start, end) or (where == "ends" and told and _is_of_another(cue, phrase)):
                continue
            if len(phrase) < 3 or tuple(words[at:upto]) == phrase:
                seen.add((cue, where))
    return seen


def _is_of_another(cue: str, phrase: tuple[str, ...]) -> bool:
    """What right before an "I" belongs to the clause before: "my friend", or a lone "no"."""
    return cue == "third-person" or len(phrase) == 1


def _stands(where: str, at: int, upto: int, start: int, end: int) -> bool:
    """Whether a phrase at..upto is where its list says, for a finding at start..end. What lies in a finding is not around it."""
    match where:
        case "ends":
            return upto == start
        case "starts":
            return at == end
        case "before":
            return upto <= start
        case "near":
            return not (start <= at and upto <= end)
        case "within" | "unless":
            return start <= at and upto <= end
        case "against":
            return True
    raise ValueError(f"cues.toml: nobody knows where “{where}” is.")


_AMID_RECOVERY = frozenset({"eating", "substances"})
"""Concerns that people write about while they recover: the recovery cue is shown there and lowers nothing."""


def lowered(severity: str, seen: tuple[str, ...], concern: str = "") -> str:
    """The severity once the cues are counted: crisis and red become amber, amber green; a slight cue makes red green too."""
    if not seen or severity == _GREEN:
        return severity
    counted = [cue for cue in seen if cue != "recovery" or concern not in _AMID_RECOVERY]
    if not counted:
        return severity
    return _GREEN if severity == _AMBER or (severity == _RED and _SLIGHT & set(counted)) else _AMBER
