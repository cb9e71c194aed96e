"""Search finds chat messages as it finds posts: visible words, in chats one may read, of people one meets.

Content note: one plain sentence about not wanting to be here.
"""

from __future__ import annotations

import html
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from community import create_app
from community.accounts import blocking
from community.chat import actions as chat
from community.chat.models import Message, MessageWords
from community.chat.searching import AT_ONCE, index_new_messages
from community.core import db
from community.core.clock import now
from community.moderation.reviewable import find
from community.rooms.actions import add_member, remove_member
from community.rooms.models import Room
from config import Config
from tests import servers
from tests.people import WORRYING, Person, Stage


def hits(person: Person, query: str, **more: object) -> list[str]:
    page = person.get("/search", query_string={"q": query, **more}).text
    return [html.unescape(path) for path in re.findall(r'topic-title" href="([^"]+)"', page)]


def says(stage: Stage, person: Person, words: str, **more: Any) -> Message:
    written: Message = person.says(words, **more).message
    stage.ask(index_new_messages)
    return written


def noted(stage: Stage, person: Person, words: str, note: str) -> Message:
    act = lambda: chat.write_message(person.account(), stage.low_days, body=words, key=words, limit=2000, note=note)  # noqa: E731
    message = stage.do(act).message
    stage.ask(index_new_messages)
    return message


def test_a_message_is_found_marked_and_leads_to_its_place(stage: Stage, ana: Person, ben: Person) -> None:
    ana.says("Hello.", key="1")
    message = says(stage, ana, "I bought a Lavender pillow, don’t tell.", key="2")
    assert hits(ben, "lavender dont") == [f"/rooms/{stage.low_days}/chat?at=2#message-{message.id}"]
    page = ben.get("/search?q=lavender").text
    assert "<mark>Lavender</mark>" in page
    assert "Chat in Low days" in page
    assert hits(ben, "lavender mattress") == []


