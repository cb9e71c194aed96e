"""Whatever is typed: a sentence that says what to do, nothing stored by half, nothing lost, no traceback."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from community.core import db
from community.core.text import ATTRIBUTES, PROTOCOLS, TAGS, clean
from community.forum.models import Post, Topic
from tests.people import Person, Stage


def new_topic(stage: Stage, person: Person, **fields: Any) -> Any:
    return person.post(f"/rooms/{stage.low_days}/topics/new", **fields)


def stored(stage: Stage) -> list[tuple[str, str]]:
    rows = sa.select(Topic.title, Post.body).join(Post, Post.topic_id == Topic.id)
    return stage.ask(lambda: [(title, body) for title, body in db.session().execute(rows)])


@pytest.mark.parametrize("body", ["", "   ", "\n\t\n", "\u200b\u200d", "\u0301\u0301", "\x00" * 3 + " ", "\u202e"])
def test_words_nobody_can_see_are_refused_in_a_sentence(stage: Stage, ana: Person, body: str) -> None:
    answer = new_topic(stage, ana, title="A title", body=body)
    if body.startswith("\x00"):
        assert answer.status_code == 303  # NUL becomes a visible sign
        return
    assert answer.status_code == 422
    assert "there are no words in it yet" in answer.text
    assert 'value="A title"' in answer.text
    assert stored(stage) == []


@pytest.mark.parametrize("title", ["", "  ", "x" * 121, "a\u202eb", "e" + "\u0301" * 20, "\u200b"])
def test_a_title_that_cannot_be_taken_keeps_the_words(stage: Stage, ana: Person, title: str) -> None:
    answer = new_topic(stage, ana, title=title, body="My long words.")
    assert answer.status_code == 422
    assert "My long words." in answer.text
    assert 'href="#f-title"' in answer.text
    assert stored(stage) == []


def test_both_fields_are_complained_about_at_once(stage: Stage, ana: Person) -> None:
    answer = new_topic(stage, ana, title="", body="")
    assert 'href="#f-title"' in answer.text
    assert 'href="#f-body"' in answer.text


def test_missing_fields_are_empty_fields(stage: Stage, ana: Person) -> None:
    assert new_topic(stage, ana).status_code == 422


@pytest.mark.parametrize("length", [10_001, 1_000_000])
def test_too_many_words_come_back_whole(stage: Stage, ana: Person, length: int) -> None:
    words = "w" * (length - 3) + "end"
    answer = new_topic(stage, ana, title="Long", body=words)
    assert answer.status_code == 422
    assert "10,000 fit" in answer.text
    assert words in answer.text
    assert stored(stage) == []


def test_a_body_no_form_could_hold_is_a_sentence(stage: Stage, ana: Person) -> None:
    answer = new_topic(stage, ana, title="Huge", body="w" * 3_000_000)
    assert answer.status_code == 413
    assert "too much at once" in answer.text


def test_a_refused_answer_keeps_its_words(stage: Stage, ana: Person) -> None:
    topic = ana.opens("Hello", "Hello.").post.topic_id
    words = "&lt;" + "w" * 10_001
    answer = ana.post(f"/topics/{topic}/posts", body=words)
    assert answer.status_code == 422
    assert escape(words) in answer.text
    assert len(stored(stage)) == 1


def test_a_refused_change_keeps_both_editions(stage: Stage, ana: Person) -> None:
    post = ana.opens("Hello", "Hello.").post.id
    answer = ana.post(f"/posts/{post}/edit", body="v" * 10_001)
    assert answer.status_code == 422
    assert "v" * 10_001 in answer.text
    assert stored(stage) == [("Hello", "Hello.")]


SCRIPT = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "words", [SCRIPT, '"><img src=x onerror=alert(1)>', "</title><svg onload=alert(1)>", "{{7*7}}", "&lt;b&gt;", "' OR 1=1 --"]
)
def test_markup_is_words(stage: Stage, ana: Person, ben: Person, words: str) -> None:
    location = new_topic(stage, ana, title=words, body=words).location
    assert stored(stage) == [(words, words)]
    for page in (ben.get(location).text, ben.get(f"/rooms/{stage.low_days}/topics").text):
        assert escape(words, quote=False).split("'")[0] in page.replace("&#34;", '"').replace("&#39;", "'")
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<svg onload" not in page


STRANGE = [
    "lone \ud800 surrogate".encode("utf-8", "surrogatepass"), b"nul \x00 here", b"bad utf-8 \xff\xfe", "a" + "\u0301" * 10_000,
    "right \u202e to left", "\U0001f9d1\u200d\U0001f91d\u200d\U0001f9d1", "line\r\nend\rs",
]  # fmt: skip


@pytest.mark.parametrize("words", STRANGE, ids=range(len(STRANGE)))
def test_strange_characters_are_stored_or_refused_but_never_fail(stage: Stage, ana: Person, words: Any) -> None:
    raw = words if isinstance(words, bytes) else words.encode()
    from urllib.parse import quote_from_bytes

    data = f"csrf_token={ana.csrf()}&title=Strange&body={quote_from_bytes(raw)}"
    answer = ana.client.post(f"/rooms/{stage.low_days}/topics/new", data=data, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (303, 422)
    if answer.status_code == 303:
        assert ana.get(answer.location).status_code == 200


def test_marks_are_kept_in_the_words_and_bounded_on_the_page(stage: Stage, ana: Person) -> None:
    words = "Zal" + "\u0301" * 5_000 + "go"
    location = new_topic(stage, ana, title="Marks", body=words).location
    assert stored(stage)[0][1] == words
    assert "\u0301" * 9 not in ana.get(location).text


def test_an_expired_form_gives_the_words_back(stage: Stage, ana: Person) -> None:
    answer = ana.client.post(f"/rooms/{stage.low_days}/topics/new", data={"title": "T", "body": "My words", "csrf_token": "old"})
    assert answer.status_code == 400
    assert "My words" in answer.text
    assert stored(stage) == []


def test_a_page_address_is_not_a_place_to_post_json(stage: Stage, ana: Person) -> None:
    answer = ana.client.post(f"/rooms/{stage.low_days}/topics/new", json={"title": "T"}, headers={"X-CSRFToken": ana.csrf()})
    assert answer.status_code == 422


class Checked(HTMLParser):
    """Fails on any tag, attribute or address scheme that is not on the list."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert name in (*ATTRIBUTES.get(tag, ()), *(("rel",) if tag == "a" else ())), (tag, name)
            if name == "href":
                scheme = urlsplit((value or "").strip()).scheme.lower()
                assert scheme in {*PROTOCOLS, ""}, value

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


