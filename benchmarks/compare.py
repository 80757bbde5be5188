"""Time the checks side by side with what else there is for the same; print tables of ratios.

    benchmarks/compare.py [--quick] DUPLICITY...

--quick leaves out the large sizes: a minute instead of five. Each DUPLICITY is one that
check_duplicity_freshness is compared with. Peers that are not installed are shown as such: they are
in Debian's monitoring-plugins-basic and -standard.
"""

from __future__ import annotations

import argparse
import os
import platform
import time

import freshness
import log
import process
import start


def main() -> None:
    """Print all tables, and what they were measured on."""
    parser = argparse.ArgumentParser(usage="%(prog)s [--quick] DUPLICITY...")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("duplicity", nargs="+")
    options = parser.parse_args()
    begin = time.monotonic()
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}"
    )
    print("Medians of whole processes in seconds of the clock, ratio: ours to theirs")
    start.main(quick=options.quick)
    freshness.main(options.duplicity, quick=options.quick)
    process.main(quick=options.quick)
    log.main(quick=options.quick)
    print(f"\n{time.monotonic() - begin:.0f} s, load now {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    main()
