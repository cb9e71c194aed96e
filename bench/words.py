"""The scanner and the gate, inside this process."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Sequence
from statistics import median

import ahocorasick

from community import create_app
from community.accounts.models import Account
from community.core import db
from community.forum import actions
from community.safety import CONCERNS, Lexicon, Rule, scan, starter_rules
from config import Config

from .seed import WORDS
from .servers import Community, say

RULES = 5_000
TEXTS, ROUNDS = 200, 7
GATE_SECONDS = 3.0


def scanner() -> dict[str, float]:
    """Microseconds for 500 characters and for a chat turn with 5,000 rules; the ratio to pyahocorasick alone on the same text."""
    dice = random.Random(5)
    phrases = _phrases(dice, RULES)
    lexicon = Lexicon.compile([*starter_rules(), *_rules(phrases)])
    bare = ahocorasick.Automaton()
    for phrase in phrases:
        bare.add_word(phrase, phrase)
    bare.make_automaton()
    posts = [_text(dice, 500) for _ in range(TEXTS)]
    turns = [_text(dice, 60) for _ in range(TEXTS)]
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
    }
    say(scan=figures)
    return figures


def _phrases(dice: random.Random, count: int) -> list[str]:
    """Phrases of two to four everyday words that none of the measured texts is likely to say."""
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
    times = []
    for text in texts:
        started = time.perf_counter_ns()
        act(text)
        times.append(time.perf_counter_ns() - started)
    return median(times) / 1000


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
