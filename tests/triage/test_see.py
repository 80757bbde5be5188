"""What triage as a program sees of a job: its destination, its runs, its running backup."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from check_duplicity.destination import judge as judge_destination
from check_duplicity.destination.model import Seen
from check_duplicity.duplicity.collection import Collection
from check_duplicity.duplicity.names import Archive
from check_duplicity.jobs.model import Fact, Known, Start
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import CannotSee, Finding, Kind, State
from check_duplicity.processes import see as see_processes
from check_duplicity.processes.model import Sight
from check_duplicity.secrets import Secrets
from check_duplicity.system import proc
from check_duplicity.system.user import current
from check_duplicity.triage import see, sidebyside
from check_duplicity.triage.model import Picture
from plugin import BIN, write_job
from samples import CAPTURES, ago, full, inc


class Scene:
    """A directory with a job's file, and a duplicity that notes how it is called."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.called = path / "called"
        self.archive = path / "archive" / "web"
        self.mbox = path / "mbox"
        self.mbox.touch()
        self.archive.mkdir(parents=True)
        (path / "jobs.d").mkdir()
        duplicity = path / "duplicity"
        duplicity.write_text(
            f"#!{sys.executable} -I\nimport sys\n"
            f"open({str(self.called)!r}, 'a').write(str(sys.argv))\n"
            f"sys.stderr.write(open({str(path / 'listed')!r}).read())\n"
        )
        duplicity.chmod(0o755)

    def has(self, names: Sequence[str]) -> None:
        """Let the destination have these files; without this it can't be seen."""
        line = f". Extracting backup chains from list of files: {list(names)!r}\n"
        (self.path / "listed").write_text(line)

    def archived(self, names: Sequence[str], written: datetime, volumes: int = 1) -> None:
        """Let the archive directory have what a set's run leaves there."""
        for name in names:
            if name.endswith(".manifest"):
                path = self.archive / name
                path.write_text("".join(f"\nVolume {n + 1}:" for n in range(volumes)) + "\n")
                os.utime(path, (written.timestamp(),) * 2)
            elif "sigtar" in name:
                (self.archive / name).touch()

    def failed(self, time: datetime) -> None:
        """Let cron have told of a failure."""
        self.mbox.write_text(
            f"From root@host {time:%a %b %d %H:%M:%S %Y}\n"
            f"Subject: Cron <bk@host> /s/web.sh (failed)\n"
            f"Date: {format_datetime(time)}\n\nduplicity: No space left on device\n\n"
        )

    def triage(self, *facts: str, **more: str) -> dict[str, Any]:
        """What triage says of the job with these lines in its file."""
        lines = {
            "destination": "sftp://127.0.0.1:1/b",
            "archive_dir": str(self.archive.parent),
            "name": "web",
            "duplicity": str(self.path / "duplicity"),
            "mail": str(self.mbox),
            "schedule": "",
            **more,
        }
        text = "".join(f"{key} = {value}\n" for key, value in lines.items() if value)
        write_job(self.path / "jobs.d", "web", f"[job]\n{text}")
        done = subprocess.run(
            [BIN / "duplicity_triage", "--jobs-dir", self.path / "jobs.d", "web", "--json", *facts],
            stdout=subprocess.PIPE,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.path),
                "MAIL": str(self.path / "no-mailbox"),
            },
            timeout=60,
            check=False,
        )
        (answer,) = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("--log-file=/x", "--log-file=/x"),
        ("--log-file /x", "--log-file"),
        ("--log-fi /x", "--log-fi"),
        ("--ssh-askpass --tempdir /x", "--tempdir"),
        ("--archive-dir=/x", "--archive-dir=/x"),
        ("--name x", "--name"),
        ("--verbosity 0", "--verbosity"),
    ],
)
def test_a_job_with_an_option_of_the_checks_own_is_not_asked_for(
    options: str, word: str, scene: Scene
) -> None:
    seen = scene.triage(options=options)
    assert seen["verdict"] == "can't be seen"
    assert seen["state"] == "UNKNOWN"
    assert seen["destination"].startswith(f"{word} is the check's own; ")
    assert not scene.called.exists()


