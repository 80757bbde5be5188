"""The lines around duplicity's output: which are known, what they mean, and what follows."""

from __future__ import annotations

import re

import pytest
from check_duplicity.duplicity.frames import (
    ANY,
    BEGUN,
    COMMAND,
    FAILED,
    PROFILE,
    SKIPPED,
    Frame,
    Said,
    read_frame,
)
from check_duplicity.nagios.findings import Kind

BY_SYSTEMD = "dup@web.service: "


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Start duply v2.4.1, time is 2026-11-24", Said(BEGUN)),
        ("Starting Backup of web...", Said(BEGUN)),
        (">>>> starting action /etc/backup.d/90.dup (because of --now)", Said(BEGUN)),
        ("Using profile '/etc/duply/web'.", Said(PROFILE, "web")),
        ("Using profile 'web'.", Said(PROFILE, "web")),
        ("--- Start running command bkp at 02:00:00.000 ---", Said(COMMAND, "BKP")),
        ("--- Skipping command PURGE ! ---", Said(SKIPPED, "PURGE")),
        ("--- Finished state FAILED 'code 31' at 02:00", Said(FAILED)),
        ("--- Finished state FAILED 'code -9' at 02:00", Said(FAILED)),
        ("Task 'BKP' failed with exit code '31'.", Said(FAILED)),
        ("Sorry. A fatal ERROR occured:", Said(FAILED)),
        ("Sorry. A fatal ERROR occurred:", Said(FAILED)),
        ("Duplicity failed.", Said(FAILED)),
        ("Duplicity cleanup failed.", Said(FAILED)),
        ("*failed* -- /etc/backup.d/90.dup", Said(FAILED)),
        ("*error* -- /etc/backup.d/90.dup", Said(FAILED)),
        ("*halt* -- /etc/backup.d/90.dup", Said(FAILED)),
        ("<<<< finished action /etc/backup.d/90.dup: FAILED", Said(FAILED)),
        ("<<<< finished action /etc/backup.d/90.dup: ERROR", Said(FAILED)),
        ("Could not acquire lock /x. A backup is probably already running",
         Said(FAILED, "", Kind.LOCKED)),
        (BY_SYSTEMD + "Failed with result 'exit-code'.", Said(FAILED)),
        *((f"{BY_SYSTEMD}Failed with result '{result}'.", Said(FAILED, "", Kind.KILLED))
          for result in ("oom-kill", "signal", "core-dump", "timeout", "watchdog")),
        (BY_SYSTEMD + "Main process exited, code=killed, status=9/KILL",
         Said(FAILED, "", Kind.KILLED)),
        (BY_SYSTEMD + "Main process exited, code=dumped, status=6/ABRT",
         Said(FAILED, "", Kind.KILLED)),
        (BY_SYSTEMD + "Main process exited, code=exited, status=31/n/a", Said(FAILED)),
        (BY_SYSTEMD + "A process of this unit has been killed by the OOM killer.",
         Said(FAILED, "", Kind.KILLED)),
        (BY_SYSTEMD + "Control process exited, code", Said(FAILED)),
        (BY_SYSTEMD + "Start operation timed out. Terminating.", Said(FAILED)),
        (BY_SYSTEMD + "Unit entered failed state.", Said(FAILED)),
        (BY_SYSTEMD + "Killing process 5 (sh) with signal SIGKILL.", Said(FAILED)),
        ("Unit dup.service entered failed state.", Said(FAILED)),
        ("Failed to start Backup of web.", Said(FAILED)),
        ("run-parts: /etc/cron.daily/dup exited with return code 1", Said(FAILED)),
    ],
)  # fmt: skip
def test_each_line_of_a_frame_has_its_meaning(line: str, said: Said) -> None:
    assert read_frame(line) == said
    assert re.match(ANY, line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Starting Backup of web",
        "Starting ...",
        "Using profile ''",
        "--- Finished state OK at 02:00",
        "--- Finished state FAILED 'code 0' at 02:00",
        "Duplicity failed. Or not",
        "*failed* -- /etc/backup.d/90.sh",
        "*warning* -- /etc/backup.d/90.dup",
        "<<<< finished action /etc/backup.d/90.dup: SUCCESS",
        "Could not acquire lock /x.",
        BY_SYSTEMD + "Succeeded.",
        BY_SYSTEMD + "Main process exited, code=exited, status=0/SUCCESS",
        "run-parts: /etc/cron.daily/dup exited with return code 0",
        "it said: Start duply v2",
    ],
)
def test_any_other_line_is_none_of_a_frame(line: str) -> None:
    assert read_frame(line) is None
    assert not re.match(ANY, line)


@pytest.mark.parametrize(
    ("command", "backed_up", "aside", "is_of_script"),
    [
        *((command, good, "", False) for command in ("BKP", "BACKUP", "INCR", "FULL")
          for good in (False, True)),
        ("PRE", False, "", True),
        ("PRE", True, "", True),
        ("POST", False, "", False),
        ("POST", True, "", True),
        ("", False, "", False),
        ("", True, "", True),
        ("PURGE", False, "purge", False),
        ("PURGE", True, "purge", False),
    ],
)  # fmt: skip
def test_whose_a_failure_is(command: str, backed_up: bool, aside: str, is_of_script: bool) -> None:
    frame = Frame(True, command, backed_up)
    assert (frame.aside, frame.is_of_script) == (aside, is_of_script)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (Said(BEGUN), [True, "", False, ""]),
        (Said(COMMAND, "BKP"), [True, "BKP", False, "web"]),
        (Said(COMMAND, "PURGE"), [True, "PURGE", True, "web"]),
        (Said(COMMAND, "POST"), [True, "POST", True, "web"]),
    ],
)
def test_what_is_known_when_the_next_begins(said: Said, kept: list[object]) -> None:
    frame = Frame(False, "FULL", True, "web")
    assert frame.keep() == [False, "FULL", True, "web"]
    frame.go_on(said)
    assert frame.keep() == kept


def test_nothing_is_known_at_first() -> None:
    assert Frame().keep() == [False, "", False, ""]
