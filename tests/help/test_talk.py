"""Asking to talk to a moderator from “Help now”. Content note: one plain sentence about not wanting to be here."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from community.core import db
from community.core.clock import now
from community.core.errors import Invalid
from community.help.models import HelpRequest
from community.moderation.models import Case, Signal
from community.moderation.reviewable import find
from community.rooms.models import Room, StaffScope
from tests.accounts.visitors import Browser
from tests.moderation.acting import decide, form_of
from tests.people import WORRYING, Person, Stage


def asks(person: Person, note: str = "") -> str:
    """The page that says it was passed on."""
    answer = person.post("/help/talk", note=note)
    assert answer.status_code == 303, answer.status_code
    return str(answer.location)


def requests(stage: Stage) -> list[HelpRequest]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(HelpRequest).order_by(HelpRequest.id))))


def heard(live: object) -> list[int]:
    return [event["args"][0]["case"] for event in live.get_received("/desk") if event["name"] == "case_changed"]  # type: ignore[attr-defined]


def test_help_now_keeps_what_it_promises(ana: Person) -> None:
    page = ana.get("/help").text
    assert 'action="/help/talk"' in page
    assert "Talk to a moderator" in page
    assert "you are offered" not in page


def test_a_visitor_is_led_in_and_back(stage: Stage) -> None:
    visitor = Browser(stage)
    assert 'action="/help/talk"' not in visitor.get("/help").text
    assert "/sign-in?next=/help%23here" in visitor.get("/help").text
    assert visitor.get("/help/talk").status_code == 302


def test_asking_without_a_word_reaches_a_trained_moderator_at_once(stage: Stage, ana: Person, mia: Person, noa: Person) -> None:
    desk, blind = mia.live("/desk"), noa.live("/desk")
    page = ana.get(asks(ana)).text
    assert "was passed on at" in page
    assert "Samaritans" in page
    (case,) = stage.cases()
    assert (case.target_kind, case.severity, case.state, case.author_id) == ("request", "red", "open", ana.id)
    assert set(heard(desk)) == {case.id}
    assert blind.get_received("/desk") == []
    told = mia.get(f"/desk/cases/{case.id}").text
    assert "asks to talk to a moderator" in told
    assert "Only its author and moderators read it" in told
    assert "See it in the room" not in told
    assert noa.get(f"/desk/cases/{case.id}").status_code == 404


def test_what_is_said_with_it_passes_the_gate(stage: Stage, ana: Person, mia: Person) -> None:
    asks(ana, WORRYING)
    (case,) = stage.cases()
    kinds = stage.ask(lambda: set(db.session().scalars(sa.select(Signal.kind).where(Signal.case_id == case.id))))
    assert kinds == {"finding", "help-request"}
    assert "be here" in mia.get(f"/desk/cases/{case.id}").text


def test_the_answer_comes_as_every_decision_does(stage: Stage, ana: Person, mia: Person) -> None:
    path = asks(ana, "I would like to talk.")
    (case,) = stage.cases()
    decide(mia, case.id, "leave", reason="I am here until ten. Write to me.")
    told = ana.get("/notifications").text
    assert "A moderator answered you" in told
    assert "I am here until ten." in told
    answered = ana.get(path).text
    assert "A moderator answered you" in answered
    statement = ana.get(f"/decisions/{answered.split('/decisions/')[1].split(chr(34))[0]}").text
    assert "A moderator answered you" in statement
    assert "Only you and trained moderators read" in statement
    assert ana.get(f"/words/request/{case.target_id}").location == path


def test_there_is_nothing_to_show_again(ana: Person, mia: Person) -> None:
    asks(ana, WORRYING)
    (case,) = ana.stage.cases()
    with pytest.raises(Invalid, match="nothing to show again"):
        decide(mia, case.id, "restore")


@pytest.mark.parametrize("outcome", ["leave", "warn", "hide"])
def test_no_decision_makes_it_visible_to_members(stage: Stage, ana: Person, ben: Person, mia: Person, outcome: str) -> None:
    path = asks(ana, WORRYING)
    (case,) = stage.cases()
    decide(mia, case.id, outcome)
    assert stage.ask(lambda: find("request", case.target_id).visibility) != "visible"
    for address in (path, f"/words/request/{case.target_id}", f"/report/request/{case.target_id}"):
        assert ben.get(address).status_code == 404, address
    assert mia.get(path).status_code == 404


def test_the_database_refuses_a_visible_request(stage: Stage, ana: Person) -> None:
    asks(ana)
    with pytest.raises(IntegrityError):
        stage.do(lambda: db.session().execute(sa.update(HelpRequest).values(visibility="visible")))


def test_a_moderator_is_offered_to_answer_and_not_to_hide(stage: Stage, ana: Person, mia: Person) -> None:
    asks(ana)
    (case,) = stage.cases()
    mia.post(f"/desk/cases/{case.id}/claim")
    page = mia.get(f"/desk/cases/{case.id}").text
    assert "The author reads your message." in page
    assert "Show them again" not in page
    assert "Also hide the words" not in page
    assert mia.post(f"/desk/cases/{case.id}/decide", **form_of(stage, case.id, "leave")).status_code == 303


def test_asking_again_while_it_waits_is_asking_once(stage: Stage, ana: Person, mia: Person) -> None:
    first = asks(ana, "Please.")
    assert asks(ana, "Please.") == first
    assert asks(ana) == first
    assert asks(ana, "It is about my sister.") != first
    assert len(stage.cases()) == 2
    for case in stage.cases():
        decide(mia, case.id, "leave")
    assert asks(ana, "Please.") not in (first, "")
    assert len(stage.cases()) == 3


def test_suspended_people_and_people_in_no_room_can_ask(stage: Stage, sam: Person, dev: Person, mia: Person) -> None:
    for person in (sam, dev):
        assert person.get(asks(person)).status_code == 200
    assert {case.author_id for case in stage.cases()} == {sam.id, dev.id}
    assert mia.get("/desk").text.count("data-case=") == 2


def test_a_room_somebody_trained_looks_after_is_asked_first(stage: Stage, ana: Person, mia: Person) -> None:
    with stage.writing() as session:
        session.execute(sa.update(StaffScope).where(StaffScope.account_id == mia.id).values(room_id=stage.low_days))
    asks(ana)
    assert [case.room_id for case in stage.cases()] == [stage.low_days]


def test_a_private_room_is_never_the_one_of_somebody_who_is_not_in_it(stage: Stage, dev: Person) -> None:
    with stage.writing() as session:
        session.get_one(Room, stage.low_days).read_by = "staff"
    asks(dev)
    assert [case.room_id for case in stage.cases()] == [stage.eating]


def test_without_any_room_nothing_is_stored_and_the_words_are_given_back(stage: Stage, ana: Person) -> None:
    with stage.writing() as session:
        session.execute(sa.update(Room).values(archived_at=now()))
    answer = ana.post("/help/talk", note="Is anybody there?")
    assert answer.status_code == 409
    assert "Is anybody there?" in answer.text
    assert "call one of the numbers" in answer.text
    assert requests(stage) == []


@pytest.mark.parametrize("note", ["x" * 2_001, "x" * 1_000_000])
def test_a_note_that_is_too_long_is_given_back(stage: Stage, ana: Person, note: str) -> None:
    answer = ana.post("/help/talk", note=note)
    assert answer.status_code == 422
    assert note in answer.text
    assert stage.ask(lambda: db.session().scalars(sa.select(Case)).all()) == []


@pytest.mark.parametrize("note", ["\x00 \ud800", "<script>alert(1)</script>", "\u202egnp.exe", "a" + "\u0301" * 2_000])
def test_strange_words_are_kept_and_escaped(stage: Stage, ana: Person, mia: Person, note: str) -> None:
    sent = note.encode("utf-8", "replace").decode()
    answer = ana.post("/help/talk", note=sent)
    assert answer.status_code in (303, 422)
    for case in stage.cases():
        assert "<script>alert" not in mia.get(f"/desk/cases/{case.id}").text + ana.get("/help/talk/1").text
