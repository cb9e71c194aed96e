"""Settings: nonsense is named and nothing starts with it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

import config
from config import Config

LONG_SECRET = "a-secret-of-at-least-thirty-two-characters"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"mode": "production", "site_url": "https://kith.example.org"}, "SECRET_KEY"),
        ({"mode": "production", "secret_key": "short", "site_url": "https://kith.example.org"}, "SECRET_KEY"),
        ({"mode": "production", "secret_key": LONG_SECRET}, "SITE_URL"),
        ({"workers": 2}, "WORKERS"),
        ({"workers": 2, "database_url": "postgresql://x/y"}, "WORKERS"),
        ({"database_url": "mysql://x/y"}, "DATABASE_URL"),
        ({"redis_url": "http://localhost"}, "REDIS_URL"),
        ({"site_url": "https://kith.example.org/path"}, "SITE_URL"),
        ({"site_url": "javascript:alert(1)"}, "SITE_URL"),
        ({"signup_email": "required"}, "SIGNUP_EMAIL"),
        ({"mail_server": "smtp.example.org"}, "MAIL_FROM"),
    ],
)
def test_nonsense_is_refused_and_named(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Config(**settings)  # type: ignore[arg-type]


def test_a_refused_setting_is_one_readable_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    with pytest.raises(SystemExit, match="PORT: "):
        config.read()


def test_settings_cannot_change_while_running() -> None:
    with pytest.raises(ValidationError):
        Config(mode="test").port = 1  # type: ignore[misc]


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = Config(mode="test", data_dir=tmp_path).secret()
    assert len(first) >= 32
    assert Config(mode="test", data_dir=tmp_path).secret() == first
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600


def test_production_believes_only_its_own_address() -> None:
    settings = Config(mode="production", secret_key=LONG_SECRET, site_url="https://kith.example.org")  # type: ignore[arg-type]
    assert settings.origins == ("https://kith.example.org",)
    assert settings.secure_cookies
