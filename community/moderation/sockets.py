"""The desk's live door. It only tells: nothing is sent here, and what a screen hears are ids.

A moderator hears through the room of their own account; `CaseChanged` names its hearers from the database for each event, so
there are no rooms to join and none to forget when a certificate lapses, a scope changes or a room is made.
"""

from __future__ import annotations

from community.accounts.models import Account
from community.core.realtime import LiveNamespace, LiveSocket, send

from .events import DeskChanged


class DeskNamespace(LiveNamespace):
    def may_enter(self, actor: Account) -> bool:
        return super().may_enter(actor) and actor.is_staff

    def may_hear(self, actor: Account, room: str) -> bool:
        """Nothing but the room of one's own account, which the base class knows."""
        return False

    def refreshed(self, socket: LiveSocket, actor: Account) -> None:
        """Authority changed: this screen asks anew what it may show."""
        send(DeskChanged(socket.sid))
