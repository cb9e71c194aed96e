"""Authority that is lost is silence within a second: in every process, with Redis and without."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from community.accounts import actions as accounts
from community.accounts import blocking
from community.core import db
from community.core.clock import now
from community.rooms import actions as rooms
from community.rooms.models import Room
from community.training.models import Certificate
from tests import live
from tests.faults.breaking import redis_dead, redis_frozen
from tests.faults.crowd import GONE, close_all, connect
from tests.faults.towns import Grown
from tests.people import PASSWORD_HASH, Person, Stage

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("faults-grown")]
AT_ONCE_S = 1.0


def signs_out(stage: Stage, person: Person, room: int) -> None:
    accounts.sign_out_everywhere(person.account())


def is_suspended(stage: Stage, person: Person, room: int) -> None:
    accounts.restrict(person.account(), decision_id=-person.id, until=now() + timedelta(days=1))


def leaves(stage: Stage, person: Person, room: int) -> None:
    rooms.leave_room(person.account(), room)


def is_removed(stage: Stage, person: Person, room: int) -> None:
    rooms.take_out_of_room(stage.person("Ida").account(), room, person.id)


def sees_the_room_archived(stage: Stage, person: Person, room: int) -> None:
    rooms.archive_room(stage.person("Ida").account(), room)


def sees_the_room_become_the_teams(stage: Stage, person: Person, room: int) -> None:
    db.session().get_one(Room, room).read_by = "staff"
    rooms.everyone_checked_again()


def has_the_password_changed_elsewhere(stage: Stage, person: Person, room: int) -> None:
    account = person.account()
    account.session_id = -1  # another sign-in than the one of these connections
    accounts.change_password(account, PASSWORD_HASH)


LOSSES = [
    signs_out,
    is_suspended,
    leaves,
    is_removed,
    sees_the_room_archived,
    sees_the_room_become_the_teams,
    has_the_password_changed_elsewhere,
]
Loses = Callable[[Stage, Person, int], None]


def silenced(town: Grown, loses: Loses) -> None:
    """Two connections of one person, one to each process, in a room where others go on: admins write where members may not."""
    ben, _, person = _cast(town)
    room = town.a_room(ben, person, read_by="joined")
    writers, wires = _in_both(town, ben, room), _in_both(town, person, room)
    town.stage.do(lambda: loses(town.stage, person, room))
    over = time.monotonic() + AT_ONCE_S
    live.until(lambda: not any(_accepted(wire, room) for wire in wires), AT_ONCE_S, "nothing more is accepted")
    live.until(lambda: not _heard(writers, wires) or time.monotonic() > over, 2 * AT_ONCE_S)
    assert not _heard(writers, wires), "nothing more is heard"
    close_all([screen.wire for screen in (*writers, *wires)])


def _cast(town: Grown) -> list[Person]:
    return [*town.people("Ben", "Ida", role="admin"), *town.people(f"Eve{time.monotonic_ns()}")]


def _in_both(town: Grown, person: Person, room: int) -> list[live.Screen]:
    return [live.Screen(connect(server, person), room) for server in town.servers]


def _accepted(screen: live.Screen, room: int) -> bool:
    key = f"k{time.monotonic_ns()}"
    asked: list[tuple[str, dict[str, Any]]] = [("write_message", {"key": key, "body": "still here"}), ("read_after", {"seq": 0})]
    try:
        return any(screen.wire.ask(event, room=room, **payload)["ok"] for event, payload in asked)
    except GONE:
        return False


def _heard(writers: list[live.Screen], wires: list[live.Screen]) -> bool:
    """Whether words that are written now, in each process, reach a connection of the same process. Where nobody at all may
    write any more, there are none."""
    return any(_reaches(writer, screen) for writer, screen in zip(writers, wires, strict=True))


def _reaches(writer: live.Screen, screen: live.Screen) -> bool:
    words = f"words {time.monotonic_ns()}"
    if not writer.write(words.replace(" ", "-"), words)["ok"]:
        return False
    live.until(lambda: words in writer.words(), live.PATIENCE, "one's own words")
    with suppress(*GONE):
        screen.wire.ask("leave_room", room=0)  # what was said to this connection before the answer has come
    return any(name == "message" and payload["body"] == words for name, payload, *_ in list(screen.wire.heard.queue))


@pytest.mark.parametrize("loses", LOSSES, ids=lambda loses: loses.__name__)
def test_who_loses_the_right_hears_and_says_nothing_more_in_any_process(grown: Grown, loses: Loses) -> None:
    silenced(grown, loses)


@pytest.mark.parametrize("kind", ["mute", "block"])
def test_who_keeps_away_from_somebody_hears_no_more_words_of_theirs_in_any_process(grown: Grown, kind: str) -> None:
    other, person = grown.people(f"Dan{time.monotonic_ns()}", f"Eve{time.monotonic_ns()}")
    room = grown.a_room(other, person)
    writers, screens = _in_both(grown, other, room), _in_both(grown, person, room)
    assert _heard(writers, screens)
    grown.stage.do(lambda: blocking.keep_away(person.account(), other.id, kind))
    live.until(lambda: not _heard(writers, screens), AT_ONCE_S, "silence")
    close_all([screen.wire for screen in (*writers, *screens)])


def test_a_certificate_that_ran_out_takes_the_desk_from_every_process(grown: Grown) -> None:
    (mia,) = grown.people("Mia", role="moderator", concerns=("suicide",))
    desks = [connect(server, mia, namespace="/desk") for server in grown.servers]
    soon = now() + timedelta(seconds=0.5)
    lapse = sa.update(Certificate).where(Certificate.account_id == mia.id).values(expires_at=soon)
    grown.stage.do(lambda: db.session().execute(lapse))
    for desk in desks:
        live.until(lambda desk=desk: any(said[0] == "desk_changed" for said in list(desk.heard.queue)), 0.5 + AT_ONCE_S)  # type: ignore[misc]
    grown.stage.do(lambda: accounts.set_role(None, mia.account(), "member"))
    for desk in desks:
        live.until(desk.closed.is_set, AT_ONCE_S, "who is no moderator has no desk")


@pytest.mark.parametrize("silent", [redis_frozen, redis_dead])
def test_without_redis_the_row_alone_silences(grown: Grown, silent: Callable[[Grown], AbstractContextManager[None]]) -> None:
    with silent(grown):
        silenced(grown, signs_out)
        silenced(grown, leaves)
