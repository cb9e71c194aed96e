"""What every community begins with: the starter house rules and the starter lexicon, where there are none yet."""

from __future__ import annotations

import tomllib
from pathlib import Path

from .accounts.actions import add_house_rules
from .core import db
from .lexicon.actions import import_starter_rules

HOUSE_RULES = Path(__file__).parent / "accounts" / "house_rules.toml"


def first_steps() -> None:
    with db.write():
        add_house_rules(tomllib.loads(HOUSE_RULES.read_text())["rules"])
        import_starter_rules()
