"""Every setting of Kith, read once from the environment. See docs/settings.md for the table.

`read()` refuses to start on nonsense, with one readable line for each setting.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

HERE = Path(__file__).parent


class Config(BaseSettings):
    """One frozen, validated object. Lengths are in characters, times in the unit their name says."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    mode: Literal["demo", "production", "test"] = Field(
        "demo", description="`production` refuses demo accounts and a missing secret."
    )
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the server listens on.")
    data_dir: Path = Field(HERE / "data", description="Folder for the SQLite file, the secret and demo sign-ins.")
    database_url: str = Field("", description="`postgresql://…`; empty means SQLite in `DATA_DIR`.")
    redis_url: str = Field("", description="`redis://…`; needed for more than one process.")
    workers: int = Field(1, ge=1, le=64, description="Worker processes; more than 1 needs PostgreSQL and Redis.")
    secret_key: SecretStr = Field(
        SecretStr(""), description="Signs cookies; at least 32 characters. Made and kept in `DATA_DIR` in demo mode."
    )

    site_name: str = Field("Kith", min_length=1, max_length=60, description="Name shown on every page.")
    site_url: str = Field("", description="Public address, such as `https://kith.example.org`. Required in production.")
    trusted_proxies: int = Field(0, ge=0, le=5, description="Reverse proxies in front whose X-Forwarded-* are believed.")
    default_country: str = Field("GB", pattern="^[A-Z]{2}$", description="Crisis lines for members who named no country.")
    support_email: str = Field("", description="Shown where people need a person, such as a forgotten password.")
    source_url: str = Field("", description="Where this installation's source code is offered (AGPL); shown on the About page.")

    signup: Literal["open", "closed"] = Field("open", description="`closed`: only `people add` makes accounts.")
    signup_email: Literal["off", "optional", "required"] = Field("optional", description="Whether sign-up asks for e-mail.")
    session_days: int = Field(30, ge=1, le=365, description="A sign-in ends after this many days without a visit.")
    login_limit: str = Field("10 per 5 minutes", description="Failed sign-ins allowed per address and per name.")
    signup_limit: str = Field("10 per hour", description="Sign-ups allowed per address.")
    socket_limit: str = Field("120 per 10 seconds", description="Live events taken per account.")
    sockets_per_account: int = Field(
        40, ge=1, description="Live connections per account and process: more is no person with many windows."
    )
    sockets_per_address: int = Field(
        200, ge=1, description="Live connections per address and process, loopback apart: a whole hospital may sit behind one."
    )
    address_limit: str = Field("6000 per 10 seconds", description="Live packets taken per address, loopback apart.")
    write_limit: str = Field("30 per minute", description="Posts, messages and reports allowed per account.")

    post_max: int = Field(10_000, ge=100, le=20_000, description="Longest forum post.")
    edit_minutes: int = Field(10, ge=0, le=1_440, description="How long the author of a chat message may change it, in minutes.")
    message_max: int = Field(2_000, ge=100, le=4_000, description="Longest chat message.")
    title_max: int = Field(120, ge=20, le=300, description="Longest topic title.")

    claim_minutes: int = Field(10, ge=1, le=240, description="How long a claim on a case lasts unless looked at.")
    due_minutes_crisis: int = Field(5, ge=1, description="A crisis case is overdue after this.")
    due_minutes_red: int = Field(20, ge=1, description="A red case is overdue after this.")
    due_minutes_amber: int = Field(240, ge=1, description="An amber case is overdue after this.")
    due_minutes_green: int = Field(1440, ge=1, description="A green case is overdue after this.")
    appeal_days: int = Field(180, ge=1, description="How long after a decision its author may appeal.")
    certificate_days: int = Field(365, ge=1, description="How long a new certificate lasts unless the admin says.")
    crisis_rules_need_two: Literal["auto", "always", "never"] = Field(
        "auto", description="Whether a second admin puts changes of crisis rules in force; `auto`: as soon as there are two."
    )
    check_seconds: float = Field(0.4, ge=0.05, le=5, description="How often each process looks for lost authority and new rules.")

    session_grace_minutes: int = Field(
        5, ge=1, le=60, description="How long a session waits for a facilitator to come back before it closes by itself."
    )

    mail_server: str = Field("", description="SMTP host; empty sends no e-mail at all.")
    mail_port: int = Field(587, ge=1, le=65535, description="SMTP port.")
    mail_username: str = Field("", description="SMTP user.")
    mail_password: SecretStr = Field(SecretStr(""), description="SMTP password.")
    mail_use_tls: bool = Field(True, description="STARTTLS.")
    mail_from: str = Field("", description="Sender address of e-mails.")

    pass_rate: int = Field(
        500, ge=1, le=10_000, description="Texts a second that a preview on the past or a rescan reads at most."
    )
    metrics_port: int = Field(0, ge=0, le=65535, description="Prometheus metrics on 127.0.0.1 at this port; 0 is off.")
    log_format: Literal["text", "json"] = Field("text", description="How log lines are written.")
    pool_size: int = Field(10, ge=1, le=100, description="Database connections kept per process.")
    fanout: Literal["own", "stock"] = Field(
        "own", description="How live events reach many sockets; `stock` is Flask-SocketIO's own way."
    )
    jobs: Literal["inside", "outside"] = Field(
        "inside", description="`outside`: timers run in their own process, started with `flask --app wsgi jobs`."
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value.startswith("postgres://"):
            value = "postgresql://" + value.removeprefix("postgres://")
        if value and not value.startswith(("postgresql://", "postgresql+psycopg://", "sqlite:///")):
            raise ValueError("DATABASE_URL must begin with postgresql:// (or sqlite:///); leave it empty for SQLite.")
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("REDIS_URL must begin with redis://, rediss:// or unix://; leave it empty for one process.")
        return value

    @field_validator("site_url")
    @classmethod
    def _origin_only(cls, value: str) -> str:
        value = value.rstrip("/")
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query):
            raise ValueError("SITE_URL must look like https://kith.example.org, without a path.")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        if self.workers > 1 and not (self.is_postgresql and self.redis_url):
            raise ValueError("WORKERS above 1 needs DATABASE_URL (PostgreSQL) and REDIS_URL.")
        if self.signup_email == "required" and not self.mail_server:
            raise ValueError("SIGNUP_EMAIL=required needs MAIL_SERVER.")
        if self.mail_server and not self.mail_from:
            raise ValueError("MAIL_SERVER needs MAIL_FROM.")
        if self.mode == "production":
            if len(self.secret_key.get_secret_value()) < 32:
                raise ValueError("SECRET_KEY is missing or shorter than 32 characters; production does not start without.")
            if not self.site_url:
                raise ValueError("SITE_URL is missing; production does not start without.")
        return self

    @property
    def is_postgresql(self) -> bool:
        return self.database_url.startswith("postgresql")

    @property
    def sqlalchemy_url(self) -> str:
        if self.database_url.startswith("postgresql://"):
            return "postgresql+psycopg://" + self.database_url.removeprefix("postgresql://")
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'kith.sqlite3'}"

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins a browser may use. Outside production, also the loopback names of the port served."""
        local = tuple(f"http://{name}:{self.port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        if self.mode == "production":
            return (self.site_url,)
        return tuple(dict.fromkeys((self.site_url, *local) if self.site_url else local))

    @property
    def public_url(self) -> str:
        """Absolute links are built from this and never from a request's Host."""
        every_address = self.host in ("0.0.0.0", "::")  # nosec B104: read here, bound nowhere
        return self.site_url or f"http://{'127.0.0.1' if every_address else self.host}:{self.port}"

    @property
    def secure_cookies(self) -> bool:
        return self.public_url.startswith("https://")

    def secret(self) -> str:
        """The signing secret; outside production made once and kept in DATA_DIR (mode 600)."""
        given = self.secret_key.get_secret_value()
        return given or _kept_secret(self.data_dir / "secret-key")


def read() -> Config:
    """The settings, or one readable line for each that cannot be taken, and no start."""
    try:
        return Config()
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}" for problem in error.errors()]
        raise SystemExit("Kith does not start with these settings:\n" + "\n".join(lines).replace("  : ", "  ")) from None


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(handle, "w") as file:
        made = secrets.token_urlsafe(48)
        file.write(made)
    return made
