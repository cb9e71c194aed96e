"""Folding: one character at a time, free of context, so that every word keeps its place in the original.

A character becomes letters or digits (compatibility form, lower case, without accents), a space, or nothing
(apostrophes, zero-width and direction marks, combining marks). A few signs people write inside words (`k*ll`, `$ad`)
stay for the later views. An emoji is a word of its own. Letters of other scripts stay themselves here: only
`straighten` exchanges look-alikes, in a word that mixes scripts, and `imitated`, in one that looks Latin throughout.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

MASKS = "*#@$!|%+_"
"""Signs that stand for a letter inside a word."""

APOSTROPHES = frozenset("'`´’‘‛ʼʻʹˈ′ꞌ\u055a")

_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_COMBINING = (
    (0x300, 0x36F),
    (0x483, 0x489),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE20, 0xFE2F),
)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_LATIN_NAME = re.compile(
    r"(?:.*LATIN .*|REGIONAL INDICATOR SYMBOL )LETTER (?:SMALL CAPITAL |DOTLESS |TURNED |REVERSED )?([A-Z])(?: WITH .*)?$"
)
_SPECIAL = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "€": "e", "\u2044": " "}

# What the eye takes for Latin: Unicode's confusables hold few of these, so most are a visual supplement.
LOOKALIKES: dict[str, str] = dict(
    pair.split("=")
    for pair in [
        "а=a",
        "в=b",
        "с=c",
        "ԁ=d",
        "е=e",
        "ё=e",
        "є=e",
        "ғ=f",
        "ԍ=g",
        "һ=h",
        "ћ=h",
        "н=h",
        "і=i",
        "ї=i",
        "ј=j",
        "к=k",
        "қ=k",
        "ӏ=l",
        "ʟ=l",
        "м=m",
        "п=n",
        "и=n",
        "л=n",
        "ո=n",
        "о=o",
        "ө=o",
        "р=p",
        "ԛ=q",
        "г=r",
        "я=r",
        "ѕ=s",
        "т=t",
        "ц=u",
        "џ=u",
        "ѵ=v",
        "ԝ=w",
        "ш=w",
        "щ=w",
        "х=x",
        "ҳ=x",
        "у=y",
        "ү=y",
        "ұ=y",
        "ч=y",
        "з=z",
        "ь=b",
        "ъ=b",
        "ы=bl",
        "б=b",
        "д=d",
        "э=e",
        "й=n",
        "ж=x",
        "α=a",
        "β=b",
        "ϲ=c",
        "ς=c",
        "δ=d",
        "ε=e",
        "ξ=e",
        "φ=o",
        "γ=y",
        "η=n",
        "ι=i",
        "ϊ=i",
        "ί=i",
        "κ=k",
        "λ=l",
        "μ=u",
        "ν=v",
        "ο=o",
        "π=n",
        "ρ=p",
        "σ=o",
        "τ=t",
        "υ=u",
        "χ=x",
        "ω=w",
        "ζ=z",
        "θ=o",
        "օ=o",
        "ս=u",
        "հ=h",
        "ց=g",
        "ք=p",
        "ե=t",
        "զ=q",
        "ա=w",
        "Ꭺ=a",
        "ꭺ=a",
        "ꭰ=d",
        "ꭼ=e",
        "ꮋ=h",
        "ꮇ=m",
        "ꮪ=s",
        "ꭲ=i",
        "ꮶ=k",
        "ꮮ=l",
        "ꮯ=c",
        "ꮲ=p",
        "ꮤ=w",
        "ꭻ=j",
    ]
)
_PURE_LOOKALIKE = frozenset("асԁеһіјкӏморԛгѕтԝхунвпьαεικνορτυχη")
"""Only these may make up a whole word: close enough that nobody sees the difference."""


def _settle(char: str) -> str:
    """Compatibility form, case and marks of one character, to a fixed point."""
    for _ in range(4):
        before, char = char, unicodedata.normalize("NFKD", char).casefold()
        char = "".join(_SPECIAL.get(c, c) for c in char if not _dropped(c))
        if char == before:
            break
    return char


def _dropped(char: str) -> bool:
    code = ord(char)
    if char in APOSTROPHES or char in _INVISIBLE or code in _SKIN_TONES:
        return True
    if unicodedata.category(char) == "Cf":
        return True
    return any(low <= code <= high for low, high in _COMBINING) or 0xFE00 <= code <= 0xFE0F


def _latin_by_name(char: str) -> str:
    """Small capitals, circled, squared, hooked and stroked letters, which have no compatibility form."""
    if char.isascii():
        return char
    match = _LATIN_NAME.match(unicodedata.name(char, ""))
    return match[1].lower() if match else char


def _is_emoji(char: str) -> bool:
    return ord(char) > 0x2190 and unicodedata.category(char) == "So"


def fold_char(char: str) -> str | None:
    """What one character contributes to a word: letters, a sign of MASKS, an emoji between spaces, " ", or None."""
    if unicodedata.category(char) == "Lo" and not unicodedata.decomposition(char) and char not in _INVISIBLE:
        return char
    if _dropped(char):
        return None
    folded = "".join(_latin_by_name(c) for c in _settle(_latin_by_name(char)))
    kept = "".join(c for c in folded if c.isalnum() or c in MASKS or unicodedata.category(c) in ("Mn", "Mc"))
    if kept:
        return kept
    if _is_emoji(char):
        return f" {char} "
    return " " if folded or _settle(char) else None


class _Table(dict[int, str | None]):
    """Fills itself; holds at most `LIMIT` characters, so no text can make it grow for ever."""

    LIMIT = 20_000

    def __missing__(self, code: int) -> str | None:
        folded = fold_char(chr(code))
        if len(self) < self.LIMIT:
            self[code] = folded
        return folded


TABLE = _Table()
for _code in range(128):
    TABLE[_code]
_FOREIGN = re.compile("[^\x00-\x7f]")
_FEW = 120
"""Bytes beyond one for each character: a text with fewer is plain but for some marks and faces."""
_BYTES = bytes(ord(TABLE[code] or " ") if code < 128 else code for code in range(256))
_NOTHING = bytes(code for code in range(128) if TABLE[code] is None)


def words(text: str) -> list[str]:
    """The folded words of a text, in order; `spans` gives their places."""
    if not text.isascii():
        coded = text.encode("utf-8", "surrogatepass")
        if len(coded) - len(text) > _FEW:
            return text.translate(TABLE).split()
        for char in set(_FOREIGN.findall(text)):  # few: the rest goes by bytes, six times as fast
            text = text.replace(char, TABLE[ord(char)] or "")
    return _by_bytes(text).split()


def _by_bytes(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").translate(_BYTES, _NOTHING).decode("utf-8", "surrogatepass")


_FACE = "\x01"
_WORD = re.compile(_FACE + "|[0-9A-Za-z*#@$!|%+_]+(?:['`]+[0-9A-Za-z*#@$!|%+_]+)*")


class _Slots(_Table):
    """One plain sign for each character: w = part of a word, ' = nothing, _FACE = an emoji, space = a boundary."""

    def __missing__(self, code: int) -> str | None:
        folded = TABLE[code]
        slot = "'" if folded is None else "w" if folded[0] != " " else _FACE if len(folded) > 1 else " "
        if len(self) < self.LIMIT:
            self[code] = slot
        return slot


