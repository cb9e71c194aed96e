"""What people may not want to share: phone numbers, e-mail and house addresses, postcodes, names on other networks, and links
that are not what they look like.

Pure, and only ever an advice to the author. Each kind has a parser that would rather miss one than be wrong: numbers count when
their country's numbering plan knows them as private ones, names and codes when the words beside them say what they are.
Offsets are code points of the original text. Bounded: a text is read to MAX_READ, and most text is put aside by `_hints`.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from typing import NamedTuple

import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatcher, PhoneNumberType

from community.safety import folding, speech
from community.safety.helplines import helplines_for

MAX_READ = 50_000
"""Characters of a text that are read: more than any post has."""
MAX_FOUND = 20
MAX_TRIES = 40
"""Candidates of one kind that are looked at."""


class Disclosure(NamedTuple):
    """`kind` is one of KINDS; `start` and `end` count code points of the text."""

    kind: str
    start: int
    end: int


KINDS = ("phone", "email", "address", "postcode", "handle", "link")
STAND_INS = {
    "phone": "[phone number]",
    "email": "[e-mail address]",
    "address": "[address]",
    "postcode": "[postcode]",
    "handle": "[user name]",
    "link": "[link]",
}
"""What stands in a draft where something was taken out."""


def disclosures(text: str, country: str) -> tuple[Disclosure, ...]:
    """What the text gives away, in order and without overlaps. `country` (ISO, or ZZ) says how local numbers are written.

    Lines that quote somebody else (`> …`) are left out.
    """
    text = text[:MAX_READ]
    finders = _hints(text)
    if not finders:
        return ()
    found = [seen for find in finders for seen in islice(find(text, country), MAX_TRIES)]
    return tuple(islice(_apart(seen for seen in found if not _is_quoted(text, seen.start)), MAX_FOUND))


def taken_out(text: str, found: Iterable[Disclosure]) -> str:
    """The text with a plain word in brackets for each disclosure."""
    kept, at = [], 0
    for kind, start, end in found:
        kept += [text[at:start], STAND_INS[kind]]
        at = end
    return "".join([*kept, text[at:]])


Finder = Callable[[str, str], Iterator[Disclosure]]
_DIGITS = "0123456789"
_FEWEST_IN_A_NUMBER = 7
_foreign_digit = re.compile("[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\uff10-\uff19]")
_inner_dot = re.compile(r"\.\w")


def _hints(text: str) -> list[Finder]:
    """The parsers that could find something: a handful of searches for single signs, so that ordinary text costs nothing."""
    finders: list[Finder] = []
    lowered, plain = text.lower(), text.isascii()
    if _any_digit(text) or not (plain or _is_western(text) or not _foreign_digit.search(text)):
        finders += _by_digits(text, lowered)
    if "@" in text:
        finders.append(_emails)
    if "://" in text or "www." in lowered or not (plain or not _inner_dot.search(text)):
        finders.append(_links)
    if "@" in text or _names_a_network(lowered):
        finders.append(_handles)
    return finders


def _any_digit(text: str) -> bool:
    """Ten searches for one sign are ten times as fast as one for ten."""
    return (
        "0" in text or "1" in text or "2" in text or "3" in text or "4" in text or "5" in text or "6" in text or "7" in text
        or "8" in text or "9" in text
    )  # fmt: skip


def _is_western(text: str) -> bool:
    """Letters of western Europe and typographic signs: no digits but the plain ones."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _by_digits(text: str, lowered: str) -> Iterator[Finder]:
    digits = sum(map(text.count, _DIGITS))
    if digits >= _FEWEST_IN_A_NUMBER or not text.isascii():
        yield _phones
    yield _postcodes
    if any(name in lowered for name in _STREET_HINTS):
        yield _addresses


def _names_a_network(lowered: str) -> bool:
    return (
        "insta" in lowered or "snap" in lowered or "discord" in lowered or "kik" in lowered or "telegram" in lowered
        or "tiktok" in lowered or "tik tok" in lowered or "whatsapp" in lowered or "facebook" in lowered or "twitter" in lowered
        or "skype" in lowered or "wechat" in lowered or "tumblr" in lowered or "reddit" in lowered or " ig " in lowered
        or " fb " in lowered
    )  # fmt: skip


