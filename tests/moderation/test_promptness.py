"""What a room says of how soon words are read is counted from its log, and says nothing of single cases.

Content note: one plain sentence about not wanting to be here.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from community.core import db
from community.core.clock import now
from community.lexicon import actions as lexicon
from community.moderation.models import Case, Signal
from community.moderation.promptness import Wait, how_soon, in_round_numbers, typical_wait, when_read
from community.rooms.hours import Hours, Span
from community.rooms.models import Room
from community.safety import Rule
from community.training.models import Certificate, Shift
from tests.moderation.acting import case_of, decide
from tests.people import Person, Stage

TOO_FEW = "In the last 7 days there were too few worrying words to say how soon they are read."
TOO_FEW_READ = "In the last 7 days too few worrying words were read to say how soon."


def waits(read: Sequence[float], unread: Sequence[float] = ()) -> list[Wait]:
    return [Wait(timedelta(minutes=took), is_read) for is_read, each in ((True, read), (False, unread)) for took in each]


# ---- the median


@pytest.mark.parametrize(
    ("read", "unread", "median"),
    [
        ([5], [], 5),
        ([1, 14, 90], [], 14),
        ([1, 2, 3, 4], [], 2),
        ([1, 14, 90], [0.5, 0.1], 14),  # two that came a moment ago say nothing yet
        ([1, 14, 90], [600, 700, 800], 90),  # three that nobody reads say a lot
        ([1, 14, 90], [600, 700, 800, 900], None),
        ([], [5, 6], None),
        ([], [], None),
    ],
)
def test_the_median_counts_words_that_still_wait(read: list[float], unread: list[float], median: float | None) -> None:
    assert typical_wait(waits(read, unread)) == (None if median is None else timedelta(minutes=median))


minutes = st.lists(st.integers(0, 20_000), max_size=30)


@given(minutes)
def test_where_all_were_read_it_is_the_ordinary_median(read: list[int]) -> None:
    assert typical_wait(waits(read)) == (timedelta(minutes=statistics.median_low(read)) if read else None)


@given(minutes, minutes, st.integers(0, 20_000))
def test_one_more_that_waits_never_makes_the_team_look_faster(read: list[int], unread: list[int], one: int) -> None:
    before, after = typical_wait(waits(read, unread)), typical_wait(waits(read, [*unread, one]))
    assert after is None or (before is not None and after >= before)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(0), "1 min"), (timedelta(seconds=61), "2 min"), (timedelta(minutes=90), "90 min"),
        (timedelta(minutes=91), "2 hours"), (timedelta(hours=48), "48 hours"), (timedelta(hours=49), "3 days"),
    ],
)  # fmt: skip
def test_a_wait_is_rounded_up_so_that_within_stays_true(wait: timedelta, words: str) -> None:
    assert in_round_numbers(wait) == words


# ---- from the log


@pytest.fixture
def mia(mia: Person) -> Person:
    """Certified long ago."""
    long_ago = now() - timedelta(days=900)
    mia.stage.do(lambda: db.session().execute(sa.update(Certificate).values(granted_at=long_ago)))
    return mia


def said(stage: Stage, room: int = 0, severity: str = "") -> str:
    return stage.ask(lambda: how_soon(db.session().get_one(Room, room or stage.low_days), severity))


def noticed(person: Person, moment: datetime, **where: Any) -> int:
    with time_machine.travel(moment, tick=False):
        return case_of(person, **where)


def opens_case(person: Person, case: int, moment: datetime) -> None:
    with time_machine.travel(moment, tick=False):
        assert person.get(f"/desk/cases/{case}").status_code == 200


def read_after(stage: Stage, ana: Person, mia: Person, *delays: int, days: int = 1, **where: Any) -> list[int]:
    """Words of Ana, each read by Mia after so many minutes."""
    start = now() - timedelta(days=days)
    cases = [noticed(ana, start + timedelta(hours=n), **where) for n in range(len(delays))]
    for n, (case, delay) in enumerate(zip(cases, delays, strict=True)):
        opens_case(mia, case, start + timedelta(hours=n, minutes=delay))
    return cases


def test_a_room_says_within_which_time_words_were_read(stage: Stage, ana: Person, mia: Person) -> None:
    read_after(stage, ana, mia, 5, 40, 14)
    assert said(stage) == "In the last 7 days worrying words were read within 14 min (median)."
    assert said(stage) in ana.get(f"/rooms/{stage.low_days}").text
    assert said(stage) in ana.get(f"/rooms/{stage.low_days}/chat").text
    assert said(stage, stage.eating) == TOO_FEW, "of another room"


def test_from_fewer_than_three_nothing_is_told(stage: Stage, ana: Person, mia: Person) -> None:
    read_after(stage, ana, mia, 5, 14)
    assert said(stage) == TOO_FEW
    noticed(ana, now())
    with time_machine.travel(now() + timedelta(minutes=1)):
        assert said(stage) == TOO_FEW_READ


def test_words_nobody_read_are_not_left_out(stage: Stage, ana: Person, mia: Person) -> None:
    read_after(stage, ana, mia, 5, 14, 40)
    for _ in range(4):
        noticed(ana, now() - timedelta(hours=20))
    assert said(stage) == "In the last 7 days fewer than half of worrying words were read so far."


def test_what_is_older_milder_or_found_in_old_words_does_not_count(stage: Stage, ana: Person, mia: Person) -> None:
    read_after(stage, ana, mia, 5, 14, 40, days=8)
    assert said(stage) == TOO_FEW
    cases = read_after(stage, ana, mia, 5, 14, 40)
    stage.do(lambda: db.session().execute(sa.update(Signal).where(Signal.case_id == cases[0]).values(kind="rescan")))
    with time_machine.travel(now() + timedelta(minutes=1)):
        assert said(stage) == TOO_FEW
    green = {"severity": "green", "severity_rank": 0}
    stage.do(lambda: db.session().execute(sa.update(Signal).values(kind="finding")))
    stage.do(lambda: db.session().execute(sa.update(Case).where(Case.id == cases[0]).values(**green)))
    with time_machine.travel(now() + timedelta(minutes=2)):
        assert said(stage) == TOO_FEW


def test_a_reading_before_the_case_was_opened_again_does_not_count(stage: Stage, ana: Person, mia: Person) -> None:
    (case, *_) = read_after(stage, ana, mia, 5, 14, 40)
    stage.do(lambda: db.session().execute(sa.update(Case).where(Case.id == case).values(opened_at=now() - timedelta(hours=1))))
    assert said(stage) == TOO_FEW_READ


def test_a_decision_is_a_reading(stage: Stage, ana: Person, mia: Person) -> None:
    for hour in range(3):
        start = now() - timedelta(days=1, hours=hour)
        case = noticed(ana, start)
        with time_machine.travel(start + timedelta(minutes=7), tick=False):
            decide(mia, case, "leave")
    assert "within 7 min" in said(stage)


def test_the_card_of_a_writer_tells_of_words_as_urgent_as_theirs(stage: Stage, ana: Person, mia: Person, ida: Person) -> None:
    milder = Rule("grey-window", "grey window", "hopelessness", "amber")
    stage.do(lambda: lexicon.publish(ida.account(), note="a milder one", put=[milder]))
    read_after(stage, ana, mia, 200, 200, 200, 200, days=3, words="a grey window")
    read_after(stage, ana, mia, 5, 6, 7)
    urgent, mild = (ana.says(words).reviewed.support_id for words in ("I don’t want to be here anymore", "A grey window"))
    assert "words like these were read within 6 min" in ana.get(f"/support/{urgent}").text
    assert "words like these were read within 4 hours" in ana.get(f"/support/{mild}").text
    assert "worrying words were read within 4 hours" in said(stage)


def test_it_is_counted_once_a_minute(stage: Stage, ana: Person, mia: Person) -> None:
    asked: list[str] = []
    sa.event.listen(stage.app.extensions["kith_engine"], "before_cursor_execute", lambda *told: asked.append(told[2]))

    def counted() -> int:
        """Statements about cases that the room's page needs."""
        asked.clear()
        ana.get(f"/rooms/{stage.low_days}")
        return sum("cases" in statement for statement in asked)

    with time_machine.travel(now().replace(second=1), tick=False) as clock:
        assert counted() == 1
        assert counted() == 0
        clock.shift(timedelta(minutes=1))
        assert counted() == 1


