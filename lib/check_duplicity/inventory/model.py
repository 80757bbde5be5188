"""The jobs of a host, each with its file and with what starts it, as far as that was found."""

from __future__ import annotations

from check_duplicity.jobs.job_file import ELSEWHERE
from check_duplicity.jobs.model import Known, Start
from check_duplicity.values import NamedTuple


class Job(NamedTuple):
    """A job that has a file, or was found.

    ``filed`` tells whether it has a file, ``starts`` is what starts it, ``gone`` why what its file
    names can't be run.
    """

    known: Known
    filed: bool
    starts: tuple[Start, ...] = ()
    gone: str = ""

    @property
    def name(self) -> str:
        """Its name: of its file, or that it was found by."""
        return self.known.job

    @property
    def elsewhere(self) -> bool:
        """Whether its file says that nothing on this host that can be read starts it."""
        return self.known.get("started") == ELSEWHERE

    @property
    def active(self) -> tuple[Start, ...]:
        """What starts it now."""
        return tuple(start for start in self.starts if not start.off)

    @property
    def off(self) -> tuple[Start, ...]:
        """What would start it, and is switched off."""
        return tuple(start for start in self.starts if start.off)


class Clocks(NamedTuple):
    """Why what cron, systemd or anacron has to start isn't started at all; empty if it is."""

    cron: str = ""
    systemd: str = ""
    daily: str = ""  # /etc/cron.daily and its likes, which anacron starts if it is there


class Seen(NamedTuple):
    """All that was found.

    ``hidden`` are places that this user may not look into, ``unread`` is what may be about a job,
    and can't be read, as sentences.
    """

    jobs: tuple[Job, ...]
    hidden: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
