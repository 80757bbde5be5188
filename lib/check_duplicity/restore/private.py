"""Make the private directory of a drill, and remove it completely.

The directory holds files of the backup. So a guardian process removes it even if the drill is
killed, and ends all processes that still work in it. After a power failure, the next drill removes
it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import stat
import time
from collections.abc import Iterator
from functools import partial

from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.system import child, rights, runtime
from check_duplicity.system.user import current

_BEGIN = "check-duplicity-drill-"
_ATTEMPTS = 100
_SETTLED = 3600  # seconds
_DEFAULT = "/var/tmp"  # noqa: S108  # nosec B108  # the directory made there is private


def directory(tempdir: str | None) -> str:
    """Make a directory for this user only, which is removed when the drill ends.

    From now on all temporary files go there. Raises `CannotSee` if none can be made.
    """
    parent = os.path.abspath(tempdir or os.environ.get("TMPDIR") or _DEFAULT)
    name = f"{_BEGIN}{os.urandom(8).hex()}"
    path, new = os.path.join(parent, name), os.path.join(parent, f".{name}")
    try:
        with runtime.undisturbed():
            # Lock it until this process ends; rename it then, so that nobody sweeps it unlocked.
            os.mkdir(new, 0o700)
            fcntl.flock(os.open(new, os.O_RDONLY | os.O_CLOEXEC), fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.rename(new, path)
            runtime.in_the_end(partial(_end, path, _guard(path)))
    except OSError as error:
        for made in (path, new):
            with contextlib.suppress(OSError):
                os.rmdir(made)
        reason = f"no private directory in {parent}: {error.strerror}"
        raise CannotSee(Kind.NO_ROOM, reason) from None
    others = rights.deciders(path) - {current()}
    if others:
        reason = f"{rights.named(others)} can put another directory in place of one in {parent}"
        raise CannotSee(Kind.OTHERS_DECIDE, f"{reason}: nothing is restored there")
    _sweep(parent)
    os.environ["TMPDIR"] = path
    return path


def _end(path: str, guardian: int) -> None:
    child.remove(path)
    os.close(guardian)  # The guardian ends, and finds nothing.


def _guard(path: str) -> int:
    """Start a process that removes a directory when this process has ended in any way.

    The guardian ends by itself, and isn't a child of this process.
    """
    reading, writing = os.pipe()
    if middle := os.fork():
        os.close(reading)
        if os.waitpid(middle, 0)[1]:
            os.close(writing)
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return writing
    status = 1
    try:
        if os.fork():
            os._exit(0)
        status = 0
        os.setsid()
        for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(ending, signal.SIG_IGN)
        os.chdir("/")
        os.dup2(reading, 0)
        os.closerange(1, 1 << 10)  # A reader of the drill's output waits until all have closed it.
        os.read(0, 1)
        for _ in range(_ATTEMPTS):  # Workers may start others meanwhile, which write here.
            _kill_workers(path)
            child.remove(path)
            if not os.path.isdir(path):
                break
    finally:
        os._exit(status)  # If fork fails, this process must not go on as the drill.


def _kill_workers(path: str) -> None:
    """Kill the processes whose temporary directory is ``path`` or lies in it."""
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as environ:
            if b"TMPDIR=" + os.fsencode(path) in environ.read():
                os.kill(int(name), signal.SIGKILL)


def _sweep(parent: str) -> None:
    """Remove directories that earlier drills have left: this user's, without a lock."""
    with contextlib.suppress(OSError):
        for path in _own(parent):
            with contextlib.suppress(OSError):
                held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    child.remove(path)
                finally:
                    os.close(held)


def _own(parent: str) -> Iterator[str]:
    with os.scandir(parent) as entries:
        for entry in entries:
            if not entry.name.lstrip(".").startswith(_BEGIN):
                continue
            status = entry.stat(follow_symlinks=False)
            # A directory that is being made has a dot, and isn't locked for a moment.
            new = entry.name.startswith(".") and status.st_mtime > time.time() - _SETTLED
            if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not new:
                yield entry.path
