"""Ida makes, changes and archives rooms; everybody else learns nothing of it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from community.accounts.events import accounts_changed_since
from community.core import db
from community.core.audit import AuditEntry
from community.core.clock import now
from community.moderation.access import beat_of
from community.moderation.models import Signal
from community.rooms.models import Room
from community.safety import PROFILES
from tests.people import Person, Stage
from tests.rooms.settings import OPEN_ROOM, WEEK

PAGES = ("", "/new", "/{room}", "/{room}/members", "/{room}/hours", "/scopes/1")


def acts(stage: Stage) -> list[str]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(AuditEntry.act).where(AuditEntry.actor_id.is_not(None)))))


def room_named(stage: Stage, name: str) -> Any:
    return stage.ask(lambda: db.session().scalars(sa.select(Room).where(Room.name == name)).one_or_none())


@pytest.mark.parametrize("who", ["ana", "mia", "sol"])
def test_rooms_are_managed_by_admins_only(stage: Stage, who: str, request: pytest.FixtureRequest) -> None:
    person: Person = request.getfixturevalue(who)
    for page in PAGES:
        assert person.get("/admin/rooms" + page.format(room=stage.low_days)).status_code == 404
    for path in (
        "/new",
        f"/{stage.low_days}",
        f"/{stage.low_days}/archive",
        f"/{stage.low_days}/reopen",
        f"/{stage.low_days}/members",
        f"/scopes/{person.id}",
    ):
        assert person.post(f"/admin/rooms{path}", **OPEN_ROOM).status_code == 404
    assert room_named(stage, "Night owls") is None
    assert acts(stage) == []


def test_every_admin_page_about_rooms_opens(stage: Stage, ida: Person, noa: Person, dev: Person) -> None:
    for page in (*PAGES, f"/scopes/{noa.id}", f"/scopes/{dev.id}"):
        assert ida.get("/admin/rooms" + page.format(room=stage.low_days)).status_code == 200


def test_a_room_made_in_the_page_is_there_as_it_was_described(stage: Stage, ida: Person, dev: Person) -> None:
    form = OPEN_ROOM | {"mode": "hold"}
    assert ida.post("/admin/rooms/new", **form).status_code == 303
    room = room_named(stage, "Night owls")
    ida.post(f"/admin/rooms/{room.id}/hours", **WEEK | {"day4": "20-24", "timezone": "America/New_York"})
    room = room_named(stage, "Night owls")
    assert (room.slug, room.mode, room.timezone) == ("night-owls", "hold", "America/New_York")
    assert "20:00-24:00 staffed" in dev.get(f"/rooms/{room.id}").text
    assert acts(stage) == ["room.made", "room.changed"]


def test_a_room_keeps_the_kind_it_was_given(stage: Stage, ida: Person) -> None:
    path = f"/admin/rooms/{stage.low_days}"
    assert ida.post(path, **OPEN_ROOM | {"name": "Low days", "profile": "voices"}).status_code == 303
    assert room_named(stage, "Low days").profile == "voices"
    page = ida.get(path).text
    assert 'value="voices" checked' in page
    assert page.count('name="profile"') == len(PROFILES)


def test_the_kind_of_a_room_decides_which_rules_speak_in_it(stage: Stage, ida: Person, ana: Person) -> None:
    """The same words: a number with a unit is covered in a room about eating and ordinary elsewhere."""
    ida.post(f"/admin/rooms/{stage.low_days}", **OPEN_ROOM | {"name": "Low days", "profile": "eating"})
    ana.post(f"/rooms/{stage.low_days}/topics/new", title="Today", body="the label said 300 kcal", form_key=uuid.uuid4().hex)
    assert stage.ask(lambda: list(db.session().scalars(sa.select(Signal.rule_key)))) == ["eating-number-energy"]


def test_a_room_form_sent_twice_makes_one_room(stage: Stage, ida: Person) -> None:
    first, second = (ida.post("/admin/rooms/new", **OPEN_ROOM) for _ in range(2))
    assert first.location == second.location
    assert acts(stage) == ["room.made"]


def test_two_rooms_never_have_the_same_name(stage: Stage, ida: Person) -> None:
    answer = ida.post("/admin/rooms/new", **{**OPEN_ROOM, "name": "LOW days"})
    assert answer.status_code == 422
    assert "already a room called “Low days”" in answer.text
    assert 'value="LOW days"' in answer.text


def test_rooms_whose_names_look_alike_have_addresses_of_their_own(stage: Stage, ida: Person) -> None:
    for name in ("Low days!", "Low-days?", "眠れない夜"):
        assert ida.post("/admin/rooms/new", **{**OPEN_ROOM, "name": name}).status_code == 303
    slugs = stage.ask(lambda: set(db.session().scalars(sa.select(Room.slug))))
    assert slugs == {"low-days", "eating", "low-days-2", "low-days-3", "room"}


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", " "), ("name", "x" * 61), ("name", "a\u202eb"), ("purpose", "x" * 301), ("guidance", "x" * 5001), ("read_by", "everyone"), ("profile", "haunted"),
        ("write_by", ""), ("mode", "delete"), ("position", "-1"), ("position", "1e9"),
    ],
)  # fmt: skip
def test_a_room_that_cannot_be_is_refused_beside_the_field_and_what_was_typed_stays(
    stage: Stage, ida: Person, field: str, typed: str
) -> None:
    form = {**OPEN_ROOM, "name": "Second room", "hours": "set", "day1": "9-17", "guidance": "Speak <b>softly</b>", field: typed}
    answer = ida.post("/admin/rooms/new", **form)
    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text
    assert "Speak &lt;b&gt;softly&lt;/b&gt;" in answer.text or field == "guidance"
    assert stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).select_from(Room))) == 2


def test_a_room_needs_a_forum_or_a_chat(ida: Person) -> None:
    form = {name: value for name, value in OPEN_ROOM.items() if name not in ("has_forum", "has_chat")}
    assert "tick one" in ida.post("/admin/rooms/new", **form).text


def test_script_in_a_room_is_words(stage: Stage, ida: Person, ana: Person) -> None:
    nasty = "<script>alert(1)</script>"
    form = {**OPEN_ROOM, "name": nasty, "purpose": nasty, "guidance": nasty}
    address = ida.post("/admin/rooms/new", **form).location
    room = room_named(stage, nasty)
    for page in (ana.get("/"), ana.get(f"/rooms/{room.id}"), ida.get("/admin/rooms"), ida.get(address)):
        assert nasty not in page.text
        assert "&lt;script&gt;" in page.text


def test_changing_a_room_replaces_its_hours_and_is_written_down(stage: Stage, ida: Person) -> None:
    form = {**WEEK, "day0": "9-17"}
    for day0 in ("9-17", "10-12"):
        assert ida.post(f"/admin/rooms/{stage.low_days}/hours", **{**form, "day0": day0}).status_code == 303
    spans = stage.ask(lambda: [(span.opens, span.closes) for span in db.session().get_one(Room, stage.low_days).hours.week])
    assert spans == [(600, 720)]
    assert acts(stage) == ["room.changed", "room.changed"]
    details = stage.ask(lambda: db.session().scalars(sa.select(AuditEntry.detail).order_by(AuditEntry.id.desc())).first())
    assert details["changed"] == ["hours"]


def test_an_admin_puts_people_in_a_closed_room_and_takes_them_out(stage: Stage, ida: Person, dev: Person) -> None:
    stage.do(lambda: db.session().execute(sa.update(Room).values(read_by="joined")))
    assert dev.get(f"/rooms/{stage.low_days}").status_code == 404
    assert ida.post(f"/admin/rooms/{stage.low_days}/members", name="  dev ").status_code == 303
    assert dev.get(f"/rooms/{stage.low_days}").status_code == 200
    assert "Dev" in ida.get(f"/admin/rooms/{stage.low_days}/members").text
    assert ida.post(f"/admin/rooms/{stage.low_days}/members/{dev.id}/remove").status_code == 303
    assert dev.get(f"/rooms/{stage.low_days}").status_code == 404
    assert acts(stage) == ["room.member-added", "room.member-removed"]


@pytest.mark.parametrize("name", ["Nobody", "", "\ud800\x00", "Ana"])
def test_adding_somebody_who_is_not_there_or_is_in_already_is_a_sentence(
    stage: Stage, ida: Person, ana: Person, name: str
) -> None:
    assert ana.name
    answer = ida.post(f"/admin/rooms/{stage.low_days}/members", name=name.encode("utf-8", "replace").decode())
    assert answer.status_code == 422
    assert "#f-name" in answer.text
    assert acts(stage) == []


def test_the_rooms_of_a_moderator_bound_what_they_see(stage: Stage, ida: Person, mia: Person) -> None:
    assert stage.ask(lambda: beat_of(mia.account()).covers(stage.low_days, "suicide"))
    ida.post(f"/admin/rooms/scopes/{mia.id}", scope="some", room=[stage.eating, "999", "x"])
    beat = stage.ask(lambda: beat_of(mia.account()))
    assert not beat.covers(stage.low_days, "suicide")
    assert beat.covers(stage.eating, "suicide")
    ida.post(f"/admin/rooms/scopes/{mia.id}", scope="all")
    assert stage.ask(lambda: beat_of(mia.account()).covers(stage.low_days, "suicide"))
    assert acts(stage) == ["scope.set", "scope.set"]


@pytest.mark.parametrize("narrowed", ["read_by", "archived"])
def test_when_a_room_closes_to_people_every_process_checks_their_live_connections(
    stage: Stage, ida: Person, ana: Person, narrowed: str
) -> None:
    assert ana.client
    if narrowed == "read_by":
        ida.post(f"/admin/rooms/{stage.low_days}", **{**OPEN_ROOM, "name": "Low days", "read_by": "staff"})
    else:
        ida.post(f"/admin/rooms/{stage.low_days}/archive")
    assert stage.ask(lambda: accounts_changed_since(now())) == {ana.id, ida.id}


def test_members_look_after_no_room(stage: Stage, ida: Person, ana: Person) -> None:
    assert ida.post(f"/admin/rooms/scopes/{ana.id}", scope="all").status_code == 403
    assert acts(stage) == []


def test_an_archived_room_can_be_opened_again(stage: Stage, ida: Person, ana: Person) -> None:
    ida.post(f"/admin/rooms/{stage.low_days}/archive")
    ida.post(f"/admin/rooms/{stage.low_days}/reopen")
    assert ana.get(f"/rooms/{stage.low_days}").status_code == 200
    assert acts(stage) == ["room.archived", "room.reopened"]


def test_who_is_added_to_a_private_room_is_told_and_led_there(stage: Stage, ida: Person, dev: Person) -> None:
    with stage.writing() as session:
        session.get_one(Room, stage.low_days).read_by = "joined"
    ida.post(f"/admin/rooms/{stage.low_days}/members", name="Dev")
    page = dev.get("/notifications").text
    assert "You were added to “Low days”" in page
    assert "Only people who were added can read it" in page
    assert dev.get(f"/rooms/{stage.low_days}").status_code == 200
    assert f'href="/rooms/{stage.low_days}"' in page
