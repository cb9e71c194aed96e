"""One way to write: all or nothing, one at a time, and nothing is announced that was not stored."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone

import gevent
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from community.core import db
from community.core.clock import now
from community.core.errors import Forbidden
from community.core.jobs import JobLease
from community.rooms.models import Room
from tests.people import Person, Stage


def room(slug: str) -> Room:
    return Room(slug=slug, name=slug, created_at=now())


def slugs(stage: Stage) -> set[str]:
    return set(stage.ask(lambda: db.session().scalars(sa.select(Room.slug)).all()))


def test_what_follows_a_commit_runs_after_it_and_sees_it(stage: Stage) -> None:
    seen: list[int | None] = []

    def look() -> None:
        with stage.app.extensions["kith_engine"].connect() as other:
            seen.append(other.scalar(sa.select(sa.func.count()).where(Room.slug == "new")))

    with stage.app.app_context(), db.write() as database:
        database.add(room("new"))
        db.after_commit(look)
        assert seen == []
    assert seen == [1]


def test_a_failed_transaction_stores_and_announces_nothing(stage: Stage) -> None:
    told: list[str] = []
    with stage.app.app_context():
        with pytest.raises(ZeroDivisionError), db.write() as database:  # noqa: PT012
            database.add(room("never"))
            database.flush()
            db.after_commit(lambda: told.append("never"))
            raise ZeroDivisionError
        with db.write() as database:
            database.add(room("next"))
            db.after_commit(lambda: told.append("next"))
    assert told == ["next"]
    assert "never" not in slugs(stage)


def test_a_commit_that_fails_announces_nothing(stage: Stage) -> None:
    told: list[str] = []
    with stage.app.app_context(), pytest.raises(IntegrityError), db.write() as database:  # noqa: PT012
        db.after_commit(lambda: told.append("told"))
        database.add(room("low-days"))
    assert told == []


def test_one_announcement_that_fails_stops_no_other(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    with stage.app.app_context(), db.write() as database:
        database.add(room("kept"))
        db.after_commit(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
        db.after_commit(lambda: told.append("second"))
    assert told == ["second"]
    assert "kept" in slugs(stage)
    assert "follows a commit failed" in caplog.text


def test_a_write_inside_a_write_is_a_mistake(app: Flask) -> None:
    with app.app_context(), db.write(), pytest.raises(RuntimeError, match="only doors open transactions"), db.write():
        pass


def test_nothing_waits_for_a_commit_outside_a_write(app: Flask) -> None:
    with app.app_context(), pytest.raises(RuntimeError, match="outside write"):
        db.after_commit(lambda: None)


def test_writers_wait_for_each_other_and_lose_nothing(stage: Stage) -> None:
    """Eight threads add one to the same row, reading it first: the last value is the number of writes."""
    problems: list[BaseException] = []

    def add() -> None:
        try:
            for _ in range(10):
                with stage.app.app_context(), db.write() as database:
                    found = database.scalars(sa.select(Room).where(Room.id == stage.low_days).with_for_update()).one()
                    found.member_count += 1
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert stage.ask(lambda: db.session().get_one(Room, stage.low_days)).member_count == 80


def test_a_reader_is_not_stopped_by_a_writer(stage: Stage, ana: Person) -> None:
    with stage.app.app_context(), db.write() as database:
        database.add(room("unseen"))
        database.flush()
        with stage.app.extensions["kith_engine"].connect() as other:
            assert other.scalar(sa.select(sa.func.count()).where(Room.slug == "unseen")) == 0


def test_a_twin_that_lost_the_race_runs_again_and_finds_the_first(stage: Stage) -> None:
    turns: list[int] = []

    def act() -> str:
        turns.append(1)
        if len(turns) == 1:
            db.session().add(room("low-days"))  # the other one was quicker
            db.session().flush()
        return "found"

    with stage.app.app_context():
        assert db.stored(act) == "found"
    assert len(turns) == 2


def test_times_come_back_aware_and_in_utc(stage: Stage) -> None:
    berlin = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))

    def add() -> None:
        db.session().add(JobLease(name="summer", holder="x", until=berlin))

    stage.do(add)
    until = stage.ask(lambda: db.session().get_one(JobLease, "summer")).until
    assert until == berlin
    assert until.tzinfo == UTC


def test_a_time_without_a_zone_is_refused(stage: Stage) -> None:
    with pytest.raises(sa.exc.StatementError, match="naive datetime"):
        stage.do(lambda: db.session().add(JobLease(name="x", holder="x", until=datetime(2026, 1, 1))))


def test_rows_that_point_nowhere_are_refused(stage: Stage) -> None:
    from community.rooms.models import Membership

    with pytest.raises(IntegrityError):
        stage.do(lambda: db.session().add(Membership(room_id=999, account_id=999, joined_at=now())))


# ---- sharing a commit


def arrive(stage: Stage, *acts: Callable[[], object]) -> list[object]:
    """Each act in a context of its own, all in one moment; answers or refusals in their order."""

    def come(act: Callable[[], object]) -> object:
        with stage.app.app_context():
            try:
                return db.together(act)
            except Exception as refusal:
                return refusal

    visitors = [gevent.spawn(come, act) for act in acts]
    gevent.joinall(visitors, timeout=10)
    return [visitor.value for visitor in visitors]


def add(slug: str) -> Callable[[], str]:
    def act() -> str:
        db.session().add(room(slug))
        db.session().flush()
        db.after_commit(lambda: told.append(slug))
        return slug

    return act


told: list[str] = []


@pytest.fixture
def commits(stage: Stage) -> Iterator[list[int]]:
    """One entry for each commit that wrote something."""
    counted: list[int] = []
    engine = stage.app.extensions["kith_engine"]
    wrote: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", note := lambda *facts: wrote.append(facts[2]))
    sa.event.listen(engine, "commit", seen := lambda _: (counted.append(1) if any(map(writes, wrote)) else None, wrote.clear()))
    told.clear()
    yield counted
    sa.event.remove(engine, "before_cursor_execute", note)
    sa.event.remove(engine, "commit", seen)


def writes(statement: str) -> bool:
    return statement.startswith(("INSERT", "UPDATE", "DELETE"))


def test_writes_of_one_moment_share_one_commit_and_keep_their_order(stage: Stage, commits: list[int]) -> None:
    names = [f"r{number}" for number in range(8)]
    assert arrive(stage, *map(add, names)) == names
    assert told == names
    assert len(commits) == 1
    assert set(names) <= slugs(stage)


def test_a_refusal_in_a_shared_transaction_is_for_one_alone(stage: Stage, commits: list[int]) -> None:
    def refuse() -> None:
        db.session().add(room("half"))
        db.session().flush()
        raise Forbidden("Not you.")

    answers = arrive(stage, add("before"), refuse, add("after"))
    assert [answers[0], answers[2]] == ["before", "after"]
    assert isinstance(answers[1], Forbidden)
    assert told == ["before", "after"]
    assert {"before", "after"} <= slugs(stage)
    assert "half" not in slugs(stage)


def test_twins_of_one_moment_are_one_row(stage: Stage, commits: list[int]) -> None:
    """What a unique key stops is tried once more and finds its twin, as in `stored`."""

    def find_or_add() -> int:
        found = db.session().scalar(sa.select(Room.id).where(Room.slug == "twin"))
        if found is None:
            db.session().add(made := room("twin"))
            db.session().flush()
            return made.id
        return found

    first, second = arrive(stage, find_or_add, find_or_add)
    assert first == second


def test_a_session_that_was_made_meanwhile_shares_the_transaction(stage: Stage, commits: list[int]) -> None:
    """Small writes begin without a session. Whether one is made, asked or only held, both are stored or neither is."""

    def plain_and_session() -> None:
        plain("plain")
        db.session().add(room("session"))

    def plain_and_idle_session() -> None:
        plain("beside-idle")
        db.session()

    def plain_and_fail() -> None:
        plain_and_session_of("half")
        raise Forbidden("Not you.")

    def plain_and_session_of(slug: str) -> None:
        plain(slug)
        db.session().add(room(f"{slug}-session"))
        db.session().flush()

    assert [type(arrive(stage, act)[0]) for act in (plain_and_session, plain_and_idle_session, plain_and_fail)] == [
        type(None), type(None), Forbidden,
    ]  # fmt: skip
    assert len(commits) == 2
    assert {"plain", "session", "beside-idle"} <= slugs(stage)
    assert not {"half", "half-session"} & slugs(stage)


def test_what_follows_a_small_write_reads_on_another_transaction(stage: Stage) -> None:
    with stage.app.app_context():
        db.stored(lambda: (plain("first"), db.session().add(room("second"))))
        assert db.session().scalar(sa.select(sa.func.count()).where(Room.slug.in_(["first", "second"]))) == 2
        db.stored(lambda: db.session().add(room("third")))
        assert db.session().scalar(sa.select(Room.name).where(Room.slug == "third")) == "third"


def plain(slug: str) -> None:
    db.ask(sa.insert(Room), slug=slug, name=slug, created_at=now())


def test_a_commit_that_fails_stops_nobody_who_writes_after_it(app: Flask) -> None:
    """SQLite is still in the transaction then, as with a full disk; the connection that writers share must not stay in it."""
    if app.extensions["kith_engine"].dialect.name != "sqlite":
        pytest.skip("PostgreSQL ends a transaction it cannot commit")

    def breaks_a_reference_that_is_checked_at_the_commit() -> None:
        db.ask(sa.text("PRAGMA defer_foreign_keys=ON"))
        db.ask(sa.text("INSERT INTO read_places (account_id, room_id, seq) VALUES (999, 999, 1)"))

    with app.app_context():
        with pytest.raises(sa.exc.IntegrityError):
            db.stored(breaks_a_reference_that_is_checked_at_the_commit)
        assert db.stored(lambda: db.ask(sa.text("SELECT count(*) FROM read_places")).scalar_one()) == 0
        with pytest.raises(sa.exc.IntegrityError), db.write():
            breaks_a_reference_that_is_checked_at_the_commit()
        with db.write() as session:
            assert session.scalar(sa.text("SELECT count(*) FROM read_places")) == 0