def _apart(found: Iterable[Disclosure]) -> Iterator[Disclosure]:
    """In order; of two that overlap the one that begins first, or is longer."""
    reached = 0
    for seen in sorted(found, key=lambda seen: (seen.start, -seen.end, KINDS.index(seen.kind))):
        if seen.start >= reached:
            reached = seen.end
            yield seen


def _is_quoted(text: str, start: int) -> bool:
    line = text.rfind("\n", 0, start) + 1
    return text[line : min(start, line + 4)].lstrip().startswith(">") or text[start] == ">"


# -------------------------------------------------------------------- phone numbers

_NUMBER = re.compile(r"(?<![\w+])\+?\(?\d(?:(?:[^\S\n]|[().\-/–]){0,3}\d){6,16}(?!\d)")
"""On one line: a number must not be lost to a digit that ends the line before it."""
_PRIVATE = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.PAGER,
    }
)
"""Kinds of numbers people have; helplines and companies mostly have others."""


def _phones(text: str, country: str) -> Iterator[Disclosure]:
    region = country if country in phonenumbers.SUPPORTED_REGIONS else None
    for window in islice(_NUMBER.finditer(text), MAX_TRIES):
        for match in PhoneNumberMatcher(window[0], region, Leniency.VALID, 3):
            kind = phonenumbers.number_type(match.number)
            if kind in _PRIVATE and str(match.number.national_number) not in _helplines(country):
                yield Disclosure("phone", window.start() + match.start, window.start() + match.end)


@cache
def _helplines(country: str) -> frozenset[str]:
    """Their numbers are for sharing."""
    numbers = (part for line in helplines_for(country) for part in (line.phone or "").split(" or "))
    return frozenset("".join(filter(str.isdigit, number)).lstrip("0") for number in numbers)


# -------------------------------------------------------------------- e-mail

_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])")
_LONGEST_LOCAL = 64


def _emails(text: str, _country: str) -> Iterator[Disclosure]:
    for at in islice(_places(text, "@"), MAX_TRIES):
        start = at
        while start and at - start < _LONGEST_LOCAL and text[start - 1] in _LOCAL:
            start -= 1
        while start < at and text[start] in ".%+-":
            start += 1
        domain = _DOMAIN.match(text, at + 1)
        if start < at and domain:
            yield Disclosure("email", start, domain.end())


def _places(text: str, sign: str) -> Iterator[int]:
    at = text.find(sign)
    while at >= 0:
        yield at
        at = text.find(sign, at + 1)


# -------------------------------------------------------------------- where somebody lives

_STREETS = "Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Close|Court|Crescent|Gardens|Grove|Terrace|Place|Square|Boulevard|Blvd|Way|Row|Mews"
_STREET_HINTS = (*(name.lower() for name in _STREETS.split("|")), "straße", "strasse", "str.", "weg", "allee", "gasse", "platz")
_ADDRESS = re.compile(
    rf"(?<![\w.,:/£$€-])\d{{1,4}}[A-Za-z]?,?\s(?:[A-Z][\w'’]{{1,20}}\s){{1,3}}(?:{_STREETS})(?!\w)"
    r"|(?<!\w)[A-ZÄÖÜ][a-zäöüß-]{1,30}(?:straße|strasse|str\.|weg|allee|gasse|platz)\s\d{1,4}\s?[a-h]?(?!\w)(?:,?\s\d{5}\s[A-ZÄÖÜ]\w{2,30})?"
)
_LIVES = re.compile(
    rf"(?<!\w)(?:live|living|lives|stay|staying|come to|address is|address:)(?:\s(?:at|on|in))?[\s:]{{1,3}}"
    rf"(\d{{1,4}}[a-z]?,?\s(?:[\w'’]{{2,20}}\s){{1,3}}(?:{_STREETS}))(?!\w)",
    re.IGNORECASE,
)


def _addresses(text: str, _country: str) -> Iterator[Disclosure]:
    for match in islice(_ADDRESS.finditer(text), MAX_TRIES):
        yield Disclosure("address", *match.span())
    for match in islice(_LIVES.finditer(text), MAX_TRIES):
        yield Disclosure("address", *match.span(1))


