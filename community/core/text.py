"""What people write: made storable at the edge, checked for length, and turned into safe HTML once, when written.

The only home of bleach. Walls, in order: Markdown without raw HTML, bleach, nh3 with the same list, the page's CSP.
Messages, names and titles are plain text and are escaped by the template.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

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
EMPHASIS = "*_~`"
MAX_NESTING = 30
MAX_MARKS_IN_A_ROW = 8
DRAWN_EMPTY = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # Hangul fillers and the blank Braille pattern

COVER = (
    '<span class="cover"><input type="checkbox" autocomplete="off" aria-label="Show the covered words">'
    '<span class="cover-says" aria-hidden="true">covered</span><span class="cover-words">',
    "</span></span>",
)
"""What stands around words that are covered until a reader ticks. Nobody can write it: TAGS has neither span nor input."""

_markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING, "breaks": True}).enable("strikethrough")
_markdown.disable("image")
_unstorable = re.compile("[\x00\ud800-\udfff]")
_newlines = re.compile("\r\n?")


def storable(text: str) -> str:
    """The same words as both databases can hold them: NUL and lone surrogates become U+FFFD, line ends become \\n."""
    return _newlines.sub("\n", _unstorable.sub("\ufffd", text))


def whole(typed: str | None, otherwise: int = 0) -> int:
    """A number typed or in an address, if a database column could hold it; `otherwise` for everything else."""
    digits = (typed or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else otherwise


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


def clean(body: str, covered: Iterable[tuple[int, int]] = ()) -> str:
    """Markdown to safe HTML. Called once when written; the result is stored with RENDER_VERSION.

    `covered`: spans of the body, in code points, that a reader sees only after asking. The words are the same with and without.
    """
    plain = _sanitised(_markdown.render(_unstacked(body)))
    spans = [span for span in covered if span[0] < span[1]]
    return _with_covers(body, spans, plain) if spans else plain


def _sanitised(rendered: str) -> str:
    # A Cleaner is made per call: one shared between threads mixed up their answers.
    cleaner = bleach.Cleaner(tags=TAGS, attributes=ATTRIBUTES, protocols=PROTOCOLS, strip=True, strip_comments=True)
    return nh3.clean(
        cleaner.clean(rendered),
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes=set(PROTOCOLS),
        link_rel="nofollow noopener noreferrer ugc",
    )


def uncovered(html: str) -> str:
    """The same HTML for those who see all of it: the author."""
    return html.replace(COVER[0], "").replace(COVER[1], "") if COVER[0] in html else html


# ---- covering: two signs that the body does not hold go in where a span begins and ends, and come out as markup

_tag = re.compile(r'<(?:[^>"]|"[^"]*")*>')
_tag_or_link = re.compile(r'<a\s(?:[^>"]|"[^"]*")*>.*?</a>|<(?:[^>"]|"[^"]*")*>', re.DOTALL)
_title = re.compile(r' title="[^"]*"')


def _with_covers(body: str, spans: list[tuple[int, int]], plain: str) -> str:
    """When the signs change how the Markdown is read (a span inside a link's address, say), every word is covered instead."""
    plain = _untitled(plain)
    begin, end = _unused(body)
    marked = _untitled(_sanitised(_markdown.render(_unstacked(_signed(body, spans, begin, end)))))
    covered = "".join(_pieces(marked, begin, end))
    if uncovered(covered) == plain and (COVER[0] in covered or not _shows(plain)):
        return covered
    return "".join(_pieces(begin + plain, begin, end))


def _untitled(html: str) -> str:
    """Pointing at a link would show what is covered in its title."""
    return _tag.sub(lambda tag: _title.sub("", tag[0]), html)


def _unused(body: str) -> tuple[str, str]:
    """Two private-use characters that are not in the body: Markdown takes them for letters, and nobody can have typed them."""
    held = frozenset(body)
    free = (char for char in map(chr, range(0xF0000, 0xFFFFE)) if char not in held)
    return next(free), next(free)


def _signed(body: str, spans: list[tuple[int, int]], begin: str, end: str) -> str:
    parts, at = [], 0
    for start, stop in spans:
        start, stop = _inside_markup(body, start, stop)
        parts += [body[at:start], begin, body[start:stop], end]
        at = stop
    return "".join([*parts, body[at:]])


def _inside_markup(body: str, start: int, stop: int) -> tuple[int, int]:
    """Signs of emphasis at the ends of a span stay outside, or they would no longer be read as such."""
    inside = body[start:stop].strip(EMPHASIS)
    if not inside:
        return start, stop
    start += len(body[start:stop]) - len(body[start:stop].lstrip(EMPHASIS))
    return start, start + len(inside)


def _pieces(html: str, begin: str, end: str) -> Iterator[str]:
    """The HTML without the signs, each run of text between two of them in a cover; a link is covered as a whole or not at all."""
    covering, at = False, 0
    for found in [*_tag_or_link.finditer(html), None]:
        for part in re.split(f"([{begin}{end}])", html[at : found.start() if found else len(html)]):
            if part in (begin, end):
                covering = part == begin
            else:
                yield _cover(part) if covering and part.strip() else part
        if not found:
            return
        at, inside = found.end(), found[0]
        touched = covering or begin in inside
        covering = _still(covering, inside, begin, end)
        whole = _without(inside, [form for sign in (begin, end) for form in (sign, quote(sign))])
        yield _cover(whole) if touched and whole.endswith("</a>") and whole.startswith("<a") else whole


def _cover(html: str) -> str:
    return f"{COVER[0]}{html}{COVER[1]}"


def _still(covering: bool, passed: str, begin: str, end: str) -> bool:
    """Whether a cover is open after what was passed."""
    last = max(passed.rfind(begin), passed.rfind(end))
    return covering if last < 0 else passed[last] == begin


def _without(text: str, signs: list[str]) -> str:
    for sign in signs:
        text = text.replace(sign, "")
    return text


def _shows(html: str) -> bool:
    return bool(_tag.sub("", html).strip())


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
