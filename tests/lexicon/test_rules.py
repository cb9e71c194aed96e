"""Rules are changed in the page and judge the very next words. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from community import create_app
from community.core import db
from community.core.audit import AuditEntry
from community.core.errors import Conflict
from community.lexicon import actions, queries
from community.lexicon.models import Revision
from community.safety import Rule, scan
from tests.people import WORRYING, Person, Stage

WINDOW = {
    "pattern": "(blue|green) window",
    "concern": "suicide",
    "severity": "red",
    "action": "flag",
    "key": "blue-window",
    "act": "save",
}
RULE = Rule("blue-window", "(blue|green) window", "suicide", "red")


def acts(stage: Stage) -> list[str]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(AuditEntry.act).where(AuditEntry.actor_id.is_not(None)))))


def number(stage: Stage) -> int:
    return stage.ask(queries.current_number)


def keys(stage: Stage) -> set[str]:
    return stage.ask(lambda: set(queries.rules_now()[1]))


def found(stage: Stage, text: str) -> set[str]:
    return stage.ask(lambda: {finding.rule for finding in scan(text, queries.current_lexicon(), room=stage.low_days)})


def save(ida: Person, **changed: Any) -> Any:
    return ida.post("/admin/lexicon/new", **{**WINDOW, **changed})


@pytest.mark.parametrize("who", ["ana", "mia", "sol"])
def test_rules_are_managed_by_admins_only(stage: Stage, who: str, request: pytest.FixtureRequest) -> None:
    person: Person = request.getfixturevalue(who)
    key = sorted(keys(stage))[0]
    for page in ("", "/new", "/try", "/history", f"/rules/{key}", f"/rules/{key}/edit"):
        assert person.get(f"/admin/lexicon{page}").status_code == 404
    for path in ("/new", "/try", f"/rules/{key}/edit", f"/rules/{key}/retire"):
        assert person.post(f"/admin/lexicon{path}", **WINDOW).status_code == 404
    assert number(stage) == 1
    assert acts(stage) == []


def test_a_rule_published_in_the_page_matches_the_very_next_message(stage: Stage, ida: Person, ana: Person) -> None:
    ana.says("I sit at the blue window")
    assert stage.cases() == []
    assert save(ida).status_code == 303
    ana.says("I sit at the BLUE  window again")
    (case,) = stage.cases()
    assert (case.concern, case.severity) == ("suicide", "red")
    assert acts(stage) == ["lexicon.published"]


def test_a_rule_published_in_another_process_matches_the_very_next_message(stage: Stage, ida: Person, ana: Person) -> None:
    """Another app on the same database has its own engine and its own compiled rules, as another process has."""
    ana.says("the first words prepare the rules here")
    other = create_app(stage.app.config["KITH"])
    with other.app_context(), db.write():
        actions.publish(ida.account(), note="from elsewhere", put=[RULE])
    other.extensions["kith_engine"].dispose()
    ana.says("a blue window")
    assert len(stage.cases()) == 1


def test_a_retired_rule_is_silent_for_the_very_next_message_and_can_be_put_back(stage: Stage, ida: Person, ana: Person) -> None:
    save(ida)
    assert ida.post("/admin/lexicon/rules/blue-window/retire", note="too wide").status_code == 303
    ana.says("a blue window")
    assert stage.cases() == []
    page = ida.get("/admin/lexicon/rules/blue-window").text
    assert "retired" in page
    assert "too wide" in page
    assert ida.post("/admin/lexicon/rules/blue-window/edit", **WINDOW).status_code == 303
    assert found(stage, "a blue window") == {"blue-window"}
    assert acts(stage) == ["lexicon.published"] * 3


def test_retiring_twice_retires_once(stage: Stage, ida: Person) -> None:
    save(ida)
    for _ in range(2):
        assert ida.post("/admin/lexicon/rules/blue-window/retire").status_code == 303
    assert number(stage) == 3


def test_a_rule_of_one_room_is_silent_in_the_others(stage: Stage, ida: Person, ana: Person) -> None:
    save(ida, room=str(stage.eating))
    ana.says("a blue window")
    assert stage.cases() == []
    ana.says("a blue window", room=stage.eating)
    assert [case.room_id for case in stage.cases()] == [stage.eating]


def test_changing_a_rule_keeps_its_former_state(stage: Stage, ida: Person) -> None:
    save(ida)
    answer = ida.post(
        "/admin/lexicon/rules/blue-window/edit", **{**WINDOW, "severity": "amber", "note": "milder", "based_on": "2"}
    )
    assert answer.status_code == 303
    states = stage.ask(
        lambda: [(row[0].severity, row[0].since_revision, row[0].until_revision) for row in queries.states_of("blue-window")]
    )
    assert states == [("amber", 3, None), ("red", 2, 3)]
    history = ida.get("/admin/lexicon/history").text
    assert "milder" in history
    assert "changed" in history


def test_the_short_name_is_made_from_the_pattern_when_left_empty(stage: Stage, ida: Person) -> None:
    save(ida, key="")
    assert "suicide-blue-green-window" in keys(stage)


def test_a_rule_form_sent_twice_makes_one_rule(stage: Stage, ida: Person) -> None:
    first, second = save(ida, key=""), save(ida, key="")
    assert first.location == second.location
    assert number(stage) == 2


def test_saving_a_rule_unchanged_makes_no_revision(stage: Stage, ida: Person) -> None:
    save(ida)
    assert ida.post("/admin/lexicon/rules/blue-window/edit", **WINDOW).status_code == 303
    assert number(stage) == 2


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("pattern", "", "empty"),
        ("pattern", "   \u200b ", "no word"),
        ("pattern", "[maybe]", "nothing at all"),
        ("pattern", "(a|b", "without its"),
        ("pattern", "the", "ordinary sentences"),
        ("pattern", "(" + "|".join(f"w{n}" for n in range(10_000)) + ")", "make it two rules"),
        (
            "pattern",
            "(" + "|".join(f"{n}" for n in range(1_500)) + ") " * 1 + "(" + "|".join(f"{n}" for n in range(1_500)) + ")",
            "two rules",
        ),
        ("must_match", "a red window", "must match and does not"),
        ("must_not_match", "at the blue window", "must not match and does"),
        ("exceptions", "fine\n(broken", "Line 2"),
        ("concern", "weather", "no concern"),
        ("concern", "", "no concern"),
        ("severity", "purple", "no severity"),
        ("action", "ban", "no action"),
        ("room", "999", "Choose a room"),
        ("key", "<script>alert(1)</script>", "small letters"),
        ("key", "x" * 81, "small letters"),
        ("why", "x" * 2_001, "longer than"),
        ("note", "x" * 301, "300"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_beside_its_field_and_what_was_typed_stays(stage: Stage, ida: Person, field: str, typed: str, says: str) -> None:  # fmt: skip
    answer = save(ida, **{"why": "Typed <em>words</em>", field: typed})
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert says in answer.text
    assert "Typed &lt;em&gt;words&lt;/em&gt;" in answer.text or field == "why"
    assert number(stage) == 1
    assert acts(stage) == []


def test_contradicting_examples_are_refused(stage: Stage, ida: Person) -> None:
    answer = save(ida, must_match="a blue window", must_not_match="a blue window")
    assert answer.status_code == 422
    assert "both lists" in answer.text
    assert number(stage) == 1


MISSPELT = {"pattern": "purple kettles burning", "key": "kettles", "must_match": "purple ketles burning"}


def test_a_rule_that_breaks_the_promise_of_another_is_refused_by_name_and_example(stage: Stage, ida: Person) -> None:
    """Once “ketles” is a word of its own, it is no longer a misspelling."""
    assert save(ida, **MISSPELT).status_code == 303
    answer = save(ida, pattern="ketles song")
    assert answer.status_code == 422
    assert "the rule “kettles” would no longer notice “purple ketles burning”" in answer.text
    assert "ketles song" in answer.text
    assert keys(stage) >= {"kettles"}
    assert "blue-window" not in keys(stage)


def test_a_promise_that_was_broken_before_stops_nobody(stage: Stage, ida: Person) -> None:
    broken = Rule("kettles", "purple kettles burning", "spam", "green", must_match=("something else",))
    stage.do(lambda: actions.publish(ida.account(), note="not checked", put=[broken]))
    assert save(ida).status_code == 303


def test_trying_a_text_shows_both_sides_and_stores_nothing(stage: Stage, ida: Person) -> None:
    answer = save(ida, act="try", text=f"{WORRYING} at the blue window")
    assert answer.status_code == 200
    now, then = answer.text.split("<h3>Now</h3>")[1].split("<h3>With this rule</h3>")
    assert "blue-window" not in now
    assert "suicide" in now
    assert "blue-window" in then
    assert "this rule" in then
    assert number(stage) == 1
    assert found(stage, "a blue window") == set()
    assert stage.cases() == []


def test_the_rules_in_force_can_be_tried_and_nothing_is_stored(stage: Stage, ida: Person) -> None:
    answer = ida.post("/admin/lexicon/try", text=f"<script>{WORRYING}</script>", room=str(stage.low_days))
    assert "want to be here" in answer.text
    assert "<script>I" not in answer.text
    assert stage.cases() == []
    assert "Nothing was noticed" in ida.post("/admin/lexicon/try", text="my therapist is great").text


def test_script_in_why_and_examples_is_words(stage: Stage, ida: Person) -> None:
    nasty = "<script>alert(1)</script> blue window"
    assert save(ida, why=nasty, must_match=nasty, note=nasty).status_code == 303
    for page in (
        "/admin/lexicon/rules/blue-window",
        "/admin/lexicon/history",
        "/admin/lexicon/rules/blue-window/edit",
        "/admin/lexicon?q=blue",
    ):
        assert "<script>alert" not in ida.get(page).text


def test_of_two_publishers_at_once_one_is_refused_in_a_sentence(stage: Stage, ida: Person) -> None:
    checked = stage.ask(lambda: actions.check_change(put=[RULE]))
    stage.do(lambda: actions.put_rule(ida.account(), RULE, note="first", checked_against=checked))
    with pytest.raises(Conflict, match="same moment"):
        stage.do(
            lambda: actions.put_rule(
                ida.account(), Rule("other", "green door", "spam", "green"), note="second", checked_against=checked
            )
        )
    assert "other" not in keys(stage)


def test_a_number_that_was_taken_meanwhile_is_a_conflict_too(stage: Stage, ida: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes: both read the same number, the primary key lets one through."""
    monkeypatch.setattr(actions, "current_number", lambda: 0)
    monkeypatch.setattr(actions, "import_starter_rules", lambda: None)
    with pytest.raises(Conflict, match="same moment"):
        stage.do(lambda: actions.put_rule(ida.account(), RULE, note="late", checked_against=0))


