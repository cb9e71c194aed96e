"""Packs go out and come in. Content note: suicide stands as a concern; the shipped packs hold words that hurt."""

from __future__ import annotations

import io
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from community.core.text import storable
from community.lexicon import actions, packfiles
from community.safety import Pack, Rule, starter_packs
from tests.lexicon.admins import ALARM, RULE, WINDOW, acts, drafts, found, number, press, publish, rules
from tests.people import Person, Stage

PACKS = "/admin/lexicon/packs"
DOOR = Rule("door", "a heavy door", "spam", "green", must_match=("a heavy door",), must_not_match=("a light door",))
SHARED = {"name": "Ours", "version": "1.0", "language": "en", "by": "Ida", "origin": "here", "concern": ["suicide", "spam"]}


def pack(*put: Rule, name: str = "Neighbours", language: str = "en") -> str:
    return packfiles.write(Pack(name, "2.0", language, put), by="Eva", at="2026-11-25")


def look(ida: Person, source: str) -> Any:
    return ida.post(f"{PACKS}/look", pack=source)


def take(ida: Person, source: str, **fields: Any) -> Any:
    return ida.post(f"{PACKS}/import", pack=source, **fields)


# ---- files


def test_the_shipped_packs_survive_a_round_trip() -> None:
    for shipped in starter_packs():
        again = packfiles.read(packfiles.write(shipped, by="Ida", at="2026-11-25"))
        assert again.pack == shipped
        assert not again.altered


@given(st.lists(st.text(min_size=1).map(storable), min_size=1, max_size=4))
def test_any_words_survive_a_round_trip(lines: list[str]) -> None:
    rule = replace(DOOR, must_match=(), must_not_match=tuple(lines), why=lines[0])
    written = packfiles.write(Pack("P", "1", "en", (rule,)), by=lines[0], at="now")
    kept = tomllib.loads(written)["rules"][0]
    assert (kept["must_not_match"], kept["why"]) == (lines, lines[0])


def test_every_field_travels() -> None:
    full = Rule(
        "full", "kettle-[0-9]+", "spam", "amber", "mask", "Because", ("kettle-1",), ("kettle",), ("my kettle",), None, "de",
        kind="regex", only_in=("eating",), owner="Sol", review_by="2027-01-01",
    )  # fmt: skip
    assert packfiles.read(pack(full, replace(DOOR, language="de", views=("words",), not_in=("voices",)), language="de")).pack.rules == (
        full, replace(DOOR, language="de", views=("words",), not_in=("voices",)),
    )  # fmt: skip


def test_an_altered_file_is_noticed() -> None:
    written = pack(DOOR, RULE)
    assert "Signed off by Eva on 2026-11-25, and not altered since" in packfiles.read(written).standing
    assert packfiles.read(written.replace("heavy", "open").replace("light", "shut")).altered
    assert not packfiles.read("# a comment\n" + written).altered, "only what the rules say counts"
    unsigned = written.replace("[signed-off]", "[other]")
    assert packfiles.read(unsigned).standing == "Nobody signed this pack off."


