"""Claims, decisions and what they do. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from community.chat.models import Message
from community.core import db
from community.core.clock import now
from community.core.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from community.moderation import actions
from community.moderation.deadlines import end_old_claims
from community.moderation.models import Decision, Sanction
from community.notifications.models import Notification
from tests.moderation.acting import CRUEL, acts, case_of, claim, decide, form_of, read, ruling, told
from tests.people import WORRYING, Person, Stage


def visibility(stage: Stage, message_id: int) -> str:
    return stage.ask(lambda: db.session().get_one(Message, message_id).visibility)


def count(stage: Stage, table: type) -> int:
    return stage.ask(lambda: db.session().scalar(sa.select(sa.func.count()).select_from(table)) or 0)


# ---- claiming


def test_of_two_claims_one_wins_and_the_other_learns_who_has_it(ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    claim(sol, case_id)
    with pytest.raises(Conflict, match="Sol has this case until"):
        claim(mia, case_id)
    answer = mia.post(f"/desk/cases/{case_id}/claim")
    assert answer.status_code == 409
    assert "Sol has this case until" in answer.text


def test_of_many_claims_at_the_very_same_moment_one_wins(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    together, won, lost = threading.Barrier(6, timeout=20), [], []

    def attempt(person: Person) -> None:
        with stage.app.app_context():
            person.account()
            together.wait()
            try:
                with db.write():
                    actions.claim(person.account(), case_id, lease_minutes=10)
                won.append(person.name)
            except Conflict:
                lost.append(person.name)

    threads = [threading.Thread(target=attempt, args=(person,), daemon=True) for person in (mia, sol, mia, sol, mia, sol)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(won) + len(lost) == 6
    assert len(set(won)) == 1, (won, lost)
    assert read(stage, case_id).claimed_by_id == {"Mia": mia.id, "Sol": sol.id}[won[0]]


def test_a_claim_is_a_lease(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    with time_machine.travel(now() + timedelta(minutes=11)):
        with pytest.raises(Conflict, match="Your claim has ended"):
            stage.do(lambda: actions.decide(mia.account(), case_id, ruling(stage, case_id)))
        claim(sol, case_id)
    assert read(stage, case_id).claimed_by_id == sol.id


def test_a_claim_nobody_renews_ends_by_itself(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    with stage.app.app_context():
        end_old_claims()
    assert read(stage, case_id).state == "claimed"
    with time_machine.travel(now() + timedelta(minutes=11)), stage.app.app_context():
        end_old_claims()
    case = read(stage, case_id)
    assert (case.state, case.claimed_by_id) == ("open", None)
    assert acts(stage, f"case:{case_id}")[-1] == "case.claim-ended"


def test_looking_renews_a_claim_and_spoils_no_decision(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    written = ruling(stage, case_id)
    with time_machine.travel(now() + timedelta(minutes=9)):
        answer = mia.client.post(
            f"/desk/cases/{case_id}/renew", headers={"X-Requested-With": "kith"}, data={"csrf_token": mia.csrf()}
        )
        assert answer.json["ok"]
    with time_machine.travel(now() + timedelta(minutes=15)):
        stage.do(lambda: actions.decide(mia.account(), case_id, written))
    assert read(stage, case_id).state == "closed"


def test_a_released_case_waits_for_somebody_else(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    assert mia.post(f"/desk/cases/{case_id}/release").status_code == 303
    assert read(stage, case_id).state == "open"
    claim(sol, case_id)
    assert acts(stage, f"case:{case_id}") == ["case.opened", "case.claimed", "case.released", "case.claimed"]


def test_nobody_decides_what_they_do_not_hold(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    with pytest.raises(Forbidden, match="Claim the case first"):
        stage.do(lambda: actions.decide(mia.account(), case_id, ruling(stage, case_id)))
    claim(sol, case_id)
    with pytest.raises(Forbidden, match="Claim the case first"):
        stage.do(lambda: actions.decide(mia.account(), case_id, ruling(stage, case_id)))


# ---- passing on


def test_a_case_passed_on_is_for_seniors_and_they_are_told(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    assert mia.post(f"/desk/cases/{case_id}/escalate", note="Please look, I know them.").status_code == 303
    assert read(stage, case_id).state == "escalated"
    assert [data["case"] for data in told(sol, "case-paged")] == [case_id]
    with pytest.raises(Forbidden, match="passed to the senior"):
        claim(mia, case_id)
    assert "Please look, I know them." in sol.get(f"/desk/cases/{case_id}").text
    claim(sol, case_id)


def test_passing_on_needs_a_sentence(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    answer = mia.post(f"/desk/cases/{case_id}/escalate", note=" ")
    assert answer.status_code == 422
    assert read(stage, case_id).state == "claimed"


def test_with_nobody_on_call_admins_hear_of_a_case_passed_on(stage: Stage, ana: Person, mia: Person, ida: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    stage.do(lambda: actions.escalate(mia.account(), case_id, note="I need somebody else."))
    assert [data["case"] for data in told(ida, "case-paged")] == [case_id]


# ---- deciding


@pytest.mark.parametrize(
    ("outcome", "hide", "left"),
    [("leave", False, "visible"), ("hide", False, "hidden"), ("warn", False, "visible"), ("warn", True, "hidden"),
     ("suspend", True, "hidden"), ("suspend", False, "visible")],
)  # fmt: skip
def test_a_decision_does_what_it_says_to_the_words(outcome: str, hide: bool, left: str, ana: Person, mia: Person) -> None:
    case_id = case_of(ana)
    decide(mia, case_id, outcome, hide_words=hide)
    assert visibility(mia.stage, read(mia.stage, case_id).target_id) == left


def test_held_words_are_let_out_by_a_decision_to_leave_them(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    live = ben.live()
    live.emit("enter_room", {"room": stage.eating}, callback=True)
    case_id = case_of(ana, room=stage.eating)
    message = read(stage, case_id).target_id
    assert visibility(stage, message) == "held"
    live.get_received()
    decide(mia, case_id, "leave")
    assert visibility(stage, message) == "visible"
    assert [event["args"]["id"] for event in live.get_received() if event["name"] == "message"] == [message]


def test_restoring_announces_the_words_again(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    case_id = case_of(ana)
    message = read(stage, case_id).target_id
    decide(mia, case_id, "hide")
    live = ben.live()
    live.emit("enter_room", {"room": stage.low_days}, callback=True)
    live.get_received()
    stage.do(lambda: actions.ask_for_moderator(ana.account(), told_support(ana), note=""))
    decide(mia, case_id, "restore")
    assert visibility(stage, message) == "visible"
    assert message in [event["args"]["id"] for event in live.get_received() if event["name"] == "message"]


def told_support(person: Person) -> int:
    rows = sa.select(Notification.id).where(Notification.account_id == person.id, Notification.kind == "support")
    return person.stage.ask(lambda: db.session().scalars(rows.order_by(Notification.id).limit(1)).one())


def test_only_restoring_shows_again_what_was_hidden(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_of(ana)
    decide(mia, case_id, "hide")
    stage.do(lambda: actions.ask_for_moderator(ana.account(), told_support(ana), note="please"))
    decide(mia, case_id, "warn")
    assert visibility(stage, read(stage, case_id).target_id) == "hidden"


def test_the_author_reads_the_reason_and_no_name(ana: Person, mia: Person) -> None:
    decision = decide(mia, case_of(ana), "hide")
    (data,) = told(ana, "decision")
    assert data["reason"] == decision.reason
    page = ana.get(f"/decisions/{decision.id}").text
    assert decision.reason in page
    assert "Keep it safe" in page
    assert "Mia" not in page


def test_a_statement_is_for_the_author_alone(ana: Person, ben: Person, mia: Person) -> None:
    decision = decide(mia, case_of(ana), "hide")
    for person in (ben, mia):
        assert person.get(f"/decisions/{decision.id}").status_code == 404
        assert person.post(f"/decisions/{decision.id}/appeal", words="No").status_code == 404


def test_a_decision_by_the_form_is_one_decision_however_often_it_is_sent(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    form = form_of(stage, case_id, "warn")
    assert [mia.post(f"/desk/cases/{case_id}/decide", **form).status_code for _ in range(2)] == [303, 303]
    assert count(stage, Decision) == 1
    assert acts(stage, f"case:{case_id}")[-1] == "case.decided"


def test_a_stale_decision_is_refused_and_leaves_nothing_behind(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    form = form_of(stage, case_id, "suspend", reason="My careful words")
    message = read(stage, case_id).target_id
    assert ben.post(f"/report/message/{message}", worry="worried", note="I know her").status_code == 303
    answer = mia.post(f"/desk/cases/{case_id}/decide", **form)
    assert answer.status_code == 409
    assert "there is a new reason to look at it" in answer.text
    assert "My careful words" in answer.text
    assert (count(stage, Decision), count(stage, Sanction), told(ana, "decision")) == (0, 0, [])
    assert visibility(stage, message) == "visible"
    assert read(stage, case_id).state == "claimed"
    assert mia.post(f"/desk/cases/{case_id}/decide", **form_of(stage, case_id, "leave")).status_code == 303


def test_a_decision_on_words_that_were_edited_meanwhile_is_refused(stage: Stage, ana: Person, mia: Person) -> None:
    from community.forum.actions import edit_post

    post = ana.opens("Tonight", WORRYING).post
    (case,) = stage.cases()
    claim(mia, case.id)
    form = form_of(stage, case.id)
    stage.do(lambda: edit_post(ana.account(), post.id, body="I am all right again, sorry.", limit=10_000))
    answer = mia.post(f"/desk/cases/{case.id}/decide", **form)
    assert answer.status_code == 409
    assert "the author edited the words" in answer.text
    assert "I am all right again" in answer.text


@pytest.mark.parametrize(
    ("field", "value"),
    [("outcome", ""), ("outcome", "ban"), ("rule", ""), ("rule", "\x00"), ("reason", "  "), ("reason", "x" * 4_001), ("days", "0"),
     ("days", "99999999999999999999"), ("version", "x"), ("snapshot", "99999999999")],
)  # fmt: skip
def test_a_form_that_cannot_be_taken_comes_back_with_everything(
    field: str, value: str, stage: Stage, ana: Person, mia: Person
) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    form = form_of(stage, case_id, "suspend", reason="My careful words") | {field: value}
    answer = mia.post(f"/desk/cases/{case_id}/decide", **form)
    assert answer.status_code in (409, 422)
    assert "errors" in answer.text
    assert field == "reason" or "My careful words" in answer.text
    assert count(stage, Decision) == 0


def test_an_ended_claim_is_taken_up_again_without_losing_a_word(stage: Stage, ana: Person, mia: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    form = form_of(stage, case_id, reason="My careful words")
    with time_machine.travel(now() + timedelta(minutes=11)):
        answer = mia.post(f"/desk/cases/{case_id}/decide", **form)
        assert answer.status_code == 409
        assert "My careful words" in answer.text
        assert "Claim it again" in answer.text
        again = mia.post(f"/desk/cases/{case_id}/claim", **form)
        assert again.status_code == 200
        assert "My careful words" in again.text
        assert mia.post(f"/desk/cases/{case_id}/decide", **form_of(stage, case_id)).status_code == 303


def test_after_the_sweep_an_ended_claim_is_said_to_have_ended(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    case_id = case_of(ana)
    claim(mia, case_id)
    form = form_of(stage, case_id, reason="My careful words")
    with time_machine.travel(now() + timedelta(minutes=11)):
        with stage.app.app_context():
            end_old_claims()
        answer = mia.post(f"/desk/cases/{case_id}/decide", **form)
        assert "Your claim has ended. Claim the case again; what you wrote is still in the form." in answer.text
        assert "My careful words" in answer.text
        claim(sol, case_id)
        answer = mia.post(f"/desk/cases/{case_id}/decide", **form)
        assert "Your claim has ended, and somebody else has the case now." in answer.text
        assert "My careful words" in answer.text


def test_the_case_of_another_snapshot_is_refused(stage: Stage, ana: Person, mia: Person) -> None:
    case_id, other = case_of(ana), case_of(ana, WORRYING + " now")
    claim(mia, case_id)
    wrong = ruling(stage, case_id, snapshot_id=ruling(stage, other).snapshot_id)
    with pytest.raises(Conflict, match="not those of this case"):
        stage.do(lambda: actions.decide(mia.account(), case_id, wrong))


def test_a_moderator_does_not_suspend_one_of_the_team(stage: Stage, mia: Person, noa: Person, sol: Person) -> None:
    from community.rooms.actions import join_room

    stage.do(lambda: join_room(noa.account(), stage.low_days))
    case_id = case_of(noa)
    claim(mia, case_id)
    with pytest.raises(Forbidden, match="only a senior"):
        stage.do(lambda: actions.decide(mia.account(), case_id, ruling(stage, case_id, "suspend")))
    stage.do(lambda: actions.release(mia.account(), case_id))
    decide(sol, case_id, "suspend")
    assert stage.ask(lambda: noa.account().is_suspended)


# ---- suspensions


def test_a_suspension_bites_on_pages_and_sockets_at_once(stage: Stage, ana: Person, mia: Person) -> None:
    live = ana.live()
    assert ana.get("/").status_code == 200
    decision = decide(mia, case_of(ana), "suspend")
    assert not live.is_connected()
    assert not ana.live().is_connected()
    assert ana.post(f"/rooms/{stage.low_days}/chat", body="hello", key="k").status_code == 403
    assert ana.get(f"/report/message/{1}").status_code == 403
    with pytest.raises(Refused):
        ana.says("hello")
    for path in (f"/decisions/{decision.id}", f"/support/{told_support(ana)}", "/notifications"):
        assert ana.get(path).status_code == 200, path


def test_a_suspension_ends_by_itself(stage: Stage, ana: Person, mia: Person) -> None:
    decide(mia, case_of(ana), "suspend", days=2)
    with time_machine.travel(now() + timedelta(days=2, minutes=1)):
        assert not stage.ask(lambda: ana.account().is_suspended)


def test_a_sanction_is_lifted_only_by_its_own_decision(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    decide(mia, case_of(ana), "suspend", days=3)
    second = case_of_suspended(stage, ana, mia)
    first_sanction, second_sanction = stage.ask(lambda: list(db.session().scalars(sa.select(Sanction.id).order_by(Sanction.id))))
    stage.do(lambda: actions.lift_sanction(sol.account(), second_sanction, reason="It was too long."))
    assert stage.ask(lambda: ana.account().is_suspended)
    stage.do(lambda: actions.lift_sanction(sol.account(), first_sanction, reason="Enough."))
    assert not stage.ask(lambda: ana.account().is_suspended)
    assert second.outcome == "suspend"
    with pytest.raises(Conflict, match="already"):
        stage.do(lambda: actions.lift_sanction(sol.account(), first_sanction, reason="Again."))


def case_of_suspended(stage: Stage, ana: Person, mia: Person) -> Decision:
    """A second decision on the same words, while the first one's suspension runs."""
    stage.do(lambda: actions.ask_for_moderator(ana.account(), told_support(ana), note="please"))
    (case,) = stage.cases()
    return decide(mia, case.id, "suspend", days=30)


