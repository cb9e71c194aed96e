"""The words of the safety engine: concerns, severities, actions, and what a rule and a finding are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

CONCERNS: tuple[str, ...] = (
    "suicide",
    "self-harm",
    "child-safety",
    "harm-to-others",
    "abuse",
    "hopelessness",
    "eating",
    "substances",
    "method-detail",
    "sexual",
    "harassment",
    "personal-data",
    "spam",
)
"""In order of gravity: the earlier one leads when two findings are equally severe."""

SEVERITIES: tuple[str, ...] = ("green", "amber", "red", "crisis")
"""Ascending."""

ACTIONS: tuple[str, ...] = ("flag", "hold", "support", "mask", "page")
"""What a finding asks for beside its case: a case is opened by every one of them.

flag     nothing more.
hold     the author sees the words with "waiting for a moderator"; others see them after a decision.
support  the author is shown the support card.
mask     the span is covered for readers until they choose to see it; the words stay as written.
page     the person on call is told now; implies support.
"""

VIEWS: tuple[str, ...] = (
    "words",
    "lookalike",
    "elongated",
    "leet",
    "masked",
    "spaced",
    "joined",
    "typo",
    "vowels",
    "inside",
    "regex",
)
"""How a finding was seen. "words" is the text as written, folded; "inside" looks into words and "regex" at the bare text;
the others undo one disguise each."""

KINDS: tuple[str, ...] = ("phrase", "inside", "regex")
"""How a rule's pattern is read: the pattern language, letters anywhere (scripts without spaces), a regular expression."""

PROFILES: tuple[str, ...] = ("general", "eating", "voices", "substances", "carers")
"""Kinds of room. A rule may fire only in some of them, or everywhere else."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One safety entry. `room` None means the whole site; `views` None means every view.

    `only_in` and `not_in` name PROFILES; both empty means rooms of every kind. `owner` is who answers for the rule and
    `review_by` an ISO date by which somebody should look at it again; the scanner reads neither.
    """

    key: str
    pattern: str
    concern: str
    severity: str
    action: str = "flag"
    why: str = ""
    must_match: tuple[str, ...] = ()
    must_not_match: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()
    views: tuple[str, ...] | None = None
    language: str = "en"
    room: int | None = None
    kind: str = "phrase"
    only_in: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    owner: str = ""
    review_by: str = ""

    def fires_in(self, room: int | None, profile: str) -> bool:
        """Whether the rule speaks in this room. Where no room is known, rules of single rooms are silent."""
        return (
            (self.room is None or self.room == room)
            and (not self.only_in or profile in self.only_in)
            and profile not in self.not_in
        )


class Finding(NamedTuple):
    """What the scanner saw. `start` and `end` count code points of the original text; `severity` is after cues."""

    rule: str
    concern: str
    severity: str
    action: str
    start: int
    end: int
    cues: tuple[str, ...]
    view: str


_SEVERITY_RANK = {name: rank for rank, name in enumerate(SEVERITIES)}
_CONCERN_RANK = {name: rank for rank, name in enumerate(CONCERNS)}


def severity_rank(name: str) -> int:
    """0 for green to 3 for crisis. Raises KeyError for any other word."""
    return _SEVERITY_RANK[name]


def worst(findings: Sequence[Finding]) -> Finding | None:
    """The finding that leads: highest severity, then gravest concern, then the first in the text."""
    if not findings:
        return None
    return min(findings, key=_gravity)


def leading_concern(findings: Sequence[Finding]) -> str:
    """The concern of the worst finding, or "" when there is none."""
    leader = worst(findings)
    return leader.concern if leader else ""


def _gravity(finding: Finding) -> tuple[int, int, int]:
    return -_SEVERITY_RANK[finding.severity], _CONCERN_RANK.get(finding.concern, len(CONCERNS)), finding.start
