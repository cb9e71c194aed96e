"""The gate. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

from tests.people import WORRYING, Person, Stage


def test_worrying_words_are_stored_with_their_case(stage: Stage, ana: Person) -> None:
    written = ana.says(WORRYING)
    (case,) = stage.cases()
    assert (case.target_kind, case.target_id, case.state) == ("message", written.message.id, "open")
    assert written.message.body == WORRYING
    assert written.reviewed.support_id


def test_ordinary_words_open_no_case(stage: Stage, ana: Person) -> None:
    ana.says("my therapist is great")
    assert stage.cases() == []
