"""Chat messages: plain text, a per-room sequence number given in the transaction, a client key that makes retries one row."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from community.accounts.models import Account
from community.core import db
from community.core.db import Base
from community.core.realtime import announce
from community.moderation.reviewable import Line, Reviewable, register, reviewable_constraints
from community.rooms.models import Room

from .events import MessageHidden, MessageWritten


@register
class Message(Reviewable, Base):
    kind = "message"
    __tablename__ = "messages"
    __table_args__ = (
        *reviewable_constraints(),
        sa.UniqueConstraint("room_id", "seq"),
        sa.UniqueConstraint("author_id", "client_key"),
    )

    seq: Mapped[int]
    client_key: Mapped[str] = mapped_column(sa.String(200))

    def surroundings(self) -> list[Line]:
        near = (
            sa.select(Account.name, Message.body, Message.created_at, Message.seq)
            .join(Account, Account.id == Message.author_id)
            .where(Message.room_id == self.room_id, Message.seq.between(self.seq - 6, self.seq + 6))
            .where(Message.seq != self.seq, Message.visibility == "visible")
            .order_by(Message.seq)
        )
        return [Line(name, body, at, seq > self.seq) for name, body, at, seq in db.session().execute(near)]

    def path(self) -> str:
        return f"/rooms/{self.room_id}/chat?at={self.seq}#message-{self.id}"

    def taken_out_at(self) -> tuple[str, str]:
        return "post", f"/messages/{self.id}/withdraw"

    def desk_room_id(self) -> int:
        """What is said in a session lies on the desk of the room that holds the session."""
        return db.session().get_one(Room, self.room_id).host_id or self.room_id

    def within_reach(self) -> bool:
        """Not while its room has no chat."""
        return db.session().get_one(Room, self.room_id).has_chat

    def changed(self) -> None:
        """Screens show it (again) in its place, or take it away."""
        if self.visibility == "visible":
            announce(MessageWritten(self.room_id, as_seen(self, db.session().get_one(Account, self.author_id))))
        else:
            announce(MessageHidden(self.room_id, self.id, self.seq))


def as_seen(message: Message, author: Account) -> dict[str, Any]:
    """A message as everyone in the room may see it, on every road: live, catch-up, page."""
    return {
        "room": message.room_id,
        "seq": message.seq,
        "id": message.id,
        "author": author.name,
        "author_id": author.id,
        "hue": author.hue,
        "body": message.body,
        "covers": message.covers,
        "at": message.created_at.isoformat(),
        "state": message.visibility,
    }