def test_other_options_of_a_job_go_along(scene: Scene) -> None:
    scene.triage(options="--ssh-askpass --log-timestamp --timeout 5")
    assert "'--ssh-askpass', '--log-timestamp', '--timeout', '5'" in scene.called.read_text()


# What a later backup has mended


def before(**age: float) -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0) - timedelta(**age)


FAILED = re.compile("web: failed 2h ago, .*")
GOOD = re.compile("web: good (1h|59m) ago")


def test_a_failure_is_told_until_a_later_backup_is_complete(scene: Scene) -> None:
    scene.failed(before(hours=2))
    scene.has(full(before(hours=3)))
    assert FAILED.fullmatch(scene.triage()["runs"])
    scene.has(full(before(hours=1)))
    assert GOOD.fullmatch(scene.triage()["runs"])


def test_a_damaged_backup_mends_no_failure(scene: Scene) -> None:
    """Its archive directory alone would say that all is well."""
    scene.failed(before(hours=2))
    names = full(before(hours=1), volumes=2)
    scene.archived(names, before(hours=1), volumes=2)
    scene.has(names)
    assert GOOD.fullmatch(scene.triage()["runs"])
    scene.has([name for name in names if ".vol1." not in name])
    assert FAILED.fullmatch(scene.triage()["runs"])


def test_what_builds_on_a_damaged_backup_mends_no_failure(scene: Scene) -> None:
    scene.failed(before(hours=2))
    base = full(before(hours=30), volumes=2)
    scene.has([*base, *inc(before(hours=30), before(hours=1))][1:])
    assert FAILED.fullmatch(scene.triage()["runs"])


def test_a_backup_that_went_on_after_the_failure_has_mended_it(scene: Scene) -> None:
    """It keeps the time of its first run, which had failed."""
    scene.failed(before(hours=2))
    names = full(before(hours=3))
    scene.archived(names, before(hours=1))
    scene.has(names)
    assert GOOD.fullmatch(scene.triage()["runs"])


def test_where_the_destination_is_not_seen_the_archive_directory_tells(scene: Scene) -> None:
    scene.failed(before(hours=2))
    scene.archived(full(before(hours=1)), before(hours=1))
    seen = scene.triage()
    assert seen["verdict"] == "can't be seen"
    assert GOOD.fullmatch(seen["runs"])


PURGE = """\
--- Start running command PURGE at 02:00:05.000 ---
Giving up after 5 attempts. FileNotFoundError: [Errno 2] No such file or directory
Task 'PURGE' failed with exit code '50'.
--- Finished state FAILED 'code 50' at 02:00:09.000 - Runtime 00:00:04.000 ---
"""


def purged(scene: Scene) -> str:
    """A log of duply's: a good backup, and a PURGE behind it that failed."""
    at = before(minutes=20).timestamp()
    good = (CAPTURES / "runs/3.2.1/good-full.out").read_text()
    good = re.sub(r"(?m)^(StartTime|EndTime) .*", rf"\1 {at:.2f} (x)", good)
    log = scene.path / "web.log"
    begun = "--- Start running command BKP at 02:00:01.000 ---\n"
    ended = "--- Finished state OK at 02:00:05.000 - Runtime 00:00:04.000 ---\n"
    log.write_text(f"Using profile '/etc/duply/web'.\n{begun}{good}{ended}{PURGE}")
    os.utime(log, (at + 90, at + 90))
    return str(log)


def test_what_the_destination_shows_outranks_what_a_run_says_of_it(scene: Scene) -> None:
    scene.has(full(before(minutes=21)))
    log = purged(scene)
    seen = scene.triage(mail=log)
    assert (seen["verdict"], seen["state"]) == ("failed", "CRITICAL")
    assert re.match(r"web: failed \(purge\) 18m \d+s ago, Giving up after 5 attempts", seen["why"])
    assert seen["why"].endswith("; the backup of the same run is good")
    said = json.dumps(seen)
    assert "the destination is not there" not in said
    assert "mount --all" not in said


