"""A false alarm teaches its rule: the sentence becomes one the rule must not match, with an exception that keeps it silent there.

`sentence_around` and `exception_for` are pure. The exception is made of ordinary words only: a name would tell who it was about,
and a disguised word written into a rule would be read as a plain one from then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import audit, db
from community.core.errors import Conflict, Forbidden
from community.lexicon.actions import add_counterexample
from community.lexicon.changes import Change, Outcome
from community.lexicon.checking import in_pool
from community.lexicon.consent import second_admin_needed
from community.lexicon.queries import current_lexicon, rules_now, what_became_of
from community.safety import Rule, check_rule, folding, scan, speech

from .access import finding_to_teach
from .alone import compile_alone
from .models import Signal
from .rule_figures import ABOUT_LIVES

SENTENCE_MAX = 300
CONTEXTS = (3, 5, 8, 1_000)
"""Words on each side that an exception is made of, the nearest first."""
TELLING = 0.001
"""A word rarer than this among all words says something about where it stands: all but the hundred commonest."""
_ENDS = re.compile(r"[.!?;]+(?=\s)|\n")

ALONE = (
    "There is nothing around these words by which the rule could tell them apart. If they should not be noticed at all, ask an "
    "admin to change the rule."
)
NOT_NOTICED = "The rule does not notice this any more. Put the words back that it noticed, or leave this page."


def sentence_around(words: str, start: int, end: int) -> str:
    """The sentence, or sentences, that hold a span; of a very long one, the part around it. One line."""
    ends = [match.end() for match in _ENDS.finditer(words)]
    low = max((at for at in ends if at <= start), default=0)
    high = min((at for at in ends if at >= end), default=len(words))
    spare = max(0, SENTENCE_MAX - (end - start)) // 2
    if start - low > spare:
        low = words.find(" ", start - spare, start) + 1 or start
    if high - end > spare:
        high = max(words.rfind(" ", end, end + spare), end)
    return " ".join(words[low:high].split())


def exception_for(rule: Rule, sentence: str, is_plain: Callable[[str], bool]) -> str:
    """The nearest words around what `rule` finds in `sentence`, as a pattern under which it is silent there and still notices
    all that it must. Empty when no words around can tell it apart. Words that are not plain become gaps."""
    spans = [(found.start, found.end) for found in scan(sentence, compile_alone((rule,)), room=rule.room, profile=_profile(rule))]
    if not spans:
        return ""
    words, places = folding.words(sentence), folding.spans(sentence)
    inside = [at for at, (start, end) in enumerate(places) if start < max(e for _, e in spans) and end > min(s for s, _ in spans)]
    if not inside:
        return ""
    told = [word.strip(folding.MASKS) if is_plain(word.strip(folding.MASKS)) else "" for word in words]
    for reach in CONTEXTS:
        first, last = max(0, inside[0] - reach), inside[-1] + reach + 1
        around = [*told[first : inside[0]], *told[inside[-1] + 1 : last]]
        pattern = _pattern(told[first:last])
        if _tells_apart(around) and _is_silent(rule, sentence, pattern):
            return pattern
    return ""


def _profile(rule: Rule) -> str:
    return rule.only_in[0] if rule.only_in else "general"


def _pattern(words: Iterable[str]) -> str:
    """Words of a pattern; neighbouring words that cannot be named are one gap, and a gap has a word on each side."""
    parts: list[str | int] = []
    for word in words:
        if word:
            parts.append(word)
        elif parts and isinstance(parts[-1], int):
            parts[-1] += 1
        elif parts:
            parts.append(1)
    if parts and isinstance(parts[-1], int):
        parts.pop()
    return " ".join(part if isinstance(part, str) else f"_{part}" for part in parts)


def _tells_apart(around: Sequence[str]) -> bool:
    """At least one word around that says something: “and the” would silence far too much, “that movie” does not."""
    return any(word and word not in speech.emphasis() and speech.share(word) < TELLING for word in around)


def _is_silent(rule: Rule, sentence: str, pattern: str) -> bool:
    taught = replace(
        rule, exceptions=(*rule.exceptions, pattern), must_not_match=(*rule.must_not_match, " ".join(sentence.split()))
    )
    return not check_rule(taught)


# ---- the lesson of one finding


@dataclass(frozen=True, slots=True)
class Taught:
    """What somebody taught from this finding before. `reason`: why an admin sent it back."""

    at: datetime
    by: str
    state: str
    sentences: list[str]
    reason: str

    @property
    def holds(self) -> bool:
        """It waits for an admin or is in force: teaching it once more would change nothing for the better."""
        return self.state != "discarded" and not self.reason


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the moderator confirms. `why_not` says why it cannot be taught as it is."""

    case_id: int
    signal_id: int
    rule: Rule
    sentence: str
    exception: str
    why_not: str
    at_once: bool
    taught: Taught | None


