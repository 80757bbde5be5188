"""Read the files that may define jobs, and note those that can't be read."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
import time
from collections.abc import Callable, Iterator

from check_duplicity.system import rights
from check_duplicity.system.user import acting_as

_LARGEST = 1 << 20  # bytes of a script
_MOST_TIME = 2.0  # seconds of the processor's; a hundred scripts of usual length take 0.1


class Search:
    """A search below a root directory, which is another one than / in tests."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        self.problems: list[str] = []
        self._deciders: dict[str, frozenset[str]] = {}
        self._scripts: dict[str, bool] = {}
        self._spent: dict[str, float] = {}

    def text(self, path: str, reader: str = "") -> str | None:
        """Return the text of a file; ``None`` if there is none, or it can't be read (noted).

        It is read with the rights of the user ``reader``, so no other user's secrets are read.
        """
        try:
            with acting_as("" if self.root else reader):
                return self._text(path)
        except KeyError:
            self.problems.append(f"{path}: there is no user {reader}")
            return None

    @contextlib.contextmanager
    def time_for(self, user: str) -> Iterator[Callable[[], bool]]:
        """Yield a function that tells whether time is left for an entry of a user.

        All entries of a user share one limit. Each entry of root's has a limit of its own, as root
        alone decides how many there are.
        """
        began = time.process_time()
        until = began + _MOST_TIME - self._spent.get(user, 0)
        yield lambda: time.process_time() < until
        if time.process_time() >= until:
            self.problems.append(f"what {user} starts: not all of it, it would take too long")
        if user != "root":
            self._spent[user] = self._spent.get(user, 0) + time.process_time() - began

    def deciders(self, path: str) -> frozenset[str]:
        """Return who decides what is at a path (`rights.deciders`); cached."""
        if path not in self._deciders:
            self._deciders[path] = rights.deciders(path, self.root)
        return self._deciders[path]

    def has(self, test: str, path: str) -> bool:
        """Return whether this process sees a file, a directory ... at a path (``test -d``)."""
        return {"d": os.path.isdir}.get(test, os.path.exists)(self.root + path)

    def is_script(self, path: str) -> bool:
        """Return whether there is a script that may be about duplicity; cached."""
        if path not in self._scripts:
            self._scripts[path] = self._is_script(path)
        return self._scripts[path]

    def _is_script(self, path: str) -> bool:
        try:
            file = os.open(self.root + path, os.O_RDONLY | os.O_NONBLOCK)
            with open(file, "rb") as opened:
                regular = stat.S_ISREG(os.fstat(file).st_mode)
                if not regular or opened.read(2) != b"#!":
                    return False
                text = opened.read(_LARGEST)
        except (OSError, ValueError):
            return False
        return b"duplicity" in text or b"duply" in text

    def decided(self, path: str, user: str = "root") -> tuple[str | None, frozenset[str]]:
        """Return the text of a file that a user uses, and who besides root decides it."""
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
        """Return the paths that match, sorted."""
        found = sorted(glob.glob(glob.escape(self.root) + pattern))
        return [path[len(self.root) :] for path in found]
