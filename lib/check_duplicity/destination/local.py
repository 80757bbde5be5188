"""Look at the directory of a ``file://`` destination: whether it is there, its files' sizes."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator

from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from check_duplicity.duplicity.sizes import Sizes

# Most that lie there are duplicity's; of no others a size is wanted.
_DUPLICITYS = re.compile(r"duplicity-|(?:df|di|dfs|dns)\.")


def nowhere(url: str) -> str:
    """Return the directory of a ``file://`` URL if there is none, otherwise an empty string.

    duplicity would make it: an unmounted disk would look like a backup that never ran, and the
    check would have left something behind. Raises `CannotSee` if it may not be looked at.
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


def sizes(url: str) -> Sizes | None:
    """Return the sizes of duplicity's files at a ``file://`` URL, ``None`` for any other.

    What can't be looked at has no size; whoever lists the names tells that.
    """
    path = _directory(url)
    if path is None:
        return None
    from check_duplicity.duplicity.sizes import group

    return group(_files(path))


def _files(path: str) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if _DUPLICITYS.search(entry.name) and not entry.name.endswith(".par2"):
                    try:
                        status = (
                            entry.stat()
                        )  # A volume may be a link: duplicity reads what is there.
                    except OSError:
                        continue  # It has been removed meanwhile.
                    if stat.S_ISREG(status.st_mode):
                        yield entry.name, status.st_size
    except OSError:
        return


def _directory(url: str) -> str | None:
    match = re.match(r"(?:par2\+)?file:(?://(?=/))?", url, re.IGNORECASE)
    if match is None:
        return None
    path = re.split(r"[?#]", url[match.end() :])[0]
    if "%" in path:
        from urllib.parse import unquote  # slow to load, and rarely needed

        path = unquote(path)
    return path
