"""The jobs of a host, each with its file and with what was found to start it."""

from __future__ import annotations

from check_duplicity.jobs.job_file import ELSEWHERE
from check_duplicity.jobs.model import Known, Start
from check_duplicity.values import NamedTuple


class Job(NamedTuple):
    """A job that has a file, or was found.

    ``filed`` is whether it has a file, ``starts`` is what starts it, ``gone`` is why the script
    that its file names can't be run.
    """

    known: Known
    filed: bool
    starts: tuple[Start, ...] = ()
    gone: str = ""

    @property
    def name(self) -> str:
        """Return the job's name: its file's, or the one under which it was found."""
        return self.known.job

    @property
    def elsewhere(self) -> bool:
        """Whether the job's file says that nothing readable on this host starts it."""
        return self.known.get("started") == ELSEWHERE

    @property
    def active(self) -> tuple[Start, ...]:
        """Return what starts the job now."""
        return tuple(start for start in self.starts if not start.off)

    @property
    def off(self) -> tuple[Start, ...]:
        """Return what would start the job, but is switched off."""
        return tuple(start for start in self.starts if start.off)


class Clocks(NamedTuple):
    """Why cron, systemd or anacron doesn't start anything; empty for each that does."""

    cron: str = ""
    systemd: str = ""
    daily: str = ""  # /etc/cron.daily and the like, started by anacron if it is installed


class Seen(NamedTuple):
    """The jobs that were found, and what could not be read.

    ``hidden`` are places that this user may not read, ``unread`` are sentences on things that may
    belong to a job but can't be read.
    """

    jobs: tuple[Job, ...]
    hidden: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
