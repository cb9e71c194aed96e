"""Chat beside Node's socket.io, and how soon a moderator sees worrying words.

Kith does its whole road (who is it, may they, scan, insert, place in the room, commit) for each message; Node only passes it on.
Both servers are pinned to the same core and loaded in turns; the generator runs on the other.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from .chatload import Crowd
from .servers import Browser, Community, Server, free_port, running, say

NODE = Path(__file__).parent / "node"
CLIENTS, ROOM = 500, 5
ROUNDS, SECONDS = 5, 2.0
RATE, RATE_SECONDS = 30.0, 5.0  # 30 messages a second to 500 members are 15,000 deliveries a second
WORRYING = "I don’t want to be here anymore."  # Content note: plain words of distress, which a moderator must see soon.
DESK_ROOM, DESK_CLIENTS, DESK_RATE, DESK_CASES = 6, 100, 50.0, 40


def node_missing() -> str | None:
    """Why Node's socket.io cannot be measured here, after trying to install it; None when it can."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node or npm is missing"
    if not (NODE / "node_modules/socket.io").is_dir():
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=NODE, capture_output=True, text=True
        )
        if done.returncode:
            return f"npm ci failed: {done.stderr.strip()[-200:]}"
    return None


@contextmanager
def _node() -> Iterator[Server]:
    with running(["node", str(NODE / "server.cjs")], free_port()) as server:
        yield server


def measure(community: Community) -> dict[str, object]:
    figures: dict[str, object] = {
        "chat.ratio_node": None,
        "chat.ratio_node_one": None,
        "chat.ratio_node_emit": None,
        "chat.ratio_node_emit_one": None,
        "chat.p99_ms": None,
        "chat.p99_ms_node": None,
    }
    reason = node_missing()
    with community.served() as kith:
        ours = Crowd(kith.port, community.cookies[:CLIENTS], ROOM, kith.cpu_s)
        if reason:
            figures |= _alone(ours) | {"chat.node_missing": reason}
        else:
            with _node() as node:
                theirs = Crowd(node.port, community.cookies[:CLIENTS], ROOM, node.cpu_s)
                figures |= _side_by_side(ours, theirs)
                figures |= _emit_only(community, theirs)
                theirs.close()
        ours.close()
    say(chat=figures)
    return figures


def _alone(ours: Crowd) -> dict[str, object]:
    ours.closed_loop(8, SECONDS)
    return {"chat.p99_ms": median(ours.open_loop(RATE, RATE_SECONDS).p99_ms for _ in range(ROUNDS))}


def _emit_only(community: Community, theirs: Crowd) -> dict[str, object]:
    """Kith's fan-out under a handler that only emits, as Node's does."""
    with community.served("bench.emit:app") as server:
        ours = Crowd(server.port, community.cookies[:CLIENTS], ROOM, server.cpu_s)
        ours.closed_loop(8, 1.0)
        ratios: dict[int, object] = {
            window: median(
                ours.closed_loop(window, SECONDS).per_cpu_s / theirs.closed_loop(window, SECONDS).per_cpu_s for _ in range(ROUNDS)
            )
            for window in (8, 1)
        }
        ours.close()
    return {"chat.ratio_node_emit": ratios[8], "chat.ratio_node_emit_one": ratios[1]}


def _side_by_side(ours: Crowd, theirs: Crowd) -> dict[str, object]:
    for crowd in (ours, theirs):
        crowd.closed_loop(8, 1.0)
    eight = [(ours.closed_loop(8, SECONDS), theirs.closed_loop(8, SECONDS)) for _ in range(ROUNDS)]
    one = [(ours.closed_loop(1, SECONDS), theirs.closed_loop(1, SECONDS)) for _ in range(ROUNDS)]
    steady = [(ours.open_loop(RATE, RATE_SECONDS), theirs.open_loop(RATE, RATE_SECONDS)) for _ in range(ROUNDS)]
    return {
        "chat.ratio_node": median(kith.per_cpu_s / node.per_cpu_s for kith, node in eight),
        "chat.ratio_node_one": median(kith.per_cpu_s / node.per_cpu_s for kith, node in one),
        "chat.deliveries_per_cpu_s": median(kith.per_cpu_s for kith, _ in eight),
        "chat.p50_ms": median(kith.p50_ms for kith, _ in steady),
        "chat.p99_ms": median(kith.p99_ms for kith, _ in steady),
        "chat.p99_ms_node": median(node.p99_ms for _, node in steady),
        "chat.clients": len(ours.clients),
    }


def desk(community: Community) -> dict[str, object]:
    """From sending worrying words to the card on the moderator's screen, while 50 messages a second go to 100 members."""
    with community.served() as server:
        crowd = Crowd(server.port, community.cookies[:DESK_CLIENTS], DESK_ROOM, server.cpu_s)
        screen = Screen(server, community)
        writer = threading.Thread(target=screen.write_and_look, daemon=True)
        writer.start()
        while writer.is_alive():
            crowd.open_loop(DESK_RATE, 2.0)
        writer.join()
        crowd.close()
    if screen.problem:
        raise screen.problem
    waits = sorted(screen.waits)
    figures: dict[str, object] = {
        "desk.visible_p50_ms": waits[len(waits) // 2],
        "desk.visible_p99_ms": waits[min(len(waits) - 1, int(len(waits) * 0.99))],
        "desk.cases": len(waits),
    }
    say(desk=figures)
    return figures


class Screen:
    """A moderator's desk and a member who writes: words are posted, the event heard, the card fetched; then the next."""

    def __init__(self, server: Server, community: Community) -> None:
        self.server, self.community = server, community
        self.waits: list[float] = []
        self.problem: BaseException | None = None

    def write_and_look(self) -> None:
        try:
            self._work()
        except BaseException as problem:
            self.problem = problem

    def _work(self) -> None:
        import websocket

        live = websocket.create_connection(
            f"ws://127.0.0.1:{self.server.port}/socket.io/?EIO=4&transport=websocket",
            cookie=self.community.moderator_cookie, origin=f"http://127.0.0.1:{self.server.port}", timeout=20,
        )  # fmt: skip
        live.send("40/desk,")
        self._hear(live, "40/desk")
        moderator = Browser(self.server, self.community.moderator_cookie)
        token = self.community.form_token()
        for number in range(1 + DESK_CASES):
            member = Browser(self.server, self.community.cookies[200 + number])
            began = time.perf_counter()
            member.post(f"/topics/{30 + number}/posts", csrf_token=token, body=WORRYING)
            case = json.loads(self._hear(live, '42/desk,["case_changed"').partition(",")[2])[1]["case"]
            moderator.get(f"/desk/cases/{case}/card", **{"X-Requested-With": "kith"})
            if number:  # the first finds a server that has just started
                self.waits.append((time.perf_counter() - began) * 1000)
        live.close()

    def _hear(self, live: object, what: str) -> str:
        while True:
            packet = str(live.recv())  # type: ignore[attr-defined]
            if packet == "2":
                live.send("3")  # type: ignore[attr-defined]
            if packet.startswith(what):
                return packet
            if packet.startswith("44"):
                raise RuntimeError(f"the desk refused the connection: {packet[:200]}")
