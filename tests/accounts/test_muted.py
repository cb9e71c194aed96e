"""Muted words: one's own list, and what it folds away for its reader alone."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from community.accounts.models import MutedWord
from community.core import db
from tests.people import Person, Stage

FOLDED = "You muted words in this"


def mute(person: Person, words: str) -> None:
    assert person.post("/me/muted", words=words).status_code == 303


def muted(stage: Stage, person: Person) -> list[str]:
    rows = sa.select(MutedWord.words).where(MutedWord.account_id == person.id).order_by(MutedWord.id)
    return stage.ask(lambda: list(db.session().scalars(rows)))


def counted(stage: Stage, person: Person) -> int:
    return stage.ask(lambda: person.account().muted_count)


def test_words_are_added_shown_and_taken_out_again(stage: Stage, ana: Person) -> None:
    mute(ana, "  calories ")
    mute(ana, "Don’t care")
    page = ana.get("/me").text
    assert page.index("calories") < page.index("Don’t care")
    assert counted(stage, ana) == 2
    path = re.search(r'action="(/me/muted/\d+/remove)"', page)
    assert path
    assert ana.post(path[1]).status_code == 303
    assert ana.post(path[1]).status_code == 303, "twice is fine"
    assert muted(stage, ana) == ["Don’t care"]
    assert counted(stage, ana) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [("", "Please fill in a word"), ("!", "signs and spaces alone"), ("a", "One letter alone"), ("x" * 101, "can have 100"), ("ca*", "before the star"),
     ("a\u202eb", "invisible")],
)  # fmt: skip
def test_a_word_that_cannot_be_muted_comes_back_with_a_sentence(stage: Stage, ana: Person, words: str, sentence: str) -> None:
    answer = ana.post("/me/muted", words=words)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{words.strip()}"' in answer.text
    assert muted(stage, ana) == []


def test_the_same_word_in_another_dress_is_there_already(stage: Stage, ana: Person) -> None:
    mute(ana, "café")
    answer = ana.post("/me/muted", words="ＣＡＦＥ")
    assert answer.status_code == 422
    assert "“café” is in your list already." in answer.text
    mute(ana, "café*")


def test_a_list_holds_a_hundred(stage: Stage, ana: Person) -> None:
    for number in range(100):
        mute(ana, f"word{number}")
    assert "holds 100 words" in ana.post("/me/muted", words="one more").text
    assert counted(stage, ana) == 100


def test_nobody_touches_the_list_of_somebody_else(stage: Stage, ana: Person, ben: Person, sam: Person) -> None:
    mute(ana, "calories")
    row = stage.ask(lambda: db.session().scalars(sa.select(MutedWord.id)).one())
    ben.post(f"/me/muted/{row}/remove")
    assert muted(stage, ana) == ["calories"]
    assert "calories" not in ben.get("/me").text
    assert sam.post("/me/muted", words="x y").status_code == 403


def test_posts_are_folded_away_for_this_reader_alone(stage: Stage, ana: Person, ben: Person, mia: Person) -> None:
    topic = ana.opens("Supper", "I counted the ｃàlories again.").post.topic_id
    ben.answers(topic, "My therapist says: no calories talk.")
    mute(ben, "calories")
    mute(mia, "rapist")
    page = ben.get(f"/topics/{topic}").text
    assert page.count(f"<summary>{FOLDED}</summary>") == 1, "not one's own words"
    assert "I counted the" in page, "they can be opened"
    for other in (ana, mia):
        assert FOLDED not in other.get(f"/topics/{topic}").text


def test_titles_are_folded_away_in_lists_on_their_page_and_in_search(stage: Stage, ana: Person, ben: Person) -> None:
    topic = ana.opens("Counting calories", "Hello.").post.topic_id
    mute(ben, "calories")
    listed = ben.get(f"/rooms/{stage.low_days}/topics").text
    assert f'href="/topics/{topic}">You muted words in this title</a>' in listed
    assert "Counting calories</p></details>" in listed
    page = ben.get(f"/topics/{topic}").text
    assert "<h1>A topic with words you muted</h1>" in page
    assert "<title>A topic with words you muted" in page
    found = ben.get("/search?q=hello").text
    assert f">{FOLDED}</a>" in found
    assert f'href="/topics/{topic}">Counting calories</a>' in ana.get(f"/rooms/{stage.low_days}/topics").text


def test_messages_are_folded_away_and_the_page_carries_the_words_for_its_script(stage: Stage, ana: Person, ben: Person) -> None:
    ana.says("No c a l o r i e s today.")
    ben.says("calories, I said it")
    path = f"/rooms/{stage.low_days}/chat"
    mute(ben, 'calories "x"')
    assert FOLDED not in ben.get(path).text
    mute(ben, "calories")
    page = ben.get(path).text
    assert page.count(FOLDED) == 1
    assert """data-muted='["calories x", "calories"]'""" in page
    assert "data-muted" not in ana.get(path).text


def test_who_muted_nothing_asks_the_database_nothing(stage: Stage, ana: Person, ben: Person) -> None:
    topic = ana.opens("Supper", "Soup.").post.topic_id
    ben.get(f"/topics/{topic}")
    asked: list[str] = []
    with stage.app.app_context():
        engine = db.engine()
    sa.event.listen(engine, "before_cursor_execute", lambda *found: asked.append(found[2]))
    for path in (f"/topics/{topic}", f"/rooms/{stage.low_days}/topics", f"/rooms/{stage.low_days}/chat", "/search?q=soup"):
        ben.get(path)
    assert not [statement for statement in asked if "muted_words" in statement]
