"""A room's form as an admin fills it in."""

from __future__ import annotations

OPEN_ROOM = {
    "name": "Night owls", "purpose": "For the hours when everyone else sleeps.", "guidance": "Speak softly.", "has_forum": "1",
    "has_chat": "1", "read_by": "members", "write_by": "joined", "mode": "publish", "profile": "general",
    "slow_seconds": "0", "links_by": "anyone", "link_days": "7", "mentions_max": "5", "position": "0",
}  # fmt: skip
WEEK = {"timezone": "Europe/London", "outside_hours": "quiet", "hours": "set", "waits_unstaffed": "1"}
