"""Run an installed plugin, as Nagios would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parent.parent
# The checks' state files, unless a test says where; removed when the tests end.
STATE = tempfile.TemporaryDirectory(prefix="tests-of-check-duplicity-")


class Result(NamedTuple):
    """A plugin's exit status and output."""

    status: int
    out: str

    @property
    def first_line(self) -> str:
        return self.out.split("\n")[0].split(" | ")[0]

    @property
    def performance(self) -> dict[str, str]:
        """Performance data by label, each with its limits."""
        words = self.out.split("\n")[0].partition(" | ")[2].split()
        return dict(word.split("=", 1) for word in words)

    def value(self, label: str) -> int:
        return int(self.performance[label].split(";")[0].rstrip("sB%"))


def run_plugin(
    name: str,
    arguments: Sequence[object],
    *,
    stdin: str | bytes = b"",
    environment: dict[str, str] | None = None,
    **options: object,
) -> Result:
    """Run an installed plugin as Nagios would: without a terminal, with a small environment."""
    done = subprocess.run(  # type: ignore[call-overload]
        [BIN / name, *map(str, arguments)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={
            "PATH": os.environ["PATH"],
            "TZ": "UTC",
            "XDG_STATE_HOME": STATE.name,
            **(environment or {}),
        },
        timeout=120,
        check=False,
        **options,
    )
    assert done.stderr == b""
    result = Result(done.returncode, done.stdout.decode())
    assert_valid(result)
    return result


def assert_valid(result: Result) -> None:
    """Demand an output that Nagios and Icinga read as it is meant."""
    lines = result.out.split("\n")
    assert lines[-1] == ""
    assert result.status in (0, 1, 2, 3)
    if lines[0].startswith("usage:") or len(lines[0].split(" ")) == 2:
        return  # --help and --version
    word = ("OK", "WARNING", "CRITICAL", "UNKNOWN")[result.status]
    assert f" {word} - " in lines[0]
    assert lines[0].count("|") <= 1
    assert not any("|" in line for line in lines[1:])
    assert "Traceback" not in result.out


def write_job(directory: Path, name: str, text: str) -> None:
    """Write a job's file with a safe mode, since the plugins refuse one that others can write."""
    path = directory / f"{name}.ini"
    path.write_text(text)
    path.chmod(0o644)
    directory.chmod(0o755)


def ageless(text: str) -> str:
    """Return a check's output without ages."""
    return re.sub(r"(\d+[a-z] )+ago", "ago", text)


def freshness(*arguments: object, **options: object) -> Result:
    return run_plugin("check_duplicity_freshness", arguments, **options)  # type: ignore[arg-type]
