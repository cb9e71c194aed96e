"""What people write to moderators is read by the scanner too. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from community.core import db
from community.lexicon import actions as lexicon
from community.moderation import intake
from community.moderation.models import Signal
from community.safety import Rule
from tests.moderation.acting import CRUEL, acts, appeal, case_of, decide, read, told
from tests.people import WORRYING, Person, Stage


def signals(stage: Stage, kind: str) -> list[Signal]:
    rows = sa.select(Signal).where(Signal.kind == kind).order_by(Signal.id)
    return stage.ask(lambda: list(db.session().scalars(rows)))


def test_an_appeal_in_distress_is_as_grave_as_it_sounds(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana, CRUEL)
    decision = decide(sol, case_id, "hide")
    answer = ana.post(f"/decisions/{decision.id}/appeal", words=WORRYING, _follow=True)
    case = read(stage, case_id)
    assert (case.concern, case.severity, case.state) == ("suicide", "red", "open")
    assert mia.get(f"/desk/cases/{case_id}").status_code == 200
    assert "A safety rule noticed what they wrote: suicide, red." in mia.get(f"/desk/cases/{case_id}").text
    assert "You are not alone with this" in answer.text
    assert "don’t want to be here" in answer.text
    assert "nobody else can read it" in answer.text


def test_an_ordinary_appeal_is_amber_and_brings_no_card(stage: Stage, ana: Person, sol: Person) -> None:
    case_id = case_of(ana, CRUEL)
    decision = decide(sol, case_id, "hide")
    answer = ana.post(f"/decisions/{decision.id}/appeal", words="It was a joke between us.", _follow=True)
    assert (read(stage, case_id).concern, read(stage, case_id).severity) == ("harassment", "amber")
    assert "You are not alone with this" not in answer.text


def test_the_card_beside_an_appeal_is_the_authors_alone(ana: Person, ben: Person, sol: Person) -> None:
    theirs = ben.says(WORRYING).reviewed.support_id
    decision = decide(sol, case_of(ana, CRUEL), "hide")
    page = ana.get(f"/decisions/{decision.id}?support={theirs}")
    assert page.status_code == 200
    assert "You are not alone with this" not in page.text


def test_a_note_of_a_report_makes_the_case_as_grave_as_it_says(stage: Stage, ana: Person, ben: Person) -> None:
    item = ana.says("an ordinary line").message
    note = "She wrote to me: I want to die"
    for _ in range(2):
        assert ben.post(f"/report/message/{item.id}", worry="advert", note=note).status_code == 303
    (case,) = stage.cases()
    assert (case.concern, case.severity) == ("suicide", signals(stage, "report")[0].severity)
    assert case.severity != "green"
    assert acts(stage, f"case:{case.id}") == ["case.opened"]


def test_a_wish_to_talk_brings_its_own_words_to_those_trained_for_them(stage: Stage, ana: Person, mia: Person) -> None:
    card = ana.says("I binge and then I purge, every day", room=stage.eating).reviewed.support_id
    (case,) = stage.cases()
    assert case.concern == "eating"
    ana.post(f"/support/{card}/talk", note=WORRYING)
    assert (read(stage, case.id).concern, read(stage, case.id).severity) == ("suicide", "red")
    assert len(told(ana, "support")) == 1, "the card they are looking at is enough"
    assert mia.get(f"/desk/cases/{case.id}").status_code == 200


def test_a_rule_that_pages_pages_for_an_appeal_too(stage: Stage, ana: Person, sol: Person, ida: Person) -> None:
    rule = Rule("call-now", "please call me now", "hopelessness", "red", action="page", why="A wish for a call.")
    stage.do(lambda: lexicon.publish(ida.account(), note="a rule that pages", put=[rule]))
    first = stage.person("Max", role="senior", concerns="all")
    decision = decide(first, case_of(ana, CRUEL), "hide")
    ana.post(f"/decisions/{decision.id}/appeal", words="Please call me now")
    assert [data["severity"] for data in told(sol, "case-paged")] == ["red"]


def test_a_note_nobody_could_scan_is_treated_as_the_worst(
    stage: Stage, ana: Person, sol: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = decide(sol, case_of(ana, CRUEL), "hide")

    def broken(*_: object) -> None:
        raise ValueError("the scanner is broken")

    monkeypatch.setattr(intake, "current_lexicon", broken)
    appeal(ana, decision.id)
    (case,) = stage.cases()
    assert (case.concern, case.severity) == ("suicide", "red")
    assert "could not read what they wrote" in signals(stage, "appeal")[0].explanation


def test_a_milder_report_does_not_hand_grave_words_to_the_untrained(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    case_id = case_of(ana)
    decide(mia, case_id, "leave")
    message = read(stage, case_id).target_id
    ben.post(f"/report/message/{message}", worry="advert")
    case = read(stage, case_id)
    assert (case.state, case.concern, case.severity) == ("open", "suicide", "green")


def test_what_is_no_longer_in_the_words_says_nothing_of_whose_case_it_is(
    stage: Stage, ana: Person, ben: Person, mia: Person
) -> None:
    from community.forum.actions import edit_post

    post = ana.opens("Tonight", WORRYING).post
    (case,) = stage.cases()
    decide(mia, case.id, "leave")
    stage.do(lambda: edit_post(ana.account(), post.id, body="Cheap watches, write to me", limit=10_000))
    ben.post(f"/report/post/{post.id}", worry="advert")
    assert read(stage, case.id).concern == "spam"
