"""Which running duplicity is a job's: by destination, archive directory, name, prefix and user."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from check_duplicity.duplicity.names import Prefixes
from check_duplicity.processes import see
from check_duplicity.processes.model import Wanted
from check_duplicity.system.user import current

URL = "sftp://backup@nas.invalid/web"


@contextlib.contextmanager
def running(home: Path, *arguments: object, cache: Path | None = None) -> Iterator[int]:
    """A program that is called duplicity, with these arguments, and does nothing; its pid."""
    program = home / "duplicity"
    program.write_text("import sys; print('begun', flush=True); sys.stdin.read()\n")
    environment = {"HOME": str(home)} | ({"XDG_CACHE_HOME": str(cache)} if cache else {})
    with subprocess.Popen(
        [sys.executable, program, *map(str, arguments)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"begun\n"
        try:
            yield process.pid
        finally:
            process.stdin.close()


def seen(**wanted: object) -> list[int]:
    sight = see.look(Wanted(**wanted))  # type: ignore[arg-type]
    return [process.pid for process in sight.running]


@pytest.fixture
def backup(tmp_path: Path) -> Iterator[int]:
    """A full backup with an archive directory, a name and a prefix of its own."""
    options = ["--archive-dir", tmp_path / "archive", "--name", "web", "--file-prefix", "web-"]
    with running(tmp_path, "full", *options, "/srv/www", URL) as pid:
        yield pid


def test_a_backup_is_found_by_its_destination(backup: int) -> None:
    assert seen(url=URL) == seen(url=f"{URL}/") == [backup]
    assert seen(url="sftp://backup@nas.invalid/mail") == []


def test_a_password_in_the_job_makes_no_other_destination(backup: int) -> None:
    assert seen(url="sftp://backup:geheim@nas.invalid/web") == [backup]


def test_a_backup_is_found_by_its_archive_directory(backup: int, tmp_path: Path) -> None:
    assert backup in seen(archive_dir=str(tmp_path / "archive"))
    assert seen(archive_dir=str(tmp_path / "other")) == []


def test_another_url_for_the_same_archive_directory_is_the_same_job(
    backup: int, tmp_path: Path
) -> None:
    known = {"archive_dir": str(tmp_path / "archive"), "name": "web"}
    assert seen(url="rsync://nas.invalid/web", **known) == [backup]


def test_a_backup_is_found_by_its_name(backup: int) -> None:
    assert seen(url=URL, name="web") == [backup]
    assert seen(url=URL, name="mail") == []


def test_jobs_at_one_destination_are_told_apart_by_their_prefixes(backup: int) -> None:
    assert seen(url=URL, prefixes=Prefixes.of_options(["--file-prefix", "web-"])) == [backup]
    assert seen(url=URL, prefixes=Prefixes.of_options(["--file-prefix", "mail-"])) == []


def test_only_the_jobs_user_counts_and_who_else_runs_it_is_said(backup: int) -> None:
    assert seen(url=URL, user=current()) == [backup]
    sight = see.look(Wanted(url=URL, user="daemon"))
    assert sight.running == ()
    assert sight.others == (current(),)
    assert see.running_backup(Wanted(url=URL, user="daemon")) == (None, False)


def test_a_verify_is_no_backup(tmp_path: Path) -> None:
    with running(tmp_path, "verify", URL, "/srv/www") as pid:
        sight = see.look(Wanted(url=URL))
        assert [process.pid for process in sight.processes] == [pid]
        assert sight.running == ()
        assert see.running_backup(Wanted(url=URL))[0] is None


def test_what_is_known_of_a_backup(backup: int, tmp_path: Path) -> None:
    (process,) = see.look(Wanted(url=URL)).running
    assert process.pid == backup
    assert process.user == current()
    assert process.archive == str(tmp_path / "archive" / "web")
    assert process.started is not None
    assert abs(process.started.timestamp() - time.time()) < 60
    assert not process.holds_lock
    assert not process.zombie


def test_the_oldest_backup_comes_first(tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    with running(tmp_path, "full", "/srv", URL) as first:
        time.sleep(0.05)  # the clock of processes has hundredths
        with running(tmp_path / "second", "full", "/srv", URL) as second:
            assert seen(url=URL) == [first, second]
            running_one, _ = see.running_backup(Wanted(url=URL))
            assert running_one is not None
            assert running_one.pid == first


@pytest.mark.parametrize("given", [True, False])
def test_the_archive_directory_is_in_the_cache_of_the_backups_environment(
    given: bool, tmp_path: Path
) -> None:
    cache = tmp_path / "cache" if given else None
    with running(tmp_path, "full", "--name", "web", "/srv", URL, cache=cache) as pid:
        (process,) = (p for p in see.look(Wanted(url=URL)).running if p.pid == pid)
        home = os.path.expanduser(f"~{current()}")
        expected = cache or Path(home, ".cache")
        assert process.archive == str(expected / "duplicity" / "web")


def test_an_archive_directory_can_be_relative_to_where_the_backup_began(tmp_path: Path) -> None:
    options = ["--archive-dir", "archive", "--name", "web"]
    with running(tmp_path, "full", *options, "/srv", URL):
        (process,) = see.look(Wanted(url=URL)).running
        assert process.archive == f"{os.getcwd()}/archive/web"


def test_a_dead_duplicity_counts_for_whoever_asks_for_any(tmp_path: Path) -> None:
    program = tmp_path / "duplicity"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    with subprocess.Popen([program]) as process:
        # An empty command line is no sign of its end: it is empty while a program begins, too.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        dead = [one for one in see.look(Wanted()).processes if one.pid == process.pid]
        assert [one.zombie for one in dead] == [True]
        assert not any(one.running for one in dead)
        of_a_job = see.look(Wanted(url=URL)).processes
        assert process.pid not in [one.pid for one in of_a_job]


def test_a_fork_of_a_backup_is_not_counted_again(tmp_path: Path) -> None:
    program = tmp_path / "duplicity"
    program.write_text(
        "import os, sys\nif os.fork(): print('begun', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, program, "full", "/srv", URL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"begun\n"
        assert seen(url=URL) == [process.pid]
        process.stdin.close()


def test_whose_job_it_is_tells_whether_it_runs(backup: int) -> None:
    before, user = time.time() - 60, current()
    assert see.is_running(Wanted(url=URL), "", before, [user]) is True
    assert see.is_running(Wanted(url=URL), "", time.time() + 60, [user]) is not True
    assert see.is_running(Wanted(), "", before, [user]) is None
    assert see.is_running(Wanted(), "/srv/another-script", before, [user]) is not True
