"""Read from /proc the arguments of processes, who decides what they do, and what they write.

Any user can start a process with any name and arguments, but only as that user: so the user decides
whether it counts. Processes may end while the check looks at them: those give no information.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import stat
from collections.abc import Container, Iterator, Sequence

_LONGEST_COMMAND = 4 << 20  # bytes; the kernel's own limit for all arguments is lower by default
_PART = 1 << 16  # bytes read at once
_UIDS = re.compile(rb"^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$", re.M)
# Programs that write other programs' output, and keep their files open all the time.
_LOGGERS = ("rsyslogd", "syslog-ng", "syslogd", "systemd-journald", "dockerd", "containerd-shim")
_FLAGS = re.compile(rb"^flags:\s+([0-7]+)$", re.M)


def heads() -> Iterator[tuple[int, bytes]]:
    """Yield all processes' pids and the beginning of their arguments, as NUL-terminated bytes."""
    try:
        # Lookups relative to an open directory are faster.
        proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        for name in os.listdir(proc):
            if name.isdigit():
                yield int(name), _read(f"{name}/cmdline", proc, _PART)
    finally:
        os.close(proc)


def command(pid: int) -> bytes:
    """Return the arguments of a process, as NUL-terminated bytes."""
    return _read(f"/proc/{pid}/cmdline")


def argv(words: bytes) -> list[str]:
    """Return NUL-terminated arguments as a list."""
    return words.rstrip(b"\0").decode(errors="replace").split("\0")


def parent(pid: int) -> int:
    """Return the pid of a process' parent; 0 if it has none."""
    fields = _stat(pid).rpartition(b") ")[2].split()
    return int(fields[1]) if fields else 0


def is_below(pid: int, path: str) -> bool:
    """Return whether a process was started by a program or script at that path, or is it."""
    seen: list[int] = []
    while pid > 1 and pid not in seen:
        if path in argv(command(pid)):
            return True
        seen.append(pid)
        pid = parent(pid)
    return False


def _has_begun_since(pid: int, since: float) -> bool:
    """Return whether a process was started since a time, in seconds since the epoch."""
    fields = _stat(pid).rpartition(b") ")[2].split()
    booted = re.search(rb"^btime (\d+)$", _read("/proc/stat"), re.M)
    if len(fields) < 20 or booted is None:
        return True
    return int(booted[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK") >= since


def families() -> dict[int, list[int]]:
    """Return the children of all processes that have some."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            found.setdefault(parent(int(name)), []).append(int(name))
    return found


def is_dead(pid: int, name: bytes) -> bool:
    """Return whether a process of that name (``comm``) is a zombie."""
    return b"(" + name + b") Z " in _stat(pid)


def is_stopped(pid: int) -> bool:
    """Return whether a process was stopped by a signal (SIGSTOP, or Ctrl-Z at its terminal)."""
    return bool(re.search(rb"\) [Tt] ", _stat(pid)))


def owner(pid: int) -> int | None:
    """Return the only user a process runs as; ``None`` if there are several, or none is visible.

    A process started by setuid has no owner either: any other user has chosen its arguments and
    when it starts. Root can see that, and other users for their own processes.
    """
    uids = uids_of(pid)
    return next(iter(uids)) if len(uids) == 1 and not _is_setuid(pid) else None


def uid_of(name: str) -> int:
    """Return the number of a user, or of one that has no name; -1 if there is none."""
    try:
        return pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        return int(name) if name.isascii() and name.isdigit() else -1


def uids_of(pid: int) -> frozenset[int]:
    """Return the numbers of a process' users: real, effective, saved, and for file access."""
    found = _UIDS.search(_read(f"/proc/{pid}/status", size=_PART))
    return frozenset(map(int, found.groups())) if found else frozenset()


def _is_setuid(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return bool(os.stat(f"/proc/{pid}/exe").st_mode & stat.S_ISUID)
    return False


def runs(names: Sequence[bytes], uid: int) -> bool:
    """Return whether that user runs a process of one of these names (``comm`` in proc(5))."""
    return any(
        _read(f"/proc/{pid}/comm").strip() in names and owner(pid) == uid for pid, _ in heads()
    )


def hides_others() -> bool:
    """Return whether the kernel may hide processes of other users (hidepid)."""
    if os.geteuid() == 0:
        return not os.path.isdir("/proc/self")  # No /proc at all.
    try:
        with open("/proc/1/cmdline", "rb") as words:
            words.read(1)
    except OSError:
        return True
    return False


def is_written(path: str, uids: Container[int], since: float = 0) -> bool | None:
    """Return whether these users' processes, begun since a time, have a file open for writing.

    A process whose output is redirected there does. ``None`` if that can't be seen of one of them,
    or it only writes other programs' output. Processes that have it open for reading don't count:
    any user who may read the file can keep it open.
    """
    try:
        wanted = os.stat(path)
    except OSError:
        return False
    sure = not hides_others()
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if not name.isdigit() or int(name) == os.getpid():
            continue
        if not any(uid in uids for uid in uids_of(int(name))):
            continue
        try:
            if _writes(f"/proc/{name}", wanted) and _has_begun_since(int(name), since):
                if not _is_logger(int(name)):
                    return True
                sure = False
        except PermissionError:
            # The files of a process that has just ended can't be seen either; our own only read.
            sure = sure and (not _runs_still(int(name)) or _is_ours(int(name)))
        except OSError:
            continue
    return False if sure else None


def _is_logger(pid: int) -> bool:
    name = _read(f"/proc/{pid}/comm").decode(errors="replace")
    return name.startswith(_LOGGERS)


def _is_ours(pid: int) -> bool:
    """Return whether a process is one of these plugins, which may hide their open files."""
    names = [os.path.basename(word) for word in argv(command(pid))[:3]]
    return any(name.startswith(("check_duplicity_", "duplicity_triage")) for name in names)


def _runs_still(pid: int) -> bool:
    return bool(re.search(rb"\) [^ZX] ", _stat(pid)))


def _writes(process: str, wanted: os.stat_result) -> bool:
    with os.scandir(f"{process}/fd") as opened:
        for entry in opened:
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(entry.path)
                same = (status.st_dev, status.st_ino) == (wanted.st_dev, wanted.st_ino)
                if same and _is_for_writing(_read(f"{process}/fdinfo/{entry.name}")):
                    return True
    return False


def _is_for_writing(fdinfo: bytes) -> bool:
    found = _FLAGS.search(fdinfo)
    return found is not None and int(found[1], 8) & os.O_ACCMODE in (os.O_WRONLY, os.O_RDWR)


def _stat(pid: int) -> bytes:
    return _read(f"/proc/{pid}/stat")


def _read(path: str, directory: int | None = None, size: int = _LONGEST_COMMAND) -> bytes:
    """Read a file of /proc; return nothing if its process has ended, or reading is forbidden."""
    try:
        file = os.open(path, os.O_RDONLY, dir_fd=directory)
        try:
            content = part = os.read(file, _PART)
            while len(part) == _PART and len(content) < size:
                part = os.read(file, _PART)
                content += part
        finally:
            os.close(file)
    except OSError:
        return b""
    return content
