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
        """Return the process to look for: of this job and user, with these duplicity options."""
        from check_duplicity.duplicity.names import Prefixes

        prefixes = Prefixes.of_options(options)
        return cls(url, archive_dir or "", name or "", user, prefixes)

    def of_archive(self, path: str) -> Wanted:
        """Return the process to look for by its archive directory, if the job's isn't known."""
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
    """What grows while a backup makes progress.

    ``cpu`` is in seconds, ``io`` in bytes read and written, ``archive`` in bytes in the archive
    directory.
    """

    cpu: float = 0.0
    io: int = 0
    archive: int = 0


class Process(NamedTuple):
    """A duplicity process.

    ``started`` is ``None`` if the time may not be seen. ``archive`` is its archive directory.
    ``user`` is the one user who decides what it does, and empty if there isn't exactly one.
    ``waits_for`` names the process in its family that waits for a passphrase.
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
        """Return whether it counts as a running backup: it is one, or it keeps one from starting.

        A process that holds the lock keeps backups from starting.
        """
        return not self.zombie and (self.invocation.backup or self.holds_lock)


class Sight(NamedTuple):
    """The processes that were seen. ``sure`` is whether no wanted process can have been missed.

    ``left_out`` has the users with too many processes, and how many of each were not looked at.
    ``others`` has the other users with a process that looks like the job's; these processes don't
    count.
    """

    processes: tuple[Process, ...]
    sure: bool
    left_out: Mapping[str, int] = {}
    others: tuple[str, ...] = ()

    @property
    def running(self) -> tuple[Process, ...]:
        """The running backups, the oldest first."""
        return tuple(process for process in self.processes if process.running)
