"""check_duplicity_process, against check_procs, among more and more idle processes.

As root, this runs in its own PID namespace, so that the number of processes is exact. Otherwise the
machine's own processes count, too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from measuring import BIN, Command, Table, Taken, medians, ours, peer

CHECK = BIN / "check_duplicity_process"
ALONE = ("unshare", "--pid", "--fork", "--mount-proc")
SIZES = (100, 500, 1500, 5000)
QUICK = (100, 1500)


def main(*, quick: bool) -> None:
    """Print a row for each number of processes."""
    table = Table("process", ["check_procs"])
    prefix = ALONE if _can(*ALONE, "true") else ()
    for size in QUICK if quick else SIZES:
        command = [*prefix, sys.executable, __file__, str(size), "3" if quick else "11"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        there, taken, theirs = json.loads(done.stdout)
        table.row(f"{there:5} processes", Taken(*taken), [Taken(*theirs) if theirs else None])


def _can(*command: str) -> bool:
    try:
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def among(size: int, runs: int) -> tuple[int, Taken, Taken | None]:
    """Measure both among at least ``size`` processes; return the real number, too."""
    idle = max(0, size - _processes() - 1)
    # One shell starts all of them, so that one signal to its process group ends them.
    command = f"i=0; while [ $i -lt {idle} ]; do sleep 3600 & i=$((i+1)); done; echo; wait"
    with subprocess.Popen(
        ["sh", "-c", command], stdout=subprocess.PIPE, start_new_session=True
    ) as shell:
        try:
            assert shell.stdout is not None
            shell.stdout.readline()
            there = _processes()
            commands: list[Command | None] = [[CHECK], peer("check_procs", "-C", "duplicity")]
            taken, theirs = medians(commands, runs)
        finally:
            os.killpg(shell.pid, signal.SIGKILL)
    return there, ours(taken), theirs


def _processes() -> int:
    return len(list(Path("/proc").glob("[0-9]*")))


if __name__ == "__main__":
    print(json.dumps(among(int(sys.argv[1]), int(sys.argv[2]))))
