"""Pages fetched on a fixed schedule by a process of its own, so that the load generator cannot make them late.

`python -m bench.probe PORT COOKIE PATH PER_SECOND SECONDS` prints the sorted milliseconds from the moment each page was due.
"""

from __future__ import annotations

import json
import sys
import time

from .servers import Browser, Server


def main() -> None:
    port, cookie, path, per_second, seconds = sys.argv[1:]
    browser = Browser(Server(int(port), None), cookie)  # type: ignore[arg-type]
    browser.get(path)
    waits, began, rate = [], time.perf_counter(), float(per_second)
    for number in range(int(rate * float(seconds))):
        due = began + number / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        browser.get(path)
        waits.append(1000 * (time.perf_counter() - due))
    print(json.dumps(sorted(waits)))


if __name__ == "__main__":
    main()
