"""Choose what a drill restores, starting with the volume that was proved longest ago.

This module reads manifests and the sizes of source files, and changes nothing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from check_duplicity.duplicity import volumes
from check_duplicity.duplicity.volumes import Path
from check_duplicity.restore.model import Sample, Set, Volume
from check_duplicity.values import NamedTuple

NOWHERE = "zzzzzzzz-check-duplicity-"
"""The prefix of a name that no backup has; it sorts late, so few volumes can have it."""

_MOST_LOOKED_AT = 500  # files of a volume


class Candidate(NamedTuple):
    """A file that may be restored, and its size if the source still has it unchanged."""

    path: Path
    size: int | None = None


def can_be_named(path: str) -> bool:
    """Return whether duplicity's command line takes a path unchanged (0.8.23 to 3.2.1).

    duplicity expands ``~`` and ``$NAME``.
    """
    return not path.startswith(("-", "~")) and "$" not in path


def oldest(
    chain: Sequence[Set], proved: Mapping[Volume, int], bad: Collection[Volume] = ()
) -> Iterator[tuple[int, int]]:
    """Yield a chain's volumes as (index of the set, number), the one proved longest ago first.

    The ``bad`` volumes come before all others. Among volumes that were never proved, those of the
    newest set come first, because restoring from a set also reads from all sets before it.
    """
    everything = [
        (_proved(Volume(one.time, volume.number), proved, bad), -at, volume.number)
        for at, one in enumerate(chain)
        for volume in one.manifest.volumes
    ]
    for _, behind, number in sorted(everything):
        yield -behind, number


def metadata(chain: Sequence[Set], proved: Mapping[Volume, int], bad: Collection[Volume]) -> Set:
    """Return the set whose metadata at the destination was bad, or was proved longest ago."""
    return min(chain, key=lambda one: _proved(Volume(one.time, 0), proved, bad))


def _proved(volume: Volume, proved: Mapping[Volume, int], bad: Collection[Volume]) -> int:
    return -1 if volume in bad else proved.get(volume, 0)


def of_volume(chain: Sequence[Set], at: int, number: int, most: int) -> tuple[Sample, int]:
    """Return a sample that reads a volume, and the size of its file (0 if unknown).

    Choose the smallest file that can be compared with the source. If the volume has no file that
    can be named, or the file spans more than ``most`` volumes, the sample only reads volumes.
    """
    volume = next(v for v in chain[at].manifest.volumes if v.number == number)
    candidate = _smallest(chain[at], volume)
    if candidate is not None:
        sample = of_path(chain, at, candidate.path)
        here = [v for v in sample.volumes if v.time == chain[at].time]
        if len(here) <= most:
            return sample, candidate.size or 0
    return volumes_only(chain, at, [number]), 0


def of_path(chain: Sequence[Set], at: int, path: Path) -> Sample:
    """Return the sample that restores a path from a set."""
    return Sample(at, os.fsdecode(b"/".join(path)), _read_for(chain, at, path))


def volumes_only(chain: Sequence[Set], at: int, numbers: Collection[int]) -> Sample:
    """Return the sample that reads volumes of a set, and restores nothing."""
    wide = tuple(Volume(chain[at].time, number) for number in numbers)
    others = _read_for(chain, at, (NOWHERE.encode(),))
    return Sample(at, "", tuple(dict.fromkeys((*others, *wide))), wide)


def _read_for(chain: Sequence[Set], at: int, path: Path) -> tuple[Volume, ...]:
    return tuple(
        Volume(one.time, number)
        for one in chain[: at + 1]
        for number in one.manifest.read_for(path)
    )


def _smallest(one: Set, volume: volumes.Volume) -> Candidate | None:
    """Return a volume's smallest file that the source still has, else one that lies in it."""
    with open(one.path, "rb") as lines:
        paths = islice(volumes.files_in(lines, volume), _MOST_LOOKED_AT)
        found = [
            _candidate(one, tuple(path.split(b"/")))
            for path in paths
            if can_be_named(os.fsdecode(path))
        ]
    inside = [c for c in found if volume.first < c.path < volume.last] or found
    there = [c for c in found if c.size is not None]
    return min(there, key=lambda c: c.size or 0, default=inside[0] if inside else None)


def _candidate(one: Set, path: Path) -> Candidate:
    source = os.path.join(os.fsencode(one.manifest.source), *path)
    try:
        status = os.lstat(source)
    except (OSError, ValueError):
        return Candidate(path)
    as_it_was = stat.S_ISREG(status.st_mode) and status.st_mtime <= one.time.timestamp()
    return Candidate(path, status.st_size if as_it_was else None)
