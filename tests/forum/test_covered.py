"""What a rule masks is covered for readers until they ask; the words stay as they were written.

The rule of these tests speaks of a blue window, so that no worrying words are needed.
"""

from __future__ import annotations

from typing import Any

import pytest

from community.core import db
from community.core.text import COVER
from community.lexicon import actions as lexicon
from community.moderation.models import Snapshot
from community.moderation.reviewable import find
from community.safety import Rule
from tests.people import Person, Stage

MASK = Rule("blue-window", "blue window", "eating", "amber", action="mask")
COVERED = f"{COVER[0]}blue window{COVER[1]}"


@pytest.fixture(autouse=True)
def masked(stage: Stage, ida: Person) -> None:
    stage.do(lambda: lexicon.publish(ida.account(), note="numbers are hard to read", put=[MASK]))


def covers(stage: Stage, post_id: int) -> Any:
    return stage.ask(lambda: find("post", post_id).covers)


def test_readers_see_a_cover_and_the_author_a_note(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    post = ana.opens("Light", "Behind the *blue window* it is warm.").post
    assert covers(stage, post.id) == [[11, 24]]
    path = f"/topics/{post.topic_id}"
    for reader in (ben, mia):
        page = reader.get(path).text
        assert f"<p>Behind the <em>{COVERED}</em> it is warm.</p>" in page
        assert "Others see a part of this covered" not in page
    own = ana.get(path).text
    assert "<p>Behind the <em>blue window</em> it is warm.</p>" in own
    assert "Others see a part of this covered" in own


def test_a_topics_title_does_not_move_the_cover(stage: Stage, ana: Person, ben: Person) -> None:
    post = ana.opens("🫂 A blue window", "🫂 My blue window.").post
    assert covers(stage, post.id) == [[5, 16]]
    assert f"<p>🫂 My {COVERED}.</p>" in ben.get(f"/topics/{post.topic_id}").text


def test_changed_words_are_covered_anew(stage: Stage, ana: Person, ben: Person) -> None:
    post = ana.opens("Light", "A blue window.").post
    ana.post(f"/posts/{post.id}/edit", body="It was, long ago, a blue window.")
    assert covers(stage, post.id) == [[20, 31]]
    ana.post(f"/posts/{post.id}/edit", body="It was a green door.")
    assert covers(stage, post.id) == []
    assert "cover" not in ben.get(f"/topics/{post.topic_id}").text.split('class="posts"')[1].split("</article>")[0]


def test_two_findings_that_touch_are_one_cover(stage: Stage, ana: Person, ida: Person) -> None:
    second = Rule("window-of", "window of mine", "eating", "amber", action="mask")
    stage.do(lambda: lexicon.publish(ida.account(), note="more", put=[second]))
    post = ana.opens("Light", "a blue window of mine and a blue window").post
    assert covers(stage, post.id) == [[2, 21], [28, 39]]


def test_moderators_decide_on_the_bare_words(stage: Stage, ana: Person, sol: Person) -> None:
    ana.opens("Light", "A blue window.")
    (case,) = stage.cases()
    assert case.concern == "eating"
    assert stage.ask(lambda: db.session().query(Snapshot).one().words) == "Light\nA blue window."
    assert COVER[0] not in sol.get(f"/desk/cases/{case.id}").text


def test_nobody_can_write_a_cover_themselves(ana: Person, ben: Person) -> None:
    post = ana.opens("Light", f"{COVERED} and <span class='cover'>this</span>").post
    page = ben.get(f"/topics/{post.topic_id}").text
    assert page.count('<span class="cover">') == 1, "ours, around the words of the rule"
    assert "&lt;span class=" in page


def test_a_hit_of_the_search_is_covered_as_well(ana: Person, ben: Person) -> None:
    ana.opens("Light", "Behind the blue window it is warm.")
    found = ben.get("/search?q=window").text
    assert f"<p>Behind the {COVER[0]}blue <mark>window</mark>{COVER[1]} it is warm.</p>" in found
    assert "<p>Behind the blue <mark>window</mark> it is warm.</p>" in ana.get("/search?q=window").text


def test_the_live_page_and_the_payload_cover_the_same_words(stage: Stage, ana: Person, ben: Person) -> None:
    ana.says("🫂 the blue window 🫂")
    path = f"/rooms/{stage.low_days}/chat"
    assert f"🫂 the {COVERED} 🫂</p>" in ben.get(path).text
    own = ana.get(path).text
    assert "🫂 the blue window 🫂</p>" in own
    assert "Others see a part of this covered" in own
    (message,) = ben.get(f"{path}/messages?after=0").get_json()["messages"]
    assert (message["body"], message["covers"]) == ("🫂 the blue window 🫂", [[6, 17]])
