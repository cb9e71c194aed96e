"""Cutting words into pieces so that what the scanner saw can be marked. Pure: text and spans in, pieces out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """All of the words in order. Where spans overlap the graver one shows; spans outside the words mark nothing."""
    inside = [Span(max(0, span.start), min(len(words), span.end), span.severity) for span in spans]
    inside = [span for span in inside if span.start < span.end]
    edges = sorted({0, len(words), *(edge for span in inside for edge in (span.start, span.end))})
    cut = [Piece(words[start:end], _gravest(start, inside)) for start, end in pairwise(edges)]
    return _joined(cut)


def _gravest(place: int, spans: Sequence[Span]) -> str:
    here = [span.severity for span in spans if span.start <= place < span.end]
    return max(here, key=severity_rank, default="")


def _joined(cut: Iterable[Piece]) -> list[Piece]:
    """Neighbours of the same kind are one piece, so that a mark is not torn where two spans meet."""
    joined: list[Piece] = []
    for piece in cut:
        if joined and joined[-1].severity == piece.severity:
            joined[-1] = Piece(joined[-1].words + piece.words, piece.severity)
        else:
            joined.append(piece)
    return joined
