"""English as people write it in a peer community: sentences by hand, everyday words put in their place, and always words never seen."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

from community.safety import starter_rules
from community.safety.speech import everyday

SENTENCES = Path(__file__).with_name("english.txt").read_text("utf-8").splitlines()
EVERYDAY = sorted(word for word in everyday() if 3 < len(word) < 11)
NEW, OTHER = 0.015, 0.08
"""The share of words that nobody wrote before (a name, a slip of the keyboard), and of those exchanged for another everyday word."""
_WORD = re.compile("[A-Za-z]+")
_LEET, _LOOKALIKE = dict(zip("aeiost", "431057", strict=True)), dict(zip("aceiopsxy", "асеіорѕху", strict=True))


class English:
    """Texts from one seed, no two alike."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self._worries = sorted(
            example for rule in starter_rules() if rule.concern in ("suicide", "self-harm") for example in rule.must_match
        )

    def text(self, length: int) -> str:
        said = ""
        while len(said) < length:
            said += _WORD.sub(lambda match: self._word(match[0]), self.dice.choice(SENTENCES)) + self.dice.choice(" \n")
        return said[:length]

    def worried(self, length: int) -> str:
        """A text with one sentence that some starter rule is about, anywhere in it."""
        worry = self.dice.choice(self._worries)
        around = self.text(max(length - len(worry), 0)).split(" ")
        around.insert(self.dice.randrange(len(around) + 1), f"{worry}.")
        return " ".join(around)

    def disguised(self, length: int) -> str:
        """Every third word of a worried text in some disguise."""
        return _WORD.sub(
            lambda match: self._disguise(match[0]) if self.dice.random() < 1 / 3 else match[0], self.worried(length)
        )[:length]

    def _word(self, word: str) -> str:
        chance = self.dice.random()
        if chance < NEW:
            return self.slip(word) if len(word) > 4 and self.dice.random() < 0.5 else self.name()
        return self.dice.choice(EVERYDAY) if chance < NEW + OTHER and len(word) > 3 else word

    def name(self) -> str:
        """Letters that nobody wrote before."""
        parts = (self.dice.choice("bcdfghjklmnprstvwz") + self.dice.choice("aeiouy") for _ in range(self.dice.randint(2, 4)))
        return "".join(parts).capitalize() + self.dice.choice(("", "n", "r", "s"))

    def slip(self, word: str) -> str:
        at = self.dice.randrange(1, len(word) - 1)
        return self.dice.choice(
            (
                word[:at] + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + self.dice.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :],
            )
        )

    def _disguise(self, word: str) -> str:
        if len(word) < 3:
            return word
        at = self.dice.randrange(1, len(word))
        return self.dice.choice(
            (
                "".join(_LEET.get(letter, letter) for letter in word),
                "".join(_LOOKALIKE.get(letter, letter) for letter in word),
                " ".join(word),
                self.dice.choice(".-_").join(word),
                "\u200b".join(word),
                "".join(letter + "\u0336" for letter in word),
                "".join(chr(0x1D41A + ord(letter) - 97) if "a" <= letter <= "z" else letter for letter in word),
                word[:at] + word[at] * self.dice.randint(3, 6) + word[at + 1 :],
                word[:at] + self.dice.choice("*#") + word[at + 1 :],
                self.slip(word) if len(word) > 3 else word,
            )
        )


def hostile(length: int) -> dict[str, str]:
    """Texts made to be slow, by kind, each of one length."""
    dice, english = random.Random(9), English(9)
    letters = "abcdefghijklmnopqrstuvwxyz"
    kinds = {
        "spaced": "k i l l m y s e l f ",
        "spaced-words": " ".join("want to die kill myself tonight ") + " ",
        "stars": "k*ll m*s*lf f**k ",
        "only-stars": "*",
        "quotes": '"a" “b “c” ',
        "open-quotes": "“",
        "quote-tags": "kill myself [quote]",
        "brackets": "([{<>}])",
        "dots": "kill myself " + "." * 500,
        "near-miss": "kill want to want to die i really want kill ",
        "emphasis": "really just so very ",
        "glue": "my self them selves over dose ",
        "worries": " ".join(english._worries) + " ",
        "marks": "a\u0301\u0336",
        "emoji": "🙂🔫💀",
        "mixed-scripts": "kіll mуsеlf ѕuіcіdе ",
        "nothing": "\u200b\x00\ud800",
        "numbers": "2 4 70 1337 ",
        "han": "自殺したい死にたい",
    }
    new: dict[str, Callable[[], str]] = {
        "new-words": lambda: "".join(dice.choices(letters, k=dice.randint(5, 12))),
        "new-leet": lambda: "".join(dice.choices("10345@$!|", k=8)) + dice.choice(letters),
        "new-masks": lambda: dice.choice(letters) + "*" + dice.choice(letters) + "*" * dice.randint(1, 4) + dice.choice(letters),
        "new-long": lambda: "".join(dice.choices(("kill", "my", "self", "want", "to", "die", "x", "i"), k=9)),
        "new-slips": lambda: english.slip(dice.choice(("suicide", "myself", "overdose", "therapist", "hopeless", "worthless"))),
        "new-runs": lambda: "".join(letter * dice.randint(1, 4) for letter in dice.choice(("kill", "myself", "suicide", "die"))),
        "new-vowelless": lambda: "".join(dice.choices("bcdfghklmnprst", k=dice.randint(2, 5))),
        "new-fragments": lambda: "".join(dice.choices(letters, k=dice.randint(2, 3))),
        "disguised": lambda: english.disguised(200),
    }
    texts = {kind: (piece * (length // len(piece) + 1))[:length] for kind, piece in kinds.items()}
    for kind, made in new.items():
        said, size = [], 0
        while size < length:
            said.append(made())
            size += len(said[-1]) + 1
        texts[kind] = " ".join(said)[:length]
    return texts
