"""The reader of real output of real runs calls no success a failure, and no failure a success."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from check_duplicity.duplicity.run import Run, joined
from check_duplicity.duplicity.transcript import Reader
from check_duplicity.nagios.findings import State
from check_duplicity.runs.judge import judge, verdicts
from check_duplicity.runs.mail import Mail
from check_duplicity.runs.read import of_log, of_mail
from check_duplicity.runs.reader import LogReader
from hypothesis import given
from hypothesis import strategies as st
from samples import CAPTURES, NOW

RUNS = CAPTURES / "runs"
EXPECTED = RUNS / "expected"
STATUSES = {
    (directory.parent.name, name): statuses.split()
    for directory in RUNS.glob("*/statuses")
    for name, _, statuses in (line.partition(" ") for line in directory.read_text().splitlines())
}
CAPTURED = sorted(path for path in RUNS.glob("*/*.*") if path.suffix in (".out", ".log"))
# 3.0.7 finds volumes missing and goes on.
DAMAGED = ("manifest-corrupt", "manifest-empty", "missing-old-volume", "resume-missing-volume")
LATEST = NOW.timestamp() + 86400


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def calls(text: str) -> list[Run]:
    reader = LogReader(lambda line: line, LATEST)
    for line in text.split("\n"):
        reader.read(line)
    return reader.runs()


def read(path: Path) -> Run | None:
    found = calls(path.read_text(errors="replace"))
    return joined(found) if found else None


def state_as_mail(text: str, *, failed: bool) -> State:
    """Return the state of a check if cron had mailed this."""
    mail = Mail("backup", "host", "/usr/local/bin/duplicity.sh", failed, False, 0.0, text)
    run = of_mail(mail, lambda line: line, None)
    found = verdicts([run._replace(time=NOW.timestamp())], 0)
    return max((finding.state for finding in judge(found, NOW)), default=State.OK)


def statuses_of(path: Path) -> list[str]:
    return STATUSES[path.parent.name, path.name.rpartition(".")[0]]


def test_every_capture_is_read_as_it_was_found_to_be_right() -> None:
    """Written anew with UPDATE=1 in the environment; then look at what has changed."""
    lines = []
    for path in CAPTURED:
        run = read(path)
        kinds = " ".join(sorted(told.kind.name for told in run.told)) if run else ""
        statuses = ",".join(statuses_of(path))
        lines.append(f"{name_of(path)} {statuses} {run.outcome if run else 'none'} {kinds}".strip())
    if os.environ.get("UPDATE"):
        EXPECTED.write_text("\n".join(lines) + "\n")
    assert lines == EXPECTED.read_text().splitlines()


OUTPUTS = [path for path in CAPTURED if path.suffix == ".out"]
FAILURES = [path for path in OUTPUTS if set(statuses_of(path)) != {"0"}]
SUCCESSES = [path for path in OUTPUTS if set(statuses_of(path)) == {"0"}]


@pytest.mark.parametrize("path", FAILURES, ids=name_of)
def test_a_failure_is_critical_in_debians_mail_and_never_good_in_others(path: Path) -> None:
    text = path.read_text(errors="replace")
    assert state_as_mail(text, failed=True) == State.CRITICAL
    assert state_as_mail(text, failed=False) != State.OK


@pytest.mark.parametrize("path", SUCCESSES, ids=name_of)
def test_a_success_is_not_critical(path: Path) -> None:
    if path.name.split(".")[0] in DAMAGED and path.parent.name == "3.0.7":
        return
    assert state_as_mail(path.read_text(errors="replace"), failed=False) < State.CRITICAL


@pytest.mark.parametrize("version", ["0.8.23", "1.2.3", "2.1.5", "3.0.7", "3.2.1"])
def test_plain_good_runs_are_ok(version: str) -> None:
    for name in ("good-full", "good-inc", "good-then-remove"):
        text = (RUNS / version / f"{name}.out").read_text()
        assert state_as_mail(text, failed=False) == State.OK


@pytest.mark.parametrize("path", OUTPUTS, ids=name_of)
def test_reading_can_be_left_and_gone_on_with_at_any_line(path: Path) -> None:
    lines = path.read_text(errors="replace").split("\n")
    for position in range(0, len(lines), max(1, len(lines) // 10)):
        first = LogReader(str, LATEST)
        for line in lines[:position]:
            first.read(line)
        second = LogReader(str, LATEST, first.keep())
        for line in lines[position:]:
            second.read(line)
        assert second.runs()[-2:] == calls("\n".join(lines))[-2:]


GOOD = (RUNS / "3.2.1/good-full.out").read_text()
FAILED = (RUNS / "3.2.1/nospace-dest.out").read_text()
KILLED = (RUNS / "3.2.1/sigterm.out").read_text()
REMOVED = (RUNS / "3.2.1/remove-older.out").read_text()


@pytest.mark.parametrize(
    ("texts", "outcomes"),
    [
        ((GOOD, GOOD), ["good", "good"]),
        ((GOOD, FAILED), ["good", "failed"]),
        ((FAILED, GOOD), ["failed", "good"]),
        ((FAILED, FAILED), ["failed", "failed"]),
        ((KILLED, GOOD), ["open", "good"]),
        ((GOOD, KILLED), ["good", "open"]),
        ((GOOD, REMOVED), ["good"]),
        ((GOOD, REMOVED, GOOD), ["good", "good"]),
        ((FAILED, REMOVED), ["failed"]),
    ],
)
def test_a_log_is_divided_into_its_runs(texts: tuple[str, ...], outcomes: list[str]) -> None:
    assert [run.outcome for run in calls("".join(texts))] == outcomes


def test_a_later_command_does_not_hide_a_failure_in_the_same_mail() -> None:
    assert joined(calls(FAILED + GOOD)).outcome == "failed"


def test_what_cleanup_has_deleted_is_not_complained_about() -> None:
    orphaned = (RUNS / "3.2.1/orphan-several.out").read_text()
    cleanup = (RUNS / "3.2.1/good-cleanup-orphans.out").read_text()
    assert state_as_mail(orphaned, failed=False) == State.WARNING
    assert state_as_mail(orphaned + cleanup, failed=False) == State.OK


def test_a_run_that_mostly_prints_statistics_and_now_does_not_was_killed() -> None:
    text = (RUNS / "0.8.23/sigkill.out").read_text()
    runs = of_log("assets", "assets", "backup", calls(GOOD + text))
    found = verdicts([run._replace(time=NOW.timestamp()) for run in runs], 0)
    assert [told.kind.name for told in found[0].told] == ["KILLED"]
    found = verdicts([run._replace(time=NOW.timestamp()) for run in runs], 0, {"assets"})
    assert found[0].told == ()


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    for run in calls(text):
        assert run.outcome in ("good", "failed", "other", "open", "unread")


LINES = st.sampled_from(
    sorted({line for p in OUTPUTS for line in p.read_text(errors="replace").split("\n")})
)


@given(st.lists(LINES, max_size=30), st.integers(0, 30))
def test_any_mixture_of_lines_can_be_left_and_gone_on_with(lines: list[str], at: int) -> None:
    first = LogReader(str, LATEST)
    for line in lines[:at]:
        first.read(line)
    second = LogReader(str, LATEST, first.keep())
    for line in lines[at:]:
        second.read(line)
    assert second.runs()[-2:] == calls("\n".join(lines))[-2:]


BEGUN = "Local and Remote metadata are synchronized, no sync needed."
COUNTED = ["StartTime 1", "EndTime 2", "SourceFiles 3", "SourceFileSize 5", "Errors 0"]
CLEANED = "No extraneous files found, nothing deleted in cleanup."


@pytest.mark.parametrize(
    ("lines", "outcome", "told"),
    [
        ([BEGUN], "failed", [("KILLED", BEGUN)]),
        (COUNTED[:4], "failed", [("KILLED", "SourceFileSize 5")]),
        ([BEGUN, "ERROR 30 X"], "failed", [("RUN_FAILED", "ERROR 30")]),
        ([BEGUN, CLEANED], "failed", [("RUN_FAILED", "")]),
        (
            [BEGUN, "No space left on device"],
            "failed",
            [("NO_LOCAL_SPACE", "No space left on device")],
        ),
        ([BEGUN, *COUNTED], "good", [("SCRIPT_FAILED", "Errors 0")]),
        ([BEGUN, *COUNTED, "mount: x"], "good", [("SCRIPT_FAILED", "mount: x")]),
        (["first", "second"], "failed", [("RUN_FAILED", "second")]),
    ],
)
def test_an_output_that_failed_has_its_cause(
    lines: list[str], outcome: str, told: list[tuple[str, str]]
) -> None:
    reader = Reader(str)
    for line in lines:
        reader.read(line)
    reader.fail()
    [run] = reader.runs()
    assert (run.outcome, [(t.kind.name, t.line) for t in run.told]) == (outcome, told)


@pytest.mark.parametrize(
    ("lines", "time"),
    [
        ([("x", 5.0), (BEGUN, 6.0), ("x", 7.0)], 6.0),
        ([(BEGUN, 6.0), (COUNTED[0], None)], 6.0),
        ([(BEGUN, 6.0), (COUNTED[0], 8.0)], 8.0),
        ([("Attempt 1 failed. OSError: x", 5.0), (BEGUN, None)], None),
    ],
)
def test_a_run_has_the_time_of_its_last_line_that_has_one(
    lines: list[tuple[str, float | None]], time: float | None
) -> None:
    reader = Reader(str)
    for line, when in lines:
        reader.read(line, when)
    assert [run.time for run in reader.runs()] == [time]


LOGGING = """\
--- Logging error ---
Traceback (most recent call last):
  File "/usr/lib/python3.11/logging/__init__.py", line 1113, in emit
    self.flush()
OSError: [Errno 28] No space left on device
Call stack:
  File "/usr/bin/duplicity", line 107, in <module>
    with_tempdir(main)
Message: 'INFO 1'
Arguments: ()
"""
"""What logging (Python 3.11) prints if the disk of --log-file is full; the backup goes on."""


@pytest.mark.parametrize("times", [1, 2])
def test_a_log_file_that_cannot_be_written_fails_no_backup(times: int) -> None:
    good = (CAPTURES / "runs/3.2.1/good-full.out").read_text()
    begin, middle, end = good.partition("--------------[ Backup Statistics ]")
    [run] = calls(begin + LOGGING * times + middle + end)
    assert (run.outcome, run.told) == ("good", ())
    # What comes behind it counts.
    failed = (CAPTURES / "runs/3.2.1/nospace-dest.out").read_text()
    assert calls(LOGGING * times + failed) == calls(failed)
