"""Cutting words into pieces so that what the scanner saw can be marked. Pure: text and spans in, pieces out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from community.safety import severity_rank


class Span(NamedTuple):
    """Code points `start` to `end` of the words, and how grave that was."""

    start: int
    end: int
    severity: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of the words; `severity` is empty where nothing was seen."""

    words: str
    severity: str = ""


def pieces(words: str, spans: Iterable[Span]) -> list[Piece]:
    """All of the words in order. Spans that overlap are one mark, as grave as the gravest; spans outside the words mark nothing."""
    marks = _together(words, spans)
    edges = sorted({0, len(words), *(edge for mark in marks for edge in (mark.start, mark.end))})
    by_start = {mark.start: mark.severity for mark in marks}
    return _joined(Piece(words[start:end], by_start.get(start, "")) for start, end in pairwise(edges))


def _together(words: str, spans: Iterable[Span]) -> list[Span]:
    inside = [Span(max(0, span.start), min(len(words), span.end), span.severity) for span in spans]
    marks: list[Span] = []
    for span in sorted(span for span in inside if span.start < span.end):
        if marks and span.start < marks[-1].end:
            last = marks.pop()
            span = Span(last.start, max(last.end, span.end), max(last.severity, span.severity, key=severity_rank))
        marks.append(span)
    return marks


def _joined(cut: Iterable[Piece]) -> list[Piece]:
    """Neighbours of the same kind are one piece, so that a mark is not torn where two spans meet."""
    joined: list[Piece] = []
    for piece in cut:
        if joined and joined[-1].severity == piece.severity:
            joined[-1] = Piece(joined[-1].words + piece.words, piece.severity)
        else:
            joined.append(piece)
    return joined
