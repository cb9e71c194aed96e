"""Rules going through words of the past. A preview shows what a draft would have matched; a rescan opens cases by the rules in force.

A pass is a row. Its cursor (a kind of words and an id, from the newest down) is stored in one transaction with what was found up
to it, so whoever goes on after a kill finds everything once: nothing twice, nothing left out. One process at a time has the
sweep; should two ever work on the same pass, the one whose cursor is no longer true throws its chunk away.

Memory is bounded by a chunk. Scanning happens off the event loop, transactions are short, and the loop turns between them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import gevent
import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from community.core import db
from community.core.clock import now
from community.core.jobs import sweep
from community.lexicon.changes import rule_from
from community.lexicon.checking import in_pool
from community.lexicon.queries import current_lexicon, rule_of, rules_in
from community.rooms.models import Room
from community.safety import Finding, Lexicon, Rule, scan, starter_rules

from .alone import compile_alone
from .intake import review_old
from .models import Case, Decision, Pass, PassHit
from .reviewable import KINDS, Reviewable, find

logger = logging.getLogger(__name__)

LIVING = ("waiting", "running")
CHUNK = 50
WINDOW = 5_000
"""Ids a chunk looks at, so that skipping what is too old costs little each time."""
TURN_SECONDS = 4.0
"""Shorter than the lease of the sweep."""
AT_ONCE = 4
"""Cases a rescan opens in one transaction: writers of posts and messages wait for no more than that."""
HITS_KEPT = 300
"""Hits of each change that a preview keeps to be shown; all are counted."""
UPHELD = ("hide", "warn", "suspend")
FAILED = (
    "It stopped because of a fault on our side, which was noted for whoever runs this site. What was found until then stands."
)


@dataclass(frozen=True, slots=True)
class Text:
    """Words of the past, and the kind of room they were written in."""

    kind: str
    id: int
    room_id: int
    words: str
    profile: str


Place = tuple[str, int]
"""A kind of words, and the id below which they are not read yet. No kind: everything is read."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next texts of a pass, from one place of its cursor to another."""

    pass_id: int
    texts: Sequence[Text]
    begins: Place
    ends: Place


@dataclass(frozen=True, slots=True)
class Seen:
    """What a pass found in one text; for a preview, `change` says what became of it: new, kept or lost."""

    text: Text
    findings: tuple[Finding, ...]
    change: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """The texts in which something was found, and how many could not be scanned."""

    seen: list[Seen]
    unread: int


Look = Callable[[Text], list[Seen]]


def kinds() -> list[str]:
    """The order of a pass. Sorted, so that every process walks the same way."""
    return sorted(kind for kind, cls in KINDS.items() if not cls.private)


def highest_ids() -> dict[str, int]:
    return {kind: db.session().scalar(sa.select(sa.func.max(KINDS[kind].id))) or 0 for kind in kinds()}


# ---- the sweep


@sweep(2)
def go_on() -> None:
    """Every living pass a chunk further, each in its turn, until the time is up. Reads at most PASS_RATE texts a second."""
    ends, rate = time.monotonic() + TURN_SECONDS, int(current_app.config["KITH"].pass_rate)
    while time.monotonic() < ends and (living := _living()):
        for pass_id in living:
            began = time.monotonic()
            read = step(pass_id)
            gevent.sleep(max(0.0, read / rate - (time.monotonic() - began)))


def _living() -> Sequence[int]:
    return db.session().scalars(sa.select(Pass.id).where(Pass.state.in_(LIVING)).order_by(Pass.id)).all()


def step(pass_id: int) -> int:
    """One chunk of one pass; how many texts it read. A fault ends this pass and no other; a failing database is tried again."""
    row = db.session().get_one(Pass, pass_id, populate_existing=True)
    try:
        chunk = _next_chunk(row)
        if row.kind == "preview":
            _preview(row, chunk)
        else:
            _rescan(row, chunk)
    except SQLAlchemyError:
        raise
    except Exception:
        logger.exception("pass %s failed; what it found stands, and an admin can let it go on", pass_id)
        with db.write():
            _fail(pass_id)
        return 0
    return len(chunk.texts)


