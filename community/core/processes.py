"""What the processes of one community tell each other over Redis and no browser hears. At most once, as everything live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# What this process does when another one tells it something, by topic.
told_by_others: dict[str, Callable[[Any], None]] = {}


class TellsProcesses:
    """For a manager over Redis."""

    host_id: str

    def tell_processes(self, topic: str, said: Any) -> None:
        self._pass_on({"method": "emit", "topic": topic, "said": said, "host_id": self.host_id})

    def _pass_on(self, message: dict[str, Any]) -> None:
        self._publish(message)  # type: ignore[attr-defined]

    def _handle_emit(self, message: dict[str, Any]) -> None:
        if "topic" not in message:
            super()._handle_emit(message)  # type: ignore[misc]
        elif message["host_id"] != self.host_id:
            told_by_others[message["topic"]](message["said"])


def tell_processes(manager: Any, topic: str, said: Any) -> None:
    """Where there is only one process, nobody is told."""
    if isinstance(manager, TellsProcesses):
        manager.tell_processes(topic, said)
