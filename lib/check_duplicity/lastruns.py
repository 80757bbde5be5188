"""Judge the newest run of each job. Pure, with the clock as argument.

A finding stays until a later run of its job is good, or it is older than the lookback. A job that
prints nothing when all is well is known to be good again by a complete set in its archive
directory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from typing import NamedTuple

from check_duplicity.catalogue import SENTENCES, state_of
from check_duplicity.findings import CannotSee, Finding, Kind, Measure, State
from check_duplicity.limits import format_age, format_time
from check_duplicity.logged import Logged
from check_duplicity.runs import FAILED, GOOD, OPEN, Told

_LONGEST_NAME = 40  # characters
_FAILED_KINDS = frozenset(kind for kind in SENTENCES if state_of(kind) == State.CRITICAL)


class Verdict(NamedTuple):
    """The newest run of a job, and what there is to complain about."""

    run: Logged
    told: tuple[Told, ...]

    @property
    def failed(self) -> bool:
        """Whether it has failed."""
        return any(item.kind in _FAILED_KINDS for item in self.told)


def verdicts(runs: Iterable[Logged], since: float, *, running: bool) -> list[Verdict]:
    """Return what the newest run of each of duplicity's jobs says, the newest first.

    ``runs`` are in the order of time; older ones than ``since`` (seconds since the epoch) don't
    count. A log whose last run hasn't come to its end is in progress while a backup is ``running``.
    """
    jobs: dict[str, list[Logged]] = {}
    for run in runs:
        if (run.time or 0) >= since:
            jobs.setdefault(run.job, []).append(run)
    found = []
    for of_job in jobs.values():
        if not any(run.sure for run in of_job):
            continue
        if running and not of_job[-1].whole:
            of_job.pop()
        if of_job:
            found.append(Verdict(of_job[-1], _told(of_job)))
    return sorted(_named(found), key=lambda verdict: verdict.run.time or 0, reverse=True)


def _named(found: Sequence[Verdict]) -> list[Verdict]:
    """Tell jobs of the same name apart: by their hosts, or else by the words of their commands."""
    hosts: dict[str, list[str]] = {}
    for verdict in found:
        hosts.setdefault(verdict.run.name, []).append(verdict.run.host)
    return [v._replace(run=_renamed(v.run, hosts[v.run.name])) for v in found]


def _renamed(run: Logged, hosts: Sequence[str]) -> Logged:
    if len(hosts) == 1:
        return run
    if len(set(hosts)) == len(hosts):
        return run._replace(name=f"{run.name} on {run.host}")
    name = " ".join([run.name, *run.command.split()[1:]])
    return run._replace(
        name=name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    )


def _told(runs: Sequence[Logged]) -> tuple[Told, ...]:
    """The findings of the last run."""
    run = runs[-1].run
    if run.outcome != OPEN:
        return run.told
    # If it mostly says how it went, and now doesn't, it was killed.
    ended = run.uploading or any(earlier.run.statistics for earlier in runs[:-1])
    return (Told(Kind.KILLED if ended else Kind.UNCLEAR, ""), *run.told)


def restored(found: Sequence[Verdict], complete: datetime | None) -> list[Verdict]:
    """Return the verdicts with what a complete backup set in the archive directory has mended.

    It is the archive directory of one job, so it tells nothing if there are several.
    """
    if complete is None or len(found) != 1 or (found[0].run.time or 0) >= complete.timestamp():
        return list(found)
    return [Verdict(found[0].run._replace(time=complete.timestamp()), ())]


def demand_news(found: Sequence[Verdict], runs: Sequence[Logged], now: datetime, back: str) -> None:
    """Raise `CannotSee` if there is nothing to judge: no news is bad news."""
    if found:
        return
    times = [run.time for run in runs if run.sure and run.time is not None]
    if times:
        age = format_age(now.timestamp() - max(times))
        reason = f"no run of duplicity within {back}, the newest was {age} ago"
    else:
        reason = "no run of duplicity in what was read"
    raise CannotSee(Kind.NO_NEWS, reason)


def measure(
    found: Sequence[Verdict], runs: Sequence[Logged], since: float, now: datetime
) -> Iterator[Measure]:
    """Yield the numbers: of jobs, of what is wrong, and those of the newest statistics."""
    yield Measure("runs", len(found), said=_said(found, now))
    yield Measure("failed", sum(verdict.failed for verdict in found))
    for name, kinds in (
        ("orphaned", (Kind.ORPHANED, Kind.ORPHANED_SIGNATURES)),
        ("incomplete", (Kind.INCOMPLETE, Kind.UNMATCHED_SIGNATURES)),
    ):
        yield Measure(name, sum(any(t.kind in kinds for t in v.told) for v in found))
    counted = [v.run.run.statistics for v in found if v.run.run.statistics is not None]
    yield Measure("errors", sum(statistics.errors for statistics in counted))
    recent = (r for r in reversed(runs) if r.run.statistics and (r.time or 0) >= since)
    newest = next((run.run.statistics for run in recent), None)
    if newest is None:
        return
    if newest.start is not None and newest.end is not None:
        yield Measure("duration", max(0, round(newest.end - newest.start)), "s")
    if newest.source_size is not None:
        yield Measure("source_size", newest.source_size, "B")
    if newest.backup_size is not None:
        yield Measure("backup_size", newest.backup_size, "B")


def _said(found: Sequence[Verdict], now: datetime) -> str:
    """What the status line says when all is well."""
    if not found:
        return ""
    age = format_age(max(0, now.timestamp() - (found[0].run.time or 0)))
    if len(found) == 1:
        return f"{found[0].run.name} was good {age} ago"
    return f"{len(found)} jobs good, the newest run {age} ago"


def judge(found: Iterable[Verdict], now: datetime) -> Iterator[Finding]:
    """Yield the findings of all verdicts."""
    for verdict in found:
        age = format_age(max(0, now.timestamp() - (verdict.run.time or 0)))
        for item in verdict.told:
            failed = item.kind in _FAILED_KINDS and verdict.run.run.outcome in (FAILED, OPEN)
            text = f"{verdict.run.name} {'failed ' if failed else ''}{age} ago: "
            text += (item.kind == Kind.RUN_FAILED and item.line) or SENTENCES[item.kind]
            yield Finding(item.kind, state_of(item.kind), text, verdict.run.job)


def details(found: Iterable[Verdict], verbose: int) -> Iterator[str]:
    """Yield lines on each run: those with a finding, with what they printed; with -v all."""
    for verdict in found:
        run = verdict.run
        if not (verdict.told or verbose):
            continue
        whose = f" ({run.user}@{run.host})" if run.host else ""
        time = format_time(datetime.fromtimestamp(run.time or 0, timezone.utc))
        outcome = "failed" if verdict.failed else "good" if run.run.outcome == GOOD else "ended"
        yield f"{run.name}{whose}, {time}: {outcome}"
        yield from (f"  {item.line}" for item in verdict.told if item.line)