TOP = 'name = "x"\nversion = "1"\nlanguage = "en"\n'
GOOD = '[[rules]]\nkey = "a"\npattern = "old kettle"\nconcern = "spam"\nseverity = "green"\n'


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "no name"),
        (TOP, "no rules: each begins with a line [[rules]]"),
        (TOP + "rules = 7", "no rules"),
        (TOP + 'note = "never ends\n' + GOOD, "Line 4: this cannot be read"),
        (TOP + "x = " + "[" * 5_000, "brackets in brackets"),
        (GOOD, "no name"),
        (TOP.replace('"1"', "1") + GOOD, 'version = "…"'),
        (TOP.replace('"en"', '"english, mostly"') + GOOD, "two letters"),
        (TOP + GOOD + 'must_match = "kettle"\n', "Rule “a” (line 4): must_match is no list of texts"),
        (TOP + GOOD + "why = 7\n", "Rule “a” (line 4): why is no text"),
        (TOP + GOOD + "colour = 7\n", "Rule “a” (line 4): it has a field nobody knows: colour"),
        (TOP + GOOD + GOOD, "Two rules have the key “a”"),
        (TOP + GOOD + GOOD.replace('"a"', '"b"').replace("old kettle", "(old"), "Rule “b” (line 9): There is a ( without its )"),
        (TOP + GOOD.replace("old kettle", "{die}"), "{die}, which [words] does not define"),
        (TOP + GOOD.replace("old kettle", "[maybe]"), "can match nothing at all"),
        (TOP + GOOD.replace('"spam"', '"weather"'), "“weather” is no concern"),
        (TOP + GOOD.replace('key = "a"\n', ""), "Rule number 1 (line 4)"),
        (TOP + GOOD.replace('"a"', '"<b>"'), "small letters a-z"),
        (TOP + GOOD + 'must_match = ["a new kettle"]\n', "“a new kettle” must match and does not"),
        (TOP + GOOD + 'must_match = ["old kettle"]\nmust_not_match = ["old kettle"]\n', "both lists"),
        (TOP + GOOD + 'review_by = "soon"\n', "no date"),
        (TOP + GOOD + 'kind = "regex"\n'.replace("regex", "magic"), "no kind of pattern"),
        (TOP + GOOD + 'owner = "' + "x" * 61 + '"\n', "owner is longer"),
        (TOP + GOOD + 'why = "a\\u0000b"\n', "NUL"),
        (TOP + GOOD + 'pattern2 = ["' + "x" * 500_000 + '"]', "500 kB fit"),
        (TOP + "[words]\nnumber = 7\n" + GOOD, "In [words]"),
    ],
)  # fmt: skip
def test_a_broken_pack_gets_a_sentence_that_names_the_place(source: str, says: str) -> None:
    with pytest.raises(packfiles.BrokenPack) as broken:
        packfiles.read(source)
    assert says in " ".join(broken.value.sentences)


def test_a_pack_with_many_mistakes_names_the_first_ones() -> None:
    many = TOP + "".join(GOOD.replace('"a"', f'"a{n}"').replace("spam", "weather") for n in range(40))
    with pytest.raises(packfiles.BrokenPack) as broken:
        packfiles.read(many)
    assert len(broken.value.sentences) == packfiles.SHOWN_SENTENCES + 1
    assert broken.value.sentences[-1] == "And 28 more."


# ---- out


def test_what_is_shared_comes_back_as_it_was(stage: Stage, ida: Person) -> None:
    publish(stage, ida, RULE, DOOR)
    answer = ida.post(f"{PACKS}/export", **SHARED)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ours-1.0.toml"'
    file = packfiles.read(answer.text)
    assert set(file.pack.rules) == {RULE, DOOR}
    assert file.signed is not None
    assert file.signed.by == "Ida"
    assert acts(stage)[-1] == "lexicon.exported"


def test_concern_origin_and_language_choose(stage: Stage, ida: Person) -> None:
    publish(
        stage,
        ida,
        RULE,
        DOOR,
        replace(DOOR, key="tuer", pattern="eine schwere tür", language="de", must_match=(), must_not_match=()),
    )
    for changed, keys in (
        ({"concern": ["spam"]}, {"door"}),
        ({"language": "de"}, {"tuer"}),
    ):
        answer = ida.post(f"{PACKS}/export", **{**SHARED, **changed})
        assert {rule.key for rule in packfiles.read(answer.text).pack.rules} == keys
    starter = packfiles.read(ida.post(f"{PACKS}/export", **{**SHARED, "origin": "starter", "concern": ["spam"]}).text)
    assert {rule.key for rule in starter.pack.rules} == {rule.key for rule in rules(stage).values() if rule.concern == "spam"} - {"door", "tuer"}  # fmt: skip


def test_rules_of_single_rooms_stay_here(stage: Stage, ida: Person) -> None:
    publish(stage, ida, RULE, replace(DOOR, room=stage.low_days))
    assert "1 rule of single rooms" in ida.get(PACKS).text
    assert packfiles.read(ida.post(f"{PACKS}/export", **SHARED).text).pack.rules == (RULE,)


