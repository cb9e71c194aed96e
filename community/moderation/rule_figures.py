"""How each rule does: what it found, what moderators made of it, what it costs, and whether it should stay.

Figures are about the newest SIGNALS_READ signals. Every statement names its rules, so that `ix_signals_rule` leads to their
signals and to no others.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Any

import gevent
import sqlalchemy as sa

from community.core import db
from community.core.clock import now
from community.lexicon.checking import in_pool
from community.lexicon.models import LexiconRule, Revision
from community.safety import Rule, scan

from .alone import compile_alone
from .intake import DISTRESS
from .models import SEEN_BY_RULES, Decision, Signal
from .passes import UPHELD, kinds
from .reviewable import KINDS

SIGNALS_READ = 100_000
RULES_AT_ONCE = 10
HITS_DRAWN = 5_000
WEEKS = 26
ENOUGH_DECIDED = 20
RARELY_RIGHT = 0.3
SILENT = timedelta(days=180)
ABOUT_LIVES = frozenset({"suicide", "self-harm", "child-safety"})
TEXTS_MEASURED = 200
COSTS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Figures:
    """`right` of `decided` cases were rightly found: acted upon or, where distress is the concern, left as they are without the
    decider saying that the rules were wrong. Words of distress often stay: that a moderator looked was the point."""

    rule: Rule
    hits: int = 0
    decided: int = 0
    upheld: int = 0
    no_action: int = 0
    false_alarms: int = 0
    right: int = 0
    last_hit: datetime | None = None
    since: datetime | None = None

    @property
    def precision(self) -> float:
        return self.right / self.decided if self.decided else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.right, self.decided)


def wilson(right: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's score; (0, 1) when there is nothing to go by."""
    if not of:
        return 0.0, 1.0
    share, spread = right / of, z * z / of
    middle, half = share + spread / 2, z * sqrt(share * (1 - share) / of + spread / (4 * of))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def advice(figures: Figures) -> list[str]:
    """Why a rule could be retired. Never for a crisis rule, and not for red rules about lives: those stay, however rare or
    noisy, until somebody changes them for a reason of their own. That a review is due is said of every rule."""
    rule, said = figures.rule, []
    if not is_kept(rule):
        high = figures.interval[1]
        if figures.decided >= ENOUGH_DECIDED and high < RARELY_RIGHT:
            said.append(
                f"Rarely right: at most {high:.0%} of what it finds, going by {figures.decided} decided cases. Retire it?"
            )
        if _silent_since(figures):
            said.append(f"It found nothing for {SILENT.days} days. Retire it?")
    if rule.review_by and rule.review_by < now().date().isoformat():
        said.append(f"It was to be looked at again by {rule.review_by}.")
    return said


def is_kept(rule: Rule) -> bool:
    return rule.severity == "crisis" or (rule.severity == "red" and rule.concern in ABOUT_LIVES)


def _silent_since(figures: Figures) -> bool:
    """Nothing found for so long, and in force for at least as long."""
    latest = figures.last_hit or figures.since
    return latest is not None and latest < now() - SILENT and figures.since is not None and figures.since < now() - SILENT


def ordered(shown: Iterable[Figures], by: str) -> list[Figures]:
    """As asked: the busiest first, or the least often right first; otherwise by name."""
    if by == "hits":
        return sorted(shown, key=lambda one: (-one.hits, one.rule.key))
    if by == "precision":
        return sorted(shown, key=lambda one: (one.interval[1], -one.decided, one.rule.key))
    return sorted(shown, key=lambda one: one.rule.key)


# ---- counting


def figures(rules: Iterable[Rule]) -> list[Figures]:
    """A few rules with each statement, and the loop turns in between."""
    listed, found = list(rules), []
    floor = _floor()
    for at in range(0, len(listed), RULES_AT_ONCE):
        found += _figures(listed[at : at + RULES_AT_ONCE], floor)
        gevent.sleep(0)
    return found


def _floor() -> int:
    return (db.session().scalar(sa.select(sa.func.max(Signal.id))) or 0) - SIGNALS_READ


def _figures(rules: Sequence[Rule], floor: int) -> list[Figures]:
    keys = [rule.key for rule in rules]
    hits, verdicts, since = _hits(keys, floor), _verdicts(keys, floor), _in_force_since(keys)
    return [_put_together(rule, hits.get(rule.key), verdicts.get(rule.key, []), since.get(rule.key)) for rule in rules]


def _seen_by(rule: sa.ColumnElement[bool]) -> tuple[sa.ColumnElement[bool], ...]:
    """What a rule found in the words of a case. Words of an appeal or a note name their rule too, and are no hit of it."""
    return rule, Signal.kind.in_(SEEN_BY_RULES)


