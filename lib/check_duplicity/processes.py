"""See running duplicity: processes by their arguments, and who holds a job's lock.

Processes vanish while they are looked at: what is gone is passed over. The lock is the better
witness where the archive directory is known: it works for renamed programs, and under ``hidepid``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import re
import struct
from collections.abc import Container, Iterator
from datetime import datetime, timezone

from check_duplicity import runtime
from check_duplicity.invocation import Invocation, read_invocation
from check_duplicity.secrets import without_password
from check_duplicity.user import name_of_uid
from check_duplicity.values import TYPE_CHECKING, NamedTuple

# psutil is imported when there is something to look at: mostly there isn't, and it takes as long to
# load as a thousand processes to pass over.
if TYPE_CHECKING:
    import psutil

    from check_duplicity.names import Prefixes

_LONGEST_COMMAND = 4 << 20  # bytes; the kernel's own limit for all arguments is lower by default
_PART = 1 << 16  # bytes read at once
_FLOCK = "hhqqi"  # struct flock: type, whence, start, length, pid


class Wanted(NamedTuple):
    """Which duplicity is looked for; what is empty does not narrow it."""

    url: str = ""
    archive_dir: str = ""
    name: str = ""
    user: str = ""
    prefixes: Prefixes | None = None

    @property
    def archive(self) -> str:
        """The archive directory of the job, if enough is known of it."""
        if not self.url and not (self.archive_dir and self.name):
            return ""
        from check_duplicity.archive import archive_path

        return archive_path(self.url, self.archive_dir or None, self.name or None)


class Progress(NamedTuple):
    """What grows while a backup gets on: CPU seconds and bytes read, written and kept."""

    cpu: float = 0.0
    io: int = 0
    archive: int = 0


class Process(NamedTuple):
    """A duplicity at work.

    ``started`` is ``None`` where that may not be seen. ``archive`` is its archive directory.
    ``waits_for`` names what waits for a passphrase there.
    """

    pid: int
    invocation: Invocation
    started: datetime | None = None
    user: str = ""
    archive: str = ""
    holds_lock: bool = False
    zombie: bool = False
    waits_for: str = ""
    progress: Progress = Progress()

    @property
    def running(self) -> bool:
        """Whether it counts as a running backup: it is one, or keeps one from starting."""
        return not self.zombie and (self.invocation.backup or self.holds_lock)


class Sight(NamedTuple):
    """What was seen. ``sure`` tells that nothing that was looked for can have been missed."""

    processes: tuple[Process, ...]
    sure: bool

    @property
    def running(self) -> tuple[Process, ...]:
        """The running backups, the oldest first."""
        return tuple(process for process in self.processes if process.running)


def look(wanted: Wanted) -> Sight:
    """Return the duplicity processes that are wanted, the oldest first."""
    holder = lock_holder(wanted.archive) if wanted.archive else None
    found = {process.pid: process for process in _duplicities(holder)}
    seen = [p for p in found.values() if p.pid == holder or _is_wanted(p, wanted)]
    # It may have ended before the processes were looked at, and the next backup begun.
    if holder is not None and holder not in found and lock_holder(wanted.archive) == holder:
        size = Progress(archive=_size(wanted.archive))
        unseen = Process(holder, Invocation(), archive=wanted.archive, progress=size)
        seen.append(unseen._replace(holds_lock=True))
    seen.sort(key=lambda process: (process.started is None, process.started, process.pid))
    sure = holder is not None or _is_free(wanted.archive) or not _hidden(wanted.user)
    return Sight(tuple(seen), sure)


def lock_holder(archive: str) -> int | None:
    """Return the pid of the process that holds the lock in an archive directory.

    0 if that process is out of sight, in another namespace or on another machine; ``None`` if
    nobody holds it or it may not be looked at. The lock is only asked for, never taken: ``F_GETLK``
    on duplicity's ``lockfile``. That means nothing by itself: 0.8 leaves it behind, 2.2 and later
    remove it.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        file = os.open(os.path.join(archive, "lockfile"), flags)
    except OSError:
        return None
    try:
        question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, question))
    except OSError:
        return None
    finally:
        os.close(file)
    return None if kind == fcntl.F_UNLCK else max(pid, 0)


