"""Machine code of the engine's sources answers as the sources do, or not at all. Content note: words of distress, plain and short."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from community.safety import compiled, scanning, starter_rules

TOP = Path(__file__).parents[2]
FIND = """
import json, sys
from community.safety import Lexicon, scan, scanning, starter_rules
lexicon = Lexicon.compile(starter_rules())
texts = json.load(sys.stdin)
print(json.dumps([scanning.__file__, [scan(text, lexicon, profile="eating") for text in texts]]))
"""


def texts() -> list[str]:
    """What starter rules must and must not match; then disguised, run together, long, and no text at all."""
    plain = [example for rule in starter_rules() for example in (*rule.must_match, *rule.must_not_match)]
    disguised = [text.replace("i", "1").replace("e", "3") for text in plain[::5]]
    misspelt = [re.sub(r"(?<=\w)(\w)(\w)(?=\w)", r"\2\1", text, count=2) for text in plain[1::3]]
    apart = [" ".join(text) for text in plain[::9]]
    hostile = ["", "\ud800 \x00 kill", "\u200bk\u200bill my se lf", "su ici de " * 40, "> “" * 50, "9" * 300]
    return [*plain, *disguised, *misspelt, *apart, *hostile, " ".join(plain)[:20_000]]


def found(**environment: str) -> tuple[str, list[object]]:
    ran = subprocess.run(
        [sys.executable, "-c", FIND],
        cwd=TOP, env={**os.environ, **environment}, input=json.dumps(texts()), capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    where, findings = json.loads(ran.stdout)
    return where, findings


@pytest.mark.skipif(not compiled.folder().is_dir(), reason="setup found no C compiler here")
def test_machine_code_finds_what_the_sources_find() -> None:
    quick, by_machine = found()
    slow, by_python = found(SCANNER="interpreted")
    assert Path(quick).parent == compiled.folder()
    assert Path(slow) == TOP / "community/safety/scanning.py"
    assert len(by_machine) == len(texts())
    assert sum(map(bool, by_machine)) > len(by_machine) / 3
    assert by_machine == by_python


def test_a_changed_source_is_never_answered_by_what_it_used_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "scanning.py"
    source.write_text("before")
    monkeypatch.setattr(compiled, "FOLDERS", tmp_path)
    monkeypatch.setattr(compiled, "sources", lambda: [source])
    monkeypatch.delenv("SCANNER", raising=False)
    made = compiled.folder()
    made.mkdir()
    assert compiled.first(["sources"]) == [str(made), "sources"]
    source.write_text("after")
    assert compiled.first(["sources"]) == ["sources"]
    source.write_text("before")
    monkeypatch.setenv("SCANNER", "interpreted")
    assert compiled.first(["sources"]) == ["sources"]


def test_where_nothing_was_compiled_python_reads_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "FOLDERS", tmp_path / "none")
    assert compiled.first(["sources"]) == ["sources"]


def test_what_is_compiled_is_there_and_is_what_every_text_goes_through() -> None:
    assert all(source.is_file() for source in compiled.sources())
    assert Path(scanning.__file__).stem.split(".")[0] in compiled.MODULES
