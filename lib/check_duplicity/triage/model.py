"""Describe a job's picture: everything that was seen of the job, in the words of the report."""

from __future__ import annotations

from datetime import datetime

from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Finding, Kind
from check_duplicity.values import NamedTuple


class BackupSet(NamedTuple):
    """A backup set: what the report shows of it."""

    time: datetime
    full: bool
    whole: bool


class Picture(NamedTuple):
    """What was seen of a job, without secrets. ``job`` has what commands need.

    ``destination``, ``proof`` (of a restore), ``runs`` and ``now`` (what runs) say in words what
    was seen, or why nothing could be seen. ``unseen`` is the reason why the destination couldn't be
    seen. ``findings`` come from all four.
    """

    name: str
    job: Job
    facts: tuple[tuple[str, str, str], ...] = ()
    doubts: tuple[str, ...] = ()
    destination: str = ""
    runs: str = ""
    now: str = ""
    unseen: Kind | None = None
    running: bool = False
    findings: tuple[Finding, ...] = ()
    sets: tuple[BackupSet, ...] = ()
    proof: str = ""
