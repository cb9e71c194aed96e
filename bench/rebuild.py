"""What one more lexicon of 5,000 rules costs a process that holds one already: seconds, off the event loop's thread, and megabytes."""

from __future__ import annotations

import gc
import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

from community.safety import Lexicon, starter_rules

from .words import RULES, _phrases, _rules


def main() -> None:
    rules = [*starter_rules(), *_rules(_phrases(random.Random(5), RULES))]
    held = [Lexicon.compile(starter_rules())]
    with ThreadPoolExecutor(1) as pool:
        gc.collect()
        before, started = _resident(), time.perf_counter()
        held.append(pool.submit(Lexicon.compile, rules).result())
        seconds = time.perf_counter() - started
        gc.collect()
    print(json.dumps({"scan.rebuild_s_5000": seconds, "scan.rebuild_mb_5000": (_resident() - before) / 1e6}))


def _resident() -> int:
    """Bytes of memory this process holds."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