def _fail(pass_id: int) -> None:
    living = sa.update(Pass).where(Pass.id == pass_id, Pass.state.in_(LIVING))
    db.session().execute(living.values(state="failed", problem=FAILED, finished_at=now()))


def _next_chunk(row: Pass) -> Chunk:
    """From the cursor down. What its author took back is nobody's to read any more."""
    cls: type[Reviewable] = KINDS[row.cursor_kind]
    low = max(row.cursor_id - WINDOW, 1)
    rows = (
        sa.select(cls.id, cls.room_id, cls.words_in_sql(), Room.profile)
        .join(Room, Room.id == cls.room_id)
        .where(cls.id < row.cursor_id, cls.id >= low, cls.created_at >= row.since, cls.visibility != "withdrawn")
        .order_by(cls.id.desc())
        .limit(CHUNK)
    )
    texts = [Text(row.cursor_kind, *found) for found in db.session().execute(rows).all()]
    cursor = texts[-1].id if len(texts) == CHUNK else low
    return Chunk(row.id, texts, (row.cursor_kind, row.cursor_id), _further(row, cursor))


def _further(row: Pass, cursor: int) -> Place:
    """The cursor, or the top of the next kind when this one is through."""
    if cursor > 1:
        return row.cursor_kind, cursor
    later = kinds()[kinds().index(row.cursor_kind) + 1 :]
    return (later[0], row.found["upto"].get(later[0], 0) + 1) if later else ("", 0)


def _move(pass_id: int, begins: Place, ends: Place, read: int) -> Pass | None:
    """The row, locked and moved on, if it still stood where this chunk began: not cancelled, and nobody was faster."""
    row = db.session().get_one(Pass, pass_id, with_for_update=True, populate_existing=True)
    if row.state not in LIVING or (row.cursor_kind, row.cursor_id) != begins:
        return None
    row.cursor_kind, row.cursor_id = ends
    row.state, row.read = "running", row.read + read
    if not row.cursor_kind:
        row.state, row.finished_at = "done", now()
    return row


def _count(row: Pass, name: str, kind: str, more: int = 1) -> None:
    """`found[name][kind]` and more. A new dict each time: that is how the change is noticed."""
    if not more:
        return
    counts = row.found.get(name, {})
    row.found = {**row.found, name: {**counts, kind: counts.get(kind, 0) + more}}


def _read(texts: Iterable[Text], look: Look) -> Read:
    """Pure and slow: runs off the loop. A text that cannot be scanned was judged when it was written; it is counted."""
    seen, unread = [], 0
    for text in texts:
        try:
            seen += look(text)
        except Exception:
            logger.exception("%s %s could not be scanned by a pass; it goes on with the next", text.kind, text.id)
            unread += 1
    return Read(seen, unread)


# ---- a preview


def _preview(row: Pass, chunk: Chunk) -> None:
    told = row.rule or {}
    then, before = (rule_from(told[name]) if told.get(name) else None for name in ("then", "now"))
    db.end_reading()
    read = in_pool(_compare, then, before, chunk.texts)
    with db.write():
        moved = _move(chunk.pass_id, chunk.begins, chunk.ends, len(chunk.texts))
        if moved is not None:
            _keep(moved, read)


def _compare(then: Rule | None, before: Rule | None, texts: Sequence[Text]) -> Read:
    """What the rule would find in these texts, and what it finds as it is."""
    after_change, as_it_is = _lexicon_of(then), _lexicon_of(before)

    def look(text: Text) -> list[Seen]:
        found, known = _scan(text, after_change), _scan(text, as_it_is)
        if not found and not known:
            return []
        return [Seen(text, found or known, "lost" if not found else "kept" if known else "new")]

    return _read(texts, look)


def _lexicon_of(rule: Rule | None) -> Lexicon | None:
    return compile_alone((rule,)) if rule else None


def _scan(text: Text, lexicon: Lexicon | None) -> tuple[Finding, ...]:
    return scan(text.words, lexicon, room=text.room_id, profile=text.profile) if lexicon else ()


