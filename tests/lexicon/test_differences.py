"""Two states of a rule side by side. Content note: suicide stands as a concern."""

from __future__ import annotations

import time
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from community.lexicon.differences import Piece, in_short, rule_difference
from community.safety import Rule
from tests.lexicon.admins import RULE

WORDS = st.text(alphabet="ab |()\n", max_size=40)


def pieces(before: Rule | None, after: Rule | None, field: str) -> tuple[Piece, ...]:
    return next(one.pieces for one in rule_difference(before, after, {7: "Low days"}).fields if one.field == field)


def test_only_the_words_that_changed_are_marked() -> None:
    after = replace(RULE, pattern="(blue|pink) window")
    assert pieces(RULE, after, "pattern") == (
        Piece("same", "(blue|"), Piece("left", "green"), Piece("came", "pink"), Piece("same", ") window"),
    )  # fmt: skip
    assert [one.field for one in rule_difference(RULE, after, {}).fields] == ["pattern"]


def test_neighbouring_words_that_changed_stay_together() -> None:
    found = pieces(replace(RULE, why="An old reason"), replace(RULE, why="A new reason"), "why")
    assert found == (Piece("left", "An old"), Piece("came", "A new"), Piece("same", " reason"))


def test_examples_are_compared_by_line_and_the_unchanged_are_counted() -> None:
    before, after = replace(RULE, must_match=("one", "two", "three")), replace(RULE, must_match=("one", "three", "four"))
    assert pieces(before, after, "must_match") == (
        Piece("left", "two"), Piece("came", "four"), Piece("skipped", "2 more as before"),
    )  # fmt: skip


def test_rooms_and_views_are_named() -> None:
    after = replace(RULE, room=7, views=("words", "typo"))
    assert pieces(RULE, after, "room") == (Piece("left", "every room"), Piece("came", "Low days"))
    assert pieces(RULE, after, "views") == (Piece("left", "every disguise"), Piece("came", "words, typo"))


def test_a_new_rule_and_a_retired_one_show_all_they_say() -> None:
    assert rule_difference(None, RULE, {}).what == "new"
    assert rule_difference(RULE, None, {}).what == "retired"
    assert pieces(None, RULE, "pattern") == (Piece("came", RULE.pattern),)
    assert pieces(RULE, None, "severity") == (Piece("left", "red"),)


def test_what_changed_is_said_in_short() -> None:
    assert in_short(RULE, replace(RULE, severity="amber", why="x")) == "severity red → amber, why"


def test_long_unchanged_stretches_are_cut() -> None:
    long = " | ".join(f"word{n}" for n in range(200))
    found = pieces(replace(RULE, pattern=long), replace(RULE, pattern=long.replace("word100", "kettle")), "pattern")
    assert sum(len(piece.words) for piece in found) < 200
    assert Piece("skipped", "…") in found


def test_the_longest_patterns_are_compared_in_no_time() -> None:
    words = [f"w{n % 97}" for n in range(4_000)]
    before, after = replace(RULE, pattern=" ".join(words)), replace(RULE, pattern=" ".join(words[::-1]))
    started = time.perf_counter()
    rule_difference(before, after, {})
    assert time.perf_counter() - started < 1


@given(WORDS, WORDS)
def test_the_pieces_put_together_are_both_sides(old: str, new: str) -> None:
    found = rule_difference(replace(RULE, why=old), replace(RULE, why=new), {}).fields
    shown = found[0].pieces if found else ()
    if any(piece.how == "skipped" for piece in shown):
        return
    if old != new:
        assert "".join(piece.words for piece in shown if piece.how != "came") == old
        assert "".join(piece.words for piece in shown if piece.how != "left") == new