def lesson(actor: Account, case_id: int, signal_id: int, *, sentence: str | None = None) -> Lesson:
    """The sentence around a finding, or as the moderator left it, and the exception made from it."""
    signal, words = finding_to_teach(actor, case_id, signal_id)
    rule = rule_to_teach(actor, signal)
    said = sentence_around(words, signal.start, signal.end) if sentence is None else " ".join(sentence.split())
    known = current_lexicon().vocabulary.reader.base
    exception = in_pool(exception_for, rule, said, known.__contains__)
    why_not = "" if exception else ALONE if in_pool(_notices, rule, said) else NOT_NOTICED
    at_once = actor.is_admin and not second_admin_needed(Change(put=(rule,)), rules_now()[1])
    return Lesson(case_id, signal.id, rule, said, exception, why_not, at_once, _taught_before(case_id, signal.id))


def _taught_before(case_id: int, signal_id: int) -> Taught | None:
    entries = sa.select(audit.AuditEntry).where(
        audit.AuditEntry.subject == f"case:{case_id}", audit.AuditEntry.act == "case.taught"
    )
    for entry in db.session().scalars(entries.order_by(audit.AuditEntry.id.desc())):
        if entry.detail.get("signal") == signal_id:
            draft = entry.detail.get("draft")
            state, sentences, reason = what_became_of(draft, entry.at) if draft else ("published", [], "")
            return Taught(entry.at, entry.actor_name, state, sentences, reason)
    return None


def _notices(rule: Rule, sentence: str) -> bool:
    return bool(scan(sentence, compile_alone((rule,)), room=rule.room, profile=_profile(rule)))


def rule_to_teach(actor: Account, signal: Signal) -> Rule:
    """The rule as it is in force. What is about lives is never unlearnt by one person alone."""
    rules = rules_now()[1]
    rule = rules.get(signal.rule_key)
    if rule is None:
        raise Conflict("This rule is not in force any more: it notices nothing now, so there is nothing to teach it.")
    about_lives = rule.severity == "crisis" and rule.concern in ABOUT_LIVES
    if about_lives and actor.is_admin and not second_admin_needed(Change(put=(rule,)), rules):
        raise Forbidden(
            "This rule is about lives, and here no second admin would look at the change. Edit the rule on its own page, with time."
        )
    return rule


def teach(actor: Account, case_id: int, signal_id: int, *, sentence: str, exception: str, checked_against: int) -> Outcome:
    """For good: the rule leaves this sentence alone, at once or once an admin has looked at it."""
    signal, _ = finding_to_teach(actor, case_id, signal_id)
    rule = rule_to_teach(actor, signal)
    before = _taught_before(case_id, signal_id)
    if before is not None and before.holds:
        raise Conflict("This was taught already. It is below.")
    outcome = add_counterexample(
        actor, rule.key, sentence, exception, note=f"A false alarm in case {case_id}",
        asked_at=f"/desk/cases/{case_id}/signals/{signal_id}/teach", checked_against=checked_against,
    )  # fmt: skip
    audit.record(actor, "case.taught", f"case:{case_id}", rule=rule.key, signal=signal.id, revision=outcome.revision,
                 draft=outcome.draft_id)  # fmt: skip
    return outcome
