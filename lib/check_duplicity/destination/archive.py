"""See the job's own archive directory: only ever read, and never needed.

It knows two things that no destination tells: which set is unfinished (a name with ``.part``), and
how many volumes each manifest lists (a volume lost at the destination goes unnoticed in every
version of duplicity from 0.8 to 3.2).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from check_duplicity.duplicity.archive_path import archive_path
from check_duplicity.duplicity.names import Archive, read_archive
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

    from check_duplicity.duplicity.collection import Collection

_BLOCK = 1 << 16  # bytes read at once; for more the C library would ask the kernel each time
_DAY = timedelta(days=1)
_UNFINISHED = (".part", ".p")
_VOLUME = re.compile(rb"\nVolume (\d{1,9}):")
_LONGEST_VOLUME = len(b"\nVolume 999999999:")


def look(path: str, before: float = 0) -> Archive:
    """List an archive directory and count the volumes that its manifests list.

    ``before`` is when the destination was looked at, in seconds since the epoch: what has got its
    name later says nothing of that. Never raises `OSError`: a directory that can't be read is one
    with a problem.
    """
    try:
        names = tuple(sorted(os.listdir(path)))
    except OSError as error:
        return Archive(problem=f"archive directory {path}: {error.strerror}")
    listed: dict[str, int] = {}
    complete: dict[bool, set[str]] = {True: set(), False: set()}
    problem = ""
    for name in names:
        if not name.endswith((".manifest", ".manifest.part", ".m", ".m.p")):
            continue
        try:
            with open(os.path.join(path, name), "rb", buffering=0, opener=_no_link) as manifest:
                if not stat.S_ISREG(os.fstat(manifest.fileno()).st_mode):
                    raise OSError(0, "is not a file")
                listed[name] = count_volumes(manifest)
                # A manifest gets its name in the end, and that sets the time of its change.
                changed = os.fstat(manifest.fileno()).st_ctime
            if before and not name.endswith(_UNFINISHED):
                complete[changed < before].add(name)
            if not listed[name] and not name.endswith(_UNFINISHED):
                problem = f"manifest {os.path.join(path, name)}: lists no volume"
        except FileNotFoundError:
            pass  # A run that ends at this moment has renamed or removed it.
        except OSError as error:
            reason = "is a link" if error.errno == errno.ELOOP else error.strerror
            problem = f"manifest {os.path.join(path, name)}: {reason}"
    settled, fresh = frozenset(complete[True]), frozenset(complete[False])
    return Archive(names, listed, settled, fresh, problem)


def newest_complete(url: str, archive_dir: str, name: str, now: datetime) -> datetime | None:
    """Return when the newest complete set in an archive directory was completed, if seen there."""
    path = archive_path(url, archive_dir or None, name or None)
    return completed(read_archive(look(path)), path, now)


def completed(collection: Collection, path: str, now: datetime) -> datetime | None:
    """Return when the newest set of a collection that can be restored was completed.

    That is when its manifest in the archive directory ``path`` got its name: an interrupted backup
    that goes on keeps its first time. But not more than a day later than that, for a manifest may
    have been fetched again. Without a manifest there it is that first time.
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
    """When the manifests of a set were written, in seconds since the epoch.

    What a run that ends at this moment renames or removes is passed over.
    """
    manifest = time.strftime("%Y%m%dT%H%M%SZ.manifest")
    with contextlib.suppress(OSError):
        for name in os.listdir(path):
            if manifest in name and not name.endswith(_UNFINISHED):
                with contextlib.suppress(OSError):
                    yield os.stat(os.path.join(path, name)).st_mtime


def _no_link(path: str, flags: int) -> int:
    """Open a file without following a link, or waiting at a pipe: duplicity makes neither."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def count_volumes(manifest: BinaryIO) -> int:
    """Return the number of volumes in a manifest: that of the last ``Volume N:`` in it.

    The last, not the highest, counts: a resumed run may list "1, 2, 3, 2" (duplicity's
    ``Manifest.from_string``). The list of files that stands before or behind can be long.
    """
    last, before = 0, b"\n"  # so that every line begins behind one
    while block := manifest.read(_BLOCK):
        block = before + block
        volumes = _VOLUME.findall(block)
        last = int(volumes[-1]) if volumes else last
        before = block[-_LONGEST_VOLUME:]
    return last
