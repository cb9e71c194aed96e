"""The live connection: who hears what, and the guard every socket handler goes through.

A live event is a courtesy: it is sent after the commit, may be lost, and every screen can rebuild itself from the database.
Namespaces subclass `LiveNamespace`; each `on_…` method except `on_connect`/`on_disconnect` is wrapped at class creation
(what overrides `trigger_event` would run outside any context). A wrapped handler gets `(actor, payload)`: the account
read from the database for this very event, and a pydantic model named in its annotation.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from functools import wraps
from typing import Any, ClassVar, get_type_hints

from flask import Flask, current_app, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import current_user
from flask_socketio import ConnectionRefusedError as Refusal
from flask_socketio import Namespace, SocketIO
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from socketio import Manager
from sqlalchemy.exc import SQLAlchemyError

from config import Config

from . import db, fanout, packets, unheard, websocket
from .errors import Refused, SignInNeeded
from .limits import few_of_each_address, limit, packet_allowed

logger = logging.getLogger(__name__)

MAX_PACKET_BYTES = 64_000
MALFORMED_ALLOWED = 5
CHANNEL = "kith"
SESSION = "kith.session"

socketio = SocketIO()


class Payload(BaseModel):
    """Base of every socket payload: exact types, no unknown keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Unreadable(Payload):
    """The payload of `malformed`, which no payload fits."""

    @model_validator(mode="before")
    @classmethod
    def _fits_nothing(cls, given: Any) -> Any:
        raise ValueError("unreadable")


@dataclass(frozen=True)
class Event:
    """A fact in the past tense. Every subclass names the event and its audience; there is no default."""

    name: ClassVar[str]
    namespace: ClassVar[str]

    def audience(self) -> Iterable[str]:
        """Socket.IO rooms that hear it."""
        raise NotImplementedError

    def payload(self) -> dict[str, Any]:
        return asdict(self)


def announce(event: Event) -> None:
    """Tell the event's audience after the commit."""
    db.after_commit(lambda: send(event))


def send(event: Event) -> None:
    payload = event.payload()
    for room in event.audience():
        socketio.emit(event.name, payload, to=room, namespace=event.namespace)


@dataclass
class LiveSocket:
    """One open connection of this process and the rooms it may hear."""

    sid: str
    account_id: int
    session_id: int
    token: str
    namespace: LiveNamespace
    rooms: set[str] = field(default_factory=set)


class Sockets:
    """The open connections of this process, by account."""

    def __init__(self) -> None:
        self._by_sid: dict[tuple[str, str], LiveSocket] = {}
        self._by_account: defaultdict[int, dict[tuple[str, str], LiveSocket]] = defaultdict(dict)

    def add(self, socket: LiveSocket) -> None:
        key = (socket.namespace.namespace, socket.sid)
        self._by_sid[key] = self._by_account[socket.account_id][key] = socket

    def remove(self, namespace: str, sid: str) -> None:
        socket = self._by_sid.pop((namespace, sid), None)
        unheard.keep_from(sid, frozenset())
        if socket is not None:
            self._by_account[socket.account_id].pop((namespace, sid), None)
            if not self._by_account[socket.account_id]:
                del self._by_account[socket.account_id]

    def get(self, namespace: str, sid: str) -> LiveSocket | None:
        return self._by_sid.get((namespace, sid))

    def of(self, account_id: int) -> list[LiveSocket]:
        return list(self._by_account.get(account_id, {}).values())

    def accounts(self) -> list[int]:
        return list(self._by_account)

    def forget(self) -> None:
        self._by_sid.clear()
        self._by_account.clear()

    def __len__(self) -> int:
        return len(self._by_sid)


sockets = Sockets()


@dataclass(frozen=True)
class HintsChanged(Event):
    """To everybody in one process: whether it hears of what happens in the others (`live`), or its screens have to ask."""

    name: ClassVar[str] = "hints_changed"
    namespace: ClassVar[str] = "/"
    live: bool

    def audience(self) -> Iterable[str]:
        return [f"account:{account_id}" for account_id in sockets.accounts()]


def _hearing_changed(hearing: bool) -> None:
    """Said here alone and past Redis, which is what it is about."""
    event = HintsChanged(hearing)
    for room in event.audience():
        Manager.emit(socketio.server.manager, event.name, event.payload(), event.namespace, room=room)


def hears_others() -> bool:
    """Whether events of other processes reach this one. Without Redis there are none."""
    return getattr(socketio.server.manager, "hearing", True)


_malformed: Counter[str] = Counter()


