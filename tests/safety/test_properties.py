"""What holds for every text, not only for those we thought of."""

import unicodedata
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from community.safety import Lexicon, Rule, explain, fold, scan, starter_rules
from community.safety.folding import spans, words

LETTERS = [
    Rule("letters-inside", "自殺|想死|unalive", "suicide", "red", kind="inside"),
    Rule("letters-regex", r"\b\d{2,3} ?(kg|kcal)\b", "eating", "amber", kind="regex"),
]
STARTER = Lexicon.compile([*starter_rules(), *LETTERS])
BY_VIEW = {
    "words": "I want to die",
    "lookalike": "I want to kіll mуself",
    "elongated": "I want to diiiiieeee",
    "leet": "I want to k1ll mys3lf",
    "masked": "I want to k*ll myself",
    "spaced": "I want to k i l l myself",
    "joined": "I wanttodie today",
    "typo": "I feel suicdial",
    "vowels": "I am scdl",
    "inside": "今天很想死了",
    "regex": "only 300 kcal today",
}
"""A text that each view alone sees something in."""
ANYTHING = st.text(st.characters(codec=None), max_size=120)
RISKY = st.sampled_from(
    ["kill myself", "suicidal", "don’t want to be here", "self harm", "go kill yourself", "ｋｉｌｌ myself", *BY_VIEW.values()]
)
AROUND = st.text(st.sampled_from("abc XYZ.,!?'’-_*\u200b\u0301éш🙂9\n\x00"), max_size=30)
MIXED = st.lists(st.one_of(RISKY, AROUND), max_size=6).map(" ".join)
FORMS = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])
Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
calm = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("view", BY_VIEW)
def test_each_view_has_a_text_that_it_alone_sees(view: str) -> None:
    assert view in {found.view for found in scan(BY_VIEW[view], STARTER)}


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
@given(MIXED, FORMS)
def test_findings_survive_normal_form(text: str, form: Form) -> None:
    assert rules_seen(text) == rules_seen(unicodedata.normalize(form, text))


@pytest.mark.parametrize("view", BY_VIEW)
@settings(deadline=None, max_examples=40)
@given(before=AROUND, after=AROUND, form=FORMS)
def test_what_a_view_sees_survives_case_and_normal_form(view: str, before: str, after: str, form: Form) -> None:
    alone = seen_by(view, BY_VIEW[view])
    assert alone
    text = f"{before}\n. . .\n{BY_VIEW[view]}\n. . .\n{after}"
    for written in (text, text.upper(), text.lower(), text.title(), unicodedata.normalize(form, text)):
        assert alone <= seen_by(view, written)


@pytest.mark.parametrize("view", BY_VIEW)
@settings(deadline=None, max_examples=40)
@given(other=MIXED)
def test_a_view_sees_in_a_concatenation_what_it_sees_in_the_parts(view: str, other: str) -> None:
    """Concerns, because a graver rule may speak for the same words."""
    alone = {found.concern for found in scan(BY_VIEW[view], STARTER) if found.view == view}
    for whole in (f"{BY_VIEW[view]}\n\n. . .\n\n{other}", f"{other}\n\n. . .\n\n{BY_VIEW[view]}"):
        assert alone <= {found.concern for found in scan(whole, STARTER)}


def seen_by(view: str, text: str) -> set[str]:
    return {found.rule for found in scan(text, STARTER) if found.view == view}


@pytest.mark.parametrize("view", BY_VIEW)
@settings(deadline=None, max_examples=40)
@given(before=AROUND, after=AROUND)
@example(before="Y?a*", after="")
def test_offsets_move_with_the_words_that_fired(view: str, before: str, after: str) -> None:
    """However long the words before, in characters of any size, the same stretch of the original is pointed at; words before that
    belong to it may make it begin earlier."""
    said = {(found.rule, BY_VIEW[view][found.start : found.end]) for found in scan(BY_VIEW[view], STARTER) if found.view == view}
    text = f"{before} 🙂🙂\n. . .\n{BY_VIEW[view]}\n. . .\n{after}"
    pointed_at = [(found.rule, text[found.start : found.end]) for found in scan(text, STARTER)]
    for rule, where in said:
        assert any(rule == found and stretch.endswith(where) for found, stretch in pointed_at)


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
