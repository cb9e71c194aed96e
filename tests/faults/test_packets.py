"""Nothing a browser can send raises, and five things nobody can read close the connection."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest

from community.core.realtime import MALFORMED_ALLOWED
from tests import live
from tests.faults import breaking
from tests.faults.crowd import GONE, Town, at_once, connect
from tests.faults.fuzzing import fuzz

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("faults-small")]
FUZZED = 10_000

MALFORMED = [
    "42", "4²", "42[]", '42"text"', "42{}", "42null", "42[1]", "42[null]", '42[{"a":1}]', '42["enter_room"', "42" + "[" * 20_000,
    '42["disconnect"]', '42["connect"]', '42["connect_error"]', '42["nobody_knows"]', '42["__class__"]', '42["may_hear","room:1"]',
    '42["on_enter_room",{"room":1}]', '42["enter_room",{"room":' + "9" * 6_000 + "}]", '42["enter_room",{"room":1},{"room":1}]',
    '42["enter_room",{"room":true}]', '42["enter_room",{"room":1e999}]', '42["enter_room",{"room":1,"more":1}]',
    '42["enter_room"]', '42["write_message",[]]', '42["write_message",{"room":1,"key":"k"}]', '42["write_message",{"room":1,"key":1,"body":"b"}]',
    '42["malformed",{"understood":true}]', '43["a"]', "44", "45", "46", "47", '451-["a",{"_placeholder":true,"num":0}]',
]  # fmt: skip
UNREADABLE: list[str | bytes] = ["x", "é", b"\x04abc", b"2[]", b"\xff\xfe", bytes(1000), "42" + "x" * 70_000]
"""Not even Engine.IO, or binary, or longer than a packet may be: some end the connection at once, and five always do."""
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
        live.until(wire.closed.is_set, live.PATIENCE, f"the fifth closes: {packet[:60]}")
    for unreadable in UNREADABLE:
        wire = connect(server, noisy)
        with suppress(*GONE):
            for _ in range(MALFORMED_ALLOWED):
                _send(wire, unreadable)
        live.until(wire.closed.is_set, live.PATIENCE, f"closed: {unreadable[:60]!r}")
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
    live.until(patient.closed.is_set, live.PATIENCE, "the fifth closes, whatever lies between")


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
