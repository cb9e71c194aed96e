"""What people do with each other's messages: answer, meet them kindly, change their own, keep away. Content note: one plain sentence
about not wanting to be here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from community.accounts.models import Account
from community.chat.models import Message
from community.core import db
from community.core.clock import now
from community.moderation import intake
from community.moderation.models import Case, Snapshot
from community.moderation.reviewable import find
from community.rooms.models import Room
from tests.people import WORRYING, Person, Stage


def ask(wire: Any, event: str, **payload: Any) -> dict[str, Any]:
    answer: dict[str, Any] = wire.emit(event, payload, callback=True)
    return answer


def inside(stage: Stage, person: Person) -> Any:
    wire = person.live()
    ask(wire, "enter_room", room=stage.low_days)
    wire.get_received()
    return wire


def heard(wire: Any) -> list[tuple[str, Any]]:
    packets = [(packet["name"], packet["args"]) for packet in wire.get_received()]
    return [(name, given[0] if isinstance(given, list) else given) for name, given in packets]


def read(stage: Stage, person: Person) -> dict[str, Any]:
    return ask(person.live(), "read_after", room=stage.low_days, seq=0)


def settle(stage: Stage, **columns: Any) -> None:
    with stage.writing() as session:
        for field, value in columns.items():
            setattr(session.get_one(Room, stage.low_days), field, value)


def write(wire: Any, stage: Stage, body: str, **more: Any) -> dict[str, Any]:
    return ask(wire, "write_message", room=stage.low_days, key=f"k-{body}-{len(more)}", body=body, **more)


# ---- answers


def test_an_answer_points_and_never_copies(stage: Stage, ana: Person, ben: Person) -> None:
    first = ana.says("Is anybody awake?").message
    answer = write(ben.live(), stage, "I am.", reply_to=first.seq)
    assert answer["message"]["reply_to"] == first.seq
    assert "awake" not in str(answer)
    (quote,) = read(stage, ana)["quotes"]
    assert quote == {"seq": first.seq, "id": first.id, "author": "Ana", "words": "Is anybody awake?"}


@pytest.mark.parametrize("gone", ["hidden", "withdrawn", "held"])
def test_the_words_of_a_message_that_is_gone_are_quoted_nowhere(stage: Stage, ana: Person, ben: Person, gone: str) -> None:
    first = ana.says("Something that goes away.").message
    write(ben.live(), stage, "An answer.", reply_to=first.seq)

    def act() -> None:
        find("message", first.id).visibility = gone
        find("message", first.id).changed()

    stage.do(act)
    assert read(stage, ben)["quotes"] == []
    page = ben.get(f"/rooms/{stage.low_days}/chat").text
    assert "no longer here" in page
    assert "Something that goes away." not in page


def test_who_answers_what_is_not_there_keeps_the_words(stage: Stage, ana: Person) -> None:
    refused = write(ana.live(), stage, "An answer.", reply_to=7)
    assert refused["code"] == "invalid"
    page = ana.post(f"/rooms/{stage.low_days}/chat", key="k", body="My answer stays.", reply_to="7")
    assert page.status_code == 422
    assert "My answer stays." in page.text


def test_covered_and_noted_words_are_not_quoted(stage: Stage, ana: Person, ben: Person) -> None:
    first = write(ana.live(), stage, "It was a long night there.", note="mentions of hospital")["message"]
    write(ben.live(), stage, "I hear you.", reply_to=first["seq"])
    assert read(stage, ben)["quotes"][0]["words"] == "(mentions of hospital)"
    page = ben.get(f"/rooms/{stage.low_days}/chat").text
    assert "<summary>Note: mentions of hospital</summary>" in page


def test_the_form_answers_without_script(stage: Stage, ana: Person, ben: Person) -> None:
    first = ana.says("Good morning.").message
    page = ben.get(f"/rooms/{stage.low_days}/chat?reply={first.seq}").text
    assert f'name="reply_to" value="{first.seq}"' in page
    ben.post(f"/rooms/{stage.low_days}/chat", key="k", body="Good morning, Ana.", reply_to=str(first.seq))
    assert read(stage, ana)["messages"][1]["reply_to"] == first.seq


def test_a_content_note_passes_the_gate_as_well(stage: Stage, ana: Person) -> None:
    write(ana.live(), stage, "See above.", note=WORRYING)
    assert len(stage.cases()) == 1


# ---- kind answers


def test_a_kind_answer_is_counted_once_and_told_without_names(stage: Stage, ana: Person, ben: Person) -> None:
    message = ana.says("I got up today.").message
    wire, other = inside(stage, ben), inside(stage, ana)
    for _ in range(2):
        answer = ask(wire, "react", message=message.id, kind="hug", on=True)
    assert (answer["reactions"], answer["mine"]) == ({"hug": 1}, ["hug"])
    told = {"room": stage.low_days, "id": message.id, "seq": 1, "version": 2, "reactions": {"hug": 1}}
    assert heard(other) == [("message_reacted", told)]
    assert read(stage, ben)["own"] == [{"seq": 1, "mine": ["hug"]}]
    assert read(stage, ana)["own"] == []
    assert 'class="kind">A hug 1<' in ana.get(f"/rooms/{stage.low_days}/chat").text
    ben.post(f"/messages/{message.id}/react", take="hug")
    assert read(stage, ana)["messages"][0]["reactions"] == {}


def test_nobody_answers_their_own_message_or_with_another_kind(stage: Stage, ana: Person, ben: Person, dev: Person) -> None:
    message = ana.says("I got up today.").message
    assert ask(ana.live(), "react", message=message.id, kind="hug", on=True)["code"] == "forbidden"
    assert ask(ben.live(), "react", message=message.id, kind="down", on=True)["code"] == "invalid"
    assert ask(dev.live(), "react", message=message.id, kind="hug", on=True)["code"] == "forbidden"


# ---- changing one's own words


def test_changed_words_pass_the_gate_again_and_the_case_keeps_both(stage: Stage, ana: Person, ben: Person) -> None:
    message = ana.says(WORRYING).message
    other = inside(stage, ben)
    answer = ask(ana.live(), "edit_message", message=message.id, body="I am tired.")
    assert answer["message"]["edited"]
    ((name, told),) = heard(other)
    assert (name, told["body"], told["seq"], told["edited"]) == ("message", "I am tired.", 1, True)
    kept = stage.ask(lambda: list(db.session().scalars(sa.select(Snapshot.words).order_by(Snapshot.id))))
    assert kept == [WORRYING, "I am tired."]


def test_words_that_are_held_after_a_change_leave_every_screen(stage: Stage, ana: Person, ben: Person) -> None:
    settle(stage, mode="hold")
    message = ana.says("Fine.").message
    other = inside(stage, ben)
    assert ask(ana.live(), "edit_message", message=message.id, body=WORRYING)["held"]
    assert heard(other) == [("message_hidden", {"room": stage.low_days, "id": message.id, "seq": 1, "version": 2})]
    assert read(stage, ben)["messages"] == []


def test_a_content_note_can_be_changed_and_passes_the_gate(stage: Stage, ana: Person, ben: Person) -> None:
    wire, other = ana.live(), inside(stage, ben)
    message = write(wire, stage, "See above.", note="hospital")["message"]
    heard(other)
    assert ask(wire, "edit_message", message=message["id"], body="See below.")["message"]["note"] == "hospital"
    assert ask(wire, "edit_message", message=message["id"], body="See below.", note="")["message"]["note"] == ""
    assert [told["note"] for _, told in heard(other)] == ["hospital", ""]
    assert 'name="note"' in ana.get(f"/messages/{message['id']}/edit").text
    assert ana.post(f"/messages/{message['id']}/edit", body="See below.", note=WORRYING).status_code == 303
    assert len(stage.cases()) == 1
    refused = ana.post(f"/messages/{message['id']}/edit", body=" ", note="kept as typed")
    assert (refused.status_code, "kept as typed" in refused.text) == (422, True)


def test_changing_ends_after_a_while(stage: Stage, ana: Person) -> None:
    message = ana.says("Old words.").message
    with stage.writing() as session:
        session.get_one(Message, message.id).created_at = now() - timedelta(minutes=11)
    refused = ask(ana.live(), "edit_message", message=message.id, body="New words.")
    assert (refused["code"], "10 minutes" in refused["error"]) == ("forbidden", True)
    page = ana.post(f"/messages/{message.id}/edit", body="New words.")
    assert page.status_code == 403
    assert "New words." in page.text
    assert "/edit" not in ana.get(f"/rooms/{stage.low_days}/chat").text


@pytest.mark.parametrize("who", ["ben", "mia", "ida"])
def test_only_the_author_changes_words(stage: Stage, ana: Person, who: str, request: pytest.FixtureRequest) -> None:
    message = ana.says("Mine.").message
    other: Person = request.getfixturevalue(who)
    assert ask(other.live(), "edit_message", message=message.id, body="Not mine.")["code"] == "forbidden"


def test_a_retry_of_words_that_were_changed_meanwhile_is_still_one_message(stage: Stage, ana: Person) -> None:
    message = ana.says("First.", key="same").message
    ask(ana.live(), "edit_message", message=message.id, body="Second.")
    again = ask(ana.live(), "write_message", room=stage.low_days, key="same", body="First.")
    assert (again["repeated"], again["message"]["body"]) == (True, "Second.")


# ---- keeping away


def keeps_away(person: Person, other: Person, kind: str) -> None:
    assert person.post(f"/people/{other.id}/apart", kind=kind).status_code == 303


def test_neither_of_two_people_meets_the_other_after_a_block(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    ana.says("Before, by Ana."), ben.says("Before, by Ben.")
    wires = {person.name: inside(stage, person) for person in (ana, ben, mia)}
    keeps_away(ana, ben, "block")
    for wire in wires.values():
        wire.get_received()
    ana.says("After, by Ana."), ben.says("After, by Ben.")
    bodies = {name: [told["body"] for event, told in heard(wire) if event == "message"] for name, wire in wires.items()}
    assert bodies == {"Ana": ["After, by Ana."], "Ben": ["After, by Ben."], "Mia": ["After, by Ana.", "After, by Ben."]}
    assert {line["author"] for line in read(stage, ana)["messages"]} == {"Ana"}
    assert {line["author"] for line in read(stage, ben)["messages"]} == {"Ben"}
    assert "by Ben" not in ana.get(f"/rooms/{stage.low_days}/chat").text
    assert len(read(stage, mia)["messages"]) == 4


def test_a_connection_made_later_keeps_away_too_and_undo_ends_it(stage: Stage, ana: Person, ben: Person) -> None:
    keeps_away(ana, ben, "block")
    wire = inside(stage, ben)
    ana.says("Not for Ben.")
    assert heard(wire) == []
    assert "Ben" in ana.get("/me/apart").text
    ana.post(f"/people/{ben.id}/meet")
    wire.get_received()
    ana.says("For everybody.")
    assert [told["body"] for event, told in heard(wire) if event == "message"] == ["For everybody."]
    assert len(read(stage, ben)["messages"]) == 2


def test_what_somebody_muted_wrote_is_sent_without_its_words_until_it_is_opened(stage: Stage, ana: Person, ben: Person) -> None:
    keeps_away(ana, ben, "mute")
    wire = inside(stage, ana)
    message = ben.says("Loud words.").message
    assert heard(wire) == []
    (line,) = read(stage, ana)["messages"]
    assert (line["state"], line["body"]) == ("muted", "")
    assert "Loud words." not in ana.get(f"/rooms/{stage.low_days}/chat").text
    assert "Loud words." in ana.get(f"/rooms/{stage.low_days}/chat?at={message.seq}&open={message.seq}").text
    ana.says("Quiet words.")
    assert len(read(stage, ben)["messages"]) == 2


def test_who_muted_somebody_can_still_answer_them(stage: Stage, ana: Person, ben: Person) -> None:
    keeps_away(ana, ben, "mute")
    loud = ben.says("Loud words.").message
    assert "Reply" in ana.get(f"/rooms/{stage.low_days}/chat").text
    page = ana.get(f"/rooms/{stage.low_days}/chat?reply={loud.seq}").text
    assert "(you muted them)" in page
    assert "Loud words." not in page
    assert write(ana.live(), stage, "I heard you.", reply_to=loud.seq)["ok"]
    assert [quote["words"] for quote in read(stage, ana)["quotes"]] == ["(you muted them)"]
    assert [quote["words"] for quote in read(stage, ben)["quotes"]] == ["Loud words."]


def test_open_screens_of_two_are_told_to_read_again_when_they_keep_apart_or_meet(
    stage: Stage, ana: Person, ben: Person, mia: Person
) -> None:
    wires = {person.name: inside(stage, person) for person in (ana, ben, mia)}
    told = {"block": ["Ana", "Ben"], "mute": ["Ana", "Ben"], "meet": ["Ana"]}  # Ben’s block ends as it becomes a mute
    for kind, names in told.items():
        if kind == "meet":
            ana.post(f"/people/{ben.id}/meet")
        else:
            keeps_away(ana, ben, kind)
        events = {name: [event for event, _ in heard(wire)] for name, wire in wires.items()}
        assert {name for name, names_of in events.items() if "apart_changed" in names_of} == set(names), kind


def test_an_answer_does_not_carry_blocked_words_to_a_third_person(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    keeps_away(ana, ben, "block")
    first = ben.says("Ben’s words.").message
    wire = inside(stage, ana)
    stage.person("Dev")
    write(mia.live(), stage, "I agree.", reply_to=first.seq)
    assert "Ben’s words." not in str(heard(wire))
    assert read(stage, ana)["quotes"] == []
    assert ask(ana.live(), "read_quote", room=stage.low_days, seq=first.seq)["quotes"] == []


def test_staff_cannot_be_blocked_and_meet_everybody(stage: Stage, ana: Person, mia: Person, ida: Person) -> None:
    for other in (mia, ida):
        assert ana.post(f"/people/{other.id}/apart", kind="block").status_code == 403
    assert mia.post(f"/people/{ana.id}/apart", kind="block").status_code == 403
    assert stage.ask(lambda: db.session().get_one(Account, ana.id).apart_count) == 0


# ---- rules of form


def test_slow_mode_asks_for_patience_and_spares_the_team(stage: Stage, ana: Person, mia: Person) -> None:
    settle(stage, slow_seconds=60)
    for person, answer in ((ana, "too-many"), (mia, None)):
        wire = person.live()
        write(wire, stage, f"First of {person.name}.")
        assert write(wire, stage, f"Second of {person.name}.").get("code") == answer
    assert "one message every 60 s" in ana.get(f"/rooms/{stage.low_days}/chat").text


def test_slow_mode_never_holds_back_a_cry_for_help(stage: Stage, ana: Person) -> None:
    settle(stage, slow_seconds=60)
    wire = ana.live()
    write(wire, stage, "Evening all.")
    assert "error" not in ask(wire, "write_message", room=stage.low_days, key="cry", body=WORRYING)
    assert write(wire, stage, "The tea is cold.").get("code") == "too-many"
    assert stage.ask(lambda: db.session().scalar(sa.select(Case.concern))) == "suicide"


def test_slow_mode_holds_back_nothing_that_nobody_could_scan(stage: Stage, ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(stage, slow_seconds=60)
    wire = ana.live()
    write(wire, stage, "Evening all.")
    monkeypatch.setattr(intake, "scan", lambda *_, **__: 1 / 0)
    assert "error" not in write(wire, stage, "The tea is cold.")


@pytest.mark.parametrize(
    ("rule", "body", "sentence"),
    [
        ({"links_by": "nobody"}, "See https://example.org", "nobody posts links"),
        ({"links_by": "settled", "link_days": 3}, "See www.example.org", "3 days"),
        ({}, "@everyone look", "everyone at once"),
        ({"mentions_max": 1}, "@ben @mia hello", "at most 1"),
        ({"mentions_max": 0}, "@ben hello", "no people"),
    ],
)
def test_rules_of_form_refuse_in_a_sentence(stage: Stage, ana: Person, rule: Any, body: str, sentence: str) -> None:
    settle(stage, **rule)
    refused = write(ana.live(), stage, body)
    assert refused["code"] == "forbidden"
    assert sentence in refused["error"]
    page = ana.post(f"/rooms/{stage.low_days}/chat", key="k", body=body)
    assert body in page.text


def test_settled_members_post_links_and_addresses_are_no_mentions(stage: Stage, ana: Person) -> None:
    settle(stage, links_by="settled", link_days=3, mentions_max=0)
    with stage.writing() as session:
        session.get_one(Account, ana.id).created_at = now() - timedelta(days=4)
    assert write(ana.live(), stage, "See https://example.org or write to me@example.org")["ok"]
