"""Find out whether systemd starts a timer: it is enabled, and neither it nor its service is masked.

Only files are read, as systemd reads them (systemctl(1), systemd.unit(5)); systemd isn't asked. So
an enabled timer that was only stopped counts as one that starts.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Sequence

from check_duplicity.jobs.search import Search

NOT_ENABLED = "is not enabled"
MASKED = "is masked"
# Where generators leave what they enable.
_GENERATED = ("/run/systemd/generator", "/run/systemd/generator.late")
_LARGEST = 1 << 16  # bytes of a target


def is_mask(search: Search, path: str) -> bool:
    """Return whether a unit's file is a mask: a link to /dev/null, or an empty file."""
    there = search.root + path
    with contextlib.suppress(OSError):
        if os.path.realpath(there) in ("/dev/null", f"{search.root}/dev/null"):
            return True
        return os.path.isfile(there) and not os.path.getsize(there)
    return False


def off(search: Search, directories: Sequence[str], timer: str, service: str) -> str:
    """Return why a timer starts nothing, empty if it does; ``directories`` are a manager's."""
    if _is_masked(search, directories, timer):
        return MASKED
    if _is_masked(search, directories, service):
        return f"starts {service}, which {MASKED}"
    return "" if _is_wanted(search, directories, timer) else NOT_ENABLED


def _is_masked(search: Search, directories: Sequence[str], name: str) -> bool:
    paths = (path for d in directories for path in search.glob(f"{_of(d)}/{glob.escape(name)}"))
    first = next(paths, "")
    return bool(first) and is_mask(search, first)


def _is_wanted(search: Search, directories: Sequence[str], timer: str) -> bool:
    """Return whether a link, or a line of a target, starts the timer with another unit."""
    for directory in map(_of, (*directories, *_GENERATED)):
        for kind in ("wants", "requires", "upholds"):
            links = search.glob(f"{directory}/*.{kind}/{glob.escape(timer)}")
            if any(not is_mask(search, link) for link in links):
                return True
    line = re.compile(rf"(?m)^[ \t]*(?:Wants|Requires|Upholds)=(?:.*[ \t])?{re.escape(timer)}\s")
    for directory in map(_of, directories):
        for pattern in ("*.target", "*.target.d/*.conf"):
            for path in search.glob(f"{directory}/{pattern}"):
                if line.search(_text(search.root + path) + "\n"):
                    return True
    return False


def _of(directory: str) -> str:
    return glob.escape(directory)


def _text(path: str) -> str:
    with contextlib.suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(file, errors="replace") as opened:
            return opened.read(_LARGEST)
    return ""
