"""THE GATE: the only way words are stored, and the only way a case opens.

`review` runs inside the writer's transaction: words, case, signals, snapshot and the author's support card are stored together
or not at all. Keywords route and help; they never refuse or alter. Words may be held, and the author sees that.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import audit, db
from community.core.clock import now
from community.core.prepared import Prepared
from community.lexicon.queries import current_lexicon, newest
from community.notifications.actions import notify
from community.notifications.models import Notification
from community.rooms.models import Room
from community.rooms.posture import details_covered, words_wait
from community.rooms.queries import profile_of
from community.safety import CONCERNS, Finding, Lexicon, explain, leading_concern, scan, severity_rank

from . import shadows
from .access import who_may_see
from .advice import offer_advice
from .deadlines import due_after, let_go, tell_desks
from .hearers import page_on_call
from .models import SEEN_BY_RULES, Case, CoverProposal, Signal, Snapshot
from .reviewable import Reviewable
from .second_signal import score_of
from .transitions import after

logger = logging.getLogger(__name__)

DISTRESS = frozenset({"suicide", "self-harm", "hopelessness", "eating", "abuse", "child-safety", "substances", "harm-to-others"})
UNREAD_WORDS = ("suicide", "red")  # words nobody could scan may be the worst: they go to those trained for the worst


Known = tuple[str, str]  # a rule and the very words it was found in
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
QUIET = datetime(9000, 1, 1, tzinfo=UTC)  # the clock of a case about old words: nobody is told when it is overdue
ONE_LOWER = {"crisis": "red", "red": "amber", "amber": "green", "green": "green"}


@dataclass(frozen=True)
class Reviewed:
    """What the gate did: whether the words wait, and the cards for their author alone, if any (notification ids): support, and
    advice about personal data."""

    held: bool
    support_id: int | None
    advice_id: int | None = None


class Facts(NamedTuple):
    """What the gate must know before it reads: asked with everything that is written, so in one statement."""

    revision: int
    profile: str
    country: str


def _facts_about(item: Reviewable) -> Facts:
    asked = db.first(_facts, room=item.room_id, author=item.author_id)
    return Facts(asked.revision or 0, asked.profile, asked.country)


_facts = Prepared(
    sa.select(newest.scalar_subquery().label("revision"), Room.profile, Account.country)
    .select_from(sa.join(Room, Account, Account.id == sa.bindparam("author")))
    .where(Room.id == sa.bindparam("room"))
)


def review(item: Reviewable, facts: Facts | None = None) -> Reviewed:
    """Scan, store, and open or extend the case of new words, in the caller's transaction. `facts` are for whoever asked for them
    with something else, in this very transaction."""
    facts = facts or _facts_about(item)
    return _advised(_judge(item, facts, known=frozenset()), item, facts, was="")


def review_again(item: Reviewable, *, was: str) -> Reviewed:
    """The same for edited words; `was` is the body before. What was found in the same words before does not reopen a closed case, unless they are held
    now; a case that is not closed gets the new words in any case, so that nobody decides on what is no longer there."""
    item.edition += 1
    facts = _facts_about(item)
    reviewed = _judge(item, facts, known=_known(item))
    _renew_open_case(item)
    return _advised(reviewed, item, facts, was=was)


def _advised(reviewed: Reviewed, item: Reviewable, facts: Facts, *, was: str) -> Reviewed:
    card = offer_advice(item, facts.country, was=was)
    return reviewed if card is None else replace(reviewed, advice_id=card)


def review_old(item: Reviewable, findings: Sequence[Finding], lexicon: Lexicon) -> Case | None:
    """Words of the past, found by rules that came later: a case one step less urgent, and nothing else. Nobody is paged, the author
    is told nothing, and the words stay as visible as they are. What the same rule found in the same words before is no news."""
    case_about(item)  # locked first: what is known is read after whoever was faster
    news = _news(item, findings, _known(item))
    return add_signals(item, [_old_signal(finding, item.words(), lexicon) for finding in news]) if news else None


def reviewed_before(item: Reviewable) -> Reviewed:
    """The answer to words sent twice: the one their author was given the first time."""
    told = sa.select(Notification.id, Notification.kind, Notification.data).where(
        Notification.account_id == item.author_id,
        Notification.kind.in_(("support", "held", "personal")),
        Notification.created_at >= item.created_at,
    )
    cards = [(card, kind) for card, kind, data in db.session().execute(told.order_by(Notification.id)) if _is_about(item, data)]
    return Reviewed(
        held=item.visibility == "held",
        support_id=next((card for card, kind in cards if kind != "personal"), None),
        advice_id=next((card for card, kind in cards if kind == "personal"), None),
    )


def _is_about(item: Reviewable, data: dict[str, Any]) -> bool:
    return (data.get("item"), data.get("target")) == (item.kind, item.id)


def _judge(item: Reviewable, facts: Facts, *, known: frozenset[Known]) -> Reviewed:
    findings, lexicon = _scanned(item.words(), item.room_id, facts.profile, facts.revision)
    item.reviewed = True
    item.lexicon_revision = lexicon.revision if lexicon else 0
    item.cover(
        _spans_to_cover(
            item, [finding for finding in findings if finding.action == "mask"] + _covered_for_the_hour(item, findings)
        )
    )
    if _must_hold(item, findings, unread=lexicon is None):
        item.visibility = "held"
    item.store()
    shadows.notice(item)
    held = item.visibility == "held"
    if lexicon is None:
        add_signals(item, [_scanner_failed()])
        return Reviewed(held=held, support_id=_offer_support(item, ()))
    news = _news(item, findings, known)
    if not news and not (held and findings):
        return Reviewed(held=held, support_id=None)
    case = add_signals(item, [_signal_of(finding, item.words(), lexicon) for finding in findings])
    if any(finding.action == "page" for finding in news):
        page_on_call(case)
    return Reviewed(held=held, support_id=_offer_support(item, news))


def _spans_to_cover(item: Reviewable, findings: Sequence[Finding]) -> list[list[int]]:
    """Where these stand, in code points of the body."""
    begins = item.body_starts()
    return apart([[max(0, finding.start - begins), finding.end - begins] for finding in findings])


def apart(spans: Iterable[list[int]]) -> list[list[int]]:
    """In order, and those that overlap or touch as one."""
    found: list[list[int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1][1] = max(found[-1][1], end)
        elif start < end:
            found.append([start, end])
    return found


def _covered_for_the_hour(item: Reviewable, findings: Sequence[Finding]) -> list[Finding]:
    """At night details of methods are covered until a moderator has looked."""
    details = [finding for finding in findings if finding.concern == "method-detail"]
    return details if details and details_covered(db.session().get_one(Room, item.room_id)) else []


def uncover(item: Reviewable) -> None:
    """A moderator has looked: what was covered for the hour opens; what rules mask, or the author agreed to, stays covered."""
    findings, lexicon = _scan(item)
    if lexicon is not None:
        masked = _spans_to_cover(item, [finding for finding in findings if finding.action == "mask"])
        item.cover(apart([*masked, *_agreed(item)]))


def _agreed(item: Reviewable) -> list[list[int]]:
    """What its author agreed to cover in the words as they are now."""
    rows = (
        sa.select(CoverProposal.spans)
        .join(Case, Case.id == CoverProposal.case_id)
        .where(Case.target_kind == item.kind, Case.target_id == item.id)
        .where(CoverProposal.answer == "taken", CoverProposal.edition == item.edition)
    )
    return [span for spans in db.session().scalars(rows) for span in spans]


def _news(item: Reviewable, findings: Sequence[Finding], known: frozenset[Known]) -> list[Finding]:
    words = item.words()
    return [finding for finding in findings if (finding.rule, words[finding.start : finding.end]) not in known]


def _scan(item: Reviewable) -> tuple[Sequence[Finding], Lexicon | None]:
    return scan_words(item.words(), item.room_id)


def scan_words(words: str, room_id: int) -> tuple[Sequence[Finding], Lexicon | None]:
    """Findings and the lexicon that judged; no lexicon when the scanner failed: that opens a case of its own."""
    return _scanned(words, room_id, profile_of(room_id))


def _scanned(words: str, room_id: int, profile: str, revision: int | None = None) -> tuple[Sequence[Finding], Lexicon | None]:
    try:
        lexicon = current_lexicon(revision)
        return scan(words, lexicon, room=room_id, profile=profile), lexicon
    except sa.exc.SQLAlchemyError:
        raise  # the database failed, not the scanner: nothing is stored and the writer is told
    except Exception:
        logger.exception("the scanner failed; the words are stored and a moderator is asked to read them")
        return (), None


def cries_for_help(words: str, room_id: int, facts: Facts) -> bool:
    """Whether no rule of form may keep these words from the people who would answer them: distress at red or above, or words that
    could not be scanned."""
    findings, lexicon = _scanned(words, room_id, facts.profile, facts.revision)
    grave = (found for found in findings if severity_rank(found.severity) >= severity_rank("red"))
    return lexicon is None or any(found.concern in DISTRESS for found in grave)


def _must_hold(item: Reviewable, findings: Sequence[Finding], *, unread: bool) -> bool:
    """A `hold` rule, or a room that holds whatever is amber or above, always or at this hour; such a room also holds words nobody
    could scan."""
    if any(finding.action == "hold" for finding in findings):
        return True
    if not unread and not any(severity_rank(finding.severity) >= severity_rank("amber") for finding in findings):
        return False
    return words_wait(db.session().get_one(Room, item.room_id))


def add_signals(item: Reviewable, signals: Sequence[Signal]) -> Case:
    """Attach signals to the target's case: the open one, a closed one reopened, or a new one. Announces it to the desks."""
    leader = max(signals, key=_gravity)
    case = case_about(item)
    left: tuple[str, ...] = ()
    graver = case is not None and _is_graver(leader, case)
    if case is None:
        case = _new_case(item, leader)
    else:
        left = _raise(case, leader, item.words())
    snapshot = _snapshot(case, item)
    case.score = score_of(snapshot.words)
    for signal in signals:
        signal.case_id, signal.snapshot_id = case.id, snapshot.id
    db.session().add_all(signals)
    db.session().flush()
    if graver and case.state == "escalated":
        page_on_call(case)
    tell_desks(case, also=left)
    return case


