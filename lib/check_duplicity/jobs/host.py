"""Look at this host as a script would see it, without running anything."""

from __future__ import annotations

import glob
import os
import pwd
import socket
import stat

from check_duplicity.jobs.search import Search
from check_duplicity.shell.model import Host
from check_duplicity.system import rights
from check_duplicity.system.user import acting_as

_MOST_PATHS = 100  # of one pattern
_MOST_LINKS = 40  # as the kernel follows at most


class ThisHost(Host):
    """The host as the user who runs a script sees it.

    ``by`` is who decided what was seen so far. With another root than / only the host's name is
    asked of the host itself.
    """

    def __init__(self, search: Search, user: str) -> None:
        self.by = rights.NOBODY
        self._search = search
        self._user = user

    def text(self, path: str) -> str | None:
        """Return the text of a sourced file, which is read by the rules for scripts."""
        count = len(self._search.problems)
        text, by = self._search.decided(path, self._user)
        self.by |= by
        if text is None and len(self._search.problems) > count:
            return None
        return None if text is not None and "\0" in text else text or ""

    def has(self, test: str, path: str) -> bool | None:
        """Return the result of ``[ -f path ]``; ``test`` is the letter."""
        if "\0" in path:
            return None
        self.by |= self._search.deciders(path)
        try:
            with acting_as("" if self._search.root else self._user):
                return self._has(test, self._search.root + path)
        except (KeyError, ValueError):
            return None

    def _has(self, test: str, path: str) -> bool | None:
        try:
            mode = os.lstat(path).st_mode if test in "Lh" else os.stat(path).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return None
        if test in "Lh":
            return stat.S_ISLNK(mode)
        if test == "f":
            return stat.S_ISREG(mode)
        if test == "d":
            return stat.S_ISDIR(mode)
        if test == "s":
            return os.stat(path).st_size > 0
        return (
            True
            if test == "e"
            else os.access(path, {"r": os.R_OK, "x": os.X_OK}[test], effective_ids=True)
        )

    def real_path(self, path: str) -> str | None:
        """Return what ``readlink -f`` prints; only the last part need not be there."""
        if "\0" in path:
            return None
        self.by |= self._search.deciders(path)
        pending = [part for part in path.split("/")[::-1] if part not in ("", ".")]
        place, links = "", 0
        while pending:
            part = pending.pop()
            if part == "..":
                place = place.rpartition("/")[0]
                continue
            there = f"{place}/{part}"
            try:
                target = os.readlink(self._search.root + there)
            except FileNotFoundError:
                return "" if pending else there
            except OSError:  # no link
                place = there
                continue
            links += 1
            if links > _MOST_LINKS:
                return ""
            place = "" if target.startswith("/") else place
            pending += [part for part in target.split("/")[::-1] if part not in ("", ".")]
        return place or "/"

    def paths(self, pattern: str) -> list[str] | None:
        """Return the paths that match a pattern, if no other user decides which there are.

        Only the last part of the pattern may have wildcards.
        """
        directory, base = os.path.split(pattern)
        if "\0" in pattern or any(special in directory for special in "*?["):
            return None
        if not rights.may(self._user, self._search.deciders(directory or "/")):
            return None
        try:
            with acting_as("" if self._search.root else self._user):
                found = self._search.glob(f"{glob.escape(directory)}/{base}")
        except KeyError:
            return None
        return found if len(found) <= _MOST_PATHS else None

    def program(self, name: str, path: str | None) -> str | None:
        """Return what ``command -v`` prints, empty if there is no such program."""
        if path is None or "\0" in path or "\0" in name:
            return None
        for directory in path.split(":"):
            if not os.path.isabs(directory):
                return None
            candidate = f"{directory.rstrip('/')}/{name}"
            if self._has("f", self._search.root + candidate) and self.has("x", candidate):
                return candidate
        return ""

    def deciders_of_program(self, path: str) -> frozenset[str]:
        """Return who besides root can change what a program does."""
        return rights.deciders_of_program(path, self._search.root)

    def hostname(self) -> str | None:
        """Return the name of the host."""
        return socket.gethostname()

    def uid(self) -> str | None:
        """Return the number of the user who runs the script."""
        try:
            return str(pwd.getpwnam(self._user).pw_uid)
        except (KeyError, ValueError):
            return None

    def user(self) -> str | None:
        """Return the name of the user who runs the script."""
        return self._user
