"""The pages show what the programs really print; ``make pages`` updates them.

The hosts of these tests need neither root nor duplicity: a program of that name lists the files of
a directory, or fails as a real one did. See real/test_pages.py and root/test_pages.py for the rest.
"""

from __future__ import annotations

import contextlib
import pwd
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime

import pytest
from journals import needs_journal, of_unit
from journals import write as write_journal
from samples import CAPTURES, full, inc, unfinished
from stage import USER, Scene, Stage

CAPTURED = CAPTURES / "runs" / "3.2.1"
Shown = Callable[[Scene], None]


@pytest.fixture(autouse=True)
def _without_the_user_of_the_examples() -> None:
    """On a machine that has that user, the user's jobs would be found, and named in the advice."""
    with contextlib.suppress(KeyError):
        pwd.getpwnam(USER)
        pytest.skip(f"this machine has a user {USER}")


# check_duplicity_freshness


def chain(stage: Stage) -> None:
    names = full(stage.ago(days=2, hours=2), 5)
    names += inc(stage.ago(days=2, hours=2), stage.ago(days=1, hours=2))
    names += inc(stage.ago(days=1, hours=2), stage.ago(hours=2))
    stage.fill("/srv/web", names)


def test_a_good_backup(shown: Shown) -> None:
    shown(chain)


def test_a_listing_made_elsewhere(shown: Shown) -> None:
    def scene(stage: Stage) -> None:
        chain(stage)
        stage.program("rclone", f"#!/bin/sh\nls {stage.root}/srv/web\n")

    shown(scene)


def test_an_interrupted_backup(shown: Shown) -> None:
    def scene(stage: Stage) -> None:
        stage.fill("/srv/web", full(stage.ago(hours=20), 5))
        stage.fill("/srv/web", unfinished(full(stage.ago(hours=2), 25)))

    shown(scene)


def test_a_lost_volume(shown: Shown) -> None:
    def scene(stage: Stage) -> None:
        stage.fill("/srv/web", full(stage.ago(hours=2), 5))
        next(stage.path("/srv/web").glob("*.vol2.*")).unlink()

    shown(scene)


def test_a_destination_that_is_not_reached(shown: Shown) -> None:
    def scene(stage: Stage) -> None:
        said = (CAPTURED / "corpus-sftp-refused.out").read_text().replace("u@", "backup@")
        stage.program("duplicity", f"#!/bin/sh\ncat >&2 << 'END'\n{said}END\nexit 23\n")

    shown(scene)


# check_duplicity_log


def of_run(name: str, began: datetime, seconds: int = 0) -> str:
    """Return the output of a run, as if it had begun at ``began``."""
    lines = (CAPTURED / f"{name}.out").read_text().split("\n")
    for number, line in enumerate(lines):
        word = line.split(" ")[0]
        if word in ("StartTime", "EndTime"):
            when = began.timestamp() + (seconds if word == "EndTime" else 0)
            lines[number] = f"{word} {when:.2f} (then)"
    return "\n".join(lines)


def mail(body: str, job: str, sent: datetime, subject: str = "") -> str:
    """Return a mail of Debian's cron, as exim delivers it to an mbox."""
    return (
        f"From govuk-backup@web1 {sent:%a %b %d %H:%M:%S %Y}\n"
        "From: root@web1 (Cron Daemon)\nTo: govuk-backup@web1\n"
        f"Subject: Cron <govuk-backup@web1> /var/spool/duplicity/{job}.sh{subject}\n"
        f"Content-Type: text/plain; charset=UTF-8\nDate: {format_datetime(sent)}\n\n{body}\n\n"
    )


def test_mail_of_two_jobs(shown: Shown) -> None:
    def scene(stage: Stage) -> None:
        failed, good = stage.ago(hours=3), stage.ago(hours=2)
        stage.write(
            "/var/mail/govuk-backup",
            mail(of_run("nospace-dest", failed), "assets", failed)
            + mail(of_run("good-full", good, 83), "www", good),
        )

    shown(scene)


def test_logs(shown: Shown) -> None:
    def scene(stage: Stage) -> None:
        began = stage.ago(hours=2)
        for name in ("assets.log", "assets-20261124.log"):
            stage.write(f"/var/log/duplicity/{name}", of_run("good-full", began), hours=2)

    shown(scene)


@needs_journal
def test_a_unit(shown: Shown) -> None:
    def scene(stage: Stage) -> None:
        began = stage.ago(hours=2)
        records = of_unit(
            of_run("good-full", began), began.timestamp(), invocation=1, unit="assets.service"
        )
        journals = "/var/lib/machines/web/var/log/journal"
        write_journal(stage.path(f"{journals}/system.journal"), records)

    shown(scene)


# check_duplicity_process

_RUNNING = f"""#!{sys.executable} -I
import fcntl, sys, time
lock = open(sys.argv[sys.argv.index("--archive-dir") + 1] + "/web/lockfile", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("begun", flush=True)
time.sleep(1000)
"""


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Callable[[Stage], None]:
    """Start a process that looks like a backup, holds the lock, and waits until the test ends."""

    def start(stage: Stage) -> None:
        stage.program("duplicity", _RUNNING)
        stage.write("/data/cache/web/manifest", "")
        command = "duplicity full --archive-dir /data/cache --name web /home file:///srv/web"
        process = subprocess.Popen(
            stage.here(command).split(), env=stage.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        request.addfinalizer(process.communicate)
        request.addfinalizer(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"

    return start


def test_a_running_backup(shown: Shown, start: Callable[[Stage], None]) -> None:
    shown(start)


def test_a_stalled_backup(shown: Shown, start: Callable[[Stage], None]) -> None:
    def scene(stage: Stage) -> None:
        start(stage)
        stage.type("check_duplicity_process -d file:///srv/web")
        time.sleep(2.1)

    shown(scene)


def test_no_backup_where_one_must_run(shown: Shown) -> None:
    shown(lambda stage: None)
