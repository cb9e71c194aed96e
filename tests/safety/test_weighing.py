"""The second signal learns what stood in cases that mattered, and says how much that is worth on cases it never saw."""

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from community.safety.weighing import Decided, features, gain, score, train

QUIET = ["the", "weather", "was", "fine", "and", "we", "cooked", "soup", "for", "everybody", "at", "home"]
HEAVY = ["nothing", "helps", "any", "more", "and", "the", "nights", "are", "long", "and", "empty"]


def cases(count: int, *, telling: bool) -> list[Decided]:
    dice = random.Random(3)
    made = []
    for number in range(count):
        worth = dice.random() < 0.4
        pool = HEAVY if worth and telling else QUIET
        words = " ".join(dice.choice(pool + QUIET) for _ in range(30))
        made.append(Decided(number, words, dice.choice((1, 2)), worth))
    return made


def test_words_of_cases_that_mattered_are_read_sooner() -> None:
    weights = train(cases(600, telling=True))
    assert score("the nights are empty and nothing helps", weights) > 60 > 40 > score("soup and fine weather at home", weights)


def test_words_nobody_knows_say_nothing() -> None:
    assert score("zzz qqq", train(cases(200, telling=True))) == 50
    assert score("", {}) == 50


def test_gain_is_large_where_words_tell_and_none_where_they_do_not() -> None:
    assert gain(cases(1_000, telling=True)).points > 20
    assert abs(gain(cases(1_000, telling=False)).points) < 8


def test_a_weighing_is_a_small_json_dictionary_of_words() -> None:
    weights = train(cases(600, telling=True))
    assert json.loads(json.dumps(weights)) == weights
    assert len(json.dumps(weights)) < 200_000
    assert not any(word.isdigit() for key in weights for word in key.split())


def test_disguised_words_weigh_what_they_say() -> None:
    assert features("ＮＯＴＨＩＮＧ  ma\u200btters, don’t") == features("nothing matters don't")


@given(st.text(max_size=200), st.dictionaries(st.text(max_size=8), st.floats(-9, 9), max_size=8))
def test_a_score_is_always_a_share(text: str, weights: dict[str, float]) -> None:
    assert 0 <= score(text, weights) <= 100
