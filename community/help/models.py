"""What somebody wrote to the moderators when they asked for a talk. Only they and moderators ever read it."""

from __future__ import annotations

import sqlalchemy as sa

from community.core.db import Base
from community.moderation.reviewable import Line, Reviewable, register, reviewable_constraints


@register
class HelpRequest(Reviewable, Base):
    """The words may be empty: asking is enough. Its room says which moderators are asked; it does not stand in that room."""

    kind = "request"
    private = True
    __tablename__ = "help_requests"
    __table_args__ = (*reviewable_constraints(), sa.CheckConstraint("visibility <> 'visible'", name="private"))

    def surroundings(self) -> list[Line]:
        return []

    def path(self) -> str:
        return f"/help/talk/{self.id}"

    def in_sight(self) -> bool:
        return False

    def changed(self) -> None:
        """No room shows it and nothing counts it."""
