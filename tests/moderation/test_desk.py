"""Who sees what on the desk. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from markupsafe import escape

from community.accounts.actions import authority_changed
from community.accounts.models import Account
from community.core import db
from community.core.clock import now
from community.moderation import actions, desk
from community.moderation.access import beat_of, case_to_see, could_see, on_beat, who_may_see
from community.moderation.casefile import case_file
from community.moderation.deadlines import raise_overdue_cases
from community.moderation.highlight import Span, pieces
from community.moderation.models import Case
from community.rooms.models import Room, StaffScope
from community.safety import severity_rank
from community.training.actions import certify
from community.training.models import Certificate
from tests.moderation.acting import CRUEL, acts, appeal, case_of, claim, decide, form_of, read
from tests.people import WORRYING, Person, Stage


def ids_seen(person: Person) -> set[int]:
    return {card.id for lane in person.stage.ask(lambda: desk.desk(person.account())).lanes for card in lane.cards}


def heard(live: Any) -> list[Any]:
    return [event["args"][0].get("case") for event in live.get_received("/desk") if event["name"] == "case_changed"]


# ---- an untrained moderator


def test_an_untrained_moderator_sees_nothing_on_pages(ana: Person, noa: Person) -> None:
    case_id = case_of(ana)
    page = noa.get("/desk").text
    assert "No certificate in force yet" in page
    assert "Low days" not in page
    for path in (f"/desk/cases/{case_id}", f"/desk/cases/{case_id}/card"):
        assert noa.get(path).status_code == 404
    assert noa.get("/desk/changes").json["here"] == []


def test_an_untrained_moderator_can_do_nothing(stage: Stage, ana: Person, noa: Person) -> None:
    case_id = case_of(ana)
    before = read(stage, case_id).version
    for act in ("claim", "release", "renew", "escalate", "decide", "appeal"):
        assert noa.post(f"/desk/cases/{case_id}/{act}", note="please", outcome="uphold").status_code == 404, act
    assert read(stage, case_id).version == before


def test_an_untrained_moderator_hears_nothing(ana: Person, mia: Person, noa: Person) -> None:
    trained, untrained = mia.live("/desk"), noa.live("/desk")
    case_id = case_of(ana)
    assert heard(trained) == [case_id]
    assert untrained.get_received("/desk") == []


def test_members_have_no_desk(ana: Person, dev: Person) -> None:
    case_id = case_of(ana)
    for path in ("/desk", "/desk/changes", "/desk/sanctions", f"/desk/cases/{case_id}", f"/desk/cases/{case_id}/card", "/admin"):
        assert dev.get(path).status_code == 404, path
    assert not dev.live("/desk").is_connected("/desk")


def test_an_event_holds_an_id_and_no_words(ana: Person, mia: Person) -> None:
    live = mia.live("/desk")
    case_id = case_of(ana)
    (event,) = live.get_received("/desk")
    assert event["args"] == [{"case": case_id}]


def test_the_list_holds_no_words_and_no_author(ana: Person, mia: Person) -> None:
    case_of(ana)
    page = mia.get("/desk").text
    assert "Low days" in page
    assert "be here" not in page
    assert "Ana" not in page


# ---- certificates and scopes


def test_a_granted_certificate_opens_the_desk_at_once(stage: Stage, ana: Person, noa: Person, ida: Person) -> None:
    case_id = case_of(ana)
    live = noa.live("/desk")
    stage.do(lambda: certify(ida.account(), noa.account(), "suicide", days=30))
    assert [event["name"] for event in live.get_received("/desk")] == ["desk_changed"]
    assert ids_seen(noa) == {case_id}
    other = case_of(ana, WORRYING + " really")
    assert heard(live) == [other]


def test_a_lapsed_certificate_closes_the_desk(ana: Person, mia: Person) -> None:
    case_id, live = case_of(ana), mia.live("/desk")
    assert mia.get("/desk/changes").json["here"] == [case_id]
    with time_machine.travel(now() + timedelta(days=366)):
        assert mia.stage.ask(lambda: beat_of(mia.account()).concerns) == frozenset()
        assert mia.stage.ask(lambda: desk.changes(mia.account(), None))["here"] == []
        case_of(ana, WORRYING + " still")
        assert heard(live) == []


def test_a_revoked_certificate_closes_the_case_page(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    stage.do(lambda: db.session().execute(sa.update(Certificate).values(revoked_at=now())))
    assert mia.get(f"/desk/cases/{case_id}").status_code == 404
    assert mia.post(f"/desk/cases/{case_id}/decide", outcome="hide").status_code == 404


def test_a_moderator_sees_only_rooms_in_scope(stage: Stage, ana: Person, mia: Person) -> None:
    stage.do(
        lambda: db.session().execute(sa.update(StaffScope).where(StaffScope.account_id == mia.id).values(room_id=stage.eating))
    )
    live = mia.live("/desk")
    case_of(ana)
    inside = case_of(ana, room=stage.eating)
    assert ids_seen(mia) == {inside}
    assert heard(live) == [inside]


def test_a_moderator_of_every_room_hears_a_room_made_later(stage: Stage, ana: Person, mia: Person) -> None:
    live = mia.live("/desk")
    later = stage.do(lambda: _new_room().id)
    stage.do(lambda: _join(later, ana))
    assert heard(live) == []
    case_id = case_of(ana, room=later)
    assert heard(live) == [case_id]


def _new_room() -> Room:
    room = Room(slug="later", name="Later", created_at=now())
    db.session().add(room)
    db.session().flush()
    return room


def _join(room_id: int, person: Person) -> None:
    from community.rooms.actions import add_member

    add_member(db.session().get_one(Room, room_id), person.id)


def test_a_suspended_moderator_loses_the_desk_and_its_socket(stage: Stage, ana: Person, mia: Person) -> None:
    live = mia.live("/desk")
    stage.do(lambda: (setattr(mia.account(), "suspended_until", now() + timedelta(days=1)), authority_changed(mia.id)))
    assert not live.is_connected("/desk")
    case_of(ana)
    assert mia.get("/desk").status_code == 403


# ---- one's own words and reports


def test_nobody_sees_a_case_about_their_own_words(stage: Stage, mia: Person, sol: Person) -> None:
    stage.do(lambda: _join(stage.low_days, mia))
    mine, theirs = mia.live("/desk"), sol.live("/desk")
    case_id = case_of(mia)
    assert heard(mine) == []
    assert heard(theirs) == [case_id]
    assert ids_seen(mia) == set()
    assert mia.get(f"/desk/cases/{case_id}").status_code == 404
    assert mia.post(f"/desk/cases/{case_id}/claim").status_code == 404


def test_nobody_decides_on_a_report_they_filed(stage: Stage, ana: Person, mia: Person) -> None:
    item = ana.says("an ordinary line").message
    assert mia.post(f"/report/message/{item.id}", worry="worried").status_code == 303
    (case,) = stage.cases()
    assert ids_seen(mia) == set()
    assert mia.post(f"/desk/cases/{case.id}/claim").status_code == 404
    with pytest.raises(Exception, match="nothing here"):
        stage.ask(lambda: case_to_see(mia.account(), case.id))


# ---- order, lanes, counts


def test_the_gravest_then_the_longest_due_comes_first(stage: Stage, ana: Person, sol: Person) -> None:
    with time_machine.travel(now() - timedelta(hours=2)):
        old = case_of(ana)
    new = case_of(ana, WORRYING + " at all")
    with stage.writing() as session:
        session.execute(sa.text("UPDATE cases SET severity='crisis', severity_rank=3 WHERE id=:id"), {"id": new})
    lanes = {lane.key: [card.id for card in lane.cards] for lane in stage.ask(lambda: desk.desk(sol.account())).lanes}
    assert lanes["urgent"] == [new, old]
    with stage.writing() as session:
        session.execute(sa.text("UPDATE cases SET severity='red', severity_rank=2 WHERE id=:id"), {"id": new})
    cards = stage.ask(lambda: desk.desk(sol.account())).lanes[1].cards
    assert [(card.id, card.overdue) for card in cards] == [(old, True), (new, False)]


def test_a_long_lane_goes_on_where_it_stopped(stage: Stage, ana: Person, mia: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "IN_A_LANE", 2)
    made = [case_of(ana, f"{WORRYING} {word}") for word in ("now", "today", "tonight", "ever", "again")]
    seen, path = [], "/desk"
    while path:
        page = mia.get(path).text
        urgent = page.split('data-lane="urgent"', 1)[1].split("</section>", 1)[0]
        seen += [int(part.split('"', 1)[0]) for part in urgent.split('data-case="')[1:]]
        path = urgent.split('href="/desk?lane', 1)[1].split('"', 1)[0].replace("&amp;", "&") if "/desk?lane" in urgent else ""
        path = f"/desk?lane{path}" if path else ""
    assert seen == made


@pytest.mark.parametrize("after", ["x", "1.2", "9.9.9.9", "1.99999999999999999999999.1", "1.1.99999999999", "a.b.c", "\x00"])
def test_a_strange_place_in_a_lane_is_its_beginning(after: str, ana: Person, mia: Person) -> None:
    case_id = case_of(ana)
    answer = mia.get("/desk", query_string={"lane": "urgent", "after": after})
    assert answer.status_code == 200
    assert f'data-case="{case_id}"' in answer.text


def test_counts_hold_only_what_this_moderator_may_see(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_of(ana)
    case_of(ana, CRUEL)
    assert len(stage.cases()) == 2
    counts = {
        person.name: sum(lane.count for lane in stage.ask(lambda p=person: desk.desk(p.account())).lanes) for person in (mia, sol)
    }
    assert counts == {"Mia": 1, "Sol": 2}


def test_the_desk_is_one_statement_however_many_cases_wait(stage: Stage, ana: Person, mia: Person) -> None:
    def statements() -> int:
        count: list[str] = []
        engine = stage.app.extensions["kith_engine"]
        note = lambda *facts: count.append(facts[2])  # noqa: E731
        sa.event.listen(engine, "before_cursor_execute", note)
        mia.get("/desk")
        sa.event.remove(engine, "before_cursor_execute", note)
        return len([one for one in count if one.startswith(("SELECT", "WITH"))])

    case_of(ana)
    mia.get("/desk")  # the first visit signs in
    few = statements()
    for word in ("now", "today", "tonight"):
        case_of(ana, f"{WORRYING} {word}")
    assert statements() == few <= 5


# ---- changes


def test_changes_name_what_changed_since_and_what_is_there(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    with time_machine.travel(now() - timedelta(minutes=3)):
        old = case_of(ana)
    new = case_of(ana, WORRYING + " now")
    since = (now() - timedelta(minutes=1)).isoformat()
    answer = mia.get("/desk/changes", query_string={"since": since}).json
    assert answer["cases"] == [new]
    assert set(answer["here"]) == {old, new}
    decide(sol, new)
    assert mia.get("/desk/changes", query_string={"since": since}).json["here"] == [old]


@pytest.mark.parametrize("since", ["", "yesterday", "2026-01-01", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-23:59"])
def test_changes_understand_any_since(since: str, ana: Person, mia: Person) -> None:
    case_id = case_of(ana)
    assert mia.get("/desk/changes", query_string={"since": since}).json["cases"] == [case_id]


# ---- reading is on record


def test_opening_a_case_is_audited_once_in_ten_minutes(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    for person in (mia, mia, sol, sol):
        assert person.get(f"/desk/cases/{case_id}").status_code == 200
    assert acts(stage, f"case:{case_id}").count("case.read") == 2
    with time_machine.travel(now() + timedelta(minutes=11)):
        mia.get(f"/desk/cases/{case_id}")
    assert acts(stage, f"case:{case_id}").count("case.read") == 3


# ---- hostile words


def test_words_are_shown_as_words(ana: Person, mia: Person) -> None:
    case_id = case_of(ana, f"<script>alert(1)</script> {WORRYING} \u202egnihton")
    page = mia.get(f"/desk/cases/{case_id}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert 'class="finding is-red" dir="auto"' in page
    assert "invisible or direction-changing" in page


def test_a_claim_by_a_stranger_to_the_case_is_not_found(stage: Stage, mia: Person) -> None:
    for case_id in (999, 2**31 - 1, 2**31, 10**30):
        assert mia.get(f"/desk/cases/{case_id}").status_code == 404
        assert mia.post(f"/desk/cases/{case_id}/claim").status_code == 404
    assert actions.SUSPENSION_DAYS_MAX == 365


# ---- what an open case learns


def test_the_version_of_a_case_is_for_those_who_may_see_it(stage: Stage, ana: Person, mia: Person, noa: Person) -> None:
    case_id = case_of(ana)
    assert mia.get(f"/desk/cases/{case_id}/version").json == {"version": read(stage, case_id).version}
    assert noa.get(f"/desk/cases/{case_id}/version").status_code == 404
    stage.do(lambda: db.session().execute(sa.update(Certificate).values(revoked_at=now())))
    assert mia.get(f"/desk/cases/{case_id}/version").status_code == 404


def test_what_one_sees_is_said_with_the_lists(ana: Person, mia: Person, noa: Person) -> None:
    case_of(ana)
    lists = mia.get("/desk", headers={"X-Requested-With": "kith"}).text
    assert "You see every room, for: hopelessness, self harm, suicide." in lists
    assert "data-nothing" not in lists
    assert "data-nothing" in noa.get("/desk", headers={"X-Requested-With": "kith"}).text


@pytest.mark.parametrize("kind", ["post", "message"])
def test_the_desk_learns_that_words_were_taken_back(stage: Stage, ana: Person, mia: Person, kind: str) -> None:
    from community.chat.actions import withdraw_message
    from community.forum.actions import withdraw_post

    item = ana.opens("Tonight", WORRYING).post if kind == "post" else ana.says(WORRYING).message
    (case,) = stage.cases()
    claim(mia, case.id)
    form, live = form_of(stage, case.id), mia.live("/desk")
    take_back = withdraw_post if kind == "post" else withdraw_message
    stage.do(lambda: take_back(ana.account(), item.id))
    assert heard(live) == [case.id]
    assert "case.words-withdrawn" in acts(stage, f"case:{case.id}")
    answer = mia.post(f"/desk/cases/{case.id}/decide", **form)
    assert answer.status_code == 409
    assert "the author took the words back" in answer.text
    assert "The author took the words back" in mia.get(f"/desk/cases/{case.id}").text


def test_words_taken_back_after_a_decision_open_nothing(stage: Stage, ana: Person, mia: Person) -> None:
    from community.forum.actions import withdraw_post

    post = ana.opens("Tonight", WORRYING).post
    (case,) = stage.cases()
    decide(mia, case.id, "leave")
    before = read(stage, case.id).version
    stage.do(lambda: withdraw_post(ana.account(), post.id))
    assert (read(stage, case.id).state, read(stage, case.id).version) == ("closed", before)


def test_changes_count_every_lane_whole(
    stage: Stage, ana: Person, mia: Person, sol: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "IN_A_LANE", 1)
    held, *_ = [case_of(ana, f"{WORRYING} {word}") for word in ("now", "today", "tonight")]
    claim(mia, held)
    assert mia.get("/desk/changes").json["lanes"] == {"mine": 1, "urgent": 2, "amber": 0, "appeals": 0, "green": 0}
    assert sol.get("/desk/changes").json["lanes"]["urgent"] == 3


# ---- what nobody could take


def gaps(ida: Person) -> str:
    return str(ida.get("/admin").text.split('<div class="tiles">', 1)[0])


def test_the_overview_names_cases_nobody_is_trained_for(ana: Person, mia: Person, ida: Person) -> None:
    case_of(ana)
    assert "cannot be taken" not in gaps(ida)
    case_of(ana, CRUEL)
    assert "1 case about harassment in Low days" in gaps(ida)
    assert "is certified for it there" in gaps(ida)


def test_the_overview_names_an_appeal_that_only_its_first_decider_could_take(
    stage: Stage, ana: Person, mia: Person, ida: Person
) -> None:
    appeal(ana, decide(mia, case_of(ana), "warn").id)
    assert "1 case about suicide in Low days" in gaps(ida)
    assert "decided it before" in gaps(ida)


def test_the_overview_names_what_only_its_author_or_reporter_could_take(
    stage: Stage, mia: Person, ana: Person, ida: Person
) -> None:
    stage.do(lambda: _join(stage.low_days, mia))
    case_of(mia)
    item = ana.says("an ordinary line").message
    mia.post(f"/report/message/{item.id}", worry="worried")
    assert "2 cases about suicide in Low days" in gaps(ida)


def test_the_overview_names_what_was_passed_on_to_seniors_there_are_not(
    stage: Stage, ana: Person, mia: Person, ida: Person
) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    stage.do(lambda: actions.escalate(mia.account(), case_id, note="Please look."))
    assert "1 case about suicide in Low days" in gaps(ida)


def test_the_sides_of_the_rule_agree(
    stage: Stage, ana: Person, ben: Person, mia: Person, noa: Person, sol: Person, ida: Person
) -> None:
    """Who sees a case is asked from the moderator's side, from the case's, and of both at once."""
    stage.do(lambda: _join(stage.low_days, mia))
    stage.do(lambda: certify(ida.account(), noa.account(), "harassment", days=30))
    scoped = sa.update(StaffScope).where(StaffScope.account_id == noa.id).values(room_id=stage.eating)
    stage.do(lambda: db.session().execute(scoped))
    for person, words, room in ((ana, WORRYING, None), (mia, WORRYING, None), (ana, CRUEL, stage.eating), (ben, CRUEL, None)):
        case_of(person, words, room=room)
    sol.post(f"/report/message/{stage.cases()[3].target_id}", worry="cruel")

    def sides(case: Case) -> list[set[int]]:
        accounts = list(db.session().scalars(sa.select(Account)))
        one = {
            who.id for who in accounts if db.session().scalar(sa.select(Case.id).where(Case.id == case.id, on_beat(beat_of(who))))
        }
        other = set(db.session().scalars(who_may_see(case)))
        both = set(db.session().scalars(sa.select(Account.id).join(Case, Case.id == case.id).where(could_see())))
        return [one, other, both]

    seen = [stage.ask(lambda case=case: sides(case)) for case in stage.cases()]
    assert seen == [[who] * 3 for who in ({mia.id, sol.id}, {sol.id}, {noa.id, sol.id}, set())]


# ---- what a case page puts together


def test_findings_that_say_the_same_are_one_reason_and_the_gravest_comes_first(
    stage: Stage, ana: Person, ben: Person, sol: Person
) -> None:
    case_id = case_of(ana, f"{CRUEL}. {WORRYING}. I want to die")
    ben.post(f"/report/message/{read(stage, case_id).target_id}", worry="advert", note="Is this spam?")
    file = stage.ask(lambda: case_file(sol.account(), case_id))
    ranks = [severity_rank(reason.newest.severity) for reason in file.reasons]
    assert ranks == sorted(ranks, reverse=True)
    said = [(reason.newest.kind, reason.newest.concern, reason.newest.severity) for reason in file.reasons]
    assert len(set(said)) == len(said) < len(file.signals)
    page = sol.get(f"/desk/cases/{case_id}").text
    for signal in file.signals:
        assert page.count(str(escape(signal.explanation))) == 1


def test_a_clock_that_goes_on_and_on_is_one_line_of_what_happened(stage: Stage, ana: Person, sol: Person) -> None:
    case_id, begun = case_of(ana), now()
    for turn in range(1, 5):
        with time_machine.travel(begun + timedelta(minutes=21 * turn)), stage.app.app_context():
            raise_overdue_cases()
    with time_machine.travel(begun + timedelta(minutes=90)):
        claim(sol, case_id)
    file = stage.ask(lambda: case_file(sol.account(), case_id))
    assert [entry.act for entry in file.history] == ["case.claimed", "case.overdue", "case.opened"]


@pytest.mark.parametrize(
    ("spans", "marks"),
    [
        ([(0, 4, "amber"), (2, 8, "red")], [("01234567", "red")]),
        ([(0, 4, "amber"), (4, 8, "red")], [("0123", "amber"), ("4567", "red")]),
        ([(2, 3, "crisis"), (0, 8, "green")], [("01234567", "crisis")]),
        ([(6, 99, "red"), (-3, 2, "amber")], [("01", "amber"), ("2345", ""), ("67", "red")]),
    ],
)
def test_spans_that_overlap_are_one_mark(spans: list[tuple[int, int, str]], marks: list[tuple[str, str]]) -> None:
    cut = [(piece.words, piece.severity) for piece in pieces("01234567", [Span(*span) for span in spans])]
    assert "".join(words for words, _ in cut) == "01234567"
    assert cut == marks
