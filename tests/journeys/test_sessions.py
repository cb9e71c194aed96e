"""A facilitated session from its plan to its end, in real browsers. Content note: one plain sentence about not wanting to be here."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Community, Visitor

Visit = Callable[..., Visitor]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
WORRYING = "I don’t want to be here anymore"


def plans(visitor: Visitor, title: str, **other: str) -> str:
    """Through the form; the path of the session."""
    page = visitor.goes_to("/rooms/1/sessions/new")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Begins").fill(f"{datetime.now(ZoneInfo('Europe/London')) + timedelta(minutes=5):%Y-%m-%dT%H:%M}")
    page.get_by_label("Plan").fill("## 0 Arriving\nOne word each.\n## 30 Closing\nOne thing to take along.")
    for label, typed in other.items():
        page.get_by_label(label).fill(typed)
    page.get_by_role("button", name="Put it in the calendar").click()
    expect(page.get_by_text("is in the calendar")).to_be_visible()
    return page.url.removeprefix(visitor.community.url)


def opens(visitor: Visitor) -> None:
    visitor.page.get_by_role("button", name="Open the session").click()
    expect(visitor.page.locator(".chat")).to_be_visible()


def arrives(visitor: Visitor, session: str, words: str = "") -> Page:
    page = visitor.goes_to(session)
    page.get_by_label("I agree to the ground rules").check()
    page.get_by_label("2, Hard").check()
    page.get_by_label("In your own words").fill(words)
    page.get_by_role("button", name="Come in").click()
    return page


def says(page: Page, words: str) -> None:
    page.get_by_label("Message", exact=True).fill(words)
    page.get_by_role("button", name="Send").click()


def let_time_pass(community: Community, session: str, *, since: str = "seen_at", minutes: int = 10) -> None:
    """Nobody waits for minutes here: what was stored about the time is put back by so much."""
    table, key = ("session_facilitators", "session_id") if since == "seen_at" else ("facilitated_sessions", "id")
    moment = (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with sqlite3.connect(community.folder / "kith.sqlite3", timeout=10) as rows:
        rows.execute(f"UPDATE {table} SET {since} = ? WHERE {key} = ?", (moment, session.rsplit("/", 1)[1]))


def stored(community: Community, question: str, *given: object) -> int:
    with sqlite3.connect(community.folder / "kith.sqlite3", timeout=10) as rows:
        return int(rows.execute(question, given).fetchone()[0])


def test_a_session_from_the_door_to_its_end_by_itself(visit: Visit, community: Community) -> None:
    mia, ana, ben = visit("Mia"), visit("Ana"), visit("Ben", phone=True)
    session = plans(mia, "A slow evening", Places="1")
    waiting = arrives(ana, session, "Tired, but here")
    expect(waiting.get_by_text("You are at the door.")).to_be_visible()
    expect(mia.goes_to(session).get_by_text("Tired, but here")).to_be_visible()
    opens(mia)
    expect(ana.page.locator(".chat")).to_be_visible()  # the page went in by itself
    room = ana.page.url.split("/rooms/")[1].split("/")[0]

    arrives(ben, session)
    expect(ben.page.get_by_text("You are next.")).to_be_visible()
    expect(mia.page.locator("#waiting")).to_have_text("At the door 1")
    says(ana.page, "Good evening")
    expect(mia.page.locator(".bubble", has_text="Good evening")).to_be_visible()
    expect(ana.page.get_by_text("Arriving")).to_have_count(0)

    ana.page.get_by_role("button", name="Raise a silent hand").click()
    expect(ana.page.get_by_text("Your hand is up.")).to_be_visible()
    expect(mia.page.locator("#hands")).to_have_text("Hands 1")
    mia.page.get_by_role("button", name="Side-room with Ana").click()
    expect(mia.page.locator("[data-session-says]")).to_contain_text("only the two of you read here")
    ana.page.get_by_role("link", name="Your side-room").click()
    says(ana.page, WORRYING)
    expect(mia.page.locator(".bubble", has_text=WORRYING)).to_be_visible()
    expect(ana.page.locator(".support")).to_contain_text("116 123")
    mia.page.get_by_role("button", name="Close side-room").click()
    for page in (mia.page, ana.page):
        page.wait_for_url(re.compile(f"/rooms/{room}/chat"))
    desk = visit("Sol").goes_to("/desk")
    expect(desk.locator("[data-lane=urgent] [data-case]", has_text="Low days").first).to_be_visible()

    mia.context.close()
    let_time_pass(community, session)
    says_now = ana.page.locator("[data-session-says]")
    expect(says_now).to_contain_text("Nothing you did caused this")
    expect(ana.page.get_by_role("button", name="Send")).to_be_disabled()
    let_time_pass(community, session, since="grace_ends_at")
    ana.page.wait_for_url(re.compile(session))
    expect(ana.page.get_by_text("closed because no facilitator could come back")).to_be_visible()
    expect(ben.page.get_by_text("closed because no facilitator could come back")).to_be_visible()
    assert stored(community, "SELECT count(*) FROM messages WHERE room_id = ?", room) == 0
    assert stored(community, "SELECT count(*) FROM messages WHERE body = ?", WORRYING) >= 1, "an open case keeps its words"

    ana.page.get_by_label("4, All right").check()
    ana.page.get_by_label("In your own words").fill("Lighter")
    ana.page.get_by_role("button", name="Send").click()
    mia = visit("Mia")
    page = mia.goes_to(session)
    expect(page.get_by_text("Lighter")).to_be_visible()
    expect(page.get_by_text("kept for open cases").first).to_be_visible()
    page.get_by_label("What was it about?").fill("Sleep")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.get_by_text("The note is kept for the team.")).to_be_visible()


def test_on_a_phone_the_panel_is_one_press_away_and_the_words_stay_in_the_box(visit: Visit) -> None:
    sol, dev = visit("Sol", phone=True), visit("Dev", phone=True)
    session = plans(sol, "A short hour")
    opens(sol)
    page = arrives(dev, session)
    expect(page.get_by_label("Message", exact=True)).to_be_visible()
    page.wait_for_load_state()  # a button pressed before that is a form that leaves the page
    page.get_by_label("Message", exact=True).fill("Half a sentence")
    hand = page.get_by_role("button", name="Raise a silent hand")
    expect(hand).to_be_hidden()
    page.get_by_role("link", name="Session", exact=True).click()
    hand.click()
    expect(page.get_by_text("Your hand is up.")).to_be_visible()
    page.get_by_role("link", name="Back to the conversation").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Half a sentence")
    link = sol.page.get_by_role("link", name=re.compile("^Session 1"))
    link.click()
    sol.page.get_by_role("button", name="Seen Dev").click()
    expect(sol.page.locator("#hands")).to_have_count(0)
    sol.page.get_by_text("End the session …").click()
    sol.page.get_by_role("button", name="End it now").click()
    for visitor in (sol, dev):
        visitor.page.wait_for_url(re.compile(session))
        expect(visitor.page.get_by_text("The session is over.")).to_be_visible()


def test_without_script_a_session_is_led_and_lived(visit: Visit, community: Community) -> None:
    mia, ana = visit("Mia", javascript=False), visit("Ana", javascript=False, phone=True)
    session = plans(mia, "Plain pages")
    opens(mia)
    mia.page.get_by_role("button", name="I am here").click()
    assert stored(community, "SELECT count(*) FROM session_facilitators WHERE seen_at > ?", _utc(minutes=3)) == 1
    page = arrives(ana, session)
    says(page, "Without script")
    expect(page.locator(".bubble", has_text="Without script")).to_be_visible()
    page.get_by_role("link", name="Session", exact=True).click()
    page.get_by_role("button", name="Raise a silent hand").click()
    mia.goes_to(session)
    mia.page.get_by_role("button", name="Side-room with Ana").click()
    expect(mia.page.locator("[data-session-says]")).to_contain_text("only the two of you read here")
    page.reload()
    page.get_by_role("link", name="Session").first.click()
    page.goto(community.url + session)
    page.get_by_label("3, In between").check()
    page.get_by_role("button", name="Leave", exact=True).click()
    expect(page.get_by_role("heading", name="Come in")).to_be_visible()
    mia.goes_to(session)
    mia.page.get_by_text("End the session …").click()
    mia.page.get_by_role("button", name="End it now").click()
    expect(mia.page.get_by_text("The session is over.")).to_be_visible()


def _utc(*, minutes: int) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S.%f")


def test_a_facilitator_who_is_named_may_be_a_member_and_is_told(visit: Visit) -> None:
    mia, dev = visit("Mia"), visit("Dev")
    session = plans(mia, "Led by a member", Facilitators="Dev")
    expect(dev.goes_to("/notifications").get_by_text("You are named as a facilitator").first).to_be_visible()
    dev.goes_to(session)
    opens(dev)
    expect(dev.page.locator("#plan")).to_be_visible()
    dev.page.get_by_text("End the session …").click()
    dev.page.get_by_role("button", name="End it now").click()
    dev.page.wait_for_url(re.compile(session))


def test_a_press_counts_although_the_panel_is_renewed_under_it(visit: Visit) -> None:
    mia, people = visit("Mia"), [visit("Ana"), visit("Ben")]
    session = plans(mia, "A pressed hour")
    opens(mia)
    for person in people:
        arrives(person, session)
    hands = [person.page.get_by_role("button", name="Raise a silent hand") for person in people]
    for person, hand in zip(people, hands, strict=True):
        expect(hand).to_be_visible()
        person.page.wait_for_load_state()
    hands[0].click()
    mia.page.get_by_role("button", name="Seen Ana").hover()
    mia.page.mouse.down()
    with mia.page.expect_event("requestfinished", lambda request: request.url.endswith("/beside")):
        hands[1].click()
    mia.page.evaluate("new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame))")
    mia.page.mouse.up()
    expect(mia.page.locator("#hands")).to_have_text("Hands 1")
    expect(people[0].page.get_by_text("Your hand is up.")).to_have_count(0)
