"""What an open desk learns by itself.

Content note: one plain sentence about not wanting to be here.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Visitor
from tests.journeys.test_stories import WORRYING, cases, new_case, says

Visit = Callable[..., Visitor]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]


def case_on(desk: Page, ana: Visitor, words: str) -> str:
    """Ana writes in the chat; the number of the case that comes to the desk."""
    before = cases(desk)
    says(ana.goes_to("/rooms/1/chat"), words)
    return new_case(desk, before)


def claims(moderator: Visitor, number: str) -> Page:
    page = moderator.goes_to(f"/desk/cases/{number}")
    page.get_by_role("button", name="Claim it").click()
    expect(page.get_by_role("button", name="Release")).to_be_visible()
    return page


def trains(ida: Visitor, name: str, act: str) -> Page:
    page = ida.goes_to("/admin/training")
    page.get_by_role("row", name=re.compile(f"^{name}")).get_by_role("link", name="Change").click()
    if act == "grant":
        page.get_by_label("suicide", exact=True).check()
        page.get_by_role("button", name="Grant").click()
    else:
        page.locator("form[action$='/certificates/suicide/revoke'] button").click()
    return page


def test_who_loses_authority_keeps_their_own_words_and_nothing_of_the_case(visit: Visit) -> None:
    mia, ana, ida = visit("Mia"), visit("Ana"), visit("Ida")
    desk = claims(mia, case_on(mia.goes_to("/desk"), ana, f"{WORRYING}, and I am tired"))
    desk.locator(".case details.reveal").first.locator("summary").click()
    expect(desk.locator("mark.finding")).to_be_visible()
    desk.get_by_role("textbox", name="Reason").fill("I am glad that you said it")
    try:
        trains(ida, "Mia", "revoke")
        expect(desk.locator(".case").get_by_text("You cannot see this case any more")).to_be_visible()
        expect(desk.get_by_text("I am glad that you said it")).to_be_visible()
        expect(desk.get_by_role("link", name="To the desk")).to_be_visible()
        assert "and I am tired" not in desk.content()
        expect(desk.get_by_text(re.compile("^You see .*, for:"))).not_to_contain_text("suicide")
        expect(desk.locator("[data-lane=urgent] [data-case]", has_text="Suicide")).to_have_count(0)
    finally:
        trains(ida, "Mia", "grant")


def test_what_changed_is_said_where_one_decides(visit: Visit) -> None:
    mia, ana, ben = visit("Mia"), visit("Ana"), visit("Ben")
    number = case_on(mia.goes_to("/desk"), ana, f"{WORRYING}, says the rain")
    desk = claims(mia, number)
    beside = desk.locator("form.decide [data-changed]")
    expect(beside).to_be_hidden()
    message = ben.goes_to("/rooms/1/chat").locator(".message", has_text="says the rain")
    message.locator("summary").click()
    message.get_by_role("link", name="Report").click()
    ben.page.get_by_label("I am worried about this person").check()
    ben.page.get_by_role("button", name="Send the report").click()
    expect(beside).to_be_visible()


def test_a_case_passed_on_counts_at_the_seniors_desk_at_once(visit: Visit) -> None:
    mia, ana, sol = visit("Mia"), visit("Ana"), visit("Sol")
    number = case_on(mia.goes_to("/desk"), ana, f"{WORRYING}, says the wind")
    sol.goes_to("/notifications")
    other = sol.goes_to("/desk")
    badge = other.locator(".site-nav a[href^='/notifications'] .count")
    expect(badge).to_have_count(0)
    desk = claims(mia, number)
    desk.get_by_text("Pass it to the senior on call").click()
    desk.get_by_label("What should they know?").fill("Please look, I know them.")
    desk.get_by_role("button", name="Pass it on").click()
    expect(desk.get_by_text(re.compile("The case was passed on"))).to_contain_text("told")
    expect(badge).to_contain_text("1")
    expect(other.locator(f"[data-case='{number}'] .badge", has_text="Passed on")).to_be_visible()
