"""Crisis rules are changed by two people. Content note: suicide stands as a concern."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from community.accounts import actions as accounts
from community.core import db
from community.core.clock import now
from community.core.errors import Conflict, Forbidden
from community.lexicon import actions
from community.lexicon.changes import Change
from tests.lexicon.admins import ALARM, RULE, WINDOW, acts, checked, drafts, number, press, publish, rules, shown, told
from tests.lexicon.admins import DRAFTS as LIST
from tests.people import Person, Stage

CRISIS = {**WINDOW, "severity": "crisis"}


@pytest.fixture
def eva(stage: Stage) -> Person:
    """A second admin."""
    return stage.person("Eva", role="admin")


def test_the_first_admin_proposes_and_another_puts_it_in_force(stage: Stage, ida: Person, eva: Person) -> None:
    answer = ida.post("/admin/lexicon/new", **{**CRISIS, "note": "For tonight"})
    assert answer.location.endswith("/drafts/1")
    assert (number(stage), drafts(stage)[0].state) == (1, "proposed")
    ((kind, data),) = told(stage, eva)
    assert kind == "safety-rule-proposed"
    assert "Ida proposes a change of “blue-window”: For tonight" in data["reason"]
    assert data["path"] == "/admin/lexicon/drafts/1"
    assert "For tonight" in eva.get("/notifications").text
    assert press(eva, "publish").status_code == 303
    assert rules(stage)["blue-window"].severity == "crisis"
    assert [kind for kind, _ in told(stage, ida)] == ["safety-rule-in-force"]
    assert acts(stage) == ["lexicon.proposed", "lexicon.published", "lexicon.draft-published"]


def test_nobody_puts_their_own_proposal_in_force(stage: Stage, ida: Person, eva: Person) -> None:
    ida.post("/admin/lexicon/new", **CRISIS)
    answer = press(ida, "publish")
    assert answer.status_code == 403
    assert "Another admin puts it in force" in answer.text
    assert ">Put in force<" not in ida.get(f"{LIST}/1").text
    assert ">Put in force<" in eva.get(f"{LIST}/1").text
    assert number(stage) == 1


def test_editing_a_proposal_takes_it_back_so_that_nobody_puts_in_force_what_the_other_did_not_see(stage: Stage, ida: Person, eva: Person) -> None:  # fmt: skip
    ida.post("/admin/lexicon/new", **CRISIS)
    eva.post(f"{LIST}/1/edit", **{**CRISIS, "act": "draft", "why": "graver"})
    assert drafts(stage)[0].state == "open"
    assert "Propose to the other admins" in eva.get(f"{LIST}/1").text
    assert press(eva, "publish").status_code == 303
    assert drafts(stage)[0].proposed_by_id == eva.id
    assert press(eva, "publish").status_code == 403
    assert press(ida, "publish").status_code == 303
    assert rules(stage)["blue-window"].why == "graver"


def test_a_proposal_is_sent_back_with_a_reason(stage: Stage, ida: Person, eva: Person) -> None:
    ida.post("/admin/lexicon/new", **CRISIS)
    assert press(eva, "send-back").status_code == 422
    assert press(eva, "send-back", reason="Red is <enough>").status_code == 303
    assert drafts(stage)[0].state == "open"
    ((_, data),) = told(stage, ida)
    assert "Eva sent “blue-window” back: Red is <enough>" in data["reason"]
    assert "Red is &lt;enough&gt;" in ida.get(f"{LIST}/1").text
    assert press(eva, "send-back", reason="again").status_code == 409


def test_a_proposal_is_taken_back_by_its_proposer(stage: Stage, ida: Person, eva: Person) -> None:
    ida.post("/admin/lexicon/new", **CRISIS)
    assert press(ida, "send-back", reason="A slip").status_code == 303
    assert drafts(stage)[0].state == "open"
    assert told(stage, ida) == []


@pytest.mark.parametrize("to", ["red", "crisis"])
def test_changing_a_crisis_rule_needs_two_also_when_it_would_be_milder(stage: Stage, ida: Person, eva: Person, to: str) -> None:
    publish(stage, ida, ALARM)
    checked(
        stage,
        lambda at: actions.put_rule(ida.account(), replace(ALARM, severity=to, why="x"), note="milder", checked_against=at),
    )
    assert rules(stage)["alarm"] == ALARM
    assert drafts(stage)[0].state == "proposed"


def test_retiring_a_crisis_rule_needs_two(stage: Stage, ida: Person, eva: Person) -> None:
    publish(stage, ida, ALARM)
    for _ in range(2):
        assert ida.post("/admin/lexicon/rules/alarm/retire", note="too loud").location.endswith("/drafts/1")
    assert "alarm" in rules(stage)
    assert "retired" in eva.get(f"{LIST}/1").text
    assert press(eva, "publish").status_code == 303
    assert "alarm" not in rules(stage)


def test_milder_rules_need_one(stage: Stage, ida: Person, eva: Person) -> None:
    assert ida.post("/admin/lexicon/new", **WINDOW).status_code == 303
    assert number(stage) == 2


def test_a_lone_admin_needs_nobody(stage: Stage, ida: Person, sol: Person) -> None:
    assert ida.post("/admin/lexicon/new", **CRISIS).status_code == 303
    assert number(stage) == 2


def test_a_suspended_admin_does_not_count(stage: Stage, ida: Person, eva: Person) -> None:
    stage.do(lambda: accounts.restrict(eva.account(), decision_id=-1, until=now() + timedelta(days=1)))
    assert ida.post("/admin/lexicon/new", **CRISIS).status_code == 303
    assert number(stage) == 2


def test_a_proposal_is_not_stuck_when_the_other_admin_leaves(stage: Stage, ida: Person, eva: Person) -> None:
    ida.post("/admin/lexicon/new", **CRISIS)
    stage.do(lambda: accounts.set_role(None, eva.account(), "member"))
    assert press(ida, "publish").status_code == 303
    assert number(stage) == 2


@pytest.mark.parametrize(("policy", "revision"), [("never", 2), ("always", 1)])
def test_the_setting_says_when_two_are_needed(stage: Stage, ida: Person, policy: str, revision: int) -> None:
    settings = stage.app.config["KITH"]
    if policy == "never":
        stage.person("Eva", role="admin")
    stage.app.config["KITH"] = settings.model_copy(update={"crisis_rules_need_two": policy})
    ida.post("/admin/lexicon/new", **CRISIS)
    assert number(stage) == revision


def test_a_bundle_with_a_crisis_rule_waits_as_a_whole(stage: Stage, ida: Person, eva: Person) -> None:
    change = Change(put=(RULE, ALARM))
    outcome = checked(
        stage,
        lambda at: actions.change_rules(ida.account(), change, key="pack:x", note="both", checked_against=at),
        put=change.put,
    )
    assert not outcome.in_force
    assert number(stage) == 1
    page = eva.get(f"{LIST}/1").text
    assert "blue-window" in page
    assert "alarm" in page
    assert eva.get(f"{LIST}/1/edit").status_code == 409
    assert press(eva, "publish").status_code == 303
    assert {"blue-window", "alarm"} <= set(rules(stage))


def test_the_database_refuses_a_proposal_of_nobody(stage: Stage, ida: Person, eva: Person) -> None:
    ida.post("/admin/lexicon/new", **CRISIS)
    with pytest.raises(db.IntegrityError), stage.writing() as session:
        session.execute(db.sa.text("UPDATE lexicon_drafts SET proposed_by_id = NULL"))


# ---- what a case taught


@pytest.fixture
def taught(stage: Stage, ida: Person) -> Stage:
    publish(stage, ida, RULE, ALARM)
    return stage


def teach(stage: Stage, who: Person, key: str = "blue-window", sentence: str = "I clean the blue window", exception: str = "clean the (blue|green) window") -> Any:  # fmt: skip
    at = stage.ask(lambda: actions.check_counterexample(key, sentence, exception))
    return stage.do(lambda: actions.add_counterexample(who.account(), key, sentence, exception, checked_against=at))


def test_a_false_alarm_becomes_a_permanent_must_not_match(taught: Stage, ida: Person) -> None:
    assert teach(taught, ida).in_force
    rule = rules(taught)["blue-window"]
    assert rule.must_not_match == ("I clean the blue window",)
    assert rule.exceptions == ("clean the (blue|green) window",)
    answer = ida.post("/admin/lexicon/rules/blue-window/edit", **{**WINDOW, "must_not_match": "I clean the blue window"})
    assert answer.status_code == 422, "without the exception the sentence would be found again"


def test_what_a_moderator_teaches_waits_for_an_admin(taught: Stage, ida: Person, mia: Person) -> None:
    outcome = teach(taught, mia)
    assert not outcome.in_force
    assert rules(taught)["blue-window"] == RULE
    assert [kind for kind, _ in told(taught, ida)] == ["safety-rule-proposed"]
    assert press(ida, "publish", outcome.draft_id).status_code == 303
    assert rules(taught)["blue-window"].must_not_match == ("I clean the blue window",)


def test_a_second_false_alarm_joins_the_proposal(taught: Stage, ida: Person, mia: Person) -> None:
    first = teach(taught, mia)
    second = teach(taught, mia, sentence="I paint the blue window", exception="paint the blue window")
    assert first == second
    press(ida, "publish", first.draft_id)
    assert rules(taught)["blue-window"].must_not_match == ("I clean the blue window", "I paint the blue window")


def test_a_crisis_rule_is_taught_by_two(taught: Stage, ida: Person, eva: Person) -> None:
    outcome = teach(taught, ida, "alarm", "the orange lantern tonight festival", "orange lantern tonight festival")
    assert not outcome.in_force
    assert press(ida, "publish", outcome.draft_id).status_code == 403
    assert press(eva, "publish", outcome.draft_id).status_code == 303


def test_a_lesson_that_teaches_nothing_is_refused(taught: Stage, ida: Person) -> None:
    with pytest.raises(Conflict, match="not in force"):
        teach(taught, ida, "nothing-like-it")
    with pytest.raises(actions.Invalid, match="must not match and does"):
        teach(taught, ida, exception="some other words")
    with pytest.raises(actions.Invalid, match=r"no longer notice|must match and does not"):
        teach(taught, ida, "alarm", "an orange lantern tonight, please", "orange lantern tonight")
    with pytest.raises(actions.Invalid, match="without its"):
        teach(taught, ida, exception="(clean")


def test_what_was_checked_against_older_rules_is_refused(taught: Stage, ida: Person) -> None:
    at = taught.ask(lambda: actions.check_counterexample("blue-window", "clean the blue window", "clean the blue window"))
    publish(taught, ida, replace(ALARM, key="other"))
    with pytest.raises(Conflict, match="same moment"):
        taught.do(
            lambda: actions.add_counterexample(
                ida.account(), "blue-window", "clean the blue window", "clean the blue window", checked_against=at
            )
        )


def test_members_teach_nothing(taught: Stage, ana: Person) -> None:
    with pytest.raises(actions.NotFound):
        teach(taught, ana)


def test_publishing_by_the_proposer_is_refused_by_the_verb_itself(stage: Stage, ida: Person, eva: Person) -> None:
    ida.post("/admin/lexicon/new", **CRISIS)
    seen = drafts(stage)[0].changed_at.isoformat()
    with pytest.raises(Forbidden):
        checked(stage, lambda at: actions.publish_draft(ida.account(), 1, seen=seen, checked_against=at))


def test_nobody_puts_in_force_what_changed_after_they_read_it(stage: Stage, ida: Person, eva: Person) -> None:
    ida.post("/admin/lexicon/new", **CRISIS)
    read = shown(eva)
    ida.post(f"{LIST}/1/edit", **{**CRISIS, "pattern": "red window", **shown(ida)})
    answer = press(eva, "publish", **read)
    assert answer.status_code == 409
    assert "changed after you opened it" in answer.text
    assert number(stage) == 1
    assert press(eva, "publish").status_code == 303


def test_a_proposal_that_was_taken_back_is_not_proposed_anew_from_an_old_page(stage: Stage, ida: Person, eva: Person) -> None:
    ida.post("/admin/lexicon/new", **CRISIS)
    read = shown(eva)
    press(ida, "send-back", reason="Too wide")
    assert press(eva, "publish", **read).status_code == 409
    assert drafts(stage)[0].state == "open"
