"""A job's picture: all that was seen of it, in the words of the report."""

from __future__ import annotations

from datetime import datetime

from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Finding, Kind
from check_duplicity.values import NamedTuple


class BackupSet(NamedTuple):
    """A backup set, as far as the picture of the collection goes."""

    time: datetime
    full: bool
    whole: bool


class Picture(NamedTuple):
    """A job, seen. ``job`` is what commands need; no secret is in any of it.

    ``destination``, ``proof`` (that it can be restored), ``runs`` and ``now`` say in words what was
    seen of these, or why it couldn't be; ``unseen`` is whether the destination couldn't.
    ``findings`` are of all four.
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
