"""What people are told, as they read it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from community.notifications.actions import notify
from tests.people import Person, Stage

DECISION = {
    "decision": 7, "outcome": "warn", "rule": "Be kind", "reason": "This was <b>unkind</b>\nto Ben.", "room": "Low days",
    "path": "/topics/1?at=2#post-2", "excerpt": "You <script>alert(1)</script> fool", "until": None, "hidden": True,
}  # fmt: skip


def told(stage: Stage, person: Person, kind: str, times: int = 1, **data: Any) -> None:
    def tell() -> None:
        for _ in range(times):
            notify(person.id, kind, **data)

    stage.do(tell)


def unread(person: Person) -> int:
    return person.stage.ask(lambda: person.account().unread_notifications)


def test_nothing_yet_is_said_kindly(ana: Person) -> None:
    page = ana.get("/notifications").text
    assert "Nothing new" in page


def test_a_decision_comes_with_rule_reason_own_words_and_the_way_to_appeal(stage: Stage, ana: Person) -> None:
    told(stage, ana, "decision", **DECISION)
    page = ana.get("/notifications").text
    assert "asks you to change something" in page
    assert "Be kind" in page
    assert "This was &lt;b&gt;unkind&lt;/b&gt;" in page
    assert "You &lt;script&gt;" in page
    assert 'href="/decisions/7"' in page
    assert "how to appeal" in page


def test_a_suspension_says_until_when(stage: Stage, sam: Person) -> None:
    told(stage, sam, "decision", **{**DECISION, "outcome": "suspend", "until": "2026-12-01T10:00:00+00:00"})
    page = sam.get("/notifications").text
    assert "suspended your account" in page
    assert "1 Dec 2026, 10:00" in page


@pytest.mark.parametrize("kind", ["support", "held", "sanction-lifted", "appeal-decided", "certificate-granted"])
def test_every_kind_has_words_of_its_own(stage: Stage, ana: Person, kind: str) -> None:
    told(
        stage,
        ana,
        kind,
        path="/topics/1",
        decision=3,
        reason="It was a misunderstanding.",
        outcome="overturned",
        concern="self-harm",
    )
    page = ana.get("/notifications")
    assert page.status_code == 200
    assert f"<b>{kind.replace('-', ' ').capitalize()}</b>" not in page.text


@pytest.mark.parametrize("kind", ["case-overdue", "case-paged"])
def test_a_case_is_named_by_number_and_severity_only(stage: Stage, mia: Person, kind: str) -> None:
    told(stage, mia, kind, case=12, severity="red", level=1)
    page = mia.get("/notifications").text
    assert 'href="/desk/cases/12"' in page
    assert "Red" in page


def test_a_kind_nobody_has_written_a_template_for_is_shown_all_the_same(stage: Stage, ana: Person) -> None:
    told(stage, ana, "brand-new", reason="Something <i>else</i>.", path="/rooms/1")
    page = ana.get("/notifications").text
    assert "Brand new" in page
    assert "Something &lt;i&gt;else&lt;/i&gt;." in page


def test_what_was_shown_is_read_and_the_counter_goes_down_with_it(stage: Stage, ana: Person) -> None:
    told(stage, ana, "decision", times=25, **DECISION)
    assert unread(ana) == 25
    first = ana.get("/notifications").text
    assert first.count("is-unread") == 20
    assert unread(ana) == 5
    assert "is-unread" not in ana.get("/notifications").text
    assert unread(ana) == 5


def test_all_can_be_marked_as_read(stage: Stage, ana: Person) -> None:
    told(stage, ana, "decision", times=3, **DECISION)
    assert ana.post("/notifications/read").status_code == 303
    assert unread(ana) == 0
    assert "is-unread" not in ana.get("/notifications").text


def test_marking_one_twice_counts_once(stage: Stage, ana: Person) -> None:
    told(stage, ana, "held", path="/topics/1")
    told(stage, ana, "held", path="/topics/2")
    ana.post("/notifications/1/read")
    ana.post("/notifications/1/read")
    assert unread(ana) == 1


def test_nobody_reads_or_marks_what_is_for_somebody_else(stage: Stage, ana: Person, ben: Person) -> None:
    told(stage, ana, "decision", **DECISION)
    assert "Be kind" not in ben.get("/notifications").text
    ben.post("/notifications/1/read")
    assert unread(ana) == 1


def test_older_ones_are_on_the_next_page_each_exactly_once(stage: Stage, ana: Person) -> None:
    told(stage, ana, "held", times=45, path="/topics/1")
    seen, path = [], "/notifications"
    while path:
        page = ana.get(path).text
        seen += re.findall(r'id="note-(\d+)"', page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1] if older else ""
    assert len(seen) == len(set(seen)) == 45
    assert seen == sorted(seen, key=int, reverse=True)


def test_a_strange_page_address_shows_the_newest(stage: Stage, ana: Person) -> None:
    told(stage, ana, "held", path="/topics/1")
    assert "note-1" in ana.get("/notifications?before=x").text
    assert ana.get("/notifications?before=99999999999999999999999").status_code < 500


def test_visitors_are_asked_to_sign_in(app: Any) -> None:
    answer = app.test_client().get("/notifications")
    assert answer.status_code == 302
    assert answer.location == "/sign-in?next=/notifications"
