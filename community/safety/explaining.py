"""Say in one plain sentence what the scanner saw."""

from community.safety.lexicon import Lexicon
from community.safety.rules import Finding

_SEEN_AS = {
    "words": "as written",
    "lookalike": "with look-alike letters read as Latin ones",
    "elongated": "with repeated letters taken out",
    "leet": "with digits and signs read as letters",
    "masked": "with the masked letter filled in",
    "spaced": "with its separated letters put together",
    "joined": "with words that were run together taken apart",
    "typo": "with a misspelling put right",
    "vowels": "with the missing vowels filled in",
    "inside": "as part of a longer run of letters",
    "regex": "by a regular expression",
}

_CUE_SAYS = {
    "negated": "it is denied",
    "past": "it speaks of the past",
    "third-person": "it speaks of somebody else",
    "information": "it gives or asks for information",
    "title": "it seems to be a title or lyrics",
    "idiom": "it seems to be a manner of speaking",
    "recovery": "it speaks of recovery",
    "quoted": "it stands in quotation",
}


def explain(finding: Finding, text: str, lexicon: Lexicon) -> str:
    """What was seen, by which view, for which rule, and the cues."""
    said = " ".join(text[finding.start : finding.end].split())
    seen = f"“{said}” ({_SEEN_AS[finding.view]}) matches the rule “{finding.rule}” about {finding.concern}"
    if not finding.cues:
        return f"{seen}: {finding.severity}."
    rule = lexicon.rules.get(finding.rule)
    because = " and ".join(_CUE_SAYS.get(cue, cue) for cue in finding.cues)
    if rule is None or rule.severity == finding.severity:
        return f"{seen}: {finding.severity}; {because}."
    return f"{seen}: {finding.severity} instead of {rule.severity}, because {because}."
