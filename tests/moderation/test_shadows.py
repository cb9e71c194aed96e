"""A draft in shadow notices and does nothing. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from community.core import db
from community.core.clock import now
from community.forum.actions import edit_post
from community.lexicon.models import Draft, Sighting
from community.moderation import shadows
from community.moderation.sightings import sightings as report
from community.notifications.models import Notification
from community.safety import Rule
from tests.moderation.acting import CRUEL, acts, case_of
from tests.moderation.drafting import WINDOW, draft, publish
from tests.people import WORRYING, Person, Stage

SEEN = "I sat at the blue window again"


def in_shadow(ida: Person, rule: Rule = WINDOW, days: int = 7) -> int:
    draft_id = draft(ida, rule)
    assert ida.post(f"/admin/lexicon/drafts/{draft_id}/shadow", days=str(days)).status_code == 303
    return draft_id


def sightings(stage: Stage) -> list[Sighting]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(Sighting).order_by(Sighting.id))))


def told(stage: Stage) -> int:
    return stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).select_from(Notification)))


def test_a_draft_in_shadow_notes_what_it_notices_and_nothing_else_happens(
    stage: Stage, ana: Person, sol: Person, ida: Person
) -> None:
    draft_id = in_shadow(ida, replace(WINDOW, severity="crisis", action="page"))
    written = ana.says(SEEN)
    ana.says("a quiet line")
    (seen,) = sightings(stage)
    assert (seen.draft_id, seen.item_kind, seen.item_id, seen.room_id) == (
        draft_id,
        "message",
        written.message.id,
        stage.low_days,
    )
    assert SEEN[seen.start : seen.end] == "blue window"
    assert stage.cases() == []
    assert told(stage) == 0
    assert (written.message.visibility, written.reviewed.support_id) == ("visible", None)


def test_it_holds_nothing_in_a_room_that_holds(stage: Stage, ana: Person, ida: Person) -> None:
    in_shadow(ida, replace(WINDOW, action="hold"))
    assert ana.says(SEEN, room=stage.eating).message.visibility == "visible"
    assert len(sightings(stage)) == 1


def test_the_rules_in_force_judge_as_always(stage: Stage, ana: Person, ida: Person) -> None:
    in_shadow(ida)
    case_of(ana, f"{WORRYING} {SEEN}")
    assert len(sightings(stage)) == 1
    assert len(stage.cases()) == 1


@pytest.mark.parametrize("broken", ["scan", "_note", "_look"])
def test_a_failing_shadow_never_touches_the_words_or_their_case(
    stage: Stage, ana: Person, ida: Person, monkeypatch: Any, caplog: Any, broken: str
) -> None:
    in_shadow(ida)
    stage.ask(lambda: shadows._watched.clear() if broken == "_look" else None)

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(shadows, broken, fails)
    case_of(ana, f"{WORRYING} {SEEN}")
    assert sightings(stage) == []
    assert stage.cases()[0].state == "open"
    assert "judged as always" in caplog.text


def test_a_row_the_database_refuses_takes_nothing_with_it(stage: Stage, ana: Person, ida: Person, monkeypatch: Any) -> None:
    """The draft was thrown away by hand while a process still watched it."""
    in_shadow(ida)
    stage.ask(lambda: shadows._watched[db.engine()].drafts.update({WINDOW.key: (999, None)}))
    case_of(ana, f"{WORRYING} {SEEN}")
    assert sightings(stage) == []
    assert len(stage.cases()) == 1


def test_an_edit_is_one_sighting(stage: Stage, ana: Person, ida: Person) -> None:
    in_shadow(ida)
    post = ana.opens("Windows", "the door").post
    for body in (SEEN, f"{SEEN} and again"):
        stage.do(lambda body=body: edit_post(ana.account(), post.id, body=body, limit=1000))
    assert len(sightings(stage)) == 1


def test_it_speaks_only_in_rooms_it_is_for(stage: Stage, ana: Person, ida: Person) -> None:
    in_shadow(ida, replace(WINDOW, room=stage.eating))
    ana.says(SEEN)
    assert sightings(stage) == []
    ana.says(SEEN, room=stage.eating)
    assert len(sightings(stage)) == 1


def test_when_the_time_is_over_it_notes_nothing_more_and_asks_for_a_decision(stage: Stage, ana: Person, ida: Person) -> None:
    draft_id = in_shadow(ida, days=3)
    ana.says(SEEN)
    with time_machine.travel(now() + timedelta(days=3, minutes=1), tick=False):
        ana.says(SEEN, key="later")
        page = ida.get(f"/admin/lexicon/drafts/{draft_id}/shadow").text
    assert len(sightings(stage)) == 1
    assert "The time is over" in page
    assert "publish the draft, or discard it" in page


def test_stopped_it_notes_nothing_more(stage: Stage, ana: Person, ida: Person) -> None:
    draft_id = in_shadow(ida)
    assert ida.post(f"/admin/lexicon/drafts/{draft_id}/shadow/stop").status_code == 303
    ana.says(SEEN)
    assert sightings(stage) == []


def test_another_process_watches_within_a_second(stage: Stage, ana: Person, ida: Person, monkeypatch: Any) -> None:
    """It knows nothing of the draft; it compiles beside the words and watches from then on."""
    in_shadow(ida)
    stage.ask(shadows.forget)
    compiled: list[Any] = []
    monkeypatch.setattr(shadows.gevent, "spawn", lambda act, watched: compiled.append((act, watched)))
    ana.says(SEEN, key="first")
    assert sightings(stage) == []
    for act, watched in compiled:
        act(watched)
    ana.says(SEEN, key="second")
    assert len(sightings(stage)) == 1


def test_while_nothing_is_in_shadow_the_gate_asks_nothing(stage: Stage, ana: Person, monkeypatch: Any) -> None:
    ana.says("a quiet line", key="warm")
    asked: list[str] = []
    monkeypatch.setattr(shadows, "shadow_drafts", lambda: asked.append("drafts") or [])
    monkeypatch.setattr(shadows, "LOOK_EVERY_SECONDS", 3600)
    for number in range(5):
        ana.says(SEEN, key=f"k{number}")
    assert asked == []


# ---- its page


def test_the_page_stands_beside_what_the_rules_in_force_noticed(stage: Stage, ana: Person, ida: Person) -> None:
    publish(ida, WINDOW)
    draft_id = in_shadow(ida, replace(WINDOW, pattern="blue window|red door", must_match=()))
    ana.says(SEEN)
    ana.says("the red door")
    ana.says("the green window")
    ana.says(f"the red door, {CRUEL}")
    page = ida.get(f"/admin/lexicon/drafts/{draft_id}/shadow").text
    assert "<b>3</b> noticed by the draft" in page
    assert "<b>2</b> of these also by rules in force" in page
    assert "<b>1</b> by the draft alone" in page
    assert "<b>1</b> by “blue-window” as in force, not by the draft" in page
    assert "also blue-window" in page
    assert '<mark class="finding is-red" dir="auto">red door</mark>' in page
    assert acts(stage, f"draft:{draft_id}")[-1] == "shadow.read"


def test_words_taken_back_are_not_shown(stage: Stage, ana: Person, ida: Person) -> None:
    draft_id = in_shadow(ida)
    message = ana.says(SEEN).message
    stage.do(lambda: setattr(db.session().merge(message), "visibility", "withdrawn"))
    page = ida.get(f"/admin/lexicon/drafts/{draft_id}/shadow").text
    assert "took these words back" in page
    assert "blue window</mark>" not in page
    seen = stage.ask(lambda: report(db.session().get_one(Draft, draft_id), "red", before=0))
    assert [one.pieces for one in seen.rows] == [[]]


@pytest.mark.parametrize("days", ["", "0", "61", "x"])
def test_a_shadow_lasts_from_1_to_60_days(stage: Stage, ida: Person, days: str) -> None:
    draft_id = draft(ida)
    answer = ida.post(f"/admin/lexicon/drafts/{draft_id}/shadow", days=days)
    assert answer.status_code == 422
    assert "from 1 to 60" in answer.text