def test_somebody_elses_change_of_the_same_rule_is_not_overwritten_unseen(stage: Stage, ida: Person) -> None:
    save(ida)
    edit = "/admin/lexicon/rules/blue-window/edit"
    ida.post(edit, **{**WINDOW, "severity": "amber", "based_on": "2"})
    answer = ida.post(edit, **{**WINDOW, "severity": "crisis", "based_on": "2", "why": "my own words"})
    assert answer.status_code == 409
    assert "revision 3" in answer.text
    assert "my own words" in answer.text
    assert "What saving yours would change" in answer.text
    assert number(stage) == 3
    assert ida.post(edit, **{**WINDOW, "severity": "crisis", "based_on": "3"}).status_code == 303


def test_a_publish_that_fails_leaves_nothing_behind(stage: Stage, ida: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions.audit, "record", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        stage.do(lambda: actions.publish(ida.account(), note="x", put=[RULE]))
    assert number(stage) == 1
    assert found(stage, "a blue window") == set()


def test_rules_are_found_by_words_concern_severity_and_origin(stage: Stage, ida: Person) -> None:
    save(ida, why="A Zebra of home")
    for query in ("q=ZEBRA", "origin=here", "concern=suicide&severity=red&q=blue"):
        page = ida.get(f"/admin/lexicon?{query}").text
        assert page.count('<th scope="row">') == 1
        assert "blue-window" in page
    assert "blue-window" not in ida.get("/admin/lexicon?origin=starter").text
    assert "No rule like that" in ida.get("/admin/lexicon?q=%3Cnothing%3E").text


def test_asking_for_the_rules_in_force_is_one_cheap_statement(stage: Stage) -> None:
    stage.ask(queries.current_lexicon)
    statements: list[str] = []
    sa.event.listen(stage.app.extensions["kith_engine"], "before_cursor_execute", lambda *told: statements.append(told[2]))
    stage.ask(queries.current_lexicon)
    assert [statement for statement in statements if statement != "BEGIN"] == [
        "SELECT max(lexicon_revisions.number) AS max_1 \nFROM lexicon_revisions"
    ]


def test_what_was_checked_is_not_compiled_again_after_publishing(
    stage: Stage, ida: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = stage.ask(lambda: actions.check_change(put=[RULE]))
    before = queries._compile.cache_info().misses
    stage.do(lambda: actions.put_rule(ida.account(), RULE, note="", checked_against=checked))
    assert found(stage, "a green window") == {"blue-window"}
    assert queries._compile.cache_info().misses == before


def test_an_older_reader_never_brings_old_rules_back(stage: Stage, ida: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    save(ida)
    assert stage.ask(queries.current_lexicon).revision == 2
    monkeypatch.setattr(queries, "current_number", lambda: 1)
    assert stage.ask(queries.current_lexicon).revision == 2


@pytest.mark.parametrize("path", ["/rules/nothing-like-it", "/rules/nothing-like-it/edit", "/rules/%00", "/rules/" + "x" * 3000])
def test_a_rule_that_never_was_is_not_found(ida: Person, path: str) -> None:
    assert ida.get(f"/admin/lexicon{path}").status_code == 404


def test_every_admin_page_about_rules_opens(stage: Stage, ida: Person) -> None:
    key = sorted(keys(stage))[0]
    for page in ("", "/new", "/try", "/history", "/history?before=2", f"/rules/{key}", f"/rules/{key}/edit"):
        assert ida.get(f"/admin/lexicon{page}").status_code == 200


def test_every_revision_says_who_and_why(stage: Stage, ida: Person) -> None:
    save(ida, note="Asked for by the team")
    rows = stage.ask(lambda: list(db.session().scalars(sa.select(Revision).order_by(Revision.number))))
    assert [(row.number, row.created_by_id, row.note) for row in rows] == [
        (1, None, "Starter packs as shipped"),
        (2, ida.id, "Asked for by the team"),
    ]