def is_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal (SIGSTOP, or Ctrl-Z at its terminal)."""
    return bool(re.search(rb"\) [Tt] ", _read(f"/proc/{pid}/stat")))


def named(names: Container[str]) -> bool:
    """Whether a process of one of these names is running (``comm`` in proc(5))."""
    return any(
        _read(f"/proc/{pid}/comm").decode(errors="replace").strip() in names
        for pid, _ in _commands()
    )


def is_being_written(path: str) -> bool | None:
    """Whether a process has a file open, as one does whose output is redirected there.

    ``None`` if that can't be seen, since it may be another user's.
    """
    try:
        wanted = os.stat(path)
    except OSError:
        return False
    sure = True
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            descriptors = [entry.path for entry in os.scandir(f"/proc/{name}/fd")]
        except PermissionError:
            sure = False
            continue
        except OSError:
            continue
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                status = os.stat(descriptor)
                if (status.st_dev, status.st_ino) == (wanted.st_dev, wanted.st_ino):
                    return True
    return False if sure else None


def _is_free(archive: str) -> bool:
    """Whether the lock of an archive directory could be asked for, and nobody holds it."""
    lock = os.path.join(archive, "lockfile")
    return bool(archive) and (
        os.access(lock, os.R_OK)
        or (os.access(archive, os.R_OK | os.X_OK) and not os.path.lexists(lock))
    )


def are_hidden() -> bool:
    """Whether processes of others can be there and not be seen (hidepid)."""
    return _hidden("")


def _hidden(user: str) -> bool:
    """Whether processes of the user (of any, if empty) can be there and not be seen (hidepid)."""
    if os.geteuid() == 0 or (user and user == name_of_uid(os.geteuid())):
        return not os.path.isdir("/proc/self")  # No /proc at all.
    try:
        with open("/proc/1/cmdline", "rb") as command:
            command.read(1)
    except OSError:
        return True
    return False


def _duplicities(holder: int | None) -> Iterator[Process]:
    for pid, command in _commands():
        if b"\0collection-status\0" in command and _parent(pid) == os.getpid():
            continue  # Asked by this check.
        invocation = read_invocation(_argv(command)) if b"duplicity" in command else None
        if invocation is not None and pid != holder and _is_its_parent_again(pid, command):
            continue
        zombie = not command and _is_zombie(pid)
        if invocation is not None or zombie or pid == holder:
            with runtime.undisturbed():
                import psutil  # It would swallow what a signal raises, and print a traceback.

            with contextlib.suppress(psutil.Error, OSError):
                yield _process(psutil.Process(pid), invocation, zombie, holder)


def _commands() -> Iterator[tuple[int, bytes]]:
    """Yield all processes' pids and arguments, as NUL-terminated bytes."""
    try:
        # Names below an open directory are found quicker.
        proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        for name in os.listdir(proc):
            if name.isdigit():
                yield int(name), _read(f"{name}/cmdline", proc)
    finally:
        os.close(proc)


def _argv(command: bytes) -> list[str]:
    return command.rstrip(b"\0").decode(errors="replace").split("\0")


def _parent(pid: int) -> int:
    fields = _read(f"/proc/{pid}/stat").rpartition(b") ")[2].split()
    return int(fields[1]) if fields else 0


def _is_its_parent_again(pid: int, command: bytes) -> bool:
    """Whether a process has its parent's arguments: it was forked to do a part of its work.

    Mostly it is about to become another program, gpg for one.
    """
    parent = _parent(pid)
    return parent > 0 and _read(f"/proc/{parent}/cmdline") == command


def _is_zombie(pid: int) -> bool:
    """Whether a process without arguments is a dead duplicity; all others are the kernel's own."""
    return b"(duplicity) Z " in _read(f"/proc/{pid}/stat")


