"""Patterns and directories: which files are one log, and whose files count."""

from __future__ import annotations

import gzip
import os
import re
import time
from pathlib import Path

import pytest
from check_duplicity.runs import beside
from check_duplicity.runs.paths import together
from plugin import Result, run_plugin
from samples import CAPTURES

RUNS = CAPTURES / "runs"
GOOD = (RUNS / "3.2.1/good-full.out").read_text()
FAILED = (RUNS / "3.2.1/nospace-dest.out").read_text()


def check(*paths: object) -> Result:
    return run_plugin("check_duplicity_log", ["--state-file", os.devnull, "-v", *paths])


def write(path: Path, text: str, hours_ago: float) -> None:
    """Write a file that was changed so long ago, when the run in it ended."""
    changed = time.time() - hours_ago * 3600
    text = re.sub(r"(?m)^(Start|End)Time \S+", rf"\1Time {changed - 10:.2f}", text)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    os.utime(path, (changed, changed))


@pytest.mark.parametrize(
    ("names", "log"),
    [
        (["b-2026-11-28.log", "b-2026-11-27.log"], "b-*.log"),
        (["b-20261128.log", "b-20261127-0200.log.gz"], "b-*.log"),
        (["b_28.11.2026.txt", "b_27.11.2026.txt"], "b_*.txt"),
        (["b.1795800000.log", "b.1795900000.log.xz"], "b.*.log"),
        (["b-Mon.log", "b-Tue.log", "b-sunday.log"], "b-*.log"),
        (["20261128T020000Z.b", "20261127T020000Z.b"], "*.b"),
        (["b.log", "b.log.1", "b.log.2.gz", "b.log-20261101", "b-20261101.log"], "b.log"),
    ],
)
def test_files_are_one_log_if_only_their_time_differs(names: list[str], log: str) -> None:
    assert list(together(f"/var/log/{name}" for name in names)) == [f"/var/log/{log}"]


@pytest.mark.parametrize(
    "names", [("web.log", "db.log"), ("web1.log", "web2.log"), ("web.log", "web-db.log")]
)
def test_other_names_are_other_jobs(names: tuple[str, str]) -> None:
    assert len(together(f"/var/log/{name}" for name in names)) == 2


def test_what_a_file_was_called_is_found_again() -> None:
    for name in beside.rotated(__file__):
        assert beside.unrotated(name) == __file__
    assert beside.unrotated("/a/b.log.3.gz") == "/a/b.log"
    assert beside.unrotated("/a/.gz") == "/a/.gz"


@pytest.mark.parametrize("path", ["b-*.log", "b-2026-11-2[78].log", "b-????-??-??.log", "."])
def test_the_newest_file_decides(path: str, tmp_path: Path) -> None:
    write(tmp_path / "b-2026-11-27.log", FAILED, 30)
    assert check(tmp_path / path).status == 2
    write(tmp_path / "b-2026-11-28.log", GOOD, 6)
    found = check(tmp_path / path)
    assert found.status == 0
    assert found.first_line.startswith("DUPLICITY LOG OK - b: good 6h")
    write(tmp_path / "b-2026-11-27.log", FAILED, 1)
    assert check(tmp_path / path).status == 2


@pytest.mark.parametrize("path", ["*.log", "."])
def test_each_job_has_its_own_newest_file(path: str, tmp_path: Path) -> None:
    """A good run of one says nothing of another's."""
    write(tmp_path / "db.log", FAILED, 10)
    write(tmp_path / "web.log", GOOD, 1)
    found = check(tmp_path / path)
    assert found.status == 2
    assert "db: failed" in found.first_line
    assert found.value("runs") == 2


@pytest.mark.parametrize("path", ["b*.log", "."])
def test_rotated_and_compressed_files_count(path: str, tmp_path: Path) -> None:
    write(tmp_path / "b.log.2.gz", GOOD, 50)
    write(tmp_path / "b.log.1", FAILED, 26)
    assert check(tmp_path / path).status == 2
    write(tmp_path / "b.log", "", 1)
    assert check(tmp_path / path).status == 2
    write(tmp_path / "b.log", GOOD, 1)
    assert check(tmp_path / path).status == 0


