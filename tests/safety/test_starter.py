"""The starter lexicon keeps its own promises."""

import pytest

from community.safety import ACTIONS, CONCERNS, Lexicon, Rule, check_rule, finds, scan, starter_packs, starter_rules

RULES = starter_rules()
LEXICON = Lexicon.compile(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.key)
def test_a_starter_rule_is_sound_and_its_examples_hold(rule: Rule) -> None:
    assert check_rule(rule) == []
    assert all((rule.why, rule.must_match, rule.must_not_match))


def test_every_pack_says_what_it_is() -> None:
    assert all(pack.name and pack.version and pack.language for pack in starter_packs())


@pytest.mark.parametrize(
    "text",
    [
        "I don’t want to be here anymore",
        "k i l l myself",
        "KILL  MYSELF",
        "ki\u200bll myself",
        "killmyself",
        "ｋｉｌｌ ｍｙｓｅｌｆ",
    ],
)
def test_the_starter_lexicon_alerts_on_the_plainest_sentences(text: str) -> None:
    assert any(finding.severity in ("red", "crisis") for finding in scan(text, LEXICON))


def test_the_starter_lexicon_as_a_whole_keeps_the_promises_of_each_of_its_rules() -> None:
    """A word that one pack watches must not hide what another looks for: `su` is Spanish, and half of `su ici de`."""
    assert [text for rule in RULES for text in rule.must_match if not finds(rule, text, LEXICON)] == []
    assert [text for rule in RULES for text in rule.must_not_match if finds(rule, text, LEXICON)] == []


@pytest.mark.parametrize("text", ["my therapist is great", "overkill", "skilled", "diet"])
def test_the_starter_lexicon_leaves_the_plainest_words(text: str) -> None:
    assert scan(text, LEXICON) == ()


ORDINARY = """
this traffic is killing me
dying to see the new season
kill the lights when you leave
I could murder a curry
shoot me an email tomorrow
I'd kill for a coffee right now
I nearly died of embarrassment
she is drop dead gorgeous
cut me some slack
my phone died on the way home
I cut my finger chopping onions
I don't want to wake up early tomorrow
I can't live without my morning tea
I'll catch the bus tomorrow
I took my pills with breakfast
I won't be around this weekend, we go camping
listening to the Suicide Squad soundtrack
I wish I was born in the eighties
the plant is dying
do not blame yourself
please call a helpline if you think of hurting yourself
I feel less alone here, thank you
my therapist helped me with a safety plan
a study found that suicide rates fell
he beat me at chess again
""".strip().splitlines()


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_talk_raises_no_alarm(text: str) -> None:
    assert [finding for finding in scan(text, LEXICON) if finding.severity in ("red", "crisis")] == []


WORRYING = """
I can't stop thinking about death
everyone would be better off without me
I wish I could fall asleep and never wake up
the only reason I'm still alive is my dog
I see no way out but to end it
nobody would even notice if I died
I hope I get hit by a car
I was never meant to be alive
I have a plan and tonight I will end my life
I cut myself again last night
I keep fighting the urge to self-harm
idk why im still alive
i wanna unalive myself
I don't have the guts to do it
""".strip().splitlines()


@pytest.mark.parametrize("text", WORRYING)
def test_a_wish_to_die_or_to_hurt_oneself_is_heard(text: str) -> None:
    found = [finding for finding in scan(text, LEXICON) if finding.concern in ("suicide", "self-harm")]
    assert any(finding.severity in ("red", "crisis") for finding in found)


def test_rules_never_silence() -> None:
    assert {rule.action for rule in RULES} <= set(ACTIONS)
    held = {rule.concern for rule in RULES if rule.action == "hold"}
    assert held.isdisjoint({"suicide", "self-harm", "hopelessness", "eating", "abuse"})


def test_every_concern_has_rules() -> None:
    assert {rule.concern for rule in RULES} == set(CONCERNS)
