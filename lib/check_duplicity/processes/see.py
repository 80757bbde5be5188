"""Find running duplicity processes, by their user and arguments, and by the job's lock.

Processes may end while the check looks at them: those are skipped. The lock is better evidence
where the archive directory is known: it works for renamed programs, and under ``hidepid``.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from itertools import islice

from check_duplicity.duplicity.invocation import Invocation, Running, read_invocation
from check_duplicity.processes import lock
from check_duplicity.processes.model import Process, Progress, Sight, Wanted
from check_duplicity.secrets import without_password
from check_duplicity.system import proc, runtime
from check_duplicity.system.user import name_of_uid
from check_duplicity.values import TYPE_CHECKING, NamedTuple

# psutil is imported when there is a process to look at: mostly there is none, and loading it takes
# as long as skipping a thousand processes.
if TYPE_CHECKING:
    import psutil


# Limits for looking at one user's processes. A user who starts more hides only his own.
_MOST = 500  # processes, and parts of their arguments
_PART_OF_WORDS, _PART_OF_BYTES = 1000, 100_000  # of arguments
_MOST_DESCRIPTORS = 256
_MOST_FILES = 5000  # of an archive directory; a larger one isn't measured, only CPU time and I/O


class _Candidate(NamedTuple):
    """A process that is duplicity, by its arguments and its user."""

    pid: int
    uid: int | None
    invocation: Invocation | None
    zombie: bool


class _Tally:
    """The effort spent on each user's processes, and the number of skipped ones.

    Processes are skipped if they cost too much, or belong to another user than the job.
    """

    def __init__(self) -> None:
        self.on: dict[int | None, int] = {}
        self.left_out: dict[str, int] = {}
        self.others: set[str] = set()

    def allows(self, uid: int | None, cost: int = 1) -> bool:
        """Return whether so much more may be spent on a user, and if so, count it."""
        spent = self.on.get(uid, 0) + cost
        if spent <= _MOST:
            self.on[uid] = spent
        return spent <= _MOST

    def leave_out(self, uid: int | None) -> None:
        """Count a process that costs too much."""
        name = _name(uid) or "others"
        self.left_out[name] = self.left_out.get(name, 0) + 1


def look(wanted: Wanted) -> Sight:
    """Return the wanted duplicity processes, the oldest first.

    The cheap tests come first: the user and the arguments. Only wanted processes are measured, and
    a limited number of each user's.
    """
    archive = wanted.archive
    holder = lock.holder(archive, wanted.user) if archive else None
    tally = _Tally()
    candidates = list(_candidates(wanted, holder, tally))
    measured = list(_measured(candidates, wanted, archive, holder, tally))
    found = {process.pid for process in measured}
    # The holder may have ended meanwhile, and the next backup may have begun.
    if holder is not None and holder not in found and lock.holder(archive, wanted.user) == holder:
        size = Progress(archive=_size(archive))
        user = wanted.user or _name(lock.only_writer(archive))
        unseen = Process(holder, Invocation(), user=user, archive=archive, progress=size)
        measured.append(unseen._replace(holds_lock=True))
    measured.sort(key=lambda process: (process.started is None, process.started, process.pid))
    whole = not (tally.left_out and wanted.user)
    sure = holder is not None or lock.is_free(archive) or (whole and not _hidden(wanted.user))
    return Sight(tuple(measured), sure, tally.left_out, tuple(sorted(tally.others)))


def running_backup(wanted: Wanted) -> tuple[Running | None, bool]:
    """Return the oldest running backup of a job, and whether none can be running unseen.

    Only a backup of the wanted user counts. But another user's may be the job's, too: then an
    unfinished set isn't called interrupted.
    """
    if not wanted.archive:
        return None, False  # The job isn't known.
    sight = look(wanted)
    # A holder with another action, such as verify, makes no new backup.
    backups = [p for p in sight.running if p.invocation.backup or not p.invocation.action]
    running = [Running(process.pid, process.started) for process in backups]
    return (running[0] if running else None), sight.sure and not sight.others


def is_running(wanted: Wanted, script: str, since: float, users: Iterable[str]) -> bool | None:
    """Return whether one of these users runs a backup of the job that began since a time.

    If no destination, archive directory or name is wanted, the job's ``script``, a command for the
    shell, identifies it. ``None`` if it can't be seen, or if the job of a running one isn't known.
    """
    sights = [look(wanted._replace(user=user)) for user in users]
    running = [
        process for sight in sights for process in sight.running if _is_since(process, since)
    ]
    if not (wanted.url or wanted.archive_dir or wanted.name):
        path = next(iter(script.split()), "")
        if running and not path:
            return None
        running = [process for process in running if proc.is_below(process.pid, path)]
    if running:
        return True
    return False if all(sight.sure for sight in sights) else None


def _is_since(process: Process, since: float) -> bool:
    return process.started is None or process.started.timestamp() >= since


def _hidden(user: str) -> bool:
    """Return whether the kernel may hide processes of the user (of any, if empty): hidepid."""
    if user and user == name_of_uid(os.geteuid()):
        return not os.path.isdir("/proc/self")  # No /proc at all.
    return proc.hides_others()


def _candidates(wanted: Wanted, holder: int | None, tally: _Tally) -> Iterator[_Candidate]:
    """Yield the duplicity processes whose user and arguments may be wanted."""
    user = proc.uid_of(wanted.user) if wanted.user else None
    place = without_password(wanted.url).rpartition("://")[2].rpartition("@")[2].encode()
    for pid, head in proc.heads():
        # A process without arguments is dead, or a kernel thread.
        zombie = not head and proc.is_dead(pid, b"duplicity")
        if not (zombie or pid == holder or b"duplicity" in head):
            continue
        uid = proc.owner(pid)
        if pid != holder and wanted.user and uid != user:
            if place and place in head and tally.allows(uid, _cost(head)) and _is_backup(head):
                tally.others.add(_name(uid) or "somebody")
            continue
        words = proc.command(pid)
        if pid != holder and not tally.allows(uid, _cost(words)):
            tally.leave_out(uid)
            continue
        invocation = read_invocation(proc.argv(words)) if b"duplicity" in words else None
        if pid == holder or zombie or (invocation and not _is_part(pid, words, invocation)):
            yield _Candidate(pid, uid, invocation, zombie)


def _cost(words: bytes) -> int:
    """Return the effort of parsing arguments, in units of one process."""
    return 1 + words.count(b"\0") // _PART_OF_WORDS + len(words) // _PART_OF_BYTES


def _is_backup(words: bytes) -> bool:
    invocation = read_invocation(proc.argv(words))
    return invocation is not None and invocation.backup


def _is_part(pid: int, words: bytes, invocation: Invocation) -> bool:
    """Return whether a process isn't a duplicity of its own: this check's child, or a fork.

    A fork has its parent's arguments. Mostly it is about to run another program, such as gpg.
    """
    parent = proc.parent(pid)
    if invocation.action == "collection-status" and parent == os.getpid():
        return True
    return parent > 0 and proc.command(parent) == words


def _measured(
    candidates: list[_Candidate], wanted: Wanted, archive: str, holder: int | None, tally: _Tally
) -> Iterator[Process]:
    """Yield the wanted candidates with their measurements."""
    if not candidates:
        return
    with runtime.undisturbed():
        import psutil  # It would swallow a signal handler's exception, and print a traceback.

    children: dict[int, list[int]] = {}
    for candidate in candidates:
        with contextlib.suppress(psutil.Error, OSError):
            process = psutil.Process(candidate.pid)
            place = _archive_of(process, candidate.invocation)
            if candidate.pid != holder and not _is_wanted(candidate, place, wanted, archive):
                continue
            children = children or proc.families()
            family = _family(process, children, candidate, tally)
            if family:
                yield _process(family, candidate, place, holder)
            else:
                tally.leave_out(candidate.uid)


def _family(
    process: psutil.Process, children: dict[int, list[int]], candidate: _Candidate, tally: _Tally
) -> list[psutil.Process]:
    """Return a process and its descendants, as far as visible; empty if there are too many."""
    import psutil

    pids = [process.pid]
    for pid in pids:
        pids += [child for child in children.get(pid, ()) if child not in pids]
        if len(pids) > _MOST:
            return []
    if not tally.allows(candidate.uid, len(pids) - 1):
        return []
    family = [process]
    for pid in pids[1:]:
        with contextlib.suppress(psutil.Error):
            family.append(psutil.Process(pid))
    return family


def _process(
    family: list[psutil.Process], candidate: _Candidate, archive: str, holder: int | None
) -> Process:
    process, invocation = family[0], candidate.invocation
    return Process(
        pid=process.pid,
        invocation=invocation or Invocation(),
        started=datetime.fromtimestamp(process.create_time(), timezone.utc),
        user=_name(candidate.uid),
        archive=archive,
        holds_lock=process.pid == (holder if holder is not None else lock.holder(archive)),
        zombie=candidate.zombie,
        waits_for=next(filter(None, map(_waits_for, family)), ""),
        progress=_progress(family, archive),
    )


def _archive_of(process: psutil.Process, invocation: Invocation | None) -> str:
    if not (invocation and invocation.name):
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
    """Return duplicity's default archive directory in the environment of that process."""
    import psutil

    with contextlib.suppress(psutil.Error):
        cache = process.environ().get("XDG_CACHE_HOME")
        if cache:
            return os.path.join(cache, "duplicity")
    return os.path.join(home, ".cache", "duplicity")


