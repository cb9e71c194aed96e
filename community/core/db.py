"""Database: one engine per app, one session per app context, one `write()` for every change.

Reading: `session()`; the read ends with the app context. Writing: only inside `with write():`, opened by the doors
(page, socket, command, job), never by an action. SQLite allows one writer; `write()` holds a process-wide lock and nothing
inside it may wait (no network, no sleep, no password hashing), because a greenlet that yields there stops every other writer.
What must happen after the commit (live events, mail) is given to `after_commit`; a failed commit runs none of it.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import gevent
import sqlalchemy as sa
from flask import Flask, current_app, g
from gevent.event import AsyncResult
from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session

from .prepared import Prepared

logger = logging.getLogger(__name__)

Stored = TypeVar("Stored")
Kind = TypeVar("Kind")
BUSY_TIMEOUT_MS = 10_000
BUSY_PAUSE_S = 0.02
IDLE_IN_TRANSACTION_MS = 10_000
_sqlite_writer = threading.Lock()
ASKING: dict[str, dict[str, Any]] = {
    "sqlite": {"kith_asks": True},
    "postgresql": {"isolation_level": "AUTOCOMMIT"},
}  # for a single question


class UTCDateTime(sa.TypeDecorator[datetime]):
    """Aware UTC in Python on every engine; SQLite's driver would return naive values."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("naive datetime: use community.core.clock.now()")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UTCDateTime,
        dict[str, Any]: sa.JSON,
        list[Any]: sa.JSON,
        list[str]: sa.JSON,
    }


def one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    """A CHECK that `column` holds one of `values`, named after the column."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def said(column: str) -> sa.CheckConstraint:
    """A CHECK that the text in `column` is not blank."""
    return sa.CheckConstraint(f"length(trim({column})) > 0", name=f"{column}_said")


def init_app(app: Flask) -> None:
    made = make_engine(app.config["KITH"].sqlalchemy_url, pool_size=app.config["KITH"].pool_size)
    app.extensions["kith_engine"] = made
    app.extensions["kith_writing"] = made.execution_options(kith_write=True)
    app.extensions["kith_asking"] = made.execution_options(**ASKING[made.dialect.name])
    if app.config["KITH"].is_postgresql:
        event.listen(app.extensions["kith_engine"], "connect", _postgres_settings)
    app.teardown_appcontext(_close)


def _postgres_settings(connection: Any, _record: Any) -> None:
    """A process that was stopped inside a transaction (a frozen machine) must not hold a room's lock for ever."""
    connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_MS}")
    connection.commit()


def make_engine(url: str, *, pool_size: int = 10, foreign_keys: bool = True) -> Engine:
    """An engine with the settings Kith relies on. Migrations pass `foreign_keys=False`: SQLite re-creates tables there."""
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True, pool_size=pool_size, max_overflow=2 * pool_size)
    engine = sa.create_engine(url, pool_size=pool_size, max_overflow=1000)
    event.listen(engine, "connect", _sqlite_settings(foreign_keys))
    event.listen(engine, "begin", _sqlite_begin)
    event.listen(engine, "checkin", _sqlite_ends_what_it_could_not_commit)
    return engine


def _sqlite_ends_what_it_could_not_commit(connection: Any, _record: Any) -> None:
    """After a commit that failed SQLAlchemy holds the transaction for over, and SQLite is still in it."""
    if connection is not None and connection.in_transaction:
        connection.rollback()


def _sqlite_settings(foreign_keys: bool) -> Callable[[Any, Any], None]:
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "cache_size=-16000",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    return on_connect


def _sqlite_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("kith_write"):
        _sqlite_begin_writing(connection)
    elif not options.get("kith_asks"):
        connection.exec_driver_sql("BEGIN")


