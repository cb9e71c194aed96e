"""A moderator asks the author to cover words; the author chooses, and nothing else happens.

Content note: one plain sentence about not wanting to be here.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

from community.chat.models import Message
from community.core import db
from community.forum.models import Post
from community.moderation.models import CoverProposal, Decision
from community.notifications.models import Notification
from tests.moderation.acting import acts, claim, decide
from tests.people import WORRYING, Person, Stage

WORDS = f"Long day. {WORRYING}, I weigh so little. 🫂 I weigh so little."
WHY = "Numbers and weights can pull others along. May we cover this part?"


def message(stage: Stage) -> Message:
    return stage.ask(lambda: db.session().scalars(sa.select(Message)).one())


def case_about(stage: Stage, ana: Person, mia: Person) -> int:
    ana.says(WORDS)
    (case,) = stage.cases()
    claim(mia, case.id)
    return case.id


def propose(mia: Person, case_id: int, *, cover: str = "I weigh so little", why: str = WHY) -> Any:
    return mia.post(f"/desk/cases/{case_id}/propose", cover=cover, why=why)


def proposals(stage: Stage) -> list[CoverProposal]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(CoverProposal).order_by(CoverProposal.id))))


def covered(stage: Stage) -> list[str]:
    found = message(stage)
    return [found.body[start:end] for start, end in found.covers]


def test_nothing_is_covered_until_the_author_agrees_and_then_for_everybody(
    stage: Stage, ana: Person, ben: Person, mia: Person
) -> None:
    case_id = case_about(stage, ana, mia)
    assert propose(mia, case_id).status_code == 303
    (asked,) = proposals(stage)
    assert covered(stage) == []
    page = ana.get(f"/proposals/{asked.id}").text
    assert WHY in page
    assert "Show the covered words" in page
    assert f"/proposals/{asked.id}" in ana.get("/notifications").text
    ana.post(f"/proposals/{asked.id}", answer="take")
    assert covered(stage) == ["I weigh so little", "I weigh so little"]
    assert "Show the covered words" in ben.get(f"/rooms/{stage.low_days}/chat").text
    assert acts(stage, f"case:{case_id}")[-2:] == ["proposal.made", "proposal.taken"]


def test_open_screens_cover_the_words_at_once(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    case_id = case_about(stage, ana, mia)
    propose(mia, case_id)
    live = ben.live()
    live.emit("enter_room", {"room": stage.low_days}, callback=True)
    live.get_received()
    ana.post(f"/proposals/{proposals(stage)[0].id}", answer="take")
    (heard,) = [event["args"] for event in live.get_received() if event["name"] == "message"]
    assert heard["covers"] == message(stage).covers != []


def test_no_leaves_the_words_and_says_so_on_the_case(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_about(stage, ana, mia)
    propose(mia, case_id)
    ana.post(f"/proposals/{proposals(stage)[0].id}", answer="leave")
    assert covered(stage) == []
    assert "The author leaves the words as they are" in mia.get(f"/desk/cases/{case_id}").text
    assert stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).select_from(Decision))) == 0


def test_what_the_author_agreed_to_outlasts_a_decision_that_leaves_the_words(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_about(stage, ana, mia)
    propose(mia, case_id)
    ana.post(f"/proposals/{proposals(stage)[0].id}", answer="take")
    decide(mia, case_id, "leave")
    assert covered(stage) == ["I weigh so little", "I weigh so little"]


def test_edited_words_are_not_covered_by_an_old_proposal(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_about(stage, ana, mia)
    propose(mia, case_id)
    ana.post(f"/messages/{message(stage).id}/edit", body="Long day. I am better now.")
    asked = proposals(stage)[0]
    assert "there is nothing to cover" in ana.get(f"/proposals/{asked.id}").text
    answered = ana.post(f"/proposals/{asked.id}", _follow=True, answer="take")
    assert "Your words have changed since" in answered.text
    assert covered(stage) == []


def test_only_the_author_sees_and_answers_it(stage: Stage, ana: Person, ben: Person, mia: Person, sol: Person) -> None:
    case_id = case_about(stage, ana, mia)
    propose(mia, case_id)
    asked = proposals(stage)[0].id
    for other in (ben, mia, sol):
        assert other.get(f"/proposals/{asked}").status_code == 404
        assert other.post(f"/proposals/{asked}", answer="take").status_code == 404
    assert covered(stage) == []


def test_only_who_holds_the_case_asks(stage: Stage, ana: Person, ben: Person, mia: Person, sol: Person) -> None:
    case_id = case_about(stage, ana, mia)
    assert propose(sol, case_id).status_code in (403, 409)
    assert propose(ben, case_id).status_code in (403, 404)
    assert proposals(stage) == []


@pytest.mark.parametrize(
    ("cover", "why", "sentence"),
    [("I weigh nothing", WHY, "does not stand in the words"), ("", WHY, "Copy the words to be covered"), ("Long day", " ", "why, for the author")],
)  # fmt: skip
def test_what_cannot_be_asked_comes_back_as_it_was_typed(
    stage: Stage, ana: Person, mia: Person, cover: str, why: str, sentence: str
) -> None:
    case_id = case_about(stage, ana, mia)
    answer = propose(mia, case_id, cover=cover, why=why)
    assert answer.status_code == 422
    assert sentence in answer.text
    if cover:
        assert f"\n{cover}</textarea>" in answer.text
    assert proposals(stage) == []


def test_asking_twice_is_asking_once_and_asking_anew_replaces(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_about(stage, ana, mia)
    propose(mia, case_id)
    propose(mia, case_id)
    assert len(proposals(stage)) == 1
    propose(mia, case_id, cover="Long day")
    first, second = proposals(stage)
    assert (first.answer, second.answer) == ("replaced", "waiting")
    assert "There is a newer proposal" in ana.get(f"/proposals/{first.id}").text
    told = sa.select(sa.func.count()).where(Notification.kind == "cover-proposed")
    assert stage.ask(lambda: db.session().scalar(told)) == 2


def test_a_post_is_covered_where_it_stands_and_stays_so_in_its_topic(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    topic = ana.opens("Evenings", WORDS)
    (case,) = stage.cases()
    claim(mia, case.id)
    propose(mia, case.id)
    ana.post(f"/proposals/{proposals(stage)[0].id}", answer="take")
    post = stage.ask(lambda: db.session().scalars(sa.select(Post)).one())
    assert [post.body[start:end] for start, end in post.covers] == ["I weigh so little"] * 2
    assert "Show the covered words" in ben.get(f"/topics/{post.topic_id}").text
    assert topic


def test_details_stand_in_the_form_to_begin_with_and_a_cry_for_help_does_not(stage: Stage, ana: Person, sol: Person) -> None:
    ana.says(f"{WORRYING}. I skip meals.")
    (case,) = stage.cases()
    claim(sol, case.id)
    page = sol.get(f"/desk/cases/{case.id}").text
    assert re.search(r">\s*I skip meals</textarea>", page)