def _hits(keys: Sequence[str], floor: int) -> dict[str, tuple[int, datetime]]:
    counted = (
        sa.select(Signal.rule_key, sa.func.count().label("hits"), sa.func.max(Signal.id).label("last"))
        .where(*_seen_by(Signal.rule_key.in_(keys)), Signal.id > floor)
        .group_by(Signal.rule_key)
        .subquery()
    )
    rows = sa.select(counted.c.rule_key, counted.c.hits, Signal.created_at).join(Signal, Signal.id == counted.c.last)
    return {key: (count, at) for key, count, at in db.session().execute(rows)}


def _verdicts(keys: Sequence[str], floor: int) -> dict[str, list[Any]]:
    """By rule: outcome, whether it was a false alarm, and how many cases were last decided so after the rule spoke."""
    spoke = (
        sa.select(Signal.rule_key, Signal.case_id, sa.func.min(Signal.created_at).label("at"))
        .where(*_seen_by(Signal.rule_key.in_(keys)), Signal.id > floor)
        .group_by(Signal.rule_key, Signal.case_id)
        .subquery()
    )
    latest = sa.select(sa.func.max(Decision.id)).where(Decision.case_id == spoke.c.case_id).correlate(spoke).scalar_subquery()
    rows = (
        sa.select(spoke.c.rule_key, Decision.outcome, Decision.false_alarm, sa.func.count().label("cases"))
        .join(Decision, sa.and_(Decision.id == latest, Decision.created_at >= spoke.c.at))
        .group_by(spoke.c.rule_key, Decision.outcome, Decision.false_alarm)
    )
    found: dict[str, list[Any]] = {}
    for row in db.session().execute(rows):
        found.setdefault(row.rule_key, []).append(row)
    return found


def _in_force_since(keys: Sequence[str]) -> dict[str, datetime]:
    """When a rule of this name first came."""
    rows = (
        sa.select(LexiconRule.key, sa.func.min(LexiconRule.since_revision).label("first"))
        .where(LexiconRule.key.in_(keys))
        .group_by(LexiconRule.key)
        .subquery()
    )
    dated = sa.select(rows.c.key, Revision.created_at).join(Revision, Revision.number == rows.c.first)
    return dict(db.session().execute(dated).all())


def _put_together(rule: Rule, hits: tuple[int, datetime] | None, verdicts: Sequence[Any], since: datetime | None) -> Figures:
    count, last = hits or (0, None)
    distress = rule.concern in DISTRESS
    return Figures(
        rule=rule, hits=count, last_hit=last, since=since,
        decided=sum(row.cases for row in verdicts),
        upheld=sum(row.cases for row in verdicts if row.outcome in UPHELD),
        no_action=sum(row.cases for row in verdicts if row.outcome not in UPHELD),
        false_alarms=sum(row.cases for row in verdicts if row.false_alarm),
        right=sum(row.cases for row in verdicts if not row.false_alarm and (distress or row.outcome in UPHELD)),
    )  # fmt: skip


# ---- over time


@dataclass(frozen=True, slots=True)
class Week:
    begins: datetime
    hits: int


def weekly(key: str) -> list[Week]:
    """Hits a week, the oldest week first. Of a very busy rule only the newest HITS_DRAWN are counted."""
    begins = now() - timedelta(weeks=WEEKS)
    newest = sa.select(Signal.created_at).where(*_seen_by(Signal.rule_key == key)).order_by(Signal.id.desc()).limit(HITS_DRAWN)
    counts = [0] * WEEKS
    for at in db.session().scalars(newest):
        if at >= begins:
            counts[min(WEEKS - 1, (at - begins) // timedelta(weeks=1))] += 1
    return [Week(begins + timedelta(weeks=week), count) for week, count in enumerate(counts)]


# ---- what a rule costs

_costs: dict[Rule, float] = {}


def cost_known(rule: Rule) -> float | None:
    return _costs.get(rule)


def cost(rule: Rule) -> float:
    """Microseconds that scanning a recent text for this rule alone takes, in the middle. Measured off the loop, once for each
    state of a rule."""
    if rule not in _costs:
        texts = recent_words()
        db.end_reading()
        if len(_costs) >= COSTS_KEPT:
            _costs.clear()
        _costs[rule] = in_pool(_measure, rule, texts)
    return _costs[rule]


def recent_words() -> list[str]:
    """The newest words of each kind."""
    each = TEXTS_MEASURED // len(kinds())
    found: list[str] = []
    for kind in kinds():
        cls = KINDS[kind]
        found += db.session().scalars(sa.select(cls.words_in_sql()).order_by(cls.id.desc()).limit(each))
    return found


def _measure(rule: Rule, texts: Sequence[str]) -> float:
    """By the time this thread itself was working. Each text once before it counts: known words are what is usual."""
    lexicon, spent = compile_alone((rule,)), []
    for text in texts:
        scan(text, lexicon)
        began = time.thread_time()
        for _ in range(5):
            scan(text, lexicon)
        spent.append((time.thread_time() - began) / 5 * 1_000_000)
    return statistics.median(spent) if spent else 0.0
