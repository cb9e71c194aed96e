"""People: accounts, their sign-ins, their standing, the house rules they agreed to."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_login import UserMixin
from sqlalchemy.orm import Mapped, mapped_column

from community.core.clock import now
from community.core.db import Base, one_of, said

ROLES = ("member", "moderator", "senior", "admin")
BLOCKS = ("block", "mute")


class Account(Base, UserMixin):
    """A signed-up person, known by a pseudonym. `session_…` are set by the loader, never stored."""

    __tablename__ = "accounts"
    __table_args__ = (one_of("role", ROLES), said("name"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40))
    name_key: Mapped[str] = mapped_column(sa.String(80), unique=True)  # folded: look-alike names are the same name
    email: Mapped[str | None] = mapped_column(sa.String(254))  # not unique: sign-up would tell strangers who is here
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    role: Mapped[str] = mapped_column(sa.String(12), default="member")
    country: Mapped[str] = mapped_column(sa.String(2))
    hue: Mapped[int] = mapped_column(sa.SmallInteger, default=0)  # 0..7, the colour beside the name
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    agreed_rules_at: Mapped[datetime]
    suspended_until: Mapped[datetime | None]  # the latest end of all restrictions in force
    unread_notifications: Mapped[int] = mapped_column(default=0)
    muted_count: Mapped[int] = mapped_column(default=0)  # how many muted words, so that pages of others ask nothing
    apart_count: Mapped[int] = mapped_column(default=0)  # how many people they do not meet in chats, for the same reason
    appears_away: Mapped[bool] = mapped_column(default=False)  # nobody sees that they are in a room
    shows_typing: Mapped[bool] = mapped_column(default=True)  # others see that they write, and they see it of others

    session_id: int = 0
    session_token: str = ""
    session_seen_s: float = 0.0  # when this sign-in was last noted as in use, seconds since 1970

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the sign-in's token, so that a revoked sign-in is nobody."""
        return self.session_token

    @property
    def is_suspended(self) -> bool:
        return self.suspended_until is not None and self.suspended_until > now()

    @property
    def is_staff(self) -> bool:
        """May come to the desk; what lies on it depends on scope and certificates."""
        return self.role != "member"

    @property
    def is_senior(self) -> bool:
        return self.role in ("senior", "admin")

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class AuthSession(Base):
    """One sign-in. The cookie holds the token, the row its SHA-256; revoking the row kills every copy of the cookie."""

    __tablename__ = "auth_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    browser: Mapped[str] = mapped_column(sa.String(120), default="")
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Restriction(Base):
    """What one sanction takes away. Written by moderation; lifting it names the decision that made it."""

    __tablename__ = "restrictions"
    __table_args__ = (one_of("kind", ("suspension",)),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    decision_id: Mapped[int] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(sa.String(12), default="suspension")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]


class AuthorityChange(Base):
    """Somebody's authority changed: every process re-checks that account's live sockets when it sees the row."""

    __tablename__ = "authority_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(index=True)


class MutedWord(Base):
    """Words somebody does not want to meet: what holds them is folded away for this person alone."""

    __tablename__ = "muted_words"
    __table_args__ = (said("words"), sa.UniqueConstraint("account_id", "words"))

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"))
    words: Mapped[str] = mapped_column(sa.String(100))
    created_at: Mapped[datetime]


class Block(Base):
    """Somebody keeps away from somebody: `block` works both ways, `mute` folds the other's words for this person alone."""

    __tablename__ = "blocks"
    __table_args__ = (one_of("kind", BLOCKS), sa.CheckConstraint("account_id <> other_id", name="two_people"))

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, index=True)
    kind: Mapped[str] = mapped_column(sa.String(5))
    created_at: Mapped[datetime]


class HouseRule(Base):
    """One rule everybody agrees to and every decision names. Retired, never deleted: old decisions keep their words."""

    __tablename__ = "house_rules"
    __table_args__ = (said("title"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(40), unique=True)
    title: Mapped[str] = mapped_column(sa.String(120))
    text: Mapped[str] = mapped_column(sa.Text)
    position: Mapped[int] = mapped_column(default=0)
    retired_at: Mapped[datetime | None]