def _is_wanted(candidate: _Candidate, place: str, wanted: Wanted, archive: str) -> bool:
    """Return whether a candidate with this archive directory belongs to the job with the other."""
    if candidate.zombie:
        # Its arguments, which would tell its job, are gone.
        return not (wanted.url or wanted.archive_dir or wanted.name or wanted.prefixes)
    invocation = candidate.invocation or Invocation()
    if wanted.prefixes is not None and invocation.prefixes != wanted.prefixes:
        return False  # Another job at the same destination.
    root = os.path.expanduser(wanted.archive_dir)
    # Two URLs can name the same destination; an archive directory belongs to one job.
    return (
        (not wanted.name or invocation.name == wanted.name)
        and (not wanted.url or _same_url(invocation, wanted) or _same_place(place, archive))
        and (not wanted.archive_dir or _same_place(os.path.dirname(place), root))
    )


def _same_url(invocation: Invocation, wanted: Wanted) -> bool:
    url = without_password(wanted.url).rstrip("/")
    return bool(url) and invocation.url.rstrip("/") == url


def _same_place(one: str, other: str) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return bool(one and other) and os.path.samefile(one, other)
    return os.path.normpath(one) == os.path.normpath(other)


def _name(uid: int | None) -> str:
    return "" if uid is None else name_of_uid(uid)


