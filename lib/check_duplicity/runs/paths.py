"""Find the files that a pattern or a directory names, and group them into logs.

Files form one log, of which the newest decides, if their names differ only in the time of writing
(``web-2026-11-28.log``, ``web.log.1.gz``, ``web-Mon.log``). Other names belong to other jobs:
``/var/log/duplicity/*.log`` has ``web.log`` and ``db.log``, and a good run in one proves nothing
about the other. A number of fewer than four digits may be part of a job's name, ``web2.log``.

Anybody who may write to the directory can put a file there: the rules of `beside` apply.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import stat
from collections.abc import Iterable

from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.runs import beside
from check_duplicity.values import NamedTuple

JOURNAL = "journal:"
"""What a path begins with that names something in systemd's journal."""
NOWHERE = "/dev/null"
"""The path of a job whose output is not kept where it could be read."""
THROWN_AWAY = "its output is thrown away; freshness alone tells"

_MOST = 1000  # files that can matter
_TIMES = re.compile(
    r"\d{4,}(?:[-_.:T]?\d{2,})*Z?"  # 20261128, 2026-11-28_0200, a process, seconds since the epoch
    r"|\d{1,2}[-_.]\d{1,2}[-_.]\d{2,4}"
    r"|(?<![a-z])(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?(?![a-z])"
    r"|(?<![a-z])(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)(?![a-z])",
    re.I,
)


class Log(NamedTuple):
    """The name of a log, and its files; ``None`` if the given path is the only file.

    ``owners`` are the users whose files count.
    """

    path: str
    files: tuple[str, ...] | None = None
    owners: frozenset[int] = frozenset()

    @property
    def newest(self) -> str:
        """Return the file that is written to."""
        return max(self.files, key=_changed) if self.files else self.path


def logs_of(path: str, horizon: float) -> tuple[list[Log], list[str]]:
    """Return the logs that a path names, and messages about ignored files.

    A path is a pattern only if there is no file of that name. Files not changed since ``horizon``
    (seconds since the epoch) are left out. Raises `CannotSee` if there is nothing.
    """
    if is_no_file(path) or not (is_pattern(path) or _is_plain_directory(path)):
        return [Log(path)], []
    names = _matching(path) if is_pattern(path) else _in(path)
    if not names:
        what = "no file matches" if is_pattern(path) else "no log in this directory"
        raise CannotSee(Kind.NOT_READABLE, f"{path}: {what}")
    maildirs = [name for name in names if _is_maildir(name)]
    owners = {folder: frozenset(beside.owners_without(folder)) for folder in _folders(names)}
    counting, others = [], []
    for name in names:
        try:
            status = os.lstat(name)
        except OSError:
            continue
        if status.st_uid not in owners[os.path.dirname(name)]:
            others.append((name, status.st_uid))
        elif name in maildirs or stat.S_ISREG(status.st_mode):
            counting.append((name, status.st_mtime))
    said = beside.passed_over(others)
    if not counting:
        raise CannotSee(Kind.NOT_READABLE, "; ".join([f"{path}: no usable file", *said]))
    recent = [name for name, changed in counting if changed >= horizon or name in maildirs]
    if len(recent) > _MOST:
        raise CannotSee(Kind.NOT_READABLE, f"{path}: {len(recent)} files, more than {_MOST}")
    files = [name for name in recent if name not in maildirs]
    logs = [
        Log(log, tuple(sorted(members)), owners[os.path.dirname(log)])
        for log, members in together(files).items()
    ]
    return [*logs, *(Log(name) for name in recent if name in maildirs)], said


def is_journal(path: str) -> bool:
    """Whether a path names something in systemd's journal; a file can be ``./journal:x``."""
    return path.startswith(JOURNAL)


def is_no_file(path: str) -> bool:
    """Whether a path isn't a file but the journal or standard input."""
    return path == "-" or is_journal(path)


def is_pattern(path: str) -> bool:
    """Whether a path is a pattern: no file has that name."""
    return glob.has_magic(path) and not os.path.lexists(path)


def together(names: Iterable[str]) -> dict[str, list[str]]:
    """Return files by their log: its name has a ``*`` where theirs differ."""
    logs: dict[str, list[str]] = {}
    for name in names:
        folder, base = os.path.split(beside.unrotated(name))
        logs.setdefault(os.path.join(folder, _TIMES.sub("*", base)), []).append(name)
    # logrotate's dateext with extension: web-20261128.log is the rotated web.log.
    for log in [log for log in logs if "-*." in log and log.replace("-*.", ".") in logs]:
        logs[log.replace("-*.", ".")] += logs.pop(log)
    return logs


def _matching(pattern: str) -> list[str]:
    """Return the files that match, also by their names before rotation or compression."""
    found = set(glob.glob(pattern))
    found.update(
        name
        for name in glob.glob(f"{pattern}*")
        if fnmatch.fnmatch(os.path.basename(beside.unrotated(name)), os.path.basename(pattern))
    )
    return sorted(name for name in found if _is_maildir(name) or not os.path.isdir(name))


def _in(directory: str) -> list[str]:
    try:
        names = [os.path.join(directory, name) for name in os.listdir(directory) if name[0] != "."]
    except OSError as error:
        raise CannotSee(Kind.NOT_READABLE, f"{directory}: {error.strerror}") from None
    return sorted(name for name in names if not os.path.isdir(name))


def _folders(names: Iterable[str]) -> set[str]:
    return {os.path.dirname(name) for name in names}


def _is_plain_directory(path: str) -> bool:
    return os.path.isdir(path) and not _is_maildir(path)


def _is_maildir(path: str) -> bool:
    return all(os.path.isdir(os.path.join(path, folder)) for folder in ("new", "cur"))


def _changed(name: str) -> float:
    try:
        return os.stat(name).st_mtime
    except OSError:
        return 0
