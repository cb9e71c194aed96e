"""Drafts in shadow, beside the rules in force: what they would have noticed is noted, and nothing else comes of it.

Never a case, never a hold, never a word to anybody; and whatever fails here, the words and their case are stored as always.
While no draft is in shadow the gate pays for one look at the clock; each process asks for drafts once a second.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakKeyDictionary

import gevent
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from community.core import db
from community.core.clock import now
from community.lexicon.models import Sighting
from community.lexicon.queries import shadow_drafts
from community.rooms.models import Room
from community.safety import Finding, Lexicon, Rule, scan

from .alone import compiled_alone
from .reviewable import Reviewable

logger = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 1.0


@dataclass(slots=True)
class Watched:
    """The drafts in shadow as this process knows them. `lexicon` is None until their rules are compiled."""

    looked_at: float
    drafts: dict[str, tuple[int, datetime | None]] = field(default_factory=dict)  # by rule key: the draft, and until when
    rules: tuple[Rule, ...] = ()
    lexicon: Lexicon | None = None


_watched: WeakKeyDictionary[Engine, Watched] = WeakKeyDictionary()


def notice(item: Reviewable) -> None:
    """Called by the gate once the item has its id, in the writer's transaction."""
    try:
        watched = _watched.get(db.engine())
        if watched is None or time.monotonic() - watched.looked_at > LOOK_EVERY_SECONDS:
            watched = _look()
        if watched.lexicon is not None:
            profile = db.session().get_one(Room, item.room_id).profile
            _note(item, watched, scan(item.words(), watched.lexicon, room=item.room_id, profile=profile))
    except Exception:
        logger.exception(
            "a draft in shadow could not look at %s %s; the words are stored and judged as always", item.kind, item.id
        )


def forget() -> None:
    """The drafts in shadow changed in this process: the next words ask for them again."""
    _watched.pop(db.engine(), None)


def prepare() -> None:
    """Compile the drafts in shadow now, so that the very next words are seen. Waits, so never inside `write()`."""
    watched = _look()
    if watched.rules:
        watched.lexicon = compiled_alone(*watched.rules)


def _look() -> Watched:
    """Ask which drafts are in shadow. What must be compiled is compiled beside this: nothing waits inside a writer's transaction."""
    former = _watched.get(db.engine())
    with db.session().begin_nested():
        drafts = [(draft.id, draft.shadow_until, rule) for draft, rule in shadow_drafts()]
    rules = tuple(rule for _, _, rule in drafts)
    watched = Watched(time.monotonic(), {rule.key: (draft_id, until) for draft_id, until, rule in drafts}, rules)
    if former is not None and former.rules == rules:
        watched.lexicon = former.lexicon
    elif rules:
        gevent.spawn(_compile, watched)
    _watched[db.engine()] = watched
    return watched


def _compile(watched: Watched) -> None:
    watched.lexicon = compiled_alone(*watched.rules)


def _note(item: Reviewable, watched: Watched, findings: Sequence[Finding]) -> None:
    """One sighting for each draft and item, however often it is edited."""
    moment = now()
    places = {finding.rule: finding for finding in reversed(findings)}  # the gravest is the first, so it is written last
    seen = {watched.drafts[key][0]: finding for key, finding in places.items() if _lasts(watched, key, moment)}
    if not seen:
        return
    with db.session().begin_nested() as inside:
        known = set() if item.edition == 1 else _known(item, seen)
        inside.session.add_all(
            Sighting(draft_id=draft_id, at=moment, item_kind=item.kind, item_id=item.id, room_id=item.room_id,
                     start=finding.start, end=finding.end)
            for draft_id, finding in seen.items() if draft_id not in known
        )  # fmt: skip


def _lasts(watched: Watched, key: str, moment: datetime) -> bool:
    until = watched.drafts[key][1]
    return until is None or until > moment


def _known(item: Reviewable, drafts: Iterable[int]) -> set[int]:
    rows = sa.select(Sighting.draft_id).where(
        Sighting.draft_id.in_(drafts), Sighting.item_kind == item.kind, Sighting.item_id == item.id
    )
    return set(db.session().scalars(rows))
