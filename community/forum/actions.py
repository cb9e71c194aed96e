"""Every change to topics and posts. Words go through the gate and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db, text
from community.core.clock import now
from community.core.errors import Conflict, Forbidden
from community.moderation.intake import Reviewed, review, review_again, reviewed_before, withdrawn
from community.rooms.access import room_to_write_in

from .access import post_to_edit, topic_to_read
from .models import Post, Topic, count_topic, note_activity


@dataclass(frozen=True)
class Written:
    """A stored post and what the gate did. `repeated`: the same form had been sent before."""

    post: Post
    reviewed: Reviewed
    repeated: bool = False


def open_topic(actor: Account, room_id: int, *, title: object, body: object, form_key: str, limits: tuple[int, int]) -> Written:
    """A new topic with its first post. `limits`: longest title, longest body."""
    room = room_to_write_in(actor, room_id, part="forum")
    title_line, words = text.gather(
        lambda: text.line_of(title, field="title", limit=limits[0], what="a title"),
        lambda: text.words_of(body, field="body", limit=limits[1], what="your post"),
    )
    if (before := _sent_before(actor, form_key, words, room=room.id, title=title_line)) is not None:
        return before
    moment = now()
    topic = Topic(
        room_id=room.id, author_id=actor.id, title=title_line, post_count=0, visibility="visible", created_at=moment,
        last_post_at=moment, last_author_id=actor.id,
    )  # fmt: skip
    db.session().add(topic)
    db.session().flush()
    written = _add_post(actor, topic, words, form_key)
    topic.visibility = written.post.visibility
    if topic.visibility == "visible":
        count_topic(room.id, 1)
    return written


def write_post(actor: Account, topic_id: int, *, body: object, form_key: str, limit: int) -> Written:
    """A reply. The same form sent twice is one post."""
    topic, _ = topic_to_read(actor, topic_id)
    room_to_write_in(actor, topic.room_id, part="forum")
    words = text.words_of(body, field="body", limit=limit, what="your answer")
    if (before := _sent_before(actor, form_key, words, topic=topic.id)) is not None:
        return before
    if topic.visibility != "visible" and topic.author_id != actor.id:
        raise Forbidden("This topic waits for a moderator, so nobody can answer yet. Your words are kept.")
    return _add_post(actor, topic, words, form_key)


def _add_post(actor: Account, topic: Topic, words: str, form_key: str) -> Written:
    """Take the next number of the topic (the row is locked by the update) and pass the gate. Words that are held move nothing
    that others see: neither the time of the last post nor the name beside it."""
    moment = now()
    taken = sa.update(Topic).where(Topic.id == topic.id).values(post_count=Topic.post_count + 1)
    number = db.session().scalar(taken.returning(Topic.post_count))
    post = Post(
        topic_id=topic.id, topic=topic, room_id=topic.room_id, author_id=actor.id, number=number, body=words, form_key=form_key,
        visibility="visible", created_at=moment, edition=1,
    )  # fmt: skip
    reviewed = review(post)
    if post.visibility == "visible":
        note_activity(topic, actor.id, moment)
    return Written(post, reviewed)


OTHER_WORDS = "This form was sent before, with other words. Those are stored; these are not yet: look at them, then post them."


def _sent_before(actor: Account, form_key: str, words: str, *, topic: int = 0, room: int = 0, title: str = "") -> Written | None:
    """The same form sent twice is one post. With other words, or for another place, it is refused, and nothing is lost."""
    found = db.session().scalars(sa.select(Post).where(Post.author_id == actor.id, Post.form_key == form_key)).one_or_none()
    if found is None:
        return None
    opened = found.number == 1 and (found.room_id, found.topic.title) == (room, title)
    same = found.topic_id == topic if topic else opened
    if not same or found.body != words:
        raise Conflict(OTHER_WORDS)
    return Written(found, reviewed_before(found), repeated=True)


def edit_post(actor: Account, post_id: int, *, body: object, limit: int) -> Written:
    """Change one's own words; they are read by the gate again, and snapshots keep what was said before."""
    post = post_to_edit(actor, post_id)
    room_to_write_in(actor, post.room_id, part="forum")
    words = text.words_of(body, field="body", limit=limit, what="your post")
    if words == post.body:
        return Written(post, Reviewed(held=post.visibility == "held", support_id=None))
    was, post.body, post.edited_at = post.body, words, now()
    reviewed = review_again(post, was=was)
    post.changed()
    return Written(post, reviewed)


def withdraw_post(actor: Account, post_id: int) -> Post:
    """Take one's own words back. A case about them keeps its snapshot."""
    post = post_to_edit(actor, post_id)
    post.visibility = "withdrawn"
    post.changed()
    withdrawn(post)
    return post