def test_only_seniors_lift_and_nobody_their_own(stage: Stage, ana: Person, mia: Person, sol: Person) -> None:
    decide(mia, case_of(ana), "suspend")
    assert mia.get("/desk/sanctions").status_code == 404
    assert mia.post("/desk/sanctions/1/lift", reason="Please").status_code == 404
    assert sol.get("/desk/sanctions").status_code == 200
    refused = sol.post("/desk/sanctions/1/lift", reason="")
    assert refused.status_code == 422
    assert sol.post("/desk/sanctions/1/lift", reason="Talked it over.").status_code == 303
    assert told(ana, "sanction-lifted")[0]["reason"] == "Talked it over."


# ---- reports


def test_a_report_reaches_those_trained_for_what_it_is_about(stage: Stage, ana: Person, ben: Person, sol: Person) -> None:
    item = ana.says("an ordinary line").message
    answer = ben.post(f"/report/message/{item.id}", worry="cruel", note="<b>mean</b>", _follow=True)
    assert "What happens next" in answer.text
    (case,) = stage.cases()
    assert (case.concern, case.severity) == ("harassment", "amber")
    page = sol.get(f"/desk/cases/{case.id}").text
    assert "&lt;b&gt;mean&lt;/b&gt;" in page
    assert "Reported by a member" in page
    assert "Ben" not in page.split("Why it is here", 1)[1]