def case_about(item: Reviewable) -> Case | None:
    """The target's latest case, locked until the commit: a claim at the same moment waits instead of undoing the writer's words."""
    rows = sa.select(Case).where(Case.target_kind == item.kind, Case.target_id == item.id).order_by(Case.id.desc()).limit(1)
    return db.session().scalars(rows.with_for_update().execution_options(populate_existing=True)).one_or_none()


def _renew_open_case(item: Reviewable) -> None:
    case = case_about(item)
    if case is None or case.state == "closed":
        return
    latest = db.session().scalars(
        sa.select(Snapshot.edition).where(Snapshot.case_id == case.id).order_by(Snapshot.id.desc()).limit(1)
    )
    if latest.one() == item.edition:
        return  # it came with new signals
    _snapshot(case, item)
    case.changed_at = now()
    audit.record(None, "case.words-edited", f"case:{case.id}", edition=item.edition)
    tell_desks(case)


def withdrawn(item: Reviewable) -> None:
    """Their author took the words back: whoever has the case before them learns it, and a decision on how it was before is refused."""
    case = case_about(item)
    if case is None:
        return
    audit.record(None, "case.words-withdrawn", f"case:{case.id}")
    if case.state != "closed":
        case.changed_at = now()
        tell_desks(case)


def _gravity(signal: Signal) -> tuple[int, int]:
    """Severity, then the graver concern: it decides whose desk a case lies on."""
    return severity_rank(signal.severity), -CONCERNS.index(signal.concern)


