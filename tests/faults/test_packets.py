"""Nothing a browser can send raises, and five things nobody can read close the connection."""

from __future__ import annotations

import json
import random
import socket
import string
from typing import Any

import pytest

from community.core.realtime import MALFORMED_ALLOWED
from tests import live
from tests.faults import breaking
from tests.faults.crowd import GONE, Town, at_once, connect, cookie_of
from tests.people import Person

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("faults-small")]
FUZZED = 10_000
CONVERSATION = 4
"""Packets between two questions that show whether the connection still stands: one that is closed reads no more."""

MALFORMED = [
    "42", "42[]", '42"text"', "42{}", "42null", "42[1]", "42[null]", '42[{"a":1}]', '42["enter_room"', "42" + "[" * 20_000,
    '42["disconnect"]', '42["connect"]', '42["connect_error"]', '42["nobody_knows"]', '42["__class__"]', '42["may_hear","room:1"]',
    '42["on_enter_room",{"room":1}]', '42["enter_room",{"room":' + "9" * 6_000 + "}]", '42["enter_room",{"room":1},{"room":1}]',
    '42["enter_room",{"room":true}]', '42["enter_room",{"room":1e999}]', '42["enter_room",{"room":1,"more":1}]',
    '42["enter_room"]', '42["write_message",[]]', '42["write_message",{"room":1,"key":"k"}]', '42["write_message",{"room":1,"key":1,"body":"b"}]',
    '42["malformed",{"understood":true}]', '43["a"]', "44", "45", "46", "47", '451-["a",{"_placeholder":true,"num":0}]',
]  # fmt: skip
UNREADABLE: list[str | bytes] = ["x", "é", "4²", "b!!!", b"\x04abc", b"2[]", b"\xff\xfe", bytes(1000), "42" + "x" * 70_000]
"""Not even Engine.IO, or binary, or longer than a packet may be: the connection ends at once."""
HANDSHAKES = ("", "Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n")


def _send(wire: live.Wire, packet: str | bytes) -> None:
    if isinstance(packet, str):
        wire.send_text(packet)
    else:
        wire.send_bytes(packet)


def test_five_packets_of_any_malformed_kind_close_the_connection(small: Town) -> None:
    (server,), (noisy, calm) = small.servers, small.people("Noisy", "Calm")
    assert len(MALFORMED) >= 24
    for packet in MALFORMED:
        wire = connect(server, noisy)
        for _ in range(MALFORMED_ALLOWED - 1):
            wire.send_text(packet)
        assert wire.ask("enter_room", room=small.rooms[0])["ok"], f"four are forgiven: {packet[:60]}"
        wire.send_text(packet)
        live.until(wire.closed.is_set, 5, f"the fifth closes: {packet[:60]}")
    for unreadable in UNREADABLE:
        wire = connect(server, noisy)
        _send(wire, unreadable)
        live.until(wire.closed.is_set, 5, f"closed: {unreadable[:60]!r}")
    assert connect(server, calm).ask("enter_room", room=small.rooms[0])["ok"]
    assert "Traceback" not in small.logs(), small.logs()[-6000:]


def test_leaving_and_entering_a_namespace_begins_no_new_count(small: Town) -> None:
    patient = connect(small.servers[0], *small.people("Patient"))
    for _ in range(MALFORMED_ALLOWED):
        for packet in ('42["nobody_knows",{}]', "41", "40"):
            try:
                patient.send_text(packet)
            except GONE:
                break
    live.until(patient.closed.is_set, 5, "the fifth closes, whatever lies between")


def test_what_is_no_handshake_is_refused(small: Town) -> None:
    (server,) = small.servers
    for headers in HANDSHAKES:
        with socket.create_connection(("127.0.0.1", server.port), 5) as wire:
            wire.sendall(
                f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nOrigin: {server.url}\r\n"
                f"Connection: Upgrade\r\nUpgrade: websocket\r\n{headers}\r\n".encode()
            )
            assert wire.recv(4096).startswith(b"HTTP/1.1 400")


def test_ten_thousand_random_packets_leave_no_traceback_and_no_memory_behind(small: Town) -> None:
    (server,), people = small.servers, small.people(*(f"Fuzz{number}" for number in range(4)), "Calm")
    before = breaking.memory_of(server)
    at_once(lambda number: fuzz(server, people[number], seed=number, count=FUZZED // 4), range(4))
    assert connect(server, people[-1]).ask("enter_room", room=small.rooms[0])["ok"]
    assert "Traceback" not in small.logs(), small.logs()[-6000:]
    assert breaking.memory_of(server) - before < 60


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
