"""What must hold for any text and any pattern whatsoever. A broken promise raises AssertionError."""

from __future__ import annotations

import time

from community.safety import Lexicon, PatternError, Rule, explain, fold, scan, starter_rules
from community.safety.folding import spans, words

LETTERS = [
    Rule("inside", "想死|unalive", "suicide", "red", kind="inside"),
    Rule("regex", r"\b\d{2,3} ?(kg|kcal)\b", "eating", "amber", kind="regex"),
]
LEXICON = Lexicon.compile([*starter_rules(), *LETTERS])
PLAIN = Lexicon.compile([*starter_rules(), *LETTERS], engine="python")
PLAIN_CHARS = 400
"""The plain engine is slow: longer texts are not compared with it."""
MOST_SECONDS = 1.0
"""Processor time for one input of fuzzing size, a thousand times the usual."""


def keep_for_text(text: str) -> None:
    started = time.thread_time()
    findings = scan(text, LEXICON)
    spent = time.thread_time() - started
    assert spent < MOST_SECONDS, f"{spent:.1f} s for {len(text)} characters"
    for found in findings:
        assert 0 <= found.start < found.end <= len(text)
        assert explain(found, text, LEXICON)
    assert findings == scan(text, LEXICON)
    if len(text) <= PLAIN_CHARS:
        assert findings == scan(text, PLAIN)
    places = spans(text)
    assert len(places) == len(words(text))
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert fold(fold(text)) == fold(text)


def keep_for_pattern(pattern: str, kind: str) -> None:
    """A pattern is compiled or refused in a sentence, within bounded time, and what is compiled can be scanned with."""
    started = time.thread_time()
    refused, lexicon = "", None
    try:
        lexicon = Lexicon.compile([Rule("fuzzed", pattern, "spam", "green", kind=kind)])
    except PatternError as error:
        refused = str(error)
    spent = time.thread_time() - started
    assert spent < 3 * MOST_SECONDS, f"{spent:.1f} s for a pattern of {len(pattern)} characters"
    if lexicon is None:
        assert refused.startswith("fuzzed: ")
    else:
        scan(pattern, lexicon)


def keep(data: bytes) -> None:
    """One input of a fuzzer: the first byte chooses what the rest is."""
    text = data[1:].decode("utf-8", "surrogateescape")
    choice = data[0] if data else 0
    if choice < 0xC0:
        keep_for_text(text)
    else:
        keep_for_pattern(text, ("phrase", "inside", "regex")[choice % 3])
