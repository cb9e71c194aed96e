"""Whom a live connection does not hear, for every kind of fan-out; and the library's own managers, made to know it."""

from __future__ import annotations

from typing import Any

from socketio import Manager

from .hearing import HearingRedisManager
from .processes import TellsProcesses

# Whom a connection does not hear, by account id: events whose payload names such an `author_id` are not written to it. Each
# process knows its own connections; nothing is asked or stored for those who hear everybody.
kept_from: dict[str, frozenset[int]] = {}


def keep_from(sid: str, accounts: frozenset[int]) -> None:
    if accounts:
        kept_from[sid] = accounts
    else:
        kept_from.pop(sid, None)


def author_of(data: Any) -> int | None:
    return data.get("author_id") if isinstance(data, dict) else None


class StockManager(Manager):
    """The library's own, but for those who keep away from each other."""

    def emit(self, event: str, data: Any, namespace: str, room: Any = None, skip_sid: Any = None, **kwargs: Any) -> None:
        super().emit(event, data, namespace, room=room, skip_sid=_skipping(data, skip_sid), **kwargs)


class StockRedisManager(TellsProcesses, HearingRedisManager):
    """The same over Redis: every process leaves out its own connections when it delivers."""

    def _handle_emit(self, message: dict[str, Any]) -> None:
        if "topic" not in message:
            data = message["data"][0] if isinstance(message["data"], list) and message["data"] else message["data"]
            message = {**message, "skip_sid": _skipping(data, message["skip_sid"])}
        super()._handle_emit(message)


def _skipping(data: Any, skip_sid: Any) -> Any:
    author = author_of(data) if kept_from else None
    if author is None:
        return skip_sid
    before = [skip_sid] if isinstance(skip_sid, str) else list(skip_sid or ())
    return [*before, *(sid for sid, silent in list(kept_from.items()) if author in silent)]
