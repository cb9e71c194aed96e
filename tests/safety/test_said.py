"""The starter packs on what people say: invented posts, each set with what it should give.

Content note: the sets hold plain sentences about wanting to die and about self-harm, without methods or numbers.
The first sets were used while the rules were written; the shares asked of the later ones, told longer and less directly, are lower.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from community.safety import Lexicon, scan, severity_rank, starter_rules

SAID = Path(__file__).with_name("said")
STARTER = Lexicon.compile(starter_rules())
AS_WRITTEN = Lexicon.compile([replace(rule, views=("words",)) for rule in starter_rules() if rule.kind == "phrase"])
HARM = frozenset({"suicide", "self-harm"})
DESPAIR = HARM | {"hopelessness"}


def lines(name: str) -> list[str]:
    read = (SAID / f"{name}.txt").read_text("utf-8").splitlines()
    return [line for line in read if line.strip() and not line.startswith("#")]


def alerts(text: str, severity: str, concerns: frozenset[str] = HARM, *, profile: str = "general") -> bool:
    found = scan(text, STARTER, profile=profile)
    return any(finding.concern in concerns and severity_rank(finding.severity) >= severity_rank(severity) for finding in found)


@pytest.mark.parametrize(
    ("name", "severity", "concerns", "least"),
    [
        ("worrying_red", "red", HARM, 0.97),
        ("worrying_amber", "amber", DESPAIR, 0.95),
        ("second_red", "red", HARM, 0.85),
        ("third_red", "red", HARM, 0.70),
        ("fourth_red", "red", HARM, 0.70),
        ("fourth_red", "amber", DESPAIR, 0.80),
    ],
)
def test_worrying_posts_are_heard(name: str, severity: str, concerns: frozenset[str], least: float) -> None:
    posts = lines(name)
    missed = [post for post in posts if not alerts(post, severity, concerns)]
    assert len(missed) <= (1 - least) * len(posts), missed


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("ordinary", 0.005),
        ("second_ordinary", 0.01),
        ("third_ordinary", 0.03),
        ("fourth_ordinary", 0.03),
        ("mental_health", 0.01),
        ("second_mental", 0.02),
        ("lowered", 0.05),
        ("second_lowered", 0.05),
    ],
)
def test_ordinary_past_and_denied_posts_raise_no_alarm(name: str, most: float) -> None:
    posts = lines(name)
    alarmed = [post for post in posts if alerts(post, "red")]
    assert len(alarmed) <= most * len(posts), alarmed


@pytest.mark.parametrize("name", ["ordinary", "second_ordinary", "mental_health", "second_mental"])
def test_nobody_is_called_at_night_for_ordinary_talk(name: str) -> None:
    assert [post for post in lines(name) if alerts(post, "crisis")] == []


@pytest.mark.parametrize("concern", ["eating", "substances"])
def test_what_a_room_is_about_is_noticed_and_everyday_eating_and_drinking_is_not(concern: str) -> None:
    told = [line.split(" | ", 1) for line in lines(concern)]
    missed = [post for kind, post in told if kind == concern and not alerts(post, "amber", frozenset({concern}))]
    wrong = [post for kind, post in told if kind == "-" and alerts(post, "amber", frozenset({concern}))]
    elsewhere = [post for name in ("ordinary", "mental_health") for post in lines(name)]
    assert len(missed) <= 0.05 * len(told), missed
    assert wrong == []
    assert sum(alerts(post, "amber", frozenset({concern})) for post in elsewhere) <= 0.01 * len(elsewhere)


def test_looking_through_disguises_costs_few_false_alarms() -> None:
    """Extra alerts that only the evasion views cause on ordinary text."""
    posts = [post for name in ("ordinary", "second_ordinary", "mental_health", "second_mental") for post in lines(name)]
    plain = {post for post in posts if scan(post, AS_WRITTEN)}
    extra = [post for post in posts if scan(post, STARTER) and post not in plain]
    assert len(extra) <= 0.08 * len(plain), extra


@pytest.mark.parametrize("name", ["worrying_red", "second_ordinary", "lowered"])
def test_every_finding_lies_in_its_text_and_fires_again(name: str) -> None:
    for post in lines(name):
        for finding in scan(post, STARTER):
            assert 0 <= finding.start < finding.end <= len(post)
            again = scan(post[finding.start : finding.end], STARTER)
            assert finding.rule in {found.rule for found in again}, (post, finding)


def test_one_worrying_sentence_is_heard_in_a_long_post() -> None:
    around = " ".join(post if post.endswith((".", "!", "?")) else f"{post}." for post in lines("second_mental")[4:40])
    assert not alerts(around, "red")
    assert alerts(f"{around} Honestly I don’t want to be here anymore. {around}", "red")
