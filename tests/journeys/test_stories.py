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
    expect(card).to_contain_text(WORRYING)
    expect(card).to_contain_text("116 123")
    expect(card.get_by_role("button", name=re.compile("moderator"))).to_be_visible()
    expect(page.locator(".post.is-mine", has_text=WORRYING)).to_be_visible()


def test_worrying_words_in_the_chat_bring_support_without_reloading(visit: Visit) -> None:
    page = visit("Ana").goes_to("/rooms/1/chat")
    says(page, WORRYING)
    in_chat(page, WORRYING)
    expect(page.locator(".support")).to_contain_text("116 123")
    ben = visit("Ben").goes_to("/rooms/1/chat")
    in_chat(ben, WORRYING)
    expect(ben.locator(".support")).to_have_count(0)
