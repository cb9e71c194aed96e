"""A session from its plan to its end. Content note: one plain sentence about not wanting to be here."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from community.chat.models import Message
from community.core import audit, db
from community.core.clock import now, pretend
from community.core.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from community.rooms.models import Membership, Room, StaffScope
from community.sessions import actions, arriving, clock, ending, jobs, queries
from community.sessions.guide import current_step, steps_of
from community.sessions.models import STATES, CheckIn, FacilitatedSession, Facilitator
from community.sessions.transitions import TABLE, after
from tests.moderation.acting import decide
from tests.people import WORRYING, Person, Stage
from tests.sessions.staging import arrives, opened, plan_of, planned, room_of, seat, state


def messages(stage: Stage, room: int) -> list[tuple[str, str]]:
    rows = sa.select(Message.body, Message.visibility).where(Message.room_id == room).order_by(Message.seq)
    return stage.ask(lambda: [tuple(row) for row in db.session().execute(rows)])


def later(stage: Stage, minutes: float) -> None:
    """The clock of sessions, so many minutes from now."""
    with stage.app.app_context(), pretend(now() + timedelta(minutes=minutes)):
        jobs.move_clocks()


# ---- the table


@given(st.lists(st.sampled_from(sorted({act for _, act in TABLE}))))
def test_a_session_that_is_over_never_opens_again_and_is_open_only_after_a_facilitator_opened_it(acts: list[str]) -> None:
    state, opened_once, over = "planned", False, False
    for act in acts:
        try:
            state = after(state, act)
        except Conflict:
            continue
        assert not over
        assert state in STATES
        opened_once = opened_once or act == "open"
        over = state in ("ended", "cancelled")
        assert opened_once or state in ("planned", "cancelled")


# ---- planning


def test_whoever_looks_after_the_room_plans_and_nobody_else(stage: Stage, ana: Person, mia: Person) -> None:
    fields = {
        "title": "Evening round", "starts": (now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"), "minutes": "60", "capacity": "8",
        "door_minutes": "15", "slow_seconds": "0", "grace_minutes": "5", "facilitators": "Mia, Ana", "form_key": "k",
    }  # fmt: skip
    path = f"/rooms/{stage.low_days}/sessions/new"
    assert ana.get(path).status_code == 404
    assert ana.post(path, **fields).status_code == 404
    assert mia.get(path).status_code == 200
    bad = mia.post(path, **{**fields, "facilitators": "Nobody", "capacity": "many"})
    assert bad.status_code == 422
    assert "Evening round" in bad.text
    answer = mia.post(path, **fields)
    assert answer.status_code == 303, answer.text
    assert mia.post(path, **fields).location == answer.location, "the same form twice is one session"
    assert "Evening round" in ana.get("/sessions").text + ana.get(f"/sessions?month={now() + timedelta(days=2):%Y-%m}").text
    assert "Evening round" in ana.get(f"/rooms/{stage.low_days}").text


def test_a_session_of_a_private_room_is_seen_by_nobody_else(stage: Stage, dev: Person, mia: Person) -> None:
    number = planned(stage, mia)
    with stage.writing() as session:
        session.get_one(Room, stage.low_days).read_by = "staff"
    assert dev.get(f"/sessions/{number}").status_code == 404
    assert "After a hard week" not in dev.get("/sessions").text


def test_who_said_they_would_come_is_told_when_it_is_cancelled_or_moved(
    stage: Stage, ana: Person, ben: Person, mia: Person
) -> None:
    number = planned(stage, mia)
    assert ana.post(f"/sessions/{number}/coming", coming="1").status_code == 303
    stage.do(lambda: actions.change_session(mia.account(), number, plan_of("Mia", starts_at=now() + timedelta(minutes=9))))
    assert "A session has a new time" in ana.get("/notifications").text
    assert mia.post(f"/sessions/{number}/cancel").status_code == 303
    assert "A session was cancelled" in ana.get("/notifications").text
    assert "A session" not in re.sub("Sessions", "", ben.get("/notifications").text)
    assert mia.post(f"/sessions/{number}/cancel").status_code == 409


# ---- the door


def test_ground_rules_and_a_step_come_before_the_door(stage: Stage, ana: Person, mia: Person) -> None:
    number = opened(stage, mia)
    for fields in ({"accepts": "0"}, {"step": ""}):
        answer = arrives(ana, number, "A long day behind me", **fields)
        assert answer.status_code == 422
        assert "A long day behind me" in answer.text
    assert seat(stage, number, ana) == ""
    assert arrives(ana, number).location.startswith(f"/rooms/{room_of(stage, number)}/chat")
    assert arrives(ana, number).status_code == 303, "arriving twice is arriving once"
    assert state(stage, number).inside_count == 1


def test_the_room_of_a_session_is_in_no_list_and_has_no_other_door(
    stage: Stage, ana: Person, ben: Person, sol: Person, ida: Person, mia: Person
) -> None:
    number = opened(stage, mia)
    room = room_of(stage, number)
    arrives(ana, number)
    assert ana.get(f"/rooms/{room}/chat").status_code == 200
    assert ana.get(f"/rooms/{room}").location == f"/sessions/of-room/{room}"
    assert ana.post(f"/rooms/{room}/leave").status_code == 404
    for stranger in (ben, sol, ida):
        assert stranger.get(f"/rooms/{room}/chat").status_code == 404
        assert stranger.post(f"/rooms/{room}/join").status_code == 404
        assert stranger.get(f"/sessions/of-room/{room}/beside").status_code == 404
    assert ida.get(f"/admin/rooms/{room}").status_code == 404
    assert f'href="/rooms/{room}"' not in ana.get("/").text + ida.get("/admin/rooms").text + ida.get("/").text


def test_who_finds_no_place_waits_and_is_let_in_when_one_is_free(
    stage: Stage, ana: Person, ben: Person, dev: Person, mia: Person
) -> None:
    number = opened(stage, mia, capacity=1)
    for person in (ana, ben, dev):
        arrives(person, number)
    assert [seat(stage, number, person) for person in (ana, ben, dev)] == ["inside", "waiting", "waiting"]
    assert "1 person waits before you" in dev.get(f"/sessions/{number}").text
    assert mia.post(f"/sessions/{number}/people/{dev.id}/let-in").status_code == 303, "no overbooking by hand either"
    assert seat(stage, number, dev) == "waiting"
    ana.post(f"/sessions/{number}/leave", step="4", words="Lighter now")
    assert [seat(stage, number, person) for person in (ana, ben, dev)] == ["left", "inside", "waiting"]
    assert "There is a place for you" in ben.get("/notifications").text
    assert ben.get(f"/sessions/{number}/place").json == {"to": f"/rooms/{room_of(stage, number)}/chat"}


def test_a_facilitator_lets_in_by_hand_where_the_plan_says_so(stage: Stage, ana: Person, mia: Person) -> None:
    number = opened(stage, mia, by_hand=True)
    arrives(ana, number)
    assert seat(stage, number, ana) == "waiting"
    mia.post(f"/sessions/{number}/people/{ana.id}/let-in")
    assert seat(stage, number, ana) == "inside"


def test_the_door_is_shut_before_its_time_and_people_wait_until_it_is_opened(stage: Stage, ana: Person, mia: Person) -> None:
    early = planned(stage, mia, starts_at=now() + timedelta(hours=3))
    assert arrives(ana, early).status_code == 409
    assert mia.post(f"/sessions/{early}/open").status_code == 409
    number = planned(stage, mia)
    arrives(ana, number)
    assert seat(stage, number, ana) == "waiting"
    assert mia.post(f"/sessions/{number}/open").status_code == 303
    assert seat(stage, number, ana) == "inside"


# ---- inside


def test_what_is_said_to_facilitators_is_theirs_alone_and_passes_the_gate(
    stage: Stage, ana: Person, ben: Person, mia: Person, sol: Person
) -> None:
    number = opened(stage, sol)
    answer = arrives(ana, number, WORRYING)
    assert "support=" in answer.location
    arrives(ben, number)
    assert [(case.target_kind, case.room_id) for case in stage.cases()] == [("check-in", stage.low_days)]
    room = room_of(stage, number)
    assert WORRYING.split("’")[0] in sol.get(f"/sessions/of-room/{room}/beside").text
    for person in (ben, ana):
        page = person.get(f"/sessions/of-room/{room}/beside").text + person.get(f"/sessions/{number}").text
        assert WORRYING.split("’")[0] not in page
    assert mia.get(f"/sessions/{number}").status_code == 200
    assert "Arriving" not in ben.get(f"/sessions/{number}").text, "the plan is for facilitators"
    assert "Arriving" in sol.get(f"/sessions/{number}").text


def test_a_hand_is_seen_by_facilitators_only(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    number = opened(stage, mia)
    arrives(ana, number)
    arrives(ben, number)
    assert ana.post(f"/sessions/{number}/hand", up="1").status_code == 303
    room = room_of(stage, number)
    assert 'id="hands"' in mia.get(f"/sessions/of-room/{room}/beside").text
    assert 'id="hands"' not in ben.get(f"/sessions/of-room/{room}/beside").text
    mia.post(f"/sessions/{number}/people/{ana.id}/lower-hand")
    assert 'id="hands"' not in mia.get(f"/sessions/of-room/{room}/beside").text


def test_cases_of_a_session_reach_exactly_the_moderators_of_its_host(
    stage: Stage, ana: Person, ben: Person, mia: Person, sol: Person
) -> None:
    with stage.writing() as session:
        session.execute(sa.update(StaffScope).where(StaffScope.account_id == mia.id).values(room_id=stage.low_days))
        session.execute(sa.update(StaffScope).where(StaffScope.account_id == sol.id).values(room_id=stage.eating))
    number = opened(stage, mia, facilitators=("Mia", "Ben"))
    arrives(ana, number)
    ana.says(WORRYING, room=room_of(stage, number))
    case = stage.cases()[0].id
    assert mia.get(f"/desk/cases/{case}").status_code == 200
    assert sol.get(f"/desk/cases/{case}").status_code == 404


def test_a_side_room_holds_one_facilitator_and_one_member(
    stage: Stage, ana: Person, ben: Person, mia: Person, sol: Person
) -> None:
    number = opened(stage, mia, facilitators=("Mia", "Sol"))
    arrives(ana, number)
    arrives(ben, number)
    room = int(mia.post(f"/sessions/{number}/people/{ana.id}/side-room").location.split("/")[2])
    assert ana.get(f"/rooms/{room}/chat").status_code == 200
    assert {person.get(f"/rooms/{room}/chat").status_code for person in (ben, sol)} == {404}
    assert sol.post(f"/sessions/{number}/people/{ana.id}/side-room").status_code == 409
    ana.says(WORRYING, room=room)
    assert stage.cases()[0].room_id == stage.low_days
    mia.post(f"/sessions/{number}/people/{ana.id}/close-side-room")
    assert ana.get(f"/rooms/{room}/chat").status_code == 404


def test_who_is_removed_hears_nothing_more_and_does_not_come_back(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    number = opened(stage, mia)
    arrives(ana, number)
    arrives(ben, number)
    room, live = room_of(stage, number), ana.live()
    assert live.emit("enter_room", {"room": room}, callback=True)["ok"]
    assert mia.post(f"/sessions/{number}/people/{ana.id}/remove").status_code == 303
    live.get_received()
    ben.says("Still here", room=room)
    assert not [event for event in live.get_received() if event["name"] == "message"]
    assert live.emit("write_message", {"room": room, "key": "k", "body": "hello"}, callback=True)["code"] == "not-found"
    assert arrives(ana, number).status_code == 403
    assert ana.post(f"/sessions/{number}/people/{ben.id}/remove").status_code == 404


def test_slow_mode_spares_a_member_who_leads(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    number = opened(stage, mia, facilitators=("Mia", "Ana"), slow_seconds=30)
    room = room_of(stage, number)
    for person in (ana, ben):
        arrives(person, number)
    stage.do(lambda: clock.seen(state(stage, number), ana.account()))
    for key in ("one", "two"):
        assert ana.says(f"Hello {key}.", room=room, key=key)
    assert ben.says("Hello.", room=room, key="one")
    with pytest.raises(TooMany):
        ben.says("Hello again.", room=room, key="two")


def test_slow_mode_says_how_long_to_wait(stage: Stage, ana: Person, mia: Person) -> None:
    number = opened(stage, mia)
    arrives(ana, number)
    mia.post(f"/sessions/{number}/pace", slow_seconds="30")
    ana.says("One", room=room_of(stage, number))
    with pytest.raises(Exception, match=r"you can write again in \d+ s"):
        ana.says("Two", room=room_of(stage, number))
    mia.post(f"/sessions/{number}/pace", slow_seconds="0")
    ana.says("Two", room=room_of(stage, number))


def test_the_plan_is_read_in_timed_steps() -> None:
    steps = steps_of("Bring tea.\n# 10 First round\nAsk *each*.\n## 0-10 min: Arriving\nHello\n### Not a step")
    assert [(step.minute, step.title) for step in steps] == [(None, ""), (0, "Arriving"), (10, "First round")]
    assert "<em>each</em>" in steps[2].html
    assert [getattr(current_step(steps, at), "title", None) for at in (-1, 0, 9.9, 10, 500)] == [
        None, "Arriving", "Arriving", "First round", "First round",
    ]  # fmt: skip


@given(st.text(alphabet="# 0123456789-\nabc<>&*`\x00\r", max_size=200))
def test_any_plan_can_be_read(plan: str) -> None:
    for step in steps_of(plan):
        assert "<script" not in step.html


# ---- no facilitator


def test_without_a_facilitator_it_pauses_waits_and_closes_by_itself(stage: Stage, ana: Person, mia: Person) -> None:
    number = opened(stage, mia, grace_minutes=5)
    arrives(ana, number)
    room, live = room_of(stage, number), ana.live()
    live.emit("enter_room", {"room": room}, callback=True)
    live.get_received()
    later(stage, 0.4)
    assert state(stage, number).state == "open", "half a minute is no absence"
    later(stage, 1)
    assert state(stage, number).state == "paused"
    assert "session_changed" in [event["name"] for event in live.get_received()]
    assert "Nothing you did caused this" in ana.get(f"/rooms/{room}/chat").text
    with pytest.raises(Forbidden, match="paused"):
        ana.says("Anybody?", room=room)
    assert "waits for a facilitator" in mia.get("/notifications").text
    later(stage, 5.5)
    assert state(stage, number).state == "paused"
    later(stage, 6.1)
    assert (state(stage, number).state, state(stage, number).ended_how) == ("ended", "no-facilitator")
    assert "no facilitator could come back" in ana.get(f"/sessions/{number}").text


def test_it_goes_on_when_a_facilitator_is_back(stage: Stage, ana: Person, mia: Person) -> None:
    number = opened(stage, mia)
    arrives(ana, number)
    later(stage, 1)
    assert mia.post(f"/sessions/{number}/lead/here").status_code == 303
    assert state(stage, number).state == "open"
    ana.says("There you are", room=room_of(stage, number))


def test_a_live_screen_of_a_facilitator_keeps_it_open(stage: Stage, mia: Person) -> None:
    number = opened(stage, mia)
    live = mia.live()
    live.emit("enter_room", {"room": room_of(stage, number)}, callback=True)
    with stage.app.app_context(), pretend(now() + timedelta(minutes=3)):
        jobs.look_who_leads()
        jobs.move_clocks()
    assert state(stage, number).state == "open"
    live.disconnect()
    with stage.app.app_context(), pretend(now() + timedelta(minutes=6)):
        jobs.look_who_leads()
        jobs.move_clocks()
    assert state(stage, number).state == "paused"


def test_one_nobody_opens_lapses_and_one_whose_time_is_over_ends(stage: Stage, ana: Person, mia: Person) -> None:
    forgotten, number = planned(stage, mia), opened(stage, mia)
    ana.post(f"/sessions/{forgotten}/coming", coming="1")
    later(stage, 66)
    assert state(stage, forgotten).state == "cancelled"
    assert "A session was cancelled" in ana.get("/notifications").text
    assert (state(stage, number).state, state(stage, number).ended_how) == ("ended", "clock")


# ---- the end


def test_the_transcript_is_deleted_with_a_proof_and_what_an_open_case_needs_is_kept(
    stage: Stage, ana: Person, mia: Person, sol: Person
) -> None:
    number = opened(stage, mia)
    arrives(ana, number, "Tired")
    room = room_of(stage, number)
    ana.says("Good evening", room=room)
    ana.says(WORRYING, room=room)
    ana.says("Thank you all", room=room)
    assert mia.post(f"/sessions/{number}/lead/end").status_code == 303
    assert messages(stage, room) == [(WORRYING, "visible")]
    assert "was deleted on" in ana.get(f"/sessions/{number}").text
    assert ana.get(f"/rooms/{room}/chat").status_code == 404
    proof = stage.ask(lambda: queries.facilitators_side(db.session().get_one(FacilitatedSession, number)).proofs[0].detail)
    assert (proof["deleted"], proof["kept"], proof["first"], proof["last"]) == (2, 1, 1, 3)
    assert stage.ask(lambda: list(audit.verify())) == []
    assert mia.get(f"/desk/cases/{stage.cases()[0].id}").status_code == 200
    decide(sol, stage.cases()[0].id, outcome="leave")
    with stage.app.app_context():
        jobs.delete_what_was_kept()
    assert messages(stage, room) == [("", "withdrawn")]
    assert sol.get(f"/desk/cases/{stage.cases()[0].id}").status_code == 200, "the case is whole without it"
    assert state(stage, number).purged_at is not None


def test_check_ins_are_deleted_a_week_after_the_end(stage: Stage, ana: Person, mia: Person) -> None:
    number = opened(stage, mia)
    arrives(ana, number, "Tired")
    stage.do(lambda: actions.end_session(mia.account(), number))
    ana.post(f"/sessions/{number}/leave", step="4", words="Better")
    count = lambda: stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).select_from(CheckIn)))  # noqa: E731
    assert count() == 2
    with stage.app.app_context(), pretend(now() + ending.CHECK_INS_KEPT + timedelta(hours=1)):
        jobs.delete_what_was_kept()
    assert count() == 0


def test_a_transcript_that_is_kept_is_said_at_the_door_and_can_only_be_read(
    stage: Stage, ana: Person, ben: Person, mia: Person
) -> None:
    number = opened(stage, mia, keeps_transcript=True)
    assert "stays readable for those who were there" in ana.get(f"/sessions/{number}").text
    arrives(ana, number)
    room = room_of(stage, number)
    ana.says("Good evening", room=room)
    stage.do(lambda: actions.end_session(mia.account(), number))
    assert "Good evening" in ana.get(f"/rooms/{room}/chat").text
    assert ben.get(f"/rooms/{room}/chat").status_code == 404
    with pytest.raises(Forbidden, match="over"):
        ana.says("One more", room=room)


def test_the_end_takes_everybody_out_and_the_themes_stay(stage: Stage, ana: Person, mia: Person) -> None:
    number = opened(stage, mia)
    arrives(ana, number)
    side = int(mia.post(f"/sessions/{number}/people/{ana.id}/side-room").location.split("/")[2])
    ana.says("Between us", room=side)
    stage.do(lambda: actions.end_session(mia.account(), number))
    inside = sa.select(Membership).where(Membership.room_id.in_((side, room_of(stage, number))))
    assert stage.ask(lambda: db.session().scalars(inside).all()) == []
    assert messages(stage, side) == []
    assert mia.post(f"/sessions/{number}/themes", themes="Sleep, and the first week").status_code == 303
    assert "Sleep, and the first week" in mia.get(f"/sessions/{number}").text
    assert "Sleep, and the first week" not in ana.get(f"/sessions/{number}").text
    assert ana.post(f"/sessions/{number}/themes", themes="x").status_code == 404
    assert ana.post(f"/sessions/{number}/lead/end").status_code == 404


# ---- the feed


def test_the_feed_says_when_and_nothing_else_and_its_address_can_be_renewed(stage: Stage, ana: Person, mia: Person) -> None:
    number = planned(stage, mia)
    address = re.search(r"/sessions/feed/[\w-]+\.ics", ana.post("/sessions/feed").text)
    assert address
    visitor = stage.app.test_client()
    feed = visitor.get(address[0])
    assert feed.mimetype == "text/calendar"
    text = feed.text
    assert "SUMMARY:A session at Kith" in text
    assert f"/sessions/{number}" in text
    for secret in ("hard week", "Low days", "Mia", "Ana"):
        assert secret not in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    ana.post("/sessions/feed")
    assert visitor.get(address[0]).status_code == 404
    assert visitor.get("/sessions/feed/guess.ics").status_code == 404


def test_only_named_people_lead(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    number = planned(stage, mia, facilitators=("Ben",))
    for person in (ana, mia):
        assert person.post(f"/sessions/{number}/open").status_code == 404
    assert ben.post(f"/sessions/{number}/open").status_code == 303
    with pytest.raises(Conflict):
        stage.do(lambda: arriving.arrive(ben.account(), number, accepts=True, step=3, words=""))
    assert stage.ask(lambda: db.session().scalar(sa.select(Facilitator.leads).where(Facilitator.session_id == number))) is True
    for refused in (Invalid, NotFound):
        with pytest.raises((refused, NotFound)):
            stage.do(lambda: actions.set_pace(ana.account(), number, 9_999))
