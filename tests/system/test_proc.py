"""Whose a process is: what anybody can choose of it does not count."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from check_duplicity.inventory.see import clocks
from check_duplicity.system import proc


@pytest.mark.parametrize(
    ("mode", "uids", "counts"),
    [
        (0o755, {0}, True),
        (0o755, {54321}, False),
        (0o755, {54321, 0}, False),  # as of sudo, which anybody starts with any name
        (0o4755, {0}, False),  # as of what has become root for anybody
    ],
)
def test_a_cron_that_another_may_have_started_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, uids: set[int], counts: bool
) -> None:
    cron = tmp_path / "cron"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", cron)
    cron.chmod(mode)
    with subprocess.Popen([cron, "600"]) as started:
        try:
            monkeypatch.setattr(proc, "heads", lambda: iter([(started.pid, b"cron\0")]))
            monkeypatch.setattr(proc, "uids_of", lambda pid: frozenset(uids))
            monkeypatch.setattr(proc, "hides_others", lambda: False)
            assert os.path.basename(os.readlink(f"/proc/{started.pid}/exe")) == "cron"
            assert clocks(str(tmp_path)).cron == ("" if counts else "cron is not running")
        finally:
            started.kill()
