"""No value starts a new line that looks like a verdict, a finding or a step."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest
from check_duplicity.jobs.job_file import as_ini
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.nagios.answer import Answer, unseen
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import CannotSee, Finding, Kind, State
from check_duplicity.nagios.output import output
from check_duplicity.secrets import Secrets
from check_duplicity.triage.judge import judge
from check_duplicity.triage.model import Picture
from check_duplicity.triage.tell import Report
from plugin import BIN

FORGED = "FORGED: OK, good"
EVIL = f"x\n{FORGED}\n  {FORGED}\r\x1b[2J{FORGED}\u2028{FORGED}\n"
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=timezone.utc)
JOB = Job("backup", url="file:///x")


def assert_not_forged(out: str) -> None:
    """Demand that the value is in the output, and that no line begins with a part of it."""
    assert FORGED in out
    assert all(c.isprintable() or c == "\n" for c in out)
    assert [line for line in out.split("\n") if line.lstrip(" #").startswith("FORGED")] == []


def test_in_the_output_of_a_check() -> None:
    found = (
        Finding(Kind.RUN_FAILED, State.CRITICAL, EVIL, quote=EVIL),
        Finding(Kind.ORPHANED, State.WARNING, EVIL),
    )
    said = Answer("T", State.CRITICAL, EVIL, NOW, (), found, JOB, (EVIL, EVIL))
    assert_not_forged(output(said).text)
    assert_not_forged(output(unseen("T", CannotSee(Kind.TIMEOUT, EVIL), JOB)).text)


def test_in_triages_report(capsys: pytest.CaptureFixture[str]) -> None:
    found = (
        Finding(Kind.RUN_FAILED, State.CRITICAL, EVIL, quote=EVIL),
        Finding(Kind.ORPHANED, State.WARNING, f"orphaned: {EVIL}", quote=EVIL),
    )
    facts = tuple((key, EVIL, EVIL) for key in ("user", "script", "archive_dir", "name"))
    picture = Picture(EVIL, JOB, facts, (EVIL,), EVIL, EVIL, EVIL, findings=found)
    report = Report()
    report.job(picture, judge(picture), NOW)
    report.verdict(picture, judge(picture))
    report.line(f"Not read: {EVIL}")
    assert_not_forged(capsys.readouterr().out)


def test_in_a_list_of_jobs(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {key: Fact(EVIL, EVIL) for key in ("user", "script", "schedule", "destination")}
    known = Known(EVIL, facts, {EVIL: "x"}, (EVIL,))
    Report().known([known], Secrets({}))
    assert_not_forged(capsys.readouterr().out)
    assert_not_forged(as_ini(known, Secrets({}).hide))


def printed(directory: Path, plugin: str, *words: str) -> str:
    done = subprocess.run(
        [BIN / plugin, *words],
        env={**os.environ, "XDG_STATE_HOME": str(directory)},
        capture_output=True,
        text=True,
        check=False,
        cwd=directory,
    )
    assert done.stderr == ""
    return f"{done.stdout}({FORGED})"


@pytest.mark.parametrize(
    "words",
    [
        ["check_duplicity_freshness", "-v", "-d", "file:///nowhere", "-a", EVIL, "-n", EVIL],
        ["check_duplicity_freshness", "--from-archive", "-a", EVIL, "-n", EVIL],
        ["check_duplicity_freshness", "--from-file", EVIL],
        ["check_duplicity_log", EVIL],
        ["check_duplicity_log", "-j", EVIL],
        ["check_duplicity_log", "--state-file", EVIL, "/dev/null"],
        ["duplicity_triage", "-d", "file:///nowhere", "-a", EVIL, "-n", EVIL],
        ["duplicity_triage", "-q", "-d", EVIL],
        ["duplicity_drill", "-d", "file:///nowhere", "-a", EVIL, "--path", EVIL],
        ["duplicity_drill", "-d", "sftp://h/x", "--tempdir", EVIL],
        ["check_duplicity_restore", "-d", EVIL, "-n", EVIL],
        ["check_duplicity_jobs", "--jobs-dir", EVIL],
        ["check_duplicity_jobs", "--state-file", EVIL, "--ignore", EVIL, "-v"],
    ],
    ids=range(13),
)
def test_in_what_a_plugin_prints(words: list[str], tmp_path: Path) -> None:
    assert_not_forged(printed(tmp_path, *words))


@pytest.mark.parametrize(
    "words",
    [
        ["check_duplicity_freshness", "-d", f"file:///nowhere{EVIL}"],
        ["check_duplicity_freshness", "-d", "sftp://h/x", "--duplicity", f"'{EVIL}'"],
        ["check_duplicity_process", "--require", "-d", EVIL, "-a", EVIL, "-n", EVIL],
        ["duplicity_triage", "-d", EVIL],
        ["check_duplicity_restore", "-d", EVIL, "-a", EVIL, "-n", EVIL],
        ["duplicity_drill", "-d", "sftp://h/x", "-n", EVIL, "--duplicity", f"'{EVIL}'"],
    ],
    ids=range(6),
)
def test_in_a_command_to_paste(words: list[str], tmp_path: Path) -> None:
    assert_not_forged(printed(tmp_path, *words))
