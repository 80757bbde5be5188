"""Sources that were emptied, halved or grown, tiny ones and first ones, with real duplicity."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from lab import Lab
from plugin import BIN, Result, run_plugin, write_job

pytestmark = pytest.mark.spread
MOUNTED = "Is the source mounted"
NEVER = ("Then run the job again", "remove-older-than 2", "--force")


def backup(lab: Lab, action: str, files: int, *options: object, ago: float = 0) -> None:
    """Make a backup of so many files of 10 kB; append what it printed to the log."""
    there = {int(path.name) for path in lab.source.glob("[0-9]*")}
    for number in range(files):
        if number not in there:
            (lab.source / str(number)).write_bytes(b"x" * 10_000)
    for number in there - set(range(files)):
        (lab.source / str(number)).unlink()
    (lab.source / "file").unlink(missing_ok=True)
    lab.run(action, *options, ago=ago, changed=False)
    with log_of(lab).open("a") as log:
        log.write(lab.printed)


def log_of(lab: Lab) -> Path:
    return lab.home / "backup.log"


def log_check(lab: Lab, *options: object) -> Result:
    arguments = [log_of(lab), "--state-file", "/dev/null", *options]
    return run_plugin("check_duplicity_log", arguments, environment=lab.environment)


def triage(lab: Lab, tmp_path: Path) -> Result:
    job = f"destination={lab.url}\narchive_dir={lab.archive}\nduplicity={lab.duplicity}\n"
    write_job(tmp_path, "web", f"[job]\n{job}mail={log_of(lab)}\n")
    done = subprocess.run(
        [BIN / "duplicity_triage", "web", "--jobs-dir", tmp_path],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env=lab.environment,
    )  # fmt: skip
    assert done.stderr == ""
    return Result(done.returncode, done.stdout)


def assert_shrunk(result: Result, state: int, words: str) -> None:
    assert result.status == state, result.out
    assert words in result.out
    assert "more)" not in result.first_line  # one finding
    assert result.out.count(MOUNTED) == 1
    assert not any(never in result.out for never in NEVER), result.out


def test_an_emptied_source_is_critical_everywhere(lab: Lab, tmp_path: Path) -> None:
    backup(lab, "full", 200, ago=26)
    backup(lab, "incremental", 0)
    for options in ([], ["--from-archive"]):
        result = lab.check(*options)
        assert_shrunk(result, 2, "has an empty source, 200 files before (limit 90)")
        assert "list-current-files" in result.out
        assert (result.value("files"), result.value("deleted")) == (0, 200)
    assert_shrunk(log_check(lab), 2, "an empty source, 201 files and directories before (limit 90)")
    told = triage(lab, tmp_path)
    assert_shrunk(told, 2, "web: CRITICAL, source shrunk")
    assert lab.check("--shrunk-critical", "none", "--shrunk-warning", "none").status == 0


def test_a_full_backup_of_an_emptied_source_is_critical(lab: Lab) -> None:
    backup(lab, "full", 200, ago=26)
    backup(lab, "full", 0)
    assert_shrunk(lab.check(), 2, "has an empty source, 200 files before")


@pytest.mark.exhaustive
def test_half_gone_is_a_warning_and_grown_is_good(lab: Lab, tmp_path: Path) -> None:
    backup(lab, "full", 100, ago=26)
    backup(lab, "incremental", 200, ago=2)
    assert (lab.check().status, log_check(lab).status) == (0, 0)
    backup(lab, "incremental", 50)
    assert_shrunk(lab.check(), 1, "has only 50 files of the source, 100 before (limit 50)")
    backup(lab, "incremental", 40)
    assert lab.check().status == 1
    assert triage(lab, tmp_path).status == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("files", [5, 15])
def test_a_tiny_source_and_a_first_backup_are_good(lab: Lab, files: int) -> None:
    backup(lab, "full", files, ago=26)
    assert lab.check().status == 0
    backup(lab, "incremental", 0)
    assert (lab.check().status, log_check(lab).status) == (0, 0)


def test_a_list_of_files_that_the_job_does_not_keep_alarms_nobody(lab: Lab) -> None:
    backup(lab, "full", 200, "--no-files-changed", ago=26)
    backup(lab, "incremental", 0, "--no-files-changed")
    result = lab.check()
    assert result.status == 0
    assert "files" not in result.performance


def test_jsonstat_gives_the_size_of_the_source(lab: Lab) -> None:
    if lab.version < (2, 1):
        pytest.skip("duplicity has --jsonstat since 2.1")
    backup(lab, "full", 200, "--jsonstat", ago=26)
    assert 2_000_000 <= lab.check().value("source_size") < 2_200_000
    for number in range(1, 200):
        (lab.source / str(number)).write_bytes(b"")
    lab.run("incremental", "--jsonstat", changed=False)
    assert_shrunk(lab.check(), 2, "of the source, 1.9 MiB before (limit 90)")


def test_a_skipped_run_vouches_until_one_fails(lab: Lab, tmp_path: Path) -> None:
    if lab.version < (2, 1):
        pytest.skip("duplicity has --skip-if-no-change since 2.1")
    backup(lab, "full", 30, ago=24 * 3)
    log_of(lab).write_text("")
    assert lab.check("--log", log_of(lab)).status == 2
    backup(lab, "incremental", 30, "--skip-if-no-change")
    result = lab.check("--log", log_of(lab))
    assert result.status == 0, result.out
    assert "last backup 3d ago, nothing changed since (run " in result.first_line
    assert triage(lab, tmp_path).status == 0
    assert lab.check().status == 2  # Nothing vouches for it.
    with log_of(lab).open("a") as log:
        log.write("BackendException: could not connect\n")
        log.write("Giving up after 1 attempts. BackendException: could not connect\n")
    assert lab.check("--log", log_of(lab)).status == 2
    assert triage(lab, tmp_path).status == 2


@pytest.mark.exhaustive
def test_limits_on_what_is_kept_and_measured(lab: Lab) -> None:
    backup(lab, "full", 30, ago=24 * 9)
    backup(lab, "full", 30, ago=1)
    good = ("--fulls-critical", "2:", "--history-critical", "9d:", "--shrunk-critical", "10")
    assert lab.check(*good).status == 0
    few = lab.check("--fulls-warning", "3:")
    assert (few.status, few.first_line) == (
        1,
        "DUPLICITY FRESHNESS WARNING - 2 full backups kept (limit 3:)",
    )
    short = lab.check("--history-critical", "30d:")
    assert (short.status, short.first_line) == (
        2,
        "DUPLICITY FRESHNESS CRITICAL - the oldest backup is 9d old (limit 30d:)",
    )
    for option, limit, words in (
        ("--source-size-critical", "1G:", "the source has 29"),
        ("--backup-size-critical", "10", "the run has backed up "),
        ("--duration-critical", "1000d:", "the run took "),
    ):
        result = log_check(lab, option, limit)
        assert result.status == 2, result.out
        assert words in result.first_line


def test_unreadable_files_can_be_tolerated(lab: Lab) -> None:
    backup(lab, "full", 30)
    text = log_of(lab).read_text()
    log_of(lab).write_text(text.replace("\nErrors 0", "\nErrors 3"))
    assert log_check(lab).status == 1
    assert log_check(lab, "--errors-warning", "3").status == 0
    worse = log_check(lab, "--errors-warning", "2", "--errors-critical", "10")
    assert (worse.status, worse.first_line) == (
        1,
        "DUPLICITY LOG WARNING - backup: 3 files could not be read (limit 2)",
    )
