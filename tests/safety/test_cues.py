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


@pytest.mark.parametrize(
    ("lowered", "still"),
    [
        ("I was suicidal in high school", "I was suicidal in high school and it's back"),
        ("I tried to kill myself years ago", "I tried to kill myself years ago. I want to die."),
        ("I'm not suicidal", "I'm not suicidal today but I want to die"),
        ("I don't want to kill myself", "tell me why I shouldn't kill myself"),
        ("my brother wants to kill himself", "my brother died and I want to kill myself"),
        ("I told my friend she wanted to die", "I told my friend I am suicidal"),
        ("clean from self harm for a year", "clean from self harm for a year but I cut again"),
        ("the hotline asked if I wanted to die", "I called the hotline because I want to die"),
        ("he said he was going to end it all", "he said goodbye and I am going to end it all"),
        ("suicide is not an option", "suicide is my only option"),
        ("in the film he says I want to die", "this film makes me want to die, I feel like killing myself"),
        ("I no longer want to die", "I no longer want to live"),
        ("a song says I want to kill myself", "I want to kill myself, all I can think about, like a song in my head"),
        ("haha I want to die", "I want to die haha, not joking"),
        ("my friend told me to kill myself", "someone tell me it's ok to let go"),
    ],
)
def test_a_cue_speaks_for_its_own_sentence_and_not_for_what_is_still_so(lowered: str, still: str) -> None:
    for text, alerts in ((lowered, False), (still, True)):
        found = [finding for finding in scan(text, STARTER) if finding.concern in ("suicide", "self-harm")]
        assert any(finding.severity in ("red", "crisis") for finding in found) is alerts, text


def test_a_plan_is_never_lowered_further_than_amber() -> None:
    (finding, *_) = scan("tonight I will kill myself lol haha", STARTER)
    assert finding.severity == "amber"


def test_recovery_is_shown_and_lowers_nothing_where_people_recover() -> None:
    (finding, *_) = scan("extreme hunger in recovery", STARTER)
    assert (finding.severity, finding.cues) == ("amber", ("recovery",))


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
