"""Every change to people: signing up, in and out, standing, roles."""

from __future__ import annotations

import re
import secrets
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from community.core import audit, db, text
from community.core.clock import now
from community.core.errors import Forbidden, Invalid
from community.safety import Lexicon, check_name, fold
from community.safety.muting import check_mute, mute_key

from .access import token_hash
from .events import AuthorityChanged
from .models import ROLES, Account, AuthorityChange, AuthSession, HouseRule, MutedWord, Restriction

RESERVED_NAMES = Path(__file__).with_name("reserved_names.toml")
NAME_TAKEN = "Somebody already uses this name or one that looks the same. Choose another."


@dataclass(frozen=True)
class NewAccount:
    """What sign-up and `people add` need. `password_hash` is made outside the transaction."""

    name: str
    password_hash: str
    country: str
    email: str | None = None
    role: str = "member"
    is_demo: bool = False


def checked_name(name: object, lexicon: Lexicon) -> str:
    """A pseudonym of 2 to 40 characters that hurts nobody and is taken for nobody: neither for the team nor for a helpline."""
    line = text.line_of(name, field="name", limit=40, what="a name", at_least=2)
    if "\ufffd" in line:
        raise Invalid({"name": "A part of this name cannot be read. Type it again."})
    complaint = check_name(line, lexicon)
    if complaint:
        raise Invalid({"name": complaint})
    if _sounds_official(line):
        raise Invalid({"name": "This name could be taken for the team or a helpline. Choose one that is only yours."})
    if not name_key(line):
        raise Invalid({"name": "Use at least one letter or number in your name."})
    return line


def name_key(name: str) -> str:
    """Names with the same key look alike and count as the same: `lda` is read as Ida, and `rnia` as Mia."""
    return _as_it_looks("".join(char for char in fold(name) if char.isalnum()))[:80]


def _as_it_looks(folded: str) -> str:
    return folded.replace("rn", "m").replace("vv", "w").translate(_LOOKS)


_LOOKS = str.maketrans("i1|0", "lllo")


def _sounds_official(name: str) -> bool:
    words = [_as_it_looks(word) for word in re.split(r"[^\w]+|_", fold(name)) if word]
    reserved = _reserved()
    return not reserved["words"].isdisjoint(words) or any(part in "".join(words) for part in reserved["inside"])


@cache
def _reserved() -> dict[str, frozenset[str]]:
    listed = tomllib.loads(RESERVED_NAMES.read_text("utf-8"))
    return {kind: frozenset(map(_as_it_looks, words)) for kind, words in listed.items()}


def add_account(new: NewAccount) -> Account:
    account = Account(
        name=new.name, name_key=name_key(new.name), email=new.email, password_hash=new.password_hash, role=new.role,
        country=new.country, is_demo=new.is_demo, hue=sum(map(ord, new.name)) % 8, created_at=now(), agreed_rules_at=now(),
        unread_notifications=0,
    )  # fmt: skip
    database = db.session()
    try:
        with database.begin_nested():
            database.add(account)
    except IntegrityError as error:
        raise Invalid({"name": NAME_TAKEN}) from error
    return account


def sign_in(account: Account, *, days: int, browser: str = "") -> str:
    """A new sign-in row; returns the token for the cookie, which is stored nowhere else."""
    token = secrets.token_urlsafe(32)
    row = AuthSession(
        account_id=account.id, token_hash=token_hash(token), browser=browser[:120], created_at=now(), seen_at=now(),
        expires_at=now() + timedelta(days=days),
    )  # fmt: skip
    db.session().add(row)
    db.session().flush()
    account.session_id, account.session_token, account.session_seen_s = row.id, token, now().timestamp()
    return token


def keep_sign_in(actor: Account, *, days: int) -> None:
    """A visit: the sign-in lasts `days` from now."""
    db.session().execute(
        sa.update(AuthSession)
        .where(AuthSession.id == actor.session_id)
        .values(seen_at=now(), expires_at=now() + timedelta(days=days))
    )
    actor.session_seen_s = now().timestamp()


