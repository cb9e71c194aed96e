"""Drafts: changes that nobody's words are judged by. Content note: suicide stands as a concern."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from community.core.clock import now
from community.core.errors import Conflict, Invalid, NotFound
from community.lexicon import access, actions, queries
from community.lexicon.models import Sighting
from community.safety import Rule
from tests.lexicon.admins import DRAFTS as LIST
from tests.lexicon.admins import RULE, WINDOW, acts, drafts, found, number, press, publish, rules
from tests.people import Person, Stage


def keep(ida: Person, **changed: Any) -> Any:
    return ida.post("/admin/lexicon/new", **{**WINDOW, "act": "draft", **changed})


def test_a_draft_is_kept_and_judges_nobody(stage: Stage, ida: Person, ana: Person) -> None:
    answer = keep(ida, note="An idea")
    assert answer.location.endswith("/drafts/1")
    ana.says("a blue window")
    assert stage.cases() == []
    assert number(stage) == 1
    assert "An idea" in ida.get(LIST).text
    page = ida.get(f"{LIST}/1").text
    assert "blue|green" in page
    for address in ("/admin/lexicon/drafts/1/past", "/admin/lexicon/drafts/1/shadow"):
        assert address in page
    assert acts(stage) == ["lexicon.draft-saved"]


def test_a_draft_put_in_force_judges_the_very_next_words(stage: Stage, ida: Person, ana: Person) -> None:
    keep(ida, note="An idea")
    assert press(ida, "publish").status_code == 303
    ana.says("a blue window")
    assert len(stage.cases()) == 1
    (draft,) = drafts(stage)
    assert (draft.state, draft.published_revision) == ("published", 2)
    assert "An idea" in ida.get("/admin/lexicon/history").text
    assert press(ida, "publish").status_code == 409


def test_a_draft_can_be_edited_and_put_in_force_from_the_form(stage: Stage, ida: Person) -> None:
    keep(ida)
    assert ida.post(f"{LIST}/1/edit", **{**WINDOW, "act": "draft", "severity": "amber"}).status_code == 303
    assert drafts(stage)[0].rule["severity"] == "amber"
    assert ida.post(f"{LIST}/1/edit", **{**WINDOW, "severity": "green"}).status_code == 303
    assert rules(stage)["blue-window"].severity == "green"
    assert drafts(stage)[0].state == "published"


def test_a_draft_can_be_tried_and_nothing_is_stored(stage: Stage, ida: Person) -> None:
    keep(ida)
    answer = ida.post(f"{LIST}/1/edit", **{**WINDOW, "act": "try", "pattern": "old kettle", "text": "the old kettle"})
    assert "this rule" in answer.text.split("With this rule")[1]
    assert drafts(stage)[0].rule["pattern"] == "(blue|green) window"


def test_a_draft_shows_what_differs_from_the_rule_in_force(stage: Stage, ida: Person) -> None:
    publish(stage, ida, replace(RULE, why="An old reason", must_not_match=("a grey wall",)))
    edit = "/admin/lexicon/rules/blue-window/edit"
    ida.post(edit, **{**WINDOW, "act": "draft", "severity": "amber", "why": "A new reason", "pattern": "(blue|pink) window"})
    page = ida.get(f"{LIST}/1").text
    for left, came in (("red", "amber"), ("green", "pink"), ("An old", "A new")):
        assert f'<del><span class="visually-hidden">removed: </span>{left}' in page
        assert f'<ins><span class="visually-hidden">added: </span>{came}' in page
    assert "a grey wall</del>" in page


def test_a_discarded_draft_can_be_brought_back(stage: Stage, ida: Person) -> None:
    keep(ida)
    assert press(ida, "discard").status_code == 303
    assert "No draft" in ida.get(LIST).text
    assert "blue-window" in ida.get(LIST).text
    assert press(ida, "publish").status_code == 409
    assert press(ida, "bring-back").status_code == 303
    assert drafts(stage)[0].state == "open"
    assert press(ida, "bring-back").status_code == 409
    assert acts(stage) == ["lexicon.draft-saved", "lexicon.draft-discarded", "lexicon.draft-brought-back"]


def test_one_rule_has_one_living_draft(stage: Stage, ida: Person) -> None:
    keep(ida)
    keep(ida)
    assert len(drafts(stage)) == 1, "a form sent twice"
    answer = keep(ida, severity="amber", why="my own words")
    assert answer.status_code == 409
    assert "There is a draft of “blue-window” already" in answer.text
    assert "my own words" in answer.text
    press(ida, "discard")
    assert keep(ida, severity="amber").status_code == 303
    assert press(ida, "bring-back").status_code == 409


def test_a_draft_from_before_somebody_elses_change_is_refused_with_what_changed(stage: Stage, ida: Person) -> None:
    publish(stage, ida, RULE)
    ida.post("/admin/lexicon/rules/blue-window/edit", **{**WINDOW, "act": "draft", "why": "mine", "based_on": "2"})
    publish(stage, stage.person("Eva", role="admin"), replace(RULE, severity="amber", why="hers"))
    assert "Eva changed “blue-window” in revision 3" in ida.get(f"{LIST}/1").text
    answer = press(ida, "publish")
    assert answer.status_code == 409
    assert "severity red → amber, why" in answer.text
    assert rules(stage)["blue-window"].why == "hers"
    assert ida.post(f"{LIST}/1/edit", **{**WINDOW, "act": "draft", "why": "mine", "based_on": "3"}).status_code == 303
    assert press(ida, "publish").status_code == 303
    assert rules(stage)["blue-window"].why == "mine"


def test_a_draft_of_a_rule_that_was_retired_meanwhile_is_refused(stage: Stage, ida: Person) -> None:
    publish(stage, ida, RULE)
    ida.post("/admin/lexicon/rules/blue-window/edit", **{**WINDOW, "act": "draft", "why": "mine"})
    ida.post("/admin/lexicon/rules/blue-window/retire")
    answer = press(ida, "publish")
    assert answer.status_code == 409
    assert "(retired)" in answer.text


def test_changes_of_other_rules_do_not_make_a_draft_old(stage: Stage, ida: Person) -> None:
    keep(ida)
    publish(stage, ida, Rule("other", "a heavy door", "spam", "green"))
    assert press(ida, "publish").status_code == 303


def test_somebody_elses_edit_of_the_same_draft_is_not_overwritten_unseen(stage: Stage, ida: Person) -> None:
    keep(ida)
    seen = drafts(stage)[0].changed_at.isoformat()
    eva = stage.person("Eva", role="admin")
    eva.post(f"{LIST}/1/edit", **{**WINDOW, "act": "draft", "why": "hers", "seen": seen})
    answer = ida.post(f"{LIST}/1/edit", **{**WINDOW, "act": "draft", "why": "my own words", "seen": seen})
    assert answer.status_code == 409
    assert "my own words" in answer.text
    assert drafts(stage)[0].rule["why"] == "hers"
    assert "removed: </span>hers" in answer.text
    again = dict(re.findall('name="(seen)" value="([^"]*)"', answer.text))
    assert ida.post(f"{LIST}/1/edit", **{**WINDOW, "act": "draft", "why": "my own words", **again}).status_code == 303
    assert drafts(stage)[0].rule["why"] == "my own words"


def test_a_draft_that_breaks_the_promise_of_another_rule_is_not_put_in_force(stage: Stage, ida: Person) -> None:
    publish(stage, ida, Rule("kettles", "purple kettles burning", "spam", "green", must_match=("purple ketles burning",)))
    keep(ida, pattern="ketles song")
    answer = press(ida, "publish")
    assert answer.status_code == 422
    assert "the rule “kettles” would no longer notice" in answer.text
    assert drafts(stage)[0].state == "open"


@pytest.mark.parametrize("who", ["ana", "mia", "sol"])
def test_drafts_are_for_admins(stage: Stage, ida: Person, who: str, request: pytest.FixtureRequest) -> None:
    keep(ida)
    person: Person = request.getfixturevalue(who)
    for page in ("", "/1", "/1/edit"):
        assert person.get(LIST + page).status_code == 404
    for button in ("edit", "publish", "send-back", "discard", "bring-back"):
        assert press(person, button).status_code == 404
    with pytest.raises(NotFound):
        stage.ask(lambda: access.draft_to_change(person.account(), 1))


def test_a_draft_that_never_was_is_not_found(ida: Person) -> None:
    assert ida.get(f"{LIST}/99").status_code == 404
    assert press(ida, "publish", 99).status_code == 404


def test_a_draft_that_says_what_is_in_force_already_makes_no_revision(stage: Stage, ida: Person) -> None:
    keep(ida)
    publish(stage, ida, RULE)
    ida.post(f"{LIST}/1/edit", **{**WINDOW, "act": "draft"})
    assert "the rules say this already" in ida.get(f"{LIST}/1").text
    assert press(ida, "publish").status_code == 409
    assert number(stage) == 2


# ---- shadow


def test_a_draft_is_in_shadow_for_the_days_asked_for(stage: Stage, ida: Person) -> None:
    keep(ida)
    stage.do(lambda: actions.start_shadow(ida.account(), 1, days=3))
    assert [rule.key for _, rule in stage.ask(queries.shadow_drafts)] == ["blue-window"]
    assert found(stage, "a blue window") == set()
    with time_machine.travel(now() + timedelta(days=3, minutes=1)):
        assert stage.ask(queries.shadow_drafts) == []
    stage.do(lambda: actions.stop_shadow(ida.account(), 1))
    assert stage.ask(queries.shadow_drafts) == []
    assert acts(stage)[1:] == ["lexicon.shadow-started", "lexicon.shadow-stopped"]


def test_a_new_shadow_forgets_what_the_last_one_saw(stage: Stage, ida: Person) -> None:
    keep(ida)
    stage.do(lambda: actions.start_shadow(ida.account(), 1))
    with stage.writing() as session:
        session.add(Sighting(draft_id=1, at=now(), item_kind="post", item_id=1, room_id=stage.low_days, start=0, end=1))
    stage.do(lambda: actions.stop_shadow(ida.account(), 1))
    stage.do(lambda: actions.start_shadow(ida.account(), 1))
    with stage.writing() as session:
        assert session.query(Sighting).count() == 0


def test_a_shadow_is_refused_where_it_makes_no_sense(stage: Stage, ida: Person) -> None:
    keep(ida)
    with pytest.raises(Invalid, match="from 1 to 90 days"):
        stage.do(lambda: actions.start_shadow(ida.account(), 1, days=91))
    with pytest.raises(Conflict, match="not in shadow"):
        stage.do(lambda: actions.stop_shadow(ida.account(), 1))
    stage.do(lambda: actions.start_shadow(ida.account(), 1))
    with pytest.raises(Conflict, match="already"):
        stage.do(lambda: actions.start_shadow(ida.account(), 1))


def test_editing_a_draft_in_shadow_ends_the_shadow(stage: Stage, ida: Person) -> None:
    keep(ida)
    stage.do(lambda: actions.start_shadow(ida.account(), 1))
    ida.post(f"{LIST}/1/edit", **{**WINDOW, "act": "draft", "severity": "amber"})
    assert drafts(stage)[0].state == "open"
    assert stage.ask(queries.shadow_drafts) == []


@pytest.mark.parametrize("path", ["drafts/1/publish", "drafts/1/send-back", "packs/look", "packs/export"])
def test_the_address_of_an_answer_leads_to_its_page(stage: Stage, ida: Person, path: str) -> None:
    keep(ida)
    assert ida.get(f"/admin/lexicon/{path}").location == f"/admin/lexicon/{path.rsplit('/', 1)[0]}"
