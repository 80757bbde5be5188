"""Judge the age and the health of a collection. Pure: the clock is an argument."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from check_duplicity.destination.model import Seen
from check_duplicity.destination.spoiled import spoiled_files
from check_duplicity.duplicity.collection import BackupSet, Chain, Collection
from check_duplicity.duplicity.contents import Extent, extents, shrunk
from check_duplicity.duplicity.invocation import Running
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.evaluation import Evaluation, evaluate
from check_duplicity.nagios.findings import CannotSee, Finding, Kind, State
from check_duplicity.nagios.limits import format_age, format_time, plural
from check_duplicity.nagios.measures import Limits, Measure
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

# A backup may begin and end after the clock was read and before the destination is.
_CLOCK_TOLERANCE = timedelta(minutes=1)
# The default of check_duplicity_process, too.
_LONGEST_RUN = timedelta(hours=24)
_DAMAGE = (
    Kind.NO_DESTINATION, Kind.MISSING_VOLUMES, Kind.SPOILED, Kind.DOUBLED, Kind.MISSING_MANIFEST,
    Kind.FULL_GONE, Kind.NO_BACKUP,
)  # fmt: skip
_STAMP = "%Y%m%dT%H%M%SZ"

COUNTS: dict[str, Callable[[Collection], int]] = {
    "chains": lambda collection: len(collection.chains),
    "volumes": lambda collection: sum(s.volumes for s in collection.sets),
    "orphaned": lambda collection: collection.orphaned,
    "incomplete": lambda collection: collection.incomplete,
    "missing_volumes": lambda collection: sum(s.missing_volumes for s in collection.sets),
}
"""The counts that are always in the performance data, and have no limits."""


def evaluated(
    seen: Seen, options: Namespace, now: datetime, vouched: datetime | None = None
) -> Evaluation:
    """Judge what was seen by the options of check_duplicity_freshness.

    ``vouched`` is when the job's newest run ended, if that was good and had nothing to back up.
    """
    in_time = _in_time(seen.running, now)
    worst = State.WARNING if in_time else State.CRITICAL
    found = judge(
        seen.collection,
        now,
        seen.running,
        sure=seen.sure,
        require_encryption=options.require_encryption,
    )
    limits = {
        "age": Limits(options.warning, options.critical, worst),
        "full_age": Limits(options.full_warning, options.full_critical),
        "chain_length": Limits(options.chain_warning, options.chain_critical),
        "fulls": Limits(options.fulls_warning, options.fulls_critical),
        "history": Limits(options.history_warning, options.history_critical),
        "shrunk": Limits(options.shrunk_warning, options.shrunk_critical),
    }
    return evaluate(measure(seen.collection, now, seen.running, vouched), found, limits)


def measure(
    collection: Collection,
    now: datetime,
    running: Running | None = None,
    vouched: datetime | None = None,
) -> Iterator[Measure]:
    """Yield the numbers; the ages only if there is a backup. Only what can be restored counts."""
    newest = _newest(collection, now)
    if newest is not None:
        chain, backup_set = newest
        age = _seconds(now - backup_set.time)
        text = f"last backup {_ago(age)}"
        if vouched is not None and backup_set.time < vouched <= now:
            age = _seconds(now - vouched)
            text += f", nothing changed since (run {_ago(age)})"
        yield Measure("age", age, "s", text, _stale(running, now))
        full_age = _seconds(now - _newest_full(collection, now).time)
        yield Measure("full_age", full_age, "s", f"last full {_ago(full_age)}", Kind.STALE_FULL)
        length = chain.restorable.index(backup_set) + 1
        text = f"chain of {length} {plural(length, 'set')}"
        yield Measure("chain_length", length, text=text, kind=Kind.CHAIN)
        yield from _kept(collection, now)
        yield from _contents(collection, backup_set)
    for name, count in COUNTS.items():
        yield Measure(name, count(collection))


def _kept(collection: Collection, now: datetime) -> Iterator[Measure]:
    """Yield how many full backups can be restored, and how old the oldest is."""
    fulls = [chain.restorable[0] for chain in collection.chains if chain.restorable]
    text = f"{len(fulls)} full {plural(len(fulls), 'backup')} kept"
    yield Measure("fulls", len(fulls), text=text, kind=Kind.FULLS, said="")
    back = max(0, _seconds(now - min(map(_time, fulls))))
    text = f"the oldest backup is {format_age(back)} old"
    yield Measure("history", back, "s", text, Kind.HISTORY, said="")


def _contents(collection: Collection, newest: BackupSet) -> Iterator[Measure]:
    """Yield how much of the source the newest backup has, as far as the archive directory tells."""
    extent, everything = _extents(collection, newest)
    files = extent.entries if extent.files is None else extent.files
    if files is not None:
        yield Measure("files", files)
    if extent.size is not None:
        yield Measure("source_size", extent.size, "B")
    if newest.manifest and newest.manifest.files:
        yield Measure("deleted", newest.manifest.files.deleted)
    elif newest.statistics:
        yield Measure("deleted", newest.statistics.deleted)
    shrinkage = shrunk(extent, everything)
    if shrinkage is not None:
        text = f"backup of {format_time(newest.time)} has {shrinkage}"
        yield Measure("shrunk", shrinkage.percent, "%", text, Kind.SHRUNK, said="")


def judge(
    collection: Collection,
    now: datetime,
    running: Running | None = None,
    *,
    sure: bool = True,
    require_encryption: bool = False,
) -> Iterator[Finding]:
    """Yield what is wrong, apart from the numbers.

    ``sure`` tells that no other backup can be running. Raises `CannotSee` if encryption is required
    and the source doesn't show whether there is any.
    """
    newest = _newest(collection, now)
    if collection.nowhere:
        text = f"there is no directory {collection.nowhere}"
        yield Finding(Kind.NO_DESTINATION, State.CRITICAL, text)
    elif collection.gone:
        text = f"the destination is not there: {collection.gone}"
        yield Finding(Kind.NO_DESTINATION, State.CRITICAL, text)
    else:
        yield from _damaged(collection, newest)
        yield from _no_backup(collection, newest, _in_time(running, now))
    if newest is not None and require_encryption and not _encrypted(newest[1]):
        text = f"backup of {format_time(newest[1].time)} is not encrypted"
        yield Finding(Kind.NOT_ENCRYPTED, State.CRITICAL, text)
    yield from _leftovers(collection, now, running is not None, sure)


def damage(seen: Seen, now: datetime) -> list[Finding]:
    """Return what keeps the newest backup from being restored, as far as names and sizes tell."""
    found = judge(seen.collection, now, seen.running, sure=seen.sure)
    return [f for f in found if f.kind in (*_DAMAGE, Kind.IN_PROGRESS)]


def newest_sets(collection: Collection, now: datetime) -> tuple[BackupSet, ...]:
    """Return the sets that restoring the newest backup reads: a full one and its increments."""
    newest = _newest(collection, now)
    if newest is None:
        return ()
    chain, backup_set = newest
    return chain.restorable[: chain.restorable.index(backup_set) + 1]


def volumes_of_newest(collection: Collection, now: datetime) -> dict[datetime, int]:
    """Return how many volumes each of the newest chain's sets has, by its time; none is missing."""
    return {one.time: one.volumes for one in newest_sets(collection, now)}


