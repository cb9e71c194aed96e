"""Print static/js/chat.fold.table.mjs: what a browser needs beside its own Unicode tables to fold as `community.safety.folding` does.

    python -m docs.make_fold > static/js/chat.fold.table.mjs

A character is in the table when `fold_char` gives something else than `by_rule`, which chat.fold.mjs states in the browser's words.
"""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict

from community.safety import folding

LAST = 0x1FFFF
"""Planes above hold ideographs, private use and tags: the rule is right for all of them."""


def by_rule(char: str) -> str | None:
    category = unicodedata.category(char)
    if category == "Lo" and not unicodedata.decomposition(char):
        return char
    plain = unicodedata.normalize("NFKD", char).lower()
    kept = "".join(c for c in plain if c in folding.MASKS or (_is_letter(c) and not _is_accent(c)))
    if kept:
        return kept
    if category == "Cf" or _is_accent(char):
        return None
    return f" {char} " if category == "So" and ord(char) > 0x2190 else " "


def _is_letter(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LN" or category in ("Mn", "Mc")


def _is_accent(char: str) -> bool:
    return any(low <= ord(char) <= high for low, high in folding._COMBINING) or 0xFE00 <= ord(char) <= 0xFE0F


def table() -> str:
    """The module's text."""
    others: dict[str, str] = defaultdict(str)
    for code in range(LAST + 1):
        char = chr(code)
        if unicodedata.category(char) not in ("Cn", "Co", "Cs") and folding.fold_char(char) != by_rule(char):
            others[folding.fold_char(char) or ""] += char
    accents = [[low, high] for low, high in (*folding._COMBINING, (0xFE00, 0xFE0F))]
    parts = {"MASKS": folding.MASKS, "ACCENTS": accents, "LOOKALIKES": folding.LOOKALIKES, "FOLDED": dict(others)}
    lines = [f"export const {name} = {json.dumps(value)};" for name, value in parts.items()]
    return "\n".join(
        ["// Made by `python -m docs.make_fold`; do not edit. FOLDED: what each of these characters becomes.", *lines, ""]
    )


if __name__ == "__main__":
    print(table(), end="")
