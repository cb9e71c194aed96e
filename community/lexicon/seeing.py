"""What rules see in a text, each finding with its sentence, and what they would see after a change."""

from __future__ import annotations

from dataclasses import dataclass

from community.safety import PROFILES, Finding, Lexicon, Rule, explain, scan

from .checking import in_pool
from .queries import compiled, current_lexicon, rules_now, with_change


@dataclass(frozen=True, slots=True)
class Seen:
    """One finding as the page explains it, and the words around it cut at the finding."""

    finding: Finding
    sentence: str


@dataclass(frozen=True, slots=True)
class BothSides:
    """What is noticed now, and what would be with the rule `key` as it is in the form."""

    now: list[Seen]
    then: list[Seen]
    key: str


def seen_in(text: str, lexicon: Lexicon, room: int | None, profile: str) -> list[Seen]:
    return in_pool(_seen, text, lexicon, room, profile)


def _seen(text: str, lexicon: Lexicon, room: int | None, profile: str) -> list[Seen]:
    return [Seen(finding, explain(finding, text, lexicon)) for finding in scan(text, lexicon, room=room, profile=profile)]


def both_sides(text: str, rule: Rule) -> BothSides:
    """In a room that the rule is for."""
    _, rules = rules_now()
    after = compiled(with_change(rules, put=[rule]))
    profile = next(kind for kind in PROFILES if rule.fires_in(rule.room, kind))
    now = seen_in(text, current_lexicon(), rule.room, profile)
    return BothSides(now, seen_in(text, after, rule.room, profile), rule.key)
