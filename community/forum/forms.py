"""What arrives in addresses and forms, as the verbs want it. Nothing here refuses: nonsense reads as if it were not there."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

from .queries import Place

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_place = re.compile(r"([0-9]{1,16})-([0-9]{1,9})")
_key = re.compile(r"[0-9a-f]{32}")


def new_key() -> str:
    """What makes a form sent twice one post."""
    return uuid.uuid4().hex


def key_of(typed: str | None) -> str:
    """The form's key; a form without one is taken as new."""
    return typed if typed and _key.fullmatch(typed) else new_key()


def place_of(typed: str | None) -> Place | None:
    """A place in a topic list, as `place_text` wrote it."""
    found = _place.fullmatch(typed or "")
    return Place(EPOCH + timedelta(microseconds=int(found[1])), int(found[2])) if found else None


def place_text(place: Place | None) -> str | None:
    return f"{(place.at - EPOCH) // timedelta(microseconds=1)}-{place.topic_id}" if place else None
