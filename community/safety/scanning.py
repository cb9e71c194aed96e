"""Scan a text against a lexicon. Pure: the same text and lexicon give the same findings.

Bounded: a text is read to MAX_CHARS; time grows with its length and never with the number of rules that do not match. Should a
text cost more than MAX_SECONDS all the same, `scan` raises OutOfTime instead of keeping everybody waiting.
"""

import time
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import accumulate, islice, zip_longest
from typing import NamedTuple

from community.safety import cues, folding, reading, streams
from community.safety.automaton import Found
from community.safety.letters import Place
from community.safety.lexicon import Lexicon, Target
from community.safety.reading import AMBIGUOUS, Memory
from community.safety.rules import SEVERITIES, Finding, severity_rank

MAX_CHARS = 1_000_000
MAX_PER_RULE = 20
"""Findings of one rule in one text; the twenty-first would tell nobody more."""
MAX_FINDINGS = 100
"""Findings in one text: the first of every rule, gravest rules first, then the second of every rule, and so on."""
MAX_SECONDS = 2.0
"""Processor time for one text, looked at between the steps; a hundred times what the worst known text of a post's length takes."""
LONG = 2_000
"""Words; a shorter text is not timed, because its length bounds it."""
MAX_HITS = 2 * MAX_PER_RULE
"""Places in one text at which one way of one rule is looked at closely."""
MOST_KNOWN = 500
"""Anchors of one long text that are kept with their surroundings; a text with more of them does not repeat itself."""
MAX_NEW_WORDS = 300
"""Words never seen before that one long text may have looked at as disguises; one with many digits counts as several."""


class OutOfTime(RuntimeError):
    """A text costs too much to read: whoever stores it must have a person read it."""


class Match(NamedTuple):
    """A target seen in the words first..last (inclusive) by a view."""

    target: Target
    first: int
    last: int
    view: str


RawHit = tuple[int, int, int]
"""(target, first symbol, symbol after the last)."""

Known = dict[tuple[str, int], list[RawHit]]
"""In a long text, what is found at an anchor by the symbols around it and its length: whoever repeats a line is asked once."""


def scan(text: str, lexicon: Lexicon, *, room: int | None = None, profile: str = "general") -> tuple[Finding, ...]:
    """Findings by severity, then by place, then by rule. Rules of a room, or of rooms of some profile, fire only there."""
    text = text[:MAX_CHARS]
    memory = lexicon.vocabulary.memory()
    words = _affordable(folding.words(text), memory)
    budget = Budget() if len(words) > LONG else None
    matches = _matches(words, lexicon, memory, budget)
    places = lexicon.letters.find(text, room, profile) if lexicon.letters else ()
    if not matches and not places:
        return ()
    excepted = _excepted(matches)
    standing = _standing(matches, excepted, room, profile)
    if not standing and not places:
        return ()
    around = (0, len(words)) if places else (min(match.first for match in standing), max(match.last for match in standing))
    context = cues.Context(text, words, memory, *around)
    findings = [_finding(match, context, budget) for match in standing]
    findings += islice(_in_letters(places, context, excepted, room, profile), MAX_FINDINGS)
    return tuple(sorted(findings, key=_in_order))


def _affordable(words: list[str], memory: Memory) -> list[str]:
    """The words, with those beyond MAX_NEW_WORDS unseen ones blanked; their places stay."""
    if len(words) <= MAX_NEW_WORDS:
        return words
    unseen = [word for word in dict.fromkeys(words) if word not in memory]
    if len(unseen) <= MAX_NEW_WORDS // reading.MOST_EFFORT:
        return words
    beyond = bisect_right(list(accumulate(map(reading.effort, unseen))), MAX_NEW_WORDS)
    blanked = frozenset(unseen[beyond:])
    return [_BLANK if word in blanked else word for word in words] if blanked else words


_BLANK = "0"


def _in_order(found: Finding) -> tuple[int, int, int, str]:
    return -severity_rank(found.severity), found.start, found.end, found.rule


class Budget:
    """The processor time of one long text. Raises OutOfTime once it is spent; a busy machine spends none of it."""

    def __init__(self) -> None:
        self._until = time.thread_time() + MAX_SECONDS

    def check(self) -> None:
        if time.thread_time() > self._until:
            raise OutOfTime(f"A text was not read within {MAX_SECONDS} seconds of processor time.")


