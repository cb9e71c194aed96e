"""What the tests of the desk do again and again, through the verbs the doors call."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from community.core import db
from community.moderation import actions
from community.moderation.models import Case, Decision, Snapshot
from community.notifications.models import Notification
from tests.people import WORRYING, Person, Stage

CRUEL = "you are disgusting and pathetic"


def case_of(person: Person, words: str = WORRYING, **where: Any) -> int:
    """`person` writes something a rule notices; the id of its case."""
    item = person.says(words, **where).message
    return person.stage.ask(
        lambda: db.session().scalars(sa.select(Case.id).where(Case.target_kind == "message", Case.target_id == item.id)).one()
    )


def read(stage: Stage, case_id: int) -> Case:
    return stage.ask(lambda: db.session().get_one(Case, case_id))


def claim(person: Person, case_id: int) -> Case:
    return person.stage.do(lambda: actions.claim(person.account(), case_id, lease_minutes=10))


def snapshot_of(stage: Stage, case_id: int) -> int:
    newest = sa.select(Snapshot.id).where(Snapshot.case_id == case_id).order_by(Snapshot.id.desc()).limit(1)
    return stage.ask(lambda: db.session().scalars(newest).one())


def ruling(stage: Stage, case_id: int, outcome: str = "hide", **changed: Any) -> actions.Ruling:
    facts = {
        "outcome": outcome, "rule_key": "safe", "reason": "It names what others should not read.",
        "version": read(stage, case_id).version, "snapshot_id": snapshot_of(stage, case_id), "days": 7 if outcome == "suspend" else 0,
    }  # fmt: skip
    return actions.Ruling(**{**facts, **changed})


def decide(person: Person, case_id: int, outcome: str = "hide", **changed: Any) -> Decision:
    """Claim and decide."""
    claim(person, case_id)
    chosen = ruling(person.stage, case_id, outcome, **changed)
    return person.stage.do(lambda: actions.decide(person.account(), case_id, chosen))


def appeal(person: Person, decision_id: int) -> None:
    person.stage.do(lambda: actions.appeal(person.account(), decision_id, words="It was meant otherwise.", days=180))


def answer(person: Person, case_id: int, *, overturn: bool) -> None:
    """Claim and decide the open appeal."""
    claim(person, case_id)
    chosen = ruling(person.stage, case_id)
    person.stage.do(lambda: actions.decide_appeal(person.account(), case_id, chosen, overturn=overturn))


def form_of(stage: Stage, case_id: int, outcome: str = "hide", **changed: Any) -> dict[str, Any]:
    """The fields of the decide form as the page would send them."""
    chosen = ruling(stage, case_id, outcome)
    return {
        "outcome": outcome, "rule": chosen.rule_key, "reason": chosen.reason, "version": chosen.version,
        "snapshot": chosen.snapshot_id, "days": "7" if outcome == "suspend" else "", **changed,
    }  # fmt: skip


def acts(stage: Stage, subject: str) -> list[str]:
    """What the audit log says was done to a thing, in order."""
    from community.core.audit import AuditEntry

    rows = sa.select(AuditEntry.act).where(AuditEntry.subject == subject).order_by(AuditEntry.id)
    return stage.ask(lambda: list(db.session().scalars(rows)))


def told(person: Person, kind: str) -> list[dict[str, Any]]:
    """What this person was told of that kind, in order."""
    rows = sa.select(Notification.data).where(Notification.account_id == person.id, Notification.kind == kind)
    return person.stage.ask(lambda: list(db.session().scalars(rows.order_by(Notification.id))))
