"""What makes the scanner quick never changes what it finds.

Content note: plain, short sentences of the starter rules about self-harm and suicide.
"""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community.safety import (
    Finding,
    Lexicon,
    Rule,
    cues,
    folding,
    lexicon,
    patterns,
    reading,
    scan,
    scanning,
    speech,
    starter_rules,
    vocabulary,
)
from tests.safety.plainly import found_in

RULES = list(starter_rules())
EXAMPLES = sorted({text for rule in RULES for text in (*rule.must_match, *rule.must_not_match)})
EVERYDAY = sorted(speech.everyday())
NOISE = "abcXYZ.,!?'’-_*#1$\u200b\u0301éш🙂9\n\x00\"“”>"


def disguised(word: str, dice: random.Random) -> str:
    if len(word) < 3:
        return word
    at = dice.randrange(1, len(word))
    return dice.choice(
        (
            word.upper(),
            " ".join(word),
            "\u200b".join(word),
            word.replace("i", "1").replace("e", "3").replace("o", "0"),
            word.replace("a", "а").replace("e", "е"),
            word[:at] + word[at] * 4 + word[at + 1 :],
            word[:at] + "*" + word[at + 1 :],
            word[:at] + word[at + 1 :],
            word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
        )
    )


def some_text(dice: random.Random) -> str:
    """Examples as written, shuffled or disguised, everyday words and noise, one after another."""
    parts = []
    for _ in range(dice.randint(1, 5)):
        words = dice.choice(EXAMPLES).split(" ")
        kind = dice.random()
        if kind < 0.35:
            words = [disguised(word, dice) if dice.random() < 0.5 else word for word in words]
        elif kind < 0.45:
            dice.shuffle(words)
        elif kind < 0.6:
            words = dice.choices(EVERYDAY, k=dice.randint(1, 12))
        elif kind < 0.7:
            words = dice.choices(NOISE, k=dice.randint(1, 20))
        parts.append(" ".join(words))
    return dice.choice((" ", "\n", ". ")).join(parts)


def texts(seed: int, count: int) -> list[str]:
    dice = random.Random(seed)
    return [some_text(dice) for _ in range(count)]


STARTER = Lexicon.compile(RULES)


def test_both_engines_find_the_same() -> None:
    plain = Lexicon.compile(RULES, engine="python")
    for text in texts(1, 250):
        assert scan(text, plain) == scan(text, STARTER), text


@pytest.mark.parametrize("seldom", [0, 10**20])
def test_where_a_list_is_cut_changes_nothing(seldom: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut wherever it can be, or only where it would be too long."""
    monkeypatch.setattr(lexicon, "SELDOM", seldom)
    monkeypatch.setattr(lexicon, "FEW", 1)
    other = Lexicon.compile(RULES)
    for text in (*EXAMPLES, *texts(11, 250)):
        assert scan(text, other) == scan(text, STARTER), text


def test_long_patterns_of_many_short_lists_are_compiled_quickly() -> None:
    began = time.thread_time()
    for place in ("(aa|bb) ", "ww [xx] (a|b) ", "ww "):
        Lexicon.compile([Rule("long", place * ((patterns.MAX_PATTERN - 20) // len(place)) + "(a|b|c|d|e|f)", "spam", "green")])
    assert time.thread_time() - began < 2


def test_what_was_read_before_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lexicon that has read much, one that remembers next to nothing, and one that goes the other way round."""
    small, back = Lexicon.compile(RULES), Lexicon.compile(RULES)
    asked = texts(2, 250)
    expected = [scan(text, STARTER) for text in asked]
    backwards = [scan(text, back) for text in reversed(asked)][::-1]
    assert backwards == expected
    monkeypatch.setattr(vocabulary, "REMEMBERED", 0)
    assert [scan(text, small) for text in asked] == expected


def test_plain_words_are_found_exactly_where_a_slow_and_obvious_search_finds_them() -> None:
    """Compared for words that everybody knows, so that no disguise is undone: every rule and every exception."""
    known = STARTER.vocabulary.reader.base
    glue = {word for pair in speech.glue() for word in pair}
    chosen = [rule for rule in RULES if rule.kind == "phrase"][::3]
    lexicon, compared = Lexicon.compile(chosen), 0
    dice = random.Random(3)
    while compared < 40:
        words = [word for word in folding.words(some_text(dice)) if word in known and word not in glue and not word.isdigit()][
            :30
        ]
        memory = lexicon.vocabulary.memory()
        words = [word for word in words if word in lexicon.vocabulary.reader.base]
        if not words or reading.SINGLE in map(memory.__getitem__, words):
            continue  # a lone letter may belong to its neighbours
        matches = scanning._matches(words, lexicon, memory, None)
        assert {(match.target.rule.key, match.target.exception) for match in matches} == found_in(words, chosen), words
        compared += 1


def test_of_very_many_findings_every_rule_keeps_its_first_and_the_gravest_come_first() -> None:
    rules = [Rule(f"r{number}", f"word{number}x", "spam", ("green", "crisis")[number % 2]) for number in range(200)]
    lexicon = Lexicon.compile(rules)
    text = " ".join(f"word{number}x" for number in range(200)) + " "
    findings: tuple[Finding, ...] = scan(text * 3, lexicon)
    assert len(findings) == scanning.MAX_FINDINGS
    assert {found.rule for found in findings} >= {rule.key for rule in rules if rule.severity == "crisis"}
    assert len({found.rule for found in findings}) == scanning.MAX_FINDINGS


@settings(deadline=None, max_examples=150)
@given(st.text("abK é'-.!?,1#$%", max_size=30))
def test_a_pattern_of_words_alone_is_read_as_one_in_brackets(pattern: str) -> None:
    assert _parsed_or_refused(pattern) == _parsed_or_refused(f"({pattern})")


def _parsed_or_refused(pattern: str) -> str:
    try:
        return str([([patterns.phrases(part) for part in way.parts], way.gaps) for way in patterns.parse(pattern)])
    except patterns.PatternError as error:
        return type(error).__name__


def test_what_is_remembered_of_a_text_that_repeats_itself_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(4)
    asked = [" ".join(some_text(dice) for _ in range(4)) * dice.randint(2, 9) + some_text(dice) for _ in range(60)]
    expected = [scan(text, STARTER) for text in asked]
    for most in (0, 3):
        monkeypatch.setattr(scanning, "MOST_KNOWN", most)
        assert [scan(text, STARTER) for text in asked] == expected


@settings(deadline=None, max_examples=150)
@given(st.text("abK é'`-.!?,*#\u200b🙂", max_size=80), st.integers(0, 30), st.integers(0, 30))
def test_the_places_of_some_words_are_those_of_all(text: str, first: int, count: int) -> None:
    text = "word's " * 9 + text
    assert folding.spans(text, first, first + count) == folding.spans(text)[first : first + count]
    assert folding.spans(text, first) == folding.spans(text)[first:]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32))
def test_what_is_far_from_a_finding_changes_none_of_its_cues(seed: int) -> None:
    text = some_text(random.Random(seed))
    words = folding.words(text)
    memory = STARTER.vocabulary.memory()
    whole = cues.Context(text, words, memory, 0, len(words))
    for first in range(len(words)):
        last = min(first + 2, len(words) - 1)
        near = cues.Context(text, words, memory, first, last)
        assert near.rounded(first, last) == whole.rounded(first, last)
        assert near.spans[first : last + 1] == whole.spans[first : last + 1]
        assert cues.of(first, last, near) == cues.of(first, last, whole)
