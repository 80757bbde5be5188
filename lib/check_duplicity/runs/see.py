"""See the runs of all paths, remembering what was read, and what else tells of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from check_duplicity import __version__
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.runs import beside, files
from check_duplicity.runs.model import Logged, in_order
from check_duplicity.system import memory, proc
from check_duplicity.system.user import current, name_of_uid
from check_duplicity.values import NamedTuple

_DAY = timedelta(days=1)


class Seen(NamedTuple):
    """The runs, in the order of time, and what could not be read or kept.

    ``unread`` is why a path could not be read at all.
    """

    runs: list[Logged]
    problems: list[str]
    unread: CannotSee | None = None


def own_mailbox() -> str:
    """Return the path of the mailbox of the user that this process runs as. Raises `CannotSee`."""
    path = os.environ.get("MAIL") or f"/var/mail/{current()}"
    if not os.path.lexists(path):
        raise CannotSee(Kind.NO_NEWS, f"{current()} has no mail: there is no {path}")
    return path


def look(
    paths: Sequence[str],
    state_file: str | None,
    now: datetime,
    since: float,
    hide: Callable[[str], str],
) -> Seen:
    """Return the runs since a time (seconds since the epoch)."""
    absolute = _apart([path if path == "-" else os.path.abspath(path) for path in paths])
    file = state_file or memory.default_path("log", absolute)
    problems = []
    before = {}
    try:
        before = memory.recall(file)
    except memory.Forgotten as reason:
        problems.append(f"All was read anew: {reason}")
    known = before.get("paths") if before.get("version") == __version__ else None
    known = known if isinstance(known, dict) else {}
    runs: list[Logged] = []
    after = {}
    unread = None
    how = files.Look(now.timestamp(), since, hide)
    for path in absolute:
        kept = known.get(path)
        try:
            found = files.look(path, kept if isinstance(kept, dict) else {}, how)
        except CannotSee as reason:
            if reason.kind is not Kind.NOT_READABLE:
                raise
            unread = CannotSee(reason.kind, hide(reason.reason))
            problems.append(f"Not read: {unread.reason}")
            continue
        runs += found.runs
        problems += found.problems
        after[path] = found.kept
    state = {"version": __version__, "paths": after}
    try:
        if state != before:
            memory.remember(file, state, make_directory=not state_file)
    except memory.Forgotten as reason:
        problems.append(f"The next check reads all anew: {reason}")
    return Seen(in_order(runs, how.latest), problems, unread)


def _apart(paths: Iterable[str]) -> list[str]:
    """Leave out what is read anyway: the rotated neighbours of another path."""
    paths = list(dict.fromkeys(paths))
    others = {other for path in paths if path != "-" for other in beside.of(path)}
    return [path for path in paths if path not in others] or paths


def in_progress(
    runs: Iterable[Logged],
    paths: Iterable[str],
    user: str,
    is_running: Callable[[Iterable[str]], bool | None],
) -> tuple[set[str], set[str]]:
    """Return the logs that have a run without an end, and may still be written to.

    A process that has the log open for writing tells; if that can't be seen, ``is_running``:
    whether a backup of the job is, of one of these users, ``None`` if that can't be seen. Only
    root's processes count for the former, and for both those of the log's owner and of the job's
    ``user``, if that is empty of the one that this process runs as. Those of which neither can be
    seen (hidepid) are among them, and returned besides.
    """
    unfinished = {run.job for run in runs if not run.whole}
    found, unseen = set(), set()
    for path in map(os.path.abspath, paths):
        if path in unfinished:
            theirs = {proc.uid_of(user or current()), *_owner(path)}
            written = proc.is_written(path, {0, *theirs})
            running = is_running(map(name_of_uid, theirs)) if written is None else written
            if running is None:
                unseen.add(path)
            if running is not False:
                found.add(path)
    return found, unseen


def _owner(path: str) -> Iterable[int]:
    try:
        return [os.stat(path).st_uid]
    except OSError:
        return []
