"""See who holds the lock of a job's archive directory, without touching it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct

from check_duplicity.system import proc

_FLOCK = "hhqqi"  # struct flock: type, whence, start, length, pid
_OF_A_DESCRIPTOR = -1  # the pid that F_GETLK returns for a lock by F_OFD_SETLK


def holder(archive: str, user: str = "") -> int | None:
    """Return the pid of the process that holds the lock in an archive directory.

    The pid is 0 if the process is in another namespace or on another machine; ``None`` if nobody
    holds the lock, or this user may not look at it. ``F_GETLK`` on duplicity's ``lockfile`` queries
    the lock and never takes it. The file alone means nothing: 0.8 leaves it behind, 2.2 and later
    remove it.

    Only a process' write lock counts: duplicity takes one. Anybody who may read the file can get a
    read lock. With ``user``, only that user and root may be able to take the lock, or the holder
    must be a process of that user or root.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        file = os.open(os.path.join(archive, "lockfile"), flags)
    except OSError:
        return None
    try:
        question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, question))
        status = os.fstat(file)
    except OSError:
        return None
    finally:
        os.close(file)
    if kind != fcntl.F_WRLCK or pid == _OF_A_DESCRIPTOR:
        return None
    return max(pid, 0) if not user or _is_lock_of(status, pid, user) else None


def _is_lock_of(status: os.stat_result, pid: int, user: str) -> bool:
    """Return whether only a user or root can hold a file's write lock, or one of them does."""
    theirs = (proc.uid_of(user), 0)
    only_theirs = status.st_uid in theirs and not status.st_mode & 0o022
    return only_theirs or (pid > 0 and proc.owner(pid) in theirs)


def only_writer(archive: str) -> int | None:
    """Return the only user besides root who can hold the write lock of an archive directory."""
    with contextlib.suppress(OSError):
        status = os.lstat(os.path.join(archive, "lockfile"))
        return None if status.st_mode & 0o022 else status.st_uid
    return None


def is_free(archive: str) -> bool:
    """Return whether the lock of an archive directory could be queried, and nobody holds it."""
    file = os.path.join(archive, "lockfile")
    return bool(archive) and (
        os.access(file, os.R_OK)
        or (os.access(archive, os.R_OK | os.X_OK) and not os.path.lexists(file))
    )
