"""What the engine must see, and must leave alone."""

import pytest

from community.safety import Lexicon, Rule, scan

RULES = (
    Rule("myself", "(kill|killing|hurt) myself", "suicide", "red"),
    Rule("here", "do not want to be here [any more]", "suicide", "red"),
    Rule("noun", "(suicide|suicidal)", "suicide", "amber"),
    Rule("want", "want to die", "suicide", "red"),
    Rule("word", "(rapist|kill|die)", "harm-to-others", "amber", views=("words",)),
    Rule("gap", "take _2 pills", "suicide", "red"),
    Rule("prefix", "overdos*", "substances", "amber"),
)
LEXICON = Lexicon.compile(RULES)


def keys(text: str) -> set[str]:
    return {finding.rule for finding in scan(text, LEXICON)}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("I don’t want to be here anymore", "here"),
        ("i dont wanna be here any more", "here"),
        ("I do not want to be here", "here"),
        ("k i l l myself", "myself"),
        ("k.i.l.l m-y-s-e-l-f", "myself"),
        ("KILL  MYSELF", "myself"),
        ("kill\n\nmyself", "myself"),
        ("ki\u200bll my\u200dself", "myself"),
        ("ｋｉｌｌ ｍｙｓｅｌｆ", "myself"),
        ("𝓴𝓲𝓵𝓵 𝓶𝔂𝓼𝓮𝓵𝓯", "myself"),
        ("ᴋɪʟʟ ᴍʏsᴇʟꜰ", "myself"),
        ("k̶i̶l̶l̶ m̶y̶s̶e̶l̶f̶", "myself"),
        ("kіll mуsеlf", "myself"),
        ("k1ll my5elf", "myself"),
        ("k*ll mys*lf", "myself"),
        ("kiiill myselfff", "myself"),
        ("killmyself", "myself"),
        ("kill my self", "myself"),
        ("klil myslef", "myself"),
        ("kll myslf", "myself"),
        ("su ici de", "noun"),
        ("5uic1de", "noun"),
        ("I really just want to fucking die", "want"),
        ("take all those pills", "gap"),
        ("overdosing", "prefix"),
    ],
)
def test_disguised_words_are_found(text: str, rule: str) -> None:
    assert rule in keys(text)


@pytest.mark.parametrize(
    "text",
    [
        "my therapist is great",
        "overkill",
        "skilled",
        "diet",
        "take a few more of those pills",
        "",
        " \n ",
        "*** !!!",
        "I want to be here",
    ],
)
def test_ordinary_words_are_left_alone(text: str) -> None:
    assert keys(text) == set()


def test_findings_come_by_severity_then_place() -> None:
    found = scan("suicidal. I want to kill myself and want to die", LEXICON)
    assert [finding.rule for finding in found] == ["myself", "want", "noun"] or found[0].severity == "red"
    assert [finding.start for finding in found if finding.severity == "red"] == sorted(
        finding.start for finding in found if finding.severity == "red"
    )


def test_a_rule_of_a_room_fires_only_there() -> None:
    lexicon = Lexicon.compile([Rule("numbers", "calories", "eating", "amber", room=7)])
    assert scan("calories", lexicon) == () == scan("calories", lexicon, room=8)
    assert scan("calories", lexicon, room=7)


def test_an_exception_takes_its_place_out() -> None:
    lexicon = Lexicon.compile([Rule("die", "die", "suicide", "amber", exceptions=("die laughing",))])
    assert not scan("I will die laughing", lexicon)
    assert scan("I will die", lexicon)


def test_a_view_that_is_not_wanted_does_not_fire() -> None:
    lexicon = Lexicon.compile([Rule("kill", "kill myself", "suicide", "red", views=("words",))])
    assert scan("kill myself", lexicon)
    assert not scan("k1ll myself", lexicon)


def test_offsets_count_code_points_of_the_original() -> None:
    text = "🙂🙂 ｋｉ\u200bｌｌ — mуself 🙂"
    (found,) = [finding for finding in scan(text, LEXICON) if finding.rule == "myself"]
    assert text[found.start : found.end] == "ｋｉ\u200bｌｌ — mуself"