def _waits_for(process: psutil.Process) -> str:
    """Name a process that waits for a passphrase: pinentry, or one that has opened its terminal.

    getpass, gpg and ssh open ``/dev/tty`` to ask, and for nothing else.
    """
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        name = process.name()
        if name.startswith("pinentry"):
            return name
        with os.scandir(f"/proc/{process.pid}/fd") as descriptors:
            for descriptor in islice(descriptors, _MOST_DESCRIPTORS):
                with contextlib.suppress(OSError):
                    if os.readlink(descriptor.path) == "/dev/tty":
                        return name
    return ""


def _progress(family: list[psutil.Process], archive: str) -> Progress:
    import psutil

    cpu, io, blind = 0.0, 0, False
    for member in family:
        try:
            times = member.cpu_times()
            cpu += times.user + times.system + times.children_user + times.children_system
            counters = member.io_counters()
            io += counters.read_chars + counters.write_chars
        except psutil.AccessDenied:
            blind = True
        except (psutil.Error, OSError):
            continue
    # Writes there count as I/O, too.
    return Progress(cpu, io, _size(archive) if blind else 0)


def _size(directory: str) -> int:
    """Return the size of an archive directory; 0 if it can't be seen or has too many files."""
    size = 0
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for count, entry in enumerate(entries):
            if count == _MOST_FILES:
                return 0
            with contextlib.suppress(OSError):
                size += entry.stat(follow_symlinks=False).st_size
    return size
