"""Whatever is written gets an answer in bounded time. Content note: fragments of worrying words, repeated."""

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from weakref import ref

import pytest

from bench.english import hostile
from community.safety import Lexicon, OutOfTime, Rule, folding, scan, scanning, starter_rules, vocabulary
from tests.safety.test_same_answers import texts

HEAVY = [
    Rule("expr-1", r"(a?){20}a{20}", "spam", "green", kind="regex"),
    Rule("expr-2", r"(\d{4}[ -]?){4}", "personal-data", "amber", kind="regex"),
    Rule("expr-3", r"(x+x+)+y", "spam", "green", kind="regex"),
    Rule("inside", "自殺|想死|ell", "suicide", "red", kind="inside"),
    Rule("gaps", "(kill|want|die) _9 (really|my|want|to) _9 (self|die|life) _9 (now|ever|never)", "suicide", "red"),
]
LEXICON = Lexicon.compile([*starter_rules(), *HEAVY])
SHORT, LONG = hostile(20_000), hostile(1_000_000)
TENFOLD_MS, LONG_MS = 100, 1_800
"""Ten times what `make bench` asks for, so that a slow machine is no failure; a million characters stay under the budget."""


def milliseconds(text: str, lexicon: Lexicon = LEXICON) -> float:
    """Processor time, the least of three: a busy machine adds to it (caches, pages that were put away) and never takes from it."""
    return min(_once(text, lexicon) for _ in range(3))


def _once(text: str, lexicon: Lexicon) -> float:
    started = time.thread_time()
    try:
        assert isinstance(scan(text, lexicon), tuple)
    except OutOfTime:
        return inf
    return (time.thread_time() - started) * 1000


@pytest.mark.parametrize("kind", SHORT)
def test_twenty_thousand_hostile_characters_are_read_quickly(kind: str) -> None:
    assert milliseconds(SHORT[kind]) < TENFOLD_MS


@pytest.mark.parametrize("kind", LONG)
def test_a_million_hostile_characters_are_read_within_the_budget(kind: str) -> None:
    assert milliseconds(LONG[kind]) < LONG_MS


@pytest.mark.parametrize("kind", ["aaaa ", "xxxx", "0123 ", "1111-", "kill want ", "kill to to die now my "])
def test_expressions_and_gaps_that_nearly_match_take_no_longer(kind: str) -> None:
    assert milliseconds((kind * 20_000)[:20_000]) < TENFOLD_MS


def test_one_text_makes_the_memory_grow_by_a_bounded_number_of_words() -> None:
    lexicon = Lexicon.compile(starter_rules())
    before = len(lexicon.vocabulary.memory())
    scan(LONG["new-words"], lexicon)
    assert len(lexicon.vocabulary.memory()) - before <= scanning.MAX_NEW_WORDS + 1  # and what stands for the others


def test_the_memory_begins_afresh_before_it_grows_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    lexicon = Lexicon.compile(starter_rules())
    first = lexicon.vocabulary.memory()
    scan("vgkhwq pqzkx", lexicon)
    assert lexicon.vocabulary.memory() is first
    assert "vgkhwq" in first
    monkeypatch.setattr(vocabulary, "REMEMBERED", len(first) - 1)
    assert "vgkhwq" not in lexicon.vocabulary.memory()


def test_a_lexicon_that_nobody_holds_is_gone_at_once() -> None:
    """After a publish two live for a moment, not until the next collection of garbage."""
    lexicon = Lexicon.compile([Rule("one", "one word", "spam", "green")])
    scan("onne wrod", lexicon)
    vocabulary_left = ref(lexicon.vocabulary)
    del lexicon
    assert vocabulary_left() is None


def test_the_table_of_characters_stays_small() -> None:
    folding.words("".join(map(chr, range(0x110000))))
    assert len(folding.TABLE) <= folding.TABLE.LIMIT


def test_a_text_that_costs_more_than_its_budget_raises_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "MAX_SECONDS", 0.0)
    with pytest.raises(OutOfTime, match="not read within"):
        scan(SHORT["worries"], LEXICON)
    assert scan("I want to die", LEXICON), "a short text is bounded by its length"


def test_threads_that_scan_share_one_lexicon_while_others_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory is renewed all the time, in the middle of other threads' texts."""
    rules = starter_rules()
    asked = texts(4, 80)
    expected = [scan(text, LEXICON) for text in asked]
    shared = Lexicon.compile([*rules, *HEAVY])
    monkeypatch.setattr(vocabulary, "REMEMBERED", len(shared.vocabulary.reader.base) + 5)

    def read(turn: int) -> bool:
        order = asked[turn * 7 :] + asked[: turn * 7]
        return [scan(text, shared) for text in order] == expected[turn * 7 :] + expected[: turn * 7]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that they meet in the middle of everything
    try:
        _meet(read, rules, asked)
    finally:
        sys.setswitchinterval(interval)


def _meet(read: Callable[[int], bool], rules: Sequence[Rule], asked: list[str]) -> None:
    with ThreadPoolExecutor(5) as pool:
        readers = [pool.submit(read, turn) for turn in range(4)]
        builders = [pool.submit(Lexicon.compile, rules) for _ in range(2)]
        assert all(reader.result(60) for reader in readers)
        assert [scan(text, builder.result(60)) for builder in builders for text in asked[:5]]
