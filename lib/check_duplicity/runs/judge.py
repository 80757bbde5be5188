"""Judge the newest run of each job. Pure, with the clock as argument.

A finding stays until a later run of its job is good, or until it is older than the lookback. If a
job prints nothing when all is well, a complete set in its archive directory proves a good run.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime, timezone

from check_duplicity.duplicity.catalogue import SENTENCES, state_of
from check_duplicity.duplicity.contents import Extent, shrunk
from check_duplicity.duplicity.run import (
    FAILED,
    GOOD,
    NOTHING,
    OPEN,
    OTHER,
    UNREAD,
    Past,
    Run,
    Told,
    extents_of,
    joined,
)
from check_duplicity.nagios.findings import CannotSee, Finding, Kind, State
from check_duplicity.nagios.limits import format_age, format_size, format_time
from check_duplicity.nagios.measures import Measure
from check_duplicity.runs.model import Logged
from check_duplicity.values import NamedTuple

_LESSER = {Kind.ORPHANED: Kind.ORPHANED_SIGNATURES, Kind.INCOMPLETE: Kind.UNMATCHED_SIGNATURES}
_LAST_VOLUME = 6 * 3600  # seconds for the uploads after a run has counted its statistics
_MEANWHILE = 3600  # seconds from the end of a backup to the mail about it
_LONGEST_NAME = 40  # characters
_FAILED_KINDS = frozenset(kind for kind in SENTENCES if state_of(kind) == State.CRITICAL)


class Verdict(NamedTuple):
    """The newest run of a job, and its findings."""

    run: Logged
    told: tuple[Told, ...]

    @property
    def unread(self) -> bool:
        """Whether the end of the run's output can't be interpreted."""
        return any(item.kind is Kind.NOT_RECOGNISED for item in self.told)

    @property
    def failed(self) -> bool:
        """Whether the run has failed."""
        return any(item.kind in _FAILED_KINDS for item in self.told)


def verdicts(runs: Iterable[Logged], since: float, running: Container[str] = ()) -> list[Verdict]:
    """Return the verdict on the newest run of each job of duplicity's, the newest first.

    ``runs`` are in the order of time; those older than ``since`` (seconds since the epoch) don't
    count. ``running`` are the jobs whose last run is in progress: the run before it decides.
    """
    jobs: dict[str, list[Logged]] = {}
    for run in runs:
        if (run.time or 0) >= since:
            jobs.setdefault(run.job, []).append(run)
    found = []
    for job, of_job in jobs.items():
        whole = of_job[:-1] if job in running else of_job
        if whole and any(run.sure for run in whole):
            found.append(_verdict(whole))
    return sorted(_named(found), key=lambda verdict: verdict.run.time or 0, reverse=True)


def _named(found: Sequence[Verdict]) -> list[Verdict]:
    """Return verdicts with unique names: by hosts, or else by the words of the commands."""
    hosts: dict[str, list[str]] = {}
    for verdict in found:
        hosts.setdefault(verdict.run.name, []).append(verdict.run.host)
    shared = {name for name, of_jobs in hosts.items() if len(of_jobs) > 1}
    by_host = {name for name in shared if len(set(hosts[name])) == len(hosts[name])}
    return [
        v._replace(run=_renamed(v.run, by_host=v.run.name in by_host))
        if v.run.name in shared
        else v
        for v in found
    ]


def _renamed(run: Logged, *, by_host: bool) -> Logged:
    if not run.host:
        return run._replace(name=run.job)
    if by_host:
        return run._replace(name=f"{run.name} on {run.host}")
    name = " ".join([run.name, *run.command.split()[1:]])
    return run._replace(
        name=name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    )


def _verdict(runs: Sequence[Logged]) -> Verdict:
    """Return the verdict on one job: on its last good or failed run, and those after it."""
    position = max((i for i, run in enumerate(runs) if run.decisive), default=len(runs) - 1)
    decisive, later = runs[position], runs[position:]
    run = joined([each.run for each in later])
    kinds = {item.kind for item in run.told}
    # Both kinds are about the same leftovers, with the same remedy.
    less = {lesser for kind, lesser in _LESSER.items() if kind in kinds}
    told = tuple(item for item in run.told if item.kind not in less)
    told += tuple(_not_cleared(decisive.run, runs))
    last = runs[-1]
    if decisive.run.outcome in (FAILED, UNREAD) or last.run.outcome in (GOOD, OTHER):
        return Verdict(decisive, told)
    # If earlier runs reported their results, and this one doesn't, it was killed.
    known = last.run.outcome == OPEN and any(r.run.statistics for r in runs[:-1])
    killed = last.run.uploading or known
    kind = Kind.KILLED if killed else Kind.UNCLEAR
    return Verdict(last, (Told(kind, ""), *told))


def _not_cleared(good: Run, runs: Iterable[Logged]) -> Iterator[Told]:
    """Yield the failure minutes before a good run, if that run may be another job's.

    If the same job was repeated, as many runs were good as there are jobs.
    """
    sitting = good.sitting
    jobs = max(1, *(run.run.sitting.usual for run in runs))
    if good.outcome == GOOD and sitting.failure and sitting.good != jobs:
        yield Told(Kind.SEVERAL_JOBS, sitting.failure)


def restored(found: Sequence[Verdict], complete: datetime | None) -> list[Verdict]:
    """Return the verdicts without a failure that a later complete set has made good.

    The set is in the archive directory of one job, so it proves nothing if there are several.
    """
    if complete is None or len(found) != 1:
        return list(found)
    if complete.timestamp() <= (found[0].run.time or 0) + _until_own_set(found[0]):
        return list(found)
    good = found[0].run._replace(time=complete.timestamp(), run=Run(GOOD))
    return [Verdict(good, ())]


def _until_own_set(verdict: Verdict) -> float:
    """Return the seconds from a run's time within which a complete set may be its own.

    A failed run has judged its own set. A silent run was mailed just after its set was complete; a
    good one counted its statistics before it sent the last volume.
    """
    if verdict.failed:
        return 0
    if verdict.run.run.outcome == NOTHING:
        return -_MEANWHILE
    return _LAST_VOLUME if verdict.run.run.outcome == GOOD else 0


def vouching(found: Sequence[Verdict], *, by_mail: bool) -> datetime | None:
    """Return when the newest run of a job ended, if it was good and had nothing to back up.

    Seen on 2.1.5 to 3.2.1 with ``--skip-if-no-change``: only its output shows such a run. Anybody
    can send a mail: it counts only if the job is otherwise known to do this, ``by_mail``.
    """
    if len(found) != 1 or found[0].failed or not found[0].run.run.skipped:
        return None
    if found[0].run.host and not by_mail:
        return None
    if any(item.kind in (Kind.KILLED, Kind.UNCLEAR) for item in found[0].told):
        return None
    return datetime.fromtimestamp(found[0].run.time or 0, timezone.utc)


def backed_up(found: Sequence[Verdict]) -> float | None:
    """Return the time of a job's newest run, if its output shows a good backup.

    In seconds since the epoch; ``None`` if there are several jobs.
    """
    if len(found) != 1 or found[0].failed or not found[0].run.run.statistics:
        return None
    return found[0].run.time if found[0].run.run.outcome == GOOD else None


def by_archive(complete: datetime | None, since: float, job: str) -> list[Verdict]:
    """Return the verdict on a job without output, by its archive directory alone."""
    if complete is None or complete.timestamp() < since:
        return []
    run = Logged(
        job=job, name=job, user="", host="", command="", time=complete.timestamp(),
        whole=True, sure=True, run=Run(GOOD),
    )  # fmt: skip
    return [Verdict(run, ())]


def last_runs(
    runs: Iterable[Logged],
    since: float,
    running: Container[str],
    complete: datetime | None,
    job: str,
) -> list[Verdict]:
    """Return the verdicts on all jobs, by their runs and by the archive directory of the one job.

    ``complete`` is when its newest restorable backup was completed, if known. For the other
    arguments see `verdicts` and `by_archive`.
    """
    found = restored(verdicts(runs, since, running), complete)
    return found or by_archive(complete, since, job)


def not_made_out(found: Iterable[Verdict]) -> CannotSee | None:
    """Return why the state is unknown, if the end of a job's output can't be interpreted.

    ``None`` if any job has failed: that is the worse news.
    """
    found = list(found)
    unread = next((verdict for verdict in found if verdict.unread), None)
    if unread is None or any(verdict.failed for verdict in found):
        return None
    line = next(item.line for item in unread.told if item.kind is Kind.NOT_RECOGNISED)
    reason = f"{unread.run.name}: the last words can't be understood: {line}"
    return CannotSee(Kind.NOT_RECOGNISED, reason)


def no_news(runs: Sequence[Logged], running: Iterable[str], now: datetime, back: str) -> CannotSee:
    """Return why there is nothing to judge: no news is bad news."""
    times = [run.time for run in runs if run.sure and run.time is not None]
    jobs = sorted(running)
    if jobs:
        reason = f"the first run in {jobs[0]} is in progress, so nothing is known yet"
    elif times:
        age = format_age(now.timestamp() - max(times))
        reason = f"no run of duplicity within {back}, the newest was {age} ago"
    else:
        reason = "no run of duplicity in what was read"
    return CannotSee(Kind.NO_NEWS, reason)


def measure(
    found: Sequence[Verdict], runs: Sequence[Logged], since: float, now: datetime
) -> Iterator[Measure]:
    """Yield the numbers of jobs and findings, and those of the newest statistics."""
    yield Measure("runs", len(found), said=_said(found, now))
    yield Measure("failed", sum(verdict.failed for verdict in found))
    for name, kinds in (
        ("orphaned", (Kind.ORPHANED, Kind.ORPHANED_SIGNATURES)),
        ("incomplete", (Kind.INCOMPLETE, Kind.UNMATCHED_SIGNATURES)),
    ):
        yield Measure(name, sum(any(t.kind in kinds for t in v.told) for v in found))
    yield _errors(found)
    names = {verdict.run.job: verdict.run.name for verdict in found}
    counted = [run for run in runs if run.run.statistics and (run.time or 0) >= since]
    newest = {run.job: run for run in counted if run.job in names}
    of_job: dict[str, list[Run]] = {job: [] for job in newest}
    for other in runs:
        if other.job in of_job:
            of_job[other.job].append(other.run)
    for run in newest.values():
        past = extents_of(of_job[run.job])
        for each in _of_statistics(run._replace(name=names[run.job]), past):
            yield each._replace(job=run.job, graphed=run is counted[-1])


def _errors(found: Sequence[Verdict]) -> Measure:
    """Return how many files could not be read; the finding is about the job with the most."""
    of_jobs = [(v.run.run.statistics.errors, v.run) for v in found if v.run.run.statistics]
    total = sum(errors for errors, _ in of_jobs)
    if not of_jobs:
        return Measure("errors", 0, "", "no file was unreadable", Kind.SKIPPED, "")
    worst, run = max(of_jobs, key=lambda pair: pair[0])
    text = f"{run.name}: {worst} {'file' if worst == 1 else 'files'} could not be read"
    return Measure("errors", total, "", text, Kind.SKIPPED, "", run.job)


def _of_statistics(run: Logged, past: Sequence[Past]) -> Iterator[Measure]:
    """Yield the numbers of a run's statistics, and by how much its source has shrunk."""
    statistics = run.run.statistics
    if statistics is None:
        return
    if statistics.start is not None and statistics.end is not None:
        seconds = max(0, round(statistics.end - statistics.start))
        text = f"{run.name}: the run took {format_age(seconds)}"
        yield Measure("duration", seconds, "s", text, Kind.DURATION, "")
    for name, size, kind, what in (
        ("source_size", statistics.source_size, Kind.SOURCE_SIZE, "the source has"),
        ("backup_size", statistics.backup_size, Kind.BACKUP_SIZE, "the run has backed up"),
    ):
        if size is not None:
            yield Measure(name, size, "B", f"{run.name}: {what} {format_size(size)}", kind, "")
    for name, count in (
        ("files", statistics.entries),
        ("new", statistics.new),
        ("changed", statistics.changed),
        ("deleted", statistics.deleted),
    ):
        if count is not None:
            yield Measure(name, count)
    if statistics.end is None:
        return
    newest = _extent(Past(statistics.end, statistics.entries, statistics.source_size))
    shrinkage = shrunk(newest, map(_extent, past))
    if shrinkage is not None:
        text = f"{run.name}: the newest run found {shrinkage}"
        yield Measure("shrunk", shrinkage.percent, "%", text, Kind.SHRUNK, "")


