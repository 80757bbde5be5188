"""A backup that starts, runs or ends while checks run is never disturbed."""

from __future__ import annotations

import itertools
import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from lab import Lab, fingerprint
from plugin import BIN
from samples import good_run

pytestmark = pytest.mark.spread
OLDEST = 40  # hours


def test_a_check_leaves_everything_as_it_was(lab: Lab) -> None:
    lab.run("full", ago=9)
    lab.run("incremental", ago=8)
    before = fingerprint(lab.archive), fingerprint(lab.destination), fingerprint(lab.home)
    assert lab.check().status == 0
    assert lab.check("--from-archive").status == 0
    assert (fingerprint(lab.archive), fingerprint(lab.destination), fingerprint(lab.home)) == before


def test_a_running_backup_holds_its_lock_through_a_check(lab: Lab) -> None:
    lab.run("full", ago=40)
    with lab.running("full") as backup:
        assert lab.check().value("age") // 3600 == 40
        assert backup.poll() is None
        # That the lock is still held shows in a second backup, which is refused.
        second = subprocess.run(
            lab.command("full", "--no-encryption"),
            env=lab.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert second.returncode == 23
        assert b"Another duplicity instance is already running" in second.stdout


def back_up(lab: Lab, hours: int, now: datetime, passphrase: str | None) -> None:
    """Make a backup of several volumes, dated ``hours`` hours ago."""
    (lab.source / "large").write_bytes(bytes([hours]) * (2 << 20))
    os.utime(lab.source / "large", (hours, hours))  # else it looks unchanged
    action = "full" if hours == OLDEST else "incremental"
    made = now - timedelta(hours=hours)
    lab.run(action, "--no-compression", "--volsize=1", passphrase=passphrase, at=made)


def restored(lab: Lab, passphrase: str | None) -> bytes:
    target = lab.home / "restored"
    encryption = [] if passphrase else ["--no-encryption"]
    words = [lab.duplicity, "restore", *encryption, "--archive-dir", lab.archive, lab.url, target]
    subprocess.run(
        list(map(str, words)),
        env={**lab.environment, "PASSPHRASE": passphrase or ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return (target / "large").read_bytes()


def names_below(directory: Path) -> list[str]:
    """Return the names of all files below a directory."""
    return sorted(path.name for path in directory.rglob("*") if path.is_file())


# Every plugin, with the states that are right once there is a full backup that is old. The drill,
# which takes longest, comes first.
STORM = {
    "duplicity_drill": {0},
    "check_duplicity_freshness": {0, 1},
    "check_duplicity_process": {0},
    "check_duplicity_log": {0},
    "duplicity_triage": {0, 1},
    "check_duplicity_restore": {0},
}


def check_on(lab: Lab, directory: Path, ended: threading.Event, passphrase: str | None) -> int:
    """Run the plugins, given the job's own archive directory, in turn; return how many ran."""
    directory.mkdir(mode=0o700)
    log = directory / "assets.log"
    log.write_text(good_run())
    secret = {"PASSPHRASE": passphrase} if passphrase else {}
    own = {**secret, "TMPDIR": str(directory), "XDG_STATE_HOME": str(directory), "MAIL": "/none"}
    count = 0
    for plugin in itertools.cycle(STORM):
        if ended.is_set() and count >= len(STORM):
            return count
        words: list[object] = [BIN / plugin, "-d", lab.url, "-a", lab.archive, "-t", "100", "-q"]
        asking = STORM[plugin] == {0, 1} or plugin == "duplicity_drill"
        words += ["--duplicity", lab.duplicity] if asking else []
        words += [log] if plugin == "check_duplicity_log" else []
        done = subprocess.run(
            list(map(str, words)), env={**lab.environment, **own}, capture_output=True, check=False
        )
        assert done.stderr == b""
        assert done.returncode in STORM[plugin], done.stdout
        count += 1
    return count


@pytest.mark.exhaustive
@pytest.mark.parametrize("passphrase", [None, "geheim"], ids=["readable", "encrypted"])
def test_backups_under_a_storm_of_checks_are_as_in_peace(
    duplicity: Path, tmp_path: Path, passphrase: str | None
) -> None:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    (tmp_path / "in-peace").mkdir()
    (tmp_path / "in-war").mkdir()
    ended = threading.Event()
    with (
        Lab(duplicity, tmp_path / "in-peace") as peace,
        Lab(duplicity, tmp_path / "in-war") as war,
        ThreadPoolExecutor() as threads,
    ):
        back_up(war, OLDEST, now, passphrase)
        checks = [
            threads.submit(check_on, war, tmp_path / str(n), ended, passphrase) for n in range(2)
        ]
        try:
            for hours in (6, 5, 4):
                back_up(war, hours, now, passphrase)
        finally:
            ended.set()
        assert all(check.result() >= len(STORM) for check in checks)
        for hours in (OLDEST, 6, 5, 4):
            back_up(peace, hours, now, passphrase)
        assert names_below(war.destination) == names_below(peace.destination)
        assert names_below(war.archive) == names_below(peace.archive)
        result = war.check()
        assert (result.status, result.value("chain_length")) == (0, 4)
        assert restored(war, passphrase) == (war.source / "large").read_bytes()
