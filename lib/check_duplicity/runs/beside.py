"""Find a log's rotated files, and accept only trusted owners' ones.

The names are those that logrotate, savelog and the like give. Anybody who may write to a directory,
such as /tmp, can forge a file of such a name, in which the last run was good.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Container, Sequence

from check_duplicity.system.user import name_of_uid

# A short number counts only behind a dot: web-2 is another log than web.
_ROTATED = r"(?:\.\d{1,4}|[.-]\d{8,14}(?:-\d{1,10})?|[.-]old)?(?:\.(?:gz|bz2|xz))?"
_UNROTATED = re.compile(rf"(?<=[^/]){_ROTATED}$")
_NAMED = 3  # ignored files that are named in the message


def owners_without(path: str) -> set[int]:
    """Return whose files count while the log itself is missing: just rotated, and not yet written.

    They are this process's user, root, and a user who alone may write to the directory.
    """
    owners = {os.geteuid(), 0}
    with contextlib.suppress(OSError):
        status = os.stat(os.path.dirname(path) or ".")
        if not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            owners.add(status.st_uid)
    return owners


def owners_with(uid: int) -> set[int]:
    """Return whose files count beside a log of ``uid``: its own, this process's user's, root's."""
    return {uid, os.geteuid(), 0}


def of(path: str) -> list[str]:
    """Return the rotated files that are read together with a log."""
    owners = owners_without(path)
    with contextlib.suppress(OSError):
        owners = owners_with(os.stat(path).st_uid)
    return that_count(path, owners)[0]


def that_count(path: str, owners: Container[int]) -> tuple[list[str], list[str]]:
    """Return the rotated files beside a log that count, and messages about those that don't."""
    counting, others = [], []
    for name in rotated(path):
        with contextlib.suppress(OSError):
            uid = os.lstat(name).st_uid
            if uid in owners:
                counting.append(name)
            else:
                others.append((name, uid))
    return counting, passed_over(others)


def passed_over(others: Sequence[tuple[str, int]]) -> list[str]:
    """Return messages about files that other users may have forged."""
    said = [f"Passed over: {name}, it is {name_of_uid(uid)}'s" for name, uid in others[:_NAMED]]
    more = len(others) - len(said)
    return [*said, f"Passed over: {more} more"] if more else said


def demand_no_strangers(name: str, status: os.stat_result) -> None:
    """Refuse a stranger's log in a directory where anybody may create files.

    Some systems keep mailboxes in such a directory: they belong to the user in their name.
    """
    if not os.stat(os.path.dirname(os.path.realpath(name))).st_mode & stat.S_IWOTH:
        return
    owner = name_of_uid(status.st_uid)
    if status.st_uid not in (os.geteuid(), 0) and os.path.basename(name) != owner:
        raise OSError(0, f"is {owner}'s, where anybody can put it; name that user with -u")


def unrotated(path: str) -> str:
    """Return a file's name without the suffixes of rotation and compression."""
    return _UNROTATED.sub("", path)


def rotated(path: str) -> list[str]:
    """Return the names of a log's rotated files: ``.1``, ``.2.gz``, ``-20261124`` ...

    Anybody who may write to the directory can have made them.
    """
    directory, base = os.path.split(path)
    stem, dot, suffix = base.rpartition(".")
    forms = re.escape(base) + _ROTATED
    if dot and stem:
        forms += (
            rf"|{re.escape(stem)}-\d{{8}}(?:-\d{{1,10}})?\.{re.escape(suffix)}(?:\.(?:gz|bz2|xz))?"
        )
    form = re.compile(forms)
    try:
        names = os.listdir(directory or ".")
    except OSError:
        return []
    return [os.path.join(directory, n) for n in sorted(names) if n != base and form.fullmatch(n)]
