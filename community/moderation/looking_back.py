"""An admin looks back: previews and rescans are started, stopped, gone on with, and read. `passes` does the work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import audit, db
from community.core.audit import AuditEntry
from community.core.clock import now
from community.core.errors import Conflict, NotFound
from community.lexicon.access import draft_to_change
from community.lexicon.changes import fields_of
from community.lexicon.models import Draft
from community.lexicon.queries import current_number, draft_rule, rules_now
from community.rooms.models import Room
from community.safety import Rule

from .highlight import Piece, Span, pieces
from .models import Pass, PassHit
from .passes import LIVING, highest_ids, kinds
from .reviewable import KINDS, Reviewable

DAYS_MAX = 3_650
HITS_A_PAGE = 20
PASSES_SHOWN = 20
READING_NOTED_EVERY = timedelta(minutes=10)


# ---- acts


def start_preview(actor: Account, draft_id: int, *, days: int) -> Pass:
    """Look for what a draft would have matched. Its rule and the rule in force are kept as they are now."""
    draft = draft_to_change(actor, draft_id)
    going_on = sa.select(Pass.id).where(Pass.draft_id == draft.id, Pass.state.in_(LIVING))
    if db.session().scalar(going_on.limit(1)) is not None:
        raise Conflict("A preview of this draft is at work already. Wait for it, or cancel it first.")
    then, as_it_is = rule_then(draft), rules_now()[1].get(draft.key)
    told = {"then": fields_of(then) if then else None, "now": fields_of(as_it_is) if as_it_is else None}
    row = _start(actor, "preview", since=now() - timedelta(days=days), draft_id=draft.id, rule=told)
    audit.record(actor, "preview.started", f"pass:{row.id}", draft=draft.id, rule=draft.key, days=days)
    return row


def start_rescan(actor: Account, *, since: datetime) -> Pass:
    """Read the words since a moment again by the rules in force. One at a time: two would only read the same twice."""
    _admins_only(actor)
    going_on = sa.select(Pass.id).where(Pass.kind == "rescan", Pass.state.in_(LIVING))
    if db.session().scalar(going_on.limit(1)) is not None:
        raise Conflict("A rescan is at work already. Wait for it, or cancel it first.")
    row = _start(actor, "rescan", since=since)
    audit.record(actor, "rescan.started", f"pass:{row.id}", since=since.isoformat(), revision=row.revision)
    return row


def rule_then(draft: Draft) -> Rule | None:
    """The rule as the draft would have it; None when it would be retired. Conflict for a draft of many rules."""
    return draft_rule(draft) if draft.rule is not None else None


def rule_or_none(draft: Draft) -> Rule | None:
    """The one rule a draft is about, if there is one."""
    try:
        return rule_then(draft)
    except Conflict:
        return None


def _start(
    actor: Account, kind: str, *, since: datetime, draft_id: int | None = None, rule: dict[str, Any] | None = None
) -> Pass:
    upto = highest_ids()
    first = kinds()[0]
    row = Pass(
        kind=kind, draft_id=draft_id, rule=rule, revision=current_number(), since=since, state="waiting", cursor_kind=first,
        cursor_id=upto[first] + 1, read=0, total=sum(upto.values()), found={"upto": upto}, no_action=0, problem="",
        started_by_id=actor.id, created_at=now(),
    )  # fmt: skip
    db.session().add(row)
    db.session().flush()
    return row


def cancel(actor: Account, pass_id: int) -> Pass:
    """What it found until now stands. Cancelling what has ended already changes nothing."""
    row = pass_to_change(actor, pass_id)
    if row.state in LIVING:
        row.state, row.finished_at = "cancelled", now()
        audit.record(actor, f"{row.kind}.cancelled", f"pass:{row.id}", read=row.read)
    return row


def resume(actor: Account, pass_id: int) -> Pass:
    """A pass that was cancelled or failed goes on where it was."""
    row = pass_to_change(actor, pass_id)
    if row.state in ("cancelled", "failed"):
        row.state, row.finished_at, row.problem = "waiting", None, ""
        audit.record(actor, f"{row.kind}.resumed", f"pass:{row.id}", read=row.read)
    return row


def note_reading(actor: Account, subject: str, act: str) -> None:
    """Somebody reads members' words in what a draft would notice: reading a sensitive thing is audited."""
    _admins_only(actor)
    audit.record(actor, act, subject)


# ---- loading


def pass_to_read(actor: Account, pass_id: int) -> Pass:
    """Passes read every room's words: they are there for admins, and for nobody else."""
    _admins_only(actor)
    row = db.session().get(Pass, pass_id)
    if row is None:
        raise NotFound
    return row


