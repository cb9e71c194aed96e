"""What content owes moderation. Forum posts and chat messages implement it; moderation knows nothing else of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from community.core import db
from community.core.db import one_of
from community.core.errors import NotFound

VISIBILITIES = ("visible", "held", "hidden", "withdrawn")


@dataclass(frozen=True)
class Line:
    """One thing somebody said near the words under review."""

    author: str
    words: str
    at: datetime
    after: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"author": self.author, "words": self.words, "at": self.at.isoformat(), "after": self.after}


class Reviewable:
    """Mixin of every table that holds what people write to each other.

    A subclass sets `kind` and implements `words`, `surroundings`, `path` and `changed`. A row can only be inserted after
    `moderation.intake.review` has seen it: the insert of an unreviewed row raises.
    """

    kind: ClassVar[str]
    private: ClassVar[bool] = False  # only its author and moderators ever read it: it is never visible

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(sa.Text)
    visibility: Mapped[str] = mapped_column(sa.String(10), default="visible")
    created_at: Mapped[datetime]
    edition: Mapped[int] = mapped_column(default=1)
    covers: Mapped[list[Any]] = mapped_column(default=list)  # [start, end] in code points of the body: covered until asked for
    lexicon_revision: Mapped[int] = mapped_column(default=0)  # the revision that judged the words; 0 is the packs as shipped

    reviewed = False  # set on the instance by the gate

    @declared_attr
    def author_id(cls) -> Mapped[int]:
        return mapped_column(sa.ForeignKey("accounts.id"), index=True)

    @declared_attr
    def room_id(cls) -> Mapped[int]:
        return mapped_column(sa.ForeignKey("rooms.id"))

    def words(self) -> str:
        """All a reader would see, in one text: what is scanned and what a snapshot keeps."""
        return self.body

    def body_starts(self) -> int:
        """Where in `words` the body begins."""
        return len(self.words()) - len(self.body)

    def cover(self, spans: list[list[int]]) -> None:
        """The gate says which spans of the body readers see only when they ask, before the row is stored and after each edit."""
        self.covers = spans

    def desk_room_id(self) -> int:
        """The room whose moderators have its cases."""
        return self.room_id

    def taken_out_at(self) -> tuple[str, str]:
        """Method and path with which its author takes words out of it again."""
        raise NotImplementedError

    def store(self) -> None:
        """Called by the gate alone, when it has judged: a new row, or the edited one."""
        db.session().add(self)
        db.session().flush()

    @classmethod
    def words_in_sql(cls) -> sa.SQLColumnExpression[str]:
        """The same as `words`, for reading many of them without loading each."""
        return cls.body

    def surroundings(self) -> list[Line]:
        """Some lines before and after, in reading order."""
        raise NotImplementedError

    def path(self) -> str:
        """Where a reader finds it on this site."""
        raise NotImplementedError

    def in_sight(self) -> bool:
        """Whether those who may read its room see it. What stands inside something else asks that as well."""
        return self.visibility == "visible"

    def within_reach(self) -> bool:
        """Whether its author, who may read its room, still comes to it at `path`."""
        return True

    def changed(self) -> None:
        """Its visibility changed: bring counters along and announce it to the room."""
        raise NotImplementedError


KINDS: dict[str, type[Any]] = {}


def reviewable_constraints() -> tuple[sa.CheckConstraint, ...]:
    return (one_of("visibility", VISIBILITIES),)


def register(cls: type[Any]) -> type[Any]:
    """Class decorator: make a Reviewable findable by its kind and refuse unreviewed inserts."""
    KINDS[cls.kind] = cls
    event.listen(cls, "before_insert", _must_be_reviewed)
    return cls


def _must_be_reviewed(_mapper: Any, _connection: Any, target: Any) -> None:
    must_be_reviewed(target)


def must_be_reviewed(target: Any) -> None:
    if not target.reviewed:
        raise RuntimeError(f"a {target.kind} was about to be stored without review(): call moderation.intake.review")


def find(kind: str, target_id: int) -> Any:
    """The thing itself, or NotFound. Callers have already loaded what authorises them."""
    found = db.session().get(KINDS[kind], target_id) if kind in KINDS else None
    if found is None:
        raise NotFound
    return found