def test_a_brace_in_a_pattern_does_not_break_the_file(stage: Stage, ida: Person) -> None:
    publish(stage, ida, replace(DOOR, pattern="a {heavy} door"))
    (rule,) = packfiles.read(ida.post(f"{PACKS}/export", **SHARED).text).pack.rules
    assert rule.pattern == "a heavy door"


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"name": ""}, "name"), ({"version": " "}, "version"), ({"by": ""}, "by"), ({"language": "xx"}, "language"),
     ({"concern": []}, "concern"), ({"origin": "moon"}, "origin"), ({"note": "x" * 301}, "note"), ({"concern": ["eating"]}, "concern")],
)  # fmt: skip
def test_a_share_that_cannot_be_is_refused_beside_its_field(
    stage: Stage, ida: Person, changed: dict[str, Any], field: str
) -> None:
    publish(stage, ida, RULE)
    answer = ida.post(f"{PACKS}/export", **{**SHARED, **changed})
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert "lexicon.exported" not in acts(stage)


def learn(stage: Stage, who: Person, sentence: str = "I clean the blue window every spring", exception: str = "clean the blue window") -> None:  # fmt: skip
    at = stage.ask(lambda: actions.check_counterexample("blue-window", sentence, exception))
    stage.do(lambda: actions.add_counterexample(who.account(), "blue-window", sentence, exception, checked_against=at))


def test_what_members_wrote_leaves_only_when_ticked(stage: Stage, ida: Person) -> None:
    publish(stage, ida, replace(RULE, must_not_match=("a grey wall",)))
    learn(stage, ida)
    (rule,) = packfiles.read(ida.post(f"{PACKS}/export", **SHARED).text).pack.rules
    assert (rule.must_not_match, rule.exceptions) == (("a grey wall",), ())
    (rule,) = packfiles.read(ida.post(f"{PACKS}/export", **SHARED, learned="1").text).pack.rules
    assert len(rule.must_not_match) == 2
    assert rule.exceptions == ("clean the blue window",)


def test_what_members_wrote_stays_also_after_somebody_edited_it_or_moved_it(stage: Stage, ida: Person) -> None:
    publish(stage, ida, RULE)
    learn(stage, ida)
    ida.post(
        "/admin/lexicon/rules/blue-window/edit",
        **{**WINDOW, "must_not_match": "I CLEAN the blue window each spring", "exceptions": "clean the blue window"},
    )
    publish(stage, ida, replace(DOOR, must_not_match=("I clean the blue window every spring", "a light door")))
    shared = packfiles.read(ida.post(f"{PACKS}/export", **SHARED).text).pack.rules
    assert {rule.key: rule.must_not_match for rule in shared} == {"blue-window": (), "door": ("a light door",)}


def test_what_a_moderator_proposed_stays_marked_when_an_admin_edits_the_proposal(stage: Stage, ida: Person, mia: Person) -> None:
    publish(stage, ida, RULE)
    learn(stage, mia)
    edited = {"must_not_match": "I clean the blue window every spring", "exceptions": "clean the blue window", "why": "x"}
    ida.post("/admin/lexicon/drafts/1/edit", **{**WINDOW, **edited})
    assert rules(stage)["blue-window"].why == "x"
    (rule,) = packfiles.read(ida.post(f"{PACKS}/export", **SHARED).text).pack.rules
    assert rule.must_not_match == ()


# ---- in


def test_a_look_shows_what_would_change_and_stores_nothing(stage: Stage, ida: Person) -> None:
    answer = look(ida, pack(RULE, DOOR))
    assert answer.status_code == 200
    assert "<b>2</b> new" in answer.text
    assert "Signed off by Eva" in answer.text
    assert number(stage) == 1
    assert acts(stage) == []


def test_a_pack_comes_in_as_one_revision_and_judges_the_next_words(stage: Stage, ida: Person) -> None:
    assert take(ida, pack(RULE, DOOR)).status_code == 303
    assert number(stage) == 2
    assert found(stage, "a blue window") == {"blue-window"}
    assert found(stage, "a heavy door") == {"door"}
    assert "Imported Neighbours 2.0" in ida.get("/admin/lexicon/history").text


def test_a_pack_is_uploaded_as_a_file(stage: Stage, ida: Person) -> None:
    file = (io.BytesIO(b"\xef\xbb\xbf" + pack(RULE).encode()), "pack.toml")
    answer = ida.client.post(f"{PACKS}/look", data={"csrf_token": ida.csrf(), "file": file}, content_type="multipart/form-data")
    assert "<b>1</b> new" in answer.text