def _guarded(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Actor from the database, payload validated, refusals answered in a sentence, five malformed packets close the socket."""
    model: type[Payload] = get_type_hints(handler)["payload"]

    @wraps(handler)
    def wrapped(self: LiveNamespace, *arguments: Any) -> dict[str, Any]:
        try:
            actor = _actor(self)
            payload = model.model_validate(arguments[0] if len(arguments) == 1 else None)
            limit("socket", actor.id, current_app.config["KITH"].socket_limit)
            answer: dict[str, Any] = handler(self, actor, payload) or {}
        except ValidationError as error:
            return _malformed_answer(self, error)
        except Refused as refusal:
            return {"ok": False, "code": refusal.code, "error": refusal.sentence}
        except Exception:
            logger.exception("socket handler %s failed; its transaction was rolled back", handler.__name__)
            return {
                "ok": False,
                "code": "failed",
                "error": "Something went wrong on our side. Nothing was lost: please try again.",
            }
        return {"ok": True, **answer}

    wrapped.guarded = True  # type: ignore[attr-defined]
    return wrapped


def _unreadable(self: Any, actor: Any, payload: Unreadable) -> dict[str, Any]:
    """Never runs, because no payload is an Unreadable: the guard counts and answers."""
    raise AssertionError(payload)


class LiveNamespace(Namespace):
    """Base of every live door. Subclasses say in `may_hear` whether an account may (still) hear a Socket.IO room."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, handler in list(vars(cls).items()):
            if name.startswith("on_") and name not in ("on_connect", "on_disconnect"):
                setattr(cls, name, _guarded(handler))

    on_malformed = _guarded(_unreadable)

    def may_enter(self, actor: Any) -> bool:
        """Whether `actor` may hold a connection here at all."""
        return bool(actor.is_authenticated and not actor.is_suspended)

    def may_hear(self, actor: Any, room: str) -> bool:
        raise NotImplementedError

    def on_connect(self, auth: Any = None) -> None:
        """Refuse strangers. `auth` must be accepted: without it Flask-SocketIO retries with a detached user."""
        try:
            welcome = current_user.is_authenticated and self.may_enter(current_user)
        except SQLAlchemyError as error:
            logger.error("a live connection could not be taken: the database does not answer (%s)", type(error).__name__)
            raise Refusal("This does not work right now. Your words are kept; the page tries again by itself.") from None
        if not welcome:
            raise Refusal("Please sign in again.")
        if len(sockets.of(current_user.id)) >= current_app.config["KITH"].sockets_per_account:
            raise Refusal("This account is open in too many windows. Close some and reload the page.")
        account: Any = current_user
        sockets.add(LiveSocket(_sid(), account.id, account.session_id, account.session_token, self))
        self.hear(f"account:{account.id}")
        self.arrived(account)

    def arrived(self, actor: Any) -> None:
        """What a namespace does for a new connection, such as joining the rooms of a desk."""

    def refreshed(self, socket: LiveSocket, actor: Any) -> None:
        """After a re-check: what an account newly may hear can be joined here."""

    def on_disconnect(self, reason: Any = None) -> None:
        sockets.remove(self.namespace, _sid())
        for gone in [connection for connection in _malformed if connection not in socketio.server.eio.sockets]:
            del _malformed[gone]

    def trigger_event(self, event: str, *args: Any) -> Any:
        """Events nobody knows count as malformed. A guarded handler gets an app context of its own: a request context would read
        the handshake's headers and cookie anew for each message, and the guard asks the database who this is anyway."""
        if event in ("connect", "disconnect"):
            return super().trigger_event(event, *args)
        sid, *arguments = args
        handler: Any = getattr(self, f"on_{event}", None)
        if not getattr(handler, "guarded", False):
            handler, arguments = self.on_malformed, []
        environ = socketio.server.get_environ(sid, self.namespace)
        if not environ:
            return None
        with environ["flask.app"].app_context():
            g.kith_sid = sid
            return handler(*arguments)

    def sid(self) -> str:
        """The connection whose event is handled now."""
        return _sid()

    def hear(self, room: str) -> None:
        socket = sockets.get(self.namespace, _sid())
        if socket is not None:
            socket.rooms.add(room)
            socketio.server.enter_room(_sid(), room, namespace=self.namespace)

    def stop_hearing(self, room: str) -> None:
        socket = sockets.get(self.namespace, _sid())
        if socket is not None:
            socket.rooms.discard(room)
            socketio.server.leave_room(_sid(), room, namespace=self.namespace)


def recheck(account: Any, account_id: int, live_sessions: set[int]) -> None:
    """Take from this process's sockets of one account what it may no longer hear. `account` is None when it is gone."""
    for socket in sockets.of(account_id):
        if account is None or socket.session_id not in live_sessions or not socket.namespace.may_enter(account):
            close(socket)
            continue
        for room in list(socket.rooms):
            if room != f"account:{account_id}" and not socket.namespace.may_hear(account, room):
                socket.rooms.discard(room)
                socketio.server.leave_room(socket.sid, room, namespace=socket.namespace.namespace)
        socket.namespace.refreshed(socket, account)


def silence(socket: LiveSocket, kind: str) -> None:
    """Take one socket out of every Socket.IO room of a kind."""
    for room in [room for room in socket.rooms if room.startswith(f"{kind}:")]:
        socket.rooms.discard(room)
        socketio.server.leave_room(socket.sid, room, namespace=socket.namespace.namespace)


def close(socket: LiveSocket) -> None:
    """Silence one socket at once; the connection ends when nothing else is carried by it."""
    server, namespace = socketio.server, socket.namespace.namespace
    for room in list(socket.rooms):
        server.leave_room(socket.sid, room, namespace=namespace)
    sockets.remove(namespace, socket.sid)
    connection = server.manager.eio_sid_from_sid(socket.sid, namespace)
    server.disconnect(socket.sid, namespace=namespace)
    if not any(server.manager.sid_from_eio_sid(connection, other) for other in list(server.manager.get_namespaces())):
        _hang_up(connection)


def _close_connection(connection: str) -> None:
    """Everything that one connection carries: who sends nonsense in one namespace does so in all."""
    server = socketio.server
    for namespace in list(server.manager.get_namespaces()):
        socket = sockets.get(namespace, server.manager.sid_from_eio_sid(connection, namespace) or "")
        if socket is not None:
            close(socket)


def _hang_up(connection: str) -> None:
    """End an Engine.IO connection after what waits in its queue; never wait for a slow reader."""
    engine = socketio.server.eio.sockets.get(connection)
    if engine is not None:
        engine.close(wait=False)


def _actor(namespace: LiveNamespace) -> Any:
    """Who sent this very event. A copy of the row: verbs that change an account load it."""
    socket = sockets.get(namespace.namespace, _sid())
    actor = current_app.extensions["kith_account_live"](socket.token) if socket else None
    if actor is None or not namespace.may_enter(actor):
        if socket is not None:
            close(socket)
        raise SignInNeeded("You are signed out here. Your words are kept: sign in again and send them.")
    g._login_user = actor
    return actor


def _malformed_answer(namespace: LiveNamespace, error: ValidationError) -> dict[str, Any]:
    """Counted for the whole connection: entering a namespace again begins no new count."""
    connection = socketio.server.manager.eio_sid_from_sid(_sid(), namespace.namespace)
    _malformed[connection] += 1
    if _malformed[connection] >= MALFORMED_ALLOWED:
        _close_connection(connection)
    fields = ", ".join(_named(error))
    return {"ok": False, "code": "malformed", "error": f"This message was not understood (check: {fields}). Reload the page."}


def _named(error: ValidationError) -> list[str]:
    """The fields to look at. Names the sender made up are not repeated."""
    return sorted(
        {
            str(problem["loc"][0]) if problem["loc"] and problem["type"] != "extra_forbidden" else "payload"
            for problem in error.errors(include_url=False, include_context=False, include_input=False)
        }
    )


def _sid() -> str:
    sid: str = g.get("kith_sid") or request.sid  # type: ignore[attr-defined]
    return sid


class SessionInterface(SecureCookieSessionInterface):
    """A live connection's cookie never changes, so it is read once and not with every event."""

    def open_session(self, app: Flask, request: Any) -> SecureCookieSession | None:
        if request.environ.get("HTTP_UPGRADE", "").lower() != "websocket":
            return super().open_session(app, request)
        if SESSION not in request.environ:
            request.environ[SESSION] = super().open_session(app, request)
        found: SecureCookieSession | None = request.environ[SESSION]
        return found


def _manager(config: Config) -> dict[str, Any]:
    """Our own fan-out, or the stock managers. Said outright each time: options of an earlier app would stay."""
    if config.fanout == "stock":
        over_redis, alone = unheard.StockRedisManager, unheard.StockManager
    else:
        over_redis, alone = fanout.RedisFanoutManager, fanout.FanoutManager
    return {"client_manager": over_redis(config.redis_url, CHANNEL, _hearing_changed) if config.redis_url else alone()}


def init_app(app: Flask) -> None:
    config = app.config["KITH"]
    sockets.forget()  # nobody is connected to an app that begins: what is left was an earlier one's, and would count
    _malformed.clear()
    app.session_interface = SessionInterface()
    socketio.init_app(
        app,
        async_mode="gevent",
        transports=["websocket"],
        cors_allowed_origins=list(config.origins),
        **_manager(config),
        serializer=packets.CarefulPacket,
        max_http_buffer_size=MAX_PACKET_BYTES,
        async_handlers=False,
        manage_session=False,
        logger=False,
        engineio_logger=False,
    )
    packets.drop_what_comes_late(socketio.server, lambda address: packet_allowed(address, config.address_limit))
    app.wsgi_app = packets.careful_frames(app.wsgi_app, lambda: socketio.server)  # type: ignore[method-assign]
    app.wsgi_app = few_of_each_address(app.wsgi_app, config.sockets_per_address)  # type: ignore[method-assign]
    if config.fanout == "own":
        websocket.install(socketio.server.eio)
        app.wsgi_app = websocket.whole_frames(app.wsgi_app)  # type: ignore[method-assign]


def every(seconds: float, act: Callable[[], None], app: Flask) -> None:
    """Run `act` in an app context for as long as the process lives; a failure is logged and the next turn tries again."""

    def run() -> None:
        while True:
            socketio.sleep(seconds)
            started = time.monotonic()
            try:
                with app.app_context():
                    act()
            except Exception:
                logger.exception("%s failed after %.1f s; it runs again", act.__qualname__, time.monotonic() - started)

    socketio.start_background_task(run)
