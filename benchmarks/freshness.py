"""Time check_duplicity_freshness against duplicity collection-status, side by side in one run.

    benchmarks/freshness.py DUPLICITY...

For each duplicity and each size of destination, both are run in turn; what is printed are ratios of
the medians of whole processes, so that the machine's speed does not matter. The files are empty but
for the manifests: duplicity reads no others for its status, and the check reads none.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

CHECK = Path(sys.executable).parent / "check_duplicity_freshness"
SIZES = ((30, 20, 11), (2000, 20, 3))  # backup sets, volumes in each, runs
MANIFEST = "Volume {}:\n    StartingPath   .  \n    EndingPath     a  \n    Hash SHA1 25e9356c\n"


def make_destination(directory: Path, sets: int, volumes: int) -> None:
    """Make hourly backups, every tenth a full one, and the archive directory to them."""
    destination, archive = directory / "destination", directory / "archive" / "job"
    destination.mkdir()
    archive.mkdir(parents=True)
    now = datetime.now(timezone.utc)
    stamps = [f"{now - timedelta(hours=hours):%Y%m%dT%H%M%SZ}" for hours in range(sets, 0, -1)]
    manifest = "".join(map(MANIFEST.format, range(1, volumes + 1)))
    for position, stamp in enumerate(stamps):
        full = position % 10 == 0
        between = stamp if full else f"{stamps[position - 1]}.to.{stamp}"
        name = f"duplicity-{'full' if full else 'inc'}.{between}"
        signature = f"duplicity-{'full' if full else 'new'}-signatures.{between}.sigtar.gz"
        for place in (destination, archive):
            (place / f"{name}.manifest").write_text(manifest)
            (place / signature).touch()
        for volume in range(1, volumes + 1):
            (destination / f"{name}.vol{volume}.difftar.gz").touch()


def medians(commands: Sequence[Sequence[object]], runs: int) -> list[float]:
    """Run the commands in turn, after one run that doesn't count; return their median seconds."""
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(runs + 1):
        for command, taken in zip(commands, times):
            begin = time.perf_counter()
            words = list(map(str, command))
            subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            taken.append(time.perf_counter() - begin)
    return [statistics.median(taken[1:]) for taken in times]


def main(duplicities: Sequence[str]) -> None:
    """Print a line for each size and each duplicity."""
    print(" " * 27 + "| seconds" + " " * 24 + "| ratio to duplicity")
    print("duplicity   sets   volumes | duplicity   check from-archive |  check from-archive")
    for sets, volumes, runs in SIZES:
        with tempfile.TemporaryDirectory() as temporary:
            os.environ["HOME"] = temporary
            directory = Path(temporary)
            make_destination(directory, sets, volumes)
            url = f"file://{directory}/destination"
            for duplicity in duplicities:
                check = [CHECK, "-d", url, "-a", directory / "archive", "-n", "job"]
                alone, asked, archive = medians(
                    [
                        [duplicity, "collection-status", url],
                        [*check, "--duplicity", duplicity],
                        [*check, "--from-archive"],
                    ],
                    runs,
                )
                version = Path(duplicity).parts[-3]
                figures = f"{alone:9.3f} {asked:7.3f} {archive:12.3f}"
                ratios = f"{asked / alone:6.2f} {archive / alone:12.2f}"
                print(f"{version:>9} {sets:6} {sets * volumes:9} | {figures} | {ratios}")


if __name__ == "__main__":
    main(sys.argv[1:] or ["duplicity"])
