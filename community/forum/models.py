"""Topics and their posts. The first post opens the topic and decides whether it is seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from community.accounts.models import Account
from community.core import db, text
from community.core.db import Base, said
from community.moderation.reviewable import Line, Reviewable, register, reviewable_constraints
from community.rooms.models import Room
from community.safety import fold


class Topic(Base):
    __tablename__ = "topics"
    __table_args__ = (
        *reviewable_constraints(),
        said("title"),
        sa.Index("ix_topics_room_activity", "room_id", "last_post_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("rooms.id"))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    title: Mapped[str] = mapped_column(sa.String(300))
    visibility: Mapped[str] = mapped_column(sa.String(10), default="visible")  # a copy of the first post's
    post_count: Mapped[int] = mapped_column(default=0)  # number of the last post: hidden ones count, so pages stay put
    reply_count: Mapped[int] = mapped_column(default=0)  # answers that members see
    created_at: Mapped[datetime]
    last_post_at: Mapped[datetime]
    last_author_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))


def _body_folded(context: Any) -> str:
    return fold(context.get_current_parameters()["body"])


@register
class Post(Reviewable, Base):
    """`number` is its place in the topic from 1. `form_key` makes a form sent twice one post."""

    kind = "post"
    __tablename__ = "posts"
    __table_args__ = (
        *reviewable_constraints(),
        sa.UniqueConstraint("topic_id", "number"),
        sa.UniqueConstraint("author_id", "form_key"),
    )

    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topics.id"))
    number: Mapped[int]
    html: Mapped[str] = mapped_column(sa.Text)
    render_version: Mapped[int] = mapped_column(sa.SmallInteger)
    form_key: Mapped[str] = mapped_column(sa.String(64))
    edited_at: Mapped[datetime | None]
    folded: Mapped[str] = mapped_column(sa.Text, default=_body_folded, deferred=True)  # what search reads, on both databases

    topic: Mapped[Topic] = relationship()

    def words(self) -> str:
        """The first post is read together with its topic's title."""
        return f"{self.topic.title}\n{self.body}" if self.number == 1 else self.body

    def cover(self, spans: list[list[int]]) -> None:
        """A post is rendered once, covers and all, and folded once for search."""
        super().cover(spans)
        self.html = text.clean(self.body, [(start, end) for start, end in spans])
        self.render_version = text.RENDER_VERSION
        self.folded = fold(self.body)

    def taken_out_at(self) -> tuple[str, str]:
        return "get", f"/posts/{self.id}/edit?without=1"

    @classmethod
    def words_in_sql(cls) -> sa.SQLColumnExpression[str]:
        title = sa.select(Topic.title).where(Topic.id == cls.topic_id).scalar_subquery()
        return sa.case((cls.number == 1, title + "\n" + cls.body), else_=cls.body)

    def surroundings(self) -> list[Line]:
        near = (
            sa.select(Account.name, Post.body, Post.created_at, Post.number)
            .join(Account, Account.id == Post.author_id)
            .where(Post.topic_id == self.topic_id, Post.number.between(self.number - 3, self.number + 3))
            .where(Post.number != self.number, Post.visibility == "visible")
            .order_by(Post.number)
        )
        return [Line(name, body, at, number > self.number) for name, body, at, number in db.session().execute(near)]

    def path(self) -> str:
        return f"/topics/{self.topic_id}?at={self.number}#post-{self.id}"

    def in_sight(self) -> bool:
        return self.visibility == "visible" and self.topic.visibility == "visible"

    def within_reach(self) -> bool:
        """Not while its room has no forum, nor in a topic that is gone for everybody but the one who began it."""
        if not db.session().get_one(Room, self.room_id).has_forum:
            return False
        return self.topic.visibility == "visible" or self.topic.author_id == self.author_id

    def changed(self) -> None:
        """A topic is seen when its first post is; one that others have answered stays when its author takes the first post back."""
        if self.number == 1:
            self._show_topic()
        self._settle_last_post()
        self._count_replies()

    def _show_topic(self) -> None:
        answered = self.visibility == "withdrawn" and self.topic.post_count > 1
        seen = self.topic.visibility == "visible"
        self.topic.visibility = "visible" if answered else self.visibility
        if seen != (self.topic.visibility == "visible"):
            count_topic(self.room_id, -1 if seen else 1)

    def _settle_last_post(self) -> None:
        """The newest words that members see name the topic's last moment and author."""
        newest = sa.select(Post.author_id, Post.created_at).where(Post.topic_id == self.topic_id, Post.visibility == "visible")
        found = db.session().execute(newest.order_by(Post.number.desc()).limit(1)).first()
        if found is not None:
            self.topic.last_author_id, self.topic.last_post_at = found

    def _count_replies(self) -> None:
        """Counted anew, behind a lock: an answer written at the same moment is stored before or counts itself after."""
        db.session().execute(sa.select(Topic.id).where(Topic.id == self.topic_id).with_for_update())
        seen = sa.select(sa.func.count()).where(Post.topic_id == self.topic_id, Post.number > 1, Post.visibility == "visible")
        self.topic.reply_count = db.session().scalar(seen) or 0


def count_topic(room_id: int, change: int) -> None:
    """One topic more or fewer that members see in a room."""
    db.session().execute(sa.update(Room).where(Room.id == room_id).values(topic_count=Room.topic_count + change))


def note_activity(topic: Topic, author_id: int, moment: datetime) -> None:
    """Words that members see were written in a topic, as its last post, and in its room."""
    where = sa.update(Topic).where(Topic.id == topic.id)
    replies = Topic.reply_count + sa.case((Topic.post_count > 1, 1), else_=0)
    db.session().execute(where.values(last_post_at=moment, last_author_id=author_id, reply_count=replies))
    db.session().execute(sa.update(Room).where(Room.id == topic.room_id).values(last_activity_at=moment))
