"""CPU of a page: application and (SQLite) database are one process, read from /proc while one member asks again and again."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from statistics import median

from .seed import COMMON, LONG_TOPIC_POSTS, RARE, SHORT_TOPIC
from .servers import Browser, Community, Server, say

ROUNDS, VIEWS = 5, 40
REPLIES = 60
PAGES = {
    "front": "/",
    "room": "/rooms/3/topics",
    "topic": f"/topics/{SHORT_TOPIC}",
    "topic_first": "/topics/1",
    "topic_last": f"/topics/1?at={LONG_TOPIC_POSTS}",
    "search_rare": f"/search?q={RARE}",
    "search_common": f"/search?q={COMMON}",
}


def measure(community: Community) -> dict[str, float]:
    """Medians of rounds in which every page and the floor take turns, so that a busy moment of the machine meets all alike."""
    with community.served() as site, community.served("bench.floor:app") as bare:
        member = Browser(site, community.cookies[0])
        stranger = Browser(bare, f"token={community.seeded.tokens[0]}")
        views: dict[str, Callable[[], float]] = {
            name: (lambda path=path: _cost(site, lambda: member.get(path), VIEWS)) for name, path in PAGES.items()  # type: ignore[misc]
        }  # fmt: skip
        views["floor"] = lambda: _cost(bare, lambda: stranger.get(f"/topics/{SHORT_TOPIC}"), VIEWS)
        for view in views.values():
            view()
        rounds = [{name: view() for name, view in views.items()} for _ in range(ROUNDS)]
        figures = {f"page.{name}_cpu_ms": median(found[name] for found in rounds) for name in views}
        figures["page.reply_cpu_ms"] = _replies(community, site)
        figures["page.topic_to_floor"] = median(found["topic"] / found["floor"] for found in rounds)
        figures["page.last_to_first"] = median(found["topic_last"] / found["topic_first"] for found in rounds)
        say(pages=figures)
        return figures


def _cost(server: Server, act: Callable[[], object], count: int) -> float:
    """CPU milliseconds of one `act`."""
    before = server.cpu_s()
    for _ in range(count):
        act()
    return (server.cpu_s() - before) * 1000 / count


def _replies(community: Community, site: Server) -> float:
    """An answer of ordinary length in a topic of 20 posts and more: permission, gate, Markdown, insert, commit, redirect."""
    member, token = Browser(site, community.cookies[1]), community.form_token()
    words = "I know that feeling.\n\nWhat helped me a little was *walking* to the river and back. " * 3

    def reply() -> None:
        member.post("/topics/3/posts", csrf_token=token, form_key=uuid.uuid4().hex, body=f"{words} {uuid.uuid4().hex[:6]}")

    reply()
    return median(_cost(site, reply, REPLIES // ROUNDS) for _ in range(ROUNDS))


def growth(small: Community, large: Community) -> float:
    """What the topic page costs with ten times the posts in the database, as a ratio; both are asked in turns."""
    with small.served() as few, large.served() as many:
        browsers = [(server, Browser(server, place.cookies[0])) for server, place in ((few, small), (many, large))]
        path = PAGES["topic"]

        def turn() -> list[float]:
            return [_cost(server, lambda browser=browser: browser.get(path), VIEWS) for server, browser in browsers]  # type: ignore[misc]

        turn()
        return median(many_ms / few_ms for few_ms, many_ms in (turn() for _ in range(2 * ROUNDS)))
