"""Rules that look at letters instead of words: `inside` for scripts without spaces, `regex` for admins who need one.

Both give exact places in the original text. Regular expressions are RE2, which takes linear time whatever the pattern; they read
the text as written, without regard to case, and undo no disguise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from community.safety import folding
from community.safety.automaton import ENGINE, Automaton, begun
from community.safety.patterns import PatternError
from community.safety.rules import PROFILES, Rule

try:
    import re2
except ImportError:  # no wheel for this machine: such rules are refused, and never left out in silence
    re2 = None

EXPRESSIONS = re2 is not None
"""Whether rules may be regular expressions here."""
MAX_REGEX = 1_000
"""Characters in one regular expression."""
MAX_REGEX_MEMORY = 1 << 20
"""Bytes RE2 may spend on one compiled expression: counted repeats of repeats end here."""
MAX_REGEX_CHARS = 50_000
"""How much of one text regular expressions read."""
MAX_PER_RULE = 20
FEWEST_INSIDE = 2
"""Letters an `inside` pattern must have: one letter would match everywhere."""
_PROBES = ("", "a", "7", "a b", "\n", "-")


class Place(NamedTuple):
    """A rule seen in the code points start..end of the original."""

    rule: Rule
    start: int
    end: int
    view: str


class Letters:
    """The compiled `inside` and `regex` rules of a lexicon. Immutable. Raises PatternError when one cannot be read."""

    __slots__ = ("_automaton", "_only_foreign", "_regexes", "_rules")

    def __init__(self, rules: Iterable[Rule], engine: str = ENGINE) -> None:
        listed = list(rules)
        inside = [(rule, letters) for rule in listed if rule.kind == "inside" for letters in inside_letters(rule)]
        self._rules = [rule for rule, _ in inside]
        self._automaton: Automaton | None = begun(engine) if inside else None
        if self._automaton is not None:
            for number, (_, letters) in enumerate(inside):
                self._automaton.add(number, (letters,))
            self._automaton.close()
        self._only_foreign = not any(letters.isascii() for _, letters in inside)
        regexes = [(rule, compiled(rule)) for rule in listed if rule.kind == "regex"]
        by_profile = {profile: [pair for pair in regexes if pair[0].fires_in(pair[0].room, profile)] for profile in PROFILES}
        self._regexes = {profile: pairs for profile, pairs in by_profile.items() if pairs}

    def __bool__(self) -> bool:
        return self._automaton is not None or bool(self._regexes)

    def find(self, text: str, room: int | None = None, profile: str = "general") -> list[Place]:
        """Every place of a rule that speaks in this room, at most MAX_PER_RULE for one rule. Expressions for other rooms cost nothing."""
        speaking = [pair for pair in self._regexes.get(profile, ()) if pair[0].room in (None, room)]
        found = list(self._expressions(text, speaking)) if speaking else []
        if self._automaton is not None and not (self._only_foreign and text.isascii()):
            found += self._inside(text)
        return found

    def _inside(self, text: str) -> Iterator[Place]:
        letters, origins = unfolded(text)
        seen: dict[str, int] = {}
        for at, hits in self._automaton.find(letters) if self._automaton else ():
            for number, length in hits:
                rule = self._rules[number]
                seen[rule.key] = seen.get(rule.key, 0) + 1
                if seen[rule.key] <= MAX_PER_RULE:
                    yield Place(rule, origins[at + 1 - length], origins[at] + 1, "inside")

    def _expressions(self, text: str, speaking: list[tuple[Rule, Any]]) -> Iterator[Place]:
        readable = text[:MAX_REGEX_CHARS]
        if not readable.isascii():
            readable = readable.translate(_UNSPEAKABLE)
        for rule, expression in speaking:
            count = 0
            for match in expression.finditer(readable):
                start, end = match.span()
                if start < end:
                    yield Place(rule, start, end, "regex")
                    count += 1
                if count == MAX_PER_RULE:
                    break


_UNSPEAKABLE = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")  # RE2 reads UTF-8, which has no halves of pairs


def unfolded(text: str) -> tuple[str, list[int]]:
    """The folded letters of a text with one space for each boundary, and for each of them the code point it came from."""
    letters: list[str] = []
    origins: list[int] = []
    for at, char in enumerate(text):
        folded = folding.TABLE[ord(char)]
        for letter in folded or "":
            letters.append(letter)
            origins.append(at)
    return "".join(letters), origins


def inside_letters(rule: Rule) -> list[str]:
    """The letters an `inside` rule looks for: its pattern, with `|` between alternatives."""
    found = []
    for part in rule.pattern.split("|"):
        letters = "".join(folding.words(part))
        if len(letters) < FEWEST_INSIDE:
            raise PatternError(f"{rule.key}: “{part.strip()}” has too few letters to look for inside words: write at least two.")
        found.append(letters)
    return found


def compiled(rule: Rule) -> Any:
    """The compiled expression. Raises PatternError with a sentence for one that is too large, broken or matches nothing."""
    if not EXPRESSIONS:
        raise PatternError(
            f"{rule.key}: Regular expressions cannot be used here, because google-re2 cannot be imported: "
            "install it, or write the rule without one."
        )
    if len(rule.pattern) > MAX_REGEX:
        raise PatternError(f"{rule.key}: The regular expression is longer than {MAX_REGEX:,} characters: make it two rules.")
    if any(code in _UNSPEAKABLE for code in map(ord, rule.pattern)):
        raise PatternError(
            f"{rule.key}: The expression holds half a character (a lone surrogate), which no text has: take it out."
        )
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MAX_REGEX_MEMORY
    try:
        expression = re2.compile(rule.pattern, options)
        empty = any(match.start() == match.end() for probe in _PROBES for match in expression.finditer(probe))
    except re2.error as error:
        raise PatternError(f"{rule.key}: {_why(error)}") from error
    if empty:
        raise PatternError(
            f"{rule.key}: This expression also matches where there is nothing. Write at least one sign that must be there."
        )
    return expression


def _why(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    if "too large" in said or "bad repetition operator" in said or "repetition size" in said or "out of memory" in said:
        return f"This regular expression is too large ({said}): repeat less, or make it two rules."
    if "perl operator" in said or "escape sequence" in said:
        return f"Backreferences and look-arounds are not taken here, because they can take for ever ({said})."
    return f"This is not a regular expression that can be read ({said})."
