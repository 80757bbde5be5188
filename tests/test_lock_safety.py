"""A backup that starts, runs or ends while checks run is never disturbed."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from lab import Lab, fingerprint, wait_until


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


def test_backups_end_well_under_a_storm_of_checks(lab: Lab, tmp_path: Path) -> None:
    (lab.source / "large").write_bytes(bytes(4 << 20))
    lab.run("full", "--no-compression", "--volsize=1", ago=40)
    ended = threading.Event()
    states: list[int] = []

    def storm() -> None:
        while not ended.is_set():
            states.append(lab.check("-q", environment={"TMPDIR": str(tmp_path)}).status)

    checks = [threading.Thread(target=storm) for _ in range(3)]
    for thread in checks:
        thread.start()
    try:
        for hours in (6, 5, 4, 3):
            (lab.source / "large").write_bytes(bytes([hours]) * (4 << 20))
            os.utime(lab.source / "large", (hours, hours))  # else it looks unchanged
            lab.run("incremental", "--no-compression", "--volsize=1", ago=hours)
        count = len(states)
        wait_until(lambda: len(states) > count + 3)
    finally:
        ended.set()
        for thread in checks:
            thread.join()
    # The full one is 40 hours old; as soon as one of the others is whole, all is well.
    assert set(states) <= {0, 1}
    result = lab.check()
    assert (result.status, result.value("chain_length")) == (0, 5)
    verified = subprocess.run(
        [lab.duplicity, "restore", "--no-encryption", lab.url, lab.home / "restored"],
        env=lab.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stderr
    restored = (lab.home / "restored" / "large").read_bytes()
    assert restored == (lab.source / "large").read_bytes()