def _finding(match: Match, context: "cues.Context", budget: Budget | None) -> Finding:
    if budget:
        budget.check()
    rule = match.target.rule
    first, last = match.first, match.last
    if rule.action != "mask":  # what is covered is the words themselves; what is marked for people reads better whole
        first, last = context.rounded(first, last)
    start, end = context.spans[first][0], context.spans[last][1]
    seen = cues.of(match.first, match.last, context)
    severity = cues.lowered(rule.severity, seen, rule.concern)
    return Finding(rule.key, rule.concern, severity, rule.action, start, end, seen, match.view)


# -------------------------------------------------------------------- matching


def _matches(words: list[str], lexicon: Lexicon, memory: Memory, budget: Budget | None) -> list[Match]:
    read = list(map(memory.__getitem__, words))
    symbols = "".join(read)
    ambiguous: list[int] = []
    if AMBIGUOUS in symbols:
        symbols = symbols.replace(AMBIGUOUS, "")
        several = memory.ambiguous
        ambiguous = [at for at, word in enumerate(words) if word in several]
        for at in ambiguous:
            read[at] = read[at].lstrip(AMBIGUOUS)
    known: Known = {}
    found = _as_read(symbols, read, words, lexicon, memory, known)
    if budget:
        budget.check()
        if _says_enough([match.target for match in found]):
            return found
    glued = streams.glued(symbols, lexicon.glue)
    if glued != symbols:
        found += _as_read(glued, read, words, lexicon, memory, known)
    if lexicon.fragments.search(symbols):
        found += _put_together(words, read, lexicon, memory, known)
        if budget:
            budget.check()
    if ambiguous:
        likeliest = streams.likeliest(ambiguous, words, read, memory, lexicon.pairs)
        if likeliest:
            found += _as_read("".join(likeliest), likeliest, words, lexicon, memory, known)
    return [match for match in found if not _flimsy(match, words)]


def _says_enough(targets: list[Target]) -> bool:
    """More than can be shown, as grave as can be: whatever else there is would change nothing for whoever reads it."""
    return len(targets) > MAX_FINDINGS and any(
        target.rule.severity == SEVERITIES[-1] and not target.exception for target in targets
    )


def _as_read(symbols: str, read: list[str], words: list[str], lexicon: Lexicon, memory: Memory, known: Known) -> list[Match]:
    """Matches in the symbols of each word."""
    views, disguised = memory.views, memory.views.keys()

    def how(first: int, last: int) -> list[str]:
        said = words[first : last + 1]
        return [] if disguised.isdisjoint(said) else [views.get(word, "words") for word in said]

    hits = _all_hits(symbols, lexicon, known)
    if len(hits) > _SEVERAL and disguised.isdisjoint(words):
        return _located(hits, read, _as_written, lexicon)
    return _located(hits, read, how, lexicon)


_SEVERAL = 20
"""Hits beyond which it pays to look at all words once."""


def _as_written(first: int, last: int) -> list[str]:
    return []


def _put_together(words: list[str], read: list[str], lexicon: Lexicon, memory: Memory, known: Known) -> list[Match]:
    """Matches in words put together again."""
    joints = streams.put_together(words, read, memory, lexicon.vocabulary.reader)
    together = streams.woven(joints, read)
    hits = _all_hits("".join(together), lexicon, known) if joints else []
    if not hits:
        return []
    origins = streams.origins(joints, len(words))

    def views(first: int, last: int) -> list[str]:
        parts = origins[first : last + 1]
        return [memory.view(words[part]) if isinstance(part, int) else part.view for part in parts]

    return [
        Match(match.target, _word(origins[match.first], last=False), _word(origins[match.last], last=True), match.view)
        for match in _located(hits, together, views, lexicon)
    ]


def _word(origin: "int | streams.Piece", *, last: bool) -> int:
    """The first or last word of a part."""
    if isinstance(origin, int):
        return origin
    return origin.last if last else origin.first


_ENOUGH = {"typo": 6, "vowels": 4}
"""Letters a single misspelt or vowelless word needs to be believed without neighbours."""


def _flimsy(match: Match, words: list[str]) -> bool:
    return match.first == match.last and len(words[match.first]) < _ENOUGH.get(match.view, 0)


