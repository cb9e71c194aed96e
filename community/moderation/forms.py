"""Parsing what members and moderators typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from community.core import text
from community.core.clock import now
from community.core.errors import Invalid, Refused

from .actions import Ruling
from .desk import Place
from .hearers import Called

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Worry:
    """One thing a reporter may choose, in plain words, and the concern whose moderators read it."""

    key: str
    concern: str
    label: str
    hint: str = ""


WORRIES = (
    Worry("worried", "suicide", "I am worried about this person", "They may want to die, or may not be safe."),
    Worry("hurting", "self-harm", "They may be hurting themselves"),
    Worry("abused", "abuse", "Somebody may be hurting them"),
    Worry("child", "child-safety", "A child or teenager may be in danger"),
    Worry("others", "harm-to-others", "They may hurt somebody else"),
    Worry("methods", "method-detail", "It tells how to harm oneself"),
    Worry("eating", "eating", "It pushes dangerous eating or weight loss"),
    Worry("cruel", "harassment", "It is cruel, threatening or aimed at somebody"),
    Worry("sexual", "sexual", "It is sexual and does not belong here"),
    Worry("private", "personal-data", "It gives away who somebody is or where they live"),
    Worry("drugs", "substances", "It offers or pushes alcohol or drugs"),
    Worry("advert", "spam", "It advertises something or is spam"),
    Worry("other", "harassment", "Something else breaks the house rules"),
)
_CONCERN_OF = {worry.key: worry.concern for worry in WORRIES}


def worry_options() -> list[tuple[str, ...]]:
    return [(worry.key, worry.label, worry.hint) if worry.hint else (worry.key, worry.label) for worry in WORRIES]


def concern_reported(form: Mapping[str, str]) -> str:
    try:
        return _CONCERN_OF[form.get("worry", "")]
    except KeyError:
        raise Invalid({"worry": "Choose what comes closest. You need not be sure."}) from None


OUTCOMES = [
    ("leave", "Leave as it is", "The author reads your message. Words that were held are shown."),
    ("restore", "Show them again", "An earlier decision hid them."),
    ("warn", "Warn the author", "Your reason is the warning."),
    ("hide", "Hide the words", "Only the author and moderators see them from now on."),
    ("suspend", "Suspend the author", "They can read their notifications and appeal, and do nothing else."),
]
ANSWERING = [
    ("leave", "Answer", "The author reads your message."),
    *(outcome for outcome in OUTCOMES if outcome[0] in ("warn", "suspend")),
]  # for words that only moderators read
ANSWERS = [
    ("overturn", "Overturn it", "The words are shown again; a suspension by that decision ends now."),
    ("uphold", "Uphold it", "The decision stays as it is."),
]
ANSWER_WORDS = {"leave": "Appeal answered: the decision stays", "restore": "Appeal answered: the decision was overturned"}
OUTCOME_WORDS = {
    "leave": "Left as it is", "hide": "Words hidden", "restore": "Words shown again", "warn": "Warned", "suspend": "Suspended",
}  # fmt: skip
SIGNAL_WORDS = {
    "finding": "A safety rule", "report": "Reported by a member", "help-request": "The author asks to talk", "appeal": "An appeal",
    "rescan": "Found when rules changed", "scanner-failed": "Could not be scanned",
}  # fmt: skip
ACT_WORDS = {
    "case.opened": "Opened", "case.reopened": "Opened again", "case.signal-added": "A further signal came",
    "case.words-edited": "The author edited the words", "case.words-withdrawn": "The author took the words back", "case.claimed": "Claimed", "case.claim-ended": "A claim ran out",
    "case.released": "Released", "case.escalated": "Passed to the senior on call", "case.decided": "Decided",
    "case.overdue": "Overdue: the next people were told", "case.taught": "Taught to a rule as a false alarm", "appeal.made": "Appealed",
    "proposal.made": "Proposed to the author to cover words", "proposal.taken": "The author agreed: the words are covered",
    "proposal.left": "The author leaves the words as they are",
    "appeal.upheld": "Appeal answered: it stays", "appeal.overturned": "Appeal answered: overturned",
}  # fmt: skip


def ruling_of(form: Mapping[str, str], *, outcome: str = "") -> Ruling:
    """What a moderator chose. A missing or strange version counts as a page that is no longer fresh."""
    return Ruling(
        outcome=outcome or text.storable(form.get("outcome", "")),
        rule_key=text.storable(form.get("rule", "")),
        reason=form.get("reason", ""),
        version=text.whole(form.get("version")),
        snapshot_id=text.whole(form.get("snapshot")),
        days=text.whole(form.get("days")),
        hide_words=form.get("hide") == "1",
        false_alarm=form.get("false_alarm") == "1",
    )


def outcomes_for(visibility: str) -> list[tuple[str, str, str]]:
    """Only hidden words can be shown again; what only moderators read is answered and never hidden."""
    if visibility == "private":
        return ANSWERING
    return [option for option in OUTCOMES if option[0] != "restore" or visibility == "hidden"]


def answer_of(form: Mapping[str, str]) -> bool | None:
    """Whether an appeal is overturned; None when that was not said."""
    return {"overturn": True, "uphold": False}.get(form.get("outcome", ""))


def was_deciding(form: Mapping[str, str]) -> bool:
    """Whether something of a decision was typed already."""
    return bool(form.get("reason") or form.get("outcome") or form.get("rule"))


def called_in_words(called: Called) -> tuple[str, str]:
    """Who heard of a case that was passed on, and the tone to say it in."""
    if called.on_call:
        return "The case was passed on. Whoever is on call has been told.", "ok"
    told = [*called.names, *(["the admins"] if called.admins else [])]
    if not told:
        return (
            "The case was passed on, and nobody could be told: no senior can take it now. Please speak to an admin yourself.",
            "warn",
        )
    listed = " and ".join([*filter(None, [", ".join(told[:-1])]), told[-1]])
    verb = "has" if told == [*called.names][:1] else "have"
    return f"The case was passed on. Nobody is on call: {listed} {verb} been told.", "ok" if called.names else "warn"


def place_of(given: str) -> Place | None:
    """ "2.1.0.1764000000000000.17", as the pages write it; None for anything else: a lane then begins at its beginning."""
    try:
        rank, overdue, score, due, case_id = (int(part) for part in given.split("."))
        if not (0 <= case_id < 2**31 and all(0 <= one < 2**15 for one in (rank, overdue, score))):
            return None
        return Place(rank, overdue, score, EPOCH + timedelta(microseconds=due), case_id)
    except (ValueError, OverflowError):
        return None


def place_in_words(place: Place) -> str:
    return f"{place.rank}.{place.overdue}.{place.score}.{(place.due_at - EPOCH) // timedelta(microseconds=1)}.{place.case_id}"


def moment_of(given: str) -> datetime | None:
    """An ISO moment with its zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and 2000 < moment.year < 9000 else None


def days_of(form: Mapping[str, str], most: int) -> int:
    days = text.whole(form.get("days"))
    if not 1 <= days <= most:
        raise Invalid({"days": f"Say for how many days, from 1 to {most:,}."})
    return days


def since_of(form: Mapping[str, str], earliest: datetime) -> datetime:
    """The beginning of a day that a form names as 2026-11-01."""
    try:
        since = datetime.strptime(form.get("since", "").strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Invalid({"since": "Write the day as 2026-11-01: the year, the month and the day."}) from None
    if since > now():
        raise Invalid({"since": "This day is still to come: choose one that has been."})
    return max(since, earliest)


def errors_of(refusal: Refused) -> dict[str, str]:
    """Sentences by field; one about the whole form stands under the empty name."""
    return refusal.fields if isinstance(refusal, Invalid) else {"": refusal.sentence}


def lifted_in_words(still: datetime | None) -> str:
    """What lifting one suspension did."""
    if still is None:
        return "The suspension is lifted. The member reads your reason in their notifications."
    return f"This suspension is lifted. Another decision still suspends them until {still:%-d %b %Y, %H:%M} UTC; they read that, too."
