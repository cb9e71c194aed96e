"""What the tests about rules share: a rule of everyday words, and ways to look at what is stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from community.core import db
from community.core.audit import AuditEntry
from community.lexicon import actions, queries
from community.lexicon.changes import Outcome
from community.lexicon.models import Draft
from community.notifications.models import Notification
from community.safety import Rule, scan
from tests.people import Person, Stage

WINDOW = {
    "pattern": "(blue|green) window",
    "concern": "suicide",
    "severity": "red",
    "action": "flag",
    "key": "blue-window",
    "act": "save",
}
DRAFTS = "/admin/lexicon/drafts"
RULE = Rule("blue-window", "(blue|green) window", "suicide", "red")
ALARM = Rule("alarm", "orange lantern tonight", "suicide", "crisis", must_match=("an orange lantern tonight",))


def acts(stage: Stage) -> list[str]:
    rows = sa.select(AuditEntry.act).where(AuditEntry.actor_id.is_not(None)).order_by(AuditEntry.id)
    return stage.ask(lambda: list(db.session().scalars(rows)))


def number(stage: Stage) -> int:
    return stage.ask(queries.current_number)


def rules(stage: Stage) -> dict[str, Rule]:
    return stage.ask(lambda: queries.rules_now()[1])


def found(stage: Stage, text: str, **where: Any) -> set[str]:
    place = {"room": stage.low_days, **where}
    return stage.ask(lambda: {finding.rule for finding in scan(text, queries.current_lexicon(), **place)})


def publish(stage: Stage, actor: Person, *put: Rule, note: str = "put there") -> int:
    """Rules that a test begins with: the checks and the second admin are not what it is about."""
    return stage.do(lambda: actions.publish(actor.account(), note=note, put=put))


def checked(stage: Stage, act: Callable[[int], Outcome], **change: Any) -> Outcome:
    """As a door does it: the check outside the transaction, the act inside."""
    number = stage.ask(lambda: actions.check_change(**change))
    return stage.do(lambda: act(number))


def drafts(stage: Stage) -> list[Draft]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(Draft).order_by(Draft.id))))


def told(stage: Stage, person: Person) -> list[Any]:
    rows = sa.select(Notification.kind, Notification.data).where(Notification.account_id == person.id)
    return stage.ask(lambda: list(db.session().execute(rows.order_by(Notification.id))))


def press(who: Person, button: str, draft: int = 1, **fields: Any) -> Any:
    """A button of the draft's page as it is now."""
    return who.post(f"{DRAFTS}/{draft}/{button}", **{**shown(who, draft), **fields})


def shown(who: Person, draft: int = 1) -> dict[str, str]:
    """What the page that somebody has open sends along."""
    return dict(re.findall('name="(seen)" value="([^"]*)"', who.get(f"{DRAFTS}/{draft}").text))