def _is_graver(signal: Signal, case: Case) -> bool:
    return _gravity(signal) > (case.severity_rank, -CONCERNS.index(case.concern))


def _new_case(item: Reviewable, worst: Signal) -> Case:
    case = Case(
        target_kind=item.kind, target_id=item.id, room_id=item.desk_room_id(), author_id=item.author_id, concern=worst.concern,
        severity=worst.severity, severity_rank=severity_rank(worst.severity), state="open", level=0, opened_at=now(),
        changed_at=now(), due_at=due_after(worst.severity), louder_at=_louder_at(worst), escalation_note="",
    )  # fmt: skip
    db.session().add(case)
    db.session().flush()
    audit.record(None, "case.opened", f"case:{case.id}", signal=worst.kind, concern=case.concern, severity=case.severity)
    return case


def _raise(case: Case, leader: Signal, words: str) -> tuple[str, ...]:
    """A further signal: it can make a case graver, never milder. Returns the concerns whose desks lose it."""
    was, reopened = case.concern, case.state == "closed"
    case.state = after(case.state, "signal")
    case.changed_at = now()
    if reopened:
        case.closed_at, case.opened_at, case.due_at, case.escalated_by_id, case.escalation_note = (
            None,
            now(),
            END_OF_TIME,
            None,
            "",
        )
    if reopened or _is_graver(leader, case):
        _lead(case, leader, _gravest_concern(case, leader, words) if reopened else leader.concern, reopened=reopened)
    elif case.louder_at == QUIET:
        case.louder_at = _louder_at(leader)  # somebody speaks of these old words now
    act = "case.reopened" if reopened else "case.signal-added"
    audit.record(None, act, f"case:{case.id}", signal=leader.kind, concern=case.concern, severity=case.severity)
    return (was,) if case.concern != was else ()


def _louder_at(signal: Signal) -> datetime:
    """When the clock speaks up. Never for old words found by newer rules: they wait on the desk and call nobody."""
    return QUIET if signal.kind == "rescan" else due_after(signal.severity)


