"""A person at a terminal sees how far a drill is; nobody else does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from check_duplicity.restore.tell import Reporter

CODE = """\
import sys, threading
from check_duplicity.restore.tell import Reporter
hide = lambda text: text.replace("geheim", "***")
with Reporter(quiet="quiet" in sys.argv, hide=hide) as reporter:
    reporter.read("srv/geheim\\n[red]x", 1, 2)
    count = threading.active_count()
print(count)
"""


def at_a_terminal(*words: str) -> tuple[str, str]:
    """Return what is printed, and what the terminal gets."""
    terminal, stderr = os.openpty()
    command = [sys.executable, "-c", CODE, *words]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=stderr, env=environment, check=True, timeout=60
    )
    os.set_blocking(terminal, False)
    os.close(stderr)
    try:
        shown = os.read(terminal, 1 << 16)
    except OSError:  # Nobody has written anything.
        shown = b""
    os.close(terminal)
    return done.stdout.decode(), shown.decode()


def test_a_terminal_shows_what_is_restored_and_how_much_of_it() -> None:
    printed, shown = at_a_terminal()
    assert printed == "1\n", "a thread would be lost when this process forks"
    assert "asking what is there" in shown
    assert "srv/***?[red]x" in shown
    assert "1/2" in shown
    assert shown.endswith("\x1b[2K"), "it stays there when the drill has ended"


def test_quiet_shows_nothing() -> None:
    assert at_a_terminal("quiet") == ("1\n", "")


def test_without_a_terminal_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter(quiet=False, hide=str) as reporter:
        reporter.read("x", 1, 2)
    assert capsys.readouterr() == ("", "")
