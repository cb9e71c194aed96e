"""Loading requests, if allowed: each is its author's alone. Moderators read it in its case."""

from __future__ import annotations

from community.accounts.models import Account
from community.core import db
from community.core.errors import NotFound

from .models import HelpRequest


def request_to_read(actor: Account, request_id: int) -> HelpRequest:
    found = db.session().get(HelpRequest, request_id)
    if found is None or found.author_id != actor.id:
        raise NotFound
    return found
