"""What breaks between two processes costs nobody a word: recounted after each fault.

Content note: plain words and phrases that worry (in crowd.py).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from community.chat.models import Message
from community.core import db
from community.core.clock import now
from community.sessions import arriving, clock
from community.sessions.models import Facilitator
from tests import live, servers
from tests.faults import breaking
from tests.faults.breaking import redis_dead, redis_frozen
from tests.faults.crowd import connect, cookie_of, go_on, write_and_go_on, writing
from tests.faults.towns import Grown
from tests.people import Person
from tests.sessions.staging import opened, room_of, state

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("faults-grown")]
CAUGHT_UP_S = live.PATIENCE
"""How soon is for the bench to say; here it is that it happens."""


def test_kill_9_in_the_middle_of_writing_loses_and_doubles_nothing(grown: Grown) -> None:
    """The writers of the other process go on meanwhile."""
    writers = grown.writers_on(0, 0, 1, 1)
    with writing(*writers):
        go_on(writers)
        for number in range(5):
            server = grown.servers[number % 2]
            breaking.kill_workers(server, [writer for writer in writers if writer.server is server])
    grown.recount()


def test_a_restarted_database_loses_nothing(grown: Grown) -> None:
    writers = grown.writers_on(0, 0, 1, 1)
    with writing(*writers):
        go_on(writers)
        servers.restart(grown.database)
        go_on(writers)
    grown.recount()


def test_a_process_that_is_stopped_holds_nobody_else_up_for_long_and_loses_nothing(grown: Grown) -> None:
    """Wherever it stands still, inside a transaction or not: the database ends that transaction, and the others go on."""
    writers, frozen = grown.writers_on(0, 0, 1, 1), grown.servers[1]
    with writing(*writers):
        go_on(writers)
        with live.stopped(frozen.pid, *frozen.workers()):
            go_on(writers[:2], more=20)
        go_on(writers)
    grown.recount()


Silent = Callable[[Grown], Any]


@pytest.mark.parametrize("silent", [redis_frozen, redis_dead])
def test_without_redis_everything_is_taken_and_nothing_is_lost(grown: Grown, silent: Silent) -> None:
    writers = grown.writers_on(0, 0, 1, 1)
    with writing(*writers):
        go_on(writers)
        for writer in writers:
            writer.slowest = 0.0
        with silent(grown):
            go_on(writers, more=40)
        go_on(writers)
    grown.recount()
    assert max(writer.slowest for writer in writers) < 3


@pytest.mark.browser
@pytest.mark.parametrize("silent", [redis_frozen, redis_dead])
def test_without_redis_a_screen_on_the_other_process_catches_up(grown: Grown, silent: Silent) -> None:
    """It hears the new words and loses the hidden ones; once Redis is back, it hears at once again."""
    ana, ben = grown.people("Ana", "Ben")
    room = grown.a_room(ana, ben)
    writer = live.Screen(connect(grown.servers[0], ana), room)
    write_and_go_on(writer, "Before.")
    with _screen(grown.servers[1], ben, room) as page:
        _shows(page, ["Before."])
        with silent(grown):
            write_and_go_on(writer, "Without Redis.")
            _shows(page, ["Before.", "Without Redis."])
            write_and_go_on(writer, "Still without.")
            grown.stage.do(lambda: _hide(room, seq=1))
            _shows(page, ["Without Redis.", "Still without."])
        live.until(lambda: writer.wire.ask("enter_room", room=room)["live"], CAUGHT_UP_S, "the process hears again")
        other = connect(grown.servers[1], ben)
        live.until(lambda: other.ask("enter_room", room=room)["live"], CAUGHT_UP_S, "the other one as well")
        write_and_go_on(writer, "Redis is back.")
        live.until(lambda: any(name == "message" for name, *_ in list(other.heard.queue)), 1, "heard at once")
        _shows(page, ["Without Redis.", "Still without.", "Redis is back."])


@contextmanager
def _screen(server: live.Server, person: Person, room: int) -> Iterator[Any]:
    context = live.chromium().new_context()
    context.add_cookies([{"name": "kith", "value": cookie_of(person).removeprefix("kith="), "url": server.url}])
    page = context.new_page()
    with page.expect_websocket():
        page.goto(f"{server.url}/rooms/{room}/chat")
    yield page
    context.close()


def _shows(page: Any, words: list[str]) -> None:
    from playwright.sync_api import expect

    expect(page.locator(".bubble")).to_have_text(words, timeout=CAUGHT_UP_S * 1000)


def _hide(room: int, seq: int) -> None:
    found = db.session().scalars(sa.select(Message).where(Message.room_id == room, Message.seq == seq)).one()
    found.visibility = "hidden"
    found.changed()


def test_a_session_notices_that_its_facilitator_was_lost_with_a_process_and_goes_on_when_they_are_back(grown: Grown) -> None:
    """Nobody says goodbye for a process that was killed, and the other one must not vouch for who was there."""
    lea, ben = grown.people("Lea", role="moderator", rooms=True, concerns="all")[0], grown.people("Ben", rooms=True)[0]
    session = opened(grown.stage, lea)
    room = room_of(grown.stage, session)
    grown.stage.do(lambda: arriving.arrive(ben.account(), session, accepts=True, step=3, words=""))
    leads, listens = connect(grown.servers[0], lea), connect(grown.servers[1], ben)
    assert leads.ask("enter_room", room=room)["ok"]
    assert listens.ask("enter_room", room=room)["ok"]
    a_while_ago = now() - clock.PRESENT_FOR * 2
    _seen(grown, session, a_while_ago)
    live.until(lambda: _last_seen(grown, session) > a_while_ago, 30, "the process of the facilitator says that they are there")
    (worker,) = grown.servers[0].workers()
    os.kill(worker, signal.SIGKILL)
    live.until(lambda: leads.closed.is_set(), 10, "the connection is gone")
    _seen(grown, session, a_while_ago)  # as if the time had passed
    live.until(lambda: state(grown.stage, session).state == "paused", 30, "the session pauses")
    assert not listens.ask("write_message", room=room, key="k", body="Is anybody here?")["ok"]
    back = connect(grown.servers[1], lea)
    assert back.ask("enter_room", room=room)["ok"]
    live.until(lambda: state(grown.stage, session).state == "open", 30, "the session goes on")
    assert listens.ask("write_message", room=room, key="k", body="Good that you are back.")["ok"]


def _seen(grown: Grown, session: int, moment: datetime) -> None:
    grown.stage.do(
        lambda: db.session().execute(sa.update(Facilitator).where(Facilitator.session_id == session).values(seen_at=moment))
    )


def _last_seen(grown: Grown, session: int) -> datetime:
    seen = sa.select(Facilitator.seen_at).where(Facilitator.session_id == session)
    return grown.stage.ask(lambda: db.session().scalars(seen).one())  # type: ignore[arg-type, return-value]
