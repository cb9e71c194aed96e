"""What one more lexicon of 5,000 rules costs a process that holds one already: seconds of processor time, off the event loop's thread, and megabytes."""

from __future__ import annotations

import gc
import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

from community.safety import Lexicon, Rule, starter_rules

from .words import RULES, _phrases, _rules


def main() -> None:
    rules = [*starter_rules(), *_rules(_phrases(random.Random(5), RULES))]
    held = [Lexicon.compile(starter_rules())]
    with ThreadPoolExecutor(1) as pool:
        gc.collect()
        before = _resident()
        seconds = pool.submit(_rebuild, rules, held).result()
        gc.collect()
    print(json.dumps({"scan.rebuild_s_5000": seconds, "scan.rebuild_mb_5000": (_resident() - before) / 1e6}))


def _rebuild(rules: list[Rule], held: list[Lexicon]) -> float:
    """Seconds of this thread's processor time."""
    started = time.thread_time()
    held.append(Lexicon.compile(rules))
    return time.thread_time() - started


def _resident() -> int:
    """Bytes of memory this process holds."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
