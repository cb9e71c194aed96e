"""What members and visitors see of rooms, joining and leaving."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from community.core import db
from community.core.clock import now
from community.rooms.hours import Hours, Span
from community.rooms.models import Membership, Room
from community.rooms.posture import STAYS, WAITS
from community.rooms.queries import rooms_to_see
from tests.people import Person, Stage


def change(stage: Stage, room_id: int, **values: Any) -> None:
    stage.do(lambda: db.session().execute(sa.update(Room).where(Room.id == room_id).values(**values)))


def names(person: Person) -> list[str]:
    return person.stage.ask(lambda: [room.name for room in rooms_to_see(person.account())])


def test_visitors_are_told_what_this_is_and_where_help_is(stage: Stage) -> None:
    page = stage.app.test_client().get("/").text
    assert "Sign up" in page
    assert "/help" in page
    assert "Low days" not in page


def test_a_member_sees_rooms_and_which_ones_are_theirs(stage: Stage, ana: Person) -> None:
    stage.do(lambda: db.session().add(Room(slug="carers", name="Carers", created_at=ana.account().created_at)))
    page = ana.get("/").text
    assert page.index("Your rooms") < page.index("Low days") < page.index("More rooms") < page.index("Carers")


def test_a_room_kept_for_its_members_is_not_there_for_others(stage: Stage, ana: Person, dev: Person, mia: Person) -> None:
    change(stage, stage.low_days, read_by="joined")
    assert "Low days" in names(ana)
    assert "Low days" in names(mia)
    assert "Low days" not in names(dev)
    assert ana.get(f"/rooms/{stage.low_days}").status_code == 200
    for asked in (dev.get(f"/rooms/{stage.low_days}"), dev.post(f"/rooms/{stage.low_days}/join"), dev.get("/rooms/999")):
        assert asked.status_code == 404
        assert "Low days" not in asked.text


def test_a_room_of_the_team_is_not_there_for_members(stage: Stage, ana: Person, noa: Person) -> None:
    change(stage, stage.low_days, read_by="staff")
    assert names(ana) == ["Eating"]
    assert names(noa) == ["Low days", "Eating"]
    assert ana.get(f"/rooms/{stage.low_days}").status_code == 404


def test_a_moderator_of_other_rooms_is_a_member_here(stage: Stage, noa: Person, ida: Person) -> None:
    change(stage, stage.low_days, read_by="staff")
    ida.post(f"/admin/rooms/scopes/{noa.id}", scope="some", room=stage.eating)
    assert names(noa) == ["Eating"]


def test_the_list_and_the_page_agree_on_who_may_read(stage: Stage, ana: Person, dev: Person, ida: Person) -> None:
    for read_by in ("members", "joined", "staff"):
        change(stage, stage.low_days, read_by=read_by)
        for person in (ana, dev, ida):
            assert ("Low days" in names(person)) == (person.get(f"/rooms/{stage.low_days}").status_code == 200)


def test_an_archived_room_is_there_for_admins_only(stage: Stage, ana: Person, ida: Person) -> None:
    ida.post(f"/admin/rooms/{stage.low_days}/archive")
    assert names(ana) == ["Eating"]
    assert ana.get(f"/rooms/{stage.low_days}").status_code == 404
    assert "archived" in ida.get(f"/rooms/{stage.low_days}").text


def test_a_suspended_member_reads_no_room_and_is_told_where_to_appeal(stage: Stage, sam: Person) -> None:
    page = sam.get("/").text
    assert "suspended until" in page
    assert "Low days" not in page
    assert sam.get(f"/rooms/{stage.low_days}").status_code == 403


def test_joining_twice_is_joining_once(stage: Stage, dev: Person) -> None:
    for _ in range(2):
        assert dev.post(f"/rooms/{stage.low_days}/join").status_code == 303
    assert stage.ask(lambda: db.session().get_one(Room, stage.low_days).member_count) == 1
    assert "You are one of them" in dev.get(f"/rooms/{stage.low_days}").text


def test_leaving_twice_is_leaving_once(stage: Stage, ana: Person, ben: Person) -> None:
    assert ben.name in stage.people
    for _ in range(2):
        assert ana.post(f"/rooms/{stage.low_days}/leave").status_code == 303
    assert stage.ask(lambda: db.session().get_one(Room, stage.low_days).member_count) == 1
    assert stage.ask(lambda: db.session().get(Membership, (stage.low_days, ana.id))) is None


def test_after_joining_one_goes_on_inside_this_site_only(stage: Stage, dev: Person) -> None:
    assert dev.post(f"/rooms/{stage.low_days}/join", next="/rooms/1/chat").location == "/rooms/1/chat"
    assert dev.post(f"/rooms/{stage.low_days}/join", next="https://elsewhere.example").location == f"/rooms/{stage.low_days}"


def test_the_page_shows_the_next_seven_days_and_claims_nobody_who_is_not_there(stage: Stage, ana: Person) -> None:
    change(stage, stage.low_days, hours=Hours(tuple(Span(day, 0, 1440) for day in range(6))))
    page = ana.get(f"/rooms/{stage.low_days}").text
    assert page.count('class="week-day"') == 7
    assert page.count('class="band-staffed" x="0" width="1440"') == 6
    assert "staffed all day" in page
    assert "quiet all day" in page
    assert "A moderator is here" not in page


@pytest.mark.parametrize(
    ("values", "stays"),
    [
        ({"outside_hours": "quiet", "waits_unstaffed": True}, False),
        ({"outside_hours": "quiet", "waits_unstaffed": False}, True),
        ({"outside_hours": "quiet", "waits_unstaffed": False, "mode": "hold"}, False),
        ({"hours": Hours()}, True),
        ({"hours": Hours(), "mode": "hold"}, False),
    ],
)
def test_the_page_tells_what_becomes_of_worrying_words_at_this_hour(
    stage: Stage, ana: Person, values: dict[str, Any], stays: bool
) -> None:
    in_three_days = (now().weekday() + 3) % 7
    change(stage, stage.low_days, **{"hours": Hours((Span(in_three_days, 0, 60),)), **values})
    page = ana.get(f"/rooms/{stage.low_days}").text
    assert (STAYS in page, WAITS in page) == (stays, not stays)


@pytest.mark.parametrize(("path", "most"), [("/", 4), ("/rooms/{low_days}", 5)])
def test_rooms_cost_few_statements_however_many_there_are(stage: Stage, ana: Person, path: str, most: int) -> None:
    """Who asks, what they may see, what is unread; a room's page also asks whether one joined and for its sessions."""

    def many() -> None:
        hours, made = Hours(tuple(Span(day, 480, 1320) for day in range(7))), ana.account().created_at
        db.session().add_all(Room(slug=f"r{number}", name=f"Room {number}", created_at=made, hours=hours) for number in range(20))

    stage.do(many)
    ana.get(path.format(low_days=stage.low_days))  # what is counted once a minute was counted
    statements: list[str] = []
    engine = stage.app.extensions["kith_engine"]
    sa.event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    assert ana.get(path.format(low_days=stage.low_days)).status_code == 200
    statements = [statement for statement in statements if statement != "BEGIN"]
    assert len(statements) <= most, "\n".join(statements)


def test_only_who_has_written_something_is_told_that_their_words_are_kept(stage: Stage, ana: Person, dev: Person) -> None:
    topic = ana.opens("Mornings", "They are slow.").post.topic_id
    for path in (f"/rooms/{stage.low_days}/topics", f"/topics/{topic}", f"/rooms/{stage.low_days}/topics/new"):
        page = dev.get(path).text
        assert "Join “Low days” first; then you can write here." in page
        assert "words are kept" not in page, path
    entered = dev.live().emit("enter_room", {"room": stage.low_days}, callback=True)
    assert "words are kept" not in entered["sentence"]
    assert "Your words are kept." in dev.post(f"/topics/{topic}/posts", body="Mine too.").text
    assert "Your words are kept." in dev.post(f"/rooms/{stage.low_days}/chat", body="Hello.", key="k").text
