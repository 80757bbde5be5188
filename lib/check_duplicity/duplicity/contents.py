"""Measure how much of the source a set or run contains, and find out whether it has shrunk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from check_duplicity.duplicity.collection import BackupSet, Chain
from check_duplicity.nagios.limits import format_size
from check_duplicity.values import NamedTuple

COMPARED = timedelta(days=30)
"""How far back a source is compared."""

# The shrinking of a smaller source is not reported.
_FEWEST_FILES = 20
_FEWEST_BYTES = 1 << 20


class Extent(NamedTuple):
    """The size of the source at a time.

    ``files`` counts regular files, as manifests list them; ``entries`` also directories and the
    rest, as the statistics count them; ``size`` is in bytes. Unknown values are ``None``.
    """

    time: datetime
    files: int | None = None
    entries: int | None = None
    size: int | None = None


class Shrunk(NamedTuple):
    """By how many per cent a source has shrunk; ``what`` is the compared field of `Extent`."""

    percent: int
    what: str
    before: int
    now: int

    def __str__(self) -> str:
        """Return the text that ends a sentence about a backup."""
        if self.what == "size":
            return f"only {format_size(self.now)} of the source, {format_size(self.before)} before"
        directories = self.what == "entries"
        things = "files and directories" if directories else "files"
        if self.now <= directories:  # The source's own directory is always counted.
            return f"an empty source, {self.before} {things} before"
        return f"only {self.now} {things} of the source, {self.before} before"


def extents(chains: Sequence[Chain]) -> list[Extent]:
    """Return the extent of each set of a collection, as far as it is known.

    An incremental's manifest lists only new and deleted files: they are added up from the full set.
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
    """Return how many files a set has, from the number of files ``before`` it.

    ``listed`` is whether any set of the job lists files: with ``--no-files-changed`` none does. An
    empty list means that there are no files only if another set lists some.
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
    return now if now >= 0 else None  # Negative: a set in between listed nothing.


def shrunk(newest: Extent, others: Iterable[Extent]) -> Shrunk | None:
    """Return by how much the newest is smaller than the median of the 30 days before it.

    Each extent is weighted with the time until the next one, the first also with all the time
    before it: a new size becomes the usual one when it has lasted for half of those days. ``None``
    if nothing can be compared, or the source was too small.
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
    """Return the values of the last 30 days, each with the time for which it was valid."""
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
    """Return the median, weighted by time; the smaller one of two."""
    half = sum((span for _, span in spans), timedelta()) / 2
    reached = timedelta()
    for value, span in sorted(spans):
        reached += span
        if reached >= half:
            return value
    return None
