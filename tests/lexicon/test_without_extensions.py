"""On a machine without the compiled extensions the site works, and says what it lacks. Content note: a plain sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from community.core import db
from community.lexicon import actions
from community.lexicon.models import LexiconRule
from community.safety import Lexicon, Rule, finds, starter_rules
from tests.people import Person, Stage

TOP = Path(__file__).parents[2]
WITHOUT = """
import sys
sys.modules[{missing!r}] = None  # as if there were no wheel: importing it raises ImportError
import json, pathlib
from community import create_app
from community.safety import Lexicon, PatternError, Rule, scan
from config import Config
from tests.people import WORRYING, Stage
from tests.servers import migrate

folder = pathlib.Path({folder!r})
url = "sqlite:///" + str(folder / "kith.sqlite3")
migrate(url, folder)
app = create_app(Config(mode="test", data_dir=folder, database_url=url, jobs="outside", fanout="stock"))
stage = Stage(app)
stage.person("Ana", rooms=True).says(WORRYING)
try:
    Lexicon.compile([Rule("kg", "[0-9]+ kg", "eating", "amber", kind="regex")])
    refused = ""
except PatternError as error:
    refused = str(error)
ready = app.test_client().get("/readyz")
print(json.dumps({{"status": ready.status_code, "ready": ready.json, "refused": refused,
                   "cases": [(case.concern, case.severity) for case in stage.cases()]}}))
"""


def run_without(missing: str, folder: Path) -> Any:
    code = WITHOUT.format(missing=missing, folder=str(folder))
    ran = subprocess.run([sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads(ran.stdout.splitlines()[-1])


def test_without_pyahocorasick_the_same_is_found_and_readyz_says_that_it_is_slow(tmp_path: Path) -> None:
    said = run_without("ahocorasick", tmp_path)
    assert said["status"] == 200
    assert said["ready"]["scanner"] == "ok (slow scanner: pyahocorasick cannot be imported; it finds the same)"
    assert said["cases"] == [["suicide", "red"]]
    assert said["refused"] == ""


def test_without_re2_expressions_are_refused_in_a_sentence_and_readyz_says_so(tmp_path: Path) -> None:
    said = run_without("re2", tmp_path)
    assert said["status"] == 200
    assert "google-re2 cannot be imported" in said["ready"]["scanner"]
    assert said["refused"].startswith("kg: Regular expressions cannot be used here")
    assert said["cases"] == [["suicide", "red"]]


def test_the_plain_engine_keeps_every_promise_of_the_starter_rules() -> None:
    rules = starter_rules()
    plain = Lexicon.compile(rules, engine="python")
    assert [text for rule in rules for text in rule.must_match if not finds(rule, text, plain)] == []
    assert [text for rule in rules for text in rule.must_not_match if finds(rule, text, plain)] == []


def test_readyz_says_ok_when_nothing_is_lacking(ana: Person) -> None:
    assert ana.get("/readyz").json["scanner"] == "ok"


def test_readyz_says_when_the_rules_in_force_cannot_be_read(stage: Stage, ana: Person, ida: Person) -> None:
    """As after a restore onto a machine that lacks something: nothing is silent, every text goes to a moderator."""

    def spoil() -> None:
        actions.publish(ida.account(), note="x", put=[Rule("broken", "fine words", "spam", "green")])
        db.session().query(LexiconRule).filter_by(key="broken").update({"pattern": "(never closed"})

    stage.do(spoil)
    answer = ana.get("/readyz")
    assert answer.status_code == 503
    assert "a moderator is asked to read every text" in answer.json["scanner"]
    ana.says("my therapist is great")
    assert [case.concern for case in stage.cases()] == ["suicide"]


@pytest.mark.parametrize("path", ["/healthz"])
def test_the_process_answers_whatever_the_scanner_does(path: str, ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("community.lexicon.queries.current_lexicon", lambda: 1 / 0)
    assert ana.get(path).status_code == 200