def change_profile(actor: Account, *, name: str, country: str, email: str | None) -> None:
    """`name` was checked by `checked_name`. The colour beside the name stays: people recognise it."""
    try:
        with db.session().begin_nested():
            actor.name, actor.name_key, actor.country, actor.email = name, name_key(name), country, email
    except IntegrityError as error:
        raise Invalid({"name": NAME_TAKEN}) from error


def change_presence(actor: Account, *, appears_away: bool, shows_typing: bool) -> None:
    """How others notice this person in chats. Every process takes back at once what it showed of them."""
    actor.appears_away, actor.shows_typing = appears_away, shows_typing
    authority_changed(actor.id)


MUTED_MAX, MUTED_LONGEST = 100, 100


def mute(actor: Account, typed: object) -> MutedWord:
    """One more word, or a few that follow each other, that this person does not want to meet."""
    words = text.line_of(typed, field="words", limit=MUTED_LONGEST, what="a word")
    complaint = check_mute(words)
    if complaint:
        raise Invalid({"words": complaint})
    muted = db.session().scalars(sa.select(MutedWord).where(MutedWord.account_id == actor.id)).all()
    same = next((row.words for row in muted if mute_key(row.words) == mute_key(words)), None)
    if same is not None:
        raise Invalid({"words": f"“{same}” is in your list already."})
    if len(muted) >= MUTED_MAX:
        raise Invalid({"words": f"Your list holds {MUTED_MAX} words, which is all it can. Take one out first."})
    row = MutedWord(account_id=actor.id, words=words, created_at=now())
    db.session().add(row)
    _count_muted(actor)
    return row


def unmute(actor: Account, muted_id: int) -> None:
    """Taking out what is gone already is fine."""
    db.session().execute(sa.delete(MutedWord).where(MutedWord.id == muted_id, MutedWord.account_id == actor.id))
    _count_muted(actor)


def _count_muted(actor: Account) -> None:
    db.session().flush()
    rows = sa.select(sa.func.count()).select_from(MutedWord).where(MutedWord.account_id == actor.id)
    actor.muted_count = db.session().scalar(rows) or 0


def sign_out(actor: Account) -> None:
    _revoke(actor.id, AuthSession.id == actor.session_id)


def sign_out_everywhere(actor: Account, *, keep_current: bool = False) -> None:
    _revoke(actor.id, AuthSession.id != actor.session_id if keep_current else sa.true())


def _revoke(account_id: int, which: sa.ColumnElement[bool]) -> None:
    db.session().execute(
        sa.update(AuthSession)
        .where(AuthSession.account_id == account_id, AuthSession.revoked_at.is_(None), which)
        .values(revoked_at=now())
    )
    authority_changed(account_id)


def end_sign_ins(actor: Account, account: Account) -> None:
    """An admin signs somebody out everywhere, such as after a lost phone."""
    audit.record(actor, "account.signed-out", f"account:{account.id}")
    _revoke(account.id, sa.true())


def change_password(actor: Account, password_hash: str) -> None:
    """Every other sign-in ends with the old password."""
    actor.password_hash = password_hash
    sign_out_everywhere(actor, keep_current=True)


def authority_changed(account_id: int) -> None:
    """Make every process re-check this account's live sockets: here at once, elsewhere when it sees the row."""
    db.session().add(AuthorityChange(account_id=account_id, at=now()))
    db.after_commit(AuthorityChanged(account_id).apply)


def restrict(account: Account, *, decision_id: int, until: datetime) -> None:
    """Write what a sanction means for this person's requests."""
    db.session().add(Restriction(account_id=account.id, decision_id=decision_id, starts_at=now(), ends_at=until))
    _settle_standing(account)


def lift_restriction(account: Account, *, decision_id: int) -> None:
    """Lift only what that decision made."""
    row = db.session().scalars(sa.select(Restriction).where(Restriction.decision_id == decision_id)).one_or_none()
    if row is not None and row.lifted_at is None:
        row.lifted_at = now()
    _settle_standing(account)


