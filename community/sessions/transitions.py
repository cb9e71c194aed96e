"""The one transition table of a session. Every path calls `after`."""

from __future__ import annotations

from community.core.errors import Conflict

TABLE: dict[tuple[str, str], str] = {
    ("planned", "change"): "planned",
    ("planned", "open"): "open",
    ("planned", "cancel"): "cancelled",
    ("planned", "lapse"): "cancelled",  # its time went by and nobody opened it
    ("open", "pause"): "paused",  # the last facilitator dropped
    ("paused", "resume"): "open",
    ("open", "end"): "ended",
    ("paused", "end"): "ended",
}


def after(state: str, act: str) -> str:
    """The state after `act`; Conflict when this act is not possible from here."""
    try:
        return TABLE[state, act]
    except KeyError:
        raise Conflict(_IMPOSSIBLE[state]) from None


_IMPOSSIBLE = {
    "planned": "This session has not begun yet.",
    "open": "This session is open already. Reload the page to see it.",
    "paused": "This session is paused until a facilitator is back.",
    "ended": "This session is over.",
    "cancelled": "This session was cancelled.",
}
