"""What the desk, the author and the admin read. Lists carry no words; words are read one case at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from community.accounts.models import Account, HouseRule
from community.core import db
from community.core.clock import now
from community.rooms.access import may_read
from community.rooms.models import Room
from community.rooms.posture import next_staffed, posture_now
from community.safety import helplines_for

from . import access
from .access import decision_to_read, support_to_read
from .actions import why_no_appeal
from .models import Appeal, Case, Decision, Sanction, Signal, Snapshot
from .promptness import how_soon, somebody_here
from .reviewable import Reviewable, find

PAGE = 50


def support_card(actor: Account, notification_id: int) -> dict[str, Any]:
    """The author's support card as it is now: their words, helplines for their country, who can see the words, and when somebody
    may answer. Its link back is there while the author can read the place it leads to."""
    card, item = support_to_read(actor, notification_id)
    case, room = _newest_case(item), db.session().get_one(Room, item.room_id)
    away = away_from(room)
    return {
        "id": card.id,
        "noticed": _noticed(card.data.get("noticed", [])),
        "visibility": TO_MODERATORS if card.data.get("private") else _who_sees(item, room.name, case),
        "read_by": _read_by(item, case) if away is None else None,
        "away": away,
        "soon": _how_soon(room, item, case),
        "asked_at": _asked_at(case),
        "helplines": helplines_for(actor.country),
        "url": f"/support/{card.id}",
        "talk_url": f"/support/{card.id}/talk",
        "dismiss_url": None if _why_gone(actor, room, item) else item.path(),
    }


TO_MODERATORS = "What you wrote went to the moderators, and nobody else can read it."


def _noticed(words: list[str]) -> str:
    """Their own words given back, without a judgement."""
    if not words:
        return "Some of your words may mean that things are hard right now. Writing them here was all right."
    quoted = " and ".join(f"“{' '.join(word.split())}”" for word in words)
    return f"You wrote {quoted}. It is good that you said it here. You did nothing wrong, and nobody is angry with you."


def _who_sees(item: Reviewable, room: str, case: Case | None) -> str:
    waits = case is not None and case.state != "closed"
    if item.private:
        return STATES["private"]
    if item.visibility == "held":
        late = waits and case is not None and case.due_at <= now()
        more = " It takes longer than it should; they have been reminded." if late else ""
        return f"Your words are kept. Only you and trained moderators of “{room}” see them until one has read them.{more}"
    if item.visibility == "hidden":
        return "A moderator has hidden these words. You find the reasons, and how to appeal, in your notifications."
    if item.visibility == "withdrawn":
        return "You took these words back: other members do not see them any more."
    return f"Your words are visible in “{room}”, as you wrote them.{' A trained moderator will look in.' if waits else ''}"


def _read_by(item: Reviewable, case: Case | None) -> datetime | None:
    """When somebody should have read words that wait, as long as that is to come."""
    waits = case is not None and case.state != "closed" and item.visibility == "held"
    return case.due_at if waits and case is not None and case.due_at > now() else None


def _how_soon(room: Room, item: Reviewable, case: Case | None) -> str:
    """While the words wait for a moderator: whether one is here, and how soon such words were read lately."""
    if case is None or case.state == "closed" or item.private:
        return ""
    here = "A moderator is here now. " if somebody_here(room) else ""
    return (here + how_soon(room, case.severity, if_known=True)).strip()


def _asked_at(case: Case | None) -> datetime | None:
    """When “Talk to a moderator” was pressed last; None when it was not, or when it was answered."""
    if case is None or case.state == "closed":
        return None
    asked = sa.select(Signal.created_at).where(Signal.case_id == case.id, Signal.kind == "help-request")
    return db.session().scalar(asked.order_by(Signal.id.desc()).limit(1))


@dataclass(frozen=True, slots=True)
class Away:
    """A room outside its staffed hours: what hour it is there, and when somebody comes (UTC; None: not in the next two weeks)."""

    says: str
    until: datetime | None


def away_from(room: Room) -> Away | None:
    """None in staffed hours."""
    posture = posture_now(room)
    if posture.name == "staffed":
        return None
    says = {"quiet": "These are quiet hours in “{}”.", "night": "It is night in “{}”.", "closed": "“{}” is closed at this hour."}
    return Away(says[posture.name].format(room.name), (at := next_staffed(room)) and at.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class OwnWords:
    """Words as their author finds them again. `path` leads to their place, if the author can read it; `gone` says why not."""

    room: str
    words: str
    written_at: datetime
    path: str | None
    gone: str


def own_words(actor: Account, kind: str, target_id: int) -> OwnWords:
    item = access.own_words(actor, kind, target_id)
    room = db.session().get_one(Room, item.room_id)
    gone = _why_gone(actor, room, item)
    return OwnWords(room.name, item.words(), item.created_at, None if gone else item.path(), gone)


def _why_gone(actor: Account, room: Room, item: Reviewable) -> str:
    if actor.is_suspended:
        return "While your account is suspended the rooms are closed to you. These are your words as they are kept."
    if not may_read(actor, room):
        return f"“{room.name}” is not open to you now: it was archived, or you are no longer in it. These are your words as they are kept."
    if item.visibility == "withdrawn":
        return "You took these words back: other members do not see them any more."
    return (
        ""
        if item.within_reach()
        else "The place where these words stood is not there any more. They are kept, and you can read them here."
    )


def _newest_case(item: Reviewable) -> Case | None:
    rows = sa.select(Case).where(Case.target_kind == item.kind, Case.target_id == item.id)
    return db.session().scalars(rows.order_by(Case.id.desc()).limit(1)).one_or_none()


def about_to_report(item: Reviewable) -> dict[str, str]:
    """What a reporter is shown again, to be sure that it is the right thing."""
    author = db.session().scalar(sa.select(Account.name).where(Account.id == item.author_id))
    room = db.session().scalar(sa.select(Room.name).where(Room.id == item.room_id))
    return {"author": author or "", "room": room or "", "words": item.words(), "kind": item.kind}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of reasons as its author reads it. Moderators are not named: the audit log knows who it was."""

    id: int
    verdict: str
    rule_title: str
    rule_text: str
    reason: str
    words: str
    decided_at: datetime
    state: str
    until: datetime | None
    lifted_at: datetime | None
    no_appeal: str
    appeal_until: datetime
    appeal: Appeal | None
    decided_by: str = "A moderator"
    appeal_url: str = ""