def _settle_standing(account: Account) -> None:
    db.session().flush()
    account.suspended_until = db.session().scalar(
        sa.select(sa.func.max(Restriction.ends_at)).where(
            Restriction.account_id == account.id, Restriction.lifted_at.is_(None), Restriction.ends_at > now()
        )
    )
    authority_changed(account.id)


def set_role(actor: Account | None, account: Account, role: str) -> None:
    """`actor` is None on the command line. Nobody changes their own role."""
    if role not in ROLES:
        raise Invalid({"role": f"A role is one of: {', '.join(ROLES)}."})
    if actor is not None and actor.id == account.id:
        raise Forbidden("Nobody changes their own role. Ask another admin.")
    was, account.role = account.role, role
    audit.record(actor, "account.role-set", f"account:{account.id}", was=was, now=role)
    authority_changed(account.id)


def add_house_rules(rules: list[dict[str, str]]) -> None:
    """The starter house rules, where there are none yet."""
    database = db.session()
    if database.scalar(sa.select(sa.func.count()).select_from(HouseRule)):
        return
    database.add_all(
        HouseRule(key=rule["key"], title=rule["title"], text=rule["text"], position=place) for place, rule in enumerate(rules)
    )


def add_house_rule(actor: Account, *, title: str, words: str) -> HouseRule:
    """A new rule stands last. Its key is made from the title and never changes: decisions name it."""
    database = db.session()
    last = database.scalar(sa.select(sa.func.max(HouseRule.position)))
    rule = HouseRule(key=_new_key(title), title=title, text=words, position=0 if last is None else last + 1)
    database.add(rule)
    database.flush()
    audit.record(actor, "house-rule.added", f"house-rule:{rule.id}", key=rule.key)
    return rule


def edit_house_rule(actor: Account, rule: HouseRule, *, title: str, words: str) -> None:
    rule.title, rule.text = title, words
    audit.record(actor, "house-rule.edited", f"house-rule:{rule.id}", key=rule.key)


def retire_house_rule(actor: Account, rule: HouseRule) -> None:
    """No new decision can name it; old ones keep its words. One rule must stay: a decision without one is refused."""
    if rule.retired_at is not None:
        return
    others = sa.select(HouseRule.id).where(HouseRule.retired_at.is_(None), HouseRule.id != rule.id)
    if db.session().scalar(others.limit(1)) is None:
        raise Forbidden("This is the last house rule. Decisions need one: add another before you retire it.")
    rule.retired_at = now()
    audit.record(actor, "house-rule.retired", f"house-rule:{rule.id}", key=rule.key)


def bring_back_house_rule(actor: Account, rule: HouseRule) -> None:
    rule.retired_at = None
    audit.record(actor, "house-rule.brought-back", f"house-rule:{rule.id}", key=rule.key)


def move_house_rule(actor: Account, rule: HouseRule, *, up: bool) -> None:
    """Change places with the neighbour above or below."""
    rules = list(db.session().scalars(sa.select(HouseRule).where(HouseRule.retired_at.is_(None)).order_by(*BY_PLACE)))
    if rule not in rules:
        raise Forbidden("A retired rule has no place in the list. Bring it back first.")
    place = rules.index(rule)
    other = max(0, min(len(rules) - 1, place + (-1 if up else 1)))
    rules[place], rules[other] = rules[other], rules[place]
    for position, listed in enumerate(rules):
        listed.position = position
    audit.record(actor, "house-rule.moved", f"house-rule:{rule.id}", key=rule.key, place=other)


BY_PLACE = (HouseRule.position, HouseRule.id)
KEY_MAX = 40


def _new_key(title: str) -> str:
    words = "-".join("".join(char if char.isalnum() else " " for char in fold(title)).split())[: KEY_MAX - 5] or "rule"
    taken = set(db.session().scalars(sa.select(HouseRule.key)))
    return next(key for key in (words, *(f"{words}-{number}" for number in range(2, 10_000))) if key not in taken)