def _damaged(collection: Collection, newest: tuple[Chain, BackupSet] | None) -> Iterator[Finding]:
    damaged = [backup_set for backup_set in collection.sets if backup_set.missing]
    if damaged:
        newer = newest is not None and all(s.time < newest[0].sets[0].time for s in damaged)
        kind = Kind.OLD_DAMAGE if newer else Kind.MISSING_VOLUMES
        yield Finding(kind, State.CRITICAL, _damage(damaged))
    yield from _spoiled(collection, newest)
    doubled = max((s for s in collection.sets if s.doubled), key=_time, default=None)
    if doubled is not None:
        files = f"{doubled.doubled} {plural(doubled.doubled, 'file')}"
        text = f"backup of {format_time(doubled.time)} has {files} twice"
        yield Finding(Kind.DOUBLED, State.CRITICAL, text)
    # Older ones may be partly removed: duplicity removes manifests first.
    lost = [s for s in collection.lost if all(other.time < s.time for other in collection.sets)]
    if lost:
        text = f"backup of {format_time(lost[-1].time)} has lost its manifest"
        yield Finding(Kind.MISSING_MANIFEST, State.CRITICAL, text)


def _spoiled(collection: Collection, newest: tuple[Chain, BackupSet] | None) -> Iterator[Finding]:
    """Yield a finding on the newest set with empty or truncated files; certain ones go first."""
    spoiled = [backup_set for backup_set in collection.sets if backup_set.spoiled]
    if not spoiled:
        return
    sure = [s for s in spoiled if any(file.sure for file in s.spoiled)]
    worst = max(sure or spoiled, key=_time)
    newer = newest is not None and all(s.time < newest[0].sets[0].time for s in spoiled)
    kind = Kind.OLD_DAMAGE if sure and newer else Kind.SPOILED
    others = _and_more(len(spoiled) - 1)
    text = f"backup of {format_time(worst.time)}: {spoiled_files(worst)}{others}"
    yield Finding(kind, State.CRITICAL if sure else State.WARNING, text)


