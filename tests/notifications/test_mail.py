"""E-mail goes out from rows: late rather than never, twice rather than lost, and without a word about anybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from community import create_app
from community.accounts.models import Account
from community.core import db, jobs
from community.core.clock import now
from community.notifications.actions import notify
from community.notifications.jobs import send_due_mail
from community.notifications.models import Notification
from config import Config
from tests.notifications.mailbox import Mailbox, mailbox
from tests.people import Stage


@pytest.fixture
def post() -> Iterator[Mailbox]:
    with mailbox() as server:
        yield server


@pytest.fixture
def mailing(config: Config, post: Mailbox) -> Iterator[Stage]:
    """A stage with a mail server, on which Ana gave an address."""
    more = config.model_copy(
        update={
            "mail_server": "127.0.0.1", "mail_port": post.port, "mail_use_tls": False, "mail_from": "kith@example.org",
            "site_url": "https://kith.example.org",
        }
    )  # fmt: skip
    app = create_app(more)
    made = Stage(app)
    give_address(made)
    yield made
    app.extensions["kith_engine"].dispose()


def give_address(stage: Stage) -> None:
    ana = stage.person("Ana").id
    stage.do(lambda: db.session().execute(sa.update(Account).where(Account.id == ana).values(email="ana@example.org")))


def tell(stage: Stage, name: str, **data: Any) -> None:
    person = stage.person(name)
    stage.do(lambda: notify(person.id, "decision", mail=True, reason="a very private reason", excerpt="private words", **data))


def turn(stage: Stage) -> None:
    with stage.app.app_context():
        send_due_mail()


def states(stage: Stage) -> list[str]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(Notification.mail_state).order_by(Notification.id))))


def test_what_is_due_is_sent_once_and_says_nothing_private(mailing: Stage, post: Mailbox) -> None:
    tell(mailing, "Ana")
    turn(mailing)
    turn(mailing)
    [(to, words)] = post.mails
    assert to == "ana@example.org"
    assert "https://kith.example.org/notifications" in words
    assert "private" not in words
    assert "Ana" not in words
    assert states(mailing) == ["sent"]


def test_much_news_is_one_email(mailing: Stage, post: Mailbox) -> None:
    tell(mailing, "Ana")
    tell(mailing, "Ana")
    turn(mailing)
    assert len(post.mails) == 1
    assert states(mailing) == ["sent", "sent"]


def test_who_gave_no_address_gets_none(mailing: Stage, post: Mailbox) -> None:
    tell(mailing, "Ben")
    turn(mailing)
    assert post.mails == []
    assert states(mailing) == ["none"]


def test_what_was_read_meanwhile_needs_no_email(mailing: Stage, post: Mailbox) -> None:
    tell(mailing, "Ana")
    mailing.person("Ana").get("/notifications")
    turn(mailing)
    assert post.mails == []
    assert states(mailing) == ["none"]


def test_without_a_mail_server_nothing_waits(stage: Stage) -> None:
    give_address(stage)
    tell(stage, "Ana")
    turn(stage)
    assert states(stage) == ["none"]


def test_a_mail_server_that_is_away_is_tried_again_later_and_later(mailing: Stage, post: Mailbox) -> None:
    post.refuses = True
    started = now()
    with time_machine.travel(started, tick=False) as clock:
        tell(mailing, "Ana")
        waits = []
        for _ in range(5):
            turn(mailing)
            due = mailing.ask(lambda: db.session().scalars(sa.select(Notification.mail_next_at)).one())
            waits.append(due - now())
            clock.move_to(due - timedelta(seconds=1))
            turn(mailing)  # too early: nothing happens
            assert mailing.ask(lambda: db.session().scalars(sa.select(Notification.mail_next_at)).one()) == due
            clock.move_to(due)
        assert [wait.total_seconds() / 60 for wait in waits] == [1, 5, 30, 120, 720]
        turn(mailing)
    assert states(mailing) == ["failed"]
    assert post.mails == []


def test_after_a_night_without_a_mail_server_the_email_arrives(mailing: Stage, post: Mailbox) -> None:
    post.refuses = True
    with time_machine.travel(now(), tick=False) as clock:
        tell(mailing, "Ana")
        turn(mailing)
        post.refuses = False
        clock.shift(timedelta(minutes=2))
        turn(mailing)
    assert [to for to, _ in post.mails] == ["ana@example.org"]
    assert states(mailing) == ["sent"]


def test_a_mail_server_nobody_answers_at_loses_nothing(mailing: Stage, post: Mailbox) -> None:
    mailing.app.extensions["mailman"].port = 1
    tell(mailing, "Ana")
    turn(mailing)
    assert states(mailing) == ["due"]
    assert post.mails == []


def test_one_bad_address_does_not_stop_the_others(mailing: Stage, post: Mailbox) -> None:
    ben = mailing.person("Ben").id
    mailing.do(lambda: db.session().execute(sa.update(Account).where(Account.id == ben).values(email="ben\n@example.org")))
    tell(mailing, "Ben")
    tell(mailing, "Ana")
    turn(mailing)
    assert [to for to, _ in post.mails] == ["ana@example.org"]
    assert sorted(states(mailing)) == ["due", "sent"]


def test_nothing_is_sent_inside_a_transaction(mailing: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow mail server must not keep anybody from writing."""
    wrote: list[str] = []

    def slow(_address: str) -> bool:
        with db.write():  # refused inside another write()
            wrote.append("a post of somebody else")
        return True

    monkeypatch.setattr("community.notifications.jobs._sent", slow)
    tell(mailing, "Ana")
    turn(mailing)
    assert wrote == ["a post of somebody else"]


def test_the_timer_is_declared() -> None:
    assert "community.notifications.jobs.send_due_mail" in {declared.name for declared in jobs.SWEEPS}
