"""The served application with a wall clock that a test can set: POST /-clock/<seconds> moves it by so much. Loopback only."""

from __future__ import annotations

from typing import Any

from gevent import monkey

monkey.patch_all()

from datetime import UTC, datetime, timedelta  # noqa: E402

import time_machine  # noqa: E402

from community import create_app  # noqa: E402

app = create_app()
served = app.wsgi_app
_moved: list[Any] = []


def with_a_clock(environ: dict[str, Any], start_response: Any) -> Any:
    path = environ.get("PATH_INFO", "")
    if not path.startswith("/-clock/"):
        return served(environ, start_response)
    if _moved:
        _moved.pop().stop()
    travel = time_machine.travel(datetime.now(UTC) + timedelta(seconds=float(path.removeprefix("/-clock/"))), tick=True)
    travel.start()
    _moved.append(travel)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"moved\n"]


app.wsgi_app = with_a_clock  # type: ignore[method-assign]
