"""Look whether the directory of a ``file://`` destination exists, and at its files' sizes."""

from __future__ import annotations

import errno
import os
import re
import stat
import time

from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from check_duplicity.duplicity.sizes import Sizes

# Only the sizes of duplicity's files are wanted; most files there are.
_DUPLICITYS = re.compile(r"duplicity-|(?:df|di|dfs|dns)\.")
_LONGEST = 3  # seconds


def nowhere(url: str) -> str:
    """Return the directory of a ``file://`` URL if there is none, otherwise an empty string.

    duplicity would make the directory: an unmounted disk would look like a backup that never ran,
    and the check would leave something behind. Raises `CannotSee` if the user may not look at it.
    """
    path = _directory(url)
    if path is None:
        return ""
    try:
        return "" if stat.S_ISDIR(os.stat(path).st_mode) else path
    except (FileNotFoundError, NotADirectoryError):
        return path
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CannotSee(Kind.NOT_READABLE, f"destination {path}: {reason}") from None


def sizes(url: str) -> tuple[Sizes | None, int]:
    """Return the sizes of duplicity's files at a ``file://`` URL, ``None`` for any other.

    Also return how many files there was no time for: over a network each may be slow. A file that
    can't be looked at has no size; the listing of the names reports it.
    """
    path = _directory(url)
    if path is None:
        return None, 0
    try:
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except (OSError, ValueError):
        return {}, 0
    try:
        return _look(directory, time.monotonic() + _LONGEST)
    except OSError:
        return {}, 0
    finally:
        os.close(directory)


def _look(directory: int, until: float) -> tuple[Sizes, int]:
    names: dict[str, list[str]] = {}
    for name in os.listdir(directory):
        if _DUPLICITYS.search(name) and not name.endswith(".par2"):
            names.setdefault(name.rpartition(".vol")[0], []).append(name)
    found: Sizes = {}
    left = 0
    # Manifests and signatures first, then the newest volumes: their time is before ".vol".
    for head in sorted(names, key=lambda head: (not head, head[-16:]), reverse=True):
        if time.monotonic() > until:
            left += len(names[head])
            continue
        behind = len(head) + len(".vol") if head else 0
        found[head] = {
            name[behind:]: size for name in names[head] if (size := _size(name, directory)) >= 0
        }
    return found, left


def _size(name: str, directory: int) -> int:
    """Return the size of a file; -1 if it can't be seen, or was removed meanwhile.

    duplicity follows links. It can't read one that leads nowhere, nor what is no file, though both
    have a file's name (0.8 to 3.2): they are worth as much as an empty file.
    """
    try:
        status = os.stat(name, dir_fd=directory)
    except OSError as error:
        leads_nowhere = error.errno in (errno.ENOENT, errno.ELOOP) and _is_link(name, directory)
        return 0 if leads_nowhere else -1
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _is_link(name: str, directory: int) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(name, dir_fd=directory).st_mode)
    except OSError:
        return False


def _directory(url: str) -> str | None:
    match = re.match(r"(?:par2\+)?file:(?://(?=/))?", url, re.IGNORECASE)
    if match is None:
        return None
    path = re.split(r"[?#]", url[match.end() :])[0]
    if "%" in path:
        from urllib.parse import unquote  # slow to load, and rarely needed

        path = unquote(path)
    return path
