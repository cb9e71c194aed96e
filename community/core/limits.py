"""Rate limits for pages and sockets alike, kept in Redis when there is one and in memory otherwise."""

from __future__ import annotations

import logging
from functools import lru_cache

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from .errors import TooMany

logger = logging.getLogger(__name__)
limiter = Limiter(key_func=get_remote_address)
_fallback = FixedWindowRateLimiter(MemoryStorage())
REDIS_PATIENCE_S = 0.5


def init_app(app: Flask) -> None:
    config = app.config["KITH"]
    app.config.update(
        RATELIMIT_STORAGE_URI=config.redis_url or "memory://",
        RATELIMIT_STRATEGY="fixed-window",
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_HEADERS_ENABLED=False,
        RATELIMIT_STORAGE_OPTIONS=(
            {"socket_timeout": REDIS_PATIENCE_S, "socket_connect_timeout": REDIS_PATIENCE_S} if config.redis_url else {}
        ),
    )
    limiter.init_app(app)


def limit(what: str, who: object, allowance: str) -> None:
    """Count one `what` by `who`; raise TooMany above `allowance` ("30 per minute")."""
    if not _allowed(_parsed(allowance), what, str(who)):
        raise TooMany("That was a lot in a short time. Your words are kept here: wait a minute and send them again.")


def give_back(what: str, who: object, allowance: str) -> None:
    """Take one counted `what` back: where only failures count, an attempt is counted before its outcome is known."""
    item = _parsed(allowance)
    try:
        limiter.limiter.hit(item, what, str(who), cost=-1)
    except Exception:
        logger.exception("the shared rate limits are out of reach; this process counts by itself")
        _fallback.hit(item, what, str(who), cost=-1)


@lru_cache
def _parsed(allowance: str) -> RateLimitItem:
    return parse(allowance)


def _allowed(item: RateLimitItem, what: str, who: str) -> bool:
    try:
        return limiter.limiter.hit(item, what, who)
    except Exception:
        logger.exception("the shared rate limits are out of reach; this process counts by itself")
        return _fallback.hit(item, what, who)
