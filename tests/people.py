"""The cast as tests use it: people with a browser (`get`, `post`) and a live connection (`live`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Flask
from itsdangerous import URLSafeTimedSerializer

from community.accounts import actions as accounts
from community.accounts.models import Account
from community.chat import actions as chat
from community.core import db
from community.core.clock import now
from community.core.realtime import socketio
from community.forum import actions as forum
from community.lexicon.actions import import_starter_rules
from community.moderation.models import Case
from community.rooms.actions import add_member
from community.rooms.models import Room, StaffScope
from community.safety import CONCERNS
from community.training.models import Certificate, Shift

Made = TypeVar("Made")
PASSWORD = "a quiet password"
CSRF = "0123456789abcdef0123456789abcdef01234567"
WORRYING = "I don’t want to be here anymore"

HOUSE_RULES = [
    {"key": "kind", "title": "Be kind", "text": "We speak to each other as we would like to be spoken to."},
    {"key": "safe", "title": "Keep it safe", "text": "No methods, no numbers."},
]


def _cheap_hash() -> str:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


PASSWORD_HASH = _cheap_hash()


class Stage:
    """An app with rooms and rules; people come on it by name. `do` runs a verb as a door would: in a transaction."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.people: dict[str, Person] = {}
        self.low_days, self.eating = self.do(self._set)

    def _set(self) -> tuple[int, int]:
        accounts.add_house_rules(HOUSE_RULES)
        import_starter_rules()
        rooms = [
            Room(slug="low-days", name="Low days", mode="publish", created_at=now()),
            Room(slug="eating", name="Eating", mode="hold", created_at=now()),
        ]
        db.session().add_all(rooms)
        db.session().flush()
        return rooms[0].id, rooms[1].id

    def do(self, act: Callable[[], Made]) -> Made:
        with self.app.app_context(), db.write():
            return act()

    def ask(self, act: Callable[[], Made]) -> Made:
        with self.app.app_context():
            return act()

    @contextmanager
    def writing(self) -> Any:
        with self.app.app_context(), db.write() as session:
            yield session

    def cases(self) -> list[Case]:
        return self.ask(lambda: list(db.session().scalars(sa.select(Case).order_by(Case.id))))

    def person(
        self, name: str, *, role: str = "member", rooms: bool = False, concerns: Iterable[str] | str = (), on_call: bool = False,
        suspended: bool = False,
    ) -> Person:  # fmt: skip
        if name not in self.people:
            wanted = CONCERNS if concerns == "all" else concerns
            account_id = self.do(lambda: self._make(name, role, rooms, wanted, on_call, suspended))
            self.people[name] = Person(self, name, account_id)
        return self.people[name]

    def _make(self, name: str, role: str, rooms: bool, concerns: Iterable[str], on_call: bool, suspended: bool) -> int:
        account = accounts.add_account(accounts.NewAccount(name=name, password_hash=PASSWORD_HASH, country="GB", role=role))
        database = db.session()
        if rooms:
            for room in (self.low_days, self.eating):
                add_member(database.get_one(Room, room), account.id)
        if role != "member":
            database.add(StaffScope(account_id=account.id, room_id=None))
        for concern in concerns:
            database.add(
                Certificate(account_id=account.id, concern=concern, granted_at=now(), expires_at=now() + timedelta(days=365))
            )
        if on_call:
            database.add(
                Shift(
                    account_id=account.id,
                    kind="on-call",
                    starts_at=now() - timedelta(hours=1),
                    ends_at=now() + timedelta(hours=8),
                )
            )
        if suspended:
            accounts.restrict(account, decision_id=-account.id, until=now() + timedelta(days=7))
        return account.id


class Person:
    """Somebody of the cast."""

    def __init__(self, stage: Stage, name: str, account_id: int) -> None:
        self.stage, self.name, self.id = stage, name, account_id
        self._client: Any = None
        self.token = ""

    def account(self) -> Account:
        """Fresh from the database; call inside `stage.do` or `stage.ask`."""
        return db.session().get_one(Account, self.id)

    @property
    def client(self) -> Any:
        """A signed-in browser."""
        if self._client is None:
            self._client = self.stage.app.test_client()
            self.token = self.stage.do(lambda: accounts.sign_in(self.account(), days=30))
            with self._client.session_transaction() as cookie:
                cookie.update(_user_id=self.token, _fresh=True, csrf_token=CSRF)
        return self._client

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def post(self, path: str, _follow: bool = False, **fields: Any) -> Any:
        """Send a form with a valid CSRF token."""
        return self.client.post(path, data={"csrf_token": self.csrf(), **fields}, follow_redirects=_follow)

    def csrf(self) -> str:
        return str(URLSafeTimedSerializer(self.stage.app.secret_key or "", salt="wtf-csrf-token").dumps(CSRF))

    def live(self, namespace: str = "/") -> Any:
        """A live connection with this browser's cookie."""
        return socketio.test_client(self.stage.app, namespace=namespace, flask_test_client=self.client)

    # What people do, through the verbs both doors call.

    def says(self, words: str, *, room: int | None = None, key: str = "") -> Any:
        """A chat message."""
        room_id = room or self.stage.low_days
        return self.stage.do(
            lambda: chat.write_message(
                self.account(), room_id, body=words, key=key or f"k{id(words)}{now().timestamp()}", limit=2000
            )
        )

    def opens(self, title: str, words: str, *, room: int | None = None) -> Any:
        """A topic."""
        room_id = room or self.stage.low_days
        return self.stage.do(
            lambda: forum.open_topic(
                self.account(), room_id, title=title, body=words, form_key=f"f{now().timestamp()}", limits=(120, 10_000)
            )
        )

    def answers(self, topic_id: int, words: str) -> Any:
        return self.stage.do(
            lambda: forum.write_post(self.account(), topic_id, body=words, form_key=f"f{now().timestamp()}", limit=10_000)
        )
