"""Words somebody does not want to meet. What holds them is folded away for that reader alone.

Matching is the scanner's: words are folded (case, accents, apostrophes, full-width, zero-width, look-alikes) and match whole, so
"rapist" is not in "therapist". A star at the end stands for any ending; letters set apart by spaces are read as one word; scripts
that write no spaces are looked through letter by letter. `static/js/chat.fold.mjs` does the same on a live screen.
"""

import re
from collections.abc import Iterable

from community.safety.folding import fold

FEWEST_BEFORE_STAR = 3
_SPACED = re.compile(r"(?<= )(?:[^\W_] ){2,}[^\W_](?= )")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def mute_key(words: str) -> str:
    """What is compared: the folded words, with a star kept at their end. Words with the same key are the same."""
    key = fold(words)
    return f"{key}*" if key and words.rstrip().endswith("*") else key


def check_mute(words: str) -> str | None:
    """None when the words can be muted, else a sentence that says what to change."""
    key = mute_key(words)
    bare = key.removesuffix("*")
    if not bare:
        return "Write a word that can be read: signs and spaces alone would match nothing."
    if len(bare) == 1 and bare.isalnum() and not _UNSPACED.match(bare):
        return "One letter alone stands in nearly everything. Write the whole word."
    if key != bare and len(bare.rpartition(" ")[2]) < FEWEST_BEFORE_STAR:
        return f"Write at least {FEWEST_BEFORE_STAR} letters before the star, or it would match nearly everything."
    return None


class Muted:
    """Somebody's muted words, ready to be looked for. `keys` are what `mute_key` gave."""

    __slots__ = ("_needles", "keys")

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = tuple(key for key in keys if key)
        self._needles = tuple(map(_needle, self.keys))

    def hides(self, text: str) -> bool:
        """Whether the text holds one of them."""
        folded = f" {fold(text)} "
        return self._held(folded) or (self._held(joined) if (joined := _SPACED.sub(_closed_up, folded)) != folded else False)

    def _held(self, folded: str) -> bool:
        return any(needle in folded for needle in self._needles)


def _needle(key: str) -> str:
    bare = key.removesuffix("*")
    if _UNSPACED.search(bare):
        return bare
    return f" {bare}" if key != bare else f" {bare} "


def _closed_up(apart: re.Match[str]) -> str:
    return apart[0].replace(" ", "")
