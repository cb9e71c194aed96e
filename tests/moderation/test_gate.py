"""The gate. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from community.core import db
from community.forum.models import Post
from community.moderation import intake
from community.moderation.models import Case, Signal, Snapshot
from community.safety import OutOfTime, scanning
from tests.forum.test_topics import open_topic, posts_in, reply
from tests.people import WORRYING, Person, Stage

PLAIN = "my therapist is great"


def test_worrying_words_are_stored_with_their_case(stage: Stage, ana: Person) -> None:
    written = ana.says(WORRYING)
    (case,) = stage.cases()
    assert (case.target_kind, case.target_id, case.state) == ("message", written.message.id, "open")
    assert written.message.body == WORRYING
    assert written.reviewed.support_id


def test_ordinary_words_open_no_case(stage: Stage, ana: Person) -> None:
    ana.says(PLAIN)
    assert stage.cases() == []


# ---- a scanner that fails, or takes too long: words pass neither unseen nor into nothing


@pytest.fixture(params=["it raises", "it runs out of time", "the rules cannot be read"])
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Three ways in which the scanner cannot answer."""

    def fail(*_: Any, **__: Any) -> Any:
        raise OutOfTime("too long") if request.param == "it runs out of time" else RuntimeError("broken")

    monkeypatch.setattr(intake, "current_lexicon" if request.param == "the rules cannot be read" else "scan", fail)
    return request.param


def told(stage: Stage) -> tuple[Case, list[Signal], list[Snapshot]]:
    (case,) = stage.cases()
    of_case = (sa.select(model).where(model.case_id == case.id) for model in (Signal, Snapshot))
    signals, snapshots = (stage.ask(lambda rows=rows: list(db.session().scalars(rows))) for rows in of_case)
    return case, signals, snapshots


def assert_a_moderator_is_asked_to_read(stage: Stage, mia: Person, words: str) -> None:
    case, signals, snapshots = told(stage)
    assert [signal.kind for signal in signals] == ["scanner-failed"]
    assert (case.concern, case.severity, case.state) == ("suicide", "red", "open")
    assert [snapshot.words for snapshot in snapshots] == [words]
    page = mia.get(f"/desk/cases/{case.id}").text
    assert words in page
    assert "could not read these words" in page
    assert f'/desk/cases/{case.id}"' in mia.get("/desk").text


def test_words_sent_in_a_page_that_nobody_could_scan_are_stored_shown_and_read_by_a_moderator(
    stage: Stage, ana: Person, mia: Person, broken: str
) -> None:
    answer = open_topic(ana, stage.low_days, title="Mornings", body=PLAIN)
    assert answer.status_code == 303
    assert PLAIN in ana.get(answer.location).text
    assert [post.body for post in posts_in(stage)] == [PLAIN]
    case, signals, _ = told(stage)
    assert [signal.kind for signal in signals] == ["scanner-failed"]
    assert PLAIN in mia.get(f"/desk/cases/{case.id}").text


def test_words_sent_live_that_nobody_could_scan_are_stored_told_and_read_by_a_moderator(
    stage: Stage, ana: Person, ben: Person, mia: Person, broken: str
) -> None:
    hearer, desk = ben.live(), mia.live("/desk")
    hearer.emit("enter_room", {"room": stage.low_days}, callback=True)
    desk.get_received("/desk")
    answer = ana.live().emit("write_message", {"room": stage.low_days, "key": "k1", "body": PLAIN}, callback=True)
    assert answer["ok"]
    assert not answer["held"]
    assert PLAIN in str(hearer.get_received())
    assert desk.get_received("/desk"), "the desk hears of it at once"
    assert_a_moderator_is_asked_to_read(stage, mia, PLAIN)


def test_a_room_that_holds_holds_what_nobody_could_scan(stage: Stage, ana: Person, ben: Person, mia: Person, broken: str) -> None:
    answer = ana.live().emit("write_message", {"room": stage.eating, "key": "k1", "body": PLAIN}, callback=True)
    assert answer["held"]
    assert PLAIN not in ben.get(f"/rooms/{stage.eating}/chat").text
    assert_a_moderator_is_asked_to_read(stage, mia, PLAIN)


def test_an_answer_that_nobody_could_scan_opens_a_case_of_its_own(
    stage: Stage, ana: Person, ben: Person, mia: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = open_topic(ana, stage.low_days, body=PLAIN).location.split("?")[0]
    assert stage.cases() == []
    monkeypatch.setattr(intake, "scan", lambda *_, **__: 1 / 0)
    assert reply(ben, topic, "Mine too.").status_code == 303
    (case,) = stage.cases()
    assert case.target_id == stage.ask(lambda: db.session().scalar(sa.select(sa.func.max(Post.id))))


def test_a_post_that_really_runs_out_of_its_budget_opens_a_case(
    stage: Stage, ana: Person, mia: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real scanner, with no time at all for a long post."""
    monkeypatch.setattr(scanning, "MAX_SECONDS", -1.0)
    monkeypatch.setattr(scanning, "LONG", 100)
    words = "all of this is fine " * 60
    ana.opens("Long", words)
    case, signals, snapshots = told(stage)
    assert [signal.kind for signal in signals] == ["scanner-failed"]
    assert words.strip() in snapshots[0].words
    assert case.state == "open"


def test_a_database_that_fails_is_no_failed_scanner_and_nothing_is_stored(
    stage: Stage, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> Any:
        raise sa.exc.OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(intake, "current_lexicon", down)
    with pytest.raises(sa.exc.OperationalError):
        ana.says(WORRYING)
    monkeypatch.undo()
    assert stage.cases() == []
    assert ana.says("again").message.seq == 1
