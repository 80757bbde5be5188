"""Volumes that are empty or cut short, made from real ones; and real good sets, without any.

The sizes in good sets were measured on many more sets (``duplicity/sizes.py``).
"""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest
from lab import Lab, wait_until

pytestmark = pytest.mark.spread
MIB = 1 << 20
PLAIN = ["--no-compression", "--volsize=1"]


def fill(lab: Lab) -> None:
    """Fill the source: random, repeated and no data; large files, and many small ones."""
    data = random.Random(4)
    (lab.source / "random").write_bytes(data.randbytes(5 * MIB // 2))
    (lab.source / "text").write_bytes(
        b"".join(b"%x\n" % data.getrandbits(64) for _ in range(150_000))
    )
    with (lab.source / "sparse").open("wb") as sparse:
        sparse.truncate(12 * MIB)
    (lab.source / "stripes").write_bytes(
        b"".join(data.randbytes(70_000) + bytes(400_000) for _ in range(7))
    )
    for number in range(200):
        (lab.source / f"klein ä {number}").write_bytes(data.randbytes(number * 20))


def volume(lab: Lab, number: int) -> Path:
    [path] = lab.destination.glob(f"duplicity-full.*.vol{number}.*")
    return path


def restored(lab: Lab, passphrase: str = "") -> bool:
    """Return whether everything can be restored without an archive directory."""
    place, empty = lab.home / "restored", lab.home / "empty"
    options = [
        "--num-retries=1",
        "--archive-dir",
        empty,
        *([] if passphrase else ["--no-encryption"]),
    ]
    done = subprocess.run(
        [*map(str, [lab.duplicity, "restore", *options, lab.url, place])],
        env={**lab.environment, "PASSPHRASE": passphrase},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    files = {path.name: path.read_bytes() for path in place.glob("*")}
    source = {path.name: path.read_bytes() for path in lab.source.iterdir()}
    return done.returncode == 0 and files == source


@pytest.mark.parametrize("passphrase", [None, "secret"])
def test_an_empty_volume_is_critical_and_named(lab: Lab, passphrase: str | None) -> None:
    (lab.source / "random").write_bytes(os.urandom(3 * MIB))
    made = lab.run("full", "--volsize=1", passphrase=passphrase)
    good = lab.check()
    assert good.status == 0
    count = good.value("volumes")
    for number in (1, 2, count):
        content = volume(lab, number).read_bytes()
        volume(lab, number).write_bytes(b"")
        result = lab.check()
        backup = f"backup of {made:%Y-%m-%d %H:%M} UTC"
        assert (result.status, result.first_line) == (
            2,
            f"DUPLICITY FRESHNESS CRITICAL - {backup}: volume {number} of {count} is empty",
        )
        assert "disk full" in result.out
        assert not any(word in result.out for word in ("cleanup", "remove-", " rm "))
        volume(lab, number).write_bytes(content)
    assert lab.check().status == 0


def test_a_volume_that_is_cut_short_is_critical_and_cannot_be_restored(lab: Lab) -> None:
    (lab.source / "random").write_bytes(os.urandom(9 * MIB))
    lab.run("full", "--volsize=3")
    os.truncate(volume(lab, 2), 2 * MIB)
    result = lab.check("-a", lab.home / "elsewhere")
    assert result.status == 2
    assert "volume 2 of 4 is cut short (2.0 MiB, others " in result.first_line
    assert not restored(lab)


def test_an_empty_manifest_or_signature_file_is_critical(lab: Lab) -> None:
    lab.run("full", ago=3, passphrase="secret")
    lab.run("incremental", ago=2, passphrase="secret")
    for what in ("full-sig", "new-sig", "inc*.manifest", "full.*.manifest"):
        [path] = lab.destination.glob(f"duplicity-{what}*")
        content = path.read_bytes()
        path.write_bytes(b"")
        result = lab.check()
        assert result.status == 2
        kind = "manifest" if "manifest" in what else "signature file"
        assert f" UTC: its {kind} is empty" in result.first_line
        if what != "full.*.manifest":
            path.write_bytes(content)
    assert not restored(lab, "secret")


def test_an_incremental_that_is_spoiled_leaves_what_is_before_it(lab: Lab) -> None:
    lab.run("full", ago=30)
    lab.run("incremental", ago=2)
    [path] = lab.destination.glob("duplicity-inc*.vol1.*")
    os.truncate(path, 0)
    result = lab.check()
    assert (result.status, result.value("age") // 3600) == (2, 30)
    assert "volume 1 of 1 is empty" in result.first_line
    lab.run("full", ago=1)
    result = lab.check()
    assert (result.status, result.value("age") // 3600) == (2, 1)
    assert "remove-older-than" in result.out


def test_a_backup_of_nothing_new_is_good_though_a_volume_has_no_bytes(lab: Lab) -> None:
    for compression in (["--no-compression"], []):
        lab.run("full", *compression, ago=9)
        for _ in range(2):
            subprocess.run(
                lab.command("incremental", "--no-encryption", *compression),
                env=lab.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
            )
            assert lab.check().status == 0
    assert restored(lab)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("options", "passphrase"),
    [
        (["--volsize=1"], None),
        (["--volsize=2"], None),
        (["--volsize=1", "--no-compression"], None),
        (["--volsize=1"], "secret"),
        (["--volsize=1", "--gpg-options=--compress-algo=bzip2"], "secret"),
        (["--volsize=1", "--gpg-options=--compress-algo=none --cipher-algo=AES"], "secret"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_good_sets_are_good(lab: Lab, options: list[str], passphrase: str | None) -> None:
    fill(lab)
    lab.run("full", *options, passphrase=passphrase, ago=2)
    (lab.source / "random").write_bytes(random.Random(5).randbytes(2 * MIB))
    lab.run("incremental", *options, passphrase=passphrase, ago=1)
    result = lab.check()
    assert result.status == 0
    assert result.value("volumes") >= 4
    listing = subprocess.run(["ls", "-l", lab.destination], capture_output=True, check=True)
    assert lab.check("--from-file", "-", stdin=listing.stdout).status == 0


def test_what_goes_on_with_another_volume_size_is_good(lab: Lab) -> None:
    (lab.source / "random").write_bytes(os.urandom(20 * MIB))
    with (lab.source / "sparse").open("wb") as sparse:
        sparse.truncate(30 * MIB)
    with subprocess.Popen(
        lab.command("full", "--no-encryption", *PLAIN),
        env=lab.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_until(lambda: lab.volumes() >= 4)
        process.kill()
    assert lab.check().status == 2  # no complete backup
    subprocess.run(
        lab.command("full", "--no-encryption", "--no-compression", "--volsize=6"),
        env=lab.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    sizes = [volume(lab, number).stat().st_size for number in range(1, lab.volumes())]
    assert 3 * min(sizes) < max(sizes)
    assert lab.check().status == 0
    assert restored(lab)


def test_a_running_backup_has_nothing_spoiled(lab: Lab) -> None:
    lab.run("full", ago=3)
    with lab.running("full") as process:
        newest = max(lab.destination.glob("*.difftar"), key=lambda path: path.stat().st_mtime)
        os.truncate(newest, 0)  # as one that has only been begun
        assert process.poll() is None
        assert lab.check().status == 0
