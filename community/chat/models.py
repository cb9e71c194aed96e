"""Chat messages: plain text, a per-room sequence number given in the transaction, a client key that makes retries one row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, make_transient_to_detached, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from community.accounts.models import Account
from community.core import db
from community.core.db import Base, one_of
from community.core.prepared import Prepared
from community.core.realtime import announce
from community.moderation.reviewable import Line, Reviewable, must_be_reviewed, register, reviewable_constraints
from community.rooms.models import Room

from .events import MessageHidden, MessageWritten

NOTE_MAX = 80
REACTIONS = {"with-you": "With you", "thanks": "Thank you", "hug": "A hug", "same": "Same here"}


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
    reply_to: Mapped[int | None]  # `seq` of the answered message; its words are looked up, never copied
    note: Mapped[str] = mapped_column(sa.String(NOTE_MAX), default="")  # what a reader learns before opening the words
    edited_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)  # rises with each change, so that late events change nothing

    def words(self) -> str:
        return f"{self.note}\n{self.body}" if self.note else self.body

    @classmethod
    def words_in_sql(cls) -> sa.SQLColumnExpression[str]:
        return sa.case((cls.note != "", cls.note + "\n" + cls.body), else_=cls.body)

    def store(self) -> None:
        """A new message is one plain insert, a third of what the session's own costs; from then on the session knows it."""
        if sa.inspect(self).key is not None:
            super().store()
            return
        must_be_reviewed(self)
        said = vars(self)
        self.id = db.first(_insert, **{name: said.get(name) for name in _COLUMNS}).id
        for name in _NULLABLE - said.keys():
            set_committed_value(self, name, None)
        make_transient_to_detached(self)
        db.known(self)

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
        self.version += 1
        if self.visibility == "visible":
            author = db.session().get_one(Account, self.author_id)
            announce(MessageWritten(self.room_id, {**as_seen(self, author), "reactions": counts_of(self.id)}))
        else:
            announce(MessageHidden(self.room_id, self.id, self.seq, self.version))


class Reaction(Base):
    """One kind answer of one person to one message."""

    __tablename__ = "message_reactions"
    __table_args__ = (one_of("kind", tuple(REACTIONS)),)

    message_id: Mapped[int] = mapped_column(sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(10), primary_key=True)


def counts_of(message_id: int) -> dict[str, int]:
    """How many people gave each kind of answer."""
    rows = sa.select(Reaction.kind, sa.func.count().label("given")).where(Reaction.message_id == message_id)
    return {row.kind: row.given for row in db.session().execute(rows.group_by(Reaction.kind))}


_COLUMNS = tuple(column.key for column in Message.__table__.columns if column.key != "id")
_NULLABLE = frozenset(column.key for column in Message.__table__.columns if column.nullable)  # else they would be read again
_insert = Prepared(sa.insert(Message).returning(Message.id))


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
        "note": message.note,
        "reply_to": message.reply_to,
        "edited": message.edited_at is not None,
        "version": message.version,
        "reactions": {},
        "at": message.created_at.isoformat(),
        "state": message.visibility,
    }


class ReadPlace(Base):
    """The last message of a room that somebody has seen. It only ever moves forward; no row: they never opened the chat."""

    __tablename__ = "read_places"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    room_id: Mapped[int] = mapped_column(sa.ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int]


class MessageWords(Base):
    """What search reads of a message, folded. Filled by a sweep; emptied by a trigger once the message says something else.
    Whoever changes what `fold` gives adds a migration that deletes all rows: the sweep makes them again."""

    __tablename__ = "message_words"
    __table_args__ = (sa.UniqueConstraint("room_id", "seq"),)

    message_id: Mapped[int] = mapped_column(
        sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    room_id: Mapped[int]
    seq: Mapped[int]
    folded: Mapped[str] = mapped_column(sa.Text)
