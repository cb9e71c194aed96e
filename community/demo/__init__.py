"""Demo content: the cast, six rooms, believable conversations, cases in all severities.

Everything goes through the same verbs as real words do, at pretended times in the past, in one transaction: half a demo is none.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from community.accounts.actions import NewAccount, add_account
from community.accounts.models import Account, HouseRule
from community.chat.actions import write_message
from community.core import clock, db
from community.forum.actions import open_topic, write_post
from community.moderation import actions as desk
from community.moderation.deadlines import due_after
from community.moderation.models import Case, Decision, Snapshot
from community.moderation.reviewable import Reviewable
from community.rooms.actions import add_member, look_after_everything
from community.rooms.hours import Hours, Span
from community.rooms.models import Room
from community.safety import CONCERNS
from community.training.actions import add_shift, certify

from .sessions import add_session

CONTENT = Path(__file__).with_name("content.toml")
SIGN_INS = "demo-signins.txt"
CAST = {
    "Ana": "member",
    "Ben": "member",
    "Dev": "member",
    "Mia": "moderator",
    "Noa": "moderator",
    "Sol": "senior",
    "Ida": "admin",
    "Sam": "member",
}
CERTIFIED = {"Mia": ("suicide", "self-harm"), "Sol": CONCERNS}
NO_PASSWORD = "!"  # nobody signs in as the people around the cast
SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
LEASE_MINUTES = 10
WELCOME = "Thank you for writing this. It keeps to the rules of this room, and everyone here can read and answer it now."


def keep_sign_ins(folder: Path, passwords: dict[str, str]) -> None:
    """`name password` lines that only the owner of the folder can read."""
    path = folder / SIGN_INS
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.writelines(f"{name} {password}\n" for name, password in passwords.items())


def load(hashes: dict[str, str], content: dict[str, Any] | None = None) -> None:
    """Everything, in the caller's transaction."""
    Demo(content or tomllib.loads(CONTENT.read_text()), hashes).load()


def ago(text: str) -> timedelta:
    """ "3d 4h" -> that long."""
    return timedelta(seconds=sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)\s*([dhms])", text)))


