"""People who keep away from each other. Nobody is told, and nobody who looks after people here can be blocked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from community.core import db
from community.core.clock import now
from community.core.errors import Forbidden, NotFound

from .actions import authority_changed
from .models import Account, Block

BLOCKS_MAX = 500
STAFF = (
    "{} looks after people here and cannot be blocked. If something is wrong, report the message or write to another moderator."
)


class Apart(NamedTuple):
    """Whom somebody does not meet in chats: `unseen` are not there at all, `folded` are there without their words. `chosen` are
    those they keep away from by their own choice: only of these may a page say so, or it would tell others that they are blocked."""

    unseen: frozenset[int] = frozenset()
    folded: frozenset[int] = frozenset()
    chosen: frozenset[int] = frozenset()

    @property
    def silent(self) -> frozenset[int]:
        """Whose words no live connection of this person hears."""
        return self.unseen | self.folded


NOBODY = Apart()


def apart_from(actor: Account) -> Apart:
    """Asks nothing for all who block nobody and whom nobody blocks. Staff meet everybody."""
    if not actor.apart_count or actor.is_staff:
        return NOBODY
    rows = db.session().execute(_theirs, {"me": actor.id}).all()
    unseen = frozenset(row.other_id if row.account_id == actor.id else row.account_id for row in rows if row.kind == "block")
    muted = frozenset(row.other_id for row in rows if row.kind == "mute" and row.account_id == actor.id)
    chosen = frozenset(row.other_id for row in rows if row.account_id == actor.id)
    return Apart(unseen, muted - unseen, chosen)


_theirs = (
    sa.select(Block.account_id, Block.other_id, Block.kind)
    .join(Account, Account.id == sa.case((Block.account_id == sa.bindparam("me"), Block.other_id), else_=Block.account_id))
    .where(
        Account.role == "member",
        sa.or_(
            Block.account_id == sa.bindparam("me"), sa.and_(Block.other_id == sa.bindparam("me"), Block.kind == "block")
        ),
    )
)  # fmt: skip


def person_to_block(actor: Account, other_id: int) -> Account:
    """Any other member: somebody who met them may keep away from them."""
    other = db.session().get(Account, other_id)
    if other is None:
        raise NotFound
    if other.id == actor.id:
        raise Forbidden("This is you. Choose somebody else.")
    if other.is_staff:
        raise Forbidden(STAFF.format(other.name))
    if actor.is_staff:
        raise Forbidden("You look after people here and need to see what they write.")
    return other


def keep_away(actor: Account, other_id: int, kind: str) -> Account:
    """Block or mute; the later choice counts."""
    other = person_to_block(actor, other_id)
    row = db.session().get(Block, (actor.id, other.id))
    if row is not None:
        row.kind = kind
    elif actor.apart_count >= BLOCKS_MAX:
        raise Forbidden(f"You keep away from {BLOCKS_MAX} people; no more fit. Undo one first.")
    else:
        db.session().add(Block(account_id=actor.id, other_id=other.id, kind=kind, created_at=now()))
    _settle(actor.id, other.id)
    return other


def meet_again(actor: Account, other_id: int) -> None:
    """Undo. The other one's own block, if there is one, stays."""
    mine = sa.delete(Block).where(Block.account_id == actor.id, Block.other_id == other_id)
    if db.session().execute(mine.returning(Block.other_id)).first() is not None:
        _settle(actor.id, other_id)


def _settle(*account_ids: int) -> None:
    """Count anew, and let every live connection of both learn whom it hears."""
    db.session().flush()
    for account_id in sorted(account_ids):
        theirs = sa.or_(Block.account_id == account_id, sa.and_(Block.other_id == account_id, Block.kind == "block"))
        counted = db.session().scalar(sa.select(sa.func.count()).select_from(Block).where(theirs))
        account = db.session().get_one(Account, account_id)
        account.apart_count = counted or 0
        authority_changed(account_id)


def kept_away_by(actor: Account) -> Sequence[Any]:
    """Whom this person blocked or muted, in the order of the alphabet."""
    rows = (
        sa.select(Account.id, Account.name, Block.kind)
        .join(Block, Block.other_id == Account.id)
        .where(Block.account_id == actor.id)
        .order_by(Account.name_key)
    )
    return db.session().execute(rows).all()
