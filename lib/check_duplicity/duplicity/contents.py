"""How much a backup has of its source, and whether that has shrunk: the same of sets and runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from check_duplicity.duplicity.collection import BackupSet, Chain
from check_duplicity.nagios.limits import format_size
from check_duplicity.values import NamedTuple

COMPARED = timedelta(days=30)
"""How far back a source is compared."""

# A source that was smaller may shrink as it likes.
_FEWEST_FILES = 20
_FEWEST_BYTES = 1 << 20


class Extent(NamedTuple):
    """How much there was of the source at a time.

    ``files`` are regular files, as manifests list them; ``entries`` are directories and all, as the
    statistics count them; ``size`` is in bytes. What is not known is ``None``.
    """

    time: datetime
    files: int | None = None
    entries: int | None = None
    size: int | None = None


class Shrunk(NamedTuple):
    """By how many per cent a source is smaller, and what of it: ``what`` is an `Extent`'s field."""

    percent: int
    what: str
    before: int
    now: int

    def __str__(self) -> str:
        """Say it as the end of a sentence about a backup."""
        if self.what == "size":
            return f"only {format_size(self.now)} of the source, {format_size(self.before)} before"
        directories = self.what == "entries"
        things = "files and directories" if directories else "files"
        if self.now <= directories:  # The source's own one is always there.
            return f"an empty source, {self.before} {things} before"
        return f"only {self.now} {things} of the source, {self.before} before"


def extents(chains: Sequence[Chain]) -> list[Extent]:
    """Return the extent of each set of a collection, as far as it is known.

    An incremental's manifest lists what came and went: files are counted from the full set on.
    """
    sets = [backup_set for chain in chains for backup_set in chain.sets]
    listed = any(backup_set.manifest and backup_set.manifest.entries for backup_set in sets)
    found: list[Extent] = []
    files: int | None = None
    for backup_set in sets:
        files = _files(backup_set, files, listed=listed)
        statistics = backup_set.statistics
        entries, size = (statistics.entries, statistics.size) if statistics else (None, None)
        found.append(Extent(backup_set.time, files, entries, size))
    return found


def _files(backup_set: BackupSet, before: int | None, *, listed: bool) -> int | None:
    """How many files a set has, if ``before`` it there were so many.

    ``listed`` is whether the job lists files at all: with ``--no-files-changed`` it doesn't, and a
    list without any says that there is none only if others have some.
    """
    manifest = backup_set.manifest
    if manifest is None or manifest.entries is None:
        return None
    if backup_set.full:
        empty = manifest.only_root or (listed and manifest.volumes == 1)
        return manifest.entries if manifest.entries or empty else None
    if before is None or manifest.files is None:
        return None
    now = before + manifest.files.new - manifest.files.deleted
    return now if now >= 0 else None  # A set in between has listed nothing.


def shrunk(newest: Extent, others: Iterable[Extent]) -> Shrunk | None:
    """Return by how much the newest is smaller than the median of the 30 days before it.

    Each of the others stands for the time until the next one, and the first of them for all the
    time before it: a new size is the usual one when it has lasted for half of those days. ``None``
    if nothing can be compared, or was too small to be worth it.
    """
    earlier = sorted((e for e in others if e.time < newest.time), key=lambda extent: extent.time)
    compared = [
        _compare(name, now, _spans(earlier, name, newest.time), least)
        for name, now, least in (
            ("files", newest.files, _FEWEST_FILES),
            ("entries", newest.entries, _FEWEST_FILES),
            ("size", newest.size, _FEWEST_BYTES),
        )
        if now is not None
    ]
    return max(filter(None, compared), key=lambda found: found.percent, default=None)


def _spans(earlier: Sequence[Extent], name: str, end: datetime) -> list[tuple[int, timedelta]]:
    """The values of the last 30 days, with the time that each of them stands for."""
    begin = end - COMPARED
    known = [(extent.time, getattr(extent, name)) for extent in earlier]
    known = [(time, value) for time, value in known if value is not None]
    ends = [time for time, _ in known[1:]] + [end]
    starts = [begin] + [max(begin, time) for time, _ in known[1:]]
    return [
        (value, until - since)
        for (_, value), since, until in zip(known, starts, ends)
        if until > begin
    ]


def _compare(
    what: str, now: int, spans: Sequence[tuple[int, timedelta]], least: int
) -> Shrunk | None:
    before = _median(spans)
    if before is None or before < least:
        return None
    percent = round(100 * (before - now) / before)
    return Shrunk(max(0, percent), what, before, now)


def _median(spans: Sequence[tuple[int, timedelta]]) -> int | None:
    """The value that is reached in half of the time; of two it is the smaller."""
    half = sum((span for _, span in spans), timedelta()) / 2
    reached = timedelta()
    for value, span in sorted(spans):
        reached += span
        if reached >= half:
            return value
    return None
