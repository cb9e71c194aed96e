"""How tests plan a session and bring people into it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from community.core import db
from community.core.clock import now
from community.sessions import actions
from community.sessions.forms import SessionPlan
from community.sessions.models import FacilitatedSession, Seat
from tests.people import Person, Stage


def plan_of(*facilitators: str, **other: Any) -> SessionPlan:
    usual: dict[str, Any] = {
        "title": "After a hard week", "about": "", "ground_rules": "One speaks at a time.", "plan": "## 0 Arriving\nHello.\n## 20 Round\nEach.",
        "starts_at": now() + timedelta(minutes=5), "minutes": 60, "capacity": 8, "door_minutes": 15, "slow_seconds": 0,
        "grace_minutes": 5, "by_hand": False, "keeps_transcript": False, "facilitators": facilitators or ("Mia",),
    }  # fmt: skip
    return SessionPlan(**(usual | other))


def planned(stage: Stage, planner: Person, **other: Any) -> int:
    key = f"f{now().timestamp()}"
    names = other.pop("facilitators", (planner.name,))
    return stage.do(lambda: actions.plan_session(planner.account(), stage.low_days, plan_of(*names, **other), form_key=key).id)


def opened(stage: Stage, leader: Person, **other: Any) -> int:
    number = planned(stage, leader, **other)
    stage.do(lambda: actions.open_session(leader.account(), number))
    return number


def arrives(person: Person, session: int, words: str = "", **fields: str) -> Any:
    return person.post(f"/sessions/{session}/arrive", **{"accepts": "1", "step": "3", "words": words, **fields})


def state(stage: Stage, session: int) -> FacilitatedSession:
    return stage.ask(lambda: db.session().get_one(FacilitatedSession, session))


def room_of(stage: Stage, session: int) -> int:
    return state(stage, session).room_id or 0


def seat(stage: Stage, session: int, person: Person) -> str:
    found = stage.ask(lambda: db.session().get(Seat, (session, person.id)))
    return found.state if found else ""
