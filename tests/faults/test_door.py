"""What stands in front of a live connection: whose page it comes from, what it was asked for, and how much one may have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import live
from tests.faults.crowd import Town, a_stage, connect, cookie_of
from tests.people import Person

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("faults-small")]
OF_ACCOUNT, OF_ADDRESS = 3, 5
LIMITS = {
    "TRUSTED_PROXIES": "1",
    "SOCKETS_PER_ACCOUNT": str(OF_ACCOUNT),
    "SOCKETS_PER_ADDRESS": str(OF_ADDRESS),
    "SOCKET_LIMIT": "20 per minute",
    "ADDRESS_LIMIT": "60 per minute",
}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Behind one proxy, with limits that a test can reach."""
    folder = tmp_path_factory.mktemp("limited")
    url = f"sqlite:///{folder / 'kith.sqlite3'}"
    with a_stage(folder, url) as stage, live.serving(folder, database_url=url, **LIMITS) as server:
        yield Town(stage, [server])
        assert "Traceback" not in server.log.read_text()


def status_of(server: live.Server, person: Person, *headers: str, **options: Any) -> int:
    """What the handshake is answered with; 101 is a connection."""
    try:
        live.websocket.create_connection(
            f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket",
            header=[f"Cookie: {cookie_of(person)}", *headers], **{"timeout": 10, "origin": server.url, **options},
        ).close(timeout=0)  # fmt: skip
    except live.websocket.WebSocketBadStatusException as refused:
        return refused.status_code
    return 101


def test_only_pages_of_our_own_open_a_live_connection(limited: Town) -> None:
    (server,), (ana,) = limited.servers, limited.people("Ana")
    near = f"http://127.0.0.1.evil.example:{server.port}"
    for origin in ("https://evil.example", near, "null", f"https://127.0.0.1:{server.port}", "http://127.0.0.1:1"):
        assert status_of(server, ana, origin=origin) == 400, origin
    assert status_of(server, ana) == 101


def test_only_our_own_name_is_answered(limited: Town) -> None:
    """Engine.IO by itself takes a page of the host that was asked for, whatever that host is."""
    (server,), (ana,) = limited.servers, limited.people("Ana")
    evil = {"host": "evil.example", "origin": "http://evil.example"}
    assert status_of(server, ana, **evil) == 400
    assert status_of(server, ana, host="evil.example") == 400, "not even with our own origin"
    assert status_of(server, ana, "X-Forwarded-Host: evil.example", origin="http://evil.example") == 400
    assert (
        status_of(server, ana, "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", origin="https://evil.example") == 400
    )


def test_one_account_has_only_so_many_connections(limited: Town) -> None:
    (server,), (ben,) = limited.servers, limited.people("Ben")
    wires = [connect(server, ben) for _ in range(OF_ACCOUNT + 1)]
    assert [bool(wire.welcome) for wire in wires] == [True] * OF_ACCOUNT + [False]
    assert "too many windows" in wires[-1].refusal
    wires[0].close()
    live.until(lambda: connect(server, ben).welcome, live.PATIENCE, "one that was closed makes room", 0.2)


def test_one_address_has_only_so_many_connections_and_others_are_free(limited: Town) -> None:
    (server,), people = limited.servers, limited.people("Cleo", "Dan", "Eva")
    here, there = "X-Forwarded-For: 203.0.113.7", "X-Forwarded-For: 203.0.113.8"
    wires = [connect(server, people[number % 2], here) for number in range(OF_ADDRESS)]
    assert all(wire.welcome for wire in wires)
    assert status_of(server, people[2], here) == 429
    assert status_of(server, people[2], "X-Forwarded-For: 203.0.113.8, 203.0.113.7") == 429, "the proxy's word counts alone"
    assert status_of(server, people[2], there) == 101
    wires[0].close()
    live.until(lambda: status_of(server, people[2], here) == 101, live.PATIENCE, "one that was closed makes room", 0.1)


def test_one_household_is_one_address(limited: Town) -> None:
    (server,), people = limited.servers, limited.people("Fay", "Gus", "Hal")
    for number in range(OF_ADDRESS):
        assert connect(server, people[number % 2], f"X-Forwarded-For: 2001:db8:0:1::{number}").welcome
    assert status_of(server, people[2], "X-Forwarded-For: 2001:db8:0:1:ffff::1") == 429
    assert status_of(server, people[2], "X-Forwarded-For: 2001:db8:0:2::1") == 101


def test_one_account_says_only_so_much_over_all_its_connections(limited: Town) -> None:
    (server,), (ira, joe) = limited.servers, limited.people("Ira", "Joe")
    one, two = connect(server, ira), connect(server, ira)
    answers = [wire.ask("enter_room", room=limited.rooms[0]) for _ in range(10) for wire in (one, two)]
    assert all(answer["ok"] for answer in answers)
    refused = two.ask("enter_room", room=limited.rooms[0])
    assert (refused["ok"], refused["code"]) == (False, "too-many")
    assert connect(server, joe).ask("enter_room", room=limited.rooms[0])["ok"]


def test_an_address_that_floods_loses_the_connection_and_others_do_not(limited: Town) -> None:
    """Counted before anything is read, so that nonsense of no account counts as well."""
    (server,), (kim, lea) = limited.servers, limited.people("Kim", "Lea")
    flooding = connect(server, kim, "X-Forwarded-For: 203.0.113.20")
    calm = connect(server, lea, "X-Forwarded-For: 203.0.113.21")
    for _ in range(60):
        flooding.send_text('431["nobody waits for this"]')
    live.until(flooding.closed.is_set, live.PATIENCE, "the flood ends")
    assert calm.ask("enter_room", room=limited.rooms[0])["ok"]


def test_a_packet_has_an_end(limited: Town) -> None:
    (server,), (mo,) = limited.servers, limited.people("Mo")
    wire = connect(server, mo)
    assert not wire.ask("write_message", room=limited.rooms[0], key="k", body="x" * 60_000)["ok"], "too many words are a sentence"
    wire.send_text('42["write_message",{"body":"' + "x" * 64_000 + '"}]')
    live.until(wire.closed.is_set, live.PATIENCE, "a packet too long ends the connection")
