"""Moments inside sentences. What is said to a person names UTC; the page puts it into their own time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from .clock import now

_MOMENT = re.compile(r"(?:(\d{1,2} [A-Z][a-z]{2} \d{4}), )?([01]\d|2[0-3]):([0-5]\d) UTC")
HALF_A_DAY = timedelta(hours=12)


def with_times(sentence: str) -> Markup:
    """The sentence, escaped, with each "02:37 UTC" or "25 Nov 2026, 02:37 UTC" as a <time>. An hour without a day is the one
    nearest to now."""
    parts, at = [], 0
    for found in _MOMENT.finditer(sentence):
        parts += [escape(sentence[at : found.start()]), _marked(found)]
        at = found.end()
    return Markup("").join([*parts, escape(sentence[at:])])


def _marked(found: re.Match[str]) -> Markup:
    day, hour, minute = found.groups()
    kind = "full" if day else "time"
    try:
        moment = datetime.strptime(day, "%d %b %Y").replace(tzinfo=UTC) if day else now()
    except ValueError:  # a day there is not, such as 31 Feb
        return escape(found[0])
    moment = moment.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    if not day:
        moment += timedelta(days=(moment < now() - HALF_A_DAY) - (moment > now() + HALF_A_DAY))
    return Markup('<time datetime="{}" data-when="{}">{}</time>').format(moment.isoformat(), kind, found[0])