def _all_hits(symbols: str, lexicon: Lexicon, known: Known) -> list[RawHit]:
    """What is found in the symbols, and in the symbols without words of emphasis, each once."""
    hits = _hits(symbols, lexicon, known)
    if len(hits) > MAX_FINDINGS and _says_enough([lexicon.targets[number] for number, _, _ in hits]):
        return hits
    brief = streams.unnamed_removed(symbols)
    if len(brief) < len(symbols):
        brief_hits = _hits(brief, lexicon, known)
        if brief_hits:
            kept = streams.places_kept(symbols)
            hits += [(target, kept[start], kept[end - 1] + 1) for target, start, end in brief_hits]
            hits = list(dict.fromkeys(hits))
    return hits


def _hits(symbols: str, lexicon: Lexicon, known: Known) -> list[RawHit]:
    anchors = lexicon.automaton.find(symbols)
    if len(anchors) <= MAX_HITS:
        return list(_anchored(symbols, anchors, lexicon))
    hits: list[RawHit] = []
    count: dict[int, int] = defaultdict(int)
    spent: set[int] = set()
    dense = len(anchors) * _DENSE > len(symbols)
    looked = _looked_up(symbols, anchors, lexicon, known, spent) if dense else _anchored(symbols, anchors, lexicon, spent)
    for hit in looked:
        number = hit[0]
        if number not in spent:
            hits.append(hit)
            count[number] += 1
            if count[number] == MAX_HITS:
                spent.add(number)
    return hits


_DENSE = 8
"""Symbols to an anchor: ordinary words have twenty."""


def _looked_up(symbols: str, anchors: list[Found], lexicon: Lexicon, known: Known, spent: Container[int]) -> Iterator[RawHit]:
    """The hits at anchors, each asked once for the same symbols around it."""
    reach = lexicon.reach
    for place, (at, found) in enumerate(anchors):
        if at < reach:
            yield from _anchored(symbols, ((at, found),), lexicon, spent)
            continue
        if len(known) >= MOST_KNOWN:
            yield from _anchored(symbols, islice(anchors, place, None), lexicon, spent)
            return
        around = symbols[at - reach : at + reach], found[0][1]
        if around not in known:
            fresh = _anchored(symbols, ((at, found),), lexicon)
            known[around] = [(number, start - at, end - at) for number, start, end in fresh]
        for number, start, end in known[around]:
            yield number, at + start, at + end


def _anchored(symbols: str, anchors: Iterable[Found], lexicon: Lexicon, spent: Container[int] = ()) -> Iterator[RawHit]:
    """The hits at anchors, of targets that are not spent."""
    beside, targets = lexicon.beside, lexicon.targets
    for at, found in anchors:
        for number, length in found:
            end = at + 1
            start = end - length
            sides = beside[number]
            if sides:  # nearly always nothing that could stand on one of them does
                lasts, back, firsts, ahead = sides
                if back and lasts.isdisjoint(symbols[start - back if start > back else 0 : start]):
                    continue
                if ahead and firsts.isdisjoint(symbols[end : end + ahead]):
                    continue
                if number in spent:
                    continue
                if ahead:
                    end = _rightwards(symbols, end, targets[number])
                if end and back:
                    start = _leftwards(symbols, start, targets[number])
                if not end or start < 0:
                    continue
            yield number, start, end


def _leftwards(symbols: str, start: int, target: Target) -> int:
    """Where the match begins once the parts before the anchor are found, or -1."""
    if len(target.before) == 1 and not target.before[0][1]:  # by far the commonest: one part, right before
        part = target.before[0][0]
        for length in part.longest_first:
            if length <= start and symbols[start - length : start] in part.phrases:
                return start - length
        return -1
    reached = {start}
    for part, gap in target.before:
        reached = {
            begin
            for place in reached
            for end in range(place, max(place - gap, 0) - 1, -1)
            if symbols[end - 1 : end] in part.lasts
            for length in part.lengths
            if (begin := end - length) >= 0 and symbols[begin:end] in part.phrases
        }
        if not reached:
            return -1
    return min(reached)


def _rightwards(symbols: str, end: int, target: Target) -> int:
    """Where the match ends once the parts after the anchor are found, or 0."""
    if len(target.after) == 1 and not target.after[0][1]:
        part, room = target.after[0][0], len(symbols) - end
        for length in part.longest_first:
            if length <= room and symbols[end : end + length] in part.phrases:
                return end + length
        return 0
    reached = {end}
    for part, gap in target.after:
        reached = {
            begin + length
            for place in reached
            for begin in range(place, place + gap + 1)
            if symbols[begin : begin + 1] in part.firsts
            for length in part.lengths
            if begin + length <= len(symbols) and symbols[begin : begin + length] in part.phrases
        }
        if not reached:
            return 0
    return max(reached)


