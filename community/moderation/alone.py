"""A few rules compiled by themselves: what a draft would notice, beside the rules in force and without touching them.

A rule alone finds what it finds among all the others, but for words that were run together with words of other rules.
"""

from __future__ import annotations

from functools import lru_cache

from community.lexicon.checking import in_pool
from community.safety import Lexicon, Rule

KEPT = 16


@lru_cache(maxsize=KEPT)
def compile_alone(rules: tuple[Rule, ...]) -> Lexicon:
    """Kept by content: a pass, a shadow and a page asking for the same rule compile it once. Raises PatternError."""
    return Lexicon.compile(rules)


def compiled_alone(*rules: Rule) -> Lexicon:
    """The same off the event loop: one rule takes 10 ms, a long one 100."""
    return in_pool(compile_alone, rules)
