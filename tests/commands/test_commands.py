"""What the command line promises. Content note: one plain sentence about not wanting to live."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from community.accounts.access import account_named
from community.accounts.actions import name_key
from community.accounts.models import Account
from community.chat.models import Message
from community.core import db
from community.demo import CAST, ago
from community.forum.models import Post
from community.moderation.access import beat_of
from community.moderation.models import Case, Decision
from community.rooms.models import Room
from community.sessions.models import FacilitatedSession
from tests.people import WORRYING, Person, Stage


def run(app: Flask, *words: str, **options: object) -> object:
    return app.test_cli_runner().invoke(args=list(words), **options)


def test_demo_fills_an_empty_community_through_the_gate(app: Flask) -> None:
    ran = run(app, "demo")
    assert ran.exit_code == 0, ran.output
    with app.app_context():
        session = db.session()
        assert {account.name for account in session.scalars(sa.select(Account))} >= set(CAST)
        assert session.scalar(sa.select(sa.func.count()).select_from(Room).where(Room.host_id.is_(None))) == 6
        assert set(session.scalars(sa.select(FacilitatedSession.state))) == {"planned", "ended"}
        assert session.scalar(sa.select(sa.func.count()).select_from(Post)) > 100
        assert session.scalar(sa.select(sa.func.count()).select_from(Message)) > 60
        assert set(session.scalars(sa.select(Case.severity))) == {"crisis", "red", "amber", "green"}
        assert session.scalar(sa.select(sa.func.count()).select_from(Decision)) >= 3
        assert account_named(name_key("Sam")).is_suspended
        assert not session.scalar(sa.select(Account.id).where(Account.created_at > sa.func.now()))


def test_demo_sign_ins_are_kept_for_their_owner_alone(app: Flask) -> None:
    run(app, "demo")
    kept = app.config["KITH"].data_dir / "demo-signins.txt"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [line.split(" ")[0] for line in kept.read_text().splitlines()] == list(CAST)
    assert len({line.split(" ")[1] for line in kept.read_text().splitlines()}) == len(CAST)


def test_demo_never_goes_among_real_people(stage: Stage, ana: Person) -> None:
    ran = run(stage.app, "demo")
    assert ran.exit_code == 1
    assert "empty community" in ran.output


def test_the_first_admin_is_made_on_the_command_line(app: Flask) -> None:
    ran = run(app, "people", "add", "Ida", "--role", "admin")
    assert "can sign in with the password" in ran.output
    with app.app_context():
        assert account_named(name_key("Ida")).is_admin


def test_a_grant_certifies_and_puts_every_room_in_scope(app: Flask) -> None:
    run(app, "people", "add", "Mia")
    ran = run(app, "people", "grant", "Mia", "moderator", "--concern", "suicide")
    assert ran.exit_code == 0, ran.output
    with app.app_context():
        beat = beat_of(account_named(name_key("Mia")))
    assert (beat.concerns, beat.rooms) == (frozenset({"suicide"}), None)


def test_a_grant_to_nobody_says_what_to_do(app: Flask) -> None:
    ran = run(app, "people", "grant", "Nobody", "moderator")
    assert ran.exit_code == 1
    assert "people add Nobody" in ran.output


def test_an_unusable_name_is_refused_in_a_sentence(app: Flask) -> None:
    ran = run(app, "people", "add", "x")
    assert ran.exit_code == 1
    assert "at least 2" in ran.output


def test_safety_scan_answers_line_by_line_without_a_database(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"text": text}) for text in (WORRYING, "my therapist is great")) + "\nnot json\n"
    ran = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "safety", "scan", "--packs"],
        input=lines, capture_output=True, text=True, check=True, timeout=60, env={"DATA_DIR": str(tmp_path), "PATH": ""},
    )  # fmt: skip
    found, nothing, broken = map(json.loads, ran.stdout.splitlines())
    finding = found["findings"][0]
    assert {"rule", "concern", "severity", "action", "start", "end", "cues"} <= set(finding)
    assert finding["concern"] == "suicide"
    assert nothing == {"findings": []}
    assert "error" in broken


def test_audit_verify_finds_a_changed_entry(app: Flask) -> None:
    run(app, "people", "add", "Ida", "--role", "admin")
    assert run(app, "audit", "verify").exit_code == 0
    with app.app_context(), db.write() as session:
        for guard in ("audit_entries_no_update",) if session.get_bind().dialect.name == "sqlite" else ():
            session.execute(sa.text(f"DROP TRIGGER {guard}"))
        if session.get_bind().dialect.name == "postgresql":
            session.execute(sa.text("DROP TRIGGER audit_entries_append_only ON audit_entries"))
        session.execute(sa.text("UPDATE audit_entries SET actor_name = 'somebody else'"))
    ran = run(app, "audit", "verify")
    assert ran.exit_code == 1
    assert "was changed after it was written" in ran.output


@pytest.mark.parametrize(("text", "seconds"), [("3d 4h", 273_600), ("25m", 1_500), ("90s", 90)])
def test_demo_times_are_read_as_people_write_them(text: str, seconds: int) -> None:
    assert ago(text).total_seconds() == seconds
