"""Real cron and a real local mailer deliver real duplicity's output. ``.ci/run`` runs these."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab, wait_until
from plugin import Result, ageless, run_plugin

CRON, EXIM, DUPLICITY = Path("/usr/sbin/cron"), Path("/usr/sbin/exim4"), Path("/usr/bin/duplicity")
USER = "dup-cron"
JOBS = ("good", "orphans", "broken")
LONGEST = 130  # seconds: cron starts jobs at a full minute, and they take some seconds

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: adds a user, starts cron"),
    pytest.mark.skipif(
        not (CRON.exists() and shutil.which("crontab") and EXIM.exists() and DUPLICITY.exists()),
        reason="needs cron, exim4-daemon-light and Debian's duplicity",
    ),
]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The home of a user of our own, whose mail goes to an mbox and to a Maildir."""
    subprocess.run(["useradd", "--create-home", "--password", "*", USER], check=True)
    account = pwd.getpwnam(USER)
    home = Path(account.pw_dir)
    try:
        (home / ".forward").write_text(f"{USER}\n{home}/Maildir/\n")
        yield home
    finally:
        subprocess.run(["pkill", "-9", "-u", USER], check=False)
        subprocess.run(["userdel", "--remove", USER], check=True, stderr=subprocess.DEVNULL)
        Path("/var/mail", USER).unlink(missing_ok=True)
        shutil.rmtree(f"/var/tmp/check-duplicity-{account.pw_uid}", ignore_errors=True)


@pytest.fixture(scope="module")
def boxes(home: Path) -> dict[str, Path]:
    """The mailboxes of the user, each with a mail of every job."""
    scripts = [make_script(home, name) for name in JOBS]
    subprocess.run(["chown", "-R", f"{USER}:", home], check=True)
    run_by_cron(scripts, home)
    return boxes_of(home)


def boxes_of(home: Path) -> dict[str, Path]:
    return {"mbox": Path("/var/mail", USER), "Maildir": home / "Maildir"}


def make_script(home: Path, name: str) -> Path:
    """Make a job's script; its name says what its next run prints."""
    (home / name).mkdir()
    with Lab(DUPLICITY, home / name) as lab:
        if name == "orphans":
            leave_orphans(lab)
        words = lab.command("incremental" if name == "orphans" else "full", "--no-encryption")
    if name == "broken":
        words[-1] = "sftp://127.0.0.1:1//destination"  # nobody listens there
    script = home / f"{name}.sh"
    script.write_text(f"#!/bin/sh\nexec {shlex.join(words)}\n")
    script.chmod(0o755)
    return script


def leave_orphans(lab: Lab) -> None:
    """Make an incremental set whose full set is gone, and a newer chain."""
    lab.run("full", ago=9)
    lab.run("incremental", ago=8)
    for path in lab.destination.glob("duplicity-full*"):
        path.unlink()
    shutil.rmtree(lab.archive)
    lab.run("full", ago=7)


def run_by_cron(scripts: list[Path], home: Path) -> None:
    """Let cron run the scripts at the next full minute, and wait for the mails of all of them."""
    table = "".join(f"* * * * * {script}\n" for script in scripts)
    subprocess.run(["crontab", "-u", USER, "-"], input=table.encode(), check=True)
    # If a cron runs already, this one ends at once, and the other does the work.
    with subprocess.Popen(
        [CRON, "-f"], env={}, stderr=subprocess.DEVNULL, start_new_session=True
    ) as cron:
        try:
            wait_until(lambda: delivered(home) and not waiting(), seconds=LONGEST)
        finally:
            subprocess.run(["crontab", "-u", USER, "-r"], check=True)
            cron.terminate()


def delivered(home: Path) -> bool:
    """Return whether every job's mail has come to both mailboxes."""
    mbox, maildir = boxes_of(home).values()
    texts = [mbox.read_text(errors="replace")] if mbox.exists() else [""]
    texts.append("".join(path.read_text(errors="replace") for path in maildir.glob("new/*")))
    return all(f"> {home}/{name}.sh" in text for text in texts for name in JOBS)


def waiting() -> bool:
    """Return whether the mailer is still delivering a mail to the user."""
    queue = subprocess.run([EXIM, "-bp"], capture_output=True, text=True, check=True)
    return USER in queue.stdout


def check(box: Path, *options: object) -> Result:
    return run_plugin("check_duplicity_log", ["-u", USER, box, *options])


def content(box: Path) -> dict[Path, tuple[int, bytes]]:
    """Return the files of a mailbox, with their times and contents."""
    paths = [box, *box.rglob("*")]
    return {p: (p.stat().st_mtime_ns, p.read_bytes() if p.is_file() else b"") for p in paths}


KINDS = pytest.mark.parametrize("kind", ["mbox", "Maildir"])


@KINDS
def test_a_failed_job_is_critical_with_its_cause_and_its_script(
    home: Path, boxes: dict[str, Path], kind: str
) -> None:
    # A mail alone could be anybody's: what is to be typed stands in the crontab, too.
    assert f"\n  sudo -iu {USER} -- SCRIPT\n" in check(boxes[kind]).out
    table = f"0 2 1 1 * {home}/broken.sh\n"
    subprocess.run(["crontab", "-u", USER, "-"], input=table.encode(), check=True)
    try:
        result = check(boxes[kind])
    finally:
        subprocess.run(["crontab", "-u", USER, "-r"], check=True)
    assert result.status == 2
    cause = r"DUPLICITY LOG CRITICAL - broken: failed \d+s ago, destination not reached"
    assert re.match(cause, result.first_line)
    assert f"\n  sudo -iu {USER} -- {home}/broken.sh\n" in result.out
    numbers = {label: result.value(label) for label in ("runs", "failed", "orphaned")}
    assert numbers == {"runs": 3, "failed": 1, "orphaned": 1}


@KINDS
def test_every_job_is_named_with_how_it_went(boxes: dict[str, Path], kind: str) -> None:
    lines = check(boxes[kind], "-v").out
    assert re.search(rf"^good \({USER}@.*: good$", lines, re.M)
    assert re.search(r"^WARNING: orphans: orphaned backup sets found, \d+s ago$", lines, re.M)
    assert re.search(r"^  It said: Warning, found the following orphaned backup file", lines, re.M)
    assert re.search(rf"^orphans \({USER}@.*: good, with warnings$", lines, re.M)
    assert re.search(r"^  It said: .*Unable to connect to port 1 ", lines, re.M)
    assert re.search(rf"^broken \({USER}@.*: failed$", lines, re.M)
    assert not re.search("(CRITICAL|WARNING): good", lines)


@KINDS
def test_checks_agree_and_change_no_mailbox(boxes: dict[str, Path], kind: str) -> None:
    before = content(boxes[kind])
    state = Path(f"/var/tmp/check-duplicity-{pwd.getpwnam(USER).pw_uid}")
    shutil.rmtree(state, ignore_errors=True)
    first = check(boxes[kind], "-v")
    assert [path.owner() for path in state.iterdir()] == [USER]
    second = check(boxes[kind], "-v")
    assert (first.status, ageless(first.out)) == (second.status, ageless(second.out))
    assert content(boxes[kind]) == before
