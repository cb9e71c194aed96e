"""What somebody could try who is not meant to, or who presses twice. Content note: one plain sentence about not wanting to be here."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from community.accounts.actions import restrict
from community.chat.models import Message
from community.core import db
from community.core.clock import now, pretend
from community.core.errors import Conflict, Forbidden, NotFound
from community.rooms.actions import remove_member
from community.rooms.models import Membership, Room
from community.sessions import actions, jobs
from community.sessions.models import FacilitatedSession, Facilitator
from tests.moderation.acting import decide
from tests.people import WORRYING, Person, Stage
from tests.sessions.staging import arrives, opened, plan_of, planned, room_of, seat, state

FIELDS = {
    "title": "Evening round", "minutes": "60", "capacity": "8", "door_minutes": "15", "slow_seconds": "0", "grace_minutes": "5",
    "facilitators": "Mia",
}  # fmt: skip


def form(**other: str) -> dict[str, str]:
    starts = (now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    return {**FIELDS, "starts": starts, "form_key": f"k{now().timestamp()}", **other}


def clocks(stage: Stage, **later: float) -> None:
    with stage.app.app_context(), pretend(now() + timedelta(**later)):
        jobs.move_clocks()


def said_in(stage: Stage, room: int) -> list[str]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(Message.body).where(Message.room_id == room))))


def side_room(facilitator: Person, session: int, member: Person) -> int:
    return int(facilitator.post(f"/sessions/{session}/people/{member.id}/side-room").location.split("/")[2])


# ---- people who are not meant to


def test_whoever_does_not_lead_finds_none_of_its_handles(
    stage: Stage, ana: Person, ben: Person, mia: Person, ida: Person
) -> None:
    number = opened(stage, mia)
    arrives(ana, number)
    aside = side_room(mia, number, ana)
    people = [f"people/{ana.id}/{act}" for act in ("let-in", "remove", "lower-hand", "side-room", "close-side-room")]
    handles = ["open", "lead/here", "lead/stay", "lead/more-time", "lead/end", "pace", "themes", *people]
    for person in (ana, ben, ida):
        assert {person.post(f"/sessions/{number}/{handle}").status_code for handle in handles} == {404}
    for person in (ben, ida):
        assert person.get(f"/sessions/of-room/{aside}/beside").status_code == 404
        assert person.get(f"/rooms/{aside}/chat").status_code == 404
        assert person.get(f"/rooms/{aside}/chat/messages?after=0").status_code == 404
    for person in (ana, ben):
        assert person.get(f"/sessions/{number}/edit").status_code == 404
    assert state(stage, number).state == "open"
    assert mia.post(f"/sessions/{number}/lead/no-such-act").status_code == 404


def test_no_facilitator_reads_what_another_one_was_told_aside(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    number = opened(stage, mia, facilitators=("Mia", "Sol"))
    arrives(ana, number)
    first = side_room(mia, number, ana)
    ana.says("Only for Mia", room=first)
    mia.post(f"/sessions/{number}/people/{ana.id}/close-side-room")
    second = side_room(sol, number, ana)
    assert second != first
    assert "Only for Mia" not in sol.get(f"/rooms/{second}/chat").text
    assert sol.get(f"/rooms/{first}/chat").status_code == 404
    sol.post(f"/sessions/{number}/people/{ana.id}/close-side-room")
    assert side_room(mia, number, ana) == first
    stage.do(lambda: actions.end_session(mia.account(), number))
    assert said_in(stage, first) == []


def test_what_is_said_aside_goes_also_where_the_transcript_stays(stage: Stage, ana: Person, mia: Person) -> None:
    number = opened(stage, mia, keeps_transcript=True)
    arrives(ana, number)
    room, aside = room_of(stage, number), side_room(mia, number, ana)
    ana.says("For everybody", room=room)
    ana.says("For Mia", room=aside)
    stage.do(lambda: actions.end_session(mia.account(), number))
    assert (said_in(stage, room), said_in(stage, aside)) == (["For everybody"], [])
    assert ana.get(f"/rooms/{aside}/chat").status_code == 404


def test_who_may_not_read_the_host_any_more_is_out_and_their_place_is_free(
    stage: Stage, ana: Person, ben: Person, dev: Person, mia: Person
) -> None:
    number = opened(stage, mia, capacity=1)
    arrives(ana, number)
    arrives(ben, number)
    with stage.writing() as session:
        session.get_one(Room, stage.low_days).read_by = "joined"
        remove_member(session.get_one(Room, stage.low_days), ana.id)
    assert ana.get(f"/rooms/{room_of(stage, number)}/chat").status_code == 404
    assert arrives(dev, number).status_code == 404
    clocks(stage)
    assert (seat(stage, number, ana), seat(stage, number, ben)) == ("left", "inside")
    with stage.writing():
        restrict(ben.account(), decision_id=-1, until=now() + timedelta(days=1))
    clocks(stage)
    assert (seat(stage, number, ben), state(stage, number).inside_count) == ("left", 0)


def test_a_session_ends_with_the_room_that_holds_it(stage: Stage, ana: Person, mia: Person, ida: Person) -> None:
    number = opened(stage, mia)
    arrives(ana, number)
    ida.post(f"/admin/rooms/{stage.low_days}/archive")
    clocks(stage)
    assert state(stage, number).state == "ended"
    assert ana.get(f"/rooms/{room_of(stage, number)}/chat").status_code == 404


def test_the_hosts_rules_of_form_hold_in_its_sessions(stage: Stage, ana: Person, mia: Person) -> None:
    with stage.writing() as session:
        session.get_one(Room, stage.low_days).links_by = "nobody"
    number = opened(stage, mia)
    arrives(ana, number)
    with pytest.raises(Forbidden, match="nobody posts links"):
        ana.says("See https://elsewhere.example/page", room=room_of(stage, number))


# ---- twice


def test_two_facilitators_who_open_at_once_open_one_session(stage: Stage, mia: Person, sol: Person) -> None:
    number = planned(stage, mia, facilitators=("Mia", "Sol"))
    places = {person.post(f"/sessions/{number}/open").location for person in (mia, sol)}
    assert places == {f"/rooms/{room_of(stage, number)}/chat"}


def test_pressing_twice_changes_nothing_more(stage: Stage, ana: Person, mia: Person) -> None:
    number = opened(stage, mia)
    arrives(ana, number)
    for up in ("1", "1", "0", "0"):
        assert ana.post(f"/sessions/{number}/hand", up=up).status_code == 303
    assert side_room(mia, number, ana) == side_room(mia, number, ana)
    for _ in range(2):
        assert mia.post(f"/sessions/{number}/people/{ana.id}/close-side-room").status_code == 303
        assert ana.post(f"/sessions/{number}/leave", step="4", words="Better").status_code == 303
    assert state(stage, number).inside_count == 0
    assert "Before you go" not in ana.get(f"/sessions/{number}").text
    for _ in range(2):
        mia.post(f"/sessions/{number}/lead/end")
    assert state(stage, number).ended_how == "facilitator"


def test_a_form_of_somebody_else_plans_nothing(stage: Stage, mia: Person, sol: Person) -> None:
    path, fields = f"/rooms/{stage.low_days}/sessions/new", form()
    assert mia.post(path, **fields).status_code == 303
    assert sol.post(path, **fields).status_code == 409


# ---- what nobody should type


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("title", "x" * 121), ("about", "x" * 5_001), ("plan", "# 1 Step\n" * 61), ("plan", "x" * 20_001),
        ("minutes", "1e9"), ("minutes", "٣٠"), ("capacity", "0"), ("capacity", "-1"), ("capacity", "201"), ("grace_minutes", "0"),
        ("starts", "9999-12-31T23:59"), ("starts", "2001-01-01T00:00"), ("starts", "now"), ("starts", ""),
        ("facilitators", ",,"), ("facilitators", "\x00"), ("facilitators", ",".join(f"p{number}" for number in range(11))),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_beside_its_field_and_given_back(
    stage: Stage, mia: Person, field: str, typed: str
) -> None:
    answer = mia.post(f"/rooms/{stage.low_days}/sessions/new", **form(**{"about": "Kept words", field: typed}))
    assert answer.status_code == 422
    assert 'class="error"' in answer.text
    assert field == "about" or "Kept words" in answer.text
    assert stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).select_from(FacilitatedSession))) == 0


def test_hostile_words_are_shown_as_words(stage: Stage, ana: Person, mia: Person) -> None:
    hostile = "<script>alert(1)</script> [x](javascript:alert(1))"
    path = f"/rooms/{stage.low_days}/sessions/new"
    made = mia.post(
        path, **form(title=hostile, about=hostile, ground_rules=hostile, plan=f"# 1 {hostile}\n{hostile}", form_key="\x00k")
    )
    assert made.status_code == 303
    for person in (ana, mia):
        page = person.get(made.location).text
        assert "<script>alert" not in page
        assert 'href="javascript' not in page


def test_a_room_named_like_a_session_does_not_keep_it_from_opening(stage: Stage, ana: Person, mia: Person) -> None:
    with stage.writing() as session:
        session.add_all(Room(slug=f"session-{number}", name=f"Session {number}", created_at=now()) for number in range(1, 4))
    number = opened(stage, mia)
    arrives(ana, number)
    assert ana.get(f"/rooms/{room_of(stage, number)}/chat").status_code == 200


# ---- who is there


def test_a_facilitator_whose_socket_is_blocked_is_there_by_the_page_or_by_hand(stage: Stage, mia: Person) -> None:
    number = opened(stage, mia)
    with stage.writing() as session:
        session.execute(sa.update(Facilitator).values(seen_at=now() - timedelta(minutes=1)))
    assert mia.get(f"/sessions/of-room/{room_of(stage, number)}/beside").status_code == 200
    clocks(stage)
    assert state(stage, number).state == "open"
    mia.post(f"/sessions/{number}/lead/stay")
    clocks(stage, minutes=4.9)
    assert state(stage, number).state == "open"
    clocks(stage, minutes=6)
    assert state(stage, number).state == "paused"


def test_a_content_note_goes_with_the_words_it_stands_before(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    number = opened(stage, mia)
    arrives(ana, number)
    room = room_of(stage, number)
    ana.says(WORRYING, room=room)
    with stage.writing() as session:
        session.execute(sa.update(Message).where(Message.room_id == room).values(note="a private thing"))
    stage.do(lambda: actions.end_session(mia.account(), number))
    assert said_in(stage, room) == [WORRYING]
    decide(sol, stage.cases()[0].id, "leave")
    with stage.app.app_context(), pretend(now() + timedelta(hours=1)):
        jobs.delete_what_was_kept()
    kept = sa.select(Message.body, Message.note).where(Message.room_id == room)
    assert stage.ask(lambda: [tuple(row) for row in db.session().execute(kept)]) == [("", "")]


def test_a_cancelled_session_cannot_be_entered_changed_or_opened(stage: Stage, ana: Person, mia: Person) -> None:
    number = planned(stage, mia)
    mia.post(f"/sessions/{number}/cancel")
    assert arrives(ana, number).status_code == 409
    assert mia.post(f"/sessions/{number}/open").status_code == 409
    with pytest.raises((Conflict, NotFound)):
        stage.do(lambda: actions.change_session(mia.account(), number, plan_of("Mia")))
    assert (
        stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).select_from(Membership).where(Membership.room_id > 2)))
        == 0
    )