def _sqlite_begin_writing(connection: Connection) -> None:
    """Another process may hold the file for seconds (a backup, an import). Waiting in SQLite would stop every reader of this
    process too, so only this greenlet waits."""
    raw: Any = connection.connection.driver_connection
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    raw.execute("PRAGMA busy_timeout=0").close()
    try:
        while time.monotonic() < deadline:
            try:
                raw.execute("BEGIN IMMEDIATE").close()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    break
                gevent.sleep(BUSY_PAUSE_S)
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}").close()


def engine() -> Engine:
    found: Engine = current_app.extensions["kith_engine"]
    return found


def session() -> Session:
    """The session of this app context (a page, a socket event, a command, a job run)."""
    found: Session | None = g.get("kith_session")
    if found is None:
        bind: Connection | Engine = g.get("kith_own") or engine()
        found = g.kith_session = Session(bind, expire_on_commit=False, autoflush=True, join_transaction_mode="control_fully")
        found.add_all(g.pop("kith_stored", ()))
    return found


def known(stored: Any) -> None:
    """The session knows this stored row, if there is one, or when there is one: most messages need none."""
    if "kith_session" in g:
        session().add(stored)
    else:
        g.setdefault("kith_stored", []).append(stored)


def ask(statement: sa.Executable, **values: Any) -> sa.CursorResult[Any]:
    """Run a statement made once, at import, with `bindparam`s, for its columns alone: a sixth of what building it anew and
    sending it through the ORM costs. For the few questions that every page asks. Flushes nothing."""
    return _connection().execute(statement, values)


def first(prepared: Prepared, **values: Any) -> Any:
    """The row that answers one of the statements that every live message asks, in the caller's transaction. Flushes nothing."""
    return prepared.first(_connection(), values)


def _connection() -> Connection:
    """The connection of the caller's transaction; without one, a read begins."""
    found: Connection | None = g.get("kith_connection")
    if found is None:
        found = g.kith_connection = session().connection()
    return found


def first_alone(prepared: Prepared, **values: Any) -> Any:
    """The same outside of any session and transaction: for the one question that every event of a live connection begins with.
    SQLite answers before another greenlet runs, so one connection serves them all."""
    if engine().dialect.name == "sqlite":
        return prepared.first(_held("kith_asking"), values)
    with current_app.extensions["kith_asking"].connect() as connection:
        return prepared.first(connection, values)


def _held(name: str) -> Connection:
    """The connection that stays out of the pool for one purpose: taking it out and putting it back costs as much as the question."""
    held: dict[str, Connection] = current_app.extensions.setdefault("kith_held", {})
    found = held.get(name)
    if found is None or found.closed or found.invalidated:
        found = held[name] = current_app.extensions[name].connect()
    return found


def copy_of(kind: type[Kind], columns: Mapping[str, Any]) -> Kind:
    """A row as an object that no session knows, from all its columns: a quarter of what telling the mapper of each would cost."""
    copied = kind()
    vars(copied).update(columns)
    return copied


def end_reading() -> None:
    """Give the connection back before something slow (a password hash, a mail server); what was loaded stays usable."""
    if "kith_session" in g:
        _end("commit")


def _end(how: str) -> None:
    """Commit or roll back; the connection goes back to the pool, and `ask` forgets it."""
    own, current = g.get("kith_own"), g.get("kith_session")
    g.pop("kith_connection", None)
    g.pop("kith_stored", None)
    if current is not None:
        getattr(current, how)()
    if own is not None:
        if own.in_transaction():  # no session, or one that was never asked anything
            getattr(own, how)()
        g.pop("kith_own")
        if how == "rollback" or own.dialect.name != "sqlite":
            own.close()  # one that is held stays out, unless something failed
        if current is not None:
            current.bind = engine()


def _begin_writing() -> None:
    """On the session's connection. Where there is no session, on a connection alone, which a session made meanwhile shares:
    a message asks and inserts without one, at half of what beginning and committing would cost."""
    if "kith_session" in g:
        g.kith_connection = session().connection(execution_options={"kith_write": True})
    else:
        on_sqlite = engine().dialect.name == "sqlite"  # one writer at a time, and so one connection for all of them
        g.kith_own = _held("kith_writing") if on_sqlite else current_app.extensions["kith_writing"].connect()
        g.kith_connection = g.kith_own
        g.kith_own.begin()


