"""Every read of the forum: a room's topics, a topic's posts. Rows of named columns, one query a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from community.accounts.models import Account
from community.core import db, text
from community.moderation.access import cases_about
from community.safety.muting import Muted

from .models import Post, Topic

TOPICS_A_PAGE = 25
POSTS_A_PAGE = 20
Author = aliased(Account)


class Place(NamedTuple):
    """Where a list of topics goes on: after the topic with this last post."""

    at: datetime
    topic_id: int


@dataclass(frozen=True)
class TopicList:
    topics: Sequence[Any]
    older: Place | None


def topics_of(actor: Account, room_id: int, *, before: Place | None = None) -> TopicList:
    """A room's topics, the latest words first. Held and hidden ones are listed for their author alone."""
    rows = (
        sa.select(
            Topic.id, Topic.title, Topic.author_id, Topic.visibility, Topic.last_post_at, Topic.reply_count.label("replies"),
            Topic.last_author_id, Account.name.label("author"), Author.name.label("last_author"),
        )
        .join(Account, Account.id == Topic.author_id)
        .join(Author, Author.id == Topic.last_author_id)
        .where(Topic.room_id == room_id, _listed_for(actor))
        .order_by(Topic.last_post_at.desc(), Topic.id.desc())
        .limit(TOPICS_A_PAGE + 1)
    )  # fmt: skip
    if before is not None:
        rows = rows.where(sa.tuple_(Topic.last_post_at, Topic.id) < sa.tuple_(*before))
    found = db.session().execute(rows).all()
    shown = found[:TOPICS_A_PAGE]
    return TopicList(shown, Place(shown[-1].last_post_at, shown[-1].id) if len(found) > TOPICS_A_PAGE else None)


def _listed_for(actor: Account) -> sa.ColumnElement[bool]:
    own = sa.and_(Topic.author_id == actor.id, Topic.visibility.in_(("held", "hidden")))
    return sa.or_(Topic.visibility == "visible", own)


@dataclass(frozen=True)
class Pages:
    """The page of a topic that is shown. Pages are spans of post numbers, so the last costs what the first does."""

    current: int
    last: int

    @classmethod
    def holding(cls, number: int, post_count: int) -> Pages:
        """The page with post `number`, or the nearest there is."""
        last = max(1, -(-post_count // POSTS_A_PAGE))
        return cls(min(max(1, -(-number // POSTS_A_PAGE)), last), last)

    @property
    def first_number(self) -> int:
        return (self.current - 1) * POSTS_A_PAGE + 1

    def start_of(self, page: int) -> int:
        return (page - 1) * POSTS_A_PAGE + 1


class PostSeen(NamedTuple):
    """A post as one reader may see it: `html` is None where the words are not theirs to read here; `case` is where a moderator
    reads them. `covered`: others see a part of these words of one's own only when they ask. `muted`: the reader muted words in it.
    `apart`: the reader chose to keep away from its author.
    """

    id: int
    number: int
    author: str
    hue: int
    html: str | None
    visibility: str
    mine: bool
    written_at: datetime
    edited_at: datetime | None
    covered: bool
    muted: bool
    apart: bool
    case: int | None = None


def posts_on(
    actor: Account, topic: Topic, pages: Pages, *, muted: Muted | None = None, apart: frozenset[int] = frozenset()
) -> list[PostSeen]:
    """The posts of one page. Withdrawn words are gone for everybody, held and hidden ones for all but their author."""
    first = pages.first_number
    body = Post.body if muted else sa.literal("")
    rows = (
        sa.select(
            Post.id, Post.number, Account.name, Account.hue, Post.html, Post.visibility, Post.author_id, Post.created_at, Post.edited_at,
            body,
        )
        .join(Account, Account.id == Post.author_id)
        .where(Post.topic_id == topic.id, Post.number.between(first, first + POSTS_A_PAGE - 1))
        .order_by(Post.number)
    )  # fmt: skip
    posts = [_as_seen(actor.id, muted, apart, row) for row in db.session().execute(rows)]
    cases = cases_about(actor, Post.kind, [post.id for post in posts if post.html is None])
    return [post._replace(case=cases.get(post.id)) if cases else post for post in posts]


def _as_seen(reader_id: int, muted: Muted | None, apart: frozenset[int], row: Any) -> PostSeen:
    number_id, number, name, hue, html, visibility, author_id, created_at, edited_at, body = row
    mine = author_id == reader_id
    covered = mine and text.COVER[0] in html
    shown = visibility == "visible" or (visibility != "withdrawn" and mine)
    return PostSeen(
        number_id, number, name, hue, (text.uncovered(html) if covered else html) if shown else None, visibility, mine, created_at,
        edited_at, covered, muted is not None and not mine and muted.hides(body), author_id in apart,
    )  # fmt: skip