FRIENDLY = ("leave", "restore")  # a message, not a reproach: no house rule is held up to the author
ANSWERS = {"leave": "Your appeal was looked at by somebody else: the decision holds",
           "restore": "Your appeal was right: the decision no longer holds"}  # fmt: skip
VERDICTS = {
    "leave": "A moderator looked at your words, and they stay as they are",
    "hide": "A moderator hid your words",
    "restore": "Your words can be seen again",
    "warn": "A moderator asks you to change something",
    "suspend": "A moderator suspended your account",
}
ANSWERED = "A moderator answered you"
STATES = {
    "visible": "Other members can see these words.",
    "held": "These words wait for a moderator; other members do not see them yet.",
    "hidden": "Only you and moderators can see these words.",
    "withdrawn": "You took these words back; other members do not see them.",
    "private": "Only you and trained moderators read what you wrote to them.",
}


def _verdict(decision: Decision, item: Reviewable, *, answers: bool) -> str:
    if answers:
        return ANSWERS[decision.outcome]
    return ANSWERED if item.private and decision.outcome == "leave" else VERDICTS[decision.outcome]


def statement(actor: Account, decision_id: int, *, appeal_days: int) -> Statement:
    decision = decision_to_read(actor, decision_id)
    database = db.session()
    rule = database.get_one(HouseRule, decision.house_rule_id)
    case = database.get_one(Case, decision.case_id)
    item: Reviewable = find(case.target_kind, case.target_id)
    sanction = database.scalars(sa.select(Sanction).where(Sanction.decision_id == decision.id)).one_or_none()
    answers = database.scalar(sa.select(Appeal.id).where(Appeal.answer_id == decision.id)) is not None
    friendly = decision.outcome in FRIENDLY and not answers
    return Statement(
        id=decision.id, verdict=_verdict(decision, item, answers=answers),
        rule_title="" if friendly else rule.title, rule_text=rule.text, reason=decision.reason,
        words=database.get_one(Snapshot, decision.snapshot_id).words, decided_at=decision.created_at,
        state=STATES["private" if item.private else item.visibility], until=sanction.ends_at if sanction else None,
        lifted_at=sanction.lifted_at if sanction else None, no_appeal=why_no_appeal(decision, days=appeal_days),
        appeal_until=decision.created_at + timedelta(days=appeal_days),
        appeal=database.scalars(sa.select(Appeal).where(Appeal.decision_id == decision.id)).one_or_none(),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sanctions:
    rows: Sequence[Any]
    older: int | None  # id to go on before


def sanctions(*, before: int) -> Sanctions:
    """The newest first, with what made each of them and whether it still counts."""
    rows = (
        sa.select(Sanction.id, Sanction.account_id, Account.name, Sanction.starts_at, Sanction.ends_at, Sanction.lifted_at,
                  Sanction.lift_reason, Decision.reason, Decision.case_id, HouseRule.title.label("rule"))
        .join(Account, Account.id == Sanction.account_id)
        .join(Decision, Decision.id == Sanction.decision_id)
        .join(HouseRule, HouseRule.id == Decision.house_rule_id)
        .order_by(Sanction.id.desc())
        .limit(PAGE + 1)
    )  # fmt: skip
    found = db.session().execute(rows.where(Sanction.id < before) if before else rows).all()
    return Sanctions(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)
