"""What a job's file gives to the command that starts duplicity is not printed, in no advice."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from check_duplicity.system.user import current
from plugin import run_plugin, write_job
from samples import CAPTURES, full, inc

SECRET = "hunter2geheim"


@pytest.fixture
def job(tmp_path: Path) -> list[object]:
    """A job with an orphaned set and a log that tells of one: both advise a command."""
    now = datetime.now(timezone.utc)
    archive = tmp_path / "archive" / "web"
    archive.mkdir(parents=True)
    day = timedelta(days=1)
    for name in full(now - 9 * day) + inc(now - 3 * day, now - 2 * day):
        if "difftar" not in name:
            (archive / name).write_text("Volume 1:\n" if name.endswith("manifest") else "")
    log = tmp_path / "web.log"
    log.write_text((CAPTURES / "runs/3.2.1/corpus-orphaned.out").read_text())
    text = (
        f"[job]\nuser = {current()}\ndestination = file:///srv/none\nname = web\nmail = {log}\n"
        f"archive_dir = {archive.parent}\n"
        f"duplicity = /usr/bin/env PASSPHRASE={SECRET} /usr/bin/duplicity\n"
    )
    (tmp_path / "jobs.d").mkdir()
    write_job(tmp_path / "jobs.d", "web", text)
    return ["--jobs-dir", tmp_path / "jobs.d"]


@pytest.mark.parametrize(
    ("program", "words", "offers"),
    [
        ("check_duplicity_freshness", ["-j", "web", "--from-archive", "-v"], True),
        ("check_duplicity_log", ["-j", "web", "-v"], True),
        ("check_duplicity_process", ["-j", "web", "--require"], False),
        ("check_duplicity_restore", ["-j", "web", "-v"], False),
        ("duplicity_triage", ["web", "--from-archive", "--format", "nagios"], True),
    ],
)
def test_no_advice_has_the_passphrase_of_the_command(
    program: str, words: list[str], offers: bool, job: list[object]
) -> None:
    said = run_plugin(program, [*words, *job]).out
    assert SECRET not in said
    assert ("/usr/bin/duplicity" in said) == offers
