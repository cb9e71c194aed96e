"""The five stories of the main job, in two browsers at once.

Content note: one plain sentence about not wanting to be here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Visitor

Visit = Callable[..., Visitor]
WORRYING = "I don’t want to be here anymore"
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]


def room(page: Page, name: str) -> None:
    page.get_by_role("link", name="Rooms").first.click()
    page.get_by_role("link", name=name, exact=True).click()


def says(page: Page, words: str) -> None:
    page.get_by_label("Message").fill(words)
    page.get_by_role("button", name="Send").click()


def in_chat(page: Page, words: str) -> None:
    expect(page.locator(".bubble", has_text=words).last).to_be_visible()


def test_a_newcomer_signs_up_reads_answers_and_talks_live(visit: Visit) -> None:
    ana = visit()
    page = ana.goes_to("/")
    page.get_by_role("link", name="Sign up").first.click()
    page.get_by_label("Name").fill("Willow")
    page.get_by_label("Password").fill("four quiet plain words")
    page.get_by_label(re.compile("agree")).check()
    page.locator("main").get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    room(page, "Low days")
    page.get_by_role("button", name="Join this room").click()
    page.get_by_role("link", name="Topics").first.click()
    page.locator(".topic-title").first.click()
    page.get_by_label("Your words").fill("Thank you for this. It helped to read it.")
    page.get_by_role("button", name="Post").click()
    expect(page.locator(".post.is-mine", has_text="It helped to read it")).to_be_visible()

    ben = visit("Ben").goes_to("/rooms/1/chat")
    page.goto(ana.community.url + "/rooms/1/chat")
    says(page, "Hello, I am new here")
    in_chat(ben, "Hello, I am new here")
    says(ben, "Welcome, Willow")
    in_chat(page, "Welcome, Willow")


def test_worrying_words_in_a_topic_bring_support_and_are_kept(visit: Visit) -> None:
    page = visit("Ana").goes_to("/rooms/1/topics")
    page.locator(".topic-title").first.click()
    page.get_by_label("Your words").fill(WORRYING)
    page.get_by_role("button", name="Post").click()
    card = page.locator(".support")
    expect(card).to_be_visible()
    expect(card).to_contain_text("don’t want to be here")
    expect(card).to_contain_text("116 123")
    expect(card.get_by_role("button", name=re.compile("moderator"))).to_be_visible()
    expect(page.locator(".post.is-mine", has_text=WORRYING).last).to_be_visible()


def test_worrying_words_in_the_chat_bring_support_without_reloading(visit: Visit) -> None:
    page = visit("Ana").goes_to("/rooms/1/chat")
    says(page, WORRYING)
    in_chat(page, WORRYING)
    expect(page.locator(".support")).to_contain_text("116 123")
    ben = visit("Ben").goes_to("/rooms/1/chat")
    in_chat(ben, WORRYING)
    expect(ben.locator(".support")).to_have_count(0)


def cases(page: Page) -> set[str]:
    return {card.get_attribute("data-case") or "" for card in page.locator("[data-case]").all()}


def new_case(page: Page, before: set[str]) -> str:
    """The number of a case that came by itself since `before`."""
    found = page.wait_for_function(
        "before => [...document.querySelectorAll('[data-case]')].map(card => card.dataset.case).find(id => !before.includes(id))",
        arg=sorted(before),
    )
    return str(found.json_value())


def opens_a_topic(page: Page, title: str, words: str) -> None:
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + "/rooms/1/topics/new")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Your words").fill(words)
    page.get_by_role("button", name="Post").click()
    expect(page.locator(".post.is-mine").first).to_be_visible()


def test_cases_come_to_the_trained_moderator_and_to_nobody_else(visit: Visit) -> None:
    mia, noa, dev, ana = visit("Mia"), visit("Noa"), visit("Dev"), visit("Ana")
    desk, blind = mia.goes_to("/desk"), noa.goes_to("/desk")
    expect(desk.locator("[data-lane=urgent] [data-case]").first).to_be_visible()
    before = cases(desk)

    opens_a_topic(ana.goes_to("/rooms/1"), "A long evening", f"It is late. {WORRYING}.")
    first = new_case(desk, before)
    says(ana.goes_to("/rooms/1/chat"), WORRYING)
    second = new_case(desk, {*before, first})

    ranks = [int(card.get_attribute("data-rank") or "0") for card in desk.locator("[data-lane=urgent] [data-case]").all()]
    assert ranks == sorted(ranks, reverse=True), "graver cases stand first"
    assert WORRYING not in desk.content(), "the list carries no words"

    desk.locator(f"[data-case='{first}'] a").click()
    words = desk.locator(".case details.reveal").first
    expect(words.locator(".words")).to_be_hidden()
    words.locator("summary").click()
    expect(words.locator("mark.finding")).to_contain_text("don’t want to be here")
    expect(words.locator(".words")).to_contain_text(f"A long evening\nIt is late. {WORRYING}.")
    desk.goto(f"{mia.community.url}/desk/cases/{second}")
    desk.get_by_text("Around it").click()
    expect(desk.locator(".surroundings .is-target")).to_be_visible()

    expect(blind.get_by_text("No certificate in force yet")).to_be_visible()
    expect(blind.locator("[data-case], .count")).to_have_count(0)
    for stranger in (noa, dev):
        answer = stranger.page.request.get(f"{mia.community.url}/desk/cases/{first}")
        assert answer.status == 404
        assert stranger.page.request.get(f"{mia.community.url}/desk/cases/{first}/card").status == 404


def test_a_decision_reaches_its_author_with_reasons_and_how_to_appeal(visit: Visit) -> None:
    mia, sol, ana, ida = visit("Mia"), visit("Sol"), visit("Ana"), visit("Ida")
    desk, other = mia.goes_to("/desk"), sol.goes_to("/desk")
    before = cases(desk)
    says(ana.goes_to("/rooms/1/chat"), f"{WORRYING}, not tonight and not tomorrow")
    number = new_case(desk, before)

    desk.goto(f"{mia.community.url}/desk/cases/{number}")
    desk.get_by_role("button", name="Claim it").click()
    expect(desk.get_by_role("button", name="Release")).to_be_visible()
    expect(other.locator(f"[data-case='{number}'] .claimant")).to_have_text("Mia has it")

    desk.get_by_role("radio", name="Hide the words").check()
    desk.get_by_role("button", name="Decide", exact=True).click()
    expect(desk.locator(f"[data-case-open='{number}']")).to_be_visible()  # no rule and no reason: nothing is decided
    desk.get_by_label("House rule it rests on").select_option(index=1)
    reason = "I am glad you said it. I hid it because others here are having a hard night too. I am here now."
    desk.get_by_role("textbox", name="Reason").fill(reason)
    desk.get_by_role("button", name="Decide", exact=True).click()
    expect(desk.get_by_text("Decided. The author reads your reason")).to_be_visible()
    expect(other.locator(f"[data-case='{number}']")).to_have_count(0)

    page = ana.goes_to("/notifications")
    expect(page.get_by_text(reason)).to_be_visible()
    page.get_by_role("link", name="Read it and how to appeal").first.click()
    expect(page.get_by_text(reason)).to_be_visible()
    page.get_by_label("What should they know?").fill("It was how I feel. I did not mean to frighten anybody.")
    page.get_by_role("button", name="Send the appeal").click()
    expect(page.get_by_text("Your appeal is sent")).to_be_visible()

    expect(other.locator(f"[data-case='{number}']")).to_be_visible()
    log = ida.goes_to(f"/admin/audit?subject=case:{number}")
    for act in ("case.opened", "case.read", "case.claimed", "case.decided", "appeal.made"):
        expect(log.get_by_text(act, exact=True).first).to_be_visible()
    log.get_by_role("button", name="Check the chain").click()
    expect(log.get_by_text("The chain is whole")).to_be_visible()


def test_an_admin_makes_a_room_a_rule_and_a_certificate_and_each_works_at_once(visit: Visit) -> None:
    ida, ana, noa = visit("Ida"), visit("Ana"), visit("Noa")
    page = ida.goes_to("/admin/rooms/new")
    page.get_by_label("Name", exact=True).fill("Early birds")
    page.get_by_label("What it is for").fill("For mornings that begin before the light.")
    page.get_by_label("The words wait for a moderator").check()
    page.get_by_role("button", name="Make the room").click()
    expect(page.get_by_role("heading", name="Hours of Early birds")).to_be_visible()
    page.get_by_role("radio", name="These hours").check()
    page.get_by_label("Monday").fill("9-12, 14:30-18")
    page.get_by_role("group", name="Outside these hours").get_by_role("radio", name="Quiet").check()
    page.get_by_role("button", name="Save the week").click()
    expect(page.get_by_text("The hours of “Early birds” are saved.")).to_be_visible()

    room(ana.goes_to("/"), "Early birds")
    expect(ana.page.get_by_text("14:30-18:00 staffed")).to_be_visible()
    ana.page.get_by_role("button", name="Join this room").click()
    ana.page.get_by_role("link", name="Live chat").click()
    expect(ana.page.get_by_label("Message")).to_be_visible()

    blind = noa.goes_to("/desk")
    expect(blind.get_by_text("No certificate in force yet")).to_be_visible()
    page.goto(f"{ida.community.url}/admin/training")
    page.get_by_role("row", name=re.compile("^Noa")).get_by_role("link", name="Change").click()
    page.get_by_label("harassment", exact=True).check()
    page.get_by_role("button", name="Grant").click()
    expect(blind.get_by_role("heading", name="Crisis and red")).to_be_visible()

    page.goto(f"{ida.community.url}/admin/lexicon/new")
    page.get_by_label("Words to notice").fill("purple teapot")
    page.get_by_label("Concern").select_option("harassment")
    page.get_by_label("Severity").select_option("red")
    page.get_by_label("Sentences it must notice").fill("the purple teapot is here")
    page.get_by_role("button", name="Save and put in force").click()
    expect(page.get_by_text("is in force in revision")).to_be_visible()

    before = cases(blind)
    says(ana.page, "Somebody said Purple  Téapot again")
    expect(ana.page.get_by_text("Waiting for a moderator. Only you see this.")).to_be_visible()
    number = new_case(blind, before)
    blind.goto(f"{ida.community.url}/desk/cases/{number}")
    blind.locator(".case details.reveal summary").first.click()
    expect(blind.locator("mark.finding")).to_have_text("Purple  Téapot")


def test_an_unsent_rule_comes_back_with_its_choices(visit: Visit) -> None:
    """A rule that came back as amber would be put in force as amber."""
    page = visit("Ida").goes_to("/admin/lexicon/new")
    page.get_by_label("Words to notice").fill("a heavy lantern")
    page.get_by_label("Severity").select_option("red")
    page.get_by_label("Call whoever is on call").check()
    page.goto(page.url.replace("/new", ""))
    page.go_back()
    page.reload()
    expect(page.get_by_text("unsent words and choices")).to_be_visible()
    expect(page.get_by_label("Severity")).to_have_value("red")
    expect(page.get_by_label("Call whoever is on call")).to_be_checked()
    page.get_by_role("button", name="Throw away").click()
    expect(page.get_by_label("Words to notice")).to_have_value("")
    expect(page.get_by_label("Severity")).to_have_value("amber")
    expect(page.get_by_label("Ask a moderator to look")).to_be_checked()
