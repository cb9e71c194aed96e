"""Rate limits for pages and sockets alike, kept in Redis when there is one and in memory otherwise."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Flask, current_app
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, parse
from redis.backoff import NoBackoff
from redis.retry import Retry

from .errors import TooMany

logger = logging.getLogger(__name__)
limiter = Limiter(key_func=get_remote_address)
REDIS_PATIENCE_S = 0.5
REDIS_REST_S = 5
"""After Redis did not answer, how long this process counts by itself before it asks again: no message waits for each question."""
WINDOWS_KEPT = 10_000


class Windows:
    """Fixed windows in this process, on the clock that only goes forward: a wall clock set back must lock nobody out."""

    def __init__(self) -> None:
        self._open: dict[tuple[RateLimitItem, str, str], list[float]] = {}

    def hit(self, item: RateLimitItem, what: str, who: str, cost: int = 1) -> bool:
        moment, key = time.monotonic(), (item, what, who)
        window = self._open.get(key)
        if window is None or window[0] <= moment:
            if len(self._open) >= WINDOWS_KEPT:
                self._open = {name: kept for name, kept in self._open.items() if kept[0] > moment}
            window = self._open[key] = [moment + item.get_expiry(), 0]
        window[1] = max(0, window[1] + cost)
        return window[1] <= item.amount


_here = Windows()
_redis_rests_until = 0.0


def init_app(app: Flask) -> None:
    global _here, _redis_rests_until
    _here, _redis_rests_until = Windows(), 0.0
    config = app.config["KITH"]
    app.config.update(
        RATELIMIT_STORAGE_URI=config.redis_url or "memory://",
        RATELIMIT_STRATEGY="fixed-window",
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_HEADERS_ENABLED=False,
        RATELIMIT_STORAGE_OPTIONS=_patience() if config.redis_url else {},
    )
    limiter.init_app(app)
    app.extensions["kith_limits"] = bool(config.redis_url)


def _patience() -> dict[str, Any]:
    """By itself the library asks four times, with pauses of seconds: so long somebody's words would wait."""
    return {
        "socket_timeout": REDIS_PATIENCE_S,
        "socket_connect_timeout": REDIS_PATIENCE_S,
        "retry": Retry(NoBackoff(), 0),
    }


def limit(what: str, who: object, allowance: str) -> None:
    """Count one `what` by `who`; raise TooMany above `allowance` ("30 per minute")."""
    if not _hit(_parsed(allowance), what, str(who)):
        raise TooMany("That was a lot in a short time. Your words are kept here: wait a minute and send them again.")


def give_back(what: str, who: object, allowance: str) -> None:
    """Take one counted `what` back: where only failures count, an attempt is counted before its outcome is known."""
    _hit(_parsed(allowance), what, str(who), cost=-1)


def packet_allowed(address: str, allowance: str) -> bool:
    """Count one live packet of an address, in this process alone: it is asked for each, before anything is read."""
    neighbours = _neighbours(address)
    return not neighbours or _here.hit(_parsed(allowance), "packet", neighbours)


@lru_cache
def _parsed(allowance: str) -> RateLimitItem:
    return parse(allowance)


def _hit(item: RateLimitItem, what: str, who: str, cost: int = 1) -> bool:
    global _redis_rests_until
    if current_app.extensions["kith_limits"] and time.monotonic() >= _redis_rests_until:
        try:
            return limiter.limiter.hit(item, what, who, cost=cost)
        except Exception as error:
            _redis_rests_until = time.monotonic() + REDIS_REST_S
            logger.error("the shared rate limits are out of reach (%s); this process counts by itself", type(error).__name__)
    return _here.hit(item, what, who, cost)


def few_of_each_address(app: Callable[..., Any], most: int) -> Callable[..., Any]:
    """WSGI middleware: at most `most` live connections of one address in this process, whoever is signed in on them.

    It stands behind ProxyFix, so the address is the one that TRUSTED_PROXIES vouches for. Loopback is not counted: it is this
    machine, or a proxy on it that nobody named, and then it stands for everybody."""
    connected: Counter[str] = Counter()

    def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
        neighbours = _neighbours(environ.get("REMOTE_ADDR", ""))
        if not neighbours or environ.get("HTTP_UPGRADE", "").lower() != "websocket":
            return app(environ, start_response)
        if connected[neighbours] >= most:
            start_response(
                "429 Too Many Requests", [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]
            )
            return [b"Too many live connections from this address. The page works without one.\n"]
        connected[neighbours] += 1
        try:
            return app(environ, start_response)  # a websocket lives inside this call
        finally:
            connected[neighbours] -= 1
            if not connected[neighbours]:
                del connected[neighbours]

    return wrapped


@lru_cache(4096)
def _neighbours(address: str) -> str:
    """An IPv4 address, or the /64 that one IPv6 household has; nothing for loopback and what is no address."""
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(read, ipaddress.IPv6Address):
        if read.ipv4_mapped is None:
            return "" if read.is_loopback else str(ipaddress.ip_network((read, 64), strict=False))
        read = read.ipv4_mapped
    return "" if read.is_loopback else str(read)
