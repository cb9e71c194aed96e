"""Check what people write for the engine: a rule before it is saved, a name before it is taken."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from community.safety import folding, patterns
from community.safety.lexicon import Lexicon
from community.safety.rules import ACTIONS, CONCERNS, KINDS, PROFILES, SEVERITIES, VIEWS, Rule, severity_rank
from community.safety.scanning import scan

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MAX_KEY, MAX_WHY, MAX_EXAMPLE, MAX_EXAMPLES = 80, 2_000, 2_000, 500


def check_rule(rule: Rule) -> list[str]:
    """What has to change before the rule can be saved, one sentence each; empty when it is sound."""
    problems = _fields(rule) + _sizes(rule)
    try:
        lexicon = Lexicon.compile([rule])
    except patterns.PatternError as error:
        return [*problems, str(error).removeprefix(f"{rule.key}: ")]
    return problems or _examples(rule, lexicon) or _silenced(rule, lexicon)


def _fields(rule: Rule) -> list[str]:
    asked = (
        ("concern", rule.concern, CONCERNS),
        ("severity", rule.severity, SEVERITIES),
        ("action", rule.action, ACTIONS),
        ("kind of pattern", rule.kind, KINDS),
        *(("view", view, VIEWS) for view in rule.views or ()),
        *(("kind of room", profile, PROFILES) for profile in (*rule.only_in, *rule.not_in)),
    )
    return [f"“{value}” is no {field}: choose one of {', '.join(known)}." for field, value, known in asked if value not in known]


def _sizes(rule: Rule) -> list[str]:
    problems = []
    if not rule.key.strip():
        problems.append("The rule has no key: give it a short name.")
    if len(rule.key) > MAX_KEY:
        problems.append(f"The key is longer than {MAX_KEY} characters: shorten it.")
    if len(rule.why) > MAX_WHY:
        problems.append(f"The reason is longer than {MAX_WHY} characters: shorten it.")
    if len(rule.must_match) + len(rule.must_not_match) > MAX_EXAMPLES:
        problems.append(f"There are more than {MAX_EXAMPLES} examples: keep the telling ones.")
    if any(len(example) > MAX_EXAMPLE for example in (*rule.must_match, *rule.must_not_match)):
        problems.append(f"An example is longer than {MAX_EXAMPLE} characters: keep the sentence that matters.")
    if rule.review_by and not _DATE.fullmatch(rule.review_by):
        problems.append(f"“{rule.review_by}” is no date: write it as 2027-03-31.")
    if set(rule.not_in) >= set(PROFILES):
        problems.append("The rule is silent in rooms of every kind: take one out of “not in”.")
    if set(rule.only_in) & set(rule.not_in):
        problems.append("The same kind of room stands under “only in” and “not in”: take it out of one.")
    contradicting = set(rule.must_match) & set(rule.must_not_match)
    problems += [f"“{example}” stands in both lists of examples: take it out of one." for example in sorted(contradicting)]
    return problems


def _examples(rule: Rule, lexicon: Lexicon) -> list[str]:
    missed = [text for text in rule.must_match if not finds(rule, text, lexicon)]
    wrong = [text for text in rule.must_not_match if finds(rule, text, lexicon)]
    return [
        *(f"“{text}” must match and does not: add the words it uses, or remove the example." for text in missed),
        *(f"“{text}” must not match and does: narrow the pattern or add an exception." for text in wrong),
    ]


def _silenced(rule: Rule, lexicon: Lexicon) -> list[str]:
    """A rule whose exceptions are its own words. What must match and does is proof enough of the contrary."""
    asked = rule.exceptions and not rule.must_match and rule.kind == "phrase" and "words" in (rule.views or VIEWS)
    if not asked or any(finds(rule, words, lexicon) for words in _samples(rule.pattern)):
        return []
    bare = replace(rule, exceptions=())
    alone = Lexicon.compile([bare])
    if not any(finds(bare, words, alone) for words in _samples(rule.pattern)):
        return []  # not for the exceptions
    return ["The exceptions silence everything that the rule would notice: take out those that are its own words."]


_MOST_SAMPLES = 200


def _samples(pattern: str) -> Iterator[str]:
    """A text for each way to match, with the first of its phrases."""
    for way in islice(patterns.parse(pattern), _MOST_SAMPLES):
        said = (word for stretch in way.parts for word in patterns.phrases(stretch)[0])
        yield " ".join(said).replace("*", "")


def finds(rule: Rule, text: str, lexicon: Lexicon) -> bool:
    """Whether this very rule, as `lexicon` has it, fires on a text in a room that it is for."""
    profile = rule.only_in[0] if rule.only_in else next(kind for kind in PROFILES if kind not in rule.not_in)
    return any(finding.rule == rule.key for finding in scan(text, lexicon, room=rule.room, profile=profile))


_UNKIND = frozenset({"harm-to-others", "harassment", "sexual", "child-safety", "method-detail", "suicide", "self-harm"})


def check_name(name: str, lexicon: Lexicon) -> str | None:
    """None when the name may be used, else a kind sentence. Names are pseudonyms, rooms or topics; not sentences."""
    folded = folding.fold(name)
    if not folded:
        return "Please choose a name with at least one letter or number that others can read."
    if any(folding.mixes_scripts(word) for word in folding.words(name)):
        return "Please write the name in one alphabet: letters that only look alike make people hard to tell apart."
    if any(_unfit(found.concern, found.severity) for found in scan(name, lexicon)):
        return "Please choose another name: some of its words could frighten or hurt people who come here for support."
    return None


def _unfit(concern: str, severity: str) -> bool:
    return concern in _UNKIND and severity_rank(severity) >= severity_rank("amber")
