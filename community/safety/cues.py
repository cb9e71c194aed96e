"""Cues: what stands around a finding and makes it less urgent. They lower a severity; they never remove a finding."""

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import accumulate

from community.safety import folding, speech
from community.safety.automaton import Automaton, begun
from community.safety.reading import Memory

_RED, _AMBER, _GREEN = "red", "amber", "green"
_SLIGHT = frozenset({"idiom", "title"})
"""These lower red to green; all others to amber."""

_SENTENCE_END = re.compile(r"[.!?;\n\r](?:(?<=\n)|(?=\s|$))")
_BEFORE, _AFTER = 10, 10
"""Words looked at on each side, within the sentence."""


class Context:
    """A text with what every cue needs of it, worked out once and only when there is a finding.

    Nothing is asked about words that are further from first..last than cues look.
    """

    def __init__(self, text: str, words: Sequence[str], memory: Memory, first: int, last: int) -> None:
        begin, upto = max(first - _BEFORE, 0), last + _AFTER + 1
        near = folding.spans(text, begin, upto)
        self.text, self.words = text, words
        self.spans = [(0, 0)] * begin + near
        """By number of the word. Those before the first that is asked about are at the beginning."""
        self._ends = [end.end() for end in _SENTENCE_END.finditer(text, near[0][0], near[-1][1] + 1)] if near else []
        self.quoted = [quote.span() for quote in _QUOTED.finditer(text)] if any(sign in text for sign in _QUOTES) else []
        self.spoken = Spoken(words[begin:upto], begin, memory)
        self.known: dict[tuple[int, int], tuple[str, ...]] = {}

    def sentence(self, start: int, end: int) -> tuple[int, int]:
        """Offsets of the sentence, or sentences, that hold a span."""
        ends = self._ends
        before, after = bisect_right(ends, start), bisect_right(ends, end)
        return ends[before - 1] if before else 0, ends[after] if after < len(ends) else len(self.text)

    def around(self, first: int, last: int) -> tuple[int, int]:
        """The words that cues of a finding are looked for in: up to ten on each side in the same sentence; the second is past the last."""
        spans = self.spans
        low, high = self.sentence(spans[first][0], spans[last][1])
        begin = bisect_left(spans, (low,), max(0, first - _BEFORE), first)
        return begin, bisect_left(spans, (high,), last + 1, min(len(spans), last + 1 + _AFTER))

    def rounded(self, first: int, last: int) -> tuple[int, int]:
        """The words a reader would mark: with the "I" (or "my", "we") that begins the clause, and a closing "anymore"."""
        return self._from_the_subject(first), self._to_the_close(last)

    def _from_the_subject(self, first: int) -> int:
        opens = speech.opens()
        for at in range(first - 1, max(-1, first - 1 - _LEAD), -1):
            subject = opens.get(self.words[at])
            if subject is None:
                break
            if subject:
                low, _ = self.sentence(*self.spans[first])
                return at if self.spans[at][0] >= low else first
        return first

    def _to_the_close(self, last: int) -> int:
        following = [word.strip(folding.MASKS) for word in self.words[last + 1 : last + 3]]
        for close in speech.closes().get(following[0], ()) if following else ():
            upto = last + len(close)
            if following[: len(close)] == close:
                _, high = self.sentence(*self.spans[last])
                if self.spans[upto][1] <= high:
                    return upto
        return last


class _Spoken(dict[str, str]):
    """What cues are looked for in: short forms written out, without signs and words of emphasis, each word with a space after it.
    Holds at most `LIMIT` words."""

    LIMIT = 20_000

    def __missing__(self, word: str) -> str:
        bare = (part.strip(folding.MASKS) for part in word.split())
        long = speech.long_form(tuple(part for part in bare if part))
        spoken = "".join(f"{part} " for part in long if part not in speech.emphasis() or part in _TELLING)
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


Phrase = tuple[str, str, bool]
"""(cue, where it must stand, whether it is of one word)."""


@cache
def _listed() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(files("community.safety").joinpath("cues.toml").read_text("utf-8"))


@cache
def _phrases() -> tuple[list[Phrase], Automaton]:
    """Every phrase of a cue, and what finds their numbers in spoken words."""
    listed: list[Phrase] = []
    automaton = begun()
    for cue, places in _listed().items():
        for where, phrases in places.items():
            for phrase in phrases:
                words = speech.long_form(tuple(phrase.split()))
                automaton.add(len(listed), [f" {' '.join(words)} "])
                listed.append((cue, where, len(words) == 1))
    automaton.close()
    return listed, automaton


def of(first: int, last: int, context: Context) -> tuple[str, ...]:
    """The cues around the words first..last, in the order of cues.toml; then quoted."""
    if (first, last) not in context.known:
        context.known[first, last] = _of(first, last, context)
    return context.known[first, last]


def _of(first: int, last: int, context: Context) -> tuple[str, ...]:
    begin, stop = context.around(first, last)
    seen = context.spoken.seen(begin, first, last + 1, stop)
    cues: list[str] = []
    if seen:
        found = {cue for cue, _ in seen} - {cue for cue, where in seen if where in ("unless", "against")}
        cues = [cue for cue in _listed() if cue in found] if found else []
    if context.quoted:
        start = context.spans[first][0]
        if any(low < start < high for low, high in context.quoted):
            cues.append("quoted")
    return tuple(cues)


class Spoken:
    """Words as cues know them, none or more for each written one, and every phrase of a cue among them."""

    __slots__ = ("_begins", "_found", "_offset", "_said")

    def __init__(self, words: Sequence[str], offset: int, memory: Memory) -> None:
        if not memory.views.keys().isdisjoint(words):
            words = list(map(memory.plain, words))
        spoken = list(map(_SPOKEN.__getitem__, words))
        self._offset = offset
        self._begins = list(accumulate(map(len, spoken), initial=1))
        self._said = " " + "".join(spoken)
        self._found = _phrases()[1].find(self._said)

    def seen(self, begin: int, first: int, beyond: int, stop: int) -> set[tuple[str, str]]:
        """(cue, where) of the phrases that stand where they must, among the written words from `begin` before `stop`, for a finding
        from `first` before `beyond`."""
        offset, begins, listed = self._offset, self._begins, _phrases()[0]
        low, start, end, high = begins[begin - offset], begins[first - offset], begins[beyond - offset], begins[stop - offset]
        found = self._found
        near = found[bisect_left(found, (low,)) : bisect_left(found, (high,))]
        if not near:
            return set()
        said = self._said[start:end].split(None, 2)[:2]
        told = bool(said) and (said[0] in speech.clause("told") or said[1:] == ["me"])  # “tell me …” is asked for oneself
        seen = set()
        for at, hits in near:
            for number, length in hits:
                cue, where, alone = listed[number]
                begins_at = at + 2 - length
                if begins_at < low or not _stands(where, begins_at, at + 1, start, end):
                    continue
                # what belongs to the clause before an "I" says nothing of it: "my friend", or a lone "no"
                if not (told and where == "ends" and (alone or cue == "third-person")):
                    seen.add((cue, where))
        return seen


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
