"""Kith's fan-out and nothing else: the same handler as Node's in `node/server.cjs`, which checks and stores nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

from flask import Flask
from flask_socketio import SocketIO, join_room

from community.core.fanout import FanoutManager
from community.core.websocket import install, whole_frames

app = Flask(__name__)
app.extensions["kith_start"] = lambda: None
socketio = SocketIO(
    app, async_mode="gevent", transports=["websocket"], client_manager=FanoutManager(), async_handlers=False, manage_session=False
)
install(socketio.server.eio)
app.wsgi_app = whole_frames(app.wsgi_app)  # type: ignore[method-assign]
places = count(1)


@app.get("/healthz")
def healthz() -> dict[str, bool]:
    return {"ok": True}


def enter_room(payload: dict[str, Any]) -> dict[str, Any]:
    join_room(f"room:{payload['room']}")
    return {"ok": True, "room": payload["room"], "last_seq": 0}


def write_message(payload: dict[str, Any]) -> dict[str, Any]:
    seq, room = next(places), payload["room"]
    message = {
        "room": room, "seq": seq, "id": seq, "author": "Member 12", "author_id": 12, "hue": 3, "body": payload["body"],
        "at": datetime.now(UTC).isoformat(), "state": "visible",
    }  # fmt: skip
    socketio.emit("message", message, to=f"room:{room}")
    return {"ok": True, "message": message, "repeated": False, "held": False, "support": None}


socketio.on_event("enter_room", enter_room)
socketio.on_event("write_message", write_message)