@dataclass
class Demo:
    content: dict[str, Any]
    hashes: dict[str, str]
    people: dict[str, Account] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    written: dict[str, Reviewable] = field(default_factory=dict)  # label -> words
    keys: Iterator[int] = field(default_factory=count)

    def load(self) -> None:
        self.start = clock.now()
        with clock.pretend(self.start - timedelta(days=120)):
            self._make_rooms()
            self._make_people()
        self._certify_and_roster()
        for at, act in sorted(self._acts(), key=lambda pair: pair[0]):
            with clock.pretend(at):
                act()
        self._settle_due_times()
        self._set_hours()
        for place, entry in enumerate(self.content.get("sessions", ())):
            add_session(entry, self._begins(entry), self.people, self.rooms[entry["room"]], f"demo-session-{place}")

    def _begins(self, entry: dict[str, Any]) -> datetime:
        """On the hour, as people plan."""
        moment = self.start + ago(entry["ahead"]) if "ahead" in entry else self._at(entry)
        return moment.replace(minute=0, second=0, microsecond=0)

    def _set_hours(self) -> None:
        """Last: what was said before was said in hours that somebody watched. A stranger tries the demo at any hour, so the
        chats are quiet at night, not slow."""
        for room in self.rooms.values():
            if room.slug == "night-owls":
                week = [Span(day, 1200, 1560) for day in range(7)]
            else:
                week = [Span(day, 480, 1320) for day in range(7)]
                if room.slug == "bipolar":
                    week += [Span(day, 1380, 1800, "night") for day in range(7)]
            room.hours, room.waits_unstaffed = Hours(tuple(week)), room.slug != "low-days"

    def _make_rooms(self) -> None:
        for place, entry in enumerate(self.content["rooms"]):
            room = Room(
                slug=entry["key"], name=entry["name"], purpose=entry["purpose"], guidance=entry["guidance"], mode=entry["mode"],
                has_forum=entry["has_forum"], has_chat=entry["has_chat"], position=place, created_at=clock.now(),
                profile=entry.get("profile", "general"), outside_hours="quiet",
            )  # fmt: skip
            db.session().add(room)
            self.rooms[entry["key"]] = room
        db.session().flush()

    def _make_people(self) -> None:
        for name in (*CAST, *sorted(self._voices() - set(CAST))):
            made = add_account(
                NewAccount(name, self.hashes.get(name, NO_PASSWORD), "GB", role=CAST.get(name, "member"), is_demo=True)
            )
            self.people[name] = made
            for key in self._rooms_of(name):
                add_member(self.rooms[key], made.id)
        for name in ("Mia", "Noa", "Sol", "Ida"):
            look_after_everything(self.people[name])
        self.people["Ben"].created_at = self.start - timedelta(hours=6)

    def _voices(self) -> set[str]:
        posts = [post for topic in self.content["topics"] for post in topic["posts"]]
        return {entry["author"] for entry in [*posts, *self.content["chat"]]}

    def _rooms_of(self, name: str) -> set[str]:
        """People are in the rooms they speak in; Ana and Ben are also in Low days, where the story begins. Dev is in none."""
        spoken = {line["room"] for line in self.content["chat"] if line["author"] == name}
        spoken |= {topic["room"] for topic in self.content["topics"] for post in topic["posts"] if post["author"] == name}
        return spoken | ({"low-days"} if name in ("Ana", "Ben") else set())

    def _certify_and_roster(self) -> None:
        ida, now = self.people["Ida"], self.start
        with clock.pretend(now - timedelta(days=60)):
            for name, concerns in CERTIFIED.items():
                for concern in concerns:
                    certify(ida, self.people[name], concern, days=365)
        add_shift(ida, self.people["Mia"], "duty", now - timedelta(hours=1), now + timedelta(hours=11))
        add_shift(ida, self.people["Sol"], "on-call", now - timedelta(hours=1), now + timedelta(days=7))

    def _acts(self) -> Iterator[tuple[datetime, Callable[[], None]]]:
        for topic in self.content["topics"]:
            yield from self._topic_acts(topic)
        for line in self.content["chat"]:
            yield self._at(line), lambda line=line: self._say(line)  # type: ignore[misc]
        for kind, act in (("reports", self._report), ("decisions", self._decide), ("appeals", self._appeal)):
            for entry in self.content.get(kind, ()):
                yield self._at(entry), lambda entry=entry, act=act: act(entry)  # type: ignore[misc]

    def _topic_acts(self, topic: dict[str, Any]) -> Iterator[tuple[datetime, Callable[[], None]]]:
        made: list[int] = []
        for entry in topic["posts"]:
            yield self._at(entry), lambda entry=entry: self._post(topic, made, entry)  # type: ignore[misc]

    def _at(self, entry: dict[str, Any]) -> datetime:
        return self.start - ago(entry["ago"])

    def _post(self, topic: dict[str, Any], made: list[int], entry: dict[str, Any]) -> None:
        author, key = self.people[entry["author"]], f"demo-{next(self.keys)}"
        if made:
            post = write_post(author, made[0], body=entry["body"], form_key=key, limit=20_000).post
        else:
            room = self.rooms[topic["room"]].id
            post = open_topic(author, room, title=topic["title"], body=entry["body"], form_key=key, limits=(300, 20_000)).post
            made.append(post.topic_id)
            if post.visibility == "held" and len(topic["posts"]) > 1:
                self._publish_held(post)
        self._remember(entry, post)

    def _say(self, line: dict[str, Any]) -> None:
        author, room = self.people[line["author"]], self.rooms[line["room"]]
        self._remember(
            line, write_message(author, room.id, body=line["body"], key=f"demo-{next(self.keys)}", limit=4_000).message
        )

    def _remember(self, entry: dict[str, Any], item: Reviewable) -> None:
        if "label" in entry:
            self.written[entry["label"]] = item

    def _report(self, entry: dict[str, Any]) -> None:
        item = self.written[entry["target"]]
        if item.in_sight():  # words a rule holds are seen by nobody who could report them
            desk.report(self.people[entry["by"]], item.kind, item.id, concern=entry["concern"], note=entry["note"])

    def _publish_held(self, item: Reviewable) -> None:
        """A held topic that people answered was looked at first, as it would be."""
        with clock.pretend(clock.now() + timedelta(minutes=2)):
            self._rule(
                self._case_about(item), self.people["Sol"], {"outcome": "leave", "rule": self._any_rule(), "reason": WELCOME}
            )

    def _any_rule(self) -> str:
        return db.session().scalars(sa.select(HouseRule.key).order_by(HouseRule.position)).first() or ""

    def _decide(self, entry: dict[str, Any]) -> None:
        self._rule(self._case_of(entry), self.people[entry["by"]], entry)

    def _rule(self, case: Case, decider: Account, entry: dict[str, Any]) -> None:
        desk.claim(decider, case.id, lease_minutes=LEASE_MINUTES)
        snapshot = (
            db.session().scalars(sa.select(Snapshot.id).where(Snapshot.case_id == case.id).order_by(Snapshot.id.desc())).first()
        )
        ruling = desk.Ruling(
            outcome=entry["outcome"], rule_key=entry["rule"], reason=entry["reason"], version=case.version, snapshot_id=snapshot or 0,
            days=entry.get("days", 14) if entry["outcome"] == "suspend" else 0, hide_words=entry["outcome"] == "suspend",
        )  # fmt: skip
        desk.decide(decider, case.id, ruling)

    def _appeal(self, entry: dict[str, Any]) -> None:
        case = self._case_of(entry)
        decision = (
            db.session().scalars(sa.select(Decision).where(Decision.case_id == case.id).order_by(Decision.id.desc())).first()
        )
        if decision is None:
            raise ValueError(f"demo content: {entry['target']} was appealed before it was decided")
        desk.appeal(self.people[self._author_of(entry)], decision.id, words=entry["text"], days=365)

    def _author_of(self, entry: dict[str, Any]) -> str:
        author_id = self.written[entry["target"]].author_id
        return next(name for name, account in self.people.items() if account.id == author_id)

    def _case_of(self, entry: dict[str, Any]) -> Case:
        return self._case_about(self.written[entry["target"]])

    def _case_about(self, item: Reviewable) -> Case:
        return db.session().scalars(sa.select(Case).where(Case.target_kind == item.kind, Case.target_id == item.id)).one()

    def _settle_due_times(self) -> None:
        """The open cases of the demo count from now, so that the clock does not shout at once."""
        for case in db.session().scalars(sa.select(Case).where(Case.state != "closed")):
            case.due_at = case.louder_at = max(case.due_at, due_after(case.severity))
