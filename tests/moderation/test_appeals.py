"""Decisions, appeals against them, and what that makes of the words. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from community.chat.models import Message
from community.core import db
from community.moderation import actions
from community.notifications.models import Notification
from tests.moderation.acting import acts, answer, appeal, case_of, claim, decide, form_of, read, told
from tests.people import Person, Stage


def visibility(stage: Stage, case_id: int) -> str:
    return stage.ask(lambda: db.session().get_one(Message, read(stage, case_id).target_id).visibility)


def asks_again(ana: Person, case_id: int) -> None:
    """The case opens once more: its author would like to talk."""
    card = told_id(ana)
    ana.stage.do(lambda: actions.ask_for_moderator(ana.account(), card, note=f"please, {read(ana.stage, case_id).version}"))


def told_id(person: Person) -> int:
    rows = sa.select(Notification.id).where(Notification.account_id == person.id, Notification.kind == "support")
    return person.stage.ask(lambda: db.session().scalars(rows.order_by(Notification.id).limit(1)).one())


# ---- the words are hidden exactly while a decision that hid them stands


def test_overturning_a_warning_does_not_show_what_another_decision_hid(
    stage: Stage, ana: Person, mia: Person, sol: Person
) -> None:
    case_id = case_of(ana)
    decide(mia, case_id, "hide")
    asks_again(ana, case_id)
    warning = decide(mia, case_id, "warn")
    appeal(ana, warning.id)
    answer(sol, case_id, overturn=True)
    assert visibility(stage, case_id) == "hidden"


def test_overturning_the_hiding_shows_the_words_though_a_warning_followed(
    stage: Stage, ana: Person, mia: Person, sol: Person
) -> None:
    case_id = case_of(ana)
    hiding = decide(mia, case_id, "hide")
    asks_again(ana, case_id)
    decide(mia, case_id, "warn")
    appeal(ana, hiding.id)
    answer(sol, case_id, overturn=True)
    assert visibility(stage, case_id) == "visible"


def test_overturning_one_of_two_hidings_shows_nothing(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    first = decide(mia, case_id, "hide")
    asks_again(ana, case_id)
    decide(mia, case_id, "warn", hide_words=True)
    appeal(ana, first.id)
    answer(sol, case_id, overturn=True)
    assert visibility(stage, case_id) == "hidden"


def test_a_hiding_that_was_undone_hides_nothing_later(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    decide(mia, case_id, "hide")
    asks_again(ana, case_id)
    decide(mia, case_id, "restore")
    asks_again(ana, case_id)
    warning = decide(mia, case_id, "warn", hide_words=True)
    assert visibility(stage, case_id) == "hidden"
    appeal(ana, warning.id)
    answer(sol, case_id, overturn=True)
    assert visibility(stage, case_id) == "visible"


@pytest.mark.parametrize(
    ("outcome", "hide", "left"), [("warn", True, "hidden"), ("suspend", True, "hidden"), ("warn", False, "visible")]
)
def test_held_words_stay_hidden_when_the_decision_that_hid_them_is_upheld(
    outcome: str, hide: bool, left: str, stage: Stage, ana: Person, mia: Person, sol: Person
) -> None:
    case_id = case_of(ana)
    decision = decide(mia, case_id, outcome, hide_words=hide)
    appeal(ana, decision.id)
    message = read(stage, case_id).target_id
    stage.do(lambda: setattr(db.session().get_one(Message, message), "visibility", "held"))
    answer(sol, case_id, overturn=False)
    assert visibility(stage, case_id) == left


# ---- answering


def test_an_answer_by_the_form_is_one_answer_however_often_it_is_sent(
    stage: Stage, ana: Person, mia: Person, sol: Person
) -> None:
    case_id = case_of(ana)
    appeal(ana, decide(mia, case_id, "warn").id)
    claim(sol, case_id)
    form = form_of(stage, case_id) | {"outcome": "uphold"}
    assert [sol.post(f"/desk/cases/{case_id}/appeal", **form).status_code for _ in range(2)] == [303, 303]
    assert len(told(ana, "appeal-decided")) == 1
    assert acts(stage, f"case:{case_id}").count("appeal.upheld") == 1
    other = sol.post(f"/desk/cases/{case_id}/appeal", **form | {"outcome": "overturn"})
    assert other.status_code == 409


def test_what_happened_says_that_an_appeal_was_answered(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    appeal(ana, decide(mia, case_id, "warn").id)
    answer(sol, case_id, overturn=False)
    page = sol.get(f"/desk/cases/{case_id}").text
    assert "Appeal answered: the decision stays</b> by Sol" in page
    assert "Left as it is" not in page
    assert "Appealed by <b>Ana</b>" in page


def test_an_appeal_is_not_answered_without_saying_how(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    appeal(ana, decide(mia, case_id, "warn").id)
    claim(sol, case_id)
    refused = sol.post(f"/desk/cases/{case_id}/appeal", **form_of(stage, case_id) | {"outcome": "", "rule": "", "reason": " "})
    assert refused.status_code == 422
    for sentence in ("Choose whether the first decision stays.", "Choose the house rule", "Write the reason"):
        assert sentence in refused.text


# ---- what does not fit together


def test_every_problem_of_a_decision_is_named_at_once(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    refused = mia.post(f"/desk/cases/{case_id}/decide", **form_of(stage, case_id, "suspend", days="0", rule="", reason=" "))
    assert refused.status_code == 422
    for sentence in ("Say for how many days", "Choose the house rule", "Write the reason"):
        assert sentence in refused.text
    nothing = mia.post(f"/desk/cases/{case_id}/decide", **form_of(stage, case_id) | {"outcome": "", "rule": ""})
    for sentence in ("Choose what to do with these words.", "Choose the house rule"):
        assert sentence in nothing.text


@pytest.mark.parametrize(
    ("outcome", "also", "field"),
    [("restore", {}, "outcome"), ("leave", {"hide": "1"}, "hide"), ("leave", {"days": "3"}, "days"), ("warn", {"days": "3"}, "days")],
)  # fmt: skip
def test_a_decision_that_contradicts_itself_is_refused_beside_the_field(
    outcome: str, also: dict[str, str], field: str, stage: Stage, ana: Person, mia: Person
) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    refused = mia.post(f"/desk/cases/{case_id}/decide", **form_of(stage, case_id, outcome) | also)
    assert refused.status_code == 422
    assert f'id="f-{field}-error"' in refused.text
    assert read(stage, case_id).state == "claimed"


def test_only_hidden_words_are_offered_to_be_shown_again(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    assert "Show them again" not in mia.get(f"/desk/cases/{case_id}").text
    decide(mia, case_id, "hide")
    asks_again(ana, case_id)
    claim(mia, case_id)
    assert "Show them again" in mia.get(f"/desk/cases/{case_id}").text


# ---- how it reads to the author


@pytest.mark.parametrize(("outcome", "blames"), [("leave", False), ("warn", True)])
def test_a_message_to_the_author_holds_up_no_rule(outcome: str, blames: bool, ana: Person, mia: Person) -> None:
    decision = decide(mia, case_of(ana), outcome)
    for page in (ana.get("/notifications").text, ana.get(f"/decisions/{decision.id}").text):
        assert ("Keep it safe" in page) is blames
        assert ("A moderator writes to you" in page) is not blames
    assert ("how to appeal" in ana.get("/notifications").text) is blames


def test_the_answer_to_an_appeal_reads_as_an_answer(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    decision = decide(mia, case_id, "warn")
    appeal(ana, decision.id)
    answer(sol, case_id, overturn=False)
    page = ana.get(f"/decisions/{decision.id + 1}").text
    assert "the decision holds" in page
    assert "stay as they are" not in page


def test_lifting_one_of_two_suspensions_says_that_the_other_still_counts(
    stage: Stage, ana: Person, mia: Person, sol: Person
) -> None:
    case_id = case_of(ana)
    decide(mia, case_id, "suspend", days=3)
    asks_again(ana, case_id)
    decide(mia, case_id, "suspend", days=30)
    page = sol.post("/desk/sanctions/1/lift", reason="Talked it over.", _follow=True).text
    assert "Another decision still suspends them until" in page
    told_so = ana.get("/notifications").text
    assert "One of your suspensions was lifted; another one still counts" in told_so
    assert "ended early" not in told_so
    sol.post("/desk/sanctions/2/lift", reason="Talked it over.")
    assert "Your suspension has ended early" in ana.get("/notifications").text
