"""Runs atheris where there is a wheel for it (Linux on x86-64), which looks for new paths through the code; elsewhere hypothesis.

Stops by itself after FUZZ_SECONDS. Exits with 1, and shows the input, when a promise is broken.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

SECONDS = int(os.environ.get("FUZZ_SECONDS", "60"))
LONGEST = 4_000


def main() -> None:
    try:
        import atheris
    except ImportError:
        _by_chance()
        return
    os.environ["SCANNER"] = "interpreted"  # atheris sees no path through machine code
    with atheris.instrument_imports(include=["community.safety"]):
        from . import promises
    print(f"fuzz: atheris, {SECONDS} s", flush=True)
    with tempfile.TemporaryDirectory(prefix="kith-fuzz-") as corpus:
        _seed(Path(corpus))
        limits = [
            f"-max_total_time={SECONDS}",
            f"-max_len={LONGEST}",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={tempfile.gettempdir()}/kith-", corpus], promises.keep)
        atheris.Fuzz()


def _seed(corpus: Path) -> None:
    """Every example and every pattern of the starter packs, to begin with."""
    from community.safety import starter_rules

    for rule in starter_rules():
        for number, example in enumerate((*rule.must_match, *rule.must_not_match)):
            (corpus / f"{rule.key}-{number}").write_bytes(b"\x00" + example.encode())
        (corpus / f"{rule.key}-pattern").write_bytes(b"\xc0" + rule.pattern.encode()[:LONGEST])


def _by_chance() -> None:
    """Without coverage: examples of the starter packs, cut, joined and salted with any characters."""
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    from community.safety import starter_rules

    from . import promises

    print(f"fuzz: hypothesis, {SECONDS} s; atheris has no wheel here", flush=True)
    said = st.sampled_from([text for rule in starter_rules() for text in (*rule.must_match, *rule.must_not_match)])
    anything = st.text(st.characters(codec=None), max_size=200)
    texts = st.lists(st.one_of(said, anything), max_size=8).map("".join)
    patterns = st.lists(st.one_of(st.sampled_from(["(", ")", "[", "]", "|", "_", "_3", "*"]), said, anything), max_size=12).map(
        " ".join
    )
    calm = settings(max_examples=500, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    until, runs = time.monotonic() + SECONDS, 0
    while time.monotonic() < until:
        calm(given(texts)(promises.keep_for_text))()
        calm(given(patterns, st.sampled_from(["phrase", "inside", "regex"]))(promises.keep_for_pattern))()
        runs += 1000
    print(f"fuzz: {runs} inputs, no promise broken")


if __name__ == "__main__":
    main()
