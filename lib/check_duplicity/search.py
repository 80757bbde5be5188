"""Read the files that may tell of jobs, and note what may not be read."""

from __future__ import annotations

import os
import stat

from check_duplicity import rights
from check_duplicity.user import acting_as

_LARGEST = 1 << 20  # bytes of a script


class Search:
    """A search below a root directory, which is another one than / in tests."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        self.problems: list[str] = []

    def text(self, path: str, reader: str = "") -> str | None:
        """The text of a file; ``None`` if there is none, or it can't be read, which is noted.

        It is read as the user ``reader`` would: what is another's stays that.
        """
        try:
            with acting_as("" if self.root else reader):
                return self._text(path)
        except KeyError:
            self.problems.append(f"{path}: there is no user {reader}")
            return None

    def decided(self, path: str, user: str = "root") -> tuple[str | None, frozenset[str]]:
        """The text of a file that is there for a user, and who decides it besides root."""
        by = rights.deciders(path, self.root)
        return self.text(path, rights.reader(by, user)), by

    def _text(self, path: str) -> str | None:
        try:
            file = os.open(self.root + path, os.O_RDONLY | os.O_NONBLOCK)
            with open(file, "rb") as opened:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    return None
                content = opened.read(_LARGEST + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except (OSError, ValueError) as error:
            self.problems.append(f"{path}: {getattr(error, 'strerror', None) or error}")
            return None
        if len(content) > _LARGEST:
            if b"duplicity" in content and b"\0" not in content:
                self.problems.append(f"{path}: too large to be a script")
            return None
        return content.decode("utf-8", "replace")

    def glob(self, pattern: str) -> list[str]:
        """The paths that fit, sorted."""
        import glob  # a job with a file needs none

        found = sorted(glob.glob(glob.escape(self.root) + pattern))
        return [path[len(self.root) :] for path in found]
