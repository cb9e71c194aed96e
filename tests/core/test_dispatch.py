"""Our fan-out beside the library's own road: one order for every member, and whoever left hears nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gevent
import pytest
import socketio
from engineio.socket import Socket
from gevent import socket as gsocket

from community.core.fanout import YIELD_AFTER, FanoutManager
from community.core.unheard import keep_from
from community.core.websocket import WSGI_SOCKET, FrameSocket, filled, install, stalled

from .test_fanout import parse, read_frames

ROOM = "room:1"


class Hall:
    """A Socket.IO server and its members, each on a pair of real sockets; only the handshakes are left out."""

    def __init__(self, *, queues: str) -> None:
        self.manager = FanoutManager()
        self.server = socketio.Server(async_mode="gevent", client_manager=self.manager)
        if queues == "own queues":
            install(self.server.eio)
        self.manager.initialize()
        self.readers: dict[str, gsocket.socket] = {}
        self.engines: dict[str, Any] = {}

    def enter(self, name: str, *, polls: bool = False) -> str:
        ours, self.readers[name] = gsocket.socketpair()
        engine = self.engines[name] = Socket(self.server.eio, name)
        engine.connected, engine.upgraded = True, not polls
        self.server.eio.sockets[name] = engine
        self.server.environ[name] = {} if polls else {WSGI_SOCKET: FrameSocket(ours)}
        sid = str(self.manager.connect(name, "/"))
        self.manager.enter_room(sid, "/", ROOM)
        return sid

    def say(self, body: str, **options: Any) -> None:
        self.server.emit("message", {"body": body, "author_id": options.pop("author", 1)}, to=ROOM, **options)

    def settle(self) -> None:
        with gevent.Timeout(10):
            while self.manager.fanout.waiting:
                gevent.sleep(0)

    def written(self, name: str) -> list[str]:
        """What lies on the wire now."""
        self.readers[name].setblocking(False)
        try:
            data = self.readers[name].recv(1_000_000)
        except BlockingIOError:
            return []
        found = []
        while (frame := parse(data)) is not None:
            found.append(frame[0])
            data = data[frame[1] :]
        return found

    def queued(self, name: str) -> list[str]:
        """What the library will bring: to a polling client, or after what waited already."""
        queue = self.engines[name].queue
        return [packet.data for packet in iter(lambda: None if queue.empty() else queue.get(), None)]


@pytest.fixture(params=["own queues", "queues of the library"])
def hall(request: pytest.FixtureRequest) -> Iterator[Hall]:
    made = Hall(queues=request.param)
    yield made
    for reader in made.readers.values():
        reader.close()


def event(body: str, author: int = 1) -> str:
    return f'2["message",{{"body":"{body}","author_id":{author}}}]'


def test_a_burst_is_one_write_in_order_for_every_member(hall: Hall) -> None:
    hall.enter("ana")
    hall.enter("ben")
    for body in "abc":
        hall.say(body)
    hall.settle()
    assert read_frames(hall.readers["ana"], 3) == hall.written("ben") == ["4" + event(body) for body in "abc"]


def test_a_polling_client_gets_the_same_order_through_its_queue(hall: Hall) -> None:
    hall.enter("ana")
    hall.enter("polls", polls=True)
    for body in "abc":
        hall.say(body)
        hall.settle()
    assert hall.queued("polls") == [event(body) for body in "abc"]
    assert hall.written("ana") == ["4" + event(body) for body in "abc"]
    assert hall.written("polls") == []


def test_nothing_overtakes_what_waits_in_a_queue(hall: Hall) -> None:
    sid = hall.enter("ana")
    hall.server.emit("first", to=sid, callback=lambda: None)  # the stock road: it lies in the queue until its writer runs
    hall.say("second")
    hall.settle()
    assert hall.queued("ana") == ['21["first"]', event("second")]
    assert hall.written("ana") == []


def test_a_reader_who_pauses_stops_nobody_and_gets_everything_in_order(hall: Hall) -> None:
    hall.enter("ana")
    hall.enter("slow")
    hall.enter("ben")
    ours = hall.server.environ["slow"][WSGI_SOCKET]
    body = "x" * 10_000
    count = 0
    while ours not in stalled:
        hall.say(f"{count}-{body}")
        hall.settle()
        count += 1
    hall.readers["slow"].setblocking(False)
    came = hall.readers["slow"].recv(1_000_000)  # there is room now, and nobody has told the hub
    for _ in range(3):
        hall.say(f"{count}-{body}")
        count += 1
    hall.settle()
    expected = ["4" + event(f"{number}-{body}") for number in range(count)]
    hall.readers["slow"].setblocking(True)
    assert read_frames(hall.readers["slow"], count, came) == expected
    assert read_frames(hall.readers["ben"], count) == expected
    with gevent.Timeout(10):
        while ours in stalled:
            gevent.sleep(0)
    hall.say("after")
    hall.settle()
    assert hall.written("slow") == ["4" + event("after")]


def test_what_waited_and_went_is_not_looked_at_again(hall: Hall) -> None:
    sid = hall.enter("ana")
    hall.server.emit("first", to=sid, callback=lambda: None)
    assert hall.queued("ana") == ['21["first"]']
    assert not filled
    hall.say("second")
    hall.settle()
    assert hall.written("ana") == ["4" + event("second")]


def test_who_leaves_in_mid_batch_hears_nothing_more(hall: Hall) -> None:
    sids = [hall.enter(f"m{number}") for number in range(YIELD_AFTER + 20)]
    hall.say("a")
    gevent.sleep(0)  # the dispatcher begins, and pauses before the last twenty
    assert hall.manager.fanout.waiting
    hall.manager.leave_room(sids[-1], "/", ROOM)
    hall.engines[f"m{YIELD_AFTER + 18}"].closed = True
    hall.readers[f"m{YIELD_AFTER + 17}"].close()
    hall.settle()
    assert hall.written("m0") == hall.written(f"m{YIELD_AFTER + 10}") == ["4" + event("a")]
    assert hall.written(f"m{YIELD_AFTER + 19}") == hall.written(f"m{YIELD_AFTER + 18}") == []


def test_who_is_to_be_skipped_is_left_to_the_stock_road(hall: Hall) -> None:
    sid = hall.enter("ana")
    hall.enter("ben")
    hall.say("a", skip_sid=sid)
    hall.settle()
    assert hall.queued("ana") == hall.written("ana") == []
    assert hall.queued("ben") == [event("a")]


def test_who_keeps_away_from_the_author_hears_the_others(hall: Hall) -> None:
    sid = hall.enter("ana")
    hall.enter("ben")
    keep_from(sid, frozenset({7}))
    try:
        hall.say("a")
        hall.say("b", author=7)
        hall.say("c")
        hall.settle()
    finally:
        keep_from(sid, frozenset())
    assert hall.written("ana") == ["4" + event("a"), "4" + event("c")]
    assert hall.written("ben") == ["4" + event("a"), "4" + event("b", 7), "4" + event("c")]


def test_an_acknowledgement_comes_back_by_the_stock_road(hall: Hall) -> None:
    sid, answers = hall.enter("ana"), []
    hall.server.emit("asked", "x", to=sid, callback=answers.append)
    packet = hall.queued("ana")[0]
    number = int(packet[1 : packet.index("[")])
    hall.manager.trigger_callback(sid, number, ["yes"])
    assert answers == ["yes"]
