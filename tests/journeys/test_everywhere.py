"""Every page for everybody: on a narrow phone, in both themes, without JavaScript, and for people who use a screen reader."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Visitor
from tests.live import TOP

Visit = Callable[..., Visitor]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
WORRYING = "I don’t want to be here anymore"
PICTURES = Path(os.environ.get("KITH_PICTURES", TOP / ".artifacts"))

PAGES = {
    None: ["/", "/sign-up", "/sign-in", "/help", "/house-rules", "/about", "/nowhere"],
    "Ana": ["/", "/rooms/1", "/rooms/1/topics", "/rooms/1/topics/new", "/topics/1", "/rooms/1/chat", "/rooms/1/chat?at=5",
            "/search?q=morning", "/search?q=zzz", "/notifications", "/me", "/me/apart", "/people/2/apart", "/report/post/1", "/help",
            "/help/talk", "/sessions", "/sessions/1", "/sessions/2"],
    "Mia": ["/desk", "{case}", "/sessions/1", "/sessions/1/edit", "/rooms/1/sessions/new"],
    "Noa": ["/desk"],
    "Sol": ["/desk/sanctions", "/sessions/2"],
    "Ida": ["/admin", "/admin/rooms", "/admin/rooms/1", "/admin/rooms/new", "/admin/rooms/1/members", "/admin/rooms/scopes", "/admin/people",
            "/admin/house-rules", "/admin/training", "/admin/lexicon", "/admin/lexicon/new", "/admin/lexicon/try",
            "/admin/lexicon/history", "/admin/lexicon/rules/suicide-note", "/admin/lexicon/rules/suicide-note/edit",
            "/admin/lexicon/drafts", "/admin/lexicon/packs", "/admin/lexicon/history/2", "/admin/lexicon/figures", "/admin/rescan",
            "/admin/second-signal", "/admin/audit", "/admin/sanctions", "/sessions/2",
            "/admin/rooms/1/hours"],
    "Sam": ["/suspended", "/notifications"],
}  # fmt: skip


def each_page(visitor: Visitor, paths: list[str]) -> list[str]:
    if "{case}" not in paths:
        return paths
    link = visitor.goes_to("/desk").locator("[data-case] a").first.get_attribute("href") or ""
    return [path.replace("{case}", link) for path in paths]


def problems_of(page: Page) -> list[str]:
    found = Axe().run(page)
    return [
        f"{page.url}: {wrong['id']}: {', '.join(node['html'][:120] for node in wrong['nodes'][:3])}"
        for wrong in found.response["violations"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("who", PAGES, ids=str)
def test_pages_fit_a_narrow_phone_and_can_be_used_by_everybody(visit: Visit, who: str | None, scheme: str) -> None:
    visitor = visit(who, phone=True, scheme=scheme)
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    wrong: list[str] = []
    for path in each_page(visitor, PAGES[who]):
        page = visitor.goes_to(path)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        wrong += [f"{path} is {wide} px too wide"] if wide > 0 else []
        wrong += problems_of(page)
    assert not wrong, "\n".join(wrong)


def test_tables_can_be_read_on_a_narrow_phone(visit: Visit) -> None:
    """They scroll sideways; words in them are not broken into columns of letters."""
    ida = visit("Ida", phone=True)
    for path, most in (("/admin/audit", 160), ("/admin/lexicon", 120), ("/admin/training", 600)):
        page = ida.goes_to(path)
        tall = page.locator("tbody tr").evaluate_all("rows => Math.max(...rows.map(row => row.offsetHeight))")
        assert tall < most, f"{path} has a row of {tall} px"
    page = ida.goes_to("/admin/audit")
    assert page.locator("td code").evaluate_all("all => all.every(code => code.getClientRects().length === 1)")


def test_found_words_are_marked_in_the_colours_of_the_theme(visit: Visit) -> None:
    page = visit("Ana", scheme="dark").goes_to("/search?q=morning")
    colours = page.locator("mark").first.evaluate(
        "mark => [getComputedStyle(mark).backgroundColor, getComputedStyle(mark).color]"
    )
    assert "255, 255, 0" not in colours[0]
    assert colours[1] != "rgb(0, 0, 0)"


def test_the_search_on_the_rooms_page_has_a_button_beside_it(visit: Visit) -> None:
    page = visit("Ana", phone=True).goes_to("/")
    field, button = page.get_by_role("searchbox").bounding_box(), page.get_by_role("button", name="Search").bounding_box()
    assert field
    assert button
    assert button["x"] > field["x"]
    assert abs(button["y"] - field["y"]) < 10


def test_without_script_people_read_write_report_and_decide(visit: Visit) -> None:
    ana, mia = visit("Ana", javascript=False, phone=True), visit("Mia", javascript=False, phone=True)
    page = ana.goes_to("/rooms/1/topics")
    page.locator(".topic-title").first.click()
    topic = page.url
    page.get_by_label("Your words").fill(f"Without script: {WORRYING}.")
    page.get_by_role("button", name="Post").click()
    expect(page.locator(".support")).to_contain_text("116 123")
    page.get_by_role("button", name="Talk to a moderator").click()
    expect(page.get_by_text("was passed on at")).to_be_visible()

    page = ana.goes_to("/rooms/1/chat")
    page.get_by_label("Message").fill("Without script, and it arrives")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".bubble", has_text="Without script, and it arrives")).to_be_visible()

    page.goto(topic)
    page.get_by_role("link", name=re.compile("^Report the post")).first.click()
    page.get_by_label("I am worried about this person").check()
    page.get_by_role("button", name="Send").first.click()
    expect(page.get_by_text(re.compile("[Tt]hank you")).first).to_be_visible()

    desk = mia.goes_to("/desk")
    desk.locator("[data-lane=urgent] [data-case] a").first.click()
    desk.get_by_role("button", name="Claim it").click()
    desk.get_by_text("Show the words").first.click()
    desk.get_by_label("Leave as it is").check()
    desk.get_by_label("House rule it rests on").select_option(index=1)
    desk.get_by_role("textbox", name="Reason").fill("Thank you for telling us. I am here if you want to talk.")
    desk.get_by_role("button", name="Decide", exact=True).click()
    expect(desk.get_by_text("Decided. The author reads your reason")).to_be_visible()


def test_without_script_one_finds_what_is_new_a_day_and_words_said_before(visit: Visit) -> None:
    ana, ben = visit("Ana", javascript=False, phone=True), visit("Ben", javascript=False)
    ana.goes_to("/rooms/1/chat")
    page = ben.goes_to("/rooms/1/chat")
    for number in range(8):
        page.get_by_label("Message").fill(f"Quiet line {number}")
        page.get_by_role("button", name="Send").click()
        page.locator(".bubble", has_text=f"Quiet line {number}").wait_for()
    page = ana.goes_to("/")
    expect(page.get_by_role("link", name=re.compile("^Rooms 8 unread"))).to_be_visible()
    expect(page.locator(".room", has_text="Low days").locator(".count")).to_have_text("8 unread in the chat")
    page = ana.goes_to("/rooms/1/chat")
    page.get_by_role("link", name=re.compile("^8 unread")).click()
    expect(page.locator("#new-since + .message .bubble")).to_have_text("Quiet line 0")
    expect(page.locator("#new-since")).to_be_in_viewport()
    page.get_by_text("Find", exact=True).click()
    page.get_by_label("Day", exact=True).fill("2020-02-29")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("Nothing was said here on 29 February 2020")).to_be_visible()
    expect(page.locator(".message:target")).to_be_in_viewport()
    page.get_by_text("Find", exact=True).click()
    page.get_by_label("Words in this room").fill("floor")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Chat in Low days").first.click()
    expect(page.locator(".message:target .bubble")).to_contain_text("floor")
    expect(page.locator(".message:target")).to_be_in_viewport()


def test_who_signs_in_beside_a_form_that_came_back_sends_it_with_one_press(visit: Visit) -> None:
    ana = visit("Ana")
    page = ana.goes_to("/help/talk")
    page.get_by_label("What would you like them to know?").fill("I wrote this all night.")
    ana.context.clear_cookies()
    page.get_by_role("button", name="Talk to a moderator").click()
    with ana.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in on a new page").click()
    beside = opened.value
    beside.get_by_label("Name").fill("Ana")
    beside.get_by_label("Password").fill(ana.community.passwords()["Ana"])
    beside.locator("main").get_by_role("button", name="Sign in").click()
    beside.get_by_role("button", name="Sign out").wait_for()
    beside.close()
    with page.expect_response("**/me"):
        page.bring_to_front()
        page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_text("was passed on at")).to_be_visible()


def test_the_picture_of_the_readme_can_be_taken(visit: Visit) -> None:
    """`make screenshot` keeps it in docs/; a test run leaves it in .artifacts/."""
    ana = visit("Ana")
    page = ana.goes_to("/rooms/1/chat")
    page.get_by_label("Message").fill(WORRYING)
    page.get_by_role("button", name="Send").click()
    card = page.locator(".support")
    expect(card).to_be_visible()
    PICTURES.mkdir(exist_ok=True)
    ana.picture(PICTURES / "screenshot.png")
    assert (PICTURES / "screenshot.png").stat().st_size > 20_000
