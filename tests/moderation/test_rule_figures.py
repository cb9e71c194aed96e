"""What became of what each rule found. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from community.core import db
from community.core.clock import now
from community.lexicon.queries import rules_now
from community.moderation import rule_figures
from community.moderation.rule_figures import Figures, advice, wilson
from tests.moderation.acting import CRUEL, answer, appeal, case_of, claim, decide, form_of
from tests.moderation.drafting import WINDOW, publish, rescan
from tests.people import WORRYING, Person, Stage

INSULT = replace(WINDOW, key="a-door", pattern="red door", concern="harassment", severity="amber", must_match=())
AGES = timedelta(days=400)


def figures_of(stage: Stage, key: str) -> Figures:
    return stage.ask(lambda: rule_figures.figures([rules_now()[1][key]])[0])


@pytest.mark.parametrize(
    ("right", "of", "low", "high"), [(0, 0, 0.0, 1.0), (8, 10, 0.490, 0.943), (0, 20, 0.0, 0.161), (50, 50, 0.929, 1.0)]
)
def test_the_interval_is_wilsons(right: int, of: int, low: float, high: float) -> None:
    assert wilson(right, of) == (pytest.approx(low, abs=0.001), pytest.approx(high, abs=0.001))


def test_a_rule_is_judged_by_what_became_of_its_cases(stage: Stage, ana: Person, sol: Person, ida: Person) -> None:
    publish(ida, INSULT)
    for outcome, wrong in (("hide", False), ("warn", False), ("leave", False), ("leave", True)):
        decide(sol, case_of(ana, f"the red door {outcome} {wrong}"), outcome, false_alarm=wrong)
    case_of(ana, "the red door, undecided")
    found = figures_of(stage, INSULT.key)
    assert (found.hits, found.decided, found.upheld, found.no_action, found.false_alarms, found.right) == (5, 4, 2, 2, 1, 2)
    assert found.last_hit is not None
    assert found.precision == 0.5


def test_words_of_distress_that_stay_were_rightly_found(stage: Stage, ana: Person, sol: Person, ida: Person) -> None:
    publish(ida, WINDOW)
    decide(sol, case_of(ana, "the blue window"), "leave")
    decide(sol, case_of(ana, "the green window"), "leave", false_alarm=True)
    found = figures_of(stage, WINDOW.key)
    assert (found.no_action, found.right, found.decided) == (2, 1, 2)


def test_the_last_decision_counts(stage: Stage, ana: Person, mia: Person, sol: Person, ida: Person) -> None:
    publish(ida, replace(INSULT, concern="suicide", severity="red"))
    case_id = case_of(ana, "the red door")
    first = decide(mia, case_id, "hide")
    assert figures_of(stage, INSULT.key).upheld == 1
    appeal(ana, first.id)
    answer(sol, case_id, overturn=True)
    found = figures_of(stage, INSULT.key)
    assert (found.decided, found.upheld, found.no_action) == (1, 0, 1)


def test_a_decision_from_before_the_rule_spoke_says_nothing_about_it(stage: Stage, ana: Person, sol: Person, ida: Person) -> None:
    decide(sol, case_of(ana, f"{CRUEL} by the red door"), "hide")
    publish(ida, INSULT)
    rescan(ida)
    found = figures_of(stage, INSULT.key)
    assert (found.hits, found.decided) == (1, 0)


def test_what_is_said_about_words_is_no_hit_of_a_rule(stage: Stage, ana: Person, ben: Person, ida: Person) -> None:
    """A reporter who quotes an insult did not insult anybody."""
    publish(ida, INSULT)
    message = ana.says("An ordinary line.").message
    assert ben.post(f"/report/message/{message.id}", worry="cruel", note="He shouted about the red door.").status_code == 303
    assert figures_of(stage, INSULT.key).hits == 0


def test_the_form_says_that_the_rules_were_wrong(stage: Stage, ana: Person, mia: Person) -> None:
    from community.moderation.models import Decision

    case_id = case_of(ana)
    claim(mia, case_id)
    assert "The rules were wrong here" in mia.get(f"/desk/cases/{case_id}").text
    mia.post(f"/desk/cases/{case_id}/decide", **form_of(stage, case_id, "leave", false_alarm="1"))
    assert stage.ask(lambda: db.session().scalars(sa.select(Decision.false_alarm)).all()) == [True]


def test_statements_do_not_grow_with_the_rules(stage: Stage, app: Any) -> None:
    asked: list[str] = []

    def count(_c: Any, _cur: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    engine = app.extensions["kith_engine"]
    sa.event.listen(engine, "before_cursor_execute", count)
    rules = list(stage.ask(lambda: rules_now()[1]).values())
    asked.clear()
    stage.ask(lambda: rule_figures.figures(rules[:50]))
    sa.event.remove(engine, "before_cursor_execute", count)
    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 1 + 3 * 5


def test_only_the_newest_signals_are_read(stage: Stage, ana: Person, ida: Person, monkeypatch: Any) -> None:
    publish(ida, INSULT)
    for number in range(4):
        case_of(ana, f"the red door {number}")
    monkeypatch.setattr(rule_figures, "SIGNALS_READ", 2)
    assert figures_of(stage, INSULT.key).hits == 2


# ---- advice


def rated(right: int, decided: int, **changed: Any) -> Figures:
    rule = replace(INSULT, **changed)
    return Figures(rule, hits=decided, decided=decided, right=right, last_hit=now(), since=now() - AGES)


def test_a_rule_that_is_rarely_right_could_be_retired() -> None:
    (said,) = advice(rated(1, 40))
    assert said.startswith("Rarely right: at most 13%")
    assert advice(rated(20, 40)) == []
    assert advice(rated(0, 19)) == [], "too little was decided to tell"


def test_a_rule_that_is_silent_for_half_a_year_could_be_retired() -> None:
    silent = Figures(INSULT, since=now() - AGES)
    assert "found nothing for 180 days" in advice(silent)[0]
    assert advice(Figures(INSULT, since=now() - timedelta(days=100))) == [], "it is not in force for so long"
    assert advice(Figures(INSULT, hits=1, last_hit=now(), since=now() - AGES)) == []


@pytest.mark.parametrize(
    ("concern", "severity"),
    [
        ("harassment", "crisis"),
        ("suicide", "crisis"),
        ("suicide", "red"),
        ("self-harm", "red"),
        ("child-safety", "red"),
        ("child-safety", "crisis"),
    ],
)
def test_crisis_rules_and_rules_about_lives_are_never_suggested(concern: str, severity: str) -> None:
    rule = replace(INSULT, concern=concern, severity=severity)
    assert advice(Figures(rule, decided=500, right=0, since=now() - AGES)) == []
    late = replace(rule, review_by="2020-01-01")
    assert advice(Figures(late, decided=500, since=now() - AGES)) == ["It was to be looked at again by 2020-01-01."]


def test_a_review_that_is_due_is_said() -> None:
    tomorrow = (now() + timedelta(days=1)).date().isoformat()
    assert advice(rated(20, 40, review_by=tomorrow)) == []
    assert "looked at again by 2020-01-01" in advice(rated(20, 40, review_by="2020-01-01"))[0]


# ---- pages


def test_figures_are_for_admins_only(ana: Person, mia: Person, sol: Person, ida: Person) -> None:
    publish(ida, INSULT)
    for person in (ana, mia, sol):
        assert person.get("/admin/lexicon/figures").status_code == 404
        assert person.get(f"/admin/lexicon/rules/{INSULT.key}/figures").status_code == 404
    assert ida.get("/admin/lexicon/rules/no-such/figures").status_code == 404


def test_the_pages_hold_numbers_and_no_words(stage: Stage, ana: Person, sol: Person, ida: Person) -> None:
    publish(ida, INSULT)
    decide(sol, case_of(ana, "quietly the red door"), "hide")
    for page in (ida.get("/admin/lexicon/figures?by=hits").text, ida.get(f"/admin/lexicon/rules/{INSULT.key}/figures").text):
        assert "quietly" not in page
        assert "100%" in page
        assert re.search(r"\(21 to 100\)|between 21% and 100%", page)


def test_hits_are_drawn_by_week_with_a_table_beside(stage: Stage, ana: Person, ida: Person) -> None:
    publish(ida, INSULT)
    case_of(ana, "the red door")
    weeks = stage.ask(lambda: rule_figures.weekly(INSULT.key))
    assert [week.hits for week in weeks] == [0] * 25 + [1]
    with time_machine.travel(now() + timedelta(days=15), tick=False):
        weeks = stage.ask(lambda: rule_figures.weekly(INSULT.key))
    assert [week.hits for week in weeks][-4:] == [0, 1, 0, 0]
    page = ida.get(f"/admin/lexicon/rules/{INSULT.key}/figures").text
    assert page.count("<rect") == 1
    assert '<rect x="300" y="3.0"' in page, "the newest week is on the right"
    assert "As a table" in page


def test_the_cost_is_measured_on_demand_and_kept(stage: Stage, ana: Person, ida: Person, monkeypatch: Any) -> None:
    publish(ida, INSULT)
    ana.says(WORRYING)
    assert "Measure it" in ida.get(f"/admin/lexicon/rules/{INSULT.key}/figures").text
    assert "µs</b>" in ida.get(f"/admin/lexicon/rules/{INSULT.key}/figures?measure=1").text
    monkeypatch.setattr(rule_figures, "_measure", None)
    assert "µs</b>" in ida.get(f"/admin/lexicon/rules/{INSULT.key}/figures").text
    assert "µs" in ida.get("/admin/lexicon/figures").text
