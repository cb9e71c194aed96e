"""Scan a text against a lexicon. Pure: the same text and lexicon give the same findings.

Bounded: a text is read to MAX_CHARS; time grows with its length and never with the number of rules that do not match.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from community.safety import cues, folding, streams
from community.safety.letters import Place
from community.safety.lexicon import Lexicon, Target
from community.safety.rules import Finding, severity_rank
from community.safety.streams import Piece

MAX_CHARS = 1_000_000
MAX_PER_RULE = 20
"""Findings of one rule in one text; the twenty-first would tell nobody more."""
MAX_NEW_WORDS = 600
"""Words never seen before that one long text may have looked at as disguises."""


@dataclass(frozen=True, slots=True)
class Match:
    """A target seen in the words first..last (inclusive) by a view."""

    target: Target
    first: int
    last: int
    view: str


RawHit = tuple[int, int, int]
"""(target, first symbol, symbol after the last)."""


def scan(text: str, lexicon: Lexicon, *, room: int | None = None, profile: str = "general") -> tuple[Finding, ...]:
    """Findings by severity, then by place. Rules of a room, or of rooms of some profile, fire only there."""
    words = _affordable(folding.words(text[:MAX_CHARS]), lexicon)
    matches = _matches(words, lexicon)
    places = lexicon.letters.find(text[:MAX_CHARS], room, profile) if lexicon.letters else ()
    if not matches and not places:
        return ()
    context = cues.Context(text[:MAX_CHARS], words, lexicon.vocabulary.plain)
    excepted = _excepted(matches)
    findings = [_finding(match, context) for match in _standing(matches, excepted, room, profile)]
    findings += _in_letters(places, context, excepted, room, profile)
    return tuple(sorted(findings, key=lambda found: (-severity_rank(found.severity), found.start, found.end)))


def _affordable(words: list[str], lexicon: Lexicon) -> list[str]:
    """The words, with those beyond MAX_NEW_WORDS unseen ones blanked; their places stay."""
    if len(words) <= MAX_NEW_WORDS:
        return words
    unseen = [word for word in dict.fromkeys(words) if word not in lexicon.vocabulary]
    beyond = frozenset(unseen[MAX_NEW_WORDS:])
    return [_BLANK if word in beyond else word for word in words] if beyond else words


_BLANK = "0"


def _finding(match: Match, context: "cues.Context") -> Finding:
    rule = match.target.rule
    first, last = context.rounded(match.first, match.last)
    start, end = context.spans[first][0], context.spans[last][1]
    seen = cues.of(match.first, match.last, context)
    severity = cues.lowered(rule.severity, seen, rule.concern)
    return Finding(rule.key, rule.concern, severity, rule.action, start, end, seen, match.view)


# -------------------------------------------------------------------- matching


def _matches(words: list[str], lexicon: Lexicon) -> list[Match]:
    vocabulary = lexicon.vocabulary
    symbols = "".join(map(vocabulary.__getitem__, words))
    found = _as_written(symbols, words, lexicon)
    glued = symbols
    for apart, whole in lexicon.glue:
        glued = glued.replace(apart, whole)
    if glued != symbols:
        found += _as_written(glued, words, lexicon)
    if streams.looks_split(symbols):
        joined = streams.put_together(words, vocabulary)
        if joined:
            found += _again(joined, lexicon)
    likeliest = streams.likeliest(words, vocabulary, lexicon.pairs)
    if likeliest:
        found += _again(likeliest, lexicon)
    return [match for match in found if not _flimsy(match, words)]


def _as_written(symbols: str, words: list[str], lexicon: Lexicon) -> list[Match]:
    hits = _all_hits(symbols, lexicon)
    if not hits:
        return []
    vocabulary = lexicon.vocabulary
    owner = [at for at, word in enumerate(words) for _ in vocabulary[word]]

    def piece(at: int) -> Piece:
        return Piece(vocabulary[words[at]], at, at, vocabulary.views.get(words[at], "words"))

    return _located(hits, owner, piece, lexicon)


def _again(pieces: list[Piece], lexicon: Lexicon) -> list[Match]:
    hits = _all_hits("".join(piece.symbols for piece in pieces), lexicon)
    if not hits:
        return []
    owner = [at for at, piece in enumerate(pieces) for _ in piece.symbols]
    return _located(hits, owner, pieces.__getitem__, lexicon)


_ENOUGH = {"typo": 6, "vowels": 4}
"""Letters a single misspelt or vowelless word needs to be believed without neighbours."""


def _flimsy(match: Match, words: list[str]) -> bool:
    return match.first == match.last and len(words[match.first]) < _ENOUGH.get(match.view, 0)


def _all_hits(symbols: str, lexicon: Lexicon) -> list[RawHit]:
    """What is found in the symbols, and in the symbols without words of emphasis, each once."""
    hits = _hits(symbols, lexicon)
    brief = streams.unnamed_removed(symbols)
    if len(brief) < len(symbols):
        brief_hits = _hits(brief, lexicon)
        if brief_hits:
            kept = streams.places_kept(symbols)
            hits += [(target, kept[start], kept[end - 1] + 1) for target, start, end in brief_hits]
            hits = list(dict.fromkeys(hits))
    return hits


def _hits(symbols: str, lexicon: Lexicon) -> list[RawHit]:
    hits: list[RawHit] = []
    targets = lexicon.targets
    for at, found in lexicon.automaton.iter(symbols):
        for number, length in found:
            target = targets[number]
            start, end = at + 1 - length, at + 1
            if target.before:
                start = _leftwards(symbols, start, target)
            if start >= 0 and target.after:
                end = _rightwards(symbols, end, target)
            if start >= 0 and end:
                hits.append((number, start, end))
    return hits


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
            for length in part.lengths
            if (begin := end - length) >= 0 and symbols[begin:end] in part.phrases
        }
        if not reached:
            return -1
    return min(reached)


def _rightwards(symbols: str, end: int, target: Target) -> int:
    """Where the match ends once the parts after the anchor are found, or 0."""
    reached = {end}
    for part, gap in target.after:
        reached = {
            begin + length
            for place in reached
            for begin in range(place, place + gap + 1)
            for length in part.lengths
            if begin + length <= len(symbols) and symbols[begin : begin + length] in part.phrases
        }
        if not reached:
            return 0
    return max(reached)


def _located(hits: list[RawHit], owner: list[int], piece: Callable[[int], Piece], lexicon: Lexicon) -> list[Match]:
    """Matches in words. `owner[i]` is the number of the piece that symbol i came from."""
    found = []
    for target, start, end in hits:
        inside = [piece(at) for at in range(owner[start], owner[end - 1] + 1)]
        lead = start - bisect_left(owner, owner[start])
        if _ragged(inside, lead, end - bisect_left(owner, owner[end - 1])):
            continue
        view = next((piece.view for piece in inside if piece.view != "words"), "words")
        found.append(Match(lexicon.targets[target], inside[0].first, inside[-1].last, view))
    return found


def _ragged(inside: list[Piece], lead: int, upto: int) -> bool:
    """True when a match lies in run-together words and leaves more of them over than it covers."""
    first, last = inside[0], inside[-1]
    left = lead if first.view in _RUN_TOGETHER else 0
    over = len(last.symbols) - upto if last.view in _RUN_TOGETHER else 0
    return left + over > sum(len(piece.symbols) for piece in inside) - lead - (len(last.symbols) - upto)


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
    """Without other rooms' rules, unwanted views, excepted places and repeats."""
    by_rule: dict[str, list[Match]] = defaultdict(list)
    for match in matches:
        rule = match.target.rule
        if not match.target.exception and rule.fires_in(room, profile) and (rule.views is None or match.view in rule.views):
            by_rule[rule.key].append(match)
    return [
        match
        for key, found in by_rule.items()
        for match in _apart(found)
        if not _within(match.first, match.last, excepted.get(key, ()))
    ]


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
    kept: list[Match] = []
    for match in sorted(found, key=lambda match: (match.first, -match.last, match.view != "words")):
        if not kept or match.first > kept[-1].last:
            kept.append(match)
    return kept[:MAX_PER_RULE]
