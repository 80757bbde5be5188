"""Find the runs in all paths with a cache, and the runs in progress."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from check_duplicity import __version__
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.runs import beside, files
from check_duplicity.runs.model import Logged, in_order
from check_duplicity.runs.paths import (
    NOWHERE,
    THROWN_AWAY,
    Log,
    is_journal,
    is_no_file,
    logs_of,
)
from check_duplicity.system import memory, proc
from check_duplicity.system.user import current, name_of_uid
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

_DAY = timedelta(days=1)


class Seen(NamedTuple):
    """The runs, in order of time, and problems with reading or the cache.

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


def to_read(paths: Sequence[str]) -> list[str]:
    """Return the paths of a job that can be read; this user's mailbox, if it has none.

    Raises `CannotSee` if there is nothing.
    """
    kept = [path for path in paths if path != NOWHERE]
    if paths and not kept:
        raise CannotSee(Kind.NO_NEWS, THROWN_AWAY)
    return kept or [own_mailbox()]


def look(
    paths: Sequence[str],
    state_file: str | None,
    now: datetime,
    since: float,
    hide: Callable[[str], str],
) -> Seen:
    """Return the runs since a time (seconds since the epoch)."""
    absolute = _absolute(paths)
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
    logs, unread, said = _logs_of(absolute, since)
    problems += map(hide, said)
    how = files.Look(now.timestamp(), since, hide)
    for log in logs:
        kept = known.get(log.path)
        try:
            found = _look_at(log, kept if isinstance(kept, dict) else {}, how)
        except CannotSee as reason:
            if reason.kind is not Kind.NOT_READABLE:
                raise
            unread.append(reason.reason)
            continue
        runs += found.runs
        problems += found.problems
        after[log.path] = found.kept
    unread = list(map(hide, unread))
    problems += [f"Not read: {reason}" for reason in unread]
    state = {"version": __version__, "paths": after}
    try:
        if state != before:
            memory.remember(file, state, make_directory=not state_file)
    except memory.Forgotten as reason:
        problems.append(f"The next check reads all anew: {reason}")
    last = CannotSee(Kind.NOT_READABLE, unread[-1]) if unread else None
    return Seen(in_order(runs, how.latest), problems, last)


def _look_at(log: Log, kept: dict[str, Any], how: files.Look) -> files.Found:
    if not is_journal(log.path):
        return files.look(log, kept, how)
    from check_duplicity.runs import journal

    return journal.look(log.path, kept, how)


def _logs_of(paths: Iterable[str], since: float) -> tuple[list[Log], list[str], list[str]]:
    """Return the logs that paths name, each once, the errors, and messages on ignored files."""
    logs: dict[str, Log] = {}
    unread, said = [], []
    for path in paths:
        try:
            found, others = logs_of(path, since)
        except CannotSee as reason:
            unread.append(reason.reason)
            continue
        said += others
        for log in found:
            logs.setdefault(log.path, log)
    return list(logs.values()), unread, said


def _absolute(paths: Iterable[str]) -> list[str]:
    return _apart([path if is_no_file(path) else os.path.abspath(path) for path in paths])


def _apart(paths: Iterable[str]) -> list[str]:
    """Return paths without those that are read anyway, as rotated files of another path."""
    paths = list(dict.fromkeys(paths))
    others = {other for path in paths if not is_no_file(path) for other in beside.of(path)}
    return [path for path in paths if path not in others] or paths


def in_progress(
    runs: Iterable[Logged],
    paths: Iterable[str],
    user: str,
    since: float,
    is_running: Callable[[str, Iterable[str]], bool | None],
) -> tuple[set[str], set[str]]:
    """Return the logs that have a run without an end, and may still be written to.

    ``since`` is when a run that is in time can have begun, in seconds since the epoch. A process
    that has the log open for writing tells; if that can't be seen, ``is_running``: whether a backup
    of the job is, that has this archive directory if the log names it, of one of these users;
    ``None`` if that can't be seen. Only root's processes count for the former, and for both those
    of the log's owner and of the job's ``user``, if that is empty of the one that this process runs
    as. Those of which neither can be seen are among them, and returned besides.
    """
    unfinished = [run for run in runs if not run.whole and (run.time or 0) >= since]
    found, unseen = set(), set()
    for path, file in _written(paths):
        for run in unfinished:
            if run.job != path and not run.job.startswith(f"{path}: "):
                continue
            theirs = {proc.uid_of(user or current()), *_owner(file)}
            written = _goes_on(run, path, file, {0, *theirs}, since)
            if written is None:
                archive = run.run.label[run.run.label.find("/") :] if "/" in run.run.label else ""
                written = is_running(archive, map(name_of_uid, theirs))
            if written is None:
                unseen.add(run.job)
            if written is not False:
                found.add(run.job)
    return found, unseen


def _goes_on(run: Logged, path: str, file: str, users: set[int], since: float) -> bool | None:
    """Whether a process of these users, or a unit, writes to a log now."""
    if not is_journal(path):
        return proc.is_written(file, users, since)
    from check_duplicity.runs import journal

    return journal.is_active(run, path)


def _written(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the logs that paths name, and the file of each that would be written to."""
    for path in _absolute(paths):
        with contextlib.suppress(CannotSee):
            yield from ((log.path, log.newest) for log in logs_of(path, 0)[0])


def _owner(path: str) -> Iterable[int]:
    """Return the owner of a log; for the journal, root: its units count, too."""
    if is_journal(path):
        return [0]
    try:
        return [os.stat(path).st_uid]
    except OSError:
        return []