def test_saying_the_same_twice_is_saying_it_once(stage: Stage, ana: Person, ben: Person) -> None:
    item = ana.says("an ordinary line").message
    for note in ("mean", "mean", "", "and it goes on"):
        ben.post(f"/report/message/{item.id}", worry="cruel", note=note)
    (case,) = stage.cases()
    assert acts(stage, f"case:{case.id}") == ["case.opened", "case.signal-added"]


def test_nobody_reports_what_they_may_not_read(stage: Stage, ana: Person, ben: Person, dev: Person) -> None:
    held = ana.says(WORRYING, room=stage.eating).message
    for path in (f"/report/message/{held.id}", "/report/message/999", f"/report/room/{held.id}", "/report/post/99999999999"):
        assert ben.get(path).status_code == 404, path
        assert ben.post(path, worry="cruel").status_code == 404, path
    stage.do(lambda: db.session().execute(sa.text("UPDATE rooms SET read_by='joined'")))
    seen = ana.says("an ordinary line").message
    assert ben.get(f"/report/message/{seen.id}").status_code == 200
    assert dev.get(f"/report/message/{seen.id}").status_code == 404


def test_a_post_in_a_hidden_topic_is_not_there_to_report(stage: Stage, ana: Person, ben: Person) -> None:
    topic = ana.opens("Quiet", "An ordinary post").post
    reply = ana.answers(topic.topic_id, "and an ordinary answer").post
    assert ben.get(f"/report/post/{reply.id}").status_code == 200
    stage.do(lambda: db.session().execute(sa.text("UPDATE topics SET visibility='hidden'")))
    assert ben.get(f"/report/post/{reply.id}").status_code == 404