def test_where_it_is_not_seen_the_runs_words_count(scene: Scene) -> None:
    seen = scene.triage(mail=purged(scene))
    assert seen["verdict"] == "destination missing"


@pytest.mark.parametrize("mail", ["mbox", ""])
def test_a_job_that_says_nothing_is_known_by_its_backups(mail: str, scene: Scene) -> None:
    """By an empty mailbox, and without one."""
    scene.has(full(before(hours=1)))
    assert GOOD.fullmatch(scene.triage(mail=mail and str(scene.mbox))["runs"])


def test_no_backup_tells_of_what_can_not_be_read(scene: Scene) -> None:
    scene.has(full(before(hours=1)))
    seen = scene.triage(mail=f"{scene.mbox} {scene.path}/no-log")
    assert seen["runs"] == f"{scene.path}/no-log: No such file or directory"


# What runs now


@pytest.fixture
def sight(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Picture]:
    """Look at a job, in this process, with such processes."""
    monkeypatch.setattr(sidebyside, "die_with_parent", lambda: None)

    def look(given: Sight, path: Path) -> Picture:
        monkeypatch.setattr(see_processes, "look", lambda wanted: given)
        facts = {"destination": f"file://{path}", "mail": "/dev/null"}
        known = Known("web", {key: Fact(value, "here") for key, value in facts.items()})
        options = Namespace(from_archive=True)
        return see.look(known, options, datetime.now(timezone.utc), Secrets({}), Job("bk"))

    return look


@pytest.mark.parametrize("sure", [True, False])
def test_processes_that_were_left_out_are_told(
    sure: bool, sight: Callable[..., Picture], tmp_path: Path
) -> None:
    picture = sight(Sight((), sure=sure, left_out={current(): 10}), tmp_path)
    reason = f"too many processes of {current()} look like duplicity"
    assert picture.now == reason
    assert Finding(Kind.HIDDEN, State.UNKNOWN, reason) in picture.findings


def test_those_of_others_are_not_the_jobs(sight: Callable[..., Picture], tmp_path: Path) -> None:
    picture = sight(Sight((), sure=True, left_out={"mallory": 10}), tmp_path)
    assert picture.now == "no backup is running"
    assert Kind.HIDDEN not in [finding.kind for finding in picture.findings]


def test_hidden_processes_are_told_as_that(sight: Callable[..., Picture], tmp_path: Path) -> None:
    assert "hidepid" in sight(Sight((), sure=False), tmp_path).now


@pytest.mark.parametrize("age", [timedelta(hours=2), timedelta(days=30)])
def test_of_a_job_whose_output_is_thrown_away_that_is_said_once(
    age: timedelta, scene: Scene
) -> None:
    made = datetime.now(timezone.utc) - age
    names = full(made)
    scene.has(names)
    scene.archived(names, made)
    answer = scene.triage(mail="/dev/null")
    assert str(answer).count("its output is thrown away; freshness alone tells") == 1
    assert "its output is thrown away" in answer["runs"]
    assert "check_duplicity_log" not in str(answer["steps"])


def test_what_was_good_yesterday_is_gone_and_was_not_never_made(scene: Scene) -> None:
    now = datetime.now(timezone.utc)
    scene.has([])
    assert scene.triage()["verdict"] == "never backed up"
    log = scene.path / "web.log"
    log.write_text(ran(now - timedelta(hours=20)))
    answer = scene.triage(mail=str(log))
    assert answer["verdict"] == "the full backup is gone"
    assert "one made 20h ago is gone" in answer["why"]
    # So the archive directory tells.
    scene.archived(full(now - timedelta(days=1)), now - timedelta(days=1))
    assert scene.triage()["verdict"] == "the full backup is gone"
    # Files of another prefix may be that backup.
    scene.has([f"db-{name}" for name in full(now - timedelta(days=1))])
    (scene.archive / "x").touch()
    for name in scene.archive.iterdir():
        name.unlink()
    assert scene.triage(mail=str(log))["verdict"] == "never backed up"


