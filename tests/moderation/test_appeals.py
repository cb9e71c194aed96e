"""Decisions, appeals against them, and what that makes of the words. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

import pytest

from community.chat.models import Message
from community.core import db
from community.moderation import actions
from tests.moderation.acting import answer, appeal, case_of, decide, read
from tests.people import Person, Stage


def visibility(stage: Stage, case_id: int) -> str:
    return stage.ask(lambda: db.session().get_one(Message, read(stage, case_id).target_id).visibility)


def asks_again(ana: Person, case_id: int) -> None:
    """The case opens once more: its author would like to talk."""
    card = told_id(ana)
    ana.stage.do(lambda: actions.ask_for_moderator(ana.account(), card, note=f"please, {read(ana.stage, case_id).version}"))


def told_id(person: Person) -> int:
    import sqlalchemy as sa

    from community.notifications.models import Notification

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
