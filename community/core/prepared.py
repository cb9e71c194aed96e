"""Statements given to the driver itself, for the handful that each live message asks.

SQLAlchemy writes them, once for each dialect; its types translate what goes in and comes out, and its errors are raised. What is
left out is what it does anew with each execution: four fifths of what so small a question costs.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError


class Given(NamedTuple):
    """One value for the driver: its name there, what translates it, and the value itself if it is part of the statement."""

    name: str
    translate: Callable[[Any], Any] | None
    fixed: bool
    value: Any


class Plan(NamedTuple):
    """A statement in one dialect. `out` translates values of the answer, by place."""

    sql: str
    given: tuple[Given, ...]
    by_place: bool
    out: tuple[tuple[int, Callable[[Any], Any]], ...]
    row: Callable[..., Any]


class Prepared:
    """A statement that answers with one row or none: with `bindparam`s, or an INSERT whose columns are given as values."""

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._plans: dict[tuple[str, ...], Plan] = {}

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The first row, or None. `connection` has begun the transaction that the statement belongs to."""
        dialect = connection.dialect
        key = (dialect.name, *values)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = _plan(self.statement, dialect, values.keys())
        given = [
            value if translate is None else translate(value)
            for name, translate, fixed, own in plan.given
            for value in (own if fixed else values[name],)
        ]
        driver: Any = connection.connection.driver_connection
        try:
            cursor = driver.execute(
                plan.sql, given if plan.by_place else dict(zip([each.name for each in plan.given], given, strict=True))
            )
            found = cursor.fetchone()
            cursor.close()
        except Exception as error:
            raise _told(error, connection, plan.sql) from error
        except BaseException:  # stopped in the middle: nobody knows what the connection would answer next
            connection.invalidate()
            raise
        if found is None or not plan.out:
            return found if found is None else plan.row(found)
        row = list(found)
        for place, translate in plan.out:
            row[place] = translate(row[place])
        return plan.row(row)


def _plan(statement: Any, dialect: Dialect, names: Any) -> Plan:
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(names) if statement.is_insert else None)
    if compiled.post_compile_params or compiled.literal_execute_params or compiled.insert_prefetch or compiled.update_prefetch:
        raise ValueError("This statement changes with what it is asked, or has defaults made here: it cannot be prepared.")
    binds = {name: bind for bind, name in compiled.bind_names.items()}
    listed = compiled.positiontup if compiled.positional else list(binds)
    given = tuple(
        Given(name, binds[name].type.dialect_impl(dialect).bind_processor(dialect), not binds[name].required, binds[name].value)
        for name in listed
    )
    columns = list(statement.exported_columns)
    processors = [
        (place, column.type.dialect_impl(dialect).result_processor(dialect, None)) for place, column in enumerate(columns)
    ]
    row = namedtuple("Row", [column.key for column in columns], rename=True)._make  # type: ignore[attr-defined, misc]
    out = tuple((place, translate) for place, translate in processors if translate is not None)
    return Plan(compiled.string, given, compiled.positional, out, row)


def _told(error: Exception, connection: Connection, sql: str) -> BaseException:
    """The error as SQLAlchemy tells it. A connection that is gone goes back to no pool."""
    dialect: Any = connection.dialect
    base = dialect.loaded_dbapi.Error
    if isinstance(error, base) and dialect.is_disconnect(error, connection.connection.driver_connection, None):
        connection.invalidate(error)
    return DBAPIError.instance(sql, None, error, base, hide_parameters=True, dialect=dialect)  # type: ignore[arg-type]
