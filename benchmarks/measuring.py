"""Measure commands side by side, and print the results as tables of one form.

All commands of a row run in turn, round after round, so that other load on the machine affects all
of them alike. Compare the ratios: the seconds depend on the machine.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

BIN = Path(sys.executable).parent  # where our plugins are
_PEERS = "/usr/lib/nagios/plugins:/usr/lib64/nagios/plugins:/usr/lib/monitoring-plugins"

Command = Sequence[object]


class Taken(NamedTuple):
    """The cost of a command: elapsed seconds, and the peak memory of its processes in MB."""

    seconds: float
    megabytes: float


class Table:
    """A table, printed row by row: our cost, then each peer's seconds and our ratio to them."""

    def __init__(self, title: str, peers: Sequence[str]) -> None:
        """Print the head."""
        heads = "".join(f"|{peer:^16}" for peer in peers)
        units = f"|{'s':>8} {'ratio':>6} " * len(peers)
        print(f"\n{'':38} |{'ours':^15}{heads}".rstrip())
        print(f"{title:38} |{'s':>7} {'MB':>6} {units}".rstrip())

    def row(self, case: str, ours: Taken, theirs: Sequence[Taken | None]) -> None:
        """Print a row; ``None`` is a peer that isn't installed."""
        cells = [f"|{ours.seconds:7.3f} {ours.megabytes:6.0f} "]
        for taken in theirs:
            if taken is None:
                cells.append(f"|{'not installed':^16}")
            else:
                cells.append(f"|{taken.seconds:8.3f} {ours.seconds / taken.seconds:6.2f} ")
        print(f"{case:38} " + "".join(cells).rstrip(), flush=True)


def peer(name: str, *options: object) -> Command | None:
    """Return the command for a plugin of monitoring-plugins; ``None`` if it isn't installed."""
    path = shutil.which(name, path=_PEERS)
    return [path, *options] if path else None


def medians(
    commands: Sequence[Command | None],
    runs: int,
    *,
    warm: bool = True,
    before: Callable[[], object] = lambda: None,
) -> list[Taken | None]:
    """Run the commands in turn, ``runs`` times; return their medians, ``None`` for no command.

    ``before`` is called before each round. With ``warm`` there is one more round, which doesn't
    count. Raises `RuntimeError` if a command fails, because then its time says nothing.
    """
    rounds = []
    for _ in range(runs + warm):
        before()
        rounds.append([None if command is None else _run(command) for command in commands])
    return [_median(taken) for taken in zip(*rounds[warm:])]


def ours(taken: Taken | None) -> Taken:
    """Return the result of a command that can't be ``None``."""
    assert taken is not None
    return taken


def _median(taken: Sequence[Taken | None]) -> Taken | None:
    values = [one for one in taken if one is not None]
    return Taken(*map(statistics.median, zip(*values))) if values else None


def _run(command: Command) -> Taken:
    """Run a command with its output in a pipe, since grep does less if that is ``/dev/null``."""
    words = [str(word) for word in command]
    begin = time.perf_counter()
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    with process.stdout:
        output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in range(4) or b" UNKNOWN " in output:
        raise RuntimeError(f"{words} ended with {process.returncode}: {output[:300]!r}")
    return Taken(seconds, usage.ru_maxrss / 1000)
