"""What an hour changes for words: what waits, and which details are covered until a moderator has decided.

The rules of these tests speak of windows, so that no worrying words are needed.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from community.core import db
from community.core.clock import now
from community.core.text import COVER
from community.lexicon import actions as lexicon
from community.moderation.models import Case
from community.moderation.reviewable import find
from community.rooms.hours import Hours, Span
from community.rooms.models import Room
from community.rooms.posture import WAITS
from community.safety import Rule
from tests.moderation.acting import decide
from tests.people import Person, Stage

GREY = Rule("grey-window", "grey window", "hopelessness", "amber")
PALE = Rule("pale-window", "pale window", "hopelessness", "green")
DETAIL = Rule("blue-window", "blue window", "method-detail", "amber")
MASK = Rule("red-window", "red window", "eating", "amber", action="mask")
STAFFED = Hours()


@pytest.fixture(autouse=True)
def rules(stage: Stage, ida: Person) -> None:
    stage.do(lambda: lexicon.publish(ida.account(), note="windows", put=[GREY, PALE, DETAIL, MASK]))


def set_hour(stage: Stage, posture: str, *, room: int = 0, waits: bool = True) -> None:
    """From now on, all day long."""
    hours = STAFFED if posture == "staffed" else Hours(tuple(Span(day, 0, 1440, posture) for day in range(7)))
    values = {"hours": hours, "waits_unstaffed": waits}
    stage.do(lambda: db.session().execute(sa.update(Room).where(Room.id == (room or stage.low_days)).values(**values)))


def visibility(stage: Stage, post_id: int) -> str:
    return stage.ask(lambda: find("post", post_id).visibility)


# ---- what waits


@pytest.mark.parametrize(
    ("posture", "waits", "held"),
    [
        ("staffed", True, False),
        ("quiet", True, True),
        ("night", True, True),
        ("closed", True, True),
        ("quiet", False, False),
        ("night", False, False),
        ("closed", False, False),
    ],
)
def test_worrying_words_wait_outside_staffed_hours_where_the_room_chose_it(
    stage: Stage, ana: Person, ben: Person, posture: str, waits: bool, held: bool
) -> None:
    set_hour(stage, posture, waits=waits)
    post = ana.opens("Today", "A grey window.").post
    assert visibility(stage, post.id) == ("held" if held else "visible")
    assert len(stage.cases()) == 1
    assert ben.get(f"/topics/{post.topic_id}").status_code == (404 if held else 200)


@pytest.mark.parametrize("words", ["A pale window.", "A window."])
def test_what_is_milder_than_amber_never_waits_for_the_hour(stage: Stage, ana: Person, words: str) -> None:
    set_hour(stage, "night")
    assert visibility(stage, ana.opens("Today", words).post.id) == "visible"


def test_a_room_that_always_holds_holds_in_staffed_hours_too(stage: Stage, ana: Person) -> None:
    set_hour(stage, "staffed", room=stage.eating, waits=False)
    assert visibility(stage, ana.opens("Today", "A grey window.", room=stage.eating).post.id) == "held"


def test_words_held_at_night_stay_held_in_the_morning_until_somebody_decides(
    stage: Stage, ana: Person, ben: Person, mia: Person
) -> None:
    set_hour(stage, "night")
    post = ana.opens("Today", "A grey window.").post
    set_hour(stage, "staffed")
    assert visibility(stage, post.id) == "held"
    (case,) = stage.cases()
    decide(mia, case.id, "leave")
    assert "A grey window." in ben.get(f"/topics/{post.topic_id}").text


def test_words_changed_at_night_are_judged_by_the_hour_of_the_change(stage: Stage, ana: Person) -> None:
    post = ana.opens("Today", "A window.").post
    set_hour(stage, "night")
    ana.post(f"/posts/{post.id}/edit", body="A grey window.")
    assert visibility(stage, post.id) == "held"


def test_the_author_of_words_that_wait_is_told_who_comes(stage: Stage, ana: Person, ben: Person) -> None:
    later = (now().weekday() + 2) % 7
    hours = Hours((Span(later, 480, 600),))
    stage.do(lambda: db.session().execute(sa.update(Room).values(hours=hours, outside_hours="quiet")))
    topic = ana.opens("Today", "A window.").post.topic_id
    ana.answers(topic, "A grey window.")
    own = ana.get(f"/topics/{topic}").text
    assert "It waits for a moderator. A moderator comes next at" in own
    assert "08:00 in London." in own
    assert "comes next" not in ben.get(f"/topics/{topic}").text


def test_who_begins_a_topic_is_told_before_writing_whether_worrying_words_wait(stage: Stage, ana: Person) -> None:
    path = f"/rooms/{stage.low_days}/topics/new"
    assert WAITS not in ana.get(path).text
    set_hour(stage, "night")
    assert f"{WAITS} No hour is set when a moderator comes next." in ana.get(path).text


# ---- what is covered


COVERED = f"{COVER[0]}blue window{COVER[1]}"


@pytest.mark.parametrize(("posture", "covered"), [("staffed", False), ("quiet", False), ("night", True), ("closed", True)])
def test_details_of_methods_are_covered_at_night_and_in_closed_hours(
    stage: Stage, ana: Person, ben: Person, posture: str, covered: bool
) -> None:
    set_hour(stage, posture, waits=False)
    post = ana.opens("Today", "By the blue window.").post
    assert (COVERED in ben.get(f"/topics/{post.topic_id}").text) == covered
    assert "By the blue window." in ana.get(f"/topics/{post.topic_id}").text, "never for their author"


def test_other_concerns_are_not_covered_for_the_hour(stage: Stage, ana: Person) -> None:
    set_hour(stage, "night", waits=False)
    assert stage.ask(lambda: find("post", ana.opens("Today", "A grey window.").post.id).covers) == []


def test_in_the_chat_a_detail_of_the_night_is_covered_in_the_payload(stage: Stage, ana: Person, ben: Person) -> None:
    set_hour(stage, "night", waits=False)
    ana.says("🫂 the blue window")
    (message,) = ben.get(f"/rooms/{stage.low_days}/chat/messages?after=0").get_json()["messages"]
    assert message["covers"] == [[6, 17]]


def test_a_decision_opens_what_the_hour_covered_and_nothing_else(stage: Stage, ana: Person, ben: Person, sol: Person) -> None:
    set_hour(stage, "night", waits=False)
    post = ana.opens("Today", "A blue window and a red window.").post
    assert stage.ask(lambda: find("post", post.id).covers) == [[2, 13], [20, 30]]
    set_hour(stage, "staffed")
    assert COVERED in ben.get(f"/topics/{post.topic_id}").text, "the morning alone opens nothing"
    (case,) = stage.cases()
    decide(sol, case.id, "leave")
    assert stage.ask(lambda: find("post", post.id).covers) == [[20, 30]]
    page = ben.get(f"/topics/{post.topic_id}").text
    assert COVERED not in page
    assert f"{COVER[0]}red window{COVER[1]}" in page


def test_a_hidden_detail_stays_hidden(stage: Stage, ana: Person, ben: Person, sol: Person) -> None:
    set_hour(stage, "night", waits=False)
    topic = ana.opens("Today", "A window.").post.topic_id
    ana.answers(topic, "A blue window.")
    case = stage.ask(lambda: db.session().scalars(sa.select(Case.id)).one())
    decide(sol, case, "hide")
    assert "blue window" not in ben.get(f"/topics/{topic}").text


def test_the_gate_asks_the_hour_of_the_room_alone(stage: Stage, ana: Person) -> None:
    set_hour(stage, "night")
    assert visibility(stage, ana.opens("Today", "A grey window.").post.id) == "held"
    set_hour(stage, "night", room=stage.eating)
    set_hour(stage, "staffed")
    assert visibility(stage, ana.opens("Tomorrow", "A grey window.").post.id) == "visible"
