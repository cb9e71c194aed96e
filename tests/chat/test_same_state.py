"""A screen that hears events late, twice, out of order or never, and then reads again, shows what a fresh one shows.

The screen here is a small model of `chat.ledger.mjs`: versions decide, gaps are asked for, an answer is complete between its ends.
Content note: one plain sentence about not wanting to be here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from community.accounts import blocking
from community.chat import actions, queries, reading
from community.chat.models import Message
from community.core import db, realtime
from community.core.clock import now
from community.core.errors import Refused
from community.moderation.reviewable import find
from community.rooms.actions import add_member
from community.rooms.models import Room
from tests.people import WORRYING, Person, Stage


class Screen:
    def __init__(self) -> None:
        self.through, self.newest = 0, 0
        self.messages: dict[int, dict[str, Any]] = {}
        self.gone: dict[int, int] = {}
        self.stale: list[int] = []

    def hear(self, name: str, told: dict[str, Any]) -> None:
        if name == "apart_changed":
            self.stale.append(1)
            return
        seq, known = told["seq"], self.messages.get(told["seq"])
        self.newest = max(self.newest, seq)
        if name == "message_reacted":
            if known and told["version"] > known["version"] + 1:
                self.stale.append(seq)
            elif known and told["version"] > known["version"]:
                self.messages[seq] = {**known, "version": told["version"], "reactions": told["reactions"]}
            return
        if seq == self.through + 1:
            self.through = seq
        if name == "message":
            self._put(told)
        elif not known or told["version"] >= known["version"]:
            self.gone[seq] = max(told["version"], self.gone.get(seq, 0))
            self.messages.pop(seq, None)

    def _put(self, told: dict[str, Any]) -> None:
        known = self.messages.get(told["seq"])
        if told["version"] >= max(known["version"] if known else 0, self.gone.get(told["seq"], 0)):
            self.messages[told["seq"]] = told

    def settle(self, answer: queries.Stretch) -> None:
        held = {message["seq"] for message in answer.messages}
        for seq in list(self.messages):
            if answer.start <= seq <= answer.through and seq not in held:
                del self.messages[seq]
        for message in answer.messages:
            self._put(message)
        self.through, self.stale = max(self.through, answer.through), []

    def unread(self, reader: Person, since: int) -> list[int]:
        """The numbers that the screen draws below its line."""
        shown = (each for each in self.messages.values() if each["state"] == "visible" and each["author_id"] != reader.id)
        return sorted(each["seq"] for each in shown if each["seq"] > since)

    def asks_from(self, *, came_back: bool) -> int | None:
        """What the page asks for: everything after a lost connection, otherwise only what it knows to have missed."""
        if came_back:
            return 0
        wanted = [seq - 1 for seq in self.stale] + ([self.through] if self.newest > self.through else [])
        return min(wanted, default=None)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(
            ["write", "worry", "reply", "edit", "withdraw", "react", "unreact", "hide", "restore", "block", "mute", "meet"]
        ),
        st.integers(0, 7),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=14,
)


class Talk:
    """Two people and a moderator's hand in one room of a real database."""

    def __init__(self, stage: Stage, people: tuple[Person, Person], reader: Person) -> None:
        self.stage, self.people, self.count = stage, people, 0
        self.reader, self.silent = reader, frozenset[int]()
        for person in people:
            stage.do(lambda who=person.id: blocking.meet_again(reader.account(), who))  # type: ignore[misc]
        with stage.writing() as session:
            room = Room(slug=uuid4().hex, name="Kitchen", mode="hold", write_by="joined", created_at=now())
            session.add(room)
            session.flush()
            self.room = room.id
            for person in people:
                add_member(room, person.id)

    def does(self, move: str, which: int, who: int) -> None:
        actor = self.people[who]
        try:
            self.stage.do(lambda: self._act(move, which, actor))
        except Refused:
            return  # a refused act leaves nothing behind: the comparison below would show it

    def _act(self, move: str, which: int, actor: Person) -> None:
        if move in ("block", "mute", "meet"):
            self._keeps_away(move, actor)
            return
        if move in ("write", "worry", "reply"):
            self.count += 1
            body = WORRYING if move == "worry" else f"Line {self.count}."
            answered = which + 1 if move == "reply" else None
            key = f"{self.room}-{self.count}"
            actions.write_message(actor.account(), self.room, body=body, key=key, limit=2000, reply_to=answered)
            return
        found = db.session().query(Message).filter_by(room_id=self.room, seq=which + 1).one_or_none()
        if found is None:
            return
        if move in ("hide", "restore"):
            if found.visibility in ({"visible", "held"} if move == "hide" else {"hidden", "held"}):
                found.visibility = "hidden" if move == "hide" else "visible"
                find("message", found.id).changed()
            return
        self.count += 1
        verbs: dict[str, Callable[[], Any]] = {
            "edit": lambda: actions.edit_message(
                actor.account(),
                found.id,
                body=WORRYING if self.count % 4 == 0 else f"Now {self.count}.",
                limit=2000,
                minutes=10,
                note=None if self.count % 3 else f"note {self.count}",
            ),
            "withdraw": lambda: actions.withdraw_message(actor.account(), found.id),
            "react": lambda: actions.react(actor.account(), found.id, "hug", on=True),
            "unreact": lambda: actions.react(actor.account(), found.id, "hug", on=False),
        }
        verbs[move]()

    def unread(self, reader: Person, since: int) -> reading.Unread:
        room = lambda: db.session().get_one(Room, self.room)  # noqa: E731
        self.stage.do(lambda: reading.note_read(reader.account(), room(), since))
        return self.stage.ask(lambda: reading.unread_in(reader.account(), room()))

    def _keeps_away(self, move: str, other: Person) -> None:
        if move == "meet":
            blocking.meet_again(self.reader.account(), other.id)
        else:
            blocking.keep_away(self.reader.account(), other.id, move)
        db.session().flush()
        self.silent = blocking.apart_from(self.reader.account()).silent
        db.after_commit(lambda: realtime.socketio.emit("apart_changed", {"room": self.room}))

    def read(self, reader: Person, seq: int) -> queries.Stretch:
        return self.stage.ask(lambda: queries.messages_after(reader.account(), db.session().get_one(Room, self.room), seq))


