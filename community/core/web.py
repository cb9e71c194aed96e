"""Web doors: guards every route must wear, CSRF, error pages, security headers, static files.

A view without `@public`, `@signed_in`, `@staff_only` or `@admin_only` fails the architecture test and answers 403.
Guards decide who may come to the door; loaders (`access.py`) decide about the thing itself.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter
from whitenoise import WhiteNoise

from .clock import in_short
from .errors import Forbidden, Invalid, NotFound, Refused, SignInNeeded
from .sentences import with_times

logger = logging.getLogger(__name__)
csrf = CSRFProtect()
View = TypeVar("View", bound=Callable[..., Any])
STATIC = Path(__file__).parents[2] / "static"
MAX_BODY_BYTES = 2_000_000
MOST_FIELDS = 300
"""Fields of one form. Our longest has some forty; a form of a hundred thousand would keep everybody waiting while it is read."""
ECHOED_FIELDS = 40
SUSPENDED_HERE = "Your account is suspended. You can still read your notifications, the reasons, and appeal."


def _guard(name: str, allowed: Callable[[], None]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            allowed()
            return view(*args, **kwargs)

        guarded.guard = name  # type: ignore[attr-defined]
        return cast(View, guarded)

    return decorate


def _anyone() -> None:
    pass


def _must_be_signed_in() -> None:
    if not current_user.is_authenticated:
        raise SignInNeeded


def _must_be_in_good_standing() -> None:
    _must_be_signed_in()
    if current_user.is_suspended:
        raise Forbidden(SUSPENDED_HERE)


def _must_be_staff() -> None:
    """Strangers and members learn nothing: the desk is not there for them."""
    _must_be_in_good_standing()
    if not current_user.is_staff:
        raise NotFound


def _must_be_admin() -> None:
    _must_be_in_good_standing()
    if not current_user.is_admin:
        raise NotFound


public = _guard("public", _anyone)
signed_in_even_suspended = _guard("signed-in-even-suspended", _must_be_signed_in)
signed_in = _guard("signed-in", _must_be_in_good_standing)
staff_only = _guard("staff-only", _must_be_staff)
admin_only = _guard("admin-only", _must_be_admin)


class RowId(IntegerConverter):
    """Numbers no database could hold as an id lead nowhere. By their length: a number refused later would answer 405 to POST."""

    regex = r"\d{1,9}"


def init_app(app: Flask) -> None:
    config = app.config["KITH"]
    app.url_map.converters["int"] = RowId
    app.config.update(
        SECRET_KEY=config.secret(),
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
        SESSION_COOKIE_NAME="kith",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        PERMANENT_SESSION_LIFETIME=config.session_days * 86_400,
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its session: a form written all night can be sent
        WTF_CSRF_SSL_STRICT=False,  # SameSite and the token; some privacy tools drop the Referer
    )
    app.before_request(_refuse_endless_form)
    csrf.init_app(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(asset=asset, site_name=config.site_name)
    app.jinja_env.filters.update(with_times=with_times, in_short=in_short)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(CSRFError, _form_expired)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(500, _failed)
    app.after_request(_private)


def _refuse_endless_form() -> None:
    """Before anything reads the form, the CSRF check included."""
    if request.mimetype == "application/x-www-form-urlencoded" and request.get_data().count(b"&") >= MOST_FIELDS:
        g.too_many_fields = True
        raise RequestEntityTooLarge


def serve_static(app: Flask) -> None:
    """Static files before Flask. Called before Socket.IO puts itself around `app.wsgi_app`."""
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app, root=str(STATIC), prefix="static/", max_age=300, immutable_file_test=_is_vendored,
        autorefresh=app.config["KITH"].mode == "test", add_headers_function=_fresh_modules,
    )  # fmt: skip


def guard_all(app: Flask) -> None:
    """Outermost of all, after Socket.IO: from outside in headers and Host check, ProxyFix, Socket.IO, WhiteNoise, Flask."""
    config = app.config["KITH"]
    outer: Any = app.wsgi_app
    if config.trusted_proxies:
        outer = ProxyFix(outer, x_for=config.trusted_proxies, x_proto=config.trusted_proxies, x_host=0)
    app.wsgi_app = Headers(outer, config.origins, host_check=config.mode != "test")  # type: ignore[method-assign]


def _fresh_modules(headers: Any, _path: str, url: str) -> None:
    """Modules import each other without a version in the address: browsers ask whether they changed."""
    if url.endswith(".mjs"):
        headers["Cache-Control"] = "no-cache"


def _is_vendored(_path: str, url: str) -> bool:
    return url.startswith("/static/vendor/")


class Headers:
    """Outermost: security headers on every answer (static and Socket.IO too), a Host check, no permessage-deflate.

    Websocket compression is stripped because every browser offers it and it costs 1.4 to 4.5 times the CPU a message.
    """

    def __init__(self, app: Any, origins: Iterable[str], *, host_check: bool) -> None:
        self.app = app
        self.hosts = {urlsplit(origin).netloc for origin in origins} if host_check else None
        # older browsers do not count websockets to 'self'; CSP knows no IPv6 addresses
        live = " ".join(sorted(origin.replace("http", "ws", 1) for origin in origins if "[" not in origin))
        self.headers = [
            (
                "Content-Security-Policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
                f"connect-src 'self' {live}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
                "manifest-src 'self'; require-trusted-types-for 'script'; trusted-types kith",
            ),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), interest-cohort=()"),
        ]
        if any(origin.startswith("https://") for origin in origins):
            self.headers.append(("Strict-Transport-Security", "max-age=31536000"))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        environ["SCRIPT_NAME"] = ""  # a header of that name would lead every link of the page elsewhere

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, headers + self.headers, *rest)

        host = environ.get("HTTP_HOST", "")
        if self.hosts is not None and host not in self.hosts and not _is_health(environ):
            start("400 Bad Request", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"This server does not know that address. Use the community's own address, or set SITE_URL.\n"]
        if "\x00" in environ.get("PATH_INFO", ""):
            start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"There is nothing at this address.\n"]
        if self._is_foreign(environ):
            start("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")])
            return [
                b"This was sent by another site, so nothing was done. Open the community's own page and send it from there.\n"
            ]
        answer: Iterable[bytes] = self.app(environ, start)
        return answer

    def _is_foreign(self, environ: dict[str, Any]) -> bool:
        """A form sent by a page of another site. It ends here, before any cookie could be set: the CSRF page of Flask would
        start a visitor's session and so sign the person out."""
        if environ.get("REQUEST_METHOD") in ("GET", "HEAD", "OPTIONS") or self.hosts is None:
            return False
        origin = environ.get("HTTP_ORIGIN", "null")
        return environ.get("HTTP_SEC_FETCH_SITE") == "cross-site" or (
            origin != "null" and urlsplit(origin).netloc not in self.hosts
        )


