"""A moderator proposes to the author to cover some of their words; the author says yes or no, and nothing happens otherwise.

Covered words stay their author's: whoever wants to read them asks first. It is the mildest help for words whose details could
hurt a reader: no decision, no house rule, nothing on the author's record.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import audit, db, text
from community.core.clock import now
from community.core.errors import Conflict, Invalid, NotFound
from community.notifications.actions import notify

from .access import case_to_decide
from .deadlines import tell_desks
from .intake import apart
from .models import Case, CoverProposal, Signal, Snapshot
from .reviewable import Reviewable, find

REASON_MAX = 2_000
PLACES_MAX = 50
DETAILS = ("method-detail", "eating")
GONE = "Your words have changed since, or are not shown any more: there is nothing to cover."
PRIVATE = "Nobody but moderators reads these words: there is nobody to cover them from."


@dataclass(frozen=True, slots=True)
class Proposal:
    """For the author: their words in parts (words, asked for, covered), why, and what became of it."""

    id: int
    reason: str
    proposer: str
    parts: list[tuple[str, bool, bool]]
    answer: str
    path: str


def propose(actor: Account, case_id: int, *, words: str, reason: str) -> CoverProposal:
    """`words` are copied from the body, one place a line. A proposal that waits is replaced; the same once more is the same."""
    case = case_to_decide(actor, case_id)
    item: Reviewable = find(case.target_kind, case.target_id)
    if item.private:
        raise Conflict(PRIVATE)
    if item.visibility not in ("visible", "held"):
        raise Conflict("These words are not shown any more: there is nothing to cover.")
    spans, said = _asked(item, words, reason)
    waiting = db.session().scalars(_waiting(case.id)).one_or_none()
    if waiting is not None:
        if (waiting.edition, waiting.spans, waiting.reason) == (item.edition, spans, said):
            return waiting
        waiting.answer, waiting.answered_at = "replaced", now()
        db.session().flush()
    made = CoverProposal(
        case_id=case.id, author_id=case.author_id, proposer_id=actor.id, edition=item.edition, spans=spans, reason=said,
        answer="waiting", created_at=now(),
    )  # fmt: skip
    db.session().add(made)
    db.session().flush()
    audit.record(actor, "proposal.made", f"case:{case.id}", proposal=made.id)
    notify(case.author_id, "cover-proposed", mail=True, proposal=made.id, reason=said, path=item.path())
    return made


def _waiting(case_id: int) -> sa.Select[CoverProposal]:
    return sa.select(CoverProposal).where(CoverProposal.case_id == case_id, CoverProposal.answer == "waiting")


def _asked(item: Reviewable, words: str, reason: str) -> tuple[list[list[int]], str]:
    """Where the words stand, and why. Raises Invalid, for both at once."""
    problems: dict[str, str] = {}
    found: list[list[int]] = []
    for place in dict.fromkeys(line.strip() for line in words.splitlines() if line.strip()):
        spans = list(_places(item.body, place))
        if not spans:
            problems["cover"] = f"“{place[:60]}” does not stand in the words. Copy it as it is written, one place a line."
        found += spans
    spans = apart(found)
    if not problems and not 1 <= len(spans) <= PLACES_MAX:
        problems["cover"] = f"Copy the words to be covered, one place a line; at most {PLACES_MAX} places."
    try:
        said = text.words_of(reason, field="why", limit=REASON_MAX, what="why, for the author")
    except Invalid as problem:
        problems |= problem.fields
    if problems:
        raise Invalid(problems)
    return spans, said


def _places(body: str, words: str) -> list[list[int]]:
    found, at = [], body.find(words)
    while at >= 0:
        found.append([at, at + len(words)])
        at = body.find(words, at + len(words))
    return found


def suggested_words(case: Case) -> str:
    """Details that rules noticed and that still stand in the words, one place a line. A cry for help is nothing to cover."""
    item: Reviewable = find(case.target_kind, case.target_id)
    rows = (
        sa.select(Signal.start, Signal.end, Snapshot.words)
        .join(Snapshot, Snapshot.id == Signal.snapshot_id)
        .where(Signal.case_id == case.id, Signal.concern.in_(DETAILS))
        .order_by(Signal.start)
    )
    places = dict.fromkeys(words[start:end] for start, end, words in db.session().execute(rows))
    return "\n".join(place for place in places if place in item.body and "\n" not in place)


def waiting_for_author(case_id: int) -> CoverProposal | None:
    return db.session().scalars(_waiting(case_id)).one_or_none()


def proposal_for(actor: Account, proposal_id: int) -> Proposal:
    """For the author of the words. NotFound for everybody else."""
    row, item = _proposal_of(actor, proposal_id)
    answer = "gone" if row.answer == "waiting" and not _stands(row, item) else row.answer
    proposer = db.session().get_one(Account, row.proposer_id).name
    parts = _parts(item.body, row.spans) if row.edition == item.edition and answer != "gone" else []
    return Proposal(row.id, row.reason, proposer, parts, answer, item.path())


def answer_proposal(actor: Account, proposal_id: int, *, take: bool) -> Reviewable:
    """Yes covers the words at once, for everybody; no leaves them. Each may be said twice."""
    row, item = _proposal_of(actor, proposal_id)
    db.session().refresh(row, with_for_update=True)
    db.session().refresh(item, with_for_update=True)
    said = "taken" if take else "left"
    if row.answer == said:
        return item
    if row.answer != "waiting" or not _stands(row, item):
        raise Conflict(GONE)
    row.answer, row.answered_at = said, now()
    if take:
        item.cover(apart([*item.covers, *row.spans]))
        db.session().flush()
        item.changed()
    case = db.session().get_one(Case, row.case_id)
    case.changed_at = now()
    audit.record(actor, f"proposal.{said}", f"case:{case.id}", proposal=row.id)
    tell_desks(case)
    return item


def _stands(row: CoverProposal, item: Reviewable) -> bool:
    return row.edition == item.edition and item.visibility in ("visible", "held")


def _proposal_of(actor: Account, proposal_id: int) -> tuple[CoverProposal, Reviewable]:
    row = db.session().get(CoverProposal, proposal_id)
    if row is None or row.author_id != actor.id:
        raise NotFound
    case = db.session().get_one(Case, row.case_id)
    return row, find(case.target_kind, case.target_id)


def _parts(body: str, spans: list[list[int]]) -> list[tuple[str, bool, bool]]:
    parts, at = [], 0
    for start, end in spans:
        parts += [(body[at:start], False, False), (body[start:end], False, True)]
        at = end
    return [part for part in [*parts, (body[at:], False, False)] if part[0]]