def _gravest_concern(case: Case, leader: Signal, words: str) -> str:
    """What is opened again by something milder still belongs to those trained for the gravest that was found in its words as they
    are now, or in a note about them."""
    rows = (
        sa.select(Signal.kind, Signal.concern, Signal.start, Signal.end, Snapshot.words)
        .join(Snapshot, Snapshot.id == Signal.snapshot_id)
        .where(Signal.case_id == case.id, sa.or_(Signal.rule_key != "", Signal.kind == "scanner-failed"))
    )
    found: set[str] = {
        row.concern for row in db.session().execute(rows)
        if row.words[row.start : row.end] in words or row.kind not in ("finding", "rescan")
    }  # fmt: skip
    return min(found | {leader.concern}, key=CONCERNS.index)


def _lead(case: Case, leader: Signal, concern: str, *, reopened: bool) -> None:
    """The signal now says whose case it is and by when. Somebody not trained for it does not keep it."""
    case.concern, case.severity, case.severity_rank = concern, leader.severity, severity_rank(leader.severity)
    case.due_at = min(case.due_at, due_after(leader.severity))
    if reopened or leader.kind != "rescan":
        case.level = case.level if case.escalated_by_id else 0
        case.louder_at = QUIET if leader.kind == "rescan" else case.due_at
    if case.state == "claimed" and db.session().scalar(who_may_see(case).where(Account.id == case.claimed_by_id)) is None:
        let_go(case)


def _snapshot(case: Case, item: Reviewable) -> Snapshot:
    snapshot = Snapshot(
        case_id=case.id, taken_at=now(), words=item.words(), surroundings=[line.as_json() for line in item.surroundings()],
        visibility=item.visibility, edition=item.edition,
    )  # fmt: skip
    db.session().add(snapshot)
    db.session().flush()
    return snapshot


def _signal_of(finding: Finding, words: str, lexicon: Lexicon) -> Signal:
    return Signal(
        kind="finding", concern=finding.concern, severity=finding.severity, created_at=now(), rule_key=finding.rule,
        lexicon_revision=lexicon.revision, view=finding.view, start=finding.start, end=finding.end, cues=list(finding.cues),
        explanation=explain(finding, words, lexicon),
    )  # fmt: skip


def _old_signal(finding: Finding, words: str, lexicon: Lexicon) -> Signal:
    signal = _signal_of(finding, words, lexicon)
    signal.kind, signal.severity = "rescan", ONE_LOWER[finding.severity]
    signal.explanation += " These words are older than the rule: the case is one step less urgent."
    return signal


def _scanner_failed() -> Signal:
    concern, severity = UNREAD_WORDS
    return Signal(
        kind="scanner-failed", concern=concern, severity=severity, created_at=now(), cues=[],
        explanation="The safety scanner could not read these words. Please read them yourself.",
    )  # fmt: skip


def _known(item: Reviewable) -> frozenset[Known]:
    rows = (
        sa.select(Signal.rule_key, Signal.start, Signal.end, Snapshot.words)
        .join(Snapshot, Snapshot.id == Signal.snapshot_id)
        .join(Case, Case.id == Signal.case_id)
        .where(Case.target_kind == item.kind, Case.target_id == item.id, Signal.kind.in_(SEEN_BY_RULES))
    )
    return frozenset((rule, words[start:end]) for rule, start, end, words in db.session().execute(rows))


def _offer_support(item: Reviewable, findings: Sequence[Finding]) -> int | None:
    """The author's card; when there is none and the words wait, they are told that."""
    card = offer_support(item, item.words(), findings)
    if card is None and item.visibility == "held":
        return notify(item.author_id, "held", read=True, **_where(item)).id
    return card


def offer_support(item: Reviewable, words: str, findings: Sequence[Finding], **facts: Any) -> int | None:
    """A private card for the author, when something in `words` (theirs, in or about the item) may mean distress, or a rule asks
    for it."""
    meant = [
        finding for finding in findings
        if finding.action == "support" or (finding.concern in DISTRESS and severity_rank(finding.severity) >= severity_rank("amber"))
    ]  # fmt: skip
    if not meant:
        return None
    noticed = list(dict.fromkeys(words[finding.start : finding.end] for finding in meant))[:3]
    country = db.session().get_one(Account, item.author_id).country
    return notify(
        item.author_id, "support", read=True, noticed=noticed, concern=leading_concern(meant), country=country, **facts,
        **_where(item),
    ).id  # fmt: skip


def _where(item: Reviewable) -> dict[str, Any]:
    return {"item": item.kind, "target": item.id, "room": item.room_id, "path": item.path(), "held": item.visibility == "held"}
