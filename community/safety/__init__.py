"""The safety engine: finds worrying words in the forms people really type, explains itself, and never silences.

Pure functions over text and rules; nothing here reads a database or knows a web page. The pattern language of rules is
described in `patterns`, disguises in `reading` and `streams`, and what lowers a severity in `cues`.
"""

from community.safety import compiled

__path__ = compiled.first(__path__)

from community.safety.automaton import ENGINE
from community.safety.checks import check_name, check_rule, finds
from community.safety.explaining import explain
from community.safety.folding import fold
from community.safety.helplines import Helpline, countries, helplines_for
from community.safety.letters import EXPRESSIONS
from community.safety.lexicon import Lexicon
from community.safety.lines import scan_lines
from community.safety.packs import Pack, PackError, read_pack, starter_packs, starter_rules
from community.safety.patterns import PatternError
from community.safety.rules import (
    ACTIONS,
    CONCERNS,
    KINDS,
    PROFILES,
    SEVERITIES,
    VIEWS,
    Finding,
    Rule,
    leading_concern,
    severity_rank,
    worst,
)
from community.safety.scanning import OutOfTime, scan
from community.safety.weighing import Decided, Gain, gain, score, train

__all__ = [
    "ACTIONS",
    "CONCERNS",
    "ENGINE",
    "EXPRESSIONS",
    "KINDS",
    "PROFILES",
    "SEVERITIES",
    "VIEWS",
    "Decided",
    "Finding",
    "Gain",
    "Helpline",
    "Lexicon",
    "OutOfTime",
    "Pack",
    "PackError",
    "PatternError",
    "Rule",
    "check_name",
    "check_rule",
    "countries",
    "explain",
    "finds",
    "fold",
    "gain",
    "helplines_for",
    "leading_concern",
    "read_pack",
    "scan",
    "scan_lines",
    "score",
    "severity_rank",
    "starter_packs",
    "starter_rules",
    "train",
    "worst",
]
