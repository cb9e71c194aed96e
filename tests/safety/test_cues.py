"""Context lowers a severity and is named; it never removes a finding of suicide, self-harm or child-safety."""

import pytest

from community.safety import Finding, Lexicon, explain, leading_concern, scan, severity_rank, starter_rules, worst

STARTER = Lexicon.compile(starter_rules())


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("I would never kill myself", "negated"),
        ("I'm not going to hurt myself", "negated"),
        ("years ago I tried to kill myself", "past"),
        ("when I was in high school I wanted to die", "past"),
        ('she whispered "I want to die" and left', "quoted"),
        ("> I want to kill myself\nplease hold on", "quoted"),
        ("I want to die is a line of the song", "title"),
        ("I want to die haha", "idiom"),
        ("I wanted to die and I'm so glad I'm alive: glad to be alive", "recovery"),
    ],
)
def test_a_cue_lowers_and_is_listed(text: str, cue: str) -> None:
    found = [finding for finding in scan(text, STARTER) if finding.concern in ("suicide", "self-harm")]
    assert found
    assert any(cue in finding.cues for finding in found)
    assert all(severity_rank(finding.severity) < severity_rank("red") for finding in found if cue in finding.cues)


@pytest.mark.parametrize("text", ["I don't want to live", "no reason to live", "I never want to wake up again"])
def test_a_negation_inside_the_phrase_is_no_cue(text: str) -> None:
    leader = worst(scan(text, STARTER))
    assert leader is not None
    assert leader.severity == "red"


def test_the_explanation_names_rule_view_and_cue() -> None:
    text = "I would never k1ll myself"
    (finding, *_) = [found for found in scan(text, STARTER) if found.rule == "suicide-myself"]
    said = explain(finding, text, STARTER)
    assert "k1ll myself" in said
    assert "digits" in said
    assert "denied" in said
    assert said.endswith(".")


def finding(concern: str, severity: str, start: int) -> Finding:
    return Finding("rule", concern, severity, "flag", start, start + 1, (), "words")


def test_the_worst_finding_leads_by_severity_then_gravity() -> None:
    found = [finding("spam", "red", 0), finding("suicide", "red", 5), finding("suicide", "amber", 2)]
    assert worst(found) == found[1]
    assert leading_concern(found) == "suicide"
    assert worst([]) is None
    assert leading_concern([]) == ""


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("honestly, I don’t want to be here anymore.", "I don’t want to be here anymore"),
        ("I really just wanna die", "I really just wanna die"),
        ("I have always wanted to die any more", "I have always wanted to die any more"),
        ("ok I. want to die", "want to die"),
        ("he left. want to die", "want to die"),
        ("🙂 I’m so tired of being ａｌｉｖｅ anymore!", "I’m so tired of being ａｌｉｖｅ anymore!"),
    ],
)
def test_a_finding_is_marked_as_a_reader_would_mark_it(text: str, marked: str) -> None:
    assert marked in {text[found.start : found.end] for found in scan(text, STARTER)}
