"""kill -9 in the middle of a rescan: a new server goes on, and every finding is one signal of one case.

Content note: plain, short sentences that a made-up rule notices.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from community import create_app
from community.core import db
from community.moderation.models import Signal
from config import Config
from tests import live, servers
from tests.moderation.drafting import WINDOW, publish, row, start_rescan
from tests.people import Stage

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("kill")]
SEEN, QUIET, KILLS = 60, 60, 2


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_rescan_killed_twice_finds_each_thing_once(engine: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kith.sqlite3'}" if engine == "sqlite" else servers.fresh_postgres()
    servers.migrate(url, tmp_path)
    stage = Stage(create_app(Config(mode="test", data_dir=tmp_path, database_url=url, jobs="outside", fanout="stock")))
    ana, ida = stage.person("Ana", rooms=True), stage.person("Ida", role="admin")
    for number in range(SEEN + QUIET):
        ana.says(f"the blue window {number}" if number % 2 else f"a quiet line {number}", key=f"k{number}")
    publish(ida, WINDOW)
    pass_id = start_rescan(ida)
    for kill in range(KILLS):
        server = _serve(tmp_path, url)
        enough = (kill + 1) * SEEN // 3
        live.until(lambda enough=enough: _signals(stage) >= enough, what="it found some", pause=0.002)
        live.os.killpg(server.pid, signal.SIGKILL)
        server.process.wait(10)
    assert row(stage, pass_id).state == "running"
    server = _serve(tmp_path, url)
    live.until(lambda: row(stage, pass_id).state == "done", 60, "it came to its end", pause=0.1)
    server.stop()
    found = stage.ask(lambda: db.session().execute(sa.select(Signal.case_id, Signal.kind)).all())
    assert len(found) == len({case_id for case_id, _ in found}) == SEEN
    assert {kind for _, kind in found} == {"rescan"}
    done = row(stage, pass_id)
    assert (done.read, done.found["new"]) == (SEEN + QUIET, {"message": SEEN})


def _serve(folder: Path, url: str) -> live.Server:
    server = live.start(folder, DATABASE_URL=url, JOBS="inside", PASS_RATE="40")
    live.until(server.ready, what="the server is ready")
    return server


def _signals(stage: Stage) -> int:
    return stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).select_from(Signal)) or 0)