@pytest.mark.parametrize(
    ("content", "status", "says"),
    [(b"\xff\xfe\x00", 422, "no text in UTF-8"), (b"x" * 600_000, 422, "500 kB fit"), (b"x" * 2_100_000, 413, "too much at once")],
)  # fmt: skip
def test_a_file_that_cannot_be_taken_is_refused_kindly(ida: Person, content: bytes, status: int, says: str) -> None:
    sent = {"csrf_token": ida.csrf(), "file": (io.BytesIO(content), "pack.toml")}
    answer = ida.client.post(f"{PACKS}/look", data=sent, content_type="multipart/form-data")
    assert answer.status_code == status
    assert says in answer.text


def test_nothing_at_all_is_refused_beside_its_field(ida: Person) -> None:
    answer = look(ida, "  ")
    assert answer.status_code == 422
    assert "Choose a file, or paste a pack here." in answer.text


def test_a_broken_pack_is_shown_again_with_its_sentences(stage: Stage, ida: Person) -> None:
    answer = look(ida, TOP + GOOD.replace("old kettle", "(old <b>"))
    assert answer.status_code == 422
    assert "Rule “a” (line 4)" in answer.text
    assert "(old &lt;b&gt;" in answer.text
    assert take(ida, TOP).status_code == 422
    assert number(stage) == 1


def test_a_rule_changed_by_its_pack_alone_is_taken_without_a_question(stage: Stage, ida: Person) -> None:
    take(ida, pack(RULE, DOOR))
    newer = pack(replace(RULE, severity="amber"), DOOR)
    page = look(ida, newer).text
    assert "<b>1</b> changed" in page
    assert "<b>1</b> the same" in page
    assert take(ida, newer).status_code == 303
    assert rules(stage)["blue-window"].severity == "amber"


@pytest.mark.parametrize(("choice", "severity"), [("mine", "green"), ("theirs", "amber")])
def test_a_rule_changed_on_both_sides_is_a_question(stage: Stage, ida: Person, choice: str, severity: str) -> None:
    take(ida, pack(RULE))
    publish(stage, ida, replace(RULE, severity="green"))
    newer = pack(replace(RULE, severity="amber"), DOOR)
    assert "<b>1</b> to choose" in look(ida, newer).text
    answer = take(ida, newer)
    assert answer.status_code == 422
    assert "keep yours or take theirs" in answer.text
    assert number(stage) == 3
    assert take(ida, newer, **{"choice-blue-window": choice}).status_code == 303
    assert rules(stage)["blue-window"].severity == severity
    assert "door" in rules(stage)


def test_a_starter_rule_changed_here_is_a_question_too(stage: Stage, ida: Person) -> None:
    shipped = next(rule for rule in rules(stage).values() if rule.concern == "spam")
    publish(stage, ida, replace(shipped, why="Ours"))
    assert "<b>1</b> to choose" in look(ida, pack(replace(shipped, why="Theirs"))).text


def test_a_rule_retired_here_comes_back_only_when_asked_to(stage: Stage, ida: Person) -> None:
    take(ida, pack(RULE))
    ida.post("/admin/lexicon/rules/blue-window/retire")
    assert "<b>1</b> retired here" in look(ida, pack(RULE)).text
    assert take(ida, pack(RULE, DOOR), **{"choice-blue-window": "mine"}).status_code == 303
    assert "blue-window" not in rules(stage)
    assert take(ida, pack(RULE), **{"choice-blue-window": "theirs"}).status_code == 303
    assert "blue-window" in rules(stage)


def test_a_settled_false_alarm_stays_settled_through_an_import(stage: Stage, ida: Person) -> None:
    take(ida, pack(RULE))
    learn(stage, ida)
    assert "<b>1</b> the same" in look(ida, pack(RULE)).text
    newer = pack(replace(RULE, why="A better reason"))
    assert "<b>1</b> changed" in look(ida, newer).text
    take(ida, newer)
    rule = rules(stage)["blue-window"]
    assert rule.why == "A better reason"
    assert rule.must_not_match == ("I clean the blue window every spring",)
    assert rule.exceptions == ("clean the blue window",)


def test_a_pack_that_breaks_a_promise_comes_in_not_at_all(stage: Stage, ida: Person) -> None:
    publish(stage, ida, Rule("kettles", "purple kettles burning", "spam", "green", must_match=("purple ketles burning",)))
    answer = take(ida, pack(DOOR, replace(DOOR, key="song", pattern="ketles song", must_match=(), must_not_match=())))
    assert answer.status_code == 422
    assert "the rule “kettles” would no longer notice" in answer.text
    assert "door" not in rules(stage)


