"""Random packets, sent to a real server on real connections."""

from __future__ import annotations

import json
import random
import string
from typing import Any

from tests import live
from tests.faults.crowd import cookie_of
from tests.people import Person

CONVERSATION = 4
"""Packets between two questions that show whether the connection still stands: one that is closed reads no more."""


def fuzz(server: live.Server, person: Person, *, seed: int, count: int) -> None:
    """`count` random packets, on as many connections as it takes."""
    chance, wire = random.Random(seed), None
    for number in range(count):
        try:
            wire = wire or _entered(server, person)
            packet = fuzzed(chance)
            wire.send(packet, live.websocket.ABNF.OPCODE_TEXT if isinstance(packet, str) else live.websocket.ABNF.OPCODE_BINARY)
            if number % CONVERSATION == 0:
                _answers(wire)
        except (OSError, live.websocket.WebSocketException):
            wire = None
    if wire is not None:
        wire.close(timeout=0)


def _entered(server: live.Server, person: Person) -> Any:
    wire = live.websocket.create_connection(
        f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket",
        timeout=20, origin=server.url, header=[f"Cookie: {cookie_of(person)}"],
    )  # fmt: skip
    wire.send("40")
    return wire


def _answers(wire: Any) -> None:
    wire.send('42777["leave_room",{"room":1}]')
    while not (said := wire.recv()).startswith("43777["):
        if not said:
            raise OSError("closed")


EVENTS = ["enter_room", "leave_room", "write_message", "withdraw_message", "edit_message", "react", "read_quote", "read_after"]
FIELDS = ["room", "key", "body", "note", "reply_to", "message", "seq", "kind", "on"]
LETTERS = string.printable + "\x00\x7f\u202e\ufffeé²…🫂𝒳"


def fuzzed(chance: random.Random) -> str | bytes:
    """Mostly a packet of ours with strange values, else one that was cut, salted and turned over; at times only bytes."""
    kind = chance.random()
    if kind < 0.02:
        return chance.randbytes(chance.randrange(1, 200))
    packet = _of_ours(chance)
    if kind < 0.6:
        return packet
    for _ in range(chance.randrange(1, 5)):
        packet = _turned(chance, packet)
    return packet


def _of_ours(chance: random.Random) -> str:
    namespace = chance.choice(["", "", "", "/desk,", "/nobody,"])
    payload = {field: _value(chance, 0) for field in chance.sample(FIELDS, chance.randrange(1, 5))}
    if chance.random() < 0.7:
        payload = {"room": chance.choice([1, 2, "1", 2**31 - 1])}
    number = chance.choice(["", "1", str(chance.randrange(10**6))])
    return f"42{namespace}{number}{json.dumps([chance.choice(EVENTS), payload])}"


def _value(chance: random.Random, depth: int) -> Any:
    simple = [
        None,
        True,
        0,
        -1,
        1.5,
        10**30,
        float("nan"),
        float("inf"),
        "",
        "1",
        "\ud800",
        "\x00",
        "k" * chance.randrange(3_000),
    ]
    if depth < 3 and chance.random() < 0.3:
        return chance.choice([[_value(chance, depth + 1)] * 3, {"a": _value(chance, depth + 1)}])
    return chance.choice(simple)


def _turned(chance: random.Random, packet: str) -> str:
    start = chance.randrange(len(packet) + 1)
    end = min(len(packet), start + chance.randrange(1, 12))
    salt = "".join(chance.choice(LETTERS) for _ in range(chance.randrange(6)))
    return chance.choice(
        [packet[:start] + packet[end:], packet[:start] + salt + packet[start:], packet[:start], packet[start:] + salt]
    )
