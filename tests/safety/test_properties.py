"""What holds for every text, not only for those we thought of."""

import unicodedata
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from community.safety import Lexicon, Rule, explain, fold, scan, starter_rules
from community.safety.folding import spans, words

STARTER = Lexicon.compile(starter_rules())
ANYTHING = st.text(st.characters(codec=None), max_size=120)
RISKY = st.sampled_from(
    ["kill myself", "I want to die", "suicidal", "don’t want to be here", "self harm", "go kill yourself", "ｋｉｌｌ myself"]
)
AROUND = st.text(st.sampled_from("abc XYZ.,!?'’-_*\u200b\u0301éш🙂9\n\x00"), max_size=30)
MIXED = st.lists(st.one_of(RISKY, AROUND), max_size=6).map(" ".join)
calm = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])


@calm
@given(ANYTHING)
def test_fold_never_raises_and_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@calm
@given(st.one_of(ANYTHING, MIXED))
def test_every_word_has_one_place_in_the_text(text: str) -> None:
    places = spans(text)
    assert len(places) == len(words(text))
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert all(first[1] <= second[0] for first, second in pairwise(places))


@calm
@given(st.one_of(ANYTHING, MIXED))
def test_offsets_lie_in_the_text_and_point_at_words_that_fire_again(text: str) -> None:
    for finding in scan(text, STARTER):
        assert 0 <= finding.start < finding.end <= len(text)
        assert explain(finding, text, STARTER)
        again = scan(text[finding.start : finding.end], STARTER)
        assert finding.rule in {found.rule for found in again}


def rules_seen(text: str) -> set[str]:
    return {finding.rule for finding in scan(text, STARTER)}


@calm
@given(MIXED)
def test_findings_survive_case(text: str) -> None:
    assert rules_seen(text) == rules_seen(text.upper()) == rules_seen(text.lower())


@calm
@given(MIXED, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_findings_survive_normal_form(text: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> None:
    assert rules_seen(text) == rules_seen(unicodedata.normalize(form, text))


@calm
@given(MIXED, MIXED)
def test_a_concatenation_holds_what_its_parts_hold(first: str, second: str) -> None:
    """Concerns, not rules: where two rules overlap at the seam an exception may prefer another."""
    whole = {finding.concern for finding in scan(f"{first}\n\n. . .\n\n{second}", STARTER)}
    parts = {finding.concern for text in (first, second) for finding in scan(text, STARTER)}
    assert parts <= whole


@calm
@given(st.text("kil myself", max_size=60))
def test_the_plain_engine_gives_the_same_findings(text: str) -> None:
    rules = [Rule("myself", "(kill|kiss) myself", "suicide", "red"), Rule("gap", "kill _2 self", "suicide", "red")]
    assert scan(text, Lexicon.compile(rules)) == scan(text, Lexicon.compile(rules, engine="python"))


@pytest.mark.parametrize(
    "text",
    [
        "\ud800",
        "\x00" * 1000,
        "a\u0301" * 10_000,
        "k i l l " * 5_000,
        "*" * 100_000,
        '"' * 50_000,
        "kill myself " * 80_000,
        "a" * 1_000_000,
        "‮" * 1000 + "kill myself",
        "".join(map(chr, range(0x4E00, 0x6E00))),
    ],
    ids=["surrogate", "nul", "marks", "letters", "stars", "quotes", "1MB", "one word", "rtl", "han"],
)
def test_hostile_input_gets_an_answer(text: str) -> None:
    assert isinstance(scan(text, STARTER), tuple)
    assert isinstance(fold(text), str)


def test_russian_and_greek_stay_themselves() -> None:
    assert fold("Привет, рост и сон") == "привет рост и сон"
    assert fold("Καλημέρα κόσμε") == "καλημερα κοσμε"


def test_a_lexicon_keeps_its_revision_and_cannot_be_changed() -> None:
    lexicon = Lexicon.compile([Rule("one", "one", "spam", "green")], revision=7)
    assert lexicon.revision == 7
    with pytest.raises(TypeError):
        lexicon.rules["two"] = Rule("two", "two", "spam", "green")  # type: ignore[index]
