"""The optional second signal: a weighing of words trained on this community's own decided cases, and on nothing else.

Off until an admin switches it on, and then it only orders cases inside one severity: overdue ones still come first, and nothing
is hidden, opened or closed by it. It can be switched on only when cross-validation shows that it is worth something.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from gevent import get_hub
from sqlalchemy.engine import Engine

from community.accounts.models import Account
from community.core import audit, db
from community.core.clock import now
from community.core.errors import Conflict, NotFound
from community.safety import Decided, Gain, gain, score, severity_rank, train

from .models import Case, Decision, SecondSignal, Signal, Snapshot

FEWEST_CASES = 2_000
FEWEST_OF_EACH = 100
FEWEST_POINTS = 3.0
MOST_CASES = 20_000
TELLING_SHOWN = 20
OPEN_AT_MOST = 2_000


def decided_cases() -> list[Decided]:
    """The latest decision of each case with the words it was about. Worth a moderator's time is what was not called a false
    alarm; a case that was left as it is without anybody having asked for help counts as no action."""
    latest = sa.select(sa.func.max(Decision.id)).group_by(Decision.case_id)
    asked = sa.exists().where(Signal.case_id == Case.id, Signal.kind == "help-request")
    rows = (
        sa.select(Decision.id, Snapshot.words, Case.severity, Decision.outcome, Decision.false_alarm, asked)
        .join(Snapshot, Snapshot.id == Decision.snapshot_id)
        .join(Case, Case.id == Decision.case_id)
        .where(Decision.id.in_(latest))
        .order_by(Decision.id.desc())
        .limit(MOST_CASES)
    )
    return [
        Decided(number, words, severity_rank(severity), not false_alarm and (outcome != "leave" or bool(wanted)))
        for number, words, severity, outcome, false_alarm, wanted in db.session().execute(rows)
    ]


def why_not_train(cases: Sequence[Decided]) -> str:
    """A sentence, or nothing when there is enough to learn from."""
    if len(cases) < FEWEST_CASES:
        return (
            f"There are {len(cases):,} decided cases here, and at least {FEWEST_CASES:,} are needed: with fewer, it would learn "
            "who wrote instead of what worries."
        )
    worth = sum(case.worth for case in cases)
    if min(worth, len(cases) - worth) < FEWEST_OF_EACH:
        return (
            f"At least {FEWEST_OF_EACH} cases of each sort are needed: some that led to something, and some that were left as they "
            "were or marked as a false alarm."
        )
    return ""


def learn(cases: Sequence[Decided]) -> tuple[dict[str, float], Gain]:
    """Weights and what they are worth. Seconds of CPU: off the event loop, outside any transaction."""
    learnt: tuple[dict[str, float], Gain] = get_hub().threadpool.apply(lambda: (train(cases), gain(cases)))
    return learnt


def keep(actor: Account, weights: dict[str, float], worth: Gain) -> SecondSignal:
    """Store what was learnt. It stays off."""
    _only_admins(actor)
    row = SecondSignal(
        trained_at=now(), trained_by_id=actor.id, cases=worth.cases, gain=round(worth.points, 2), weights=weights, is_on=False,
        report={"worth": worth.worth, "by_age": round(worth.share_by_age, 4), "by_weight": round(worth.share_by_weight, 4)},
    )  # fmt: skip
    db.session().add(row)
    db.session().flush()
    audit.record(actor, "second-signal.trained", f"second-signal:{row.id}", cases=row.cases, gain=row.gain)
    return row


def switch_on(actor: Account, number: int) -> SecondSignal:
    """Order the queue by it inside each severity. Refused below FEWEST_POINTS."""
    row = _row(actor, number)
    if row.gain < FEWEST_POINTS:
        raise Conflict(
            f"Reading in this order would find {row.gain:.1f} points more of the cases that matter, and at least "
            f"{FEWEST_POINTS:.0f} are needed. Train it again when more cases are decided."
        )
    _all_off()
    row.is_on = True
    db.session().flush()
    audit.record(actor, "second-signal.on", f"second-signal:{row.id}")
    _score_open_cases(row)
    return row


def switch_off(actor: Account) -> None:
    _only_admins(actor)
    if (row := in_force()) is None:
        return
    _all_off()
    db.session().execute(sa.update(Case).where(Case.state != "closed", Case.score != 0).values(score=0))
    audit.record(actor, "second-signal.off", f"second-signal:{row.id}")


def _all_off() -> None:
    db.session().execute(sa.update(SecondSignal).where(SecondSignal.is_on).values(is_on=False))
    db.session().flush()


def in_force() -> SecondSignal | None:
    return db.session().scalars(sa.select(SecondSignal).where(SecondSignal.is_on)).one_or_none()


def newest() -> SecondSignal | None:
    return db.session().scalars(sa.select(SecondSignal).order_by(SecondSignal.id.desc()).limit(1)).one_or_none()


def score_of(words: str) -> int:
    """0 when it is off, so that the order is that of time."""
    number = db.session().scalar(sa.select(SecondSignal.id).where(SecondSignal.is_on))
    return score(words, _weights(number)) if number else 0


def _weights(number: int) -> dict[str, Any]:
    """Kept per database: a row never changes its weights."""
    if (known := _kept.get(db.engine())) is None or known[0] != number:
        known = _kept[db.engine()] = number, db.session().get_one(SecondSignal, number).weights
    return known[1]


_kept: WeakKeyDictionary[Engine, tuple[int, dict[str, Any]]] = WeakKeyDictionary()


def _score_open_cases(row: SecondSignal) -> None:
    latest = sa.select(sa.func.max(Snapshot.id)).group_by(Snapshot.case_id)
    rows = (
        sa.select(Case, Snapshot.words)
        .join(Snapshot, Snapshot.case_id == Case.id)
        .where(Case.state != "closed", Snapshot.id.in_(latest))
        .limit(OPEN_AT_MOST)
    )
    for case, words in db.session().execute(rows).all():
        db.session().execute(
            sa.update(Case)
            .where(Case.id == case.id)
            .values(score=score(words, row.weights))
            .execution_options(synchronize_session=False)
        )


def telling(row: SecondSignal) -> dict[str, list[tuple[str, float]]]:
    """The words that say most, for people to read: this is all it knows."""
    ordered = sorted(row.weights.items(), key=lambda pair: pair[1])
    return {"sooner": ordered[::-1][:TELLING_SHOWN], "later": ordered[:TELLING_SHOWN]}


def _row(actor: Account, number: int) -> SecondSignal:
    _only_admins(actor)
    row = db.session().get(SecondSignal, number)
    if row is None:
        raise NotFound
    return row


def _only_admins(actor: Account) -> None:
    if not actor.is_admin:
        raise NotFound
