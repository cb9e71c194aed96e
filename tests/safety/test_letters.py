"""Rules that look at letters: exact places, bounded work, and sentences for what cannot be taken.

Content note: words about wanting to die, in Chinese, because scripts without spaces need them.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.safety import Lexicon, Rule, check_rule, explain, scan

WANT_TO_DIE = Rule("zh", "想死|不想活", "suicide", "red", kind="inside")
WEIGHT = Rule("kg", r"\b\d{2,3} ?(kg|kcal)\b", "eating", "amber", "mask", kind="regex", only_in=("eating",))
VOICES = Rule("voices", "hear voices", "harm-to-others", "amber", not_in=("voices",))
LEXICON = Lexicon.compile([WANT_TO_DIE, WEIGHT, VOICES])


def seen(text: str, profile: str = "general") -> list[tuple[str, str]]:
    return [(found.rule, text[found.start : found.end]) for found in scan(text, LEXICON, profile=profile)]


def test_a_script_without_spaces_is_read_inside_its_runs() -> None:
    assert seen("我真的想死了，很累") == [("zh", "想死")]
    assert seen("今天想吃面") == []


def test_invisible_signs_do_not_hide_letters_and_places_stay_exact() -> None:
    assert seen("我想\u200b死") == [("zh", "想\u200b死")]


def test_a_regular_expression_reads_the_text_as_written() -> None:
    assert seen("I ate 300 kcal. At 45KG now", "eating") == [("kg", "300 kcal"), ("kg", "45KG")]


def test_a_rule_for_one_kind_of_room_is_silent_elsewhere() -> None:
    assert seen("45 kg") == []
    assert seen("I hear voices") == [("voices", "I hear voices")]
    assert seen("I hear voices", "voices") == []


def test_exceptions_and_explanations_work_for_letters_too() -> None:
    lexicon = Lexicon.compile([Rule("kg", r"\d+ kg", "eating", "amber", kind="regex", exceptions=("kg of flour",))])
    assert scan("2 kg of flour", lexicon) == ()
    (found,) = scan("only 45 kg", lexicon)
    assert "regular expression" in explain(found, "only 45 kg", lexicon)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("a*", "where there is nothing"),
        (r"\b", "where there is nothing"),
        ("(", "cannot|regular expression"),
        (r"(\w)\1", "Backreferences"),
        ("(?=x)", "look-arounds"),
        ("((a{1,900}){1,900}){1,900}", "too large"),
        ("x" * 2_000, "longer than"),
    ],
)
def test_an_expression_that_cannot_be_taken_gets_a_sentence(pattern: str, says: str) -> None:
    (sentence,) = check_rule(Rule("k", pattern, "spam", "amber", kind="regex"))
    assert any(part in sentence for part in says.split("|")), sentence


def test_a_single_letter_is_no_inside_pattern() -> None:
    assert "two" in check_rule(Rule("k", "死", "suicide", "red", kind="inside"))[0]


def test_nested_quantifiers_take_linear_time() -> None:
    lexicon = Lexicon.compile([Rule("k", "(a+)+$", "spam", "amber", kind="regex")])
    assert scan("a" * 40_000 + "!", lexicon) == ()


@given(st.text(st.sampled_from("想死不活 a\u200b1kg\ud800\x00é🙂"), max_size=60))
def test_places_of_letters_lie_in_the_text_and_fire_again(text: str) -> None:
    for found in scan(text, LEXICON, profile="eating"):
        assert 0 <= found.start < found.end <= len(text)
        again = scan(text[found.start : found.end], LEXICON, profile="eating")
        assert found.rule in {one.rule for one in again}


def test_the_plain_engine_reads_letters_the_same() -> None:
    text = "我想死 不想活"
    assert scan(text, Lexicon.compile([WANT_TO_DIE], engine="python")) == scan(text, Lexicon.compile([WANT_TO_DIE]))


def test_half_a_character_in_an_expression_is_refused_in_a_sentence() -> None:
    """Found by fuzzing: RE2 reads UTF-8, which has no halves."""
    (problem,) = check_rule(Rule("half", "\ud800x", "spam", "green", kind="regex"))
    assert "half a character" in problem
