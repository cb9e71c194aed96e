"""What people type about themselves, checked: every problem is named at once, beside its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from gevent import get_hub

from community.core import text
from community.core.errors import Invalid
from community.safety import Lexicon, countries, starter_rules

from .actions import checked_name
from .passwords import check_password

ELSEWHERE = "ZZ"
EMAIL_MAX = 254
TITLE_MAX, RULE_MAX = 120, 2_000
THEMES = ("auto", "light", "dark")
_address = re.compile(r"[!#-'*+\-./0-9=?A-Z^_`a-z{|}~]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}")


@dataclass(frozen=True)
class SignUp:
    name: str
    password: str
    country: str
    email: str | None


@dataclass(frozen=True)
class Profile:
    name: str
    country: str
    email: str | None


def sign_up(typed: Mapping[str, str], *, asks_email: str) -> SignUp:
    """`asks_email`: off, optional or required."""
    name, password, country, email, _ = text.gather(
        lambda: _name(typed),
        lambda: check_password(typed.get("password", ""), name=typed.get("name", "")),
        lambda: _country(typed),
        lambda: _email(typed, asks_email),
        lambda: _agreed(typed),
    )
    return SignUp(name, password, country, email or None)


def profile(typed: Mapping[str, str], *, asks_email: str) -> Profile:
    name, country, email = text.gather(lambda: _name(typed), lambda: _country(typed), lambda: _email(typed, asks_email))
    return Profile(name, country, email or None)


def house_rule(typed: Mapping[str, str]) -> tuple[str, str]:
    """Title and text of a house rule."""
    title, words = text.gather(
        lambda: text.line_of(typed.get("title"), field="title", limit=TITLE_MAX, what="a title"),
        lambda: text.words_of(typed.get("text"), field="text", limit=RULE_MAX, what="what the rule means"),
    )
    return title, words


def _name(typed: Mapping[str, str]) -> str:
    return checked_name(typed.get("name"), name_lexicon())


@cache
def name_lexicon() -> Lexicon:
    """The starter rules, for names. Compiled at the first need, in a thread: it takes a good part of a second."""
    lexicon: Lexicon = get_hub().threadpool.apply(Lexicon.compile, (starter_rules(),))
    return lexicon


def countries_to_choose() -> list[tuple[str, str]]:
    """Countries with helplines of their own, and at the end a place for everybody else."""
    return [*countries().items(), (ELSEWHERE, "Another country")]


def _country(typed: Mapping[str, str]) -> str:
    country = typed.get("country", "")
    if country != ELSEWHERE and country not in countries():
        raise Invalid({"country": "Choose a country from the list; “Another country” stands at its end."})
    return country


def _email(typed: Mapping[str, str], asks: str) -> str:
    given = typed.get("email", "").strip().lower() if asks != "off" else ""
    if not given and asks == "required":
        raise Invalid({"email": "Please give an e-mail address: this community needs one for each account."})
    if given and (len(given) > EMAIL_MAX or not _address.fullmatch(given)):
        raise Invalid({"email": "This does not look like an e-mail address, such as name@example.org."})
    return given


def _agreed(typed: Mapping[str, str]) -> str:
    if not typed.get("agree"):
        raise Invalid({"agree": "Please read the house rules and tick that you agree. Everybody here has."})
    return "agreed"
