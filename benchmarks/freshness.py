"""check_duplicity_freshness, against duplicity collection-status on the same destination.

The volumes are sparse files: duplicity reads no volume for its status, and the check looks at their
sizes only.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from measuring import BIN, Table, medians, ours

CHECK = BIN / "check_duplicity_freshness"
VOLUMES = 20  # of each backup set
VOLUME = 25 << 20  # bytes of each volume
SIZES = ((30, 11), (300, 5), (3000, 1))  # backup sets, runs; duplicity's time is quadratic
QUICK = ((30, 3), (300, 1))
MANIFEST = "Volume {}:\n    StartingPath   .  \n    EndingPath     a  \n    Hash SHA1 25e9356c\n"


def make_destination(directory: Path, sets: int) -> None:
    """Make hourly backups, every tenth a full one, and their archive directory."""
    destination, archive = directory / "destination", directory / "archive" / "job"
    destination.mkdir()
    archive.mkdir(parents=True)
    now = datetime.now(timezone.utc)
    stamps = [f"{now - timedelta(hours=hours):%Y%m%dT%H%M%SZ}" for hours in range(sets, 0, -1)]
    manifest = "".join(map(MANIFEST.format, range(1, VOLUMES + 1)))
    for position, stamp in enumerate(stamps):
        full = position % 10 == 0
        between = stamp if full else f"{stamps[position - 1]}.to.{stamp}"
        name = f"duplicity-{'full' if full else 'inc'}.{between}"
        signature = f"duplicity-{'full' if full else 'new'}-signatures.{between}.sigtar.gz"
        for place in (destination, archive):
            (place / f"{name}.manifest").write_text(manifest)
            (place / signature).write_bytes(bytes(1000))
        for volume in range(1, VOLUMES + 1):
            path = destination / f"{name}.vol{volume}.difftar.gz"
            path.touch()
            os.truncate(path, VOLUME)


def main(duplicities: Sequence[str], *, quick: bool) -> None:
    """Print two rows for each size and duplicity: one asks the destination, one doesn't."""
    title = f"freshness, sets of {VOLUMES} volumes"
    table = Table(title, ["duplicity"])
    for sets, runs in QUICK if quick else SIZES:
        with tempfile.TemporaryDirectory() as temporary:
            os.environ["HOME"] = temporary
            directory = Path(temporary)
            make_destination(directory, sets)
            url = f"file://{directory}/destination"
            for duplicity in duplicities:
                check = [CHECK, "-d", url, "-a", directory / "archive", "-n", "job"]
                asked, archive, alone = medians(
                    [
                        [*check, "--duplicity", duplicity],
                        [*check, "--from-archive"],
                        [duplicity, "collection-status", url],
                    ],
                    runs,
                )
                version = Path(duplicity).parts[-3]
                table.row(f"{sets:5} sets, {version:6} destination", ours(asked), [alone])
                table.row(f"{sets:5} sets, {version:6} --from-archive", ours(archive), [alone])
