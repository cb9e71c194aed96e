"""Loading drafts, if allowed. They are for admins; nobody else learns that one exists."""

from __future__ import annotations

from community.accounts.models import Account
from community.core import db
from community.core.errors import Conflict, NotFound

from .models import Draft

LIVING_STATES = ("open", "shadow", "proposed")


def draft_to_read(actor: Account, draft_id: int) -> Draft:
    """Any draft, living or done with."""
    found = db.session().get(Draft, draft_id) if actor.is_admin else None
    if found is None:
        raise NotFound
    return found


def draft_to_change(actor: Account, draft_id: int) -> Draft:
    """A living draft. Conflict, with what became of it, when it is published or discarded."""
    draft = draft_to_read(actor, draft_id)
    if draft.state == "published":
        raise Conflict(f"This draft is in force since revision {draft.published_revision}. Change the rule itself.")
    if draft.state not in LIVING_STATES:
        raise Conflict("This draft was discarded. Bring it back first.")
    return draft


def draft_to_bring_back(actor: Account, draft_id: int) -> Draft:
    draft = draft_to_read(actor, draft_id)
    if draft.state != "discarded":
        raise Conflict("This draft is not discarded.")
    return draft
