"""Time check_duplicity_process against check_procs, side by side in one run.

    benchmarks/process.py [CHECK_PROCS]

With ever more idle processes on the machine, both are run in turn; what counts are the ratios of
the medians of whole processes, so that the machine's speed does not matter.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from freshness import medians

CHECK = Path(sys.executable).parent / "check_duplicity_process"
CHECK_PROCS = "/usr/lib/nagios/plugins/check_procs"
IDLE = (0, 500, 1500)


def main(check_procs: str) -> None:
    """Print a line for each number of idle processes."""
    print("idle processes | check_procs   check_duplicity_process | ratio")
    for idle in IDLE:
        # One shell starts them all, and takes them with it.
        command = f"for i in $(seq {idle}); do sleep 3600 & done; echo; wait"
        with subprocess.Popen(
            ["sh", "-c", command], stdout=subprocess.PIPE, start_new_session=True
        ) as shell:
            try:
                assert shell.stdout is not None
                shell.stdout.readline()
                theirs, ours = medians([[check_procs, "-C", "duplicity"], [CHECK, "-q"]], 11)
            finally:
                subprocess.run(["pkill", "-KILL", "-s", str(shell.pid)], check=False)
        print(f"{idle:14} | {theirs:11.3f} {ours:25.3f} | {ours / theirs:5.2f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else CHECK_PROCS)
