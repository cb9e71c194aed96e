"""What the desks hear: ids only, never words. A screen fetches the card, and permission is checked again there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from community.core.realtime import Event

DESK = "/desk"


@dataclass(frozen=True)
class CaseChanged(Event):
    """A case opened, changed hands, changed concern or closed. Heard by `hearers`: the moderators who may see it now or might
    before, named one by one from the database (so never by its author or a reporter, and at once by the newly certified)."""

    name: ClassVar[str] = "case_changed"
    namespace: ClassVar[str] = DESK
    case_id: int
    hearers: tuple[int, ...]

    def audience(self) -> Iterable[str]:
        return [f"account:{account_id}" for account_id in self.hearers]

    def payload(self) -> dict[str, Any]:
        return {"case": self.case_id}


@dataclass(frozen=True)
class DeskChanged(Event):
    """To one screen: what its moderator may see changed (a certificate, a room). It loads the desk anew. No payload."""

    name: ClassVar[str] = "desk_changed"
    namespace: ClassVar[str] = DESK
    sid: str

    def audience(self) -> Iterable[str]:
        return [self.sid]

    def payload(self) -> dict[str, Any]:
        return {}
