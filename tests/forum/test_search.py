"""Search finds visible words in rooms the person may read, and takes anything typed."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from community import create_app
from community.core import db
from community.forum.models import Post
from community.safety import fold
from community.safety.finding import pieces, words_in
from config import Config
from tests import servers
from tests.people import WORRYING, Person, Stage


def hits(person: Person, query: str, **more: object) -> list[str]:
    page = person.get("/search", query_string={"q": query, **more}).text
    return re.findall(r'topic-title" href="([^"]+)"', page)


def test_words_are_found_marked_and_lead_to_their_post(ana: Person, ben: Person) -> None:
    post = ana.opens("Sleep", "I bought a Lavender pillow.").post
    assert hits(ben, "lavender") == [f"/topics/{post.topic_id}?at=1#post-{post.id}"]
    assert "<mark>Lavender</mark>" in ben.get("/search?q=lavender").text
    assert hits(ben, "LAVENDER pillow") == hits(ben, "lavender")
    assert hits(ben, "lavender mattress") == []


def test_held_hidden_and_withdrawn_words_are_not_found(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    topic = ana.opens("Dinner", "How was it?", room=stage.eating).post.topic_id
    held = ana.answers(topic, f"{WORRYING} zebra").post
    assert held.visibility == "held"
    for person in (ana, ben, mia):
        assert hits(person, "zebra") == []


def test_answers_in_a_topic_nobody_sees_are_not_found(stage: Stage, ana: Person, ben: Person) -> None:
    topic = ana.opens("Tonight", WORRYING, room=stage.eating).post.topic_id
    ana.answers(topic, "giraffe")
    assert hits(ben, "giraffe") == []


def test_changed_words_are_found_as_they_are_now(stage: Stage, ana: Person) -> None:
    post = ana.opens("Animals", "penguin").post
    ana.post(f"/posts/{post.id}/edit", body="walrus")
    assert hits(ana, "penguin") == []
    assert len(hits(ana, "walrus")) == 1
    stage.do(lambda: db.session().execute(sa.delete(Post).where(Post.id == post.id)))
    assert hits(ana, "walrus") == []


def test_one_room_can_be_searched_alone(stage: Stage, ana: Person) -> None:
    ana.opens("A", "kettle", room=stage.low_days)
    ana.opens("B", "kettle", room=stage.eating)
    assert len(hits(ana, "kettle")) == 2
    assert len(hits(ana, "kettle", room=stage.eating)) == 1
    assert hits(ana, "kettle", room=999) == []


def test_pages_of_hits_follow_each_other_newest_first(ana: Person) -> None:
    posts = [ana.opens(f"T{count}", "teapot").post.id for count in range(23)]
    first = ana.get("/search?q=teapot").text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    found = re.findall(r"#post-(\d+)", first + ana.get(older[1].replace("&amp;", "&")).text)
    assert [int(post) for post in found] == list(reversed(posts))


def test_marked_words_are_escaped(ana: Person) -> None:
    ana.opens("Code", "before <b>script</b> & after")
    page = ana.get("/search?q=script").text
    assert "&lt;b&gt;<mark>script</mark>&lt;/b&gt; &amp; after" in page


@pytest.mark.parametrize(
    "query",
    ['"', '"un closed', "a AND", "OR", "NOT x", "NEAR(a b)", "col:x", "a*", "(", "'; DROP TABLE posts; --", "\x00", "%_%", "a\\b", "\ud800", "-", "^", "a" * 5_000,
     "🫖", "é", "& | !", "a:*", "<->", "body : x"],
)  # fmt: skip
def test_anything_can_be_typed(ana: Person, query: str) -> None:
    answer = ana.get("/search", query_string={"q": query.encode("utf-8", "surrogatepass")})
    assert answer.status_code == 200
    assert "Traceback" not in answer.text


@given(st.text(max_size=60))
def test_only_words_reach_the_database(typed: str) -> None:
    assert all(word.isalnum() or not re.search(r"[\s\"'():*&|!<>^-]", word) for word in words_in(typed))


@given(st.text(max_size=400), st.text("abc ", max_size=6))
def test_the_pieces_of_a_hit_are_parts_of_the_words(body: str, typed: str) -> None:
    shown = "".join(piece.words for piece in pieces(body, frozenset(words_in(typed) or ["a"])))
    assert shown.removeprefix("… ").removesuffix(" …") in body


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("I don’t know", "don't"), ("I don't know", "dont"), ("I dont know", "don’t"), ("the café", "cafe"), ("the cafe", "café"), ("ｌａｖｅｎｄｅｒ", "lavender"),
        ("lavender", "ＬＡＶＥＮＤＥＲ"), ("Straße", "STRASSE"), ("łódź", "lodz"), ("self-harm", "self harm"), ("a lav\u200bender field", "lavender"),
        ("саlm", "calm"), ("мой вес", "ВЕС"), ("b12 shots", "B12"),
    ],
)  # fmt: skip
def test_what_is_asked_and_what_was_written_are_folded_alike(ana: Person, written: str, asked: str) -> None:
    post = ana.opens("Words", f"🫂 before {written} after").post
    assert hits(ana, asked) == [f"/topics/{post.topic_id}?at=1#post-{post.id}"]
    page = ana.get("/search", query_string={"q": asked}).text
    marked = [html.unescape(mark) for mark in re.findall(r"<mark>([^<]+)</mark>", page)]
    assert marked, "the original words are marked"
    assert all(mark in written for mark in marked), marked


@given(st.text("ab'`- B9.", max_size=40), st.lists(st.text("ab9", min_size=1, max_size=3), max_size=3))
def test_plain_text_is_marked_as_folded_text_is(body: str, words: list[str]) -> None:
    """The quick way and the thorough way agree; a single letter of another script makes the second one do it."""
    asked = frozenset(words)

    def marked(text: str) -> list[str]:
        return ["".join(fold(piece.words).split()) for piece in pieces(text, asked) if piece.asked]

    assert marked(body) == marked(f"{body} ж")


def test_a_word_is_not_found_inside_another(ana: Person) -> None:
    ana.opens("Words", "my therapist")
    assert hits(ana, "rapist") == []
    assert hits(ana, "thera") == []


def test_an_emoji_alone_finds_nothing_and_beside_a_word_changes_nothing(ana: Person) -> None:
    ana.opens("Words", "a kettle 🫖")
    assert hits(ana, "🫖") == []
    assert len(hits(ana, "kettle 🫖")) == 1


@pytest.mark.servers
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_words_written_before_the_index_folded_are_found_after_and_the_way_back_is_open(engine: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'm.sqlite3'}" if engine == "sqlite" else servers.fresh_postgres()
    app = create_app(Config(mode="test", data_dir=tmp_path, database_url=url, jobs="outside", fanout="stock"))
    with app.app_context():
        app.extensions["alembic"].upgrade()
    ana = Stage(app).person("Ana", rooms=True)
    post = ana.opens("Words", "the café, don’t you know").post
    with app.app_context():
        app.extensions["alembic"].downgrade("20261125_lexicon_lives")
        index = "posts_fts MATCH 'know'" if engine == "sqlite" else "posts_search @@ to_tsquery('simple', 'know')"
        rows = f"SELECT count(*) FROM {'posts_fts' if engine == 'sqlite' else 'posts'} WHERE {index}"
        assert db.session().scalar(sa.text(rows)) == 1, "the old index is whole again"
        db.session().rollback()
        app.extensions["alembic"].upgrade()
    assert len(hits(ana, "cafe dont")) == 1
    ana.post(f"/posts/{post.id}/edit", body="the cinema")
    assert hits(ana, "cafe") == []
    assert len(hits(ana, "cinema")) == 1
    app.extensions["kith_engine"].dispose()
