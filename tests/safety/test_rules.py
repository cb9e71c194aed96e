"""A rule, a name and a pack are refused in sentences a person can act on."""

import json

import pytest

from community.safety import (
    Lexicon,
    PackError,
    Rule,
    check_name,
    check_rule,
    countries,
    helplines_for,
    read_pack,
    scan,
    scan_lines,
    starter_rules,
)

STARTER = Lexicon.compile(starter_rules())


def rule(pattern: str, **fields: object) -> Rule:
    return Rule(**{"key": "test", "pattern": pattern, "concern": "spam", "severity": "amber", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("[maybe]", "match nothing"),
        ("(a|b|)", "match nothing"),
        ("()", "match nothing"),
        ("...", "no word"),
        ("(one|two", "without its )"),
        ("one)", "without its opening"),
        ("one _12 two", "too wide"),
        ("one _3", "stands between"),
        ("a*", "too few letters"),
        ("x" * 13_000, "longer than"),
        ("[" + "(a|b|c|d|e|f|g|h|i|j)" * 5 + "] x", "more than 5000"),
        ("(" * 20 + "a" + ")" * 20 + " b", "nested"),
    ],
)
def test_a_bad_pattern_is_refused_in_a_sentence(pattern: str, says: str) -> None:
    (problem, *_) = check_rule(rule(pattern))
    assert says in problem


def test_unknown_words_are_refused_with_the_known_ones() -> None:
    problems = check_rule(rule("word", concern="weather", severity="pink", action="block", views=("x-ray",)))
    assert len(problems) == 4
    assert all("choose one of" in problem for problem in problems)


def test_examples_that_fail_are_named() -> None:
    assert check_rule(rule("free money", must_match=("free money",), must_not_match=("money",))) == []
    (missed,) = check_rule(rule("free money", must_match=("cheap loans",)))
    assert "cheap loans" in missed
    (wrong,) = check_rule(rule("free money", must_not_match=("no free money",)))
    assert "must not match and does" in wrong
    assert "both lists" in check_rule(rule("a word", must_match=("x",), must_not_match=("x",)))[0]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("want to die", "WANNA die"),
        ("do not stop", "don’t stop"),
        ("(jump|fall) off", "I fall off"),
        ("[really] sad", "sad"),
        ("overdos*", "overdosing"),
        ("give _2 money", "give me your money"),
        ("(take _2 pills|other)", "take all my pills"),
        ("🔫 me", "🔫 me"),
        ("one | two words", "two words"),
        ("сам по себе", "Сам по себе"),
    ],
)
def test_the_pattern_language(pattern: str, text: str) -> None:
    assert scan(text, Lexicon.compile([rule(pattern)]))


def test_lists_too_long_to_write_out_match_piece_by_piece() -> None:
    many = "(" + "|".join(f"w{chr(97 + a)}{chr(97 + b)}" for a in range(20) for b in range(20)) + ")"
    lexicon = Lexicon.compile([rule(f"{many} {many} {many}")])
    assert scan("waa wtt wcd", lexicon)
    assert not scan("waa wtt other", lexicon)


@pytest.mark.parametrize("name", ["", "\u200b", "Admіn", "kill yourself", "nоa", "k1ll_all_women"])
def test_a_name_that_frightens_or_imitates_is_refused(name: str) -> None:
    assert check_name(name, STARTER)


@pytest.mark.parametrize("name", ["Blue Fox", "Ana", "Νίκος", "Саша", "night owl 92", "Low days", "Killian"])
def test_an_ordinary_name_is_fine(name: str) -> None:
    assert check_name(name, STARTER) is None


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("name = ", "not a readable pack"),
        ('name = "x"', "lacks version, language, rules"),
        ('name="x"\nversion="1"\nlanguage="en"\n[[rules]]\nkey="a"', "lacks pattern"),
        (
            'name="x"\nversion="1"\nlanguage="en"\n[[rules]]\nkey="a"\npattern="{b}"\nconcern="spam"\nseverity="red"',
            "does not define",
        ),
    ],
)
def test_a_broken_pack_is_refused_and_named(source: str, says: str) -> None:
    with pytest.raises(PackError, match=says):
        read_pack(source)


def test_lines_answer_one_by_one_and_go_on_after_a_broken_one() -> None:
    lines = ['{"text": "I want to kill myself"}', "not json", '{"text": 3}', "[]", '{"text": "hello"}', '{"text": "\\ud800"}']
    answers = [json.loads(answer) for answer in scan_lines(lines, STARTER)]
    assert answers[0]["findings"][0].keys() == {"rule", "concern", "severity", "action", "start", "end", "cues"}
    assert ["error" in answer for answer in answers] == [False, True, True, True, False, False]


def test_every_country_has_lines_and_an_unknown_one_gets_international_ones() -> None:
    assert len(countries()) >= 25
    assert all(helplines_for(code) for code in countries())
    assert any(line.phone == "116 123" for line in helplines_for("gb"))
    assert any("findahelpline" in line.url for line in helplines_for("??"))