def _extent(past: Past) -> Extent:
    time = datetime.fromtimestamp(past.end, timezone.utc)
    return Extent(time, entries=past.entries, size=past.size)


def _said(found: Sequence[Verdict], now: datetime) -> str:
    """Return the text of the status line when all is well."""
    if not found:
        return ""
    newest, oldest = (_age(verdict, now) for verdict in (found[0], found[-1]))
    if len(found) == 1:
        how = "good" if found[0].run.run.outcome == GOOD else "ended without complaint"
        return f"{found[0].run.name}: {how} {newest} ago"
    return f"{len(found)} jobs good, the last run of each {newest} to {oldest} ago"


def _age(verdict: Verdict, now: datetime) -> str:
    return format_age(max(0, now.timestamp() - (verdict.run.time or 0)))


def judge(
    found: Iterable[Verdict], now: datetime, *, errors_have_limits: bool = False
) -> Iterator[Finding]:
    """Yield the findings of all verdicts; unread files only if they have no limits."""
    for verdict in found:
        age = _age(verdict, now)
        for item in verdict.told:
            if item.kind is Kind.NOT_RECOGNISED:
                continue  # See `not_made_out`.
            counted = verdict.run.run.statistics
            if errors_have_limits and item.kind is Kind.SKIPPED and counted and counted.errors:
                continue
            sentence = SENTENCES[item.kind]
            if verdict.run.run.outcome in (FAILED, OPEN) and item.kind in _FAILED_KINDS:
                why = (item.kind == Kind.RUN_FAILED and item.line) or sentence
                what = f"failed ({verdict.run.run.aside})" if verdict.run.run.aside else "failed"
                text = f"{verdict.run.name}: {what} {age} ago, {why}"
                text += "; the backup of the same run is good" if verdict.run.run.backed_up else ""
            else:
                text = f"{verdict.run.name}: {sentence}, {age} ago"
            yield Finding(item.kind, state_of(item.kind), text, verdict.run.job, item.line)


def details(found: Iterable[Verdict], verbose: int) -> Iterator[str]:
    """Yield lines on each run, if there is more than one, or with -v."""
    found = list(found)
    if len(found) == 1 and not verbose:
        return
    for verdict in found:
        run = verdict.run
        whose = f" ({run.user}@{run.host})" if run.host else ""
        time = format_time(datetime.fromtimestamp(run.time or 0, timezone.utc))
        outcome = "failed" if verdict.failed else "good" if run.run.outcome == GOOD else "ended"
        outcome += ", with warnings" if verdict.told and not verdict.failed else ""
        if verdict.told or verbose:
            yield f"{run.name}{whose}, {time}: {outcome}"
