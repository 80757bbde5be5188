"""Look at the job's own archive directory: checks only read it, and work without it.

It has three facts that no destination has: which set is unfinished (a name with ``.part``),
how many volumes each manifest lists (a volume lost at the destination goes unnoticed in every
version of duplicity from 0.8 to 3.2), and how many files each set has.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial

from check_duplicity.duplicity import jsonstat, manifest
from check_duplicity.duplicity.archive_path import archive_path
from check_duplicity.duplicity.contents import COMPARED
from check_duplicity.duplicity.names import (
    Archive,
    is_of_full,
    read_archive,
    read_stamp,
    statistics_stamp,
)
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

    from check_duplicity.duplicity.collection import Collection
    from check_duplicity.duplicity.jsonstat import Statistics
    from check_duplicity.duplicity.manifest import Manifest

_BLOCK = 1 << 16  # bytes read at once; for more the C library would ask the kernel each time
_DAY = timedelta(days=1)
_UNFINISHED = (".part", ".p")
_MOST_COUNTED = 1 << 27  # bytes of manifests whose files are counted, a third of a second's work
_LARGEST_STATISTICS = 1 << 16  # bytes; real ones have a thousand


def look(path: str, before: float = 0) -> Archive:
    """List an archive directory, and read its manifests and the newest statistics.

    ``before`` is when the check looked at the destination, in seconds since the epoch: manifests
    that got their names later are ignored. Never raises `OSError`: a directory that can't be read
    is returned with its problem.
    """
    try:
        names = tuple(sorted(os.listdir(path)))
    except OSError as error:
        return Archive(problem=f"archive directory {path}: {error.strerror}")
    manifests: dict[str, Manifest] = {}
    complete: dict[bool, set[str]] = {True: set(), False: set()}
    problem = ""
    left = _MOST_COUNTED
    for name in reversed(names):  # The newest first: those are compared.
        if not name.endswith((".manifest", ".manifest.part", ".m", ".m.p")):
            continue
        unfinished = name.endswith(_UNFINISHED)
        try:
            with _open(path, name) as opened:
                size = os.fstat(opened.fileno()).st_size
                # A full set's manifest lists new files only, and has their number at its beginning.
                counted = left if size <= left and not unfinished and not is_of_full(name) else 0
                left -= size if counted else 0
                manifests[name] = manifest.read(iter(partial(opened.read, _BLOCK), b""), counted)
                # duplicity renames a finished manifest, and that sets its change time.
                changed = os.fstat(opened.fileno()).st_ctime
            if before and not unfinished:
                complete[changed < before].add(name)
            if not manifests[name].volumes and not unfinished:
                problem = problem or f"manifest {os.path.join(path, name)}: lists no volume"
        except FileNotFoundError:
            pass  # A run that ends right now has renamed or removed it.
        except OSError as error:
            reason = "is a link" if error.errno == errno.ELOOP else error.strerror
            problem = problem or f"manifest {os.path.join(path, name)}: {reason}"
    settled, fresh = frozenset(complete[True]), frozenset(complete[False])
    return Archive(names, manifests, _statistics(path, names), settled, fresh, problem)


def _statistics(path: str, names: Iterable[str]) -> dict[str, Statistics]:
    """Return the statistics that ``--jsonstat`` wrote for the newest sets, as far as readable."""
    stamps = {name: statistics_stamp(name) for name in names if ".jsonstat" in name}
    since = _days_before(max(stamps.values(), default=""))
    found = {}
    for name in (name for name, stamp in stamps.items() if stamp and stamp >= since):
        with contextlib.suppress(OSError):
            with _open(path, name) as opened:
                text = _unpacked(opened.read(_LARGEST_STATISTICS))
            statistics = jsonstat.read(text)
            if statistics:
                found[name] = statistics
    return found


def _days_before(stamp: str) -> str:
    """Return the time from which statistics are compared with the newest, as file names have it."""
    try:
        return f"{read_stamp(stamp) - COMPARED:%Y%m%d}"
    except (ValueError, OverflowError):
        return ""


def _unpacked(text: bytes) -> bytes:
    """Return the text of a file, compressed or not (``--no-compression``)."""
    if not text.startswith(b"\x1f\x8b"):
        return text
    import zlib

    try:
        return zlib.decompressobj(31).decompress(text, _LARGEST_STATISTICS)
    except zlib.error:
        return b""


def _open(path: str, name: str) -> BinaryIO:
    """Open a file of an archive directory. Raises `OSError` if it is no regular file."""
    opened = open(os.path.join(path, name), "rb", buffering=0, opener=_no_link)  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        opened.close()
        raise OSError(0, "is not a file")
    return opened


def newest_complete(url: str, archive_dir: str, name: str, now: datetime) -> datetime | None:
    """Return when the newest complete set in an archive directory was completed, if seen there."""
    path = archive_path(url, archive_dir or None, name or None)
    return completed(read_archive(look(path)), path, now)


def completed(collection: Collection, path: str, now: datetime) -> datetime | None:
    """Return when the newest set of a collection that can be restored was completed.

    That is when its manifest in the archive directory ``path`` got its name: a resumed backup keeps
    the time of its first start in its names. The result is at most a day after that start, since
    duplicity may have fetched the manifest again. Without a manifest it is the start.
    """
    times = (s.time for chain in collection.chains for s in chain.restorable if s.time <= now)
    newest = max(times, default=None)
    if newest is None:
        return None
    written = max(_written(path, newest), default=0.0)
    latest = min(newest + _DAY, now)
    if written >= latest.timestamp():
        return latest
    return max(newest, datetime.fromtimestamp(max(written, 0), timezone.utc))


def _written(path: str, time: datetime) -> Iterator[float]:
    """Return when the manifests of a set were written, in seconds since the epoch.

    Files that a run renames or removes meanwhile are skipped.
    """
    manifest = time.strftime("%Y%m%dT%H%M%SZ.manifest")
    with contextlib.suppress(OSError):
        for name in os.listdir(path):
            if manifest in name and not name.endswith(_UNFINISHED):
                with contextlib.suppress(OSError):
                    yield os.stat(os.path.join(path, name)).st_mtime


def _no_link(path: str, flags: int) -> int:
    """Open a file, but follow no link and wait for no pipe: duplicity makes neither."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
