"""The sessions of the demo: one that comes and one that is over, with its themes and without its transcript."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from community.accounts.models import Account
from community.chat.actions import write_message
from community.core import clock
from community.rooms.models import Room
from community.sessions import actions, arriving
from community.sessions.forms import SessionPlan
from community.sessions.models import FacilitatedSession

USUAL: dict[str, Any] = {"door_minutes": 15, "slow_seconds": 0, "grace_minutes": 5, "by_hand": False, "keeps_transcript": False}
PLANNED_BEFORE = timedelta(days=5)


def add_session(entry: Mapping[str, Any], begins: datetime, people: Mapping[str, Account], room: Room, key: str) -> None:
    """Planned at a pretended time in the past; and held, if it is told who came."""
    with clock.pretend(min(clock.now(), begins) - PLANNED_BEFORE):
        plan = SessionPlan(
            **{name: entry[name].strip() for name in ("title", "about", "ground_rules", "plan")}, **USUAL, starts_at=begins,
            minutes=entry["minutes"], capacity=entry["capacity"], facilitators=tuple(entry["facilitators"]),
        )  # fmt: skip
        session = actions.plan_session(people["Mia"], room.id, plan, form_key=key)
        for name in entry.get("coming", ()):
            arriving.say_coming(people[name], session.id, coming=True)
    if "arrivals" in entry:
        _hold(session, entry, people, begins)


def _hold(session: FacilitatedSession, entry: Mapping[str, Any], people: Mapping[str, Account], begins: datetime) -> None:
    leader = people[entry["facilitators"][0]]
    with clock.pretend(begins):
        actions.open_session(leader, session.id)
        for name, step, _, _ in entry["arrivals"]:
            arriving.arrive(people[name], session.id, accepts=True, step=step, words="")
    for minute, (name, words) in enumerate(entry["lines"], start=3):
        with clock.pretend(begins + timedelta(minutes=minute)):
            write_message(people[name], session.room_id or 0, body=words, key=f"{session.form_key}-{minute}", limit=4_000)
    with clock.pretend(begins + timedelta(minutes=entry["minutes"])):
        for name, _, step, words in entry["arrivals"]:
            arriving.leave_session(people[name], session.id, step=step, words=words)
        actions.end_session(leader, session.id)
        actions.note_themes(leader, session.id, entry["themes"].strip())
