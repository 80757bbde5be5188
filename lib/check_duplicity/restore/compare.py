"""Compare restored files with the source files that have not changed since the backup.

duplicity keeps a file's modification time (mtime), in seconds. A source file with the same size and
mtime usually has the same contents, but not always: programs can set the mtime, too (``cp -p``,
package managers). Only the kernel sets the change time (ctime). If the ctime is before the backup
as well and the contents differ, one of the two files was damaged.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import datetime

from check_duplicity.restore.model import Compared, Restored

_BLOCK = 1 << 20  # bytes


def compare(restored: str, source: str, time: datetime) -> Restored:
    """Compare the files at ``restored`` with the source of their backup.

    ``source`` is empty if it is not on this machine. ``time`` is when the backup began: a file that
    was changed in that second, or later, may differ from its backup.
    """
    files = size = same = 0
    other, touched = [], []
    for path in _files(restored):
        below = os.path.relpath(path, restored)
        original = os.path.join(source, below) if below != "." else source
        status = os.lstat(path)
        files, size = files + 1, size + status.st_size
        if source and _is_cut_short(original, status, time):
            other.append(original)
        if not source or not _is_unchanged(original, status):
            continue
        equal = _equal(path, original)
        if equal:
            same += 1
        elif equal is False and _is_unchanged(original, status, time):
            other.append(original)
        elif equal is False and _is_unchanged(original, status):
            touched.append(original)
    return Restored(files, size, Compared(same, tuple(other), tuple(touched)))


def _is_cut_short(original: str, restored: os.stat_result, time: datetime) -> bool:
    """Return whether a file is unchanged since before its backup, but has another size there."""
    try:
        status = os.lstat(original)
    except (OSError, ValueError):
        return False
    untouched = int(max(status.st_mtime, status.st_ctime)) < int(time.timestamp())
    return stat.S_ISREG(status.st_mode) and untouched and status.st_size != restored.st_size


def _files(path: str) -> Iterator[str]:
    """Yield the regular files at a path, or below it."""
    if os.path.islink(path):
        return
    if os.path.isfile(path):
        yield path
    for top, _, names in os.walk(path):
        found = (os.path.join(top, name) for name in names)
        yield from (p for p in found if stat.S_ISREG(os.lstat(p).st_mode))


def _is_unchanged(original: str, restored: os.stat_result, since: datetime | None = None) -> bool:
    """Return whether a file has its backup's size and mtime, and a ctime before ``since``."""
    try:
        status = os.lstat(original)
    except (OSError, ValueError):
        return False
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_size == restored.st_size
        and int(status.st_mtime) == int(restored.st_mtime)
        and (since is None or int(status.st_ctime) < int(since.timestamp()))
    )


def _equal(one: str, other: str) -> bool | None:
    """Return whether two files are equal; ``None`` if they can't be read."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with open(one, "rb") as left, open(os.open(other, flags), "rb") as right:
            while True:
                block = left.read(_BLOCK)
                if block != right.read(_BLOCK):
                    return False
                if not block:
                    return True
    except OSError:
        return None
