from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from community.core.realtime import Event


@dataclass(frozen=True)
class NotificationAdded(Event):
    """To the person alone: something new waits on the notifications page. No words."""

    name: ClassVar[str] = "notification_added"
    namespace: ClassVar[str] = "/"
    account_id: int

    def audience(self) -> Iterable[str]:
        return [f"account:{self.account_id}"]

    def payload(self) -> dict[str, Any]:
        return {}