def _keep(row: Pass, read: Read) -> None:
    """Count everything, and keep the first of each change to be shown."""
    decided = latest_outcomes([seen.text for seen in read.seen])
    for seen in read.seen:
        text, finding = seen.text, seen.findings[0]
        outcome = decided.get((text.kind, text.id), "")
        if sum(row.found.get(seen.change, {}).values()) < HITS_KEPT:
            db.session().add(
                PassHit(pass_id=row.id, item_kind=text.kind, item_id=text.id, room_id=text.room_id, start=finding.start,
                        end=finding.end, severity=finding.severity, decided=outcome, change=seen.change)
            )  # fmt: skip
        _count(row, seen.change, text.kind)
        if seen.change == "lost":
            _count(row, "upheld", text.kind, outcome in UPHELD)
        else:
            row.no_action += outcome == "leave"
    _count(row, "unread", "", read.unread)


def latest_outcomes(texts: Iterable[Text]) -> dict[tuple[str, int], str]:
    """By kind and id, what moderators decided last about these texts."""
    by_kind: dict[str, list[int]] = {}
    for text in texts:
        by_kind.setdefault(text.kind, []).append(text.id)
    about = [sa.and_(Case.target_kind == kind, Case.target_id.in_(ids)) for kind, ids in by_kind.items()]
    if not about:
        return {}
    rows = sa.select(Case.target_kind, Case.target_id, Decision.outcome).join(Decision, Decision.case_id == Case.id)
    return {
        (kind, item): outcome for kind, item, outcome in db.session().execute(rows.where(sa.or_(*about)).order_by(Decision.id))
    }


# ---- a rescan


def _rescan(row: Pass, chunk: Chunk) -> None:
    """Scan the chunk, then store it in short transactions, each of which moves the cursor to where it has come."""
    lexicon = _lexicon_in(row.revision)
    db.end_reading()
    read = in_pool(_look_again, lexicon, chunk.texts)
    place, unread = chunk.begins, read.unread
    for ends, count, seen in _portions(chunk, read.seen):
        with db.write():
            moved = _move(chunk.pass_id, place, ends, count)
            if moved is None:
                return
            _open_cases(moved, seen, lexicon)
            _count(moved, "unread", "", unread)
        place, unread = ends, 0
        gevent.sleep(0)


def _look_again(lexicon: Lexicon, texts: Sequence[Text]) -> Read:
    def look(text: Text) -> list[Seen]:
        found = _scan(text, lexicon)
        return [Seen(text, found)] if found else []

    return _read(texts, look)


def _portions(chunk: Chunk, seen: Sequence[Seen]) -> Iterator[tuple[Place, int, Sequence[Seen]]]:
    """The chunk cut after every AT_ONCE texts with findings: where a portion ends, how many texts it read, and what was seen."""
    places = {text.id: at for at, text in enumerate(chunk.texts)}
    done = 0
    for at in range(AT_ONCE, len(seen), AT_ONCE):
        last = seen[at - 1].text
        upto = places[last.id] + 1
        yield (last.kind, last.id), upto - done, seen[at - AT_ONCE : at]
        done = upto
    rest = (len(seen) - 1) // AT_ONCE * AT_ONCE if seen else 0
    yield chunk.ends, len(chunk.texts) - done, seen[rest:]


def _open_cases(row: Pass, seen: Sequence[Seen], lexicon: Lexicon) -> None:
    """Words edited or taken back since they were scanned are left to the gate, which has read them meanwhile."""
    for one in seen:
        item: Reviewable = find(one.text.kind, one.text.id)
        db.session().refresh(item, with_for_update=True)
        if item.visibility == "withdrawn" or item.words() != one.text.words:
            continue
        _count(row, "matched", item.kind)
        if review_old(item, one.findings, lexicon) is not None:
            _count(row, "new", item.kind)


def _lexicon_in(number: int) -> Lexicon:
    """The revision a rescan judges by, even when another one is published meanwhile."""
    lexicon = current_lexicon()
    if lexicon.revision == number:
        return lexicon
    rules = tuple(rule_of(row) for row in rules_in(number)) if number else starter_rules()
    return in_pool(_compile_revision, number, rules)


@lru_cache(maxsize=1)
def _compile_revision(number: int, rules: tuple[Rule, ...]) -> Lexicon:
    return Lexicon.compile(rules, number)
