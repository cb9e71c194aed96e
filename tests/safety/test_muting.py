"""Muted words match as the scanner matches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.safety.muting import Muted, check_mute, mute_key
from tests.safety.muting_cases import CASES


@pytest.mark.parametrize(("words", "text", "hidden"), CASES)
def test_words_match_whole_and_in_every_dress(words: str, text: str, hidden: bool) -> None:
    assert Muted([mute_key(words)]).hides(text) is hidden


@pytest.mark.parametrize("words", ["", " ", "!?", "a", "B.", "-", "*", "ca*", "very ca*", "\u200b", "’"])
def test_what_would_hide_everything_or_nothing_is_refused_in_a_sentence(words: str) -> None:
    complaint = check_mute(words)
    assert complaint
    assert complaint.endswith(".")


@pytest.mark.parametrize("words", ["ab", "calor*", "体", "🔫", "don’t care", "7up"])
def test_words_that_can_be_read_can_be_muted(words: str) -> None:
    assert check_mute(words) is None


@given(st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=200))
def test_any_words_and_any_text_get_an_answer(words: str, text: str) -> None:
    muted = Muted([mute_key(words)])
    assert muted.hides(text) in (True, False)
    if check_mute(words) is None and not words.rstrip().endswith("*"):
        assert muted.hides(f"{text} {words} {text}")


def test_nobody_who_muted_nothing_has_anything_folded_away() -> None:
    assert not Muted([]).hides("anything")
    assert not Muted([""]).hides("anything")
