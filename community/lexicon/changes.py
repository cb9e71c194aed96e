"""What a change of rules is, on its way from a form, a pack or an older revision into force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from community.safety import Rule

FROM_CASE = "from_case"
"""In a draft's `rule`, beside the fields of the rule: words of members that came with it. Exports leave them out."""
ASKED_AT = "asked_at"
"""Beside it: the page of who asked, who may not see the draft itself."""
_NAMES = tuple(field.name for field in fields(Rule))


@dataclass(frozen=True, slots=True)
class Change:
    """Rules to put in force and keys to take out of it, whole or not at all."""

    put: tuple[Rule, ...] = ()
    retire: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return (*(rule.key for rule in self.put), *self.retire)

    def differs_from(self, rules: Mapping[str, Rule]) -> bool:
        """Whether putting it in force would change anything."""
        return any(rules.get(rule.key) != rule for rule in self.put) or any(key in rules for key in self.retire)

    def __bool__(self) -> bool:
        return bool(self.put or self.retire)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change: in force in a revision, or a draft that waits for a second admin."""

    revision: int | None = None
    draft_id: int | None = None

    @property
    def in_force(self) -> bool:
        return self.revision is not None


def fields_of(rule: Rule) -> dict[str, Any]:
    """A rule as JSON keeps it."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(rule).items()}


def rule_from(kept: Mapping[str, Any]) -> Rule:
    given: dict[str, Any] = {name: kept[name] for name in _NAMES if name in kept}
    given |= {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
    return Rule(**given)


def bundle_of(change: Change) -> dict[str, Any]:
    """A change of many rules (a pack, an older revision) as a draft keeps it."""
    return {"put": [fields_of(rule) for rule in change.put], "retire": list(change.retire)}


def is_bundle(kept: Mapping[str, Any] | None) -> bool:
    return kept is not None and "put" in kept


def change_from(key: str, kept: Mapping[str, Any] | None) -> Change:
    """The change a draft's `rule` stands for; nothing kept: the rule `key` would be retired."""
    if kept is None:
        return Change(retire=(key,))
    if is_bundle(kept):
        return Change(tuple(map(rule_from, kept["put"])), tuple(kept["retire"]))
    return Change(put=(rule_from(kept),))


def change_to(wanted: Iterable[Rule], now: Mapping[str, Rule]) -> Change:
    """What has to change so that exactly the wanted rules are in force."""
    aim = {rule.key: rule for rule in wanted}
    put = tuple(rule for key, rule in aim.items() if now.get(key) != rule)
    return Change(put, tuple(key for key in now if key not in aim))
