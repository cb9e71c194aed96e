"""The scanner and the gate, inside this process."""

from __future__ import annotations

import gc
import json
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from statistics import median
from typing import Any

import ahocorasick

from community import create_app
from community.accounts.models import Account
from community.core import db
from community.forum import actions
from community.safety import CONCERNS, Lexicon, Rule, scan, starter_rules
from config import Config

from .english import English, hostile
from .seed import WORDS
from .servers import Community, say

RULES = 5_000
FEW, MANY = 1_000, 50_000
TEXTS, ROUNDS = 200, 7
FRESH = 1_500
"""Texts that are each read once: what is remembered of earlier ones is not what makes them fast."""
HOSTILE = 20_000
GATE_SECONDS = 3.0


def scanner() -> dict[str, float]:
    """Microseconds for 500 characters and for a chat turn with 5,000 rules beside the starter packs; the ratio to pyahocorasick
    alone, looking for the same phrases in the same texts."""
    dice = random.Random(5)
    phrases = _phrases(dice, RULES)
    rules = [*starter_rules(), *_rules(phrases)]
    lexicon, bare = Lexicon.compile(rules), _bare(phrases)
    english = English(5)
    judge = Lexicon.compile(rules)
    posts = _unsuspicious((english.text(500) for _ in range(2 * TEXTS)), judge)
    turns = _unsuspicious((english.text(60) for _ in range(2 * TEXTS)), judge)
    gc.collect()
    gc.freeze()  # as a worker does once it is ready: a look through everything that lives is not the text's cost
    rounds = [
        (_each(lambda text: scan(text, lexicon), posts), _each(lambda text: list(bare.iter(text.lower())), posts))
        for _ in range(ROUNDS)
    ]
    figures = {
        "scan.us_500": median(ours for ours, _ in rounds),
        "scan.bare_us_500": median(theirs for _, theirs in rounds),
        "scan.ratio_bare": median(ours / theirs for ours, theirs in rounds),
        "scan.us_chat": median(_each(lambda text: scan(text, lexicon), turns) for _ in range(ROUNDS)),
        "scan.rules": len(lexicon.rules),
        **_fresh(lexicon, judge),
        **_worst(lexicon),
        **_growth(),
        **_rebuilding(),
    }
    say(scan=figures)
    return figures


def _fresh(lexicon: Lexicon, judge: Lexicon) -> dict[str, float]:
    """Texts read for the first time. Another lexicon of the same rules tells beforehand which of them hold something."""
    english = English(6)
    plain = _unsuspicious((english.text(500) for _ in range(FRESH)), judge)
    hits = [text for text in (english.worried(500) for _ in range(FRESH)) if scan(text, judge)]
    disguised = [english.disguised(500) for _ in range(FRESH)]
    turns = _unsuspicious((english.text(60) for _ in range(FRESH)), judge)

    def times(texts: Sequence[str]) -> list[float]:
        """In processor time: what the machine does meanwhile for others would be all that the slowest hundredth shows."""
        return sorted(_timed(lambda text: scan(text, lexicon), texts, time.thread_time_ns))

    first = times(plain)
    return {
        "scan.us_500_fresh": median(first),
        "scan.us_500_p99": first[len(first) * 99 // 100],
        "scan.us_500_hits": median(times(hits)),
        "scan.us_chat_fresh": median(times(turns)),
        "scan.us_disguised": median(times(disguised)),
    }


def _unsuspicious(texts: Iterable[str], judge: Lexicon) -> list[str]:
    """Those in which nothing is found, asked of a lexicon that is not the one measured: it remembers what it reads."""
    return [text for text in texts if not scan(text, judge)]


def _worst(lexicon: Lexicon) -> dict[str, object]:
    """Milliseconds of processor time for the slowest of many hostile texts of 20,000 characters, each read for the first time."""

    def cost(text: str) -> float:
        return _timed(lambda text: scan(text, lexicon), [text], time.thread_time_ns)[0] / 1000

    slow = {kind: cost(text) for kind, text in hostile(HOSTILE).items()}
    kind = max(slow, key=slow.__getitem__)
    return {"scan.ms_20k_worst": slow[kind], "scan.20k_worst": kind}


def _growth() -> dict[str, float]:
    """How much slower the same texts are read with 50,000 rules than with 1,000."""
    dice = random.Random(7)
    phrases = _phrases(dice, MANY)
    dice.shuffle(phrases)
    few, many = (Lexicon.compile([*starter_rules(), *_rules(phrases[:count])]) for count in (FEW, MANY))
    english = English(7)
    posts = [english.text(500) for _ in range(TEXTS)]
    rounds = [[_each(partial(scan, lexicon=of), posts) for of in (few, many)] for _ in range(ROUNDS)]
    return {"scan.growth_50k": median(slow / fast for fast, slow in rounds)}


def _rebuilding() -> dict[str, float]:
    """Seconds and megabytes of one more lexicon, in a process of its own that holds one already, as after a publish."""
    ran = subprocess.run([sys.executable, "-m", "bench.rebuild"], capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(ran.stdout)
    return figures


def _bare(phrases: Sequence[str]) -> Any:
    bare = ahocorasick.Automaton()
    for phrase in phrases:
        bare.add_word(phrase, phrase)
    bare.make_automaton()
    return bare


def _phrases(dice: random.Random, count: int) -> list[str]:
    """Phrases of two to four words, each made of an everyday one, that none of the measured texts is likely to say."""
    found: set[str] = set()
    while len(found) < count:
        found.add(" ".join(f"{dice.choice(WORDS)}{dice.choice('qxz')}{dice.choice('aeiou')}" for _ in range(dice.randint(2, 4))))
    return sorted(found)


def _rules(phrases: Sequence[str]) -> list[Rule]:
    return [
        Rule(key=f"bench-{number}", pattern=phrase, concern=CONCERNS[number % len(CONCERNS)], severity="amber")
        for number, phrase in enumerate(phrases)
    ]


def _text(dice: random.Random, length: int) -> str:
    words = ""
    while len(words) < length:
        words += dice.choice(WORDS) + dice.choice((" ", " ", " ", ", ", ". "))
    return words[:length]


def _each(act: Callable[[str], object], texts: Sequence[str]) -> float:
    """Median microseconds of one call over the texts."""
    return median(_timed(act, texts))


def _timed(act: Callable[[str], object], texts: Sequence[str], clock: Callable[[], int] = time.perf_counter_ns) -> list[float]:
    """Microseconds of each call."""
    times = []
    for text in texts:
        started = clock()
        act(text)
        times.append((clock() - started) / 1000)
    return times


def gate(community: Community) -> dict[str, float]:
    """Posts a second through the verb both doors call, each in its own transaction on disk."""
    app = create_app(Config(mode="demo", data_dir=community.folder, database_url=community.environment["DATABASE_URL"]))
    dice, count = random.Random(6), 0
    words = [_text(dice, 300) for _ in range(50)]
    started, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - started < GATE_SECONDS:
        with app.app_context(), db.write() as database:
            author = database.get_one(Account, community.seeded.first_member + count % 50)
            actions.write_post(author, 4 + count % 50, body=words[count % 50], form_key=uuid.uuid4().hex, limit=10_000)
        count += 1
    figures = {
        "gate.posts_per_s": count / (time.perf_counter() - started),
        "gate.cpu_ms": (time.process_time() - used) * 1000 / count,
    }
    app.extensions["kith_engine"].dispose()
    say(gate=figures)
    return figures
