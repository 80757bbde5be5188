"""A good run that had nothing to back up leaves no backup, but still counts, by its output."""

from __future__ import annotations

import re
import shutil
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from plugin import Result, freshness, write_job
from samples import CAPTURES, stamp

# Of duplicity 3.2.1.
SKIPPED = (CAPTURES / "runs/3.2.1/skipped.out").read_text()
FAILED = (CAPTURES / "runs/3.2.1/nospace-dest.out").read_text()


def ago(**age: float) -> datetime:
    return datetime.now(timezone.utc) - timedelta(**age)


def skipped(**age: float) -> str:
    return re.sub(r"(?m)^((?:Start|End)Time) .*", rf"\1 {ago(**age).timestamp():.2f} (x)", SKIPPED)


def mail(body: str, **age: float) -> str:
    sent = ago(**age)
    head = f"From b@h {sent:%a %b %d %H:%M:%S %Y}\nFrom: root@h (Cron Daemon)\nTo: b@h\n"
    return f"{head}Subject: Cron <b@h> /srv/web.sh\nDate: {format_datetime(sent)}\n\n{body}\n\n"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The archive directory of a job whose newest backup is three days old."""
    directory = tmp_path / "archive" / "web"
    directory.mkdir(parents=True)
    text = "Hostname h\nLocaldir s\nVolume 1:\n    StartingPath   .  \nFilelist 0\n"
    (directory / f"duplicity-full.{stamp(ago(days=3))}.manifest").write_text(text)
    return directory.parent


def check(tmp_path: Path, archive: Path, said: str, options: str = "") -> Result:
    """What the check says of a job with a file, whose mail or log has what was said."""
    (tmp_path / "said").write_text(said)
    write_job(
        tmp_path,
        "web",
        f"[job]\ndestination = file:///srv/none\narchive_dir = {archive}\nname = web\n"
        f"mail = {tmp_path}/said\nscript = /srv/web.sh\noptions = {options}\n",
    )
    return freshness("--from-archive", "-j", "web", "--jobs-dir", tmp_path)


def test_a_log_vouches_for_the_job(tmp_path: Path, archive: Path) -> None:
    result = check(tmp_path, archive, skipped(hours=2))
    assert result.status == 0
    assert "last backup 3d ago, nothing changed since (run 2h ago)" in result.first_line
    assert 2 * 3600 <= result.value("age") < 3 * 3600


@pytest.mark.parametrize(("days", "state"), [(1.2, 0), (1.5, 1), (2.5, 2)])
def test_the_age_of_the_run_has_the_limits_of_a_backups(
    days: float, state: int, tmp_path: Path, archive: Path
) -> None:
    assert check(tmp_path, archive, skipped(days=days)).status == state


def test_a_run_that_failed_since_takes_it_back(tmp_path: Path, archive: Path) -> None:
    assert check(tmp_path, archive, skipped(hours=2) + FAILED).status == 2


def test_a_run_that_backed_up_something_is_no_excuse(tmp_path: Path, archive: Path) -> None:
    changed = skipped(hours=2).replace("DeltaEntries 0", "DeltaEntries 3")
    assert check(tmp_path, archive, changed).status == 2


def test_a_mail_vouches_only_for_a_job_that_skips(tmp_path: Path, archive: Path) -> None:
    text = mail(skipped(hours=2), hours=2)
    assert check(tmp_path, archive, text).status == 2
    assert check(tmp_path, archive, text, "--skip-if-no-change").status == 0


def test_where_no_output_is_seen_the_advice_says_so(tmp_path: Path, archive: Path) -> None:
    assert "--skip-if-no-change" in check(tmp_path, archive, "", "--skip-if-no-change").out
    assert "--skip-if-no-change" not in check(tmp_path, archive, "").out


@pytest.mark.parametrize("place", [["-d", "file:///srv/other"], ["-n", "other"]])
def test_a_job_is_not_vouched_for_at_another_destination(
    place: list[str], tmp_path: Path, archive: Path
) -> None:
    """What its log says is of its own; who means that for another one names the log himself."""
    shutil.copytree(archive / "web", archive / "other")
    check(tmp_path, archive, skipped(hours=2))
    for more, state in (([], 2), (["--log", tmp_path / "said"], 0)):
        found = freshness("--from-archive", "-j", "web", "--jobs-dir", tmp_path, *place, *more)
        assert found.status == state
