"""What the driver is asked without SQLAlchemy answers as SQLAlchemy would have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from community.core.db import UTCDateTime
from community.core.prepared import Prepared

table = sa.Table(
    "prepared_things",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("words", sa.Text, unique=True),
    sa.Column("at", UTCDateTime),
    sa.Column("listed", sa.JSON),
    sa.Column("on", sa.Boolean),
)
by_words = sa.select(table, sa.literal("fixed").label("said")).where(table.c.words == sa.bindparam("words"), table.c.id > 0)
insert = sa.insert(table).returning(table.c.id)


@pytest.fixture
def connection(app: Flask) -> Iterator[Connection]:
    engine = app.extensions["kith_engine"]
    table.create(engine)
    with engine.connect() as made:
        yield made
    table.drop(engine)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC)),
    st.lists(st.integers(0, 9) | st.text("abc'\"%{}:", max_size=4) | st.none(), max_size=3) | st.none(),
    st.booleans() | st.none(),
)
def test_values_go_in_and_come_out_as_sqlalchemy_has_them(
    connection: Connection, words: str, at: Any, listed: Any, on: Any
) -> None:
    connection.execute(sa.delete(table))
    made = Prepared(insert).first(connection, {"words": words, "at": at, "listed": listed, "on": on})
    stored = connection.execute(by_words, {"words": words}).one()
    found = Prepared(by_words).first(connection, {"words": words})
    assert (made.id, *found) == (stored.id, *stored)
    assert found._fields == ("id", "words", "at", "listed", "on", "said")
    assert (found.words, found.at, found.listed, found.on, found.said) == (words, at, listed, on, "fixed")
    connection.rollback()


def test_a_moment_of_another_zone_is_stored_in_utc(connection: Connection) -> None:
    from zoneinfo import ZoneInfo

    moment = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    Prepared(insert).first(connection, {"words": "a", "at": moment, "listed": [], "on": True})
    assert Prepared(by_words).first(connection, {"words": "a"}).at == moment
    with pytest.raises(ValueError, match="naive"):
        Prepared(insert).first(connection, {"words": "b", "at": datetime(2026, 7, 1), "listed": [], "on": True})


def test_it_belongs_to_the_transaction_of_the_connection(connection: Connection) -> None:
    connection.rollback()
    with connection.begin() as around:
        Prepared(insert).first(connection, {"words": "a", "at": None, "listed": [], "on": True})
        around.rollback()
    assert Prepared(by_words).first(connection, {"words": "a"}) is None


def test_errors_are_those_of_sqlalchemy(connection: Connection) -> None:
    prepared = Prepared(insert)
    prepared.first(connection, {"words": "a", "at": None, "listed": [], "on": True})
    with pytest.raises(sa.exc.IntegrityError) as told:
        prepared.first(connection, {"words": "a", "at": None, "listed": [], "on": True})
    assert "a'" not in str(told.value), "what somebody wrote is in no log"
    connection.rollback()
    with pytest.raises(sa.exc.DBAPIError):
        Prepared(sa.select(sa.column("nothing")).select_from(sa.table("nowhere"))).first(connection, {})
    connection.rollback()


def test_a_connection_that_is_gone_goes_back_to_no_pool(connection: Connection) -> None:
    raw: Any = connection.connection.driver_connection
    raw.close()
    with pytest.raises(sa.exc.SQLAlchemyError):
        Prepared(by_words).first(connection, {"words": "a"})
    if connection.dialect.name == "postgresql":
        assert connection.invalidated


@pytest.mark.parametrize(
    "statement",
    [sa.select(table).where(table.c.id.in_(sa.bindparam("ids", expanding=True))), sa.select(table).where(table.c.id.in_([1, 2]))],
)
def test_what_changes_with_its_values_is_refused(connection: Connection, statement: Any) -> None:
    with pytest.raises(ValueError, match="cannot be prepared"):
        Prepared(statement).first(connection, {"ids": [1]})


def test_defaults_made_by_sqlalchemy_are_refused_and_not_forgotten(connection: Connection) -> None:
    late = sa.Table("late", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.Integer, default=5))
    with pytest.raises(ValueError, match="cannot be prepared"):
        Prepared(sa.insert(late).returning(late.c.id)).first(connection, {})


def test_one_statement_serves_different_columns_and_databases(connection: Connection) -> None:
    prepared = Prepared(insert)
    one = prepared.first(connection, {"words": "a"}).id
    other = prepared.first(connection, {"words": "b", "at": datetime.now(UTC) + timedelta(days=1)}).id
    assert connection.execute(sa.select(sa.func.count()).where(table.c.id.in_([one, other]))).scalar_one() == 2
