"""How Kith is served: gevent workers, timers started once a worker is ready."""

from __future__ import annotations

import gc
from typing import Any

from config import read

_config = read()

bind = f"{_config.host}:{_config.port}"
workers = _config.workers
worker_class = "gevent"
worker_connections = 10_000
graceful_timeout = 5
timeout = 60
keepalive = 30
control_socket_disable = True
forwarder_headers = ""  # no header of a request becomes a part of its address
forwarded_allow_ips = ""  # what a proxy says is read by ProxyFix, where TRUSTED_PROXIES allows it
wsgi_app = "wsgi:app"
accesslog = None
loglevel = "warning"


def post_worker_init(worker: Any) -> None:
    worker.wsgi.extensions["kith_start"]()
    gc.collect()
    gc.freeze()  # what a process starts with stays: looking through it again and again stops everybody for a quarter of a second
