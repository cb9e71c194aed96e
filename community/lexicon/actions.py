"""Publishing rules. Each publish makes one numbered revision, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import sqlalchemy as sa
from gevent import get_hub
from sqlalchemy.exc import IntegrityError

from community.accounts.models import Account
from community.core import audit, db
from community.core.clock import now
from community.core.errors import Conflict, Invalid, NotFound
from community.safety import Lexicon, PatternError, Rule, finds, starter_rules

from .models import LexiconRule, Revision
from .queries import compiled, current_number, rules_now, with_change

Answer = TypeVar("Answer")
SHOWN_PROBLEMS = 5
ENOUGH_SENTENCES = 30
TOO_MANY_OF_TEN = 2
OVERTAKEN = "Somebody published other rules at the same moment, so yours were not saved. Look at them, and save yours once more."


def import_starter_rules() -> None:
    """The first revision: the starter packs as shipped, where there is none yet."""
    if current_number():
        return
    number = _new_revision(None, "Starter packs as shipped")
    db.session().add_all(_row_of(rule, number) for rule in starter_rules())


def check_change(*, put: Iterable[Rule] = (), retire: Iterable[str] = ()) -> int:
    """Compile the rules as they would be and run every example of every rule against them. Reads only, and takes its time,
    so it runs outside `write()`; publishing then names the returned revision and is refused if another came between."""
    put, retire = list(put), list(retire)
    number, rules = rules_now()
    try:
        after = compiled(with_change(rules, put=put, retire=retire))
    except PatternError as error:
        raise Invalid({"pattern": str(error)}) from error
    broken = _in_pool(_broken_promises, after)
    if broken:
        before = _in_pool(_broken_promises, compiled(with_change(rules)))
        broken = {example: sentence for example, sentence in broken.items() if example not in before}
    sentences = [*broken.values(), *(_in_pool(_too_wide, rule, after) for rule in put)]
    if any(sentences):
        raise Invalid({"pattern": " ".join(list(filter(None, sentences))[:SHOWN_PROBLEMS])})
    return number


def put_rule(actor: Account, rule: Rule, *, note: str, checked_against: int) -> int:
    """Put one checked rule in force, new or in place of its former state."""
    return _publish_checked(actor, note=note, put=[rule], checked_against=checked_against)


def retire_rule(actor: Account, key: str, *, note: str, checked_against: int) -> int:
    """Take one rule out. Its states stay readable, and it can be put back."""
    in_force = sa.select(LexiconRule.id).where(LexiconRule.key == key, LexiconRule.until_revision.is_(None))
    if current_number() and db.session().scalar(in_force) is None:
        raise Conflict("This rule was retired already.")
    return _publish_checked(actor, note=note, retire=[key], checked_against=checked_against)


def _publish_checked(
    actor: Account, *, note: str, checked_against: int, put: Iterable[Rule] = (), retire: Iterable[str] = ()
) -> int:
    if not actor.is_admin:
        raise NotFound
    if current_number() != checked_against:
        raise Conflict(OVERTAKEN)
    return publish(actor, note=note, put=put, retire=retire)


def publish(actor: Account, *, note: str, put: Iterable[Rule] = (), retire: Iterable[str] = ()) -> int:
    """Put rules in force and take others (by key) out, as one new revision. Returns its number."""
    put, retire = list(put), list(retire)
    import_starter_rules()
    try:
        number = _new_revision(actor, note)
    except IntegrityError as error:  # two publishers at once: the primary key lets one through
        raise Conflict(OVERTAKEN) from error
    leaving = [*retire, *(rule.key for rule in put)]
    db.session().execute(
        sa.update(LexiconRule)
        .where(LexiconRule.key.in_(leaving), LexiconRule.until_revision.is_(None))
        .values(until_revision=number)
    )
    db.session().flush()
    db.session().add_all(_row_of(rule, number) for rule in put)
    audit.record(actor, "lexicon.published", f"revision:{number}", put=[rule.key for rule in put], retired=retire, note=note)
    return number


def _new_revision(actor: Account | None, note: str) -> int:
    number = current_number() + 1
    db.session().add(Revision(number=number, created_at=now(), created_by_id=actor.id if actor else None, note=note))
    db.session().flush()
    return number


def _row_of(rule: Rule, number: int) -> LexiconRule:
    return LexiconRule(
        key=rule.key, pattern=rule.pattern, concern=rule.concern, severity=rule.severity, action=rule.action, why=rule.why,
        must_match=list(rule.must_match), must_not_match=list(rule.must_not_match), exceptions=list(rule.exceptions),
        views=list(rule.views) if rule.views is not None else None, language=rule.language, room_id=rule.room,
        kind=rule.kind, only_in=list(rule.only_in), not_in=list(rule.not_in), owner=rule.owner, review_by=rule.review_by,
        since_revision=number,
    )  # fmt: skip


# ---- examples: promises every rule made when it was saved


def _in_pool(act: Callable[..., Answer], *arguments: object) -> Answer:
    answer: Answer = get_hub().threadpool.apply(act, arguments)
    return answer


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


def _too_wide(rule: Rule, lexicon: Lexicon) -> str:
    """Sentences that other rules must leave alone are ordinary ones: a rule that finds many of them finds everything."""
    ordinary = {text for other in lexicon.rules.values() if other.key != rule.key for text in other.must_not_match}
    found = [text for text in sorted(ordinary) if finds(rule, text, lexicon)]
    if len(ordinary) < ENOUGH_SENTENCES or 10 * len(found) < TOO_MANY_OF_TEN * len(ordinary):
        return ""
    return (
        f"This pattern matches {len(found)} of {len(ordinary)} ordinary sentences, such as “{_short(found[0])}”: name more words."
    )


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