def after_commit(act: Callable[[], None]) -> None:
    """Run `act` once this transaction is stored; never if it fails."""
    if "kith_after_commit" not in g:
        raise RuntimeError("after_commit outside write(): the doors open transactions")
    g.kith_after_commit.append(act)


@contextmanager
def write() -> Iterator[Session]:
    """The one way to write. Ends the read, begins, commits, then runs what waits for the commit."""
    with _transaction():
        yield session()


@contextmanager
def _transaction() -> Iterator[None]:
    """`write()` for those who may need no session."""
    if "kith_after_commit" in g:
        raise RuntimeError("write() inside write(): only doors open transactions")
    end_reading()  # nothing is pending outside write()
    g.kith_after_commit = []
    locked = engine().dialect.name == "sqlite"
    if locked:
        _sqlite_writer.acquire()
    try:
        _begin_writing()
        yield
        _end("commit")
    except BaseException:
        _end("rollback")
        g.pop("kith_after_commit")
        raise
    finally:
        if locked:
            _sqlite_writer.release()
    _run(g.pop("kith_after_commit"))


def stored(act: Callable[[], Stored]) -> Stored:
    """Run `act` in `write()`. When a twin of the same request (a form sent twice) was stored at the same moment, a unique
    key stops the second one: it runs once more and finds the first."""
    try:
        with _transaction():
            return act()
    except IntegrityError:
        with _transaction():
            return act()


@dataclass
class _Turn:
    """One act that waits for the transaction it shares."""

    act: Callable[[], Any]
    answer: AsyncResult = field(default_factory=AsyncResult)


_arrivals: WeakKeyDictionary[Engine, list[_Turn]] = WeakKeyDictionary()


def together(act: Callable[[], Stored]) -> Stored:
    """Like `stored`, for small writes that arrive by the hundred: those that arrive in one moment share one transaction, and so
    one commit, in the order in which they came. Each gets its own answer or refusal.

    The first to arrive runs them all, in its own context: `act` holds what it needs (an account, not `current_user`). When one
    of them fails, all are rolled back and each runs again by itself, so that nobody pays for somebody else's mistake.
    """
    end_reading()
    turn, queue = _Turn(act), _arrivals.setdefault(engine(), [])
    queue.append(turn)
    if len(queue) > 1:
        return turn.answer.get()  # type: ignore[no-any-return]
    gevent.sleep(0)  # whoever is ready arrives now
    del _arrivals[engine()]
    _take_turns(queue)
    return turn.answer.get()  # type: ignore[no-any-return]


def _take_turns(turns: list[_Turn]) -> None:
    try:
        if len(turns) == 1 or not _all_at_once(turns):
            for turn in turns:
                _alone(turn)
    finally:  # the process is ending: nobody waits for ever
        for turn in turns:
            if not turn.answer.ready():
                turn.answer.set_exception(RuntimeError("the transaction was not finished"))


def _all_at_once(turns: list[_Turn]) -> bool:
    try:
        with _transaction():
            answers = [turn.act() for turn in turns]
    except Exception:
        logger.debug("a shared transaction was rolled back; each act runs by itself", exc_info=True)
        return False
    for turn, answer in zip(turns, answers, strict=True):
        turn.answer.set(answer)
    return True


def _alone(turn: _Turn) -> None:
    try:
        turn.answer.set(stored(turn.act))
    except Exception as error:
        turn.answer.set_exception(error)


def _run(acts: list[Callable[[], None]]) -> None:
    for act in acts:
        try:
            act()
        except Exception:
            logger.exception("something that follows a commit failed; the rows are stored and screens and sweeps catch up")


def _close(_error: BaseException | None) -> None:
    g.pop("kith_connection", None)
    current = g.pop("kith_session", None)
    if current is not None:
        current.close()
