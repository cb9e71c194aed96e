"""Posts and chat messages with the words asked for, as one list, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from community.accounts.models import Account
from community.accounts.queries import muted_by
from community.chat.searching import MessageHit, messages_with
from community.forum.searching import PostHit, posts_with
from community.rooms.queries import searched_rooms
from community.safety.finding import words_in

HITS_A_PAGE = 20


class Before(NamedTuple):
    """Where the list goes on: before the post and before the message with these ids; 0: from the newest."""

    post: int = 0
    message: int = 0


@dataclass(frozen=True)
class Found:
    """`rooms`: id and name of all that can be searched."""

    rooms: Mapping[int, str]
    words: Sequence[str]
    hits: Sequence[PostHit | MessageHit]
    older: Before | None


def find(actor: Account, asked: str, *, room_id: int = 0, before: Before = Before()) -> Found:  # noqa: B008  (a tuple)
    """What `actor` may read and that has all the words of `asked`: in every room, or in one."""
    rooms = searched_rooms(actor)
    names = {room.id: room.name for room in rooms}
    wanted = [room for room in rooms if room_id in (0, room.id)]
    words, muted, more = words_in(asked), muted_by(actor), HITS_A_PAGE + 1
    topics = {room.id: room.name for room in wanted if room.has_forum}
    chats = {room.id: room.name for room in wanted if room.has_chat}
    posts = posts_with(actor, words, topics, muted, before=before.post, count=more)
    messages = messages_with(actor, words, chats, muted, before=before.message, count=more)
    hits = _newest_first(posts, messages)
    return Found(names, words, hits[:HITS_A_PAGE], _older(hits[:HITS_A_PAGE], before) if len(hits) > HITS_A_PAGE else None)


def _newest_first(posts: Sequence[PostHit], messages: Sequence[MessageHit]) -> list[PostHit | MessageHit]:
    """Both are in the order of their ids, and stay so: a clock that was set back must not lose a hit between two pages."""
    left, right, merged = list(posts), list(messages), list[PostHit | MessageHit]()
    while left and right:
        merged.append(left.pop(0) if left[0].written_at >= right[0].written_at else right.pop(0))
    return [*merged, *left, *right]


def _older(shown: Sequence[PostHit | MessageHit], before: Before) -> Before:
    posts = [hit.id for hit in shown if isinstance(hit, PostHit)]
    messages = [hit.id for hit in shown if isinstance(hit, MessageHit)]
    return Before(min(posts, default=before.post), min(messages, default=before.message))
