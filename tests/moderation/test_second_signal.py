"""The second signal orders cases inside one severity, when an admin switched it on and it has proved its worth; nothing else.

Content note: plain sentences about not wanting to be here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from community.core import db
from community.core.errors import NotFound
from community.moderation import second_signal
from community.moderation.models import SecondSignal
from community.safety import Decided, Gain
from tests.moderation.acting import acts, case_of, decide, read
from tests.people import WORRYING, Person, Stage

WORTH = Gain(cases=2_000, worth=900, share_by_age=0.5, share_by_weight=0.6)
POOR = Gain(cases=2_000, worth=900, share_by_age=0.5, share_by_weight=0.52)
WEIGHTS = {"kettle": 3.0, "garden": -3.0}


def keep(ida: Person, worth: Gain = WORTH) -> int:
    return ida.stage.do(lambda: second_signal.keep(ida.account(), WEIGHTS, worth).id)


def on_the_desk(person: Person) -> list[int]:
    return [int(number) for number in re.findall(r'data-case="(\d+)"', person.get("/desk").text)]


def test_without_it_the_order_is_that_of_time(ana: Person, ben: Person, mia: Person) -> None:
    first, second = case_of(ana, f"{WORRYING} garden"), case_of(ben, f"{WORRYING} kettle")
    assert on_the_desk(mia) == [first, second]


def test_switched_on_it_orders_inside_a_severity_and_not_above_it(
    stage: Stage, ana: Person, ben: Person, mia: Person, ida: Person
) -> None:
    early = case_of(ana, f"{WORRYING} garden")
    number = keep(ida)
    assert ida.post(f"/admin/second-signal/{number}/on").status_code == 303
    late, grave = case_of(ben, f"{WORRYING} kettle"), case_of(ana, "I will kill myself tonight, garden")
    assert on_the_desk(mia) == [grave, late, early]
    assert ida.post("/admin/second-signal/off").status_code == 303
    assert on_the_desk(mia) == [grave, early, late]
    assert {read(stage, one).score for one in (early, late, grave)} == {0}
    assert acts(stage, f"second-signal:{number}") == ["second-signal.trained", "second-signal.on", "second-signal.off"]


def test_one_that_is_not_worth_it_cannot_be_switched_on(stage: Stage, ida: Person) -> None:
    number = keep(ida, POOR)
    answer = ida.post(f"/admin/second-signal/{number}/on")
    assert answer.status_code == 409
    assert "at least 3 are needed" in answer.text
    assert not stage.ask(lambda: db.session().get_one(SecondSignal, number).is_on)


def test_only_one_is_on(stage: Stage, ida: Person) -> None:
    older, newer = keep(ida), keep(ida)
    for number in (older, newer):
        stage.do(lambda number=number: second_signal.switch_on(ida.account(), number))
    assert stage.ask(lambda: second_signal.in_force().id) == newer  # type: ignore[union-attr]


def test_too_few_decided_cases_teach_nothing(ana: Person, mia: Person, ida: Person) -> None:
    decide(mia, case_of(ana), "leave")
    answer = ida.post("/admin/second-signal/train")
    assert answer.status_code == 409
    assert "at least 2,000 are needed" in answer.text


def test_it_learns_from_decided_cases_and_shows_what_it_is_worth(
    stage: Stage, ana: Person, mia: Person, ida: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real road with a lower bar: forty decided cases, half of them acted on."""
    monkeypatch.setattr(second_signal, "FEWEST_CASES", 40)
    monkeypatch.setattr(second_signal, "FEWEST_OF_EACH", 10)
    for number in range(40):
        acted = number % 2 == 0
        decide(mia, case_of(ana, f"{WORRYING} {'kettle' if acted else 'garden'}"), "hide" if acted else "leave")
    assert ida.post("/admin/second-signal/train").status_code == 303
    page = ida.get("/admin/second-signal").text
    assert "points" in page
    assert "kettle" in page
    row = stage.ask(second_signal.newest)
    assert row is not None
    assert row.weights["kettle"] > 0 > row.weights["garden"]
    assert not row.is_on


def test_nobody_but_admins_comes_near_it(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    for person in (ana, mia, sol):
        assert person.get("/admin/second-signal").status_code == 404
        assert person.post("/admin/second-signal/train").status_code == 404
    with pytest.raises(NotFound):
        stage.do(lambda: second_signal.keep(sol.account(), WEIGHTS, WORTH))


@pytest.mark.parametrize("spread", [lambda n: 1 + n % 2, lambda n: 2])
def test_no_admin_is_told_a_gain_that_is_chance(spread: Callable[[int], int]) -> None:
    dice = random.Random(9)
    cases = [Decided(n, " ".join(dice.choices("abcdefghij", k=20)), spread(n), dice.random() < 0.5) for n in range(2_000)]
    _, worth = second_signal.learn(cases)
    assert worth.points < second_signal.FEWEST_POINTS
