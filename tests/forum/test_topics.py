"""Reading and writing in the forum, as people do it in a browser. Content note: plain, short sentences about not wanting to live."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa

from community.core import db
from community.forum.models import Post, Topic
from community.moderation.reviewable import find
from community.rooms.models import Membership, Room
from tests.moderation.acting import decide
from tests.people import WORRYING, Person, Stage


def form_key(page: Any) -> str:
    found = re.search(r'name="form_key" value="([0-9a-f]{32})"', page.text)
    assert found, "the page has a form with a key"
    return found[1]


def open_topic(person: Person, room: int, title: str = "Mornings", body: str = "They are hard.") -> Any:
    key = form_key(person.get(f"/rooms/{room}/topics/new"))
    return person.post(f"/rooms/{room}/topics/new", title=title, body=body, form_key=key)


def reply(person: Person, topic: str, body: str) -> Any:
    return person.post(f"{topic}/posts", body=body, form_key=form_key(person.get(topic)))


def posts_in(stage: Stage) -> list[Post]:
    return stage.ask(lambda: list(db.session().scalars(sa.select(Post).order_by(Post.id))))


def hide(stage: Stage, post_id: int, visibility: str = "hidden") -> None:
    def act() -> None:
        post = find("post", post_id)
        post.visibility = visibility
        post.changed()

    stage.do(act)


def settle_room(stage: Stage, **settings: Any) -> None:
    stage.do(lambda: db.session().execute(sa.update(Room).where(Room.id == stage.low_days).values(**settings)))


def test_a_topic_is_written_listed_and_answered(stage: Stage, ana: Person, ben: Person) -> None:
    answer = open_topic(ana, stage.low_days)
    assert answer.status_code == 303
    topic = answer.location.split("?")[0]
    assert "They are hard." in ana.get(answer.location).text
    listed = ben.get(f"/rooms/{stage.low_days}/topics").text
    assert "Mornings" in listed
    assert "no replies yet" in listed
    answered = reply(ben, topic, "Mine too.")
    assert answered.status_code == 303
    assert "Mine too." in ana.get(answered.location).text
    assert "1 reply" in ana.get(f"/rooms/{stage.low_days}/topics").text


def test_worrying_words_show_their_author_a_card_right_above_them(stage: Stage, ana: Person, ben: Person) -> None:
    answer = open_topic(ana, stage.low_days, body=WORRYING)
    assert "support=" in answer.location
    page = ana.get(answer.location).text
    assert page.index("You are not alone with this") < page.index(WORRYING)
    assert "You are not alone with this" not in ben.get(answer.location).text
    (case,) = stage.cases()
    assert case.concern == "suicide"


def test_held_words_are_read_by_their_author_and_in_their_case_only(
    stage: Stage, ana: Person, ben: Person, mia: Person, noa: Person, ida: Person
) -> None:
    """Nobody of the team reads them in the room: a certified moderator opens the case, which is on record."""
    topic = open_topic(ana, stage.eating, title="Dinner", body="How was yours?").location.split("?")[0]
    assert reply(ana, topic, WORRYING).status_code == 303
    mine = ana.get(topic).text
    assert "Only you see this. It waits for a moderator." in mine
    assert WORRYING in mine
    for person in (ben, mia, noa, ida):
        seen = person.get(topic).text
        assert "This post waits for a moderator." in seen
        assert WORRYING not in seen
        assert ("Open its case" in seen) == (person is mia)


def test_a_held_topic_is_there_for_its_author_and_on_the_desk_only(stage: Stage, ana: Person, mia: Person, noa: Person) -> None:
    answer = open_topic(ana, stage.eating, title="Tonight", body=WORRYING)
    assert mia.get(answer.location).status_code == 200
    assert noa.get(answer.location).status_code == 404
    for person in (mia, noa):
        assert "Tonight" not in person.get(f"/rooms/{stage.eating}/topics").text


def test_held_words_name_nobody_in_the_list_of_topics(stage: Stage, ana: Person, ben: Person) -> None:
    topic = open_topic(ana, stage.eating, title="Dinner", body="How was yours?").location.split("?")[0]
    reply(ben, topic, WORRYING)
    listed = ana.get(f"/rooms/{stage.eating}/topics").text
    assert "last by Ben" not in listed
    assert "no replies yet" in listed


def test_a_hidden_post_is_not_the_last_one_any_more(stage: Stage, ana: Person, ben: Person) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    reply(ben, topic, "Something unkind.")
    assert "last by Ben" in ana.get(f"/rooms/{stage.low_days}/topics").text
    hide(stage, posts_in(stage)[-1].id)
    assert "last by Ben" not in ana.get(f"/rooms/{stage.low_days}/topics").text


def test_one_form_with_other_words_is_never_taken_for_the_first(stage: Stage, ana: Person) -> None:
    """A slow line, Stop, another sentence, send again: the second words come back in the form, with the first ones stored."""
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    key = "fa" * 16
    assert ana.post(f"{topic}/posts", body="The first words.", form_key=key).status_code == 303
    again = ana.post(f"{topic}/posts", body="Other words.", form_key=key)
    assert again.status_code == 409
    assert "Other words." in again.text
    assert f'value="{key}"' not in again.text
    elsewhere = ana.post(f"/rooms/{stage.low_days}/topics/new", title="Mornings", body="The first words.", form_key=key)
    assert elsewhere.status_code == 409
    assert [post.body for post in posts_in(stage)][1:] == ["The first words."]


def test_words_refused_because_one_has_not_joined_stay_in_the_form(stage: Stage, ana: Person, dev: Person) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    answer = dev.post(f"{topic}/posts", body="I know this too.")
    assert answer.status_code == 403
    assert "I know this too." in answer.text
    answer = dev.post(f"/rooms/{stage.low_days}/chat", body="Me too.", key="k1")
    assert answer.status_code == 403
    assert "Me too." in answer.text


def test_a_held_topic_waits_in_the_list_of_its_author_alone(stage: Stage, ana: Person, ben: Person) -> None:
    answer = open_topic(ana, stage.eating, title="Tonight", body=WORRYING)
    listed = f"/rooms/{stage.eating}/topics"
    assert "waits for a moderator" in ana.get(listed).text
    assert "Tonight" not in ben.get(listed).text
    assert ben.get(answer.location).status_code == 404
    assert "Only you and the moderators see this topic." in ana.get(answer.location).text


def test_hidden_words_leave_a_line_without_blame(stage: Stage, ana: Person, ben: Person) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    reply(ben, topic, "Something unkind.")
    hide(stage, posts_in(stage)[-1].id)
    seen, own = ana.get(topic).text, ben.get(topic).text
    assert "A moderator hid this post." in seen
    assert "Something unkind." not in seen
    assert "Ben" not in seen.split('class="posts"')[1]
    assert "Only you see this: a moderator hid it." in own
    assert ben.get(f"/posts/{posts_in(stage)[-1].id}/edit").status_code == 403


def test_a_form_sent_twice_is_one_post(stage: Stage, ana: Person) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    key = form_key(ana.get(topic))
    first, second = (ana.post(f"{topic}/posts", body="Once.", form_key=key) for _ in range(2))
    assert first.location == second.location
    assert [post.body for post in posts_in(stage)] == ["They are hard.", "Once."]


def test_a_topic_form_sent_twice_is_one_topic(stage: Stage, ana: Person) -> None:
    key = form_key(ana.get(f"/rooms/{stage.low_days}/topics/new"))
    for _ in range(2):
        assert ana.post(f"/rooms/{stage.low_days}/topics/new", title="A", body="B", form_key=key).status_code == 303
    assert stage.ask(lambda: db.session().scalar(sa.select(sa.func.count(Topic.id)))) == 1
    assert stage.ask(lambda: db.session().get_one(Room, stage.low_days)).topic_count == 1


def test_a_key_that_is_not_ours_is_a_new_post_each_time(stage: Stage, ana: Person) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    for key in ("", "x" * 100_000, "\x00", "1"):
        assert ana.post(f"{topic}/posts", body="Again.", form_key=key).status_code == 303
    assert len(posts_in(stage)) == 5


def test_who_has_not_joined_is_offered_the_way_in_instead_of_a_form(stage: Stage, ana: Person, dev: Person) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    page = dev.get(topic).text
    assert 'name="body"' not in page
    assert f'action="/rooms/{stage.low_days}/join"' in page
    refused = dev.post(f"{topic}/posts", body="May I?")
    assert refused.status_code == 403
    assert "Join “Low days” first" in refused.text
    dev.post(f"/rooms/{stage.low_days}/join", next=topic)
    assert 'name="body"' in dev.get(topic).text


def test_a_room_for_the_joined_is_not_there_for_others(stage: Stage, ana: Person, dev: Person) -> None:
    location = open_topic(ana, stage.low_days).location
    settle_room(stage, read_by="joined")
    stage_post = posts_in(stage)[0].id
    assert ana.get(location).status_code == 200
    for path in (f"/rooms/{stage.low_days}/topics", location, f"/rooms/{stage.low_days}/topics/new", f"/posts/{stage_post}/edit"):
        assert dev.get(path).status_code == 404
    assert dev.post(location.split("?")[0] + "/posts", body="Hello?").status_code == 404
    assert "hard" not in dev.get("/search?q=hard").text.split("</form>")[-1]


def test_a_room_without_a_forum_has_no_topics(stage: Stage, ana: Person) -> None:
    settle_room(stage, has_forum=False)
    assert ana.get(f"/rooms/{stage.low_days}/topics").status_code == 404
    assert ana.post(f"/rooms/{stage.low_days}/topics/new", title="A", body="B").status_code == 404


def test_where_only_the_team_writes_members_read(stage: Stage, ana: Person, mia: Person) -> None:
    settle_room(stage, write_by="staff")
    topic = open_topic(mia, stage.low_days).location.split("?")[0]
    page = ana.get(topic).text
    assert "only the team writes" in page
    assert "/join" not in page
    assert ana.post(f"{topic}/posts", body="Hm").status_code == 403


def test_a_suspended_member_neither_reads_nor_writes(stage: Stage, ana: Person, sam: Person) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    assert sam.get(topic).status_code == 403
    assert sam.post(f"{topic}/posts", body="Hm").status_code == 403


def test_only_the_author_changes_a_post(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    open_topic(ana, stage.low_days)
    (post,) = posts_in(stage)
    for person in (ben, mia):
        assert person.get(f"/posts/{post.id}/edit").status_code == 403
        assert person.post(f"/posts/{post.id}/edit", body="Mine now").status_code == 403
        assert person.post(f"/posts/{post.id}/withdraw").status_code == 403
    assert posts_in(stage)[0].body == "They are hard."


def test_changed_words_pass_the_gate_again(stage: Stage, ana: Person) -> None:
    open_topic(ana, stage.low_days)
    (post,) = posts_in(stage)
    assert "They are hard." in ana.get(f"/posts/{post.id}/edit").text
    answer = ana.post(f"/posts/{post.id}/edit", body=WORRYING)
    assert "support=" in answer.location
    assert len(stage.cases()) == 1
    assert "changed" in ana.get(answer.location).text


def test_words_left_as_they_were_are_not_marked_changed(stage: Stage, ana: Person) -> None:
    open_topic(ana, stage.low_days)
    (post,) = posts_in(stage)
    ana.post(f"/posts/{post.id}/edit", body=post.body)
    assert posts_in(stage)[0].edited_at is None


def test_words_taken_back_are_gone_for_everybody(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    reply(ben, topic, "Never mind this.")
    answer = ben.post(f"/posts/{posts_in(stage)[-1].id}/withdraw")
    assert answer.status_code == 303
    for person, line in ((ana, "Its author took this post back."), (mia, "Its author took"), (ben, "You took this post back.")):
        page = person.get(topic).text
        assert line in page
        assert "Never mind this." not in page
    assert "Never mind" not in ben.get("/search?q=never").text


def test_taking_back_an_answered_topic_leaves_the_answers(stage: Stage, ana: Person, ben: Person) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    reply(ben, topic, "I am here.")
    ana.post(f"/posts/{posts_in(stage)[0].id}/withdraw")
    assert "I am here." in ben.get(topic).text
    assert "They are hard." not in ben.get(topic).text


def test_taking_back_an_unanswered_topic_takes_the_topic(stage: Stage, ana: Person, ben: Person) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    gone = ana.post(f"/posts/{posts_in(stage)[0].id}/withdraw")
    assert gone.location == f"/rooms/{stage.low_days}/topics"
    assert "Mornings" not in ben.get(gone.location).text
    assert ben.get(topic).status_code == 404


def test_writing_much_in_a_minute_is_refused_with_the_words_kept(stage: Stage, ana: Person, ben: Person) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    answers = [ben.post(f"{topic}/posts", body=f"number {count}") for count in range(31)]
    assert [answer.status_code for answer in answers].count(303) == 30
    assert answers[-1].status_code == 429
    assert "number 30" in answers[-1].text


def test_leaving_a_room_takes_the_form_away(stage: Stage, ana: Person) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    stage.do(lambda: db.session().execute(sa.delete(Membership).where(Membership.account_id == ana.id)))
    assert 'name="body"' not in ana.get(topic).text


@pytest.mark.parametrize(
    "path", ["/topics/999", "/rooms/999/topics", "/posts/999/edit", "/topics/99999999999999999999", "/rooms/0/topics/new"]
)
def test_what_does_not_exist_is_a_sentence(ana: Person, path: str) -> None:
    answer = ana.get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "query", ["at=0", "at=-1", "at=x", "at=99999999999999999999", "at=²", "support=1", "support=zz", "at=%00"]
)
def test_a_strange_address_shows_a_page_of_the_topic(stage: Stage, ana: Person, query: str) -> None:
    topic = open_topic(ana, stage.low_days).location.split("?")[0]
    answer = ana.get(f"{topic}?{query}")
    assert answer.status_code == 200
    assert "They are hard." in answer.text


@pytest.mark.parametrize("before", ["x", "1-", "9999999999999999-999999999", "-1-1", "²-2", "0-0", "1" * 400])
def test_a_strange_place_in_a_list_is_an_ordinary_page(stage: Stage, ana: Person, before: str) -> None:
    assert ana.get(f"/rooms/{stage.low_days}/topics?before={before}").status_code == 200


def test_only_answers_that_members_see_are_counted(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    topic = ana.opens("Evening", "How was your day?", room=stage.eating).post.topic_id
    listed = f"/rooms/{stage.eating}/topics"
    seen = ben.answers(topic, "Long, and then it rained.").post
    held = ben.answers(topic, WORRYING).post
    assert held.visibility == "held"
    assert "1 reply" in ana.get(listed).text
    (case,) = stage.cases()
    decide(mia, case.id, "leave")
    assert "2 replies" in ana.get(listed).text
    ben.post(f"/posts/{seen.id}/withdraw")
    assert "1 reply" in ana.get(listed).text
    hide(stage, held.id)
    assert "no replies yet" in ana.get(listed).text


def test_who_somebody_keeps_apart_from_is_folded_for_them_alone_and_opened_by_choice(
    stage: Stage, ana: Person, ben: Person, mia: Person
) -> None:
    topic = ben.opens("Ben’s title", "Words of Ben about lanterns.").post.topic_id
    own = ana.opens("Ana’s title", "Words of Ana.").post.topic_id
    ben.answers(own, "Ben answers about lanterns.")
    ana.post(f"/people/{ben.id}/apart", kind="block")
    ana.get("/me/apart")  # what is told there names him
    listed = ana.get(f"/rooms/{stage.low_days}/topics").text
    assert "A topic by somebody you keep apart from" in listed
    for preview in (listed, ana.get("/search?q=lanterns").text):
        assert "Ben" not in preview
        assert "Words of" not in preview
    page = ana.get(f"/topics/{own}").text
    folded = page.index("<summary>From somebody you keep apart from</summary>")
    assert folded < page.index("Ben answers about lanterns.") < page.index("</details>", folded)
    assert "<summary>Show its title</summary>" in ana.get(f"/topics/{topic}").text
    for other, words in ((ben, "Words of Ana."), (mia, "Ben answers about lanterns.")):
        assert "keep apart" not in other.get(f"/topics/{own}").text, "nobody is told"
        assert words in other.get(f"/topics/{own}").text