def pass_to_change(actor: Account, pass_id: int) -> Pass:
    _admins_only(actor)
    row = db.session().get(Pass, pass_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound
    return row


def _admins_only(actor: Account) -> None:
    if not actor.is_admin or actor.is_suspended:
        raise NotFound


# ---- reading


@dataclass(frozen=True, slots=True)
class Progress:
    """A pass as a page tells it."""

    row: Pass
    started_by: str
    percent: int
    matched: dict[str, int]
    counts: dict[str, dict[str, int]]

    @property
    def living(self) -> bool:
        return self.row.state in LIVING

    @property
    def days(self) -> int:
        return round((self.row.created_at - self.row.since) / timedelta(days=1))

    def total(self, name: str) -> int:
        return sum(self.counts.get(name, {}).values())


def progress(row: Pass) -> Progress:
    counts = {name: found for name, found in row.found.items() if name != "upto"}
    matched: dict[str, int] = {}
    for name in ("new", "kept"):
        for kind, count in counts.get(name, {}).items():
            matched[kind] = matched.get(kind, 0) + count
    starter = db.session().scalar(sa.select(Account.name).where(Account.id == row.started_by_id))
    return Progress(row, starter or "Somebody", _percent(row), matched, counts)


def _percent(row: Pass) -> int:
    """How much of the ids lies behind the cursor: counting the words themselves would read them all."""
    if row.state == "done":
        return 100
    upto = row.found["upto"]
    ahead = row.cursor_id - 1 if row.cursor_kind else 0
    if row.cursor_kind:
        ahead += sum(upto.get(kind, 0) for kind in kinds()[kinds().index(row.cursor_kind) + 1 :])
    return min(99, 100 * (row.total - ahead) // row.total) if row.total else 0


def latest_preview(draft_id: int) -> Progress | None:
    rows = sa.select(Pass).where(Pass.draft_id == draft_id, Pass.kind == "preview").order_by(Pass.id.desc()).limit(1)
    row = db.session().scalars(rows).one_or_none()
    return progress(row) if row else None


def first_to_show(at: Progress | None) -> str:
    """What a page of a preview begins with: what would be new, else what would be lost, else the rest."""
    return next((change for change in ("new", "lost") if at and at.total(change)), "kept")


def is_outdated(draft: Draft, row: Pass) -> bool:
    """The draft was edited after this preview began."""
    then = rule_or_none(draft)
    return (row.rule or {}).get("then") != (fields_of(then) if then else None)


def rescans() -> list[Progress]:
    """The newest first."""
    rows = sa.select(Pass).where(Pass.kind == "rescan").order_by(Pass.id.desc()).limit(PASSES_SHOWN)
    return [progress(row) for row in db.session().scalars(rows)]


def reading_is_news(actor: Account, subject: str, act: str) -> bool:
    """Whether nobody noted yet that `actor` is reading this now."""
    noted = sa.select(AuditEntry.id).where(
        AuditEntry.subject == subject, AuditEntry.act == act, AuditEntry.actor_id == actor.id,
        AuditEntry.at > now() - READING_NOTED_EVERY,
    )  # fmt: skip
    return db.session().scalar(noted.limit(1)) is None


@dataclass(frozen=True, slots=True)
class Found:
    """One thing of the past as an admin reads it: where it is, and the words with the span that was seen."""

    kind: str
    room: str
    at: datetime
    path: str
    severity: str
    withdrawn: bool
    pieces: list[Piece]
    decided: str = ""
    noticed_by: tuple[str, ...] = ()


def hits(row: Pass, change: str, *, after: int) -> tuple[list[Found], int | None]:
    """A page of what a preview kept, the newest first, and the id to go on after."""
    rows = sa.select(PassHit).where(PassHit.pass_id == row.id, PassHit.id > after, PassHit.change == change)
    found = db.session().scalars(rows.order_by(PassHit.id).limit(HITS_A_PAGE + 1)).all()
    page = found[:HITS_A_PAGE]
    items, rooms = items_of([(hit.item_kind, hit.item_id) for hit in page]), room_names()
    shown = [_found(items.get((hit.item_kind, hit.item_id)), hit, rooms) for hit in page]
    return [one for one in shown if one], page[-1].id if len(found) > HITS_A_PAGE else None


def _found(item: Reviewable | None, hit: PassHit, rooms: dict[int, str]) -> Found | None:
    if item is None:
        return None
    return shown(item, hit.start, hit.end, hit.severity, rooms, decided=hit.decided)


def shown(
    item: Reviewable, start: int, end: int, severity: str, rooms: dict[int, str], *, decided: str = "",
    noticed_by: Sequence[str] = (),
) -> Found:  # fmt: skip
    """What its author took back is not shown to anybody."""
    withdrawn = item.visibility == "withdrawn"
    cut = [] if withdrawn else pieces(item.words(), [Span(start, end, severity)])
    where = rooms.get(item.room_id, "")
    return Found(item.kind, where, item.created_at, item.path(), severity, withdrawn, cut, decided, tuple(noticed_by))


def items_of(places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Reviewable]:
    """The things themselves, a query for each kind."""
    found: dict[tuple[str, int], Reviewable] = {}
    for kind in {kind for kind, _ in places}:
        cls = KINDS[kind]
        ids = [item_id for known, item_id in places if known == kind]
        found |= {(kind, item.id): item for item in db.session().scalars(sa.select(cls).where(cls.id.in_(ids)))}
    return found


def room_names() -> dict[int, str]:
    return dict(db.session().execute(sa.select(Room.id, Room.name)).all())
