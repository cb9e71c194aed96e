"""Crisis lines by country, from helplines.toml. Numbers are those the services publish themselves."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_FILE = Path(__file__).with_name("helplines.toml")
_apart = re.compile(r" · | or ")
_number = re.compile(r"\+?\d(?:[ -]?\d)*")


class Number(NamedTuple):
    """One number as it is shown, with the words around it: "988, then 1" dials 988. `dial` is what a phone is given."""

    before: str
    shown: str
    dial: str
    after: str


@dataclass(frozen=True, slots=True)
class Helpline:
    """Empty strings where a service has no phone, no text line or no page; `hours` is a phrase to show."""

    name: str
    phone: str = ""
    text: str = ""
    url: str = ""
    hours: str = ""

    @property
    def numbers(self) -> tuple[Number, ...]:
        """Every number to call."""
        return _numbers_in(self.phone)

    @property
    def text_numbers(self) -> tuple[Number, ...]:
        """Every number to write to; the word to send stands before it."""
        return _numbers_in(self.text)


def _numbers_in(said: str) -> tuple[Number, ...]:
    """The services write several numbers as "116 123 · 0800 111 0 111" or "112 or 999"."""
    found = [(part, _number.search(part)) for part in _apart.split(said)]
    return tuple(Number(part[: hit.start()], hit[0], re.sub("[ -]", "", hit[0]), part[hit.end() :]) for part, hit in found if hit)


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))


@cache
def countries() -> dict[str, str]:
    """ISO 3166 code -> name, for the countries with lines of their own, by name."""
    named = ((code, entry["name"]) for code, entry in _read()["country"].items())
    return dict(sorted(named, key=lambda pair: pair[1]))


def helplines_for(country: str) -> tuple[Helpline, ...]:
    """The lines of a country (any case), else international ones; always at least one."""
    entry = _read()["country"].get(country.strip().upper())
    listed = entry["line"] if entry else _read()["international"]["line"]
    return tuple(Helpline(**line) for line in listed)
