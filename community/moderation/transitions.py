"""The one transition table of a case. Every path calls `after`."""

from __future__ import annotations

from community.core.errors import Conflict

TABLE: dict[tuple[str, str], str] = {
    ("open", "claim"): "claimed",
    ("escalated", "claim"): "claimed",
    ("claimed", "claim"): "claimed",  # only when the lease has ended; the conditional update sees to it
    ("claimed", "release"): "open",
    ("claimed", "hand-back"): "escalated",  # it was passed on: still only the next level takes it
    ("claimed", "signal"): "claimed",
    ("open", "signal"): "open",
    ("escalated", "signal"): "escalated",
    ("closed", "signal"): "open",  # reopened: edit, new concern or severity, rescan, appeal
    ("open", "escalate"): "escalated",
    ("claimed", "escalate"): "escalated",
    ("claimed", "decide"): "closed",
}


def after(state: str, act: str) -> str:
    """The state after `act`; Conflict when this act is not possible from here."""
    try:
        return TABLE[state, act]
    except KeyError:
        raise Conflict(_IMPOSSIBLE.get(state, "That is not possible for this case now. Reload it and look again.")) from None


_IMPOSSIBLE = {
    "closed": "This case has been decided meanwhile. Reload the desk to see what was decided.",
    "open": "Nobody holds this case. Claim it first.",
    "escalated": "This case was passed to the senior on call. Only the next level claims it now.",
}