_GB_AREAS = frozenset(
    [
        "AB",
        "AL",
        "B",
        "BA",
        "BB",
        "BD",
        "BH",
        "BL",
        "BN",
        "BR",
        "BS",
        "BT",
        "CA",
        "CB",
        "CF",
        "CH",
        "CM",
        "CO",
        "CR",
        "CT",
        "CV",
        "CW",
        "DA",
        "DD",
        "DE",
        "DG",
        "DH",
        "DL",
        "DN",
        "DT",
        "DY",
        "E",
        "EC",
        "EH",
        "EN",
        "EX",
        "FK",
        "FY",
        "G",
        "GL",
        "GU",
        "GY",
        "HA",
        "HD",
        "HG",
        "HP",
        "HR",
        "HS",
        "HU",
        "HX",
        "IG",
        "IM",
        "IP",
        "IV",
        "JE",
        "KA",
        "KT",
        "KW",
        "KY",
        "L",
        "LA",
        "LD",
        "LE",
        "LL",
        "LN",
        "LS",
        "LU",
        "M",
        "ME",
        "MK",
        "ML",
        "N",
        "NE",
        "NG",
        "NN",
        "NP",
        "NR",
        "NW",
        "OL",
        "OX",
        "PA",
        "PE",
        "PH",
        "PL",
        "PO",
        "PR",
        "RG",
        "RH",
        "RM",
        "S",
        "SA",
        "SE",
        "SG",
        "SK",
        "SL",
        "SM",
        "SN",
        "SO",
        "SP",
        "SR",
        "SS",
        "ST",
        "SW",
        "SY",
        "TA",
        "TD",
        "TF",
        "TN",
        "TQ",
        "TR",
        "TS",
        "TW",
        "UB",
        "W",
        "WA",
        "WC",
        "WD",
        "WF",
        "WN",
        "WR",
        "WS",
        "WV",
        "YO",
        "ZE",
    ]
)
_GB_CODE = re.compile(r"(?<![\w£$€-])([A-Z]{1,2})\d[A-Z\d]?\s?\d[ABD-HJLNP-UW-Z]{2}(?!\w)")
_inward = re.compile(r"\d[ABD-HJLNP-UW-Z]{2}(?!\w)")
_five = re.compile(r"\d{5}")
_US_CODE = re.compile(
    r"(?<!\w)(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])"
    r",?\s(\d{5}(?:-\d{4})?)(?![\w-])"
)
_NAMED_CODE = re.compile(
    r"(?<!\w)(?:post ?code|zip(?: ?code)?|postleitzahl|plz|code postal|eircode)[\s:=]{0,3}(?:(?:is|ist|est)(?!\w))?[\s:]{0,3}"
    r"((?=[a-z]{0,3}\d)[a-z0-9]{2,8}(?:[ -](?=[a-z]{0,2}\d)[a-z0-9]{2,4})?)(?!\w)",
    re.IGNORECASE,
)


def _postcodes(text: str, country: str) -> Iterator[Disclosure]:
    lowered = text.lower()
    if any(name in lowered for name in ("post", "zip", "plz", "eircode")):
        for match in islice(_NAMED_CODE.finditer(text), MAX_TRIES):
            yield Disclosure("postcode", *match.span(1))
    if country in ("GB", "ZZ") and _inward.search(text):
        for match in islice(_GB_CODE.finditer(text), MAX_TRIES):
            if match[1] in _GB_AREAS:
                yield Disclosure("postcode", *match.span())
    if country in ("US", "ZZ") and _five.search(text):
        for match in islice(_US_CODE.finditer(text), MAX_TRIES):
            yield Disclosure("postcode", *match.span(1))


# -------------------------------------------------------------------- names on other networks

