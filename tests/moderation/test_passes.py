"""Previews on the past and rescans: what they find, what they leave alone, and that each finding counts once.

Content note: plain, short sentences about not wanting to live.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from community.core import db
from community.core.clock import now
from community.forum.actions import edit_post
from community.forum.models import Post
from community.lexicon import actions as lexicon
from community.moderation import deadlines, intake, looking_back, passes
from community.moderation.actions import report
from community.moderation.models import Case, Pass, Signal
from community.moderation.reviewable import KINDS
from community.notifications.models import Notification
from community.rooms.models import Room
from tests.moderation.acting import CRUEL, acts, case_of, decide, read
from tests.moderation.drafting import WINDOW, draft, finish, hits, in_force, look_back, publish, rescan, row, start_rescan
from tests.people import WORRYING, Person, Stage

SEEN = "I sat at the blue window again"


def signals(stage: Stage, kind: str = "rescan") -> list[Signal]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(Signal).where(Signal.kind == kind).order_by(Signal.id))))


def told(stage: Stage) -> int:
    return stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).select_from(Notification)))


# ---- a preview


def test_a_preview_counts_what_a_new_rule_would_have_matched_and_opens_nothing(ana: Person, ida: Person) -> None:
    ana.says(SEEN)
    ana.says("nothing of the kind")
    ana.opens("My green window", "it is open")
    done = look_back(ida, draft(ida))
    assert (done.state, done.read, done.found["new"]) == ("done", 3, {"message": 1, "post": 1})
    assert [(hit.item_kind, hit.change, hit.severity) for hit in hits(ida.stage, done.id)] == [
        ("message", "new", "red"),
        ("post", "new", "red"),
    ]
    assert ida.stage.cases() == []


def test_words_in_sql_are_the_words_that_are_scanned(stage: Stage, ana: Person) -> None:
    topic = ana.opens("A title", "and its words").post.topic_id
    ana.answers(topic, "an answer")
    ana.says("a message")

    def both() -> list[tuple[Any, Any]]:
        every = [(cls, cls.words_in_sql()) for cls in KINDS.values()]
        return [(item.words(), words) for cls, sql in every for item, words in db.session().execute(sa.select(cls, sql))]

    pairs = stage.ask(both)
    assert len(pairs) == 3
    assert all(words == sql for words, sql in pairs)


def test_a_preview_says_how_many_were_decided_as_no_action(ana: Person, sol: Person, ida: Person) -> None:
    decide(sol, case_of(ana, f"{WORRYING} by the blue window"), "leave")
    decide(sol, case_of(ana, f"{WORRYING} by the green window"), "hide")
    ana.says(SEEN)
    done = look_back(ida, draft(ida))
    assert done.found["new"] == {"message": 3}
    assert done.no_action == 1
    assert sorted(hit.decided for hit in hits(ida.stage, done.id)) == ["", "hide", "leave"]


def test_a_changed_rule_is_compared_with_the_rule_in_force(ana: Person, sol: Person, ida: Person) -> None:
    publish(ida, WINDOW)
    decide(sol, case_of(ana, SEEN), "hide")
    ana.says("the green window")
    ana.says("a red door")
    changed = in_force(ida.stage, WINDOW.key, pattern="green window|red door", must_match=())
    done = look_back(ida, draft(ida, changed))
    assert {name: done.found[name] for name in ("new", "kept", "lost", "upheld")} == {
        "new": {"message": 1}, "kept": {"message": 1}, "lost": {"message": 1}, "upheld": {"message": 1},
    }  # fmt: skip
    page = ida.get(f"/admin/lexicon/drafts/{done.draft_id}/past?change=lost").text
    assert "would no longer match" in page
    assert '<mark class="finding is-red" dir="auto">blue window</mark>' in page


def test_a_preview_reads_only_so_many_days_back_and_nothing_withdrawn(stage: Stage, ana: Person, ida: Person) -> None:
    for words in (SEEN, "a blue window, long ago", "a green window, taken back"):
        ana.opens("Windows", words)

    def age() -> None:
        old, _, back = db.session().scalars(sa.select(Post).order_by(Post.id)).all()
        old.created_at, back.visibility = now() - timedelta(days=31), "withdrawn"

    stage.do(age)
    assert look_back(ida, draft(ida)).found["new"] == {"post": 1}


def test_a_preview_can_be_cancelled_and_gone_on_with(stage: Stage, ana: Person, ida: Person, monkeypatch: Any) -> None:
    monkeypatch.setattr(passes, "CHUNK", 2)
    for _ in range(5):
        ana.says(SEEN)
    draft_id = draft(ida)
    ida.post(f"/admin/lexicon/drafts/{draft_id}/past", days="30")
    (pass_id,) = stage.ask(lambda: db.session().scalars(sa.select(Pass.id)).all())
    stage.ask(lambda: passes.step(pass_id))
    assert ida.post(f"/admin/passes/{pass_id}/cancel").status_code == 303
    stage.ask(lambda: passes.go_on())
    assert (row(stage, pass_id).state, row(stage, pass_id).read) == ("cancelled", 2)
    assert ida.post(f"/admin/passes/{pass_id}/resume").status_code == 303
    finish(stage, pass_id)
    assert (row(stage, pass_id).read, row(stage, pass_id).found["new"]) == (5, {"message": 5})
    assert acts(stage, f"pass:{pass_id}") == ["preview.started", "preview.cancelled", "preview.resumed"]


def test_a_chunk_that_was_overtaken_is_thrown_away(stage: Stage, ana: Person, ida: Person) -> None:
    """Two processes at one pass, or one that was taken for dead: what both read counts once."""
    ana.says(SEEN)
    pass_id = stage.do(lambda: passes_started(ida))

    def both() -> None:
        stale = passes._next_chunk(db.session().get_one(Pass, pass_id))
        passes.step(pass_id)
        passes._preview(db.session().get_one(Pass, pass_id), stale)

    stage.ask(both)
    finish(stage, pass_id)
    assert row(stage, pass_id).found["new"] == {"message": 1}
    assert len(hits(stage, pass_id)) == 1


def test_cancelled_while_a_chunk_was_read_it_stores_nothing_more(stage: Stage, ana: Person, ida: Person) -> None:
    ana.says(SEEN)
    pass_id = stage.do(lambda: passes_started(ida))

    def meanwhile() -> None:
        row_now = db.session().get_one(Pass, pass_id)
        chunk = passes._next_chunk(row_now)
        stage.do(lambda: looking_back.cancel(ida.account(), pass_id))
        passes._preview(row_now, chunk)

    stage.ask(meanwhile)
    assert (row(stage, pass_id).state, row(stage, pass_id).read, hits(stage, pass_id)) == ("cancelled", 0, [])


def passes_started(ida: Person) -> int:
    saved = lexicon.save_draft(ida.account(), WINDOW, note="A try", based_on=1)
    return looking_back.start_preview(ida.account(), saved.id, days=30).id


def test_every_hit_is_counted_and_the_first_are_kept(ana: Person, ida: Person, monkeypatch: Any) -> None:
    monkeypatch.setattr(passes, "HITS_KEPT", 2)
    for _ in range(4):
        ana.says(SEEN)
    done = look_back(ida, draft(ida))
    assert done.found["new"] == {"message": 4}
    assert len(hits(ida.stage, done.id)) == 2


def test_a_text_that_cannot_be_scanned_does_not_stop_the_others(ana: Person, ida: Person, monkeypatch: Any) -> None:
    real = passes.scan

    def fragile(text: str, *args: Any, **named: Any) -> Any:
        if "glass" in text:
            raise RuntimeError("broken")
        return real(text, *args, **named)

    for words in (SEEN, "a blue window of glass", SEEN):
        ana.says(words)
    monkeypatch.setattr(passes, "scan", fragile)
    done = look_back(ida, draft(ida))
    assert (done.state, done.found["new"], done.found["unread"]) == ("done", {"message": 2}, {"": 1})


def test_a_fault_ends_one_pass_with_a_sentence_and_no_other(stage: Stage, ana: Person, ida: Person, monkeypatch: Any) -> None:
    ana.says(SEEN)
    draft_id = draft(ida)
    ida.post(f"/admin/lexicon/drafts/{draft_id}/past", days="30")
    other = start_rescan(ida)

    def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(passes, "_preview", broken)
    stage.ask(lambda: passes.go_on())
    states = stage.ask(lambda: dict(db.session().execute(sa.select(Pass.kind, Pass.state)).all()))
    assert states == {"preview": "failed", "rescan": "done"}
    assert row(stage, other).state == "done"
    assert passes.FAILED in ida.get(f"/admin/lexicon/drafts/{draft_id}/past").text


# ---- its page


def test_previews_are_for_admins_only(ana: Person, mia: Person, sol: Person, ida: Person) -> None:
    done = look_back(ida, draft(ida))
    for person in (ana, mia, sol):
        for path in (
            f"/admin/lexicon/drafts/{done.draft_id}/past",
            "/admin/rescan",
            f"/admin/lexicon/drafts/{done.draft_id}/shadow",
        ):
            assert person.get(path).status_code == 404
            assert person.post(path, days="3", since="2026-01-01").status_code == 404
        for act in ("cancel", "resume"):
            assert person.post(f"/admin/passes/{done.id}/{act}").status_code == 404


def test_the_page_says_it_in_words_shows_the_span_and_notes_who_read_it(stage: Stage, ana: Person, ida: Person) -> None:
    ana.says(SEEN)
    ana.opens("My green window", "<b>it</b> is open")
    done = look_back(ida, draft(ida))
    page = ida.get(f"/admin/lexicon/drafts/{done.draft_id}/past").text
    assert "<b>1 message and 1 post</b> in the last 30 days" in page
    assert "<details" in page.split("blue window</mark>")[0].rsplit("<li>", 1)[1], "words are collapsed"
    assert "&lt;b&gt;it&lt;/b&gt; is open" in page
    ida.get(f"/admin/lexicon/drafts/{done.draft_id}/past")
    assert acts(stage, f"pass:{done.id}").count("preview.read") == 1


def test_every_link_and_form_of_the_pages_leads_somewhere(stage: Stage, ana: Person, ida: Person) -> None:
    ana.says(SEEN)
    publish(ida, WINDOW)
    done = look_back(ida, draft(ida, replace(WINDOW, pattern="blue window", must_match=())))
    ida.post(f"/admin/lexicon/drafts/{done.draft_id}/shadow", days="3")
    pages = ["past", "past?change=kept", "shadow"]
    for path in [*(f"/admin/lexicon/drafts/{done.draft_id}/{page}" for page in pages), "/admin/rescan", "/admin/lexicon/figures",
                 f"/admin/lexicon/rules/{WINDOW.key}/figures"]:  # fmt: skip
        page = ida.get(path).text
        for link in {
            link.split("#")[0] for link in re.findall(r'(?:href|action)="([^"]+)"', page.split("<main")[1].split("</main>")[0])
        }:
            assert stage.app.url_map.bind("").test(link.split("?")[0]) or stage.app.url_map.bind("").test(link, method="POST"), (
                path,
                link,
            )


def test_while_it_runs_the_page_shows_no_words(stage: Stage, ana: Person, ida: Person, monkeypatch: Any) -> None:
    monkeypatch.setattr(passes, "CHUNK", 1)
    for _ in range(3):
        ana.says(SEEN)
    draft_id = draft(ida)
    ida.post(f"/admin/lexicon/drafts/{draft_id}/past", days="30")
    stage.ask(lambda: passes.step(1))
    page = ida.get(f"/admin/lexicon/drafts/{draft_id}/past").text
    assert '<progress max="100" value="33"' in page
    assert "blue window</mark>" not in page
    assert acts(stage, "pass:1") == ["preview.started"]
    assert "blue window" not in ida.get(f"/admin/lexicon/drafts/{draft_id}/past", headers={"X-Requested-With": "kith"}).text


@pytest.mark.parametrize("days", ["", "0", "x", "99999", "-3"])
def test_nonsense_days_are_refused_with_a_sentence(ida: Person, days: str) -> None:
    draft_id = draft(ida)
    answer = ida.post(f"/admin/lexicon/drafts/{draft_id}/past", days=days)
    assert answer.status_code == 422
    assert "Say for how many days" in answer.text
    assert f'value="{days}"' in answer.text


def test_one_preview_of_a_draft_at_a_time(ida: Person) -> None:
    draft_id = draft(ida)
    assert ida.post(f"/admin/lexicon/drafts/{draft_id}/past", days="30").status_code == 303
    assert ida.post(f"/admin/lexicon/drafts/{draft_id}/past", days="30").status_code == 409


def test_an_edited_draft_makes_its_preview_old(stage: Stage, ida: Person) -> None:
    done = look_back(ida, draft(ida))
    page = f"/admin/lexicon/drafts/{done.draft_id}/past"
    assert "was edited after this preview" not in ida.get(page).text
    stage.do(
        lambda: lexicon.save_draft(
            ida.account(), replace(WINDOW, pattern="red window", must_match=()), note="", based_on=1, draft_id=done.draft_id
        )
    )
    assert "was edited after this preview" in ida.get(page).text


# ---- a rescan


def test_a_rescan_opens_a_case_one_step_less_urgent_and_tells_nobody(stage: Stage, ana: Person, sol: Person, ida: Person) -> None:
    message = ana.says(SEEN).message
    publish(ida, replace(WINDOW, action="page"))
    before = told(stage)
    done = rescan(ida)
    (case,) = stage.cases()
    assert (case.target_kind, case.target_id, case.severity, case.concern) == ("message", message.id, "amber", "suicide")
    assert case.due_at > now() + timedelta(minutes=200)
    assert told(stage) == before, "nobody is paged, and the author is told nothing"
    assert stage.ask(lambda: db.session().get_one(KINDS["message"], message.id).visibility) == "visible"
    assert (done.state, done.found["new"], done.found["matched"]) == ("done", {"message": 1}, {"message": 1})
    (signal,) = signals(stage)
    assert (signal.rule_key, signal.lexicon_revision, signal.severity) == (WINDOW.key, done.revision, "amber")


def test_a_hold_rule_holds_no_old_words(stage: Stage, ana: Person, ida: Person) -> None:
    message = ana.says("the blue window", room=stage.eating).message
    publish(ida, replace(WINDOW, action="hold"))
    rescan(ida)
    assert len(stage.cases()) == 1
    assert stage.ask(lambda: db.session().get_one(KINDS["message"], message.id).visibility) == "visible"


def test_the_clock_calls_nobody_for_old_words(stage: Stage, ana: Person, sol: Person, ida: Person) -> None:
    ana.says(SEEN)
    publish(ida, WINDOW)
    rescan(ida)
    before = told(stage)
    with time_machine.travel(now() + timedelta(days=30), tick=False):
        stage.ask(deadlines.raise_overdue_cases)
    assert told(stage) == before
    assert stage.cases()[0].level == 0


def test_a_report_about_old_words_starts_the_clock(stage: Stage, ana: Person, ben: Person, sol: Person, ida: Person) -> None:
    message = ana.says(SEEN).message
    publish(ida, WINDOW)
    rescan(ida)
    stage.do(lambda: report(ben.account(), "message", message.id, concern="eating", note=""))
    (case,) = stage.cases()
    assert case.louder_at < intake.QUIET
    with time_machine.travel(case.louder_at + timedelta(minutes=1), tick=False):
        stage.ask(deadlines.raise_overdue_cases)
    assert stage.cases()[0].level == 1


def test_what_was_decided_on_the_same_rule_and_words_stays_decided(stage: Stage, ana: Person, sol: Person, ida: Person) -> None:
    case_id = case_of(ana, WORRYING)
    decide(sol, case_id, "leave")
    done = rescan(ida)
    assert read(stage, case_id).state == "closed"
    assert (done.found["matched"], done.found.get("new")) == ({"message": 1}, None)


def test_new_rules_about_decided_words_open_the_case_again(stage: Stage, ana: Person, sol: Person, ida: Person) -> None:
    case_id = case_of(ana, CRUEL)
    decide(sol, case_id, "leave")
    publish(ida, replace(WINDOW, pattern="disgusting and pathetic", must_match=()))
    rescan(ida)
    case = read(stage, case_id)
    assert (case.state, case.severity, case.concern) == ("open", "amber", "suicide")


def test_a_rescan_twice_finds_nothing_new(stage: Stage, ana: Person, ida: Person) -> None:
    ana.says(SEEN)
    publish(ida, WINDOW)
    rescan(ida)
    assert rescan(ida).found.get("new") is None
    assert len(signals(stage)) == 1


def test_an_edit_after_a_rescan_is_no_news_either(stage: Stage, ana: Person, sol: Person, ida: Person) -> None:
    post = ana.opens("Windows", SEEN).post
    publish(ida, WINDOW)
    rescan(ida)
    (case,) = stage.cases()
    decide(sol, case.id, "leave")
    stage.do(lambda: edit_post(ana.account(), post.id, body=f"{SEEN}.", limit=1000))
    assert read(stage, case.id).state == "closed"


def test_a_rescan_keeps_to_kinds_of_rooms(stage: Stage, ana: Person, ida: Person) -> None:
    ana.says(SEEN)
    ana.says(SEEN, room=stage.eating)
    stage.do(lambda: setattr(db.session().get_one(Room, stage.eating), "profile", "eating"))
    publish(ida, replace(WINDOW, only_in=("eating",)))
    rescan(ida)
    assert [case.room_id for case in stage.cases()] == [stage.eating]


def test_a_rescan_judges_by_the_revision_it_began_with(stage: Stage, ana: Person, ida: Person) -> None:
    ana.says(SEEN)
    publish(ida, WINDOW)
    pass_id = start_rescan(ida)
    publish(ida, retire=[WINDOW.key])
    finish(stage, pass_id)
    assert [signal.lexicon_revision for signal in signals(stage)] == [row(stage, pass_id).revision]
    assert "in force now" not in ida.get("/admin/rescan").text


@pytest.mark.parametrize("stop_at", [1, 2, 3])
def test_killed_in_the_middle_of_a_chunk_it_finds_each_thing_once(
    stage: Stage, ana: Person, ida: Person, monkeypatch: Any, stop_at: int
) -> None:
    """The process dies inside a transaction, after some of the chunk was stored."""
    monkeypatch.setattr(passes, "AT_ONCE", 2)
    for number in range(9):
        ana.says(f"{SEEN} {number}" if number % 3 else "a quiet line")
    publish(ida, WINDOW)
    pass_id = start_rescan(ida)
    real, calls = passes._open_cases, []

    def dies(*args: Any) -> None:
        real(*args)
        calls.append(1)
        if len(calls) == stop_at:
            raise KeyboardInterrupt

    monkeypatch.setattr(passes, "_open_cases", dies)
    with pytest.raises(KeyboardInterrupt):
        stage.ask(lambda: passes.step(pass_id))
    assert len(signals(stage)) == 2 * (stop_at - 1)
    finish(stage, pass_id)
    assert len(signals(stage)) == 6
    assert len({signal.case_id for signal in signals(stage)}) == 6
    done = row(stage, pass_id)
    assert (done.found["new"], done.found["matched"], done.read) == ({"message": 6}, {"message": 6}, 9)


def test_words_edited_since_they_were_read_are_left_to_the_gate(stage: Stage, ana: Person, ida: Person) -> None:
    post = ana.opens("Windows", SEEN).post
    publish(ida, WINDOW)
    pass_id = start_rescan(ida)

    def edited_meanwhile() -> None:
        record = db.session().get_one(Pass, pass_id)
        record.cursor_kind, record.cursor_id = "post", post.id + 1
        db.session().commit()
        chunk, held = passes._next_chunk(record), db.session().get_one(Post, post.id)
        stage.do(lambda: setattr(db.session().get_one(Post, post.id), "body", "a quiet door"))
        passes._rescan(record, chunk)
        assert held.body == "a quiet door"

    stage.ask(edited_meanwhile)
    assert stage.cases() == []


def test_a_rescan_of_graver_old_words_leaves_the_clock_of_an_open_case(
    stage: Stage, ana: Person, sol: Person, ida: Person
) -> None:
    case_id = case_of(ana, f"{CRUEL} at the blue window")
    louder = read(stage, case_id).louder_at
    publish(ida, replace(WINDOW, severity="crisis"))
    rescan(ida)
    case = read(stage, case_id)
    assert (case.severity, case.concern, case.louder_at) == ("red", "suicide", louder)


@pytest.mark.parametrize("since", ["", "yesterday", "2026-13-40", "2999-01-01", "\x00"])
def test_a_day_that_is_none_is_refused_with_a_sentence(stage: Stage, ida: Person, since: str) -> None:
    answer = ida.post("/admin/rescan", since=since)
    assert answer.status_code == 422
    assert stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).select_from(Pass))) == 0


def test_one_rescan_at_a_time(ida: Person) -> None:
    assert ida.post("/admin/rescan", since="2026-01-01").status_code == 303
    assert ida.post("/admin/rescan", since="2026-01-01").status_code == 409


def test_a_rescan_is_shown_in_the_case(stage: Stage, ana: Person, mia: Person, ida: Person) -> None:
    ana.says(SEEN)
    publish(ida, WINDOW)
    rescan(ida)
    (case,) = stage.cases()
    page = mia.get(f"/desk/cases/{case.id}").text
    assert "Found when rules changed" in page
    assert '<mark class="finding is-amber" dir="auto">blue window</mark>' in page
    assert stage.ask(lambda: db.session().get_one(Case, case.id).level) == 0
