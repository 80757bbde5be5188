"""Run a plugin again and again, each time with a SIGTERM at the next line; print how it ends.

    every_line.py PLUGIN FILES ARGUMENT...

A line is one of a function in a file of FILES (the ends of their paths, with commas between), or in
what such a function calls; in a loop it counts the first times. Prints a JSON object for each run.
A fork of its own is each run's process: what it has started and not ended becomes a child of this
one.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import itertools
import json
import os
import pkgutil
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import check_duplicity
from check_duplicity.system import runtime

_PR_SET_CHILD_SUBREAPER = 36
_TIMES = 3


def main() -> None:
    """Run the plugin until there are no more such lines."""
    plugin, files, *arguments = sys.argv[1:]
    # All that it may load is here: to load it again in each run takes the most time.
    for module in pkgutil.walk_packages(check_duplicity.__path__, "check_duplicity."):
        importlib.import_module(module.name)
    code = compile(Path(plugin).read_text(), plugin, "exec")
    names: dict[str, Any] = {"__name__": "plugin", "__file__": plugin}
    exec(code, names)
    sys.argv = [plugin, *arguments]
    gc.freeze()  # Else each run copies what is loaded.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    for nth in itertools.count(1):
        seen = run(names, files.split(","), nth)
        if not seen["line"]:
            return
        print(json.dumps(seen), flush=True)


def run(names: dict[str, Any], files: list[str], nth: int) -> dict[str, object]:
    """Run the plugin with a signal at its nth line."""
    pipes = out, error, line = [os.pipe() for _ in range(3)]
    if os.fork() == 0:
        os.dup2(out[1], 1)
        os.dup2(error[1], 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        interrupt_at(nth, files, line[1])
        runtime.run(names["TITLE"], names["main"])
    for _, end in pipes:
        os.close(end)
    said = {
        name: Path(f"/dev/fd/{pipe[0]}").read_text()
        for name, pipe in (("out", out), ("error", error), ("line", line))
    }
    for begin, _ in pipes:
        os.close(begin)
    _, status = os.wait()
    return {**said, "status": os.waitstatus_to_exitcode(status), "left": left()}


def left() -> list[str]:
    """Return leftovers: processes, which this function ends, and temporary files."""
    found = []
    try:
        while True:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if not pid:
                found.append(Path("/proc/thread-self/children").read_text())
                for child in found[-1].split():
                    os.kill(int(child), signal.SIGKILL)
                os.wait()
    except ChildProcessError:
        return [*found, *os.listdir(os.environ["TMPDIR"])]


def interrupt_at(nth: int, files: list[str], told: int) -> None:
    """Send a signal to this process at its nth line in these files; report that line."""
    lines = itertools.count(1)
    times: Counter[tuple[object, ...]] = Counter()

    def of_files(frame: FrameType | None) -> bool:
        return frame is not None and frame.f_code.co_filename.endswith(tuple(files))

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if not of_files(frame) and not of_files(frame.f_back):
            return None
        if event not in ("call", "line"):
            return trace
        caller = frame.f_back
        here = (frame.f_code, frame.f_lineno, caller and (caller.f_code, caller.f_lineno))
        times[here] += 1
        if times[here] <= _TIMES and next(lines) == nth:
            sys.settrace(None)
            where = f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}"
            os.write(told, where.encode())
            os.kill(os.getpid(), signal.SIGTERM)
        return trace

    sys.settrace(trace)


if __name__ == "__main__":
    main()