def _no_backup(
    collection: Collection, newest: tuple[Chain, BackupSet] | None, in_time: bool
) -> Iterator[Finding]:
    lost = f" of {format_time(collection.lost_full)}" if collection.lost_full else ""
    other = newest is not None or any(backup_set.damaged for backup_set in collection.sets)
    if other and lost:
        text = f"the full backup{lost} is gone, and what builds on it can't be restored"
        yield Finding(Kind.FULL_GONE, State.CRITICAL, text)
    if other:
        return
    kind, state, text = Kind.NO_BACKUP, State.CRITICAL, "no complete backup"
    if in_time:
        kind, state, text = Kind.IN_PROGRESS, State.WARNING, "no complete backup yet"
    elif collection.orphaned or lost:
        others = " that others build on" * (collection.orphaned > 0)
        kind, text = Kind.FULL_GONE, f"no complete backup: the full one{lost}{others} is gone"
    elif collection.other_prefixes:
        prefixes = ", ".join(repr(prefix[:40]) for prefix in collection.other_prefixes[:3])
        text = f"no complete backup; there are files of other jobs, with prefix {prefixes}"
    elif not collection.incomplete:
        text = "no backup: no duplicity files there"
    yield Finding(kind, state, text)


def with_collection(job: Job, collection: Collection, now: datetime) -> Job:
    """Return a job with the times of its collection that its commands need, as duplicity's."""
    newest = _newest(collection, now)
    encrypted = job.encrypted if collection.encrypted is None else collection.encrypted
    job = job._replace(encrypted=encrypted, directory=collection.nowhere)
    last = _last(collection)
    if last:
        job = job._replace(stamp=_stamp(last))
    if newest is None:
        return job
    before = _whole_before(collection, newest[1])
    return job._replace(
        kept=_stamp(newest[0].sets[0].time), before=_stamp(before) if before else ""
    )


def _whole_before(collection: Collection, newest: BackupSet) -> datetime | None:
    """Return the time of the last set before the source shrank, if it did."""
    extent, everything = _extents(collection, newest)
    shrinkage = shrunk(extent, everything)
    if shrinkage is None:
        return None
    least = (shrinkage.before + shrinkage.now) / 2
    sizes = [(other.time, getattr(other, shrinkage.what)) for other in everything]
    whole = [time for time, size in sizes if time < newest.time and (size or 0) > least]
    return max(whole, default=None)


def _extents(collection: Collection, newest: BackupSet) -> tuple[Extent, list[Extent]]:
    """Return the extent of the newest set, and the extents of all sets."""
    everything = extents(collection.chains)
    return next(extent for extent in everything if extent.time == newest.time), everything


def _stamp(time: datetime) -> str:
    return f"{time:{_STAMP}}"


def details(collection: Collection, problem: str, verbosity: int) -> Iterator[str]:
    """Yield what wasn't seen; with verbosity 1 the chains, too, with 2 every set."""
    if problem:
        yield f"Not seen: {problem}"
    if verbosity < 1:
        return
    for backup_set in filter(_is_uncounted, collection.sets[-1:]):
        time = format_time(backup_set.time)
        yield f"Not seen: how many files are in the backup of {time}: its manifest is too large"
    for chain in collection.chains:
        first, last = chain.sets[0], chain.sets[-1]
        count = f"{len(chain.sets)} {plural(len(chain.sets), 'set')}"
        yield f"Chain of {count}, {format_time(first.time)} to {format_time(last.time)}"
        if verbosity > 1:
            yield from (_row(backup_set) for backup_set in chain.sets)
    if collection.unfinished is not None:
        yield "Unfinished set:"
        yield _row(collection.unfinished)


def _row(backup_set: BackupSet) -> str:
    words = ["full" if backup_set.full else "incremental", format_time(backup_set.time)]
    words.append(f"{backup_set.volumes} {plural(backup_set.volumes, 'volume')}")
    if backup_set.encrypted is not None:
        words.append("encrypted" if backup_set.encrypted else "not encrypted")
    if backup_set.missing:
        words.append(f"{backup_set.missing_volumes} missing")
    manifest = backup_set.manifest
    if manifest and backup_set.full and manifest.entries:
        words.append(f"{manifest.entries} {plural(manifest.entries, 'file')}")
    elif manifest and manifest.files and not backup_set.full:
        new, changed, deleted = manifest.files
        words.append(f"files: {new} new, {changed} changed, {deleted} deleted")
    if backup_set.spoiled:
        words.append(spoiled_files(backup_set))
    return "  " + ", ".join(words)


def _is_uncounted(backup_set: BackupSet) -> bool:
    manifest = backup_set.manifest
    return bool(manifest and manifest.entries and not manifest.files and not backup_set.full)


def _stale(running: Running | None, now: datetime) -> Kind:
    return Kind.IN_PROGRESS if _in_time(running, now) else Kind.STALE


