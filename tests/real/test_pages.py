"""The pages show the programs' real output for drills, on real backups."""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from lab import DUPLICITIES
from pages import marked
from stage import Scene, Stage

pytestmark = pytest.mark.skipif(
    DUPLICITIES is None, reason="DUPLICITIES names no duplicity; make test does"
)
Shown = Callable[[Scene], None]
DRILL = "duplicity_drill -d file:///srv/backups/assets -a /data/cache"


def newest() -> Path:
    found = Path(DUPLICITIES or "").glob("*/bin/duplicity")
    return max(found, key=lambda path: [*map(int, re.findall(r"\d+", path.parts[-3]))])


def backed_up(stage: Stage, passphrase: str = "") -> None:
    """Make a full backup, dated 3 hours ago: five volumes with always the same nine files."""
    dice = random.Random(1)
    for number in range(1, 10):
        name = f"/home/assets/{number}.jpg"
        stage.write(name, "", hours=9)
        stage.path(name).write_bytes(dice.getrandbits(8 * 500_000).to_bytes(500_000, "big"))
        os.utime(stage.path(name), (stage.ago(hours=9).timestamp(),) * 2)
    stage.path("/srv/backups/assets").mkdir()
    (stage.bin / "duplicity").unlink()
    (stage.bin / "duplicity").symlink_to(newest())
    command = (
        f"duplicity full {'' if passphrase else '--no-encryption'} --volsize 1"
        " --archive-dir /data/cache"
        f" --current-time {int(stage.ago(hours=3).timestamp())}"
        " /home/assets file:///srv/backups/assets"
    )
    done = subprocess.run(
        stage.here(command).split(), env={**stage.environment, "PASSPHRASE": passphrase},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_a_drill(shown: Shown) -> None:
    shown(backed_up)


def test_a_file_that_is_not_in_the_backup(shown: Shown) -> None:
    shown(backed_up)


def test_a_good_drill(shown: Shown) -> None:
    def scene(stage: Stage) -> None:
        backed_up(stage)
        assert "DUPLICITY DRILL OK" in stage.type(f"{DRILL} --volumes 2")

    shown(scene)


def test_a_changed_volume(shown: Shown) -> None:
    def scene(stage: Stage) -> None:
        backed_up(stage)
        volume = next(stage.path("/srv/backups/assets").glob("*.vol2.*"))
        with volume.open("r+b") as file:
            file.seek(1000)
            file.write(b"rotten")
        assert "DUPLICITY DRILL CRITICAL" in stage.type(DRILL)

    shown(scene)


def test_a_drill_with_a_passphrase(tmp_path: Path) -> None:
    """The backup is at a file:// URL here, without a job's archive directory."""
    (block,) = marked("tests/real/test_pages.py", "test_a_drill_with_a_passphrase")
    commands = re.sub(r"^\$ ", "", block.text, flags=re.M)
    for_here = commands.replace("sftp://backup@backup.example.org//", "file:///")
    stage = Stage(tmp_path)
    # By default gpg measures how long to derive a key can take, and lets it take as long.
    (stage.home / ".gnupg").mkdir(mode=0o700)
    (stage.home / ".gnupg" / "gpg.conf").write_text("s2k-count 65536\n")
    try:
        backed_up(stage, passphrase="geheim")
        done = subprocess.run(
            ["bash", "-c", stage.here(for_here)], input="geheim\n", env=stage.environment,
            cwd=stage.root, stdout=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    finally:
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=stage.environment, check=False)
    assert "DUPLICITY DRILL OK - " in done.stdout, done.stdout
    assert "DUPLICITY RESTORE OK - " in done.stdout