def _read(path: str, directory: int | None = None) -> bytes:
    """Read a file of /proc; nothing if its process is gone, or it may not be read."""
    try:
        file = os.open(path, os.O_RDONLY, dir_fd=directory)
        try:
            content = part = os.read(file, _PART)
            while len(part) == _PART and len(content) < _LONGEST_COMMAND:
                part = os.read(file, _PART)
                content += part
        finally:
            os.close(file)
    except OSError:
        return b""
    return content


def _process(
    process: psutil.Process, invocation: Invocation | None, zombie: bool, holder: int | None
) -> Process:
    archive = _archive_of(process, invocation) if invocation else ""
    family = [process, *process.children(recursive=True)]
    return Process(
        pid=process.pid,
        invocation=invocation or Invocation(),
        started=datetime.fromtimestamp(process.create_time(), timezone.utc),
        user=process.username(),
        archive=archive,
        holds_lock=process.pid == (holder if holder is not None else lock_holder(archive)),
        zombie=zombie,
        waits_for=next(filter(None, map(_waits_for, family)), ""),
        progress=_progress(family, archive),
    )


def _archive_of(process: psutil.Process, invocation: Invocation) -> str:
    if not invocation.name:
        return ""
    import psutil

    with contextlib.suppress(psutil.Error, KeyError):
        home = pwd.getpwuid(process.uids().effective).pw_dir
        root = re.sub(r"^~(?=/|$)", home, invocation.archive_dir) or _cache_of(process, home)
        if not os.path.isabs(root):
            root = os.path.join(process.cwd(), root)
        return os.path.join(root, invocation.name)
    return ""


def _cache_of(process: psutil.Process, home: str) -> str:
    """Duplicity's default archive directory, in the environment of that process."""
    import psutil

    with contextlib.suppress(psutil.Error):
        cache = process.environ().get("XDG_CACHE_HOME")
        if cache:
            return os.path.join(cache, "duplicity")
    return os.path.join(home, ".cache", "duplicity")


def _is_wanted(process: Process, wanted: Wanted) -> bool:
    if wanted.user and process.user != wanted.user:
        return False
    if wanted.prefixes is not None and process.invocation.prefixes != wanted.prefixes:
        return False  # Another job at the same destination.
    if process.zombie:
        # It has no arguments any more that would tell which job it was.
        return not (wanted.url or wanted.archive_dir or wanted.name)
    root = os.path.dirname(process.archive)
    # Two URLs can name the same destination; an archive directory is one job's.
    same = _same_url(process, wanted) or _same_file(process.archive, wanted.archive)
    return (
        (not wanted.url or same)
        and (not wanted.archive_dir or _same_file(root, os.path.expanduser(wanted.archive_dir)))
        and (not wanted.name or process.invocation.name == wanted.name)
    )


def _same_url(process: Process, wanted: Wanted) -> bool:
    url = without_password(wanted.url).rstrip("/")
    return bool(url) and process.invocation.url.rstrip("/") == url


def _same_file(one: str, other: str) -> bool:
    return bool(one) and os.path.realpath(one) == os.path.realpath(other)


def _waits_for(process: psutil.Process) -> str:
    """Name a process that waits for a passphrase: pinentry, or one that has opened its terminal.

    getpass, gpg and ssh open ``/dev/tty`` to ask, and for nothing else.
    """
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        name = process.name()
        if name.startswith("pinentry"):
            return name
        for descriptor in os.scandir(f"/proc/{process.pid}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(descriptor.path) == "/dev/tty":
                    return name
    return ""


def _progress(family: list[psutil.Process], archive: str) -> Progress:
    import psutil

    cpu, io = 0.0, 0
    for member in family:
        with contextlib.suppress(psutil.Error, OSError):
            times = member.cpu_times()
            cpu += times.user + times.system + times.children_user + times.children_system
            counters = member.io_counters()
            io += counters.read_chars + counters.write_chars
    return Progress(cpu, io, _size(archive))


def _size(directory: str) -> int:
    if not directory:
        return 0
    with contextlib.suppress(OSError):
        return sum(entry.stat().st_size for entry in os.scandir(directory))
    return 0
