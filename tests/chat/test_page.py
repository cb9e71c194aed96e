"""The chat page reads and writes without a script, and is the second road of the live page.

Content note: one plain sentence about not wanting to be here.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from community.chat import queries
from community.chat.models import Message
from community.core import db
from community.core.clock import now
from community.rooms.hours import Hours, Span
from community.rooms.models import Room
from community.training.models import Shift
from tests.people import WORRYING, Person, Stage


def path(stage: Stage, rest: str = "") -> str:
    return f"/rooms/{stage.low_days}/chat{rest}"


def page(person: Person, address: str) -> str:
    answer = person.get(address)
    assert answer.status_code == 200, answer.status_code
    return str(answer.get_data(as_text=True))


def shown(html: str) -> list[int]:
    return [int(seq) for seq in re.findall(r'data-seq="(\d+)"', html)]


def stored(stage: Stage) -> list[str]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(Message.body).order_by(Message.id))))


def many(person: Person, count: int) -> None:
    for number in range(1, count + 1):
        person.says(f"Message {number}.", key=f"m{number}")


def test_the_newest_fifty_are_shown_with_a_way_back_to_the_first(stage: Stage, ana: Person, ben: Person) -> None:
    many(ana, 120)
    seen, address = [], path(stage)
    while address:
        html = page(ben, address)
        seen = shown(html) + seen
        older = re.search(r'href="([^"]+\?before=\d+)"', html)
        address = older[1] if older else ""
    assert seen == list(range(1, 121))


def test_a_linked_message_is_shown_with_what_was_said_around_it(stage: Stage, ana: Person) -> None:
    many(ana, 120)
    html = page(ana, path(stage, "?at=40"))
    assert 40 in shown(html)
    assert len(shown(html)) == queries.PAGE
    assert "chat.room.mjs" not in html, "an old window is not live"
    assert "Newest messages" in html


@pytest.mark.parametrize(
    "query", ["?at=x", "?before=-1", "?at=99999999999999999999", "?before=0", "?support=99", "?at=²", "?support=x"]
)
def test_nonsense_in_the_address_shows_a_page(stage: Stage, ana: Person, query: str) -> None:
    ana.says("Hello.")
    assert ana.get(path(stage, query)).status_code == 200


def test_a_form_is_stored_once_however_often_it_is_sent(stage: Stage, ana: Person) -> None:
    key = re.search(r'name="key" value="(\w+)"', page(ana, path(stage)))
    assert key
    for _ in range(2):
        answer = ana.post(path(stage), body="Hello there.", key=key[1])
        assert answer.status_code == 303
        assert answer.location.endswith(f"/rooms/{stage.low_days}/chat#message-1")
    assert stored(stage) == ["Hello there."]


def test_worrying_words_bring_the_support_card_to_their_writer_alone(stage: Stage, ana: Person, ben: Person) -> None:
    answer = ana.post(path(stage), body=WORRYING, key="k")
    address = answer.location.partition("#")[0]
    assert "?support=" in address
    assert "Samaritans" in page(ana, address)
    assert "Samaritans" not in page(ben, address)
    assert WORRYING in page(ben, path(stage))


def test_held_words_are_on_their_writers_page_alone(stage: Stage, ana: Person, ben: Person) -> None:
    address = f"/rooms/{stage.eating}/chat"
    ana.says(WORRYING, room=stage.eating)
    assert "Waiting for a moderator" in page(ana, address)
    assert WORRYING not in page(ben, address)


@pytest.mark.parametrize(("body", "status"), [("", 422), ("   \u200b ", 422), ("x" * 3000, 422), ("x" * 1_000_000, 422)])
def test_refused_words_come_back_in_the_form_with_a_sentence(stage: Stage, ana: Person, body: str, status: int) -> None:
    answer = ana.post(path(stage), body=body, key="k")
    html = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert 'aria-invalid="true"' in html
    assert body.strip("\u200b ") in html
    assert stored(stage) == []


@pytest.mark.parametrize("key", ["", "k" * 201, "\x00", "schlüssel", "a\nb"])
def test_a_strange_key_is_refused_and_the_words_are_kept(stage: Stage, ana: Person, key: str) -> None:
    answer = ana.post(path(stage), body="Good evening.", key=key)
    assert answer.status_code == 422
    assert "Good evening." in answer.get_data(as_text=True)


@pytest.mark.parametrize("body", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "\u202egnp.exe"])
def test_words_are_text_and_never_markup(stage: Stage, ana: Person, body: str) -> None:
    ana.says(body)
    html = page(ana, path(stage))
    assert (str(re.escape) and body not in html.replace("{{ 7*7 }}", "")) or "<" not in body
    assert "<script>alert" not in html
    assert "<img src=x" not in html


def test_who_has_not_joined_reads_along_and_is_offered_to_join(stage: Stage, ana: Person, dev: Person) -> None:
    ana.says("Good morning.")
    html = page(dev, path(stage))
    assert "Good morning." in html
    assert f'action="/rooms/{stage.low_days}/join"' in html
    assert "<textarea" not in html
    answer = dev.post(path(stage), body="Hi!", key="k")
    assert answer.status_code == 403
    assert stored(stage) == ["Good morning."]
    joined = dev.post(f"/rooms/{stage.low_days}/join", next=path(stage))
    assert joined.location == path(stage)
    assert "<textarea" in page(dev, path(stage))


def test_in_closed_hours_the_page_says_so_and_takes_no_words(stage: Stage, ana: Person) -> None:
    with stage.writing() as session:
        room = session.get_one(Room, stage.low_days)
        room.outside_hours, room.hours = "closed", Hours((Span((now().weekday() + 3) % 7, 0, 60),))
    html = page(ana, path(stage))
    assert "closed at this hour" in html
    assert re.search(r"<textarea[^>]* disabled", html)
    answer = ana.post(path(stage), body="Anybody here?", key="k")
    assert answer.status_code == 403
    assert "Anybody here?" in answer.get_data(as_text=True)


def test_the_page_says_whether_a_moderator_is_here_only_when_one_is(stage: Stage, ana: Person) -> None:
    assert "A moderator is here" not in page(ana, path(stage))
    stage.person("Mia", role="moderator", concerns=("suicide",))
    stage.do(lambda: _on_duty(stage.people["Mia"].id))
    with time_machine.travel(now() + timedelta(minutes=1)):
        assert "A moderator is here now." in page(ana, path(stage))
        assert "A moderator is here now." in page(ana, f"/rooms/{stage.low_days}")


def _on_duty(account_id: int) -> None:
    hour = timedelta(hours=1)
    db.session().add(Shift(account_id=account_id, kind="duty", starts_at=now() - hour, ends_at=now() + hour))


def test_every_message_of_another_can_be_reported(stage: Stage, ana: Person, ben: Person) -> None:
    ana.says("One.")
    ben.says("Two.")
    html = page(ana, path(stage))
    assert "/report/message/2" in html
    assert "/report/message/1" not in html


def ask(person: Person, address: str, **fields: Any) -> Any:
    headers = {"X-Requested-With": "kith"}
    if fields:
        return person.client.post(address, data={"csrf_token": person.csrf(), **fields}, headers=headers)
    return person.get(address, headers=headers)


def test_the_page_gives_the_same_answers_as_the_socket(stage: Stage, ana: Person) -> None:
    by_page = ask(ana, path(stage), body=WORRYING, key="k").get_json()
    by_socket = ana.live().emit("write_message", {"room": stage.low_days, "key": "k", "body": WORRYING}, callback=True)
    assert by_socket == {**by_page, "repeated": True}
    read = ask(ana, path(stage, "/messages?after=0")).get_json()
    assert read == ana.live().emit("read_after", {"room": stage.low_days, "seq": 0}, callback=True)


def test_older_messages_say_from_where_they_are_complete(stage: Stage, ana: Person) -> None:
    many(ana, 60)
    first = ask(ana, path(stage, "/messages?before=56")).get_json()
    assert ([line["seq"] for line in first["messages"]], first["start"], first["through"], first["more"]) == (
        list(range(6, 56)), 6, 55, True,
    )  # fmt: skip
    rest = ask(ana, path(stage, "/messages?before=6")).get_json()
    assert (len(rest["messages"]), rest["start"], rest["through"], rest["more"]) == (5, 1, 5, False)


def test_a_refusal_to_a_script_is_a_sentence_with_its_status(stage: Stage, ana: Person, dev: Person) -> None:
    too_long = ask(ana, path(stage), body="x" * 3000, key="k")
    assert (too_long.status_code, too_long.get_json()["code"]) == (422, "invalid")
    assert ask(dev, path(stage), body="x", key="k").get_json()["code"] == "forbidden"
    assert ask(ana, "/rooms/999/chat/messages?after=0").status_code == 404


def test_strangers_and_the_suspended_see_no_chat(stage: Stage, sam: Person) -> None:
    assert stage.app.test_client().get(path(stage)).status_code == 302
    for address in (path(stage), path(stage, "/messages?after=0")):
        assert sam.get(address).status_code == 403
    assert sam.post(path(stage), body="x", key="k").status_code == 403


def test_the_page_asks_the_database_at_most_seven_times(stage: Stage, ana: Person, ben: Person) -> None:
    many(ben, 60)
    page(ana, path(stage))
    asked: list[str] = []
    with stage.app.app_context():
        engine = db.engine()
    sa.event.listen(engine, "before_cursor_execute", lambda *found: asked.append(found[2]) if found[2] != "BEGIN" else None)
    page(ana, path(stage))
    assert len(asked) <= 7, asked
