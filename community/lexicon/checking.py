"""Would a change break a promise? Every example of every rule runs against the rules as they would be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

from gevent import get_hub

from community.core.errors import Invalid
from community.safety import PROFILES, Lexicon, PatternError, Rule, finds, scan

from .queries import compiled, rules_now, with_change

Answer = TypeVar("Answer")
SHOWN_PROBLEMS = 5
ENOUGH_SENTENCES = 30
TOO_MANY_OF_TEN = 2


def check_change(*, put: Iterable[Rule] = (), retire: Iterable[str] = ()) -> int:
    """Compile the rules as they would be and run every example of every rule against them. Reads only, and takes its time,
    so it runs outside `write()`; publishing then names the returned revision and is refused if another came between."""
    put, retire = list(put), list(retire)
    number, rules = rules_now()
    try:
        after = compiled(with_change(rules, put=put, retire=retire))
    except PatternError as error:
        raise Invalid({"pattern": str(error)}) from error
    broken = in_pool(_broken_promises, after)
    if broken:
        before = in_pool(_broken_promises, compiled(with_change(rules)))
        broken = {example: sentence for example, sentence in broken.items() if example not in before}
    sentences = [*broken.values(), *in_pool(_too_wide, put, after)]
    if sentences:
        raise Invalid({"pattern": " ".join(sentences[:SHOWN_PROBLEMS])})
    return number


def in_pool(act: Callable[..., Answer], *arguments: object) -> Answer:
    """Off the event loop: compiling and scanning many examples burn CPU. What is wrong comes back as an answer, because a worker
    would print the trace of a mere typing mistake."""
    answer, problem = get_hub().threadpool.apply(_tried, (act, arguments))
    if problem is not None:
        raise problem
    return cast(Answer, answer)


def _tried(act: Callable[..., Answer], arguments: tuple[object, ...]) -> tuple[Answer | None, Exception | None]:
    try:
        return act(*arguments), None
    except Exception as problem:
        return None, problem


def _broken_promises(lexicon: Lexicon) -> dict[tuple[str, str], str]:
    """A sentence for each example that does not hold, by rule key and example."""
    broken = {}
    for rule in lexicon.rules.values():
        for text in rule.must_match:
            if not finds(rule, text, lexicon):
                broken[rule.key, text] = f"With this change the rule “{rule.key}” would no longer notice “{_short(text)}”."
        for text in rule.must_not_match:
            if finds(rule, text, lexicon):
                broken[rule.key, text] = (
                    f"With this change the rule “{rule.key}” would notice “{_short(text)}”, which it must not."
                )
    return broken


def _too_wide(rules: list[Rule], lexicon: Lexicon) -> list[str]:
    """Sentences that other rules must leave alone are ordinary ones: a rule that finds many of them finds everything."""
    heard: dict[tuple[str, int | None, str], set[str]] = {}
    said = []
    for rule in rules:
        ordinary = {text for other in lexicon.rules.values() if other.key != rule.key for text in other.must_not_match}
        profile = next(kind for kind in PROFILES if rule.fires_in(rule.room, kind))
        for text in ordinary:
            if (text, rule.room, profile) not in heard:
                found = scan(text, lexicon, room=rule.room, profile=profile)
                heard[text, rule.room, profile] = {finding.rule for finding in found}
        wide = [text for text in sorted(ordinary) if rule.key in heard[text, rule.room, profile]]
        if len(ordinary) >= ENOUGH_SENTENCES and 10 * len(wide) >= TOO_MANY_OF_TEN * len(ordinary):
            said.append(_wide(rule, wide, len(ordinary)))
    return said


def _wide(rule: Rule, wide: list[str], of: int) -> str:
    return f"The pattern of “{rule.key}” matches {len(wide)} of {of} ordinary sentences, such as “{_short(wide[0])}”: name more words."


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