def test_what_is_said_in_a_session_is_read_at_the_desk_of_its_room(stage: Stage, ana: Person, mia: Person) -> None:
    read_after(stage, ana, mia, 5, 14, 40)
    aside = Room(slug="aside", name="Aside", created_at=now(), host_id=stage.low_days)
    stage.do(lambda: db.session().add(aside))
    assert "within 14 min" in stage.ask(lambda: how_soon(db.session().get_one(Room, aside.id)))


# ---- when somebody comes


def test_words_that_wait_say_who_comes(stage: Stage, mia: Person) -> None:
    london = now().replace(month=1, day=12, hour=3, minute=0)

    def waiting(moment: datetime) -> str:
        with time_machine.travel(moment, tick=False):
            return stage.ask(lambda: when_read(db.session().get_one(Room, stage.low_days)))

    with stage.writing() as session:
        room = session.get_one(Room, stage.low_days)
        room.hours, room.outside_hours = Hours(tuple(Span(day, 480, 1320) for day in range(7))), "night"
    assert waiting(london) == "A moderator comes next at 08:00 in London."
    assert waiting(london.replace(hour=12)) == ""
    shift = {"starts_at": london.replace(hour=12, minute=1), "ends_at": london.replace(hour=13)}
    stage.do(lambda: db.session().add(Shift(account_id=mia.id, kind="duty", **shift)))
    assert waiting(london.replace(hour=12, minute=1)) == "A moderator is here now."
    assert waiting(london.replace(hour=13)) == "", "in the very minute in which the shift ends"
