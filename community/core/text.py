"""What people write: made storable at the edge, checked for length, and turned into safe HTML once, when written.

The only home of bleach. Walls, in order: Markdown without raw HTML, bleach, nh3 with the same list, the page's CSP.
Messages, names and titles are plain text and are escaped by the template.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import bleach
import nh3
from markdown_it import MarkdownIt

from .errors import Invalid

RENDER_VERSION = 1
TAGS = frozenset(
    ["p", "br", "em", "strong", "s", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h3", "h4", "h5", "h6", "hr"]
)
ATTRIBUTES = {"a": ["href", "title"], "ol": ["start"]}
PROTOCOLS = frozenset({"http", "https", "mailto"})
MAX_NESTING = 30
MAX_MARKS_IN_A_ROW = 8
DRAWN_EMPTY = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # Hangul fillers and the blank Braille pattern

_markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING, "breaks": True}).enable("strikethrough")
_markdown.disable("image")
_unstorable = re.compile("[\x00\ud800-\udfff]")
_newlines = re.compile("\r\n?")


def storable(text: str) -> str:
    """The same words as both databases can hold them: NUL and lone surrogates become U+FFFD, line ends become \\n."""
    return _newlines.sub("\n", _unstorable.sub("\ufffd", text))


def is_blank(text: str) -> bool:
    """Nothing a reader could see: only spaces, controls, zero-width and combining characters, and letters that are drawn empty."""
    return all(char in DRAWN_EMPTY or unicodedata.category(char)[0] in "ZCM" for char in text)


def words_of(text: object, *, field: str, limit: int, what: str) -> str:
    """A body as it will be stored, exactly as typed. Raises Invalid when empty or over `limit` characters."""
    body = storable(text) if isinstance(text, str) else ""
    if is_blank(body):
        raise Invalid({field: f"Write {what} first: there are no words in it yet."})
    if len(body) > limit:
        raise Invalid({field: f"This is {len(body):,} characters long and {limit:,} fit. Shorten it or send it in two parts."})
    return body


def line_of(text: object, *, field: str, limit: int, what: str, at_least: int = 1) -> str:
    """One visible line (a title, a name): trimmed, no controls, no direction overrides, no stacks of marks."""
    line = " ".join(storable(text).split()) if isinstance(text, str) else ""
    if is_blank(line) or len(line) < at_least:
        more = f" It needs at least {at_least} characters." if at_least > 1 else ""
        raise Invalid({field: f"Please fill in {what}.{more}"})
    if len(line) > limit:
        raise Invalid({field: f"{what.capitalize()} can have {limit} characters; this has {len(line):,}."})
    if has_hidden_characters(line):
        raise Invalid(
            {field: f"{what.capitalize()} contains invisible or direction-changing characters. Type it again without them."}
        )
    if has_stacked_marks(line):
        raise Invalid({field: f"{what.capitalize()} has too many accents stacked on one letter. Remove some."})
    return line


def has_hidden_characters(text: str) -> bool:
    """Controls and direction overrides; joiners that emoji and many scripts need are allowed."""
    return any(unicodedata.category(char) in ("Cc", "Cf") and char not in "\u200c\u200d" for char in text)


def has_stacked_marks(text: str) -> bool:
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        if run > MAX_MARKS_IN_A_ROW:
            return True
    return False


def clean(body: str) -> str:
    """Markdown to safe HTML. Called once when written; the result is stored with RENDER_VERSION."""
    # A Cleaner is made per call: one shared between threads mixed up their answers.
    cleaner = bleach.Cleaner(tags=TAGS, attributes=ATTRIBUTES, protocols=PROTOCOLS, strip=True, strip_comments=True)
    html = cleaner.clean(_markdown.render(_unstacked(body)))
    return nh3.clean(
        html,
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes=set(PROTOCOLS),
        link_rel="nofollow noopener noreferrer ugc",
    )


def _unstacked(body: str) -> str:
    """What is shown of stacked marks is bounded; the stored words keep them all."""
    if not has_stacked_marks(body):
        return body
    kept, run = [], 0
    for char in body:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= MAX_MARKS_IN_A_ROW:
            kept.append(char)
    return "".join(kept)


def gather(*parts: Callable[[], str]) -> tuple[str, ...]:
    """Check several fields and name every problem at once instead of the first."""
    taken: list[str] = []
    problems: dict[str, str] = {}
    for part in parts:
        try:
            taken.append(part())
        except Invalid as problem:
            problems |= problem.fields
    if problems:
        raise Invalid(problems)
    return tuple(taken)