def test_a_pack_that_is_all_here_changes_nothing(stage: Stage, ida: Person) -> None:
    take(ida, pack(RULE))
    assert "in force here already" in look(ida, pack(RULE)).text
    assert take(ida, pack(RULE)).status_code == 303
    assert number(stage) == 2


def test_an_import_is_refused_when_the_rules_moved_on_since_the_look(stage: Stage, ida: Person) -> None:
    publish(stage, ida, DOOR)
    answer = take(ida, pack(RULE), seen="1")
    assert answer.status_code == 409
    assert "revision 2 now" in answer.text
    assert "blue-window" not in rules(stage)


def test_a_pack_with_a_crisis_rule_waits_as_a_whole_and_counts_as_imported_once_in_force(stage: Stage, ida: Person) -> None:
    eva = stage.person("Eva", role="admin")
    assert "/drafts/1" in take(ida, pack(RULE, ALARM)).location
    assert number(stage) == 1
    assert press(eva, "publish").status_code == 303
    assert {"blue-window", "alarm"} <= set(rules(stage))
    assert "lexicon.imported" in acts(stage)
    assert "<b>1</b> changed" in look(ida, pack(replace(RULE, severity="amber"))).text
    assert drafts(stage)[0].state == "published"


def test_packs_are_for_admins(stage: Stage, sol: Person) -> None:
    assert sol.get(PACKS).status_code == 404
    for form in ("look", "import", "export"):
        assert sol.post(f"{PACKS}/{form}", pack=pack(RULE), **SHARED).status_code == 404
    assert number(stage) == 1


# ---- commands


def run(app: Flask, *words: str) -> Any:
    return app.test_cli_runner().invoke(args=["safety", "pack", *words])


def test_check_says_what_is_wrong_and_needs_no_database(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "good.toml").write_text(pack(RULE))
    (tmp_path / "bad.toml").write_text(TOP + GOOD.replace("old kettle", "(old").replace("spam", "weather"))
    good = run(app, "check", str(tmp_path / "good.toml"))
    assert (good.exit_code, "1 rules, all sound. Signed off by Eva" in good.output) == (0, True)
    bad = run(app, "check", str(tmp_path / "bad.toml"))
    assert bad.exit_code == 1
    assert "“weather” is no concern" in bad.output
    assert "without its" in bad.output


def test_packs_go_out_and_come_in_on_the_command_line(stage: Stage, ida: Person, tmp_path: Path) -> None:
    out, file = tmp_path / "out.toml", tmp_path / "in.toml"
    file.write_text(pack(RULE, DOOR))
    assert run(stage.app, "import", str(file), "--by", "Nobody").exit_code == 1
    assert number(stage) == 1
    ran = run(stage.app, "import", str(file), "--by", "Ida")
    assert ran.exit_code == 0, ran.output
    assert "2 rules are in force in revision 2" in ran.output
    ran = run(stage.app, "export", str(out), "--by", "Ida", "--concern", "spam", "--origin", "here")
    assert ran.exit_code == 0, ran.output
    assert packfiles.read(out.read_text()).pack.rules == (DOOR,)


def test_the_command_line_asks_about_conflicts_and_keeps_to_two_people(stage: Stage, ida: Person, tmp_path: Path) -> None:
    publish(stage, ida, RULE)
    (tmp_path / "in.toml").write_text(pack(replace(RULE, severity="crisis")))
    ran = run(stage.app, "import", str(tmp_path / "in.toml"), "--by", "Ida")
    assert ran.exit_code == 1
    assert "--take mine or --take theirs" in ran.output
    stage.person("Eva", role="admin")
    ran = run(stage.app, "import", str(tmp_path / "in.toml"), "--by", "Ida", "--take", "theirs")
    assert "waits for another admin as draft 1" in ran.output
    assert rules(stage)["blue-window"] == RULE


def test_a_new_rule_of_a_pack_has_no_page_to_lead_to_yet(stage: Stage, ida: Person) -> None:
    publish(stage, ida, DOOR)
    page = look(ida, pack(RULE, replace(DOOR, severity="red"))).text
    assert f'href="/admin/lexicon/rules/{DOOR.key}"' in page
    assert 'href="/admin/lexicon/rules/blue-window"' not in page
