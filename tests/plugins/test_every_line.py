"""A signal may come at any line: nothing is left behind, and there is an answer.

Signals from outside hit only a few lines, and different ones each time, so the process sends the
signal to itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from plugin import BIN, Result, assert_valid

MAKING = "destination/asking.py,system/child.py,system/runtime.py,destination/see.py"
URL = ("-d", "sftp://h/x")
LOG = "--------------[ Backup Statistics ]--------------\nErrors 0\n"


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("plugin", "files", "arguments"),
    [
        ("check_duplicity_freshness", MAKING, (*URL, "--duplicity", "{}/failing")),
        ("duplicity_triage", "triage/sidebyside.py", (*URL, "--duplicity", "{}/failing")),
        ("check_duplicity_log", "system/memory.py", ("{}/log", "--state-file", "{}/state/log")),
    ],
)
def test_a_signal_at_any_line_leaves_nothing_behind(
    tmp_path: Path, plugin: str, files: str, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "state").mkdir(0o700)
    (tmp_path / "log").write_text(LOG)
    failing = tmp_path / "failing"
    failing.write_text("#!/bin/sh\nexit 50\n")
    failing.chmod(0o755)
    given = [argument.format(tmp_path) for argument in arguments]
    script = Path(__file__).with_name("every_line.py")
    told = subprocess.run(
        [sys.executable, "-I", script, BIN / plugin, files, *given],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={"PATH": os.defpath, "TMPDIR": str(tmp_path / "tmp")},
        text=True,
        check=True,
    ).stdout
    runs = list(map(json.loads, told.splitlines()))
    assert len(runs) > 50
    for run in runs:
        assert (run["left"], run["error"]) == ([], ""), run
        assert run["status"] in (0, 3), run
        if plugin != "duplicity_triage":  # which has said something already, perhaps
            assert_valid(Result(run["status"], run["out"]))
    assert any("ended by SIGTERM before it was done" in run["out"] for run in runs)
    assert [path.name for path in (tmp_path / "state").iterdir()] in ([], ["log"])
