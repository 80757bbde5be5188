"""Time the checks side by side with other programs for the same purpose; print tables of ratios.

    benchmarks/compare.py [--quick] DUPLICITY...

--quick leaves out the large sizes: a minute instead of five. check_duplicity_freshness is compared
with each DUPLICITY. The tables say which peers are not installed; the peers are in Debian's
monitoring-plugins-basic and -standard.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import time
from collections.abc import Callable
from functools import partial

import drill
import freshness
import log
import process
import start


def main() -> None:
    """Print all tables, and the machine that they were measured on."""
    parser = argparse.ArgumentParser(usage="%(prog)s [--quick] DUPLICITY...")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("duplicity", nargs="+")
    options = parser.parse_args()
    begin = time.monotonic()
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    print(f"{machine}, load {os.getloadavg()[0]:.2f}")
    print("Medians of whole processes in seconds of the clock, ratio: ours to theirs", flush=True)
    of_freshness = partial(freshness.main, options.duplicity)
    of_drill = partial(drill.main, options.duplicity)
    for table in (start.main, of_freshness, of_drill, process.main, log.main):
        in_its_own_process(partial(table, quick=options.quick))
    print(f"\n{time.monotonic() - begin:.0f} s, load now {os.getloadavg()[0]:.2f}")


def in_its_own_process(table: Callable[[], None]) -> None:
    """Print a table in a child process, whose memory is small.

    A process that this one starts is measured with at least this one's memory.
    """
    own = multiprocessing.get_context("fork").Process(target=table)
    own.start()
    own.join()
    if own.exitcode != 0:
        raise SystemExit("not all could be measured")


if __name__ == "__main__":
    main()
