"""E-mail from the outbox. The row is the truth: a mail server that is away for a night loses nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from smtplib import SMTPException
from typing import Any

from flask import Flask, current_app
from flask_mailman import EmailMessage, Mail

from community.core import db
from community.core.jobs import sweep

from . import actions, queries

logger = logging.getLogger(__name__)
PATIENCE_S = 10
TURN_S = 15  # a turn ends well before its lease does, or a second process would send the same
SUBJECT = "Something new for you"
WORDS = """There is something new for you at {site}: {url}

This message says no more, so that nobody else who sees it learns more.
To get no e-mail, remove your address from your profile: {profile}
"""


def init_app(app: Flask) -> None:
    config = app.config["KITH"]
    if not config.mail_server:
        return
    app.config.update(
        MAIL_SERVER=config.mail_server, MAIL_PORT=config.mail_port, MAIL_USERNAME=config.mail_username or None,
        MAIL_PASSWORD=config.mail_password.get_secret_value() or None, MAIL_USE_TLS=config.mail_use_tls,
        MAIL_DEFAULT_SENDER=config.mail_from, MAIL_TIMEOUT=PATIENCE_S, MAIL_BACKEND="smtp",
    )  # fmt: skip
    Mail(app)


@sweep(10)
def send_due_mail() -> None:
    """One e-mail a person, however much is new. Nothing is sent inside a transaction; what was done is stored after each."""
    rows = queries.mail_due()
    db.end_reading()
    not_needed = [row.id for row in rows if not _is_needed(row)]
    if not_needed:
        with db.write():
            actions.mail_not_needed(not_needed)
    ends = time.monotonic() + TURN_S
    for address, ids in _by_account([row for row in rows if _is_needed(row)]):
        if time.monotonic() > ends:
            break
        sent = _sent(address)
        with db.write():
            (actions.mail_sent if sent else actions.mail_failed)(ids)


def _is_needed(row: Any) -> bool:
    return bool(row.email and row.read_at is None and current_app.config["KITH"].mail_server)


def _by_account(rows: Sequence[Any]) -> list[tuple[str, list[int]]]:
    """Address and notifications of each person."""
    found: dict[int, tuple[str, list[int]]] = {}
    for row in rows:
        found.setdefault(row.account_id, (row.email, []))[1].append(row.id)
    return list(found.values())


def _sent(address: str) -> bool:
    config = current_app.config["KITH"]
    words = WORDS.format(site=config.site_name, url=f"{config.public_url}/notifications", profile=f"{config.public_url}/me")
    try:
        return bool(EmailMessage(SUBJECT, words, to=[address]).send())
    except (SMTPException, OSError, ValueError):  # ValueError: not an address
        logger.exception("an e-mail could not be handed to the mail server; it is tried again later")
        return False
