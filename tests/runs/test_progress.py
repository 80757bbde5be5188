"""A log whose last run has no end is in progress only if that run's own job may still write it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from check_duplicity.duplicity.run import OPEN, Run
from check_duplicity.nagios.judged import longest_run
from check_duplicity.processes import see as see_processes
from check_duplicity.processes.model import Wanted
from check_duplicity.runs import see
from check_duplicity.runs.model import Logged
from check_duplicity.system import proc
from check_duplicity.system.user import current
from plugin import Result, run_plugin, write_job
from samples import CAPTURES

GOOD = (CAPTURES / "runs/3.2.1/good-full.out").read_text()
KILLED = (CAPTURES / "runs/3.2.1/sigkill.out").read_text()
URL = "sftp://nobodys.invalid/x"
WAITS = "import sys\nprint(flush=True)\nsys.stdin.read()\n"


def check(*arguments: object) -> Result:
    return run_plugin("check_duplicity_log", arguments)


@contextlib.contextmanager
def waiting(*command: object, **options: object) -> Iterator[None]:
    """A process that has begun, and goes on for as long as this does."""
    words = [str(word) for word in command]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options  # type: ignore[call-overload]
    ) as started:  # fmt: skip
        started.stdout.readline()
        yield
        started.stdin.close()


@contextlib.contextmanager
def backup(at: Path, *options: object, url: str = URL) -> Iterator[None]:
    """What looks like a backup that runs."""
    (at / "duplicity").write_text(WAITS)
    with waiting(sys.executable, at / "duplicity", "full", *options, "/etc", url):
        yield


@pytest.fixture
def log(tmp_path: Path) -> Path:
    good = re.sub(r"(?m)^(StartTime|EndTime) .*", rf"\1 {time.time():.2f} (now)", GOOD)
    (tmp_path / "web.log").write_text(good + KILLED)
    return tmp_path / "web.log"


def is_running(wanted: Wanted, script: str = "", since: float = 0) -> bool | None:
    return see_processes.is_running(wanted, script, since, [current()])


def test_only_a_backup_of_the_job_counts(tmp_path: Path) -> None:
    with backup(tmp_path, "--name", "db"):
        assert is_running(Wanted(url=URL)) is True
        assert is_running(Wanted(name="db")) is True
        assert is_running(Wanted(url="file:///another")) is not True
        assert is_running(Wanted(name="web")) is not True


def test_a_log_names_the_archive_directory(tmp_path: Path) -> None:
    known = Wanted()
    with backup(tmp_path, "--archive-dir", tmp_path / "a", "--name", "db"):
        assert is_running(known.of_archive(f"{tmp_path}/a/db")) is True
        assert is_running(known.of_archive(f"{tmp_path}/b/db")) is not True
        assert is_running(Wanted(name="db").of_archive("/no/matter")) is True


def test_which_job_it_is_may_not_be_known(tmp_path: Path) -> None:
    with backup(tmp_path):
        assert is_running(Wanted()) is None


def test_the_script_tells_too(tmp_path: Path) -> None:
    (tmp_path / "duplicity").write_text(WAITS)
    script = tmp_path / "web.sh"
    script.write_text(f"{sys.executable} {tmp_path}/duplicity full /etc {URL}\n:\n")
    with waiting("/bin/sh", script):
        assert is_running(Wanted(), f"{script} --now") is True
        assert is_running(Wanted(), "/srv/another.sh") is not True


def test_what_was_begun_too_long_ago_does_not_count(tmp_path: Path) -> None:
    began = time.time()
    with backup(tmp_path):
        assert is_running(Wanted(url=URL), since=began - 60) is True
        assert is_running(Wanted(url=URL), since=began + 60) is not True


def test_who_has_a_log_open_writes_it_if_he_is_in_time(log: Path) -> None:
    began = time.time()
    users = {os.geteuid()}
    with log.open("a") as opened, waiting(sys.executable, "-c", WAITS, stderr=opened):
        assert proc.is_written(str(log), users, began - 60) is True
        assert proc.is_written(str(log), users, began + 60) is not True


def test_a_logger_has_its_files_always_open(log: Path, tmp_path: Path) -> None:
    (tmp_path / "rsyslogd").symlink_to("/bin/cat")
    with log.open("a") as opened:
        logger = subprocess.Popen(
            [tmp_path / "rsyslogd"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=opened
        )
    with logger:
        assert logger.stdin
        assert logger.stdout
        logger.stdin.write(b"\n")
        logger.stdin.flush()
        logger.stdout.readline()
        assert proc.is_written(str(log), {os.geteuid()}) is None
        logger.stdin.close()


def run(log: Path, **changed: object) -> Logged:
    base = Logged(
        job=str(log), name="web", user="u", host="", command="", time=time.time(), whole=False,
        sure=True, run=Run(OPEN),
    )  # fmt: skip
    return base._replace(**changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "found", "unseen"), [(True, True, False), (False, False, False), (None, True, True)]
)
def test_what_is_not_seen_to_write_is_asked_for(
    answer: bool | None, found: bool, unseen: bool, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proc, "is_written", lambda *_: None)
    asked = []

    def is_it_running(archive: str, users: object) -> bool | None:
        asked.append(archive)
        return answer

    job = f"{log}: h bk /a/web"
    one = run(log, job=job, run=Run(OPEN, label="h bk /a/web"))
    running, hidden = see.in_progress([one], [str(log)], "", 0, is_it_running)
    assert running == ({job} if found else set())
    assert hidden == ({job} if unseen else set())
    assert asked == ["/a/web"]


def test_what_has_said_nothing_for_too_long_does_not_go_on(log: Path) -> None:
    old = run(log, time=time.time() - 100)
    with log.open("a"):
        assert see.in_progress([old], [str(log)], "", time.time() - 60, lambda *_: True)[0] == set()
        assert see.in_progress([old], [str(log)], "", time.time() - 200, lambda *_: True)[0]


def test_in_time_is_what_the_process_check_calls_so() -> None:
    assert longest_run("") == 24 * 3600
    assert longest_run("36h") == 36 * 3600
    assert longest_run("1h:") == float("inf")


def test_the_check_asks_for_the_jobs_own_limit(tmp_path: Path, log: Path) -> None:
    job = f"[job]\ndestination = {URL}\nmail = {log}\nprocess_critical = "
    os.utime(log, (time.time(), time.time() - 7200))
    jobs = "-j", "web", "--jobs-dir", tmp_path
    with log.open("a"):
        write_job(tmp_path, "web", f"{job}1d\n")
        assert f"in progress: {log}" in check(*jobs).first_line
        write_job(tmp_path, "web", f"{job}1h\nprocess_warning = 1h\n")
        assert check(*jobs).status == 2
