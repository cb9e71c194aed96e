"""Rules change while people write: every text is judged by one numbered revision, and none falls between two."""

from __future__ import annotations

import threading
import time
from itertools import count

import sqlalchemy as sa

from community.chat.models import Message
from community.core import db
from community.lexicon import actions, queries
from community.moderation.models import Signal
from community.safety import Lexicon, Rule, scan
from tests.people import Person, Stage

SENTENCE = "a blue window and a green door"
EDITS, APART, LONGEST = 12, 0.05, 200  # a slow machine needs more edits until words fell under several of them


def rule(edit: int) -> Rule:
    """Even and odd revisions have different rules; both notice SENTENCE."""
    return Rule("window", "blue window", "suicide", "red") if edit % 2 else Rule("door", "green door", "suicide", "red")


def publish(person: Person, edit: int) -> None:
    coming, going = rule(edit), rule(edit + 1)
    person.stage.do(lambda: actions.publish(person.account(), note=f"edit {edit}", put=[coming], retire=[going.key]))


def test_no_text_is_judged_by_neither_of_two_rules_published_fifty_milliseconds_apart(
    stage: Stage, ana: Person, ben: Person, ida: Person
) -> None:
    publish(ida, 0)
    first, done, failed = stage.ask(queries.current_number), threading.Event(), []
    keys = count()

    def write(person: Person) -> None:
        try:
            written = 0
            while not done.is_set() or written < 3:
                person.says(SENTENCE, key=f"{person.name}-{next(keys)}")
                written += 1
        except BaseException as error:
            failed.append(error)

    writers = [threading.Thread(target=write, args=(person,), daemon=True) for person in (ana, ben)]
    for writer in writers:
        writer.start()
    for edit in range(1, LONGEST):
        due = time.monotonic() + APART
        publish(ida, edit)
        done.wait(max(0.0, due - time.monotonic()))
        if edit >= EDITS and _revisions_seen(stage) >= 3:
            break
    done.set()
    for writer in writers:
        writer.join(60)
    assert not failed, failed
    assert not any(writer.is_alive() for writer in writers)
    _judged_once(stage, first)


def _judged_once(stage: Stage, first: int) -> None:
    """Every message has exactly one signal, by the rule of the very revision it is stamped with."""
    messages = stage.ask(lambda: {row.id: row for row in db.session().scalars(sa.select(Message))})
    signals = stage.ask(lambda: list(db.session().scalars(sa.select(Signal).order_by(Signal.id))))
    targets = {case.id: case.target_id for case in stage.cases()}
    assert sorted(targets[signal.case_id] for signal in signals) == sorted(messages)
    for signal in signals:
        assert signal.lexicon_revision == messages[targets[signal.case_id]].lexicon_revision
        assert signal.rule_key == rule(signal.lexicon_revision - first).key
    assert len(messages) >= 6
    assert _revisions_seen(stage) >= 3, "words were written under several revisions"


def _revisions_seen(stage: Stage) -> int:
    counted = sa.select(sa.func.count(Signal.lexicon_revision.distinct()))
    return stage.ask(lambda: db.session().scalar(counted)) or 0


def test_a_scan_in_the_middle_of_a_swap_keeps_the_revision_it_began_with(stage: Stage, ida: Person) -> None:
    """The new rules come as one reference; whoever holds the old one goes on with it, whole."""
    publish(ida, 0)
    before = stage.ask(queries.current_lexicon)
    publish(ida, 1)
    after = stage.ask(queries.current_lexicon)
    assert (after.revision, after is before) == (before.revision + 1, False)
    assert {found.rule for found in scan(SENTENCE, before)} == {"door"}
    assert {found.rule for found in scan(SENTENCE, after)} == {"window"}


def test_many_threads_that_ask_at_once_get_the_rules_in_force(stage: Stage, ida: Person) -> None:
    publish(ida, 0)
    asked: list[Lexicon] = []
    threads = [threading.Thread(target=lambda: asked.append(stage.ask(queries.current_lexicon)), daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [lexicon.revision for lexicon in asked] == [stage.ask(queries.current_number)] * 6
