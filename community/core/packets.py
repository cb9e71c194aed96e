"""What arrives on a live connection before any handler: nothing a browser can send may raise, reach a name that is the
server's own, or leave a traceback.

`CarefulPacket` is a Socket.IO serializer (a documented extension point). Whatever it cannot read becomes the event
`malformed`, which the namespaces count. `careful_frames` ends a connection whose bytes are not even Engine.IO.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from typing import Any

from socketio import packet

from .websocket import WSGI_SOCKET

logger = logging.getLogger(__name__)

MALFORMED = "malformed"
# A browser that could say these would run the server's own handlers and vanish from its list of listeners.
RESERVED = frozenset({"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"})
NAME_MAX = 60


class CarefulPacket(packet.Packet):
    """Reads what browsers send without ever raising. Binary packets are refused: nothing here uses them."""

    uses_binary_events = False  # else every answer is looked through for bytes

    def __init__(self, *arguments: Any, encoded_packet: Any = None, **named: Any) -> None:
        nothing = encoded_packet is not None and not encoded_packet  # the base class would not decode it at all
        super().__init__(*arguments, encoded_packet=b"?" if nothing else encoded_packet, **named)

    def decode(self, encoded_packet: Any) -> int:
        try:
            if not isinstance(encoded_packet, str):
                raise ValueError("binary")
            super().decode(encoded_packet)
            readable = _is_readable(self)
        except Exception:
            logger.debug("an unreadable packet", exc_info=True)
            readable = False
        if not readable:
            self.packet_type, self.data, self.id = packet.EVENT, [MALFORMED], None
        return 0


def _is_readable(read: packet.Packet) -> bool:
    if read.packet_type == packet.EVENT:
        return isinstance(read.data, list) and bool(read.data) and _is_name(read.data[0])
    if read.packet_type == packet.ACK:
        return isinstance(read.data, list) and read.id is not None
    return read.packet_type in (packet.CONNECT, packet.DISCONNECT)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= NAME_MAX and name.isidentifier() and name not in RESERVED


def careful_frames(app: Callable[..., Any], server: Callable[[], Any]) -> Callable[..., Any]:
    """WSGI middleware: bytes that are no Engine.IO packet end their connection with one line in the log."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("HTTP_UPGRADE", "").lower() == "websocket" and not _is_handshake(environ):
            start_response("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
            return [b"This is not a websocket handshake.\n"]
        try:
            return app(environ, start_response)
        except (ValueError, IndexError, TypeError) as error:
            if WSGI_SOCKET not in environ or environ.get("HTTP_UPGRADE", "").lower() != "websocket":
                raise
            logger.info("a live connection sent bytes nobody can read (%s); it was closed", type(error).__name__)
            _forget(server(), environ[WSGI_SOCKET])
            raise StopIteration  # gunicorn: this connection is over, nothing more is to be written

    return wrapped


def drop_what_comes_late(server: Any, allowed: Callable[[str], bool]) -> None:
    """What was on the wire when a connection was ended is for nobody: Socket.IO would look for its state and find none.
    An address that floods, with or without an account, loses the connection it does it on."""
    handle = server.eio.handlers["message"]

    def careful(eio_sid: str, data: Any) -> Any:
        environ = server.environ.get(eio_sid)
        if environ is None:
            return None
        if not allowed(environ.get("REMOTE_ADDR", "")):
            logger.info("an address sent too many live packets; this connection of it was closed")
            engine = server.eio.sockets.get(eio_sid)
            return engine.close(wait=False) if engine is not None else None
        return handle(eio_sid, data)

    server.eio.on("message", careful)


def _is_handshake(environ: dict[str, Any]) -> bool:
    """What RFC 6455, 4.2.1 asks of one; the websocket library would raise in the middle of its answer."""
    try:
        key = base64.b64decode(environ.get("HTTP_SEC_WEBSOCKET_KEY", ""), validate=True)
    except ValueError:
        return False
    return (
        len(key) == 16
        and environ.get("HTTP_SEC_WEBSOCKET_VERSION") == "13"
        and "upgrade" in environ.get("HTTP_CONNECTION", "").lower()
    )


def _forget(server: Any, sock: Any) -> None:
    """End the Engine.IO session of this socket at once instead of waiting for its ping to time out."""
    for eio_sid, environ in list(server.environ.items()):
        if environ.get(WSGI_SOCKET) is sock and eio_sid in server.eio.sockets:
            server.eio.sockets[eio_sid].close(wait=False, abort=True)