_NETWORK = "insta(?:gram)?|snap(?:chat)?|discord|kik|telegram|tik ?tok|whatsapp|facebook|twitter|skype|wechat|tumblr|reddit|ig|fb"
_BARE = r"[A-Za-z0-9_][A-Za-z0-9_.]{2,30}(?:#\d{4})?"
_AFTER = re.compile(
    rf"(?<![\w@])(?:{_NETWORK})(?P<says>(?:'s|’s|[\s:=,(–-]|is(?!\w)|user|name|handle|account|tag|id(?!\w)|me(?!\w)|under|as(?!\w)){{1,8}})"
    rf"(?P<name>@?{_BARE})",
    re.IGNORECASE,
)
_BEFORE = re.compile(rf"(?<![\w@.])@{_BARE}(?=[^\n.!?@]{{1,12}}(?<!\w)(?:{_NETWORK})(?!\w))", re.IGNORECASE)
_ADD_ME = re.compile(
    rf"(?<!\w)(?:add|follow|dm|find|message|hmu|i'm|im|i’m)(?:\s\w{{1,8}}){{0,3}}[\s:]{{1,3}}(?P<name>@{_BARE})", re.IGNORECASE
)
_SAYS = re.compile(r"[:=]|is|name|handle|user|account|tag|id|under", re.IGNORECASE)


def _handles(text: str, _country: str) -> Iterator[Disclosure]:
    for match in islice(_AFTER.finditer(text), MAX_TRIES):
        if _is_handle(match["name"].rstrip("."), announced=bool(_SAYS.search(match["says"]))):
            yield Disclosure("handle", match.start("name"), match.end("name") - _dots(match["name"]))
    if "@" not in text:
        return
    for match in islice(_BEFORE.finditer(text), MAX_TRIES):
        yield Disclosure("handle", match.start(), match.end() - _dots(match[0]))
    for match in islice(_ADD_ME.finditer(text), MAX_TRIES):
        yield Disclosure("handle", match.start("name"), match.end("name") - _dots(match["name"]))


def _dots(name: str) -> int:
    return len(name) - len(name.rstrip("."))


def _is_handle(name: str, *, announced: bool) -> bool:
    """`@ana` is one; `ana_93` is one; a bare word is one when it is announced ("my insta is …") and nobody says it every day."""
    if name[0] == "@":
        return True
    if not any(char.isalpha() for char in name):
        return False
    if name[0].isalpha() and any(char in "_.#" or char.isdigit() for char in name):
        return True
    return announced and not any(word in speech.everyday() or speech.is_common(word) for word in folding.words(name))


# -------------------------------------------------------------------- links that hide where they lead

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'()\[\]]{1,300}", re.IGNORECASE)
_BARE_HOST = re.compile(r"(?<![^\s(\"'])[^\s/@:<>()\"'.]{1,63}(?:\.[^\s/@:<>()\"'.]{1,63}){0,3}\.[A-Za-z]{2,12}(?![\w@])")
_NUMERIC = re.compile(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}", re.IGNORECASE)


def _links(text: str, _country: str) -> Iterator[Disclosure]:
    for match in islice(_LINK.finditer(text), MAX_TRIES):
        if _is_masked(match[0]):
            yield Disclosure("link", match.start(), match.end() - _dots(match[0]))
    if not text.isascii():
        for match in islice(_BARE_HOST.finditer(text), MAX_TRIES):
            if not match[0].isascii() and _is_masked(match[0]):
                yield Disclosure("link", *match.span())


def _is_masked(link: str) -> bool:
    """Whether the host hides what it is: a bare number, letters that only look like others, a name before an `@`."""
    authority = re.split(r"[/?#\\]", link.partition("://")[2] if "://" in link else link, maxsplit=1)[0]
    user, at, host = authority.rpartition("@")
    if at and user:
        return True
    if host.startswith("["):
        return True
    host = host.partition(":")[0].rstrip(".")
    return _is_number(host) or any(_imitates(label) for label in host.split("."))


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(_NUMERIC.fullmatch(host))
    return True


def _imitates(label: str) -> bool:
    if label.isascii():
        return label[:4].lower() == "xn--"
    if unicodedata.normalize("NFKC", label).casefold() != label.casefold() and unicodedata.is_normalized("NFC", label):
        return True
    return any(folding.mixes_scripts(word) or folding.imitated(word) != word for word in folding.words(label))
