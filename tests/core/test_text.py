"""Words are kept exactly and shown safely."""

from __future__ import annotations

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
