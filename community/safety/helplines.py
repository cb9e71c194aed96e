"""Crisis lines by country, from helplines.toml. Numbers are those the services publish themselves."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("helplines.toml")


@dataclass(frozen=True, slots=True)
class Helpline:
    """Empty strings where a service has no phone, no text line or no page; `hours` is a phrase to show."""

    name: str
    phone: str = ""
    text: str = ""
    url: str = ""
    hours: str = ""


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