def test_a_report_that_cannot_be_taken_keeps_its_words(ana: Person, ben: Person) -> None:
    item = ana.says("an ordinary line").message
    for fields in ({"worry": "", "note": "my note"}, {"worry": "cruel", "note": "my note " + "x" * 2000}):
        answer = ben.post(f"/report/message/{item.id}", **fields)
        assert answer.status_code == 422
        assert "my note" in answer.text
    assert ben.stage.cases() == []


def test_nobody_reports_their_own_words(ana: Person) -> None:
    item = ana.says("an ordinary line").message
    assert ana.get(f"/report/message/{item.id}").status_code == 403
    assert ana.post(f"/report/message/{item.id}", worry="cruel").status_code == 403


# ---- the author's card


def test_the_support_card_is_the_authors_alone(ana: Person, ben: Person, mia: Person) -> None:
    card = ana.says(WORRYING).reviewed.support_id
    page = ana.get(f"/support/{card}").text
    assert "don’t want to be here" in page
    assert "Samaritans" in page
    assert "visible in “Low days”" in page
    for person in (ben, mia):
        assert person.get(f"/support/{card}").status_code == 404
        assert person.post(f"/support/{card}/talk").status_code == 404


def test_the_support_card_says_who_sees_the_words_now(stage: Stage, ana: Person, mia: Person) -> None:
    card = ana.says(WORRYING, room=stage.eating).reviewed.support_id
    assert "until one has read them" in ana.get(f"/support/{card}").text
    (case,) = stage.cases()
    decide(mia, case.id, "leave")
    assert "Your words are visible in “Eating”" in ana.get(f"/support/{card}").text