_SLOTS = _Slots()


def spans(text: str, first: int = 0, upto: int | None = None) -> list[tuple[int, int]]:
    """(start, end) in code points of the original for every word that `words` gives, or for those from `first` before `upto`."""
    if _FACE in text:
        text = text.replace(_FACE, " ")
    if not text.isascii():
        foreign = set(_FOREIGN.findall(text))
        if len(foreign) > _FEW:
            text = text.translate(_SLOTS)
        else:
            for char in foreign:
                text = text.replace(char, _SLOTS[ord(char)] or "'")
    begin = 0
    if first > _FEW_WORDS and text.isascii() and _FACE not in text:
        begin, upto, first = _begin_of(text, first), upto and upto - first, 0
    return list(map(re.Match.span, islice(_WORD.finditer(text, begin), first, upto)))


_FEW_WORDS = 10


def _begin_of(text: str, number: int) -> int:
    """Where a word begins in plain text; at its end when it has no more than `number` words. A fifth of the time of looking at each word before it."""
    folded = _by_bytes(text)
    rest = folded.split(None, number)[number:]
    if not rest:
        return len(text)
    kept = len(folded) - len(rest[0])
    begin, dropped = kept, text.count("'", 0, kept) + text.count("`", 0, kept)
    while begin < kept + dropped:  # each look takes in what was dropped on the way
        begin, seen = kept + dropped, begin
        dropped += text.count("'", seen, begin) + text.count("`", seen, begin)
    return begin


def straighten(word: str) -> str:
    """A word that mixes scripts, with its look-alike letters exchanged for Latin ones; any other word as it is."""
    if word.isascii() or not any(c.isascii() and c.isalpha() for c in word):
        return word
    return "".join(LOOKALIKES.get(c, c) for c in word)


def imitated(word: str) -> str:
    """The Latin word a word of another script looks like, if every letter of it does; else the word."""
    if word.isascii() or not all(c in _PURE_LOOKALIKE for c in word):
        return word
    return "".join(LOOKALIKES[c] for c in word)


def mixes_scripts(word: str) -> bool:
    """True for a folded word with Latin letters beside letters that only look Latin."""
    return any(c.isascii() and c.isalpha() for c in word) and any(c in LOOKALIKES for c in word)


def fold(text: str) -> str:
    """Folded words joined by one space, for search and for comparing names. Idempotent; never raises."""
    return " ".join(_bare(text))


def _bare(text: str) -> Iterator[str]:
    for word in words(text):
        yield from straighten(word.translate(_NO_MASKS)).split() if word not in MASKS else ()


_NO_MASKS = {ord(sign): " " for sign in MASKS}