def ran(end: datetime) -> str:
    """What duplicity prints of a good run, as far as it matters."""
    start = end - timedelta(minutes=1)
    return (
        "--------------[ Backup Statistics ]--------------\n"
        f"StartTime {start.timestamp():.2f} ({start:%a %b %d %H:%M:%S %Y})\n"
        f"EndTime {end.timestamp():.2f} ({end:%a %b %d %H:%M:%S %Y})\n"
        "ElapsedTime 60.00 (1 minute 0.00 seconds)\nSourceFiles 3\nSourceFileSize 100 (100 bytes)\n"
        "NewFiles 3\nNewFileSize 100 (100 bytes)\nDeletedFiles 0\nChangedFiles 0\n"
        "ChangedFileSize 0 (0 bytes)\nChangedDeltaSize 0 (0 bytes)\nDeltaEntries 3\n"
        "RawDeltaSize 100 (100 bytes)\nTotalDestinationSizeChange 200 (200 bytes)\nErrors 0\n"
        "-------------------------------------------------\n\n"
    )


def test_no_error_gets_into_the_file_that_is_made(tmp_path: Path) -> None:
    for words in (["--list-jobs", "--ini", "nosuch"], ["--ini"], ["--list-jobs", "--ini", "-x"]):
        done = subprocess.run(
            [BIN / "duplicity_triage", "--jobs-dir", tmp_path, *words],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.startswith("DUPLICITY TRIAGE UNKNOWN - ")


CRONTAB = "/etc/crontab:1"
TIMER = "/etc/systemd/system/web.timer"
OFF = Start(CRONTAB, "d", "is commented out")
NO_TIMER = Start(TIMER, "d", "is not enabled")


@pytest.mark.parametrize(
    ("facts", "starts", "cron", "why"),
    [
        ({}, (), False, []),
        ({"schedule": CRONTAB}, (), True, []),
        ({"schedule": CRONTAB}, (), False, ["cron can't run it: cron is not running"]),
        ({"schedule": CRONTAB}, (), None, []),  # The processes of others are hidden.
        ({"schedule": TIMER}, (), False, []),
        ({}, (OFF,), True, [f"cron can't run it: {CRONTAB}: is commented out"]),
        ({}, (NO_TIMER,), True, [f"systemd does not start it: {TIMER} is not enabled"]),
        ({}, (OFF, NO_TIMER), True,
         [f"cron can't run it: {CRONTAB}: is commented out",
          f"systemd does not start it: {TIMER} is not enabled"]),
        ({}, (OFF, Start(TIMER, "d")), True, []),  # Something starts it.
        ({"script": "/bin/sh"}, (), True, []),
        ({"script": "/none/x y"}, (), True, ["cron can't run it: there is no /none/x"]),
        ({"script": "/etc/passwd"}, (), True, ["cron can't run it: /etc/passwd is not executable"]),
        ({"script": "none"}, (), True, []),  # It is somewhere in PATH.
        ({"script": "/none/x; y"}, (), True, []),
    ],
)  # fmt: skip
def test_why_a_job_is_not_started(
    facts: dict[str, str], starts: tuple[Start, ...], cron: bool | None, why: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(proc, "hides_others", lambda: cron is None)
    monkeypatch.setattr(proc, "runs", lambda names, uid: bool(cron) and b"crond" in names)
    values = {
        key: Fact("0 2 * * *", value) if key == "schedule" else Fact(value, CRONTAB)
        for key, value in facts.items()
    }
    found = list(see._not_started(Known("web", values, starts=starts)))
    assert [finding.text for finding in found] == why
    assert {(f.kind, f.state) for f in found} <= {(Kind.NOT_STARTED, State.CRITICAL)}


def test_what_cannot_be_judged_of_a_destination_is_not_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*asked: object) -> object:
        raise CannotSee(Kind.NOT_RECOGNISED, "why")

    monkeypatch.setattr(judge_destination, "evaluated", refuse)
    seen = Seen(Collection(), Archive(), None, sure=True)
    picture = see._with_destination(Picture("web", Job("u")), seen, Namespace(), ago(days=1), None)
    assert picture == Picture("web", Job("u"), destination="why", unseen=Kind.NOT_RECOGNISED)
