"""Moments inside what is said to a person."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine

from community.core.sentences import with_times


@pytest.mark.parametrize(
    ("sentence", "moment"),
    [
        ("Sol has it until 02:37 UTC. Take another.", "2026-11-26T02:37:00+00:00"),
        ("It changed (21:10 UTC).", "2026-11-25T21:10:00+00:00"),
        ("Suspended until 3 Dec 2026, 09:05 UTC; they read that.", "2026-12-03T09:05:00+00:00"),
    ],
)
def test_a_moment_in_a_sentence_can_be_put_into_the_readers_time(sentence: str, moment: str) -> None:
    with time_machine.travel(datetime(2026, 11, 25, 23, 50, tzinfo=UTC), tick=False):
        marked = with_times(sentence)
    assert f'datetime="{moment}"' in marked
    assert " UTC</time>" in marked
    assert marked.count("<time") == 1


@pytest.mark.parametrize("sentence", ["No moment here.", "99:99 UTC", "31 Feb 2026, 09:05 UTC", "12:30"])
def test_what_is_no_moment_stays_as_it_is(sentence: str) -> None:
    assert with_times(sentence) == sentence


def test_a_sentence_with_a_moment_is_escaped() -> None:
    assert with_times("<b>Eve</b> has it until 02:37 UTC & on").startswith("&lt;b&gt;Eve&lt;/b&gt; has it until <time")
    assert with_times("02:37 UTC <script>").endswith("&lt;script&gt;")
