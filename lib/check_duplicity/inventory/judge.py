"""Judge whether each job of a host is monitored, and whether each monitored job is started.

CRITICAL needs proof: this or an earlier check found something that starts the job, and it is
switched off or gone. If nothing was ever found, a person or another host may start the job: that
is WARNING, until the job's file says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from check_duplicity.inventory.model import Job, Seen
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.nagios.measures import Measure
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

# By a job's name: what started it, and when that was last seen.
Before = Mapping[str, "Any"]


def judge(seen: Seen, before: Before) -> Iterator[Finding]:
    """Yield the findings; ``before`` is what an earlier check remembered."""
    for job in seen.jobs:
        if not job.filed:
            if not job.known.is_off:
                text = f"{job.name} is not monitored: it has no job's file ({_place(job)})"
                yield Finding(Kind.NOT_MONITORED, State.WARNING, text, job.name)
        elif not (job.elsewhere or job.active):
            finding = _not_started(job, before, sure=not seen.hidden)
            if finding is not None:
                yield finding


def _not_started(job: Job, before: Before, *, sure: bool) -> Finding | None:
    why = [_reason(start.origin, start.off) for start in job.off]
    if job.gone and not any(start.off == job.gone for start in job.off):
        why.append(job.gone)
    earlier = before.get(job.name)
    if not why and sure and earlier:
        origin, when = earlier
        why = [f"what started it until {when} is gone: {origin}"]
    if why:
        text = f"{job.name} is not started: {', '.join(dict.fromkeys(why))}"
        return Finding(Kind.NOT_STARTED, State.CRITICAL, text, job.name)
    if not sure:
        return None  # The job's start may be in a place that this user can't read.
    text = f"nothing was found that starts {job.name}"
    return Finding(Kind.NO_STARTER, State.WARNING, text, job.name)


def _reason(origin: str, off: str) -> str:
    return f"{off} ({origin})" if off.startswith(("/", "there is no")) else f"{origin} {off}"


def _place(job: Job) -> str:
    origins = [start.origin for start in job.starts] or [job.known.place]
    return f"found in {origins[0]}"


def measure(seen: Seen, before: Before) -> list[Measure]:
    """Return the number of jobs, and the number of those with each kind of finding."""
    found = [finding.kind for finding in judge(seen, before)]
    unmonitored = found.count(Kind.NOT_MONITORED)
    passed = sum(not job.filed and job.known.is_off for job in seen.jobs)
    count = len(seen.jobs) - passed
    elsewhere = sum(job.filed and job.elsewhere for job in seen.jobs)
    said = f"{count} job{'s' * (count != 1)}: all are monitored and started"
    said += f", {elsewhere} of them elsewhere" if elsewhere else ""
    return [
        Measure("jobs", count, said=said),
        Measure("unmonitored", unmonitored, said=""),
        Measure("not_started", len(found) - unmonitored, said=""),
    ]


def remembered(seen: Seen, before: Before, now: datetime) -> dict[str, Any]:
    """Return what starts each job, for the next check to remember."""
    after: dict[str, Any] = {}
    for job in seen.jobs:
        if not job.filed or job.elsewhere:
            continue
        if job.active:
            after[job.name] = [job.active[0].origin, f"{now:%Y-%m-%d %H:%M} UTC"]
        elif job.name in before:
            after[job.name] = before[job.name]
    return after


def read_before(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the kept entries that have the form of `remembered`."""
    return {
        name: value
        for name, value in kept.items()
        if isinstance(value, list) and len(value) == 2 and all(isinstance(v, str) for v in value)
    }


def details(seen: Seen) -> Iterator[str]:
    """Yield a line for each job: how it is monitored, and what starts it."""
    for job in seen.jobs:
        if not job.filed and job.known.is_off:
            off = ", ".join(f"{start.origin} {start.off}" for start in job.off)
            yield f"{job.name}: passed over, since it has no job's file and is off: {off}"
            continue
        by = ", ".join(start.origin for start in job.active)
        by += "".join(f", {start.origin} {start.off}" for start in job.off)
        how = f"by {by.strip(', ') or 'nothing found'}"
        if job.elsewhere:
            how = "elsewhere, as its file says"
        yield f"{job.name}: {'monitored' if job.filed else 'not monitored'}, started {how}"


def unseen(seen: Seen, user: str) -> str:
    """Return one sentence on the places that this user can't read; empty if there are none."""
    if seen.hidden:
        more = f" and {len(seen.hidden) - 2} more" if len(seen.hidden) > 2 else ""
        places = ", ".join(seen.hidden[:2])
        return f"not all jobs can be seen by {user}, who may not look into {places}{more}"
    if seen.unread:
        more = f" (and {len(seen.unread) - 1} more)" if len(seen.unread) > 1 else ""
        return f"not all jobs can be seen: {seen.unread[0]}{more}"
    return ""