def test_nothing_is_unknown(tmp_path: Path) -> None:
    found = check(tmp_path / "b-*.log")
    assert found.status == 3
    assert f"{tmp_path}/b-*.log: no file matches" in found.first_line
    found = check(tmp_path)
    assert found.status == 3
    assert f"{tmp_path}: no log in this directory" in found.first_line
    write(tmp_path / "b-1.log", GOOD, 24 * 30)
    assert check(tmp_path / "b-*.log").status == 3


def test_a_failure_is_told_even_if_another_pattern_matches_nothing(tmp_path: Path) -> None:
    write(tmp_path / "b.log", FAILED, 1)
    assert check(tmp_path / "b.*", tmp_path / "nosuch*").status == 2
    write(tmp_path / "b.log", GOOD, 1)
    assert check(tmp_path / "b.*", tmp_path / "nosuch*").status == 3


def test_a_file_with_the_name_of_a_pattern_is_that_file(tmp_path: Path) -> None:
    write(tmp_path / "b[1].log", FAILED, 1)
    write(tmp_path / "b1.log", GOOD, 1)
    assert check(tmp_path / "b[1].log").status == 2


def test_links_pipes_and_directories_are_no_logs(tmp_path: Path) -> None:
    write(tmp_path / "b.log", FAILED, 2)
    (tmp_path / "other").mkdir()
    write(tmp_path / "other/x.log", GOOD, 1)
    (tmp_path / "c.log").symlink_to(tmp_path / "other/x.log")
    os.mkfifo(tmp_path / "d.log")
    (tmp_path / "e.log").mkdir()
    for path in (tmp_path, tmp_path / "*.log"):
        found = check(path)
        assert found.status == 2
        assert found.value("runs") == 1


def test_a_maildir_that_matches_is_read(tmp_path: Path) -> None:
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "lists/Maildir" / folder).mkdir(parents=True)
    mail = f"Subject: Cron <a@host> /srv/b.sh (failed)\n\n{FAILED}"
    (tmp_path / "lists/Maildir/new/1.a.host").write_text(mail)
    assert check(tmp_path / "lists/*").status == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_newest_file_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    write(tmp_path / "b-2026-11-27.log", GOOD, 30)
    write(tmp_path / "b-2026-11-28.log", FAILED, 1)
    (tmp_path / "b-2026-11-28.log").chmod(0)
    found = check(tmp_path / "b-*.log")
    assert found.status == 3
    assert "Permission denied" in found.first_line


@pytest.mark.root
def test_another_users_file_says_nothing(tmp_path: Path) -> None:
    """Where others may write, anybody can put a file that matches."""
    write(tmp_path / "b-2026-11-27.log", FAILED, 30)
    write(tmp_path / "b-2026-11-28.log", GOOD, 1)
    os.chown(tmp_path / "b-2026-11-28.log", 65534, -1)
    tmp_path.chmod(0o1777)
    for path in (tmp_path, tmp_path / "b-*.log"):
        found = check(path)
        assert found.status == 2
        assert "Passed over: " in found.out
    (tmp_path / "b-2026-11-27.log").unlink()
    found = check(tmp_path / "b-*.log")
    assert found.status == 3
    assert "no usable file" in found.first_line


def test_a_jobs_file_may_have_a_pattern(tmp_path: Path) -> None:
    write(tmp_path / "b-2026-11-27.log", GOOD, 30)
    write(tmp_path / "b-2026-11-28.log", FAILED, 1)
    jobs = tmp_path / "jobs"
    jobs.mkdir(mode=0o755)
    jobs.chmod(0o755)
    (jobs / "test-of-paths.ini").write_text(f"[job]\nmail = {tmp_path}/b-*.log\n")
    (jobs / "test-of-paths.ini").chmod(0o644)
    found = check("-j", "test-of-paths", "--jobs-dir", jobs)
    assert found.status == 2
