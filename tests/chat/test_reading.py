"""How far one has read moves forward only, and what is unread is what others wrote since, as one would see it."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from community.accounts import blocking
from community.chat import actions, reading
from community.chat.models import Message, ReadPlace
from community.core import db
from community.core.clock import now
from community.moderation.reviewable import find
from community.rooms.actions import remove_member
from community.rooms.models import Room
from tests.people import Person, Stage


def reads(stage: Stage, person: Person, seq: int, room: int = 0) -> int:
    return stage.do(lambda: reading.note_read(person.account(), db.session().get_one(Room, room or stage.low_days), seq))


def unread(stage: Stage, person: Person) -> dict[int, int]:
    return stage.ask(lambda: reading.unread_by_room(person.account()))


def here(stage: Stage, person: Person) -> reading.Unread:
    return stage.ask(lambda: reading.unread_in(person.account(), db.session().get_one(Room, stage.low_days)))


def talks(person: Person, count: int, start: int = 1) -> None:
    for number in range(start, start + count):
        person.says(f"Message {number}.", key=f"m{number}")


def test_reading_moves_forward_only_and_not_beyond_what_is_stored(stage: Stage, ana: Person, ben: Person) -> None:
    talks(ana, 5)
    assert [reads(stage, ben, seq) for seq in (3, 1, 4, 4, 99, 0)] == [3, 3, 4, 4, 5, 5]


def test_the_furthest_of_many_tellings_at_once_stays(stage: Stage, ana: Person, ben: Person) -> None:
    talks(ana, 12)
    threads = [threading.Thread(target=reads, args=(stage, ben, seq)) for seq in (5, 12, 3, 9, 1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reads(stage, ben, 0) == 12
    count = sa.select(sa.func.count()).select_from(ReadPlace)
    assert stage.ask(lambda: db.session().scalar(count)) == 1


def test_nothing_is_new_in_a_chat_one_never_opened(stage: Stage, ana: Person, ben: Person) -> None:
    talks(ana, 3)
    assert unread(stage, ben) == {}
    assert here(stage, ben) == reading.Unread(None, None, 0)
    assert "new-since" not in ben.get(f"/rooms/{stage.low_days}/chat").text


def test_unread_are_visible_words_of_others_one_meets(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    reads(stage, ben, 0)
    talks(ana, 4)
    ben.says("Mine.")
    mia.says("Hello both.")
    assert (unread(stage, ben), here(stage, ben)) == ({stage.low_days: 5}, reading.Unread(0, 1, 5))
    stage.do(lambda: _hide(1))
    assert (unread(stage, ben), here(stage, ben)) == ({stage.low_days: 4}, reading.Unread(0, 2, 4))
    stage.do(lambda: blocking.keep_away(ana.account(), ben.id, "block"))
    assert (unread(stage, ben), here(stage, ben)) == ({stage.low_days: 1}, reading.Unread(0, 6, 1))
    reads(stage, ben, 6)
    assert unread(stage, ben) == {}


def _hide(message_id: int) -> None:
    found = find("message", message_id)
    found.visibility = "hidden"
    found.changed()


def test_chats_one_left_or_may_not_read_are_not_counted(stage: Stage, ana: Person, ben: Person, sol: Person) -> None:
    for person in (ben, sol):
        reads(stage, person, 0)
    talks(ana, 2)
    assert unread(stage, sol) == {}, "who did not join follows nothing"
    stage.do(lambda: _set(stage.low_days, read_by="staff"))
    assert unread(stage, ben) == {}
    stage.do(lambda: _set(stage.low_days, read_by="members", archived_at=now()))
    assert unread(stage, ben) == {}
    stage.do(lambda: _set(stage.low_days, archived_at=None))
    assert unread(stage, ben) == {stage.low_days: 2}
    stage.do(lambda: remove_member(db.session().get_one(Room, stage.low_days), ben.id))
    assert unread(stage, ben) == {}


def _set(room_id: int, **fields: Any) -> None:
    db.session().execute(sa.update(Room).where(Room.id == room_id).values(**fields))


def test_all_rooms_are_counted_by_one_question(stage: Stage, ana: Person, ben: Person) -> None:
    for room in (stage.low_days, stage.eating):
        reads(stage, ben, 0, room)
        ana.says("Hello.", room=room, key=str(room))
    asked: list[str] = []
    with stage.app.app_context():
        actor, engine = ben.account(), db.engine()
        listen = lambda *found: asked.append(found[2])  # noqa: E731
        sa.event.listen(engine, "before_cursor_execute", listen)
        assert reading.unread_by_room(actor) == {stage.low_days: 1, stage.eating: 1}
    assert len([question for question in asked if question != "BEGIN"]) == 1


def test_more_than_a_hundred_are_said_as_such(stage: Stage, ana: Person, ben: Person) -> None:
    reads(stage, ben, 0)
    stage.do(lambda: _copies(stage.low_days, ana.id, 130))
    assert unread(stage, ben) == {stage.low_days: reading.COUNTED}
    for path in ("/", f"/rooms/{stage.low_days}", "/me"):
        assert "99+" in ben.get(path).text
    page = ben.get(f"/rooms/{stage.low_days}/chat").text
    assert "99+ unread" in page
    assert f'href="/rooms/{stage.low_days}/chat?at=1&amp;since=0#new-since"' in page
    first = ben.get(f"/rooms/{stage.low_days}/chat?at=1&since=0").text
    assert first.index("new-since") < first.index('data-seq="1"')


def _copies(room_id: int, author_id: int, count: int, began: datetime | None = None, apart: timedelta = timedelta(0)) -> None:
    fields = {"room_id": room_id, "author_id": author_id, "body": "Hello.", "covers": [], "note": "", "visibility": "visible"}
    moment = began or now()
    rows = [
        {**fields, "seq": number + 1, "client_key": f"c{number}", "created_at": moment + number * apart}
        for number in range(count)
    ]
    db.session().execute(sa.insert(Message.__table__).values(edition=1, version=1, lexicon_revision=0), rows)
    db.session().execute(sa.update(Room).where(Room.id == room_id).values(last_seq=count))


def test_a_page_tells_how_far_it_was_seen_and_hears_what_is_left(stage: Stage, ana: Person, ben: Person) -> None:
    path = f"/rooms/{stage.low_days}/chat"
    reads(stage, ben, 0)
    talks(ana, 3)
    assert ben.post(f"{path}/read", seq="2").json == {"ok": True, "unread": 1}
    assert ben.post(f"{path}/read", seq="1").json == {"ok": True, "unread": 1}
    assert ben.post(f"{path}/read", seq="x").status_code == 422
    page = ben.get(path).text
    assert page.index('data-seq="2"') < page.index("New since you were here") < page.index('data-seq="3"')


def test_without_script_the_page_itself_tells_it(stage: Stage, ana: Person, ben: Person) -> None:
    talks(ana, 3)
    picture = re.search(r'<noscript><img src="([^"]+)"', ben.get(f"/rooms/{stage.low_days}/chat").text)
    assert picture
    assert ben.get(picture[1]).status_code == 204
    talks(ana, 2, start=4)
    assert unread(stage, ben) == {stage.low_days: 2}


def test_who_may_not_read_a_room_has_no_place_in_it(stage: Stage, ana: Person, dev: Person) -> None:
    talks(ana, 1)
    stage.do(lambda: _set(stage.low_days, read_by="joined"))
    assert dev.post(f"/rooms/{stage.low_days}/chat/read", seq="1").status_code == 404
    assert dev.get(f"/rooms/{stage.low_days}/chat/seen?through=1").status_code == 404


# ---- days


MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def lands(stage: Stage, person: Person, day: str) -> tuple[str, str]:
    answer = person.get(f"/rooms/{stage.low_days}/chat/day?on={day}")
    assert answer.status_code == 302, answer.status_code
    return answer.location, person.get(answer.location.partition("#")[0]).text


def test_a_day_leads_to_its_first_message(stage: Stage, ana: Person) -> None:
    stage.do(lambda: _copies(stage.low_days, ana.id, 200, MONDAY, timedelta(hours=1)))
    place, page = lands(stage, ana, "2026-03-05")
    assert "at=64#" in place, "00:00 of Thursday is 63 hours after Monday, 09:00"
    assert "Nothing was said" not in page


def test_a_day_begins_by_the_clock_of_the_room(stage: Stage, ana: Person) -> None:
    stage.do(lambda: _copies(stage.low_days, ana.id, 200, MONDAY, timedelta(hours=1)))
    stage.do(lambda: _set(stage.low_days, timezone="Asia/Tokyo"))
    assert "at=55#" in lands(stage, ana, "2026-03-05")[0]


@pytest.mark.parametrize(
    ("asked", "seq", "nearest"),
    [("2026-03-04", 2, "5 March"), ("2026-03-03", 1, "2 March"), ("2020-01-01", 1, "2 March"), ("2126-01-01", 2, "5 March"), ("0001-01-01", 1, "2 March"), ("9999-12-31", 2, "5 March")],
)  # fmt: skip
def test_a_day_without_words_is_said_and_the_nearest_shown(stage: Stage, ana: Person, asked: str, seq: int, nearest: str) -> None:
    stage.do(lambda: _copies(stage.low_days, ana.id, 2, MONDAY, timedelta(days=3)))
    place, page = lands(stage, ana, asked)
    assert f"at={seq}#" in place
    assert "Nothing was said here on" in page
    assert f"The nearest is from {nearest} 2026" in page


def test_an_empty_chat_and_no_day_at_all_are_said(stage: Stage, ana: Person) -> None:
    assert "Nothing has been written here yet" in lands(stage, ana, "2026-03-04")[1]
    answer = ana.get(f"/rooms/{stage.low_days}/chat/day?on=yesterday")
    assert (answer.status_code, "such as 2026-11-20" in answer.text) == (422, True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    gaps=st.lists(st.integers(0, 3 * 86_400), min_size=1, max_size=12),
    gone=st.sets(st.integers(1, 12), max_size=5),
    ahead=st.integers(-2, 30),
)
def test_the_first_of_a_day_is_found_as_by_looking_at_each(stage: Stage, gaps: list[int], gone: set[int], ahead: int) -> None:
    """Numbers may be missing: a transcript was deleted."""
    from community.chat.days import first_on

    ana = stage.person("Ana", rooms=True)
    moments = [MONDAY + timedelta(seconds=sum(gaps[: place + 1])) for place in range(len(gaps))]
    stage.do(lambda: _replace(stage.low_days, ana.id, moments, gone))
    left = {seq: moment.date() for seq, moment in enumerate(moments, 1) if seq not in gone}
    day = (MONDAY + timedelta(days=ahead)).date()
    found = stage.ask(lambda: first_on(ana.account(), db.session().get_one(Room, stage.low_days), day))
    same = [seq for seq, each in left.items() if each == day]
    if not left:
        assert found is None
    elif same:
        assert found
        assert (found.seq, found.day) == (same[0], day)
    else:
        assert found
        assert left[found.seq] == found.day != day


def _replace(room_id: int, author_id: int, moments: list[datetime], gone: set[int]) -> None:
    db.session().execute(sa.delete(Message).where(Message.room_id == room_id))
    _copies(room_id, author_id, len(moments))
    for seq, moment in enumerate(moments, 1):
        where = Message.room_id == room_id, Message.seq == seq
        change = sa.delete(Message) if seq in gone else sa.update(Message).values(created_at=moment)
        db.session().execute(change.where(*where).execution_options(synchronize_session=False))
    db.session().execute(sa.update(Room).where(Room.id == room_id).values(timezone="UTC"))


# ---- linked messages


def test_a_linked_message_that_is_gone_is_said(stage: Stage, ana: Person, ben: Person) -> None:
    talks(ana, 5)
    address = f"/rooms/{stage.low_days}/chat?at=3"
    assert "not here any more" not in ben.get(address).text
    stage.do(lambda: actions.withdraw_message(ana.account(), 3))
    page = ben.get(address).text
    assert "That message is not here any more" in page
    assert re.findall(r'data-seq="(\d+)"', page) == ["1", "2", "4", "5"]


def test_pages_lead_down_to_the_newest_without_a_gap_or_a_repeat(stage: Stage, ana: Person) -> None:
    stage.do(lambda: _copies(stage.low_days, ana.id, 170))
    seen: list[int] = []
    address = f"/rooms/{stage.low_days}/chat?at=10"
    while address:
        page = ana.get(address).text
        seen += [int(seq) for seq in re.findall(r'data-seq="(\d+)"', page)]
        later = re.search(r'href="([^"]+\?after=\d+)"', page)
        address = later[1] if later else ""
    assert seen == list(range(1, 171))
    assert "chat.room.mjs" in page, "the page with the newest is live"


def test_a_page_goes_without_the_number_when_it_cannot_be_counted(stage: Stage, ana: Person) -> None:
    stage.do(lambda: db.session().execute(sa.text("ALTER TABLE read_places RENAME TO gone")))
    assert ana.get("/house-rules").status_code == 200
