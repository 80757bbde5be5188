"""duplicity_drill, against a plain restore of the same file by duplicity.

The chain is encrypted, and has a full backup of some volumes and an incremental one. The drill
restores the same small file, and also reads the volume that was proved longest ago. A restore with
the job's own archive directory takes the job's lock; the drill doesn't.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measuring import BIN, Table, medians, ours

DRILL = BIN / "duplicity_drill"
FULL = ((1000, 200, 3),)  # MB of the source, MB of a volume, runs
QUICK = ((20, 5, 2),)


def main(duplicities: Sequence[str], *, quick: bool) -> None:
    """Print two rows for each duplicity and size: with and without the job's metadata."""
    table = Table("drill, of MB in volumes of MB", ["restore"])
    for duplicity in duplicities[-1:] if quick else duplicities:
        for size, volume, runs in QUICK if quick else FULL:
            with tempfile.TemporaryDirectory() as temporary:
                _rows(table, duplicity, (size, volume, runs), Path(temporary))


def _rows(table: Table, duplicity: str, sizes: tuple[int, int, int], place: Path) -> None:
    size, volume, runs = sizes
    source, archive, target = place / "source", place / "archive", place / "target"
    url = f"file://{place}/destination"
    state = ["XDG_STATE_HOME=" + str(place / "state"), "PASSPHRASE=secret", f"HOME={place}"]
    environment = ["env", *state]
    source.mkdir()
    for number in range(size // 10):
        (source / f"{number}").write_bytes(os.urandom(10_000_000))
    (source / "small").write_text("small\n")
    for action in ("full", "incremental"):
        options = ["--volsize", str(volume), "--no-compression", "--archive-dir", str(archive)]
        words = [*environment, duplicity, action, *options, str(source), url]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        (source / "small").write_text("small again\n")
    version = Path(duplicity).parts[-3]
    empty = place / "empty"
    for case, own in (("", archive), ("empty archive", empty)):

        def forget(own: Path = own) -> None:
            target.unlink(missing_ok=True)
            if own == empty:
                shutil.rmtree(empty, ignore_errors=True)
                empty.mkdir()

        drill = ["-d", url, "-a", own, "--duplicity", duplicity, "--path", "small"]
        taken, theirs = medians(
            [
                [*environment, DRILL, *drill, "--volumes", "1"],
                [
                    *environment,
                    duplicity,
                    "restore",
                    "--archive-dir",
                    own,
                    "-r",
                    "small",
                    url,
                    target,
                ],
            ],
            runs,
            before=forget,
        )
        table.row(f"{version}: {size} in {volume} {case}", ours(taken), [theirs])
