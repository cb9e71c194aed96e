"""What people write to moderators: appeals, and the notes of reports and of wishes to talk. It is scanned like everything they write.

Nothing here is held or shown to members, so a finding does two things: the case becomes as grave as what was said, and who is
in distress is offered support at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from community.safety import CONCERNS, Finding, severity_rank

from .hearers import page_on_call
from .intake import UNREAD_WORDS, add_signals, offer_support, scan_words
from .models import Case, Signal
from .reviewable import Reviewable


@dataclass(frozen=True)
class Noted:
    case: Case
    support_id: int | None


def take_note(item: Reviewable, signal: Signal, *, card: bool = False) -> Noted:
    """Add a signal with a note to the item's case. The note can make it graver, never milder. `card`: its author is the item's, and is
    offered a support card."""
    findings = _weigh(signal, item.room_id) if signal.note else ()
    case = add_signals(item, [signal])
    if any(finding.action == "page" for finding in findings):
        page_on_call(case)
    return Noted(case, offer_support(item, signal.note, findings, private=True) if card else None)


def _weigh(signal: Signal, room_id: int) -> Sequence[Finding]:
    """Severity and concern: each the gravest of the signal's own and of what was found in its note."""
    findings, lexicon = scan_words(signal.note, room_id)
    if lexicon is None:
        _raise_to(signal, *UNREAD_WORDS)
        signal.explanation += " The safety scanner could not read what they wrote. Please read it yourself."
    if not findings:
        return findings
    worst = max(findings, key=lambda one: (severity_rank(one.severity), -CONCERNS.index(one.concern)))
    _raise_to(signal, worst.concern, worst.severity)
    signal.rule_key, signal.view, signal.cues = worst.rule, worst.view, list(worst.cues)
    signal.lexicon_revision = lexicon.revision if lexicon else 0
    signal.explanation += f" A safety rule noticed what they wrote: {worst.concern.replace('-', ' ')}, {worst.severity}."
    return findings


def _raise_to(signal: Signal, concern: str, severity: str) -> None:
    signal.severity = max(signal.severity, severity, key=severity_rank)
    signal.concern = min(signal.concern, concern, key=CONCERNS.index)
