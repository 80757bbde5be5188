"""See the runs of all paths, remembering what was read, and what else tells of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime

from check_duplicity import __version__, archive, logs, memory, processes
from check_duplicity.logged import Logged, in_order
from check_duplicity.names import read_archive
from check_duplicity.user import current


def own_mailbox() -> str:
    """Return the path of the mailbox of the user that this process runs as."""
    return os.environ.get("MAIL") or f"/var/mail/{current()}"


def look(
    paths: Sequence[str],
    state_file: str | None,
    now: datetime,
    since: float,
    hide: Callable[[str], str],
) -> tuple[list[Logged], list[str]]:
    """Return the runs since a time (seconds since the epoch), and what could not be read or kept.

    They are in the order of time. Raises `CannotSee`.
    """
    absolute = [path if path == "-" else os.path.abspath(path) for path in paths]
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
    for path in absolute:
        kept = known.get(path)
        how = logs.Look(now.timestamp(), since, hide)
        found = logs.look(path, kept if isinstance(kept, dict) else {}, how)
        runs += found.runs
        problems += found.problems
        after[path] = found.kept
    state = {"version": __version__, "paths": after}
    try:
        if state != before:
            memory.remember(file, state, make_directory=not state_file)
    except memory.Forgotten as reason:
        problems.append(f"The next check reads all anew: {reason}")
    return in_order(runs), problems


def is_running(url: str, archive_dir: str, name: str) -> bool:
    """Whether a backup is running; also if that can't be seen."""
    sight = processes.look(processes.Wanted(url, archive_dir, name, current()))
    return bool(sight.running) or not sight.sure


def newest_complete(url: str, archive_dir: str, name: str, now: datetime) -> datetime | None:
    """Return the time of the newest complete set in an archive directory, if that can be seen."""
    if not url and not (archive_dir and name):
        return None
    seen = archive.look(archive.archive_path(url, archive_dir or None, name or None))
    sets = [s for chain in read_archive(seen).chains for s in chain.restorable if s.time <= now]
    return max((s.time for s in sets), default=None)