def _in_time(running: Running | None, now: datetime) -> bool:
    """Return whether a backup is within the run time that check_duplicity_process allows."""
    since = running and running.since
    return since is not None and now - since <= _LONGEST_RUN


def _leftovers(
    collection: Collection, now: datetime, running: bool, sure: bool
) -> Iterator[Finding]:
    unfinished = _newest_unfinished(collection)
    newest = _last(collection)
    if newest and newest > now + _CLOCK_TOLERANCE:
        text = f"newest backup is dated {format_time(newest)}, in the future"
        yield Finding(Kind.FUTURE, State.WARNING, text)
    incomplete = collection.incomplete
    if unfinished:
        incomplete -= 1
        if not running and not unfinished.manifest_lost:
            alone = not collection.sets and not incomplete and not collection.orphaned
            which = "the first" if alone else f"backup of {format_time(unfinished.time)}"
            text = f"{which} {_stopped(unfinished, sure)}"
            text += _the_one_before(collection, now)
            kind = Kind.DISCARDED if unfinished.complete else Kind.INTERRUPTED
            yield Finding(kind, State.WARNING, text)
    if collection.orphaned:
        text = f"{collection.orphaned} orphaned backup {plural(collection.orphaned, 'set')}"
        yield Finding(Kind.ORPHANED, State.WARNING, text)
    if incomplete > 0:
        text = f"{incomplete} incomplete backup {plural(incomplete, 'set')} left over"
        yield Finding(Kind.INCOMPLETE, State.WARNING, text)


def _last(collection: Collection) -> datetime | None:
    """The time of the newest set, complete or not."""
    unfinished = _newest_unfinished(collection)
    return unfinished.time if unfinished else max(map(_time, collection.sets), default=None)


def _newest_unfinished(collection: Collection) -> BackupSet | None:
    """Return the unfinished set, if it is newer than all complete ones."""
    unfinished = collection.unfinished
    newer = unfinished and all(s.time < unfinished.time for s in collection.sets)
    return unfinished if newer else None


def _stopped(unfinished: BackupSet, sure: bool) -> str:
    if unfinished.complete:
        return "has no signature file: duplicity ignores it"
    volumes = f"after {unfinished.volumes} {plural(unfinished.volumes, 'volume')}"
    return f"was interrupted {volumes}" if sure else f"is unfinished {volumes}, maybe still running"


def _the_one_before(collection: Collection, now: datetime) -> str:
    newest = _newest(collection, now)
    return f", last complete one {_ago(_seconds(now - newest[1].time))}" if newest else ""


def _newest(collection: Collection, now: datetime) -> tuple[Chain, BackupSet] | None:
    """Return the newest set that can be restored, with its chain.

    A set from the future does not vouch for today: it counts only if there is no other.
    """
    candidates = [(chain, s) for chain in collection.chains for s in chain.restorable]
    return max(candidates, key=lambda found: _rank(found[1], now), default=None)


def _newest_full(collection: Collection, now: datetime) -> BackupSet:
    fulls = (chain.restorable[0] for chain in collection.chains if chain.restorable)
    return max(fulls, key=lambda full: _rank(full, now))


def _time(backup_set: BackupSet) -> datetime:
    return backup_set.time


def _rank(backup_set: BackupSet, now: datetime) -> tuple[bool, datetime]:
    return backup_set.time <= now + _CLOCK_TOLERANCE, backup_set.time


def _encrypted(backup_set: BackupSet) -> bool:
    if backup_set.encrypted is None:
        reason = "whether the backup is encrypted shows only at the destination"
        raise CannotSee(Kind.NOT_RECOGNISED, reason)
    return backup_set.encrypted


def _damage(damaged: list[BackupSet]) -> str:
    worst = max(damaged, key=lambda backup_set: backup_set.time)
    total = worst.volumes + worst.missing_volumes
    numbers = ", ".join(map(_numbers, worst.missing[:3])) + (", …" if worst.missing[3:] else "")
    text = f"backup of {format_time(worst.time)} lacks {plural(worst.missing_volumes, 'volume')}"
    others = _and_more(len(damaged) - 1)
    return f"{text} {numbers} of {total}{others}"


def _numbers(numbers: range) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"


def _ago(seconds: int) -> str:
    return f"{format_age(seconds)} ago" if seconds >= 0 else f"{format_age(seconds)} in the future"


def _seconds(age: timedelta) -> int:
    """Return an age in seconds; a backup whose clock was a little ahead was made just now."""
    return 0 if -_CLOCK_TOLERANCE <= age < timedelta() else int(age.total_seconds())


def _and_more(count: int) -> str:
    return f", and {count} more {plural(count, 'backup')}" if count else ""
