"""Drafts, passes over the past and shadows as tests begin them, through the verbs the doors call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from community.core import db
from community.core.clock import now
from community.lexicon import actions as lexicon
from community.lexicon.queries import current_lexicon, current_number, rules_now
from community.moderation import looking_back, passes
from community.moderation.models import Pass, PassHit
from community.safety import Rule
from tests.people import Person, Stage

WINDOW = Rule("blue-window", "(blue|green) window", "suicide", "red", must_match=("a blue window",))


def draft(admin: Person, rule: Rule = WINDOW) -> int:
    number = admin.stage.ask(current_number)
    return admin.stage.do(lambda: lexicon.save_draft(admin.account(), rule, note="A try", based_on=number).id)


def publish(admin: Person, *rules: Rule, retire: Iterable[str] = ()) -> None:
    admin.stage.do(lambda: lexicon.publish(admin.account(), note="Changed", put=rules, retire=retire))
    admin.stage.ask(current_lexicon)


def in_force(stage: Stage, key: str, **changed: object) -> Rule:
    return replace(stage.ask(lambda: rules_now()[1][key]), **changed)


def look_back(admin: Person, draft_id: int, days: int = 30) -> Pass:
    """Start a preview and let it come to its end."""
    pass_id = admin.stage.do(lambda: looking_back.start_preview(admin.account(), draft_id, days=days).id)
    finish(admin.stage, pass_id)
    return row(admin.stage, pass_id)


def rescan(admin: Person, days: int = 30) -> Pass:
    pass_id = start_rescan(admin, days)
    finish(admin.stage, pass_id)
    return row(admin.stage, pass_id)


def start_rescan(admin: Person, days: int = 30) -> int:
    since = now() - timedelta(days=days)
    return admin.stage.do(lambda: looking_back.start_rescan(admin.account(), since=since).id)


def finish(stage: Stage, pass_id: int) -> None:
    while row(stage, pass_id).state in passes.LIVING:
        stage.ask(lambda: passes.step(pass_id))


def row(stage: Stage, pass_id: int) -> Pass:
    return stage.ask(lambda: db.session().get_one(Pass, pass_id))


def hits(stage: Stage, pass_id: int) -> list[PassHit]:
    return stage.ask(
        lambda: list(db.session().scalars(sa.select(PassHit).where(PassHit.pass_id == pass_id).order_by(PassHit.id)))
    )
