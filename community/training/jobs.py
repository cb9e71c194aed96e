"""What happens to certificates when their time is over. The desk closes by itself; people are told why."""

from __future__ import annotations

from community.core import db
from community.core.jobs import sweep

from . import actions


@sweep(60)
def tell_of_ends() -> None:
    with db.write():
        actions.tell_of_ends()
