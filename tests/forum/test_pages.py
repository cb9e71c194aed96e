"""What a page shows of much, and what it costs: the same however much lies behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from community.core import db
from community.forum import queries
from community.forum.models import Post, Topic
from community.forum.queries import Pages, Place
from tests.people import Person, Stage

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def long_topic(stage: Stage, ana: Person) -> str:
    """A topic with 205 posts."""

    def fill() -> None:
        topic = db.session().scalar(sa.select(Topic))
        assert topic is not None
        rows = [
            {"topic_id": topic.id, "room_id": topic.room_id, "author_id": ana.id, "number": number, "body": f"words {number}", "html": f"<p>words {number}</p>",
                 "render_version": 1, "form_key": f"{number:032x}", "visibility": "visible", "created_at": BEGAN, "edition": 1, "lexicon_revision": 0}
            for number in range(2, 206)
        ]  # fmt: skip
        db.session().execute(sa.insert(Post), rows)
        topic.post_count = 205

    topic_id = ana.opens("Long", "words 1").post.topic_id
    stage.do(fill)
    return f"/topics/{topic_id}"


@contextmanager
def statements(stage: Stage) -> Iterator[list[str]]:
    seen: list[str] = []
    engine = stage.app.extensions["kith_engine"]

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "ROLLBACK", "COMMIT")):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    yield seen
    event.remove(engine, "before_cursor_execute", listen)


def shown(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"<p>words (\d+)</p>", page)]


def test_every_post_is_on_one_page_in_order(ana: Person, long_topic: str) -> None:
    seen, path = [], long_topic
    while path:
        page = ana.get(path).text
        seen += shown(page)
        later = re.search(r'rel="next" href="([^"]+)"', page)
        path = later[1] if later else ""
    assert seen == list(range(1, 206))


def test_an_address_with_a_number_shows_the_page_that_holds_it(ana: Person, long_topic: str) -> None:
    assert shown(ana.get(f"{long_topic}?at=41").text) == list(range(41, 61))
    assert shown(ana.get(f"{long_topic}?at=60").text) == list(range(41, 61))
    assert shown(ana.get(f"{long_topic}?at=9999").text) == list(range(201, 206))


def test_pages_lead_to_first_earlier_later_and_last(ana: Person, long_topic: str) -> None:
    middle = ana.get(f"{long_topic}?at=100").text
    assert "Page 5 of 11" in middle
    for href in (long_topic, f"{long_topic}?at=61", f"{long_topic}?at=101", f"{long_topic}?at=205"):
        assert f'href="{href}"' in middle
    first = ana.get(long_topic).text
    assert "Earlier" not in first
    assert "Later" in first


def test_the_last_page_asks_the_database_what_the_first_asks(stage: Stage, ana: Person, long_topic: str) -> None:
    ana.get(long_topic)
    with statements(stage) as first:
        ana.get(long_topic)
    with statements(stage) as last:
        ana.get(f"{long_topic}?at=205")
    assert first == last
    assert 3 <= len(first) <= 6


def test_a_list_of_topics_costs_the_same_for_one_and_for_many(stage: Stage, ana: Person) -> None:
    listed = f"/rooms/{stage.low_days}/topics"
    ana.opens("First", "Hello.")
    ana.get(listed)
    with statements(stage) as one:
        ana.get(listed)
    for count in range(6):
        ana.opens(f"Topic {count}", "Hello.")
    with statements(stage) as many:
        ana.get(listed)
    assert one == many
    assert len(many) <= 6


def test_a_topic_list_goes_on_where_the_page_before_ended(stage: Stage, ana: Person) -> None:
    """Many topics with the same last moment: none is shown twice and none is left out."""

    def fill() -> None:
        rows = [
            {"room_id": stage.low_days, "author_id": ana.id, "title": f"T{count}", "visibility": "visible", "post_count": 1, "created_at": BEGAN,
                 "last_post_at": BEGAN + timedelta(seconds=count // 40), "last_author_id": ana.id}
            for count in range(120)
        ]  # fmt: skip
        db.session().execute(sa.insert(Topic), rows)

    stage.do(fill)
    seen: list[str] = []
    path: str | None = f"/rooms/{stage.low_days}/topics"
    while path:
        page = ana.get(path).text
        seen += re.findall(r"topic-title[^>]*>(T\d+)<", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1] if older else None
    assert seen == [f"T{count}" for count in reversed(range(120))]


def test_a_place_in_a_list_comes_back_from_its_address_unchanged() -> None:
    from community.forum.forms import place_of, place_text

    place = Place(datetime(2026, 11, 24, 3, 4, 5, 678901, tzinfo=UTC), 77)
    assert place_of(place_text(place)) == place


@pytest.mark.parametrize(
    ("number", "count", "page", "last"),
    [(1, 0, 1, 1), (1, 1, 1, 1), (20, 20, 1, 1), (21, 21, 2, 2), (2000, 2000, 100, 100), (0, 5, 1, 1), (99, 45, 3, 3)],
)
def test_a_page_holds_its_number(number: int, count: int, page: int, last: int) -> None:
    assert Pages.holding(number, count) == Pages(page, last)
    assert queries.POSTS_A_PAGE == 20


def test_a_topic_page_is_light(stage: Stage, ana: Person, ben: Person) -> None:
    """Twenty posts of ordinary length, compressed: page at most 20 kB, no inline script or style, at most 15 kB of script."""
    import gzip

    topic = f"/topics/{ana.opens('Long nights', 'I lay awake again. ' * 20).post.topic_id}"
    for count in range(19):
        ben.answers(
            int(topic.rsplit("/", 1)[1]), f"Night {count}: " + " ".join(f"word{count * 31 + place}" for place in range(60))
        )
    page = ana.get(topic)
    assert len(gzip.compress(page.data, 6)) < 20_000
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)