def test_only_visible_words_are_found(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    held = says(stage, ana, f"{WORRYING} zebra", room=stage.eating)
    assert held.visibility == "held"
    hidden, taken = says(stage, ana, "giraffe"), says(stage, ana, "walrus")
    stage.do(lambda: _hide(hidden.id))
    stage.do(lambda: chat.withdraw_message(ana.account(), taken.id))
    for person in (ana, ben, mia):
        assert [hits(person, word) for word in ("zebra", "giraffe", "walrus")] == [[], [], []]
    stage.do(lambda: _hide(hidden.id, "visible"))
    assert len(hits(ben, "giraffe")) == 1


def _hide(message_id: int, visibility: str = "hidden") -> None:
    found = find("message", message_id)
    found.visibility = visibility
    found.changed()


def test_changed_words_are_found_as_they_are_now(stage: Stage, ana: Person) -> None:
    message = says(stage, ana, "penguin")
    stage.do(lambda: chat.edit_message(ana.account(), message.id, body="walrus", limit=2000, minutes=10))
    assert hits(ana, "penguin") == []
    assert len(hits(ana, "walrus")) == 1


def test_words_changed_before_the_sweep_came_are_found_as_they_are_now(stage: Stage, ana: Person) -> None:
    message = ana.says("penguin").message
    stage.do(lambda: chat.edit_message(ana.account(), message.id, body="walrus", limit=2000, minutes=10))
    stage.ask(index_new_messages)
    assert hits(ana, "penguin") == []
    assert len(hits(ana, "walrus")) == 1


def test_deleted_and_emptied_words_leave_the_index_whoever_did_it(stage: Stage, ana: Person) -> None:
    deleted, emptied = says(stage, ana, "teapot one"), says(stage, ana, "teapot two")
    stage.do(lambda: db.session().execute(sa.delete(Message).where(Message.id == deleted.id)))
    stage.do(lambda: db.session().execute(sa.update(Message).where(Message.id == emptied.id).values(body="")))
    assert hits(ana, "teapot") == []
    assert stage.ask(lambda: db.session().scalars(sa.select(MessageWords.folded)).all()) == [""]


def test_chats_one_may_not_read_are_not_searched(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    says(stage, ana, "kettle")
    stage.do(lambda: _set(stage.low_days, read_by="staff"))
    assert hits(ben, "kettle") == []
    assert len(hits(mia, "kettle")) == 1
    stage.do(lambda: _set(stage.low_days, read_by="members", has_chat=False))
    assert hits(ben, "kettle") == []


def _set(room_id: int, **fields: Any) -> None:
    db.session().execute(sa.update(Room).where(Room.id == room_id).values(**fields))


def test_a_session_is_searched_only_while_one_is_in_it(stage: Stage, ana: Person, ben: Person, ida: Person) -> None:
    room = stage.do(lambda: _session_room(stage.low_days, [ana, ben]))
    says(stage, ana, "kettle", room=room)
    assert len(hits(ben, "kettle")) == 1
    assert hits(ida, "kettle") == [], "admins too come in by the door"
    stage.do(lambda: remove_member(db.session().get_one(Room, room), ben.id))
    assert hits(ben, "kettle") == []
    assert hits(ben, "kettle", room=room) == []


def _session_room(host: int, people: list[Person]) -> int:
    room = Room(slug="s", name="Circle", has_forum=False, read_by="joined", host_id=host, created_at=now())
    db.session().add(room)
    db.session().flush()
    for person in people:
        add_member(room, person.id)
    return room.id


def test_people_who_keep_apart_do_not_find_each_others_words(stage: Stage, ana: Person, ben: Person, dev: Person) -> None:
    says(stage, ana, "kettle")
    stage.do(lambda: blocking.keep_away(ana.account(), ben.id, "block"))
    stage.do(lambda: blocking.keep_away(dev.account(), ana.id, "mute"))
    assert (hits(ben, "kettle"), hits(dev, "kettle"), len(hits(ana, "kettle"))) == ([], [], 1)


def test_of_a_message_with_a_note_others_see_the_note_alone(stage: Stage, ana: Person, ben: Person) -> None:
    noted(stage, ana, "the kettle in the <ward>", "mentions of hospital & <b>")
    page = ben.get("/search?q=kettle").text
    assert "Note: mentions of hospital &amp; &lt;b&gt;" in page
    assert "ward" not in page
    assert "&lt;ward&gt;" in ana.get("/search?q=kettle").text


@pytest.mark.parametrize("kinds", ["mmp" * 10, "p" * 43 + "m", "m" * 43 + "p"])
def test_topics_and_messages_follow_each_other_newest_first_page_by_page(stage: Stage, ana: Person, kinds: str) -> None:
    topic = ana.opens("T", "Hello.").post.topic_id
    expected = [f"{kind}-{_said(ana, topic, kind, str(number))}" for number, kind in enumerate(kinds)]
    stage.ask(index_new_messages)
    found: list[str] = []
    address = "/search?q=teapot"
    while address:
        page = ana.get(address).text
        hits = re.findall(r'topic-title" href="[^"]+#([mp])[^"]+-(\d+)"', page)
        found += [f"{kind}-{number}" for kind, number in hits]
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        assert len(hits) == 20 or not onward
        address = html.unescape(onward[1]) if onward else ""
    assert found == list(reversed(expected))


def _said(person: Person, topic: int, kind: str, number: str) -> int:
    said = person.says(f"teapot {number}", key=number).message if kind == "m" else person.answers(topic, f"teapot {number}").post
    return int(said.id)


def test_one_chat_can_be_searched_alone(stage: Stage, ana: Person) -> None:
    says(stage, ana, "kettle", room=stage.low_days)
    says(stage, ana, "kettle", room=stage.eating)
    assert len(hits(ana, "kettle")) == 2
    assert len(hits(ana, "kettle", room=stage.eating)) == 1
    assert hits(ana, "kettle", room=999) == []


def test_what_is_not_searched_is_said(ana: Person) -> None:
    assert "first 200 characters" in ana.get("/search", query_string={"q": "word " * 60}).text
    assert "first 8 words" in ana.get("/search?q=a+b+c+d+e+f+g+h+i").text
    assert "first 8 words" not in ana.get("/search?q=a+b+c+d+e+f+g+h").text


def test_the_sweep_takes_all_rooms_in_small_steps_and_once(stage: Stage, ana: Person) -> None:
    said = 2 * AT_ONCE + 10
    for number in range(said):
        ana.says(f"kettle {number}", key=str(number), room=stage.low_days if number % 2 else stage.eating)
    count = sa.select(sa.func.count()).select_from(MessageWords)
    for _ in range(2):
        stage.ask(index_new_messages)
        assert stage.ask(lambda: db.session().scalar(count)) == said


def test_writing_a_message_does_not_touch_the_index(stage: Stage, ana: Person) -> None:
    ana.says("kettle")
    assert stage.ask(lambda: db.session().scalars(sa.select(MessageWords)).all()) == []


@pytest.mark.servers
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_messages_written_before_the_index_are_found_after_and_the_way_back_is_open(engine: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'm.sqlite3'}" if engine == "sqlite" else servers.fresh_postgres()
    app = create_app(Config(mode="test", data_dir=tmp_path, database_url=url, jobs="outside", fanout="stock"))
    with app.app_context():
        app.extensions["alembic"].upgrade()
    stage = Stage(app)
    ana = stage.person("Ana", rooms=True)
    ana.says("the café, don’t you know")
    with app.app_context():
        app.extensions["alembic"].downgrade("20261125_sessions")
        app.extensions["alembic"].upgrade()
    stage.ask(index_new_messages)
    assert len(hits(ana, "cafe dont")) == 1
    app.extensions["kith_engine"].dispose()


def test_old_words_are_found_however_much_was_said_since(stage: Stage, ana: Person) -> None:
    """On PostgreSQL a rare word is taken from the index, not from the newest rows."""
    says(stage, ana, "kettle", key="first")
    stage.do(lambda: _copies(stage.low_days, ana.id, 450))
    stage.ask(index_new_messages)
    assert len(hits(ana, "kettle")) == 1
    assert len(hits(ana, "biscuit")) == 20


def _copies(room_id: int, author_id: int, count: int) -> None:
    fields = {"room_id": room_id, "author_id": author_id, "body": "biscuit", "covers": [], "note": "", "visibility": "visible"}
    rows = [
        {**fields, "seq": number + 2, "client_key": f"c{number}", "created_at": now() + timedelta(seconds=number)}
        for number in range(count)
    ]
    db.session().execute(sa.insert(Message.__table__).values(edition=1, version=1, lexicon_revision=0), rows)
    db.session().execute(sa.update(Room).where(Room.id == room_id).values(last_seq=count + 1))
