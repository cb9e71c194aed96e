"""The slow and obvious way to find phrases, for comparing: word by word, no symbols, no automaton, no memory."""

from __future__ import annotations

from functools import cache

from community.safety import Rule, patterns, speech

MARK = "\x00"
"""Stands before a word of emphasis, which counts as one more word between others."""


def spoken(words: list[str], *, emphasis: bool) -> list[str]:
    """The words with short forms written out; words of emphasis marked, or left out."""
    found: list[str] = []
    for word in words:
        for part in speech.short_forms().get(word, (word,)):
            if part not in speech.emphasis():
                found.append(part)
            elif emphasis:
                found += [MARK, part]
    return found


def found_in(words: list[str], rules: list[Rule]) -> set[tuple[str, bool]]:
    """(rule, whether by an exception) of everything the folded words hold."""
    readings = [spoken(words, emphasis=True), spoken(words, emphasis=False)]
    return {
        (rule.key, exception)
        for rule in rules
        for exception, listed in ((False, (rule.pattern,)), (True, rule.exceptions))
        for pattern in listed
        for parts, gaps in _ways(pattern)
        if any(_holds(reading, parts, gaps) for reading in readings)
    }


@cache
def _ways(pattern: str) -> list[tuple[list[list[list[str]]], tuple[int, ...]]]:
    return [
        ([[spoken(list(phrase), emphasis=True) for phrase in patterns.phrases(part)] for part in way.parts], way.gaps)
        for way in patterns.parse(pattern)
    ]


def _holds(said: list[str], parts: list[list[list[str]]], gaps: tuple[int, ...]) -> bool:
    ends = _ends(said, parts[0], set(range(len(said))))
    for gap, part in zip(gaps, parts[1:], strict=True):
        ends = _ends(said, part, {begin for end in ends for begin in range(end, end + gap + 1)})
    return bool(ends)


def _ends(said: list[str], part: list[list[str]], begins: set[int]) -> set[int]:
    return {
        begin + len(phrase)
        for begin in begins
        for phrase in part
        if len(phrase) <= len(said) - begin and all(map(_is, phrase, said[begin : begin + len(phrase)]))
    }


def _is(asked: str, word: str) -> bool:
    return word.startswith(asked[:-1]) if asked.endswith("*") else word == asked