HOSTILE = st.sampled_from(
    ["<script>", "</script>", "<img src=x onerror=alert(1)>", "<svg/onload=", "javascript:", "[a](javascript:alert(1))", "[x](<data:text/html,", "![i](x)",
     "<a href='vbscript:x'>", "&#x6a;avascript:", "<!--", "-->", "<![CDATA[", "<?php", "```", "`", "> ", "* ", "1. ", "**", "~~", "\n", "\n\n", "<", ">", "\"", "'",
     "&", "<style>", "<iframe srcdoc=", "<math><mtext>", "\x00", "\u2028", "]]>", "[ref]: java\tscript:x", "<http://a>", "<javascript:x>", "\\", "# ", "---"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(HOSTILE, st.text(max_size=12)), max_size=14).map("".join))
def test_rendered_words_hold_only_what_is_on_the_list(words: str) -> None:
    from community.core.text import storable

    parser = Checked(convert_charrefs=True)
    parser.feed(clean(storable(words)))
    parser.close()


def test_deep_nesting_is_cheap() -> None:
    import time

    started = time.perf_counter()
    for words in (
        "> " * 5_000,
        "* " * 5_000,
        "[" * 10_000,
        "*a" * 5_000,
        "<b>" * 3_300,
        "`" * 10_000,
        "~~a" * 3_000,
        "![" * 5_000,
    ):
        clean(words)
    assert time.perf_counter() - started < 8
