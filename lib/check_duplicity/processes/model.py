"""Describe the duplicity processes to look for, and those that were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from check_duplicity.duplicity.archive_path import archive_path
from check_duplicity.duplicity.invocation import Invocation
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from check_duplicity.duplicity.names import Prefixes


class Wanted(NamedTuple):
    """The duplicity process to look for; an empty field matches any."""

    url: str = ""
    archive_dir: str = ""
    name: str = ""
    user: str = ""
    prefixes: Prefixes | None = None

    @classmethod
    def by_job(
        cls,
        url: str,
        archive_dir: str | None,
        name: str | None,
        user: str,
        options: Sequence[str],
    ) -> Wanted:
        """Return which duplicity is a user's for a job that gives it these options."""
        from check_duplicity.duplicity.names import Prefixes

        prefixes = Prefixes.of_options(options)
        return cls(url, archive_dir or "", name or "", user, prefixes)

    def of_archive(self, path: str) -> Wanted:
        """Return what has that archive directory, if nothing else is known of the job."""
        if not path or self.url or self.archive_dir or self.name:
            return self
        archive_dir, _, name = path.rpartition("/")
        return self._replace(archive_dir=archive_dir, name=name)

    @property
    def archive(self) -> str:
        """The archive directory of the job, if enough is known of it."""
        if not self.url and not (self.archive_dir and self.name):
            return ""
        return archive_path(self.url, self.archive_dir or None, self.name or None)


class Progress(NamedTuple):
    """What grows while a backup gets on: CPU seconds and bytes read, written and kept."""

    cpu: float = 0.0
    io: int = 0
    archive: int = 0


class Process(NamedTuple):
    """A duplicity at work.

    ``started`` is ``None`` where that may not be seen. ``archive`` is its archive directory.
    ``user`` is empty if there is no one who decides what it does.
    ``waits_for`` names what waits for a passphrase there.
    """

    pid: int
    invocation: Invocation
    started: datetime | None = None
    user: str = ""
    archive: str = ""
    holds_lock: bool = False
    zombie: bool = False
    waits_for: str = ""
    progress: Progress = Progress()

    @property
    def running(self) -> bool:
        """Return whether it counts as a running backup: it is one, or keeps one from starting."""
        return not self.zombie and (self.invocation.backup or self.holds_lock)


class Sight(NamedTuple):
    """What was seen. ``sure`` tells that nothing that was looked for can have been missed.

    ``left_out`` are the users of whose processes there were too many, each with how many were not
    looked at. ``others`` are those who have a process that looks like the job's, but isn't its
    user's, and so doesn't count.
    """

    processes: tuple[Process, ...]
    sure: bool
    left_out: Mapping[str, int] = {}
    others: tuple[str, ...] = ()

    @property
    def running(self) -> tuple[Process, ...]:
        """The running backups, the oldest first."""
        return tuple(process for process in self.processes if process.running)
