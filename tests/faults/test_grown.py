"""What breaks between two processes costs nobody a word: recounted after each fault.

Content note: plain words and phrases that worry (in crowd.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from community.chat.models import Message
from community.core import db
from tests import live, servers
from tests.faults import breaking
from tests.faults.breaking import redis_dead, redis_frozen
from tests.faults.crowd import connect, cookie_of, go_on, write_and_go_on, writing
from tests.faults.towns import Grown
from tests.people import Person

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("faults-grown")]
CAUGHT_UP_S = 5.0


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
def test_without_redis_a_screen_on_the_other_process_catches_up_in_five_seconds(grown: Grown, silent: Silent) -> None:
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
