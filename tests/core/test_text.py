"""Words are kept exactly and shown safely."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.core import text
from community.core.errors import Invalid

# Any text a browser or socket can deliver, lone surrogates and NUL included.
ANYTHING = st.text(st.characters(), max_size=300)


def taken(typed: object, limit: int = 100) -> str:
    return text.words_of(typed, field="body", limit=limit, what="your post")


def line(typed: object, **more: int) -> str:
    return text.line_of(typed, field="title", limit=more.pop("limit", 40), what="a title", **more)


@given(ANYTHING)
def test_whatever_is_typed_becomes_something_both_databases_hold(typed: str) -> None:
    kept = text.storable(typed)
    assert "\x00" not in kept
    assert "\r" not in kept
    kept.encode("utf-8")
    assert text.storable(kept) == kept


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=200))
def test_words_that_can_be_stored_are_not_touched(typed: str) -> None:
    assert text.storable(typed) == typed


@pytest.mark.parametrize(
    "typed", ["", " ", "\n\n", "\t", "\u200b", "\u202e\u2066", "\u0301", "\ufeff", "\u00ad", None, 7, ["x"], b"x"]
)
def test_words_nobody_can_see_are_no_words(typed: object) -> None:
    with pytest.raises(Invalid) as refusal:
        taken(typed)
    assert refusal.value.fields == {"body": "Write your post first: there are no words in it yet."}


@pytest.mark.parametrize("typed", ["  indented", "a\n\n\nb ", "\u202eright", "e" + "\u0301" * 50, "🫂", "⠓⠊"])
def test_a_body_is_kept_as_it_was_typed(typed: str) -> None:
    assert taken(typed) == typed


def test_the_limit_counts_characters_and_says_by_how_much() -> None:
    assert taken("ä" * 100) == "ä" * 100
    with pytest.raises(Invalid, match=r"1,101 characters long and 100 fit"):
        taken("x" * 1_101)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  two   words ", "two words"),
        ("a\nb", "a b"),
        ("مرحبا", "مرحبا"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("a\u00a0b", "a b"),
        ("nu\x00l", "nu\ufffdl"),
    ],
)
def test_a_line_is_one_trimmed_visible_line(typed: str, kept: str) -> None:
    assert line(typed) == kept


@pytest.mark.parametrize("typed", ["", " ", "a\u202eb", "a\x07b", "a\u2066b", "\u200e", "e" + "\u0301" * 9, "x" * 41, None, 3])
def test_a_line_that_would_mislead_is_refused(typed: object) -> None:
    with pytest.raises(Invalid) as refusal:
        line(typed)
    assert list(refusal.value.fields) == ["title"]


def test_a_line_can_need_more_than_one_character() -> None:
    assert line("ab", at_least=2) == "ab"
    with pytest.raises(Invalid, match="at least 2 characters"):
        line("a", at_least=2)


def test_every_problem_of_a_form_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        text.gather(lambda: line(""), lambda: taken(""))
    assert set(refusal.value.fields) == {"title", "body"}
    assert text.gather(lambda: line("A"), lambda: taken("B")) == ("A", "B")


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("two\n\nparts", "<p>two</p>\n<p>parts</p>\n"),
        ("a\nb", "<p>a<br>\nb</p>\n"),
        ("**strong** *soft* ~~gone~~", "<p><strong>strong</strong> <em>soft</em> <s>gone</s></p>\n"),
        ("<b>no</b>", "<p>&lt;b&gt;no&lt;/b&gt;</p>\n"),
        ("> said", "<blockquote>\n<p>said</p>\n</blockquote>\n"),
        ("[x](https://example.org)", '<p><a href="https://example.org" rel="nofollow noopener noreferrer ugc">x</a></p>\n'),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>\n"),
        (
            "![a](https://example.org/pixel.png)",
            '<p>!<a href="https://example.org/pixel.png" rel="nofollow noopener noreferrer ugc">a</a></p>\n',
        ),
    ],
)
def test_markdown_becomes_this_html(body: str, html: str) -> None:
    assert text.clean(body) == html


def test_a_heading_never_outranks_the_page() -> None:
    """A post's title cannot pass for the page's own."""
    assert "<h1" not in text.clean("# Big")
    assert "<h2" not in text.clean("## Big")


@given(ANYTHING)
def test_cleaning_always_answers_and_answers_the_same(body: str) -> None:
    stored = text.storable(body)
    assert text.clean(stored) == text.clean(stored)


def test_cleaning_in_many_threads_never_mixes_answers() -> None:
    from concurrent.futures import ThreadPoolExecutor

    bodies = [f"**{number}** " + f"[link {number}](https://example.org/{number}) " * 5 for number in range(200)]
    expected = [text.clean(body) for body in bodies]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(text.clean, bodies)) == expected


# ---- covered words

TAG = re.compile(r"<[^>]*>")
SAYS = text.COVER[0][text.COVER[0].index('<span class="cover-says"') :].removesuffix('<span class="cover-words">')
MARKUP = st.lists(
    st.sampled_from(
        ["kill", "50 kg", "**", "*", "_", "`", "\n", "\n\n", "> ", "# ", "1. ", "- ", "[", "](http://a.example/kill)", "](<b> 'kill\">')", "<", ">",
         "&amp;", "&", "\\", "```", "~~", "    ", "[kill]: http://a.example", "<http://kill.example>", "\U000f0000", "\U000f0001", "e\u0301", "🫂", '"',
         text.COVER[0], text.COVER[1]]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@st.composite
def bodies_with_covers(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    body = text.storable(draw(st.one_of(ANYTHING, MARKUP)))
    edges = sorted(set(draw(st.lists(st.integers(0, len(body)), max_size=6))))
    return body, [(edges[at], edges[at + 1]) for at in range(0, len(edges) - 1, 2)]


def untitled(html: str) -> str:
    return re.sub(r'(<a [^>]*?) title="[^"]*"', r"\1", html)


def words_shown(html: str) -> str:
    return TAG.sub("", html.replace(SAYS, ""))


@given(bodies_with_covers())
def test_what_a_reader_can_reveal_is_exactly_the_body(given_body: tuple[str, list[tuple[int, int]]]) -> None:
    body, spans = given_body
    covered, plain = text.clean(body, spans), text.clean(body)
    if spans:
        assert text.uncovered(covered) == untitled(plain)
    assert words_shown(covered) == words_shown(plain)
    assert "\U000f0002" not in covered


@given(bodies_with_covers())
def test_covers_are_made_by_us_alone(given_body: tuple[str, list[tuple[int, int]]]) -> None:
    body, _ = given_body
    assert "<input" not in text.clean(body)
    assert "<span" not in text.clean(body)


@pytest.mark.parametrize(
    ("body", "words", "html"),
    [
        ("I weigh 50 kg now", "50 kg", "<p>I weigh ⟦50 kg⟧ now</p>\n"),
        ("so **low** now", "low", "<p>so <strong>⟦low⟧</strong> now</p>\n"),
        ("so **low now** yes", "so **low", "<p>⟦so ⟧<strong>⟦low⟧ now</strong> yes</p>\n"),
        ("so\n\nlow", "so\n\nlow", "<p>⟦so⟧</p>\n<p>⟦low⟧</p>\n"),
        ("1200. so\n2. low", "1200", '<ol start="1200">\n<li>⟦so⟧</li>\n<li>⟦low⟧</li>\n</ol>\n'),
        ("so _low now_ yes", "_low now_", "<p>so <em>⟦low now⟧</em> yes</p>\n"),
        ("so ** low", "**", "<p>so ⟦**⟧ low</p>\n"),
        ("`low` tide", "low", "<p><code>⟦low⟧</code> tide</p>\n"),
        ("a < b &amp; low", "low", "<p>a &lt; b &amp; ⟦low⟧</p>\n"),
        ("🫂🫂 low", "low", "<p>🫂🫂 ⟦low⟧</p>\n"),
    ],
)
def test_covers_stand_around_the_span_and_never_change_the_markdown(body: str, words: str, html: str) -> None:
    start = body.index(words)
    covered = text.clean(body, [(start, start + len(words))])
    assert covered.replace(text.COVER[0], "⟦").replace(text.COVER[1], "⟧") == html


def test_a_link_is_covered_as_a_whole_and_shows_nothing_when_pointed_at() -> None:
    body = 'see [low](https://example.org/low "low") now'
    covered = text.clean(body, [(5, 8)])
    assert f'see {text.COVER[0]}<a href="https://example.org/low"' in covered
    assert f">low</a>{text.COVER[1]} now" in covered
    assert "title=" not in covered
    in_address = text.clean(body, [(body.index("/low"), body.index("/low") + 4)])
    assert text.COVER[0] in in_address, "what cannot be covered alone is covered with its surroundings"
