"""Run every benchmark; the last line of standard output is one JSON object. See bench/README.md for what each figure means."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import tempfile
import time
from pathlib import Path

from . import chat, live, pages, servers, words
from .seed import Size

SMALL, USUAL, FULL = Size(topics=1_000, posts=10_000), Size(), Size(topics=100_000, posts=1_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="growth from 100,000 to 1,000,000 posts instead of 10,000 to 100,000")
    parser.add_argument("--only", default="scan,gate,pages,growth,chat,live,desk", help="a comma-separated part of: %(default)s")
    options = parser.parse_args()
    only, folder, began = options.only.split(","), Path(tempfile.mkdtemp(prefix="kith-bench-")), time.monotonic()
    os.sched_setaffinity(0, {servers.LOAD_CORE})
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # for 5,000 clients; the servers inherit it
    try:
        figures = _run(only, folder, full=options.full)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures |= {
        "bench.seconds": time.monotonic() - began,
        "bench.python": platform.python_version(),
        "bench.cores": len(servers.CORES),
    }
    print(json.dumps({name: round(value, 3) if isinstance(value, float) else value for name, value in figures.items()}))


def _run(only: list[str], folder: Path, *, full: bool) -> dict[str, object]:
    figures: dict[str, object] = {}
    if "scan" in only:
        figures |= words.scanner()
    if {"gate", "pages", "growth", "chat", "live", "desk"} & set(only):
        usual = servers.make(folder / "usual", USUAL)
        if "pages" in only:
            figures |= pages.measure(usual)
        if "growth" in only:
            other = servers.make(folder / "other", FULL if full else SMALL)
            figures["growth.topic_ratio_10x"] = pages.growth(usual, other) if full else pages.growth(other, usual)
        if "gate" in only:
            figures |= words.gate(usual)
        if "chat" in only:
            figures |= chat.measure(usual)
        if "live" in only:
            figures |= live.measure(usual)
        if "desk" in only:
            figures |= chat.desk(usual)
    return figures


if __name__ == "__main__":
    main()
