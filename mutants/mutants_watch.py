"""What of the library does each test call? Each Python of a copy loads this when it starts.

If the copy has a file ``current`` with a test's name, what this process calls goes to the file
``calls``: a line of JSON with the test's name, its seconds and the functions, each as
``path:line``. So the programs that a test runs are watched, too. It imports little: the tests
measure how a check starts.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COPY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CURRENT, CALLS = f"{COPY}/current", f"{COPY}/calls"
_OURS = ("/site-packages/check_duplicity/", "/bin/check_duplicity_", "/bin/duplicity_")
seen: dict[int, Any] = {}


def _called(frame: Any, event: str, argument: object) -> None:
    seen[id(frame.f_code)] = frame.f_code


def watch() -> None:
    """Note each function that is called from here on."""
    if "threading" in sys.modules:
        sys.modules["threading"].settrace(_called)
    sys.settrace(_called)


def tell(test: str, seconds: float) -> None:
    """Write what was called since the last time."""
    import json

    codes = list(seen.values())
    seen.clear()
    ours = [code for code in codes if any(part in code.co_filename for part in _OURS)]
    called = sorted({f"{code.co_filename}:{code.co_firstlineno}" for code in ours})
    line = json.dumps([test, seconds, called]) + "\n"
    file = os.open(CALLS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, line.encode())
    os.close(file)


def watch_this_process() -> None:
    """Watch a program that a test has started; this does nothing if no test is watched."""
    try:
        with open(CURRENT) as file:
            test = file.read()
    except OSError:
        return
    import atexit

    really = os._exit
    told: list[bool] = []

    def last() -> None:
        if not told:
            told.append(True)
            sys.settrace(None)
            tell(test, 0.0)

    def leave(status: int) -> None:
        last()
        really(status)

    os._exit = leave  # type: ignore[assignment]
    atexit.register(last)
    watch()
