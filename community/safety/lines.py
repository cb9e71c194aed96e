"""The scanner as a filter: JSON lines in, JSON lines out."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from community.safety.lexicon import Lexicon
from community.safety.rules import Finding
from community.safety.scanning import scan


def scan_lines(lines: Iterable[str], lexicon: Lexicon) -> Iterator[str]:
    """One answer for each line `{"text": …}`; a line that cannot be read gets `{"error": …}`, and it goes on."""
    for line in lines:
        yield json.dumps(_answer(line, lexicon), ensure_ascii=True)


def _answer(line: str, lexicon: Lexicon) -> dict[str, Any]:
    try:
        read = json.loads(line)
    except (ValueError, RecursionError) as error:
        return {"error": f"This line is not JSON: {error}."}
    text = read.get("text") if isinstance(read, dict) else None
    if not isinstance(text, str):
        return {"error": 'Each line must be an object with a "text" that is a string.'}
    return {"findings": [_row(finding) for finding in scan(text, lexicon)]}


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "concern": finding.concern,
        "severity": finding.severity,
        "action": finding.action,
        "start": finding.start,
        "end": finding.end,
        "cues": list(finding.cues),
    }
