"""Loading topics and posts, if allowed. Held and hidden words are there for their author; moderators read them in their case."""

from __future__ import annotations

import sqlalchemy as sa

from community.accounts.models import Account
from community.core import db
from community.core.errors import Forbidden, NotFound
from community.moderation.access import cases_about
from community.rooms.access import room_to_read
from community.rooms.models import Room

from .models import Post, Topic


def forum_to_read(actor: Account, room_id: int) -> Room:
    room = room_to_read(actor, room_id)
    if not room.has_forum:
        raise NotFound
    return room


def topic_to_read(actor: Account, topic_id: int) -> tuple[Topic, Room]:
    topic = db.session().get(Topic, topic_id)
    if topic is None:
        raise NotFound
    room = room_to_read(actor, topic.room_id)
    if topic.visibility != "visible" and topic.author_id != actor.id and not _is_on_desk(actor, topic):
        raise NotFound
    return topic, room


def _is_on_desk(actor: Account, topic: Topic) -> bool:
    """Whether the topic, unseen by members, is one whose case this moderator may see."""
    if not actor.is_staff:
        return False
    first = sa.select(Post.id).where(Post.topic_id == topic.id, Post.number == 1)
    return bool(cases_about(actor, Post.kind, list(db.session().scalars(first))))


def post_to_read(actor: Account, post_id: int) -> Post:
    post = db.session().get(Post, post_id)
    if post is None:
        raise NotFound
    topic_to_read(actor, post.topic_id)
    if post.visibility != "visible" and post.author_id != actor.id:
        raise NotFound
    return post


def post_to_edit(actor: Account, post_id: int) -> Post:
    """One's own words, unless a moderator hid them or their author withdrew them."""
    post = post_to_read(actor, post_id)
    if post.author_id != actor.id:
        raise Forbidden("Only the person who wrote this can change it. You can report it instead.")
    if post.visibility in ("hidden", "withdrawn"):
        raise Forbidden("These words are hidden, so they cannot be changed. You can appeal the decision in your notifications.")
    return post
