"""Whether this process hears the others.

A frozen Redis ends no connection, and one that is gone lets the library wait up to a minute before it asks again. So every
process says something each `PULSE_S` and listens for it: after `DEAF_S` of silence it connects anew, and until it hears again
its browsers know (`hints_changed`) that they have to ask.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from socketio import RedisManager

logger = logging.getLogger(__name__)

REDIS_PATIENCE_S = 1
PULSE_S = 0.5
DEAF_S = 1.5
PULSE = b"{}"


class HearingRedisManager(RedisManager):
    """`changed` is told whenever this process begins or ceases to hear."""

    def __init__(self, url: str, channel: str, changed: Callable[[bool], None]) -> None:
        super().__init__(url, channel=channel)
        self.hearing, self._changed = True, changed
        patience = {"socket_timeout": REDIS_PATIENCE_S, "socket_connect_timeout": REDIS_PATIENCE_S}
        self.sender = redis.Redis.from_url(url, **patience, retry=Retry(NoBackoff(), 1))

    def initialize(self) -> None:
        super().initialize()
        self.server.start_background_task(self._beat)

    def _beat(self) -> None:
        while True:
            self.server.sleep(PULSE_S)
            try:
                self.sender.publish(self.channel, PULSE)
            except redis.RedisError as error:
                logger.debug("no pulse: %s", error)

    def _listen(self) -> Iterator[bytes]:
        """What the others say, for ever."""
        while True:
            try:
                yield from self._hear()
            except redis.RedisError as error:
                logger.debug("not listening: %s", error)
            self._now_hearing(False)
            self.server.sleep(PULSE_S)

    def _hear(self) -> Iterator[bytes]:
        with self.sender.pubsub() as heard:  # type: ignore[no-untyped-call]
            heard.subscribe(self.channel)
            while said := heard.get_message(timeout=DEAF_S):
                if said["type"] != "message":
                    continue
                self._now_hearing(True)
                if said["data"] != PULSE:
                    yield said["data"]

    def _now_hearing(self, hearing: bool) -> None:
        if hearing == self.hearing:
            return
        self.hearing = hearing
        logger.warning("Redis is back" if hearing else "Redis is silent: what other processes say comes from the database")
        self._changed(hearing)