def _is_health(environ: dict[str, Any]) -> bool:
    return environ.get("PATH_INFO") in ("/healthz", "/readyz")


def _private(response: Response) -> Response:
    """Pages are personal: no shared cache, and the back button after sign-out shows nothing."""
    response.headers.setdefault("Cache-Control", "no-store" if current_user_known() else "no-cache")
    return response


def current_user_known() -> bool:
    return bool(current_user and current_user.is_authenticated)


def asset(name: str) -> str:
    """URL of a static file with its version, so that a changed file is fetched anew."""
    return f"/static/{name}?v={_version(name, current_app.debug)}"


@lru_cache
def _version(name: str, _debug: bool) -> str:
    path = STATIC / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10] if path.is_file() else "0"


def local_path(target: str | None, otherwise: str) -> str:
    """A path on this site to go on to; anything that could lead elsewhere becomes `otherwise`."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or not target.isprintable():
        return otherwise
    parts = urlsplit(target)
    return otherwise if parts.scheme or parts.netloc or "\\" in target else target


def wants_fragment() -> bool:
    """A script of ours asked for a piece of a page."""
    return request.headers.get("X-Requested-With") == "kith"


def _refused(refusal: Refused) -> Any:
    if isinstance(refusal, SignInNeeded) and request.method == "GET" and not wants_fragment():
        flash(refusal.sentence)
        return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")))
    return error_page(refusal.sentence, refusal.status, fields=refusal.fields if isinstance(refusal, Invalid) else None)


def _form_expired(_error: CSRFError) -> Any:
    """To a visitor at a door for members it is said what is missing: sending the form once more would end here again."""
    guard = getattr(current_app.view_functions.get(request.endpoint or ""), "guard", "public")
    if guard != "public" and not current_user_known():
        return _refused(SignInNeeded())
    sentence = "This form was open for too long or in a second browser, so we could not be sure it was you. Send it once more."
    return error_page(sentence, 400, kept=True)


SENTENCES = {
    400: "The request could not be understood. Go back, reload the page and try again.",
    404: "There is nothing at this address. It may have been moved or removed.",
    405: "This address cannot be used that way. Go back and use the buttons on the page.",
    413: "That is too much at once. Your browser still has it: go back and send it in smaller parts.",
    415: "That kind of content is not understood here.",
    429: "That was a lot in a short time. Please wait a minute and try again; go back and your words are still there.",
}


def _http_error(error: HTTPException) -> Any:
    if error.response is not None:
        return error.response
    status = error.code or 500
    if status < 400:
        return error
    answer = error_page(SENTENCES.get(status, SENTENCES[400] if status < 500 else FAILED), status)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        return (*answer, {"Allow": ", ".join(sorted(error.valid_methods))})
    return answer


FAILED = (
    "Something went wrong on our side. It was noted for whoever runs this site; your earlier words are safe. Please try again."
)


def _failed(error: Exception) -> Any:
    logger.error(
        "page failed: %s %s", request.method, request.url_rule or "?", exc_info=getattr(error, "original_exception", error)
    )
    return error_page(FAILED, 500)


def error_page(sentence: str, status: int, *, fields: dict[str, str] | None = None, kept: bool = False) -> Any:
    """The sentence as a page; what was typed is shown so that it can be copied or sent again."""
    if wants_fragment():
        return {"ok": False, "error": sentence}, status
    _be_a_visitor_if_unknown()
    typed = _typed() if kept or request.method == "POST" else {}
    return render_template(
        "core/error.html", sentence=sentence, status=status, fields=fields or {}, typed=typed, resend=kept
    ), status


def _be_a_visitor_if_unknown() -> None:
    """A page about a failing database cannot ask it who is looking."""
    try:
        known = current_user.is_authenticated and current_user.name
    except SQLAlchemyError:
        known = False
    if not known:
        g._login_user = current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]


NEVER_SHOWN = frozenset({"csrf_token", "password", "new_password", "current_password"})


def _typed() -> dict[str, str]:
    """What was sent, to be copied or sent again: whole, or not at all where it is no form of ours."""
    if g.get("too_many_fields"):
        return {}
    try:
        shown = {name: value for name, value in request.form.items() if name not in NEVER_SHOWN}
    except HTTPException:
        return {}
    return shown if len(shown) <= ECHOED_FIELDS else {}
