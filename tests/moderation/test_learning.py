"""A false alarm teaches its rule. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from community.core import db
from community.lexicon.models import Draft
from community.lexicon.queries import rules_now
from community.moderation.learning import exception_for, sentence_around
from community.moderation.models import Signal
from community.safety import Lexicon, Rule, finds, speech
from tests.moderation.acting import acts, case_of, claim, decide
from tests.moderation.drafting import publish
from tests.people import Person, Stage

DIE = Rule(
    "die", "(want|dying) to (die|see|go)|i am dying", "hopelessness", "red", must_match=("i am dying", "i want to die tonight")
)
PLAIN = speech.everyday() | {"i", "am", "im", "dying", "to", "see", "want", "die", "go"}


def taught(rule: Rule, sentence: str, exception: str) -> Lexicon:
    changed = replace(rule, exceptions=(*rule.exceptions, exception))
    return Lexicon.compile([changed])


def exception(sentence: str, rule: Rule = DIE) -> str:
    return exception_for(rule, sentence, PLAIN.__contains__)


# ---- the pure part


def test_the_sentence_around_a_finding_is_all_that_is_kept() -> None:
    words = "My name is Kim. I am dying to see that film! It is on Friday.\nAnd more."
    start = words.index("dying")
    assert sentence_around(words, start, start + 5) == "I am dying to see that film!"
    assert sentence_around("dying", 0, 5) == "dying"
    assert sentence_around("one\ndying here\nthree", 4, 9) == "dying here"


def test_of_a_sentence_without_end_only_the_part_around_is_kept() -> None:
    words = "far " * 500 + "i am dying to see it " + "far " * 500
    start = words.index("dying")
    around = sentence_around(words, start, start + 5)
    assert "i am dying to see it" in around
    assert len(around) <= 320


@settings(deadline=None, max_examples=60)
@given(before=st.text(max_size=400), after=st.text(max_size=400))
def test_the_sentence_always_holds_the_finding(before: str, after: str) -> None:
    words = f"{before}dying{after}"
    around = sentence_around(words, len(before), len(before) + 5)
    assert "dying" in around
    assert "\n" not in around


def test_the_rule_is_silent_there_and_still_speaks_for_all_it_must() -> None:
    sentence = "I am dying to see that film"
    made = exception(sentence)
    lexicon = taught(DIE, sentence, made)
    rule = lexicon.rules["die"]
    assert made == "i am dying to see that film"
    assert not finds(rule, sentence, lexicon)
    assert all(finds(rule, text, lexicon) for text in DIE.must_match)
    assert finds(rule, "i am dying, nobody sees it", lexicon)


def test_only_the_words_nearby_are_taken() -> None:
    made = exception("yesterday after the long school day we talked and i am dying to see that film with the whole family soon")
    assert made == "we talked and i am dying to see that"


def test_names_and_disguised_words_become_gaps() -> None:
    made = exception("Zbigniew and I am dying to see that film")
    assert "zbigniew" not in made
    made = exception("I am dying to see Zbigniew Qwertz play guitar")
    assert made.startswith("i am dying to see _2 play")
    assert not finds(DIE, "I am dying to see Zbigniew Qwertz play guitar", taught(DIE, "", made))


@pytest.mark.parametrize(
    "sentence", ["i am dying", "I am dying!", "and i am dying", "i am dying and the", "Zbigniew: i am dying"]
)
def test_with_nothing_telling_around_there_is_no_exception(sentence: str) -> None:
    assert exception(sentence) == ""


def test_what_the_rule_must_notice_is_never_unlearnt() -> None:
    assert exception("i want to die tonight") == ""
    wider = exception("the hamster will i want to die tonight game starts soon")
    lexicon = taught(DIE, "", wider)
    assert finds(lexicon.rules["die"], "i want to die tonight", lexicon)


def test_several_findings_in_one_sentence_are_one_exception() -> None:
    sentence = "i am dying laughing and dying to see that film"
    made = exception(sentence)
    assert not finds(DIE, sentence, taught(DIE, sentence, made))


def test_a_sentence_without_finding_has_no_exception() -> None:
    assert exception("a quiet line") == ""


@settings(deadline=None, max_examples=40)
@given(before=st.text(max_size=30), after=st.text(max_size=30))
def test_whatever_stands_around_the_exception_is_sound_or_none(before: str, after: str) -> None:
    sentence = f"{before} i am dying {after}"
    made = exception(sentence)
    if made:
        lexicon = taught(DIE, sentence, made)
        assert not finds(lexicon.rules["die"], sentence, lexicon)
        assert all(finds(lexicon.rules["die"], text, lexicon) for text in DIE.must_match)


# ---- from the case to the rule

FILM = "Hello Kim. I am dying to see that film! See you."
RULE = replace(DIE, key="dying", pattern="i am dying", must_match=("i am dying",))


@pytest.fixture
def film(stage: Stage, ana: Person, ida: Person) -> int:
    """A case about a film, found by one rule."""
    publish(ida, RULE)
    return case_of(ana, FILM)


def signal_of(stage: Stage, case_id: int, key: str = "dying") -> int:
    rows = sa.select(Signal.id).where(Signal.case_id == case_id, Signal.rule_key == key)
    return stage.ask(lambda: db.session().scalars(rows).first())


def road(stage: Stage, case_id: int, key: str = "dying") -> str:
    return f"/desk/cases/{case_id}/signals/{signal_of(stage, case_id, key)}/teach"


def fields(**changed: str) -> dict[str, str]:
    return {"sentence": "I am dying to see that film!", "exception": "i am dying to see that film", "act": "teach", **changed}


def rule_now(stage: Stage, key: str = "dying") -> Rule:
    return stage.ask(lambda: rules_now()[1][key])


def admin_of_the_desk(stage: Stage) -> Person:
    return stage.person("Ada", role="admin", concerns="all")


def test_the_holder_is_offered_the_lesson_and_nobody_else(stage: Stage, film: int, mia: Person, sol: Person, ana: Person) -> None:
    page = road(stage, film)
    assert mia.get(page).status_code == 403
    assert "teach the rule" not in mia.get(f"/desk/cases/{film}").text
    claim(mia, film)
    assert "teach the rule" in mia.get(f"/desk/cases/{film}").text
    assert mia.get(page).status_code == 200
    assert sol.get(page).status_code == 403
    assert ana.get(page).status_code == 404


def test_who_just_decided_may_still_teach(stage: Stage, film: int, mia: Person, sol: Person) -> None:
    decide(mia, film, "leave", false_alarm=True)
    assert mia.get(road(stage, film)).status_code == 200
    assert sol.get(road(stage, film)).status_code == 403


def test_the_page_shows_only_the_sentence_and_the_exception(stage: Stage, film: int, mia: Person) -> None:
    claim(mia, film)
    page = mia.get(road(stage, film)).text
    assert "I am dying to see that film!" in page
    assert "Kim" not in page
    assert "<pre>i am dying to see that film</pre>" in page
    assert "An admin looks at what you teach it" in page


def test_a_moderators_lesson_waits_for_an_admin(stage: Stage, film: int, mia: Person, ida: Person) -> None:
    claim(mia, film)
    assert mia.post(road(stage, film), **fields()).status_code == 303
    (draft,) = stage.ask(lambda: list(db.session().scalars(sa.select(Draft))))
    assert draft.state == "proposed"
    assert "I am dying to see that film!" in draft.rule["must_not_match"]
    assert rule_now(stage).exceptions == ()
    assert acts(stage, f"case:{film}")[-1] == "case.taught"


def test_an_admins_lesson_is_in_force_for_the_next_words(stage: Stage, film: int, ana: Person) -> None:
    ada = admin_of_the_desk(stage)
    claim(ada, film)
    assert ada.post(road(stage, film), **fields()).status_code == 303
    assert rule_now(stage).exceptions == ("i am dying to see that film",)
    assert "I am dying to see that film!" in rule_now(stage).must_not_match
    ana.says("I am dying to see that film!", key="again")
    assert len(stage.cases()) == 1
    case_of(ana, "i am dying")


def test_an_edited_sentence_is_shown_once_more_with_its_new_exception(stage: Stage, film: int, mia: Person) -> None:
    claim(mia, film)
    answer = mia.post(road(stage, film), **fields(sentence="I am dying to see this play!"))
    assert answer.status_code == 200
    assert "<pre>i am dying to see this play</pre>" in answer.text
    assert stage.ask(lambda: db.session().scalars(sa.select(Draft)).all()) == []


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("a quiet line", "does not notice this any more"),
        ("I am dying!", "nothing around these words"),
        ("", "does not notice this any more"),
    ],
)
def test_a_sentence_that_teaches_nothing_is_refused_and_kept(
    stage: Stage, film: int, mia: Person, sentence: str, said: str
) -> None:
    claim(mia, film)
    answer = mia.post(road(stage, film), **fields(sentence=sentence))
    assert answer.status_code == 422
    assert said in answer.text
    assert sentence in answer.text
    assert stage.ask(lambda: db.session().scalars(sa.select(Draft)).all()) == []


def test_taught_twice_is_taught_once(stage: Stage, film: int) -> None:
    ada = admin_of_the_desk(stage)
    claim(ada, film)
    ada.post(road(stage, film), **fields())
    assert ada.post(road(stage, film), **fields()).status_code in (409, 422)
    assert rule_now(stage).exceptions == ("i am dying to see that film",)


def test_a_retired_rule_has_nothing_to_learn(stage: Stage, film: int, mia: Person, ida: Person) -> None:
    claim(mia, film)
    publish(ida, retire=["dying"])
    assert mia.get(road(stage, film)).status_code == 409


@pytest.mark.parametrize("concern", ["suicide", "self-harm", "child-safety"])
def test_crisis_rules_about_lives_are_never_unlearnt_by_one_admin_alone(
    stage: Stage, ana: Person, ida: Person, concern: str
) -> None:
    crisis = replace(RULE, concern=concern, severity="crisis")
    publish(ida, crisis)
    stage.do(lambda: setattr(ida.account(), "role", "member"))
    ada = admin_of_the_desk(stage)
    case_id = case_of(ana, FILM)
    claim(ada, case_id)
    assert ada.get(road(stage, case_id)).status_code == 403
    assert ada.post(road(stage, case_id), **fields()).status_code == 403
    assert rule_now(stage) == crisis
    stage.do(lambda: setattr(ida.account(), "role", "admin"))
    assert "a second person looks" in ada.get(road(stage, case_id)).text
    assert ada.post(road(stage, case_id), **fields()).status_code == 303
    assert rule_now(stage) == crisis, "it waits for the second admin"


def test_the_signal_of_another_case_or_a_report_teaches_nothing(
    stage: Stage, film: int, ana: Person, ben: Person, mia: Person
) -> None:
    from community.moderation.actions import report

    other = case_of(ana, "i am dying, again")
    target = stage.cases()[0].target_id
    stage.do(lambda: report(ben.account(), "message", target, concern="suicide", note=""))
    claim(mia, film)
    assert mia.get(f"/desk/cases/{film}/signals/{signal_of(stage, other)}/teach").status_code == 404
    assert mia.get(f"/desk/cases/{film}/signals/{signal_of(stage, film, '')}/teach").status_code == 404
    assert mia.get(f"/desk/cases/{film}/signals/99999/teach").status_code == 404


def test_markup_in_the_sentence_stays_text(stage: Stage, ana: Person, ida: Person, mia: Person) -> None:
    publish(ida, RULE)
    case_id = case_of(ana, "I am dying to see that <script>film</script> today")
    claim(mia, case_id)
    page: Any = mia.get(road(stage, case_id)).text
    assert "<script>film" not in page


def test_what_was_taught_is_shown_and_not_taught_again(stage: Stage, film: int, mia: Person, ida: Person) -> None:
    """The whole sentence, with what was taken out of it, must not come back by a second press."""
    claim(mia, film)
    mia.post(road(stage, film), **fields())
    page = mia.get(road(stage, film)).text
    assert "It waits for an admin" in page
    assert "Teach it" not in page
    assert mia.post(road(stage, film), **fields()).status_code == 409
    (draft,) = stage.ask(lambda: list(db.session().scalars(sa.select(Draft))))
    assert draft.rule["must_not_match"].count("I am dying to see that film!") == 1


def test_who_taught_is_led_back_to_the_lesson_that_was_sent_back(stage: Stage, film: int, mia: Person, ida: Person) -> None:
    claim(mia, film)
    mia.post(road(stage, film), **fields())
    ida.post("/admin/lexicon/drafts/1/send-back", reason="Too wide for me")
    assert f'href="{road(stage, film)}"' in mia.get("/notifications").text
    page = mia.get(road(stage, film)).text
    assert "Too wide for me" in page
    assert "Teach it" in page
