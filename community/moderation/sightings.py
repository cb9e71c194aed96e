"""What a draft in shadow noticed, as an admin reads it. `shadows` notes it while people write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from community.core import db
from community.core.clock import now
from community.lexicon.models import Draft, Sighting

from .looking_back import HITS_A_PAGE, Found, items_of, room_names, shown
from .models import SEEN_BY_RULES, Case, Signal

SHADOW_DAYS_MAX = 60
SIGHTINGS_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Sightings:
    """What a draft noticed while in shadow, beside what the rules in force noticed in the same words and in others."""

    draft: int
    both: int
    only_draft: int
    only_rule: int
    rows: list[Found]
    older: int | None


def sightings(draft: Draft, severity: str, *, before: int) -> Sightings:
    """Counted over the newest SIGHTINGS_COUNTED. `only_rule`: what the rule as in force noticed since, and the draft did not."""
    mine, others = _sighted(draft.id), _also_noticed(draft.id)
    page, older = _sightings_page(draft.id, before)
    places = [(row.item_kind, row.item_id) for row in page]
    items, rooms, by = items_of(places), room_names(), _noticed_by(places)
    rows = [
        shown(item, row.start, row.end, severity, rooms, noticed_by=by.get(place, ()))
        for row, place in zip(page, places, strict=True) if (item := items.get(place))
    ]  # fmt: skip
    both = len(mine & others)
    return Sightings(len(mine), both, len(mine) - both, len(_by_the_rule(draft) - mine), rows, older)


def _newest_sightings(draft_id: int) -> sa.Subquery:
    rows = sa.select(Sighting.item_kind, Sighting.item_id).where(Sighting.draft_id == draft_id)
    return rows.order_by(Sighting.id.desc()).limit(SIGHTINGS_COUNTED).subquery()


def _sighted(draft_id: int) -> set[tuple[str, int]]:
    newest = _newest_sightings(draft_id)
    return set(db.session().execute(sa.select(newest.c.item_kind, newest.c.item_id)).all())


def _also_noticed(draft_id: int) -> set[tuple[str, int]]:
    """Those of them that any rule in force noticed too."""
    newest = _newest_sightings(draft_id)
    case = sa.and_(Case.target_kind == newest.c.item_kind, Case.target_id == newest.c.item_id)
    seen = sa.exists().where(Signal.case_id == Case.id, Signal.kind.in_(SEEN_BY_RULES))
    rows = sa.select(newest.c.item_kind, newest.c.item_id).join(Case, case).where(seen)
    return set(db.session().execute(rows).all())


def _by_the_rule(draft: Draft) -> set[tuple[str, int]]:
    """What the rule of the same name, as in force, noticed while the draft was in shadow."""
    if draft.shadow_since is None:
        return set()
    rows = (
        sa.select(Case.target_kind, Case.target_id)
        .join(Signal, Signal.case_id == Case.id)
        .where(Signal.rule_key == draft.key, Signal.kind == "finding", Signal.created_at >= draft.shadow_since)
        .where(Signal.created_at <= (draft.shadow_until or now()))
        .order_by(Signal.id.desc())
        .limit(SIGHTINGS_COUNTED)
    )
    return set(db.session().execute(rows).all())


def _sightings_page(draft_id: int, before: int) -> tuple[Sequence[Sighting], int | None]:
    """The newest first, and the id to go on before."""
    rows = sa.select(Sighting).where(Sighting.draft_id == draft_id).order_by(Sighting.id.desc()).limit(HITS_A_PAGE + 1)
    found = db.session().scalars(rows.where(Sighting.id < before) if before else rows).all()
    return found[:HITS_A_PAGE], found[HITS_A_PAGE - 1].id if len(found) > HITS_A_PAGE else None


def _noticed_by(places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], list[str]]:
    """The rules in force that found something in these things."""
    kinds_of = {kind for kind, _ in places}
    about = [sa.and_(Case.target_kind == kind, Case.target_id.in_([i for k, i in places if k == kind])) for kind in kinds_of]
    if not about:
        return {}
    rows = (
        sa.select(Case.target_kind, Case.target_id, Signal.rule_key)
        .join(Signal, Signal.case_id == Case.id)
        .where(sa.or_(*about), Signal.kind.in_(SEEN_BY_RULES))
        .distinct()
    )
    found: dict[tuple[str, int], list[str]] = {}
    for kind, item_id, key in db.session().execute(rows.order_by(Signal.rule_key)):
        found.setdefault((kind, item_id), []).append(key)
    return found