def _located(hits: list[RawHit], read: list[str], how: Callable[[int, int], list[str]], lexicon: Lexicon) -> list[Match]:
    """Matches in words, or in pieces: `read` has the symbols of each and `how` tells how those from first to last were read, or nothing
    if all were read as written."""
    if not hits:
        return []
    begins = list(accumulate(map(len, read), initial=0))
    found = []
    for target, start, end in hits:
        first = bisect_right(begins, start) - 1
        last = bisect_right(begins, end - 1, first) - 1 if end > start + 1 else first
        views = how(first, last)
        if not views:
            found.append(Match(lexicon.targets[target], first, last, "words"))
            continue
        left = start - begins[first] if views[0] in _RUN_TOGETHER else 0
        over = begins[last + 1] - end if views[-1] in _RUN_TOGETHER else 0
        if left + over > end - start:
            continue  # it lies in words run together and leaves more of them over than it covers
        seen = next((view for view in views if view != "words"), "words")
        found.append(Match(lexicon.targets[target], first, last, seen))
    return found


_RUN_TOGETHER = ("joined", "leet")


# -------------------------------------------------------------------- what stands


Excepted = dict[str, list[tuple[int, int]]]
"""By rule key, the words (first, last) at which it is silent."""


def _excepted(matches: list[Match]) -> Excepted:
    excepted: Excepted = defaultdict(list)
    for match in matches:
        if match.target.exception:
            excepted[match.target.rule.key].append((match.first, match.last))
    return excepted


def _standing(matches: list[Match], excepted: Excepted, room: int | None, profile: str) -> list[Match]:
    """Without other rooms' rules, unwanted views, excepted places and repeats, and no more than MAX_FINDINGS."""
    by_rule: dict[str, list[Match]] = defaultdict(list)
    for match in matches:
        target = match.target
        if not target.exception and (target.rule.views is None or match.view in target.rule.views):
            by_rule[target.rule.key].append(match)
    standing = [
        [match for match in _apart(found) if not _within(match.first, match.last, excepted.get(key, ()))]
        for key, found in by_rule.items()
        if found[0].target.rule.fires_in(room, profile)
    ]
    if sum(map(len, standing)) <= MAX_FINDINGS:
        return [match for found in standing for match in found]
    standing.sort(key=lambda found: -severity_rank(found[0].target.rule.severity) if found else 1)
    in_turn = (match for turn in zip_longest(*standing) for match in turn if match)
    return list(islice(in_turn, MAX_FINDINGS))


def _within(first: int, last: int, places: Sequence[tuple[int, int]]) -> bool:
    return any(begins <= last and first <= ends for begins, ends in places)


def _in_letters(
    places: Iterable[Place], context: "cues.Context", excepted: Excepted, room: int | None, profile: str
) -> Iterator[Finding]:
    """Findings of `inside` and `regex` rules; cues and exceptions count by the words they touch."""
    ends: dict[str, int] = {}
    for rule, start, end, view in sorted(places, key=lambda place: (place.start, -place.end)):
        if not rule.fires_in(room, profile) or start < ends.get(rule.key, 0):
            continue
        first, last = _touched(context.spans, start, end)
        if _within(first, last, excepted.get(rule.key, ())):
            continue
        ends[rule.key] = end
        seen = cues.of(first, last, context) if context.spans else ()
        yield Finding(
            rule.key, rule.concern, cues.lowered(rule.severity, seen, rule.concern), rule.action, start, end, seen, view
        )


def _touched(spans: Sequence[tuple[int, int]], start: int, end: int) -> tuple[int, int]:
    """The first and last word that a stretch of code points touches, or the nearest."""
    first = min(bisect_right(spans, start, key=lambda span: span[1]), max(len(spans) - 1, 0))
    return first, max(first, bisect_left(spans, end, key=lambda span: span[0]) - 1)


def _apart(found: list[Match]) -> list[Match]:
    """The leftmost longest matches of one rule that do not overlap."""
    if len(found) == 1:
        return found
    kept: list[Match] = []
    for match in sorted(found, key=lambda match: (match.first, -match.last, match.view != "words")):
        if not kept or match.first > kept[-1].last:
            kept.append(match)
    return kept[:MAX_PER_RULE]
