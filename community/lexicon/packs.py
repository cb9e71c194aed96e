"""What goes into a pack, and how one that arrives differs from the rules here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from community.safety import Pack, Rule, fold

from .changes import Change
from .checking import in_pool
from .queries import Learned, learned_words, origins_of, rules_as_imported, rules_ever, rules_now

ORIGINS = ("all", "here", "starter")


# ---- out


@dataclass(frozen=True, slots=True)
class Choice:
    """What an admin wants to share."""

    name: str
    version: str
    language: str
    note: str = ""
    concerns: Collection[str] = ()
    origin: str = "all"
    learned: bool = False


@dataclass(frozen=True, slots=True)
class Packed:
    """A pack, and what stays here: rules of single rooms, and lines that members wrote."""

    pack: Pack
    of_rooms: int
    lines_left_out: int


def packed(choice: Choice) -> Packed:
    rules = rules_now()[1].values()
    origins = origins_of(rules)
    chosen = [rule for rule in rules if _is_chosen(rule, origins[rule.key], choice)]
    shared = [rule for rule in chosen if rule.room is None]
    learned = learned_words()
    kept = shared if choice.learned else in_pool(_without, shared, learned)
    left_out = sum(
        len(rule.must_not_match) + len(rule.exceptions) - len(left.must_not_match) - len(left.exceptions)
        for rule, left in zip(shared, kept, strict=True)
    )
    pack = Pack(choice.name, choice.version, choice.language, tuple(map(_writable, kept)), choice.note)
    return Packed(pack, len(chosen) - len(shared), left_out)


def _is_chosen(rule: Rule, origin: str, choice: Choice) -> bool:
    return (
        rule.language == choice.language
        and (not choice.concerns or rule.concern in choice.concerns)
        and (choice.origin == "all" or (choice.origin == "here") == (origin != "starter pack"))
    )


def _writable(rule: Rule) -> Rule:
    """In a pack file braces name lists of words; in a rule of words they mean nothing."""
    plain = {ord("{"): " ", ord("}"): " "}
    exceptions = tuple(" ".join(pattern.translate(plain).split()) for pattern in rule.exceptions)
    pattern = " ".join(rule.pattern.translate(plain).split()) if rule.kind == "phrase" else rule.pattern
    return replace(rule, pattern=pattern, exceptions=exceptions)


def _without(rules: Iterable[Rule], learned: Learned) -> list[Rule]:
    return [without(rule, learned) for rule in rules]


def without(rule: Rule, learned: Learned) -> Rule:
    """A rule without what members wrote in the cases it learned from, also where somebody edited it a little."""
    return replace(
        rule,
        must_not_match=tuple(line for line in rule.must_not_match if not _is_theirs(line, learned.sentences)),
        exceptions=tuple(line for line in rule.exceptions if not _is_theirs(line, learned.exceptions)),
    )


def _is_theirs(line: str, learned: frozenset[str]) -> bool:
    said = fold(line)
    words = frozenset(said.split())
    return any(said == other or (len(words) > 2 and 2 * len(words & others) > len(words)) for other, others in _folded(learned))


@lru_cache(maxsize=4)
def _folded(learned: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    return [(said, frozenset(said.split())) for said in map(fold, learned)]


# ---- in


@dataclass(frozen=True, slots=True)
class Incoming:
    """One rule of a pack beside the one here. `what`: "new", "same", "changed", "conflict" (changed here as well), or
    "retired" (somebody here took it out). `theirs` keeps what `mine` learned from cases."""

    what: str
    theirs: Rule
    mine: Rule | None

    @property
    def is_asked(self) -> bool:
        return self.what in ("conflict", "retired")


def sort_out(pack: Pack) -> list[Incoming]:
    """Every rule of a pack, compared with the rules in force and with what earlier packs brought."""
    return in_pool(_sorted_out, pack, rules_now()[1], rules_as_imported(), rules_ever(), learned_words())


def _sorted_out(
    pack: Pack, now: Mapping[str, Rule], imported: Mapping[str, Rule], ever: Collection[str], learned: Learned
) -> list[Incoming]:
    return [_incoming(rule, now.get(rule.key), imported.get(rule.key), rule.key in ever, learned) for rule in pack.rules]


def _incoming(theirs: Rule, mine: Rule | None, base: Rule | None, known: bool, learned: Learned) -> Incoming:
    if mine is None:
        return Incoming("retired" if known else "new", theirs, None)
    merged = _keeping(theirs, mine, learned)
    if merged == mine:
        return Incoming("same", merged, mine)
    is_edited = base is None or without(mine, learned) != without(base, learned)
    return Incoming("conflict" if is_edited else "changed", merged, mine)


def _keeping(theirs: Rule, mine: Rule, learned: Learned) -> Rule:
    """A false alarm that was settled here stays settled, whoever's rule it is; so does the room."""
    sentences = [line for line in mine.must_not_match if line in learned.sentences]
    patterns = [line for line in mine.exceptions if line in learned.exceptions]
    return replace(
        theirs,
        must_not_match=tuple(dict.fromkeys([*theirs.must_not_match, *sentences])),
        exceptions=tuple(dict.fromkeys([*theirs.exceptions, *patterns])),
        room=mine.room,
    )


def change_of(incoming: Iterable[Incoming], choices: Mapping[str, str]) -> Change:
    """What the import puts in force: all that is new or changed, and of the conflicts those where "theirs" was chosen."""
    return Change(
        tuple(
            entry.theirs
            for entry in incoming
            if entry.what in ("new", "changed") or (entry.is_asked and choices.get(entry.theirs.key) == "theirs")
        )
    )


def usual_note(pack: Pack) -> str:
    return f"Imported {pack.name} {pack.version}"[:300]


def file_name(pack: Pack) -> str:
    """Letters, digits and hyphens only: it goes into a header."""
    stem = "-".join(re.findall("[a-z0-9.]+", f"{pack.name} {pack.version}".lower()))
    return f"{stem.strip('.')[:80] or 'pack'}.toml"