def test_asking_for_a_moderator_is_passed_on_however_often(stage: Stage, ana: Person, mia: Person) -> None:
    card = ana.says(WORRYING).reviewed.support_id
    for note in ("", "", "I am scared"):
        assert ana.post(f"/support/{card}/talk", note=note).status_code == 303
    page = ana.get(f"/support/{card}", headers={"X-Requested-With": "kith"}).text
    assert "was passed on at" in page
    assert "<html" not in page
    (case,) = stage.cases()
    assert acts(stage, f"case:{case.id}").count("case.signal-added") == 2
    assert "I am scared" in mia.get(f"/desk/cases/{case.id}").text


def test_asking_after_a_decision_opens_the_case_again(stage: Stage, ana: Person, mia: Person) -> None:
    written = ana.says(WORRYING)
    (case,) = stage.cases()
    decide(mia, case.id, "leave")
    ana.post(f"/support/{written.reviewed.support_id}/talk", note="I would still like to talk")
    assert (read(stage, case.id).state, read(stage, case.id).severity) == ("open", "red")


def test_a_note_that_is_too_long_is_given_back(ana: Person) -> None:
    card = ana.says(WORRYING).reviewed.support_id
    answer = ana.post(f"/support/{card}/talk", note="x" * 2_001)
    assert answer.status_code == 422
    assert "x" * 2_001 in answer.text


def test_verbs_refuse_what_the_actor_may_not_see(stage: Stage, ana: Person, dev: Person) -> None:
    card = ana.says(CRUEL + " " + WORRYING).reviewed.support_id
    with pytest.raises(NotFound):
        stage.do(lambda: actions.ask_for_moderator(dev.account(), card, note=""))
    item = ana.says("an ordinary line").message
    with pytest.raises(Invalid):
        stage.do(lambda: actions.report(dev.account(), "message", item.id, concern="weather", note=""))
