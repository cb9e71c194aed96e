"""The audit log cannot be changed unnoticed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from community.core import audit, db
from community.core.audit import AuditEntry, AuditHead
from tests.people import Person, Stage


def write(stage: Stage, person: Person, count: int = 3) -> None:
    for number in range(count):
        stage.do(lambda number=number: audit.record(person.account(), "room.changed", f"room:{number}", was={"b": 1, "a": "ü"}))


def complaints(stage: Stage) -> list[str]:
    return stage.ask(lambda: list(audit.verify()))


def unlocked(stage: Stage, statement: sa.Executable) -> None:
    """Change a row as somebody could who owns the database: with its guards taken off."""
    engine = stage.app.extensions["kith_engine"]
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER audit_entries_no_update")
            connection.exec_driver_sql("DROP TRIGGER audit_entries_no_delete")
        else:
            connection.exec_driver_sql("ALTER TABLE audit_entries DISABLE TRIGGER ALL")
        connection.execute(statement)


def test_a_whole_log_is_without_complaint(stage: Stage, ida: Person) -> None:
    write(stage, ida)
    assert complaints(stage) == []


@pytest.mark.parametrize("statement", [sa.update(AuditEntry).values(act="nothing"), sa.delete(AuditEntry)])
def test_the_database_refuses_to_change_an_entry(stage: Stage, ida: Person, statement: sa.Executable) -> None:
    write(stage, ida)
    with pytest.raises(DBAPIError, match="append-only"):
        stage.do(lambda: db.session().execute(statement))
    assert complaints(stage) == []


@pytest.mark.parametrize("column", ["actor_name", "act", "subject"])
def test_a_changed_entry_is_named(stage: Stage, ida: Person, column: str) -> None:
    write(stage, ida)
    changed = stage.ask(lambda: db.session().scalars(sa.select(AuditEntry.id).where(AuditEntry.subject == "room:1")).one())
    unlocked(stage, sa.update(AuditEntry).where(AuditEntry.id == changed).values({column: "x"}))
    assert [line for line in complaints(stage) if f"Entry {changed} " in line and "was changed" in line]


def test_a_removed_entry_is_noticed(stage: Stage, ida: Person) -> None:
    write(stage, ida)
    unlocked(stage, sa.delete(AuditEntry).where(AuditEntry.subject == "room:1"))
    assert any("does not follow" in line for line in complaints(stage))


def test_a_log_cut_off_at_its_end_is_noticed(stage: Stage, ida: Person) -> None:
    write(stage, ida)
    unlocked(stage, sa.delete(AuditEntry).where(AuditEntry.subject == "room:2"))
    assert any("ends before its recorded head" in line for line in complaints(stage))


def test_an_act_that_failed_leaves_no_entry(stage: Stage, ida: Person) -> None:
    write(stage, ida, 1)

    def fail() -> None:
        audit.record(ida.account(), "room.changed", "room:9")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stage.do(fail)
    assert complaints(stage) == []
    assert stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).where(AuditEntry.subject == "room:9"))) == 0


def test_there_is_one_head(stage: Stage, ida: Person) -> None:
    write(stage, ida)
    assert stage.ask(lambda: db.session().scalar(sa.select(sa.func.count(AuditHead.id)))) == 1
