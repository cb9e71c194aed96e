"""What every process does by itself: take lost authority from its sockets, prepare newly published rules, run the timers.

Started by the server (gunicorn's post_worker_init) and by `flask --app wsgi jobs`, never by tests or commands.
"""

from __future__ import annotations

from datetime import datetime

from flask import Flask

from config import Config

from .accounts.access import has_demo_accounts
from .accounts.events import Changes, recheck_accounts
from .beginnings import first_steps
from .chat.presence import LOOK_SECONDS, presence
from .core import jobs
from .core.clock import now
from .core.realtime import every, sockets
from .lexicon.queries import current_lexicon
from .sessions.jobs import PRESENCE_SECONDS, look_who_leads
from .training.queries import lapsed_since


def init_app(app: Flask) -> None:
    app.extensions["kith_start"] = lambda: start(app)


def start(app: Flask) -> None:
    config = app.config["KITH"]
    with app.app_context():
        refuse_demo_in_production(config)
        first_steps()
    every(config.check_seconds, Watch().look, app)
    every(PRESENCE_SECONDS, look_who_leads, app)
    every(LOOK_SECONDS, presence.look, app)
    if config.jobs == "inside":
        jobs.start(app)


def refuse_demo_in_production(config: Config) -> None:
    """Demo accounts have printed passwords and made-up words: a production server does not start with them."""
    if config.mode == "production" and has_demo_accounts():
        raise SystemExit("This database holds demo accounts, so production does not start. Use an empty database.")


class Watch:
    """The rows are the truth, so this works with or without Redis and however many processes there are."""

    def __init__(self) -> None:
        self.looked_at: datetime = now()
        self.changes = Changes()

    def look(self) -> None:
        moment = now()
        changed = self.changes.accounts()
        if len(sockets):
            recheck_accounts(sorted(changed | lapsed_since(self.looked_at)))
        current_lexicon()
        self.looked_at = moment
