"""The same words in rooms of different kinds, and in Spanish.

Content note: plain sentences about wanting to die, self-harm, eating and voices, without methods; the numbers are invented.
"""

from pathlib import Path

import pytest

from community.safety import Finding, Lexicon, scan, severity_rank, starter_rules

STARTER = Lexicon.compile(starter_rules())
SPANISH = (Path(__file__).parent / "said" / "spanish.txt").read_text("utf-8").splitlines()


def found(text: str, profile: str = "general") -> list[Finding]:
    return [finding for finding in scan(text, STARTER, profile=profile) if finding.severity != "green"]


def seen(text: str, profile: str = "general") -> set[str]:
    return {finding.concern for finding in found(text, profile)}


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("at 70 kg I still felt wrong", "70 kg"),
        ("the label said 300 kcal.", "300 kcal"),
        ("only 1,500 calories today", "1,500 calories"),
        ("I am a size 8 now", "size 8"),
        ("after a 20 hour fast", "20 hour fast"),
    ],
)
def test_numbers_that_invite_comparing_are_covered_in_a_room_about_eating_only(text: str, covered: str) -> None:
    masked = [finding for finding in scan(text, STARTER, profile="eating") if finding.action == "mask"]
    assert [text[finding.start : finding.end] for finding in masked] == [covered]
    assert [finding for finding in scan(text, STARTER) if finding.action == "mask"] == []


@pytest.mark.parametrize(
    "text", ["I hear voices again", "the voices are loud today", "the voices order me around", "hearing voices since May"]
)
def test_hearing_voices_calls_nobody_in_a_room_about_voices(text: str) -> None:
    assert scan(text, STARTER, profile="voices") == ()


def test_voices_that_command_are_noticed_elsewhere_and_harm_everywhere() -> None:
    assert "harm-to-others" in seen("the voices order me around")
    for profile in ("general", "voices"):
        assert "suicide" in seen("the voices tell me to kill myself", profile)
        assert "harm-to-others" in seen("the voices tell me to hurt people", profile)


@pytest.mark.parametrize(
    "text",
    ["ninety days clean today", "my cravings are back", "I relapsed last night", "AA meeting at six", "detoxing from alcohol"],
)
def test_the_words_of_recovery_call_nobody_in_a_room_about_it(text: str) -> None:
    assert "substances" in seen(text)
    assert "substances" not in seen(text, "substances")


@pytest.mark.parametrize(
    ("text", "concern"), [("I think I overdosed", "substances"), ("I relapsed and I want to die", "suicide")]
)
def test_danger_is_heard_in_a_room_about_substances(text: str, concern: str) -> None:
    assert concern in seen(text, "substances")


def test_worry_about_somebody_else_is_what_a_room_for_carers_is_for() -> None:
    text = "my daughter keeps hurting herself and I lie awake"
    assert seen(text) == {"suicide"}
    assert seen(text, "carers") == set()
    assert "suicide" in seen("my son just swallowed all of his pills", "carers")
    assert "suicide" in seen("I can't do it for her any more, I want to die", "carers")


@pytest.mark.parametrize("line", [line for line in SPANISH if line and not line.startswith("#")])
def test_spanish_is_heard_and_ordinary_spanish_is_left_alone(line: str) -> None:
    wanted, text = line.split(" | ", 1)
    if wanted == "-":
        assert found(text) == []
        return
    concern, severity = wanted.split()
    assert any(
        finding.concern == concern and severity_rank(finding.severity) >= severity_rank(severity) for finding in found(text)
    )


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("no quiero morir", "negated"),
        ("nunca me corté", "negated"),
        ("hace años intenté suicidarme", "past"),
        ("quiero morir jajaja", "idiom"),
        ("el suicidio de un amigo", "third-person"),
        ("“quiero morir” dice la canción", "title"),
    ],
)
def test_context_lowers_spanish_too(text: str, cue: str) -> None:
    assert any(cue in finding.cues for finding in scan(text, STARTER))
    assert not any(finding.severity in ("red", "crisis") for finding in scan(text, STARTER))


def test_english_is_never_read_as_misspelt_spanish() -> None:
    spanish = {rule.key for rule in starter_rules() if rule.language == "es"}
    allowed = {"words", "lookalike", "leet", "spaced", "masked"}
    assert all(set(rule.views or ()) <= allowed and rule.views for rule in starter_rules() if rule.key in spanish)
    assert not {finding.rule for finding in scan("quire moor vivid me coat more mating", STARTER)} & spanish
