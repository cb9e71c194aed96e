"""Somebody who never saw a regular expression writes a rule. Content note: one plain word about suicide as a concern."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from community.core import db
from community.lexicon import queries
from community.rooms.models import Room
from community.safety import VIEWS, Rule, starter_rules
from tests.lexicon.admins import RULE, WINDOW, found, number, publish, rules
from tests.people import Person, Stage


def save(ida: Person, **changed: Any) -> Any:
    return ida.post("/admin/lexicon/new", **{**WINDOW, **changed})


def test_each_line_of_a_pattern_is_a_phrase_of_its_own(stage: Stage, ida: Person) -> None:
    assert save(ida, pattern="yellow kettle\n\n(red|pink)\nspade\r\nold (rusty\n|broken) hinge").status_code == 303
    assert rules(stage)["blue-window"].pattern == "yellow kettle | (red|pink) | spade | old (rusty |broken) hinge"
    assert found(stage, "the old broken hinge") == {"blue-window"}
    assert found(stage, "yellow spades kettle") == set()


def test_what_was_typed_as_lines_is_lines_again(stage: Stage, ida: Person) -> None:
    save(ida, pattern="yellow kettle\nred (bucket | spade)")
    page = ida.get("/admin/lexicon/rules/blue-window/edit").text
    assert "yellow kettle\nred (bucket | spade)</textarea>" in page
    again = ida.post("/admin/lexicon/rules/blue-window/edit", **{**WINDOW, "pattern": "yellow kettle\r\nred (bucket | spade)"})
    assert again.status_code == 303
    assert number(stage) == 2, "the same rule is no change"


def test_every_field_of_a_rule_can_be_said(stage: Stage, ida: Person) -> None:
    answer = save(
        ida, rooms_of="not", profiles=["voices", "carers"], owner="The night team", review_by="2027-03-31", language="de",
        views_asked="1", views=["words", "typo"], why="Because", exceptions="blue window cleaner",
    )  # fmt: skip
    assert answer.status_code == 303
    assert rules(stage)["blue-window"] == Rule(
        "blue-window", "(blue|green) window", "suicide", "red", "flag", "Because", exceptions=("blue window cleaner",),
        views=("words", "typo"), language="de", not_in=("voices", "carers"), owner="The night team", review_by="2027-03-31",
    )  # fmt: skip
    page = ida.get("/admin/lexicon/rules/blue-window").text
    for words in ("hearing voices or caring for somebody", "The night team", "2027-03-31", "a slip of the keyboard"):
        assert words in page


def test_a_rule_for_one_kind_of_room_is_silent_in_the_others(stage: Stage, ida: Person) -> None:
    save(ida, rooms_of="only", profiles=["eating"])
    assert found(stage, "a blue window", profile="eating") == {"blue-window"}
    assert found(stage, "a blue window") == set()


def test_all_ways_of_seeing_are_the_default(stage: Stage, ida: Person) -> None:
    save(ida, views_asked="1", views=list(VIEWS))
    assert rules(stage)["blue-window"].views is None
    page = ida.get("/admin/lexicon/new").text
    assert page.count('name="views"') == page.count('name="views" value') == 9
    assert 'name="views" value="typo" checked' in page


def test_a_form_that_does_not_ask_changes_nothing_it_did_not_show(stage: Stage, ida: Person) -> None:
    save(ida, rooms_of="only", profiles=["eating"], owner="Sol", review_by="2027-01-01", views_asked="1", views=["words"])
    before = rules(stage)["blue-window"]
    ida.post("/admin/lexicon/rules/blue-window/edit", **{**WINDOW, "severity": "amber"})
    after = rules(stage)["blue-window"]
    assert (after.severity, after.only_in, after.owner, after.review_by, after.views) == (
        "amber", before.only_in, before.owner, before.review_by, before.views,
    )  # fmt: skip


def test_letters_are_found_inside_words_when_asked_for(stage: Stage, ida: Person) -> None:
    assert save(ida, kind="inside", pattern="kettlewort", must_match="mykettlewortsong").status_code == 303
    assert found(stage, "thekettlewortx") == {"blue-window"}


def test_a_regular_expression_is_read_as_one(stage: Stage, ida: Person) -> None:
    assert save(ida, kind="regex", pattern=r"kettle-\d{3}", must_match="kettle-123").status_code == 303
    assert found(stage, "my kettle-404") == {"blue-window"}
    assert found(stage, "my kettle-x") == set()
    page = ida.get("/admin/lexicon/rules/blue-window/edit").text
    assert "<details open><summary>For people who know regular expressions" in page


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"kind": "regex", "pattern": "(a+"}, "pattern", "not a regular expression that can be read"),
        ({"kind": "regex", "pattern": "(a*)*"}, "pattern", "where there is nothing"),
        ({"kind": "regex", "pattern": "(?=a)b"}, "pattern", "look-arounds"),
        ({"kind": "regex", "pattern": "one\ntwo"}, "pattern", "Line 2"),
        ({"kind": "regex", "pattern": "a{1000}{1000}"}, "pattern", "too large"),
        ({"kind": "inside", "pattern": "ok\nx"}, "pattern", "Line 2"),
        ({"kind": "magic"}, "kind", "no kind of pattern"),
        ({"pattern": "one thing\nsome (broken\nthing"}, "pattern", "Line 2: There is a ( without its )"),
        ({"pattern": "one thing\n\n[maybe]"}, "pattern", "Line 3: The pattern can match nothing at all"),
        ({"pattern": "\n".join(f"word{n}" for n in range(10_000))}, "pattern", "make it two rules"),
        ({"must_match": "a blue window\n\na red window"}, "must_match", "Line 3 of the sentences it must notice"),
        ({"must_not_match": "fine\na blue window"}, "must_not_match", "Line 2 of the sentences it must leave alone"),
        ({"must_match": "a blue window", "must_not_match": "x\na blue window"}, "must_not_match", "both lists"),
        ({"must_match": "x" * 2001}, "must_match", "Line 1 of the sentences"),
        ({"rooms_of": "every", "profiles": ["eating"]}, "rooms_of", "say whether"),
        ({"rooms_of": "only"}, "rooms_of", "Tick the kinds"),
        ({"rooms_of": "not", "profiles": ["kitchen"]}, "rooms_of", "no kind of room"),
        ({"rooms_of": "not", "profiles": ["general", "eating", "voices", "substances", "carers"]}, "rooms_of", "silent in rooms"),
        ({"rooms_of": "purple"}, "rooms_of", "Choose in which"),
        ({"views_asked": "1"}, "views", "notices nothing"),
        ({"language": "Klingon 7"}, "language", "two or three small letters"),
        ({"owner": "x" * 61}, "owner", "60"),
        ({"review_by": "2027-02-31"}, "review_by", "no day of the calendar"),
        ({"review_by": "soon"}, "review_by", "2027-03-31"),
    ],
)
@pytest.mark.parametrize("act", ["save", "draft"])
def test_what_cannot_be_is_refused_beside_its_field_with_its_line(stage: Stage, ida: Person, changed: dict[str, Any], field: str, says: str, act: str) -> None:  # fmt: skip
    answer = save(ida, act=act, why="My own words", **changed)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert f'id="f-{field}"' in answer.text
    assert says in answer.text
    assert "My own words" in answer.text
    for ticked in changed.get("profiles", []):
        assert f'value="{ticked}" checked' in answer.text or ticked == "kitchen"
    assert number(stage) == 1


def test_a_rule_is_shown_when_its_review_date_has_come(stage: Stage, ida: Person) -> None:
    save(ida, review_by="2020-01-01")
    save(ida, pattern="later kettle", key="later", review_by="2999-01-01")
    page = ida.get("/admin/lexicon").text
    assert "1 rule is due for another look" in page


def test_a_text_can_be_tried_as_if_in_a_kind_of_room(stage: Stage, ida: Person) -> None:
    save(ida, rooms_of="only", profiles=["eating"])
    assert "Nothing was noticed" in ida.post("/admin/lexicon/try", text="a blue window").text
    assert "blue-window" in ida.post("/admin/lexicon/try", text="a blue window", profile="eating").text


def test_the_pages_say_what_keywords_cannot_do(stage: Stage, ida: Person) -> None:
    save(ida, act="draft")
    for page in ("", "/new", "/try", "/drafts/1"):
        assert "3 to 5 of 10 worrying posts contain no keyword" in ida.get(f"/admin/lexicon{page}").text


def test_a_rule_that_its_own_exceptions_silence_is_not_kept(stage: Stage, ida: Person) -> None:
    answer = ida.post("/admin/lexicon/new", **{**WINDOW, "pattern": "gone for good", "exceptions": "gone for good"})
    assert answer.status_code == 422
    assert "The exceptions silence everything" in answer.text
    assert ida.post("/admin/lexicon/new", **{**WINDOW, "exceptions": "green window"}).status_code == 303


def test_a_text_is_tried_as_the_chosen_room_would_have_it(stage: Stage, ida: Person) -> None:
    publish(stage, ida, replace(RULE, only_in=("eating",)))
    stage.do(lambda: setattr(db.session().get_one(Room, stage.low_days), "profile", "eating"))
    tried = ida.post("/admin/lexicon/try", text="a blue window", room=str(stage.low_days), profile="general")
    assert "blue-window" in tried.text


@pytest.mark.parametrize("path", ["/admin/lexicon/try", "/admin/lexicon/new"])
def test_a_text_too_long_to_be_tried_is_not_cut_in_silence(stage: Stage, ida: Person, path: str) -> None:
    answer = ida.post(path, **{**WINDOW, "act": "try", "text": "word " * 4_000 + "the very end"})
    assert answer.status_code == 422
    assert "20,000 can be tried" in answer.text
    assert "the very end" in answer.text


def test_what_later_starter_packs_change_was_not_changed_here(stage: Stage, ida: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(stage, ida, RULE)
    later = [replace(rule, why="Said better now") for rule in starter_rules()]
    monkeypatch.setattr(queries, "starter_rules", lambda: later)
    origins = stage.ask(lambda: queries.origins_of(queries.rules_now()[1].values()))
    assert {key for key, origin in origins.items() if origin != "starter pack"} == {"blue-window"}
