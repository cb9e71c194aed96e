"""Looking back and going back. Content note: suicide stands as a concern."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.lexicon.admins import ALARM, RULE, acts, drafts, found, number, press, publish, rules
from tests.people import Person, Stage

HISTORY = "/admin/lexicon/history"


def go_back(who: Person, to: int, **fields: Any) -> Any:
    return who.post(f"{HISTORY}/{to}/back", **fields)


def test_a_revision_shows_who_why_and_what_differs(stage: Stage, ida: Person) -> None:
    publish(stage, ida, RULE, note="First")
    publish(stage, ida, replace(RULE, severity="amber"), ALARM, note="Milder, and <another>")
    page = ida.get(f"{HISTORY}/3").text
    assert "Milder, and &lt;another&gt;" in page
    assert "Ida" in page
    assert "removed: </span>red</del>" in page
    assert "added: </span>amber</ins>" in page
    assert page.count('<section class="sheet" id="rule-') == 2
    assert f'href="{HISTORY}/3"' in ida.get(HISTORY).text


def test_a_rule_shows_each_of_its_changes(stage: Stage, ida: Person) -> None:
    publish(stage, ida, RULE)
    publish(stage, ida, replace(RULE, pattern="(blue|pink) window"), note="Pink, not green")
    page = ida.get("/admin/lexicon/rules/blue-window").text
    assert "Pink, not green" in page
    assert "removed: </span>green</del>" in page
    assert "added: </span>pink</ins>" in page


def test_going_back_makes_a_new_revision_with_the_old_rules(stage: Stage, ida: Person) -> None:
    publish(stage, ida, RULE)
    publish(stage, ida, replace(RULE, pattern="brown window"), replace(RULE, key="other", pattern="a heavy door"))
    before = rules(stage)
    page = ida.get(f"{HISTORY}/2/back").text
    assert "brown" in page
    assert "other" in page
    assert rules(stage) == before, "looking changes nothing"
    assert go_back(ida, 2, seen="3").status_code == 303
    assert rules(stage)["blue-window"] == RULE
    assert "other" not in rules(stage)
    assert number(stage) == 4
    assert found(stage, "a green window") == {"blue-window"}
    assert "Back to revision 2" in ida.get(HISTORY).text
    assert go_back(ida, 1).status_code == 303
    assert "blue-window" not in rules(stage)


def test_going_back_is_refused_when_the_rules_moved_on_since_the_page_was_read(stage: Stage, ida: Person) -> None:
    publish(stage, ida, RULE)
    publish(stage, ida, replace(RULE, severity="amber"))
    publish(stage, ida, replace(RULE, severity="green"))
    answer = go_back(ida, 2, seen="3", note="my reason")
    assert answer.status_code == 409
    assert "my reason" in answer.text
    assert number(stage) == 4


def test_going_back_to_where_one_is_changes_nothing(stage: Stage, ida: Person) -> None:
    publish(stage, ida, RULE)
    assert go_back(ida, 2).status_code == 409
    assert number(stage) == 2
    assert "are these already" in ida.get(f"{HISTORY}/2/back").text


def test_going_back_over_a_crisis_rule_needs_two(stage: Stage, ida: Person) -> None:
    eva = stage.person("Eva", role="admin")
    publish(stage, ida, ALARM)
    assert "/drafts/1" in go_back(ida, 1).location
    assert "alarm" in rules(stage)
    assert "back to revision 1" in eva.get("/admin/lexicon/drafts/1").text
    assert press(eva, "publish").status_code == 303
    assert "alarm" not in rules(stage)
    assert drafts(stage)[0].published_revision == 3


def test_going_back_runs_every_example(stage: Stage, ida: Person) -> None:
    """The old rules break a promise that was made since: they are refused by name."""
    kettles = replace(RULE, key="kettles", pattern="purple kettles burning", must_match=("purple ketles burning",))
    publish(stage, ida, replace(RULE, key="song", pattern="ketles song"), kettles)
    publish(stage, ida, replace(RULE, key="song", pattern="quiet song"))
    answer = go_back(ida, 2)
    assert answer.status_code == 422
    assert "the rule “kettles” would no longer notice" in answer.text
    assert number(stage) == 3


def test_looking_back_is_for_admins(stage: Stage, sol: Person) -> None:
    assert sol.get(f"{HISTORY}/1").status_code == 404
    assert sol.get(f"{HISTORY}/1/back").status_code == 404
    assert go_back(sol, 1).status_code == 404
    assert acts(stage) == []


def test_a_revision_that_never_was_is_not_found(ida: Person) -> None:
    for page in ("0", "7", "999999999"):
        assert ida.get(f"{HISTORY}/{page}").status_code == 404
        assert ida.get(f"{HISTORY}/{page}/back").status_code == 404
        assert go_back(ida, int(page)).status_code == 404
