"""Health: /healthz (the process answers), /readyz (database, migrations, live queue), metrics on their own listener."""

from __future__ import annotations

import logging
import time
from typing import Any

import redis
import sqlalchemy as sa
from flask import Blueprint, Flask, current_app, g, request
from prometheus_client import Counter, Histogram, start_http_server

from . import db
from .migrations import waiting_migrations
from .web import public

logger = logging.getLogger(__name__)
blueprint = Blueprint("health", __name__)
REQUESTS = Counter("kith_requests", "Answered requests", ["endpoint", "status"])
SECONDS = Histogram("kith_request_seconds", "Time to answer", ["endpoint"])
MORE_CHECKS: dict[str, Any] = {}


@blueprint.get("/healthz")
@public
def healthz() -> Any:
    return {"ok": True}


@blueprint.get("/readyz")
@public
def readyz() -> Any:
    checks = {"database": _database(), "migrations": _migrations(), "queue": _queue()}
    checks |= {name: check() for name, check in MORE_CHECKS.items()}
    ready = all(value.startswith("ok") for value in checks.values())
    return {"ok": ready, **checks}, 200 if ready else 503


def _database() -> str:
    try:
        db.session().execute(sa.text("SELECT 1"))
    except sa.exc.SQLAlchemyError:
        logger.exception("readiness: the database does not answer")
        return "does not answer"
    return "ok"


def _migrations() -> str:
    try:
        waiting = waiting_migrations()
    except sa.exc.SQLAlchemyError:
        return "unknown: the database does not answer"
    return f"{waiting} waiting: run `flask --app wsgi db upgrade`" if waiting else "ok"


def _queue() -> str:
    url = current_app.config["KITH"].redis_url
    if not url:
        return "ok (one process)"
    try:
        redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1).ping()
    except redis.RedisError:
        return "ok (degraded: Redis does not answer; screens fall back to asking the database)"
    return "ok"


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    port = app.config["KITH"].metrics_port
    if port:
        app.before_request(_started)
        app.after_request(_counted)
        start_http_server(port, addr="127.0.0.1")


def _started() -> None:
    g.kith_started = time.perf_counter()


def _counted(response: Any) -> Any:
    endpoint = request.endpoint or "none"
    REQUESTS.labels(endpoint, response.status_code).inc()
    SECONDS.labels(endpoint).observe(time.perf_counter() - g.get("kith_started", time.perf_counter()))
    return response