def told_in(room: int, events: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    names = ("message", "message_hidden", "message_reacted", "apart_changed")
    return [(name, told) for name, told in events if name in names and told["room"] == room]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES, data=st.data())
def test_events_in_any_order_and_a_reading_give_what_is_stored(
    app: Flask, stage: Stage, dev: Person, moves: list[tuple[str, int, int]], data: Any
) -> None:
    events: list[tuple[str, dict[str, Any]]] = []
    talk = Talk(stage, (stage.person("Ana"), stage.person("Ben")), dev)

    def emit(name: str, told: dict[str, Any], **_where: Any) -> None:
        if told.get("author_id") not in talk.silent:  # as every manager leaves out who keeps apart
            events.append((name, told))

    kept, realtime.socketio.emit = realtime.socketio.emit, emit
    try:
        for move in moves:
            talk.does(*move)
    finally:
        realtime.socketio.emit = kept
    told = told_in(talk.room, events)
    in_order, shuffled = Screen(), Screen()
    for event in told:
        in_order.hear(*event)
    mixed = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=4)) if told else told))
    for event in mixed[: data.draw(st.integers(0, len(mixed)))]:
        shuffled.hear(*event)
    fresh = {message["seq"]: message for message in talk.read(dev, 0).messages}
    if (start := in_order.asks_from(came_back=False)) is not None:
        in_order.settle(talk.read(dev, start))
    shuffled.settle(talk.read(dev, shuffled.asks_from(came_back=True) or 0))
    assert in_order.messages == fresh
    assert shuffled.messages == fresh
    since = data.draw(st.integers(0, shuffled.through))
    new, counted = shuffled.unread(dev, since), talk.unread(dev, since)
    assert (counted.first, counted.number) == (new[0] if new else None, len(new)), "the line, the link and the number agree"
