"""Judge a collection: how old, how healthy? Pure: the same values and clock, the same answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from check_duplicity.destination.model import Seen
from check_duplicity.duplicity.collection import BackupSet, Chain, Collection
from check_duplicity.duplicity.invocation import Running
from check_duplicity.nagios.evaluation import Evaluation, evaluate
from check_duplicity.nagios.findings import CannotSee, Finding, Kind, State
from check_duplicity.nagios.limits import format_age, format_time
from check_duplicity.nagios.measures import Limits, Measure
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

# A backup may begin and end between reading the clock and reading the destination.
_CLOCK_TOLERANCE = timedelta(minutes=1)
# The same as check_duplicity_process' default.
_LONGEST_RUN = timedelta(hours=24)
_STAMP = "%Y%m%dT%H%M%SZ"

COUNTS: dict[str, Callable[[Collection], int]] = {
    "chains": lambda collection: len(collection.chains),
    "volumes": lambda collection: sum(s.volumes for s in collection.sets),
    "orphaned": lambda collection: collection.orphaned,
    "incomplete": lambda collection: collection.incomplete,
    "missing_volumes": lambda collection: sum(s.missing_volumes for s in collection.sets),
}
"""The counts that are always there as performance data, and have no limits."""


def evaluated(seen: Seen, options: Namespace, now: datetime) -> Evaluation:
    """Judge what was seen by the options of check_duplicity_freshness."""
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
    }
    return evaluate(measure(seen.collection, now, seen.running), found, limits)


def measure(
    collection: Collection, now: datetime, running: Running | None = None
) -> Iterator[Measure]:
    """Yield the numbers; the ages only if there is a backup. Only what can be restored counts."""
    newest = _newest(collection, now)
    if newest is not None:
        chain, backup_set = newest
        age = _seconds(now - backup_set.time)
        yield Measure("age", age, "s", f"last backup {_ago(age)}", _stale(running, now))
        full_age = _seconds(now - _newest_full(collection, now).time)
        yield Measure("full_age", full_age, "s", f"last full {_ago(full_age)}", Kind.STALE_FULL)
        length = chain.restorable.index(backup_set) + 1
        text = f"chain of {length} {_plural(length, 'set')}"
        yield Measure("chain_length", length, text=text, kind=Kind.CHAIN)
    for name, count in COUNTS.items():
        yield Measure(name, count(collection))


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
    and the source does not tell it.
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


def _damaged(collection: Collection, newest: tuple[Chain, BackupSet] | None) -> Iterator[Finding]:
    damaged = [backup_set for backup_set in collection.sets if backup_set.missing]
    if damaged:
        newer = newest is not None and all(s.time < newest[0].sets[0].time for s in damaged)
        kind = Kind.OLD_DAMAGE if newer else Kind.MISSING_VOLUMES
        yield Finding(kind, State.CRITICAL, _damage(damaged))
    doubled = max((s for s in collection.sets if s.doubled), key=_time, default=None)
    if doubled is not None:
        files = f"{doubled.doubled} {_plural(doubled.doubled, 'file')}"
        text = f"backup of {format_time(doubled.time)} has {files} twice"
        yield Finding(Kind.DOUBLED, State.CRITICAL, text)
    # Older ones are being removed, or have been in part: manifests go first.
    lost = [s for s in collection.lost if all(other.time < s.time for other in collection.sets)]
    if lost:
        text = f"backup of {format_time(lost[-1].time)} has lost its manifest"
        yield Finding(Kind.MISSING_MANIFEST, State.CRITICAL, text)


def _no_backup(
    collection: Collection, newest: tuple[Chain, BackupSet] | None, in_time: bool
) -> Iterator[Finding]:
    if newest is not None or any(backup_set.missing for backup_set in collection.sets):
        return
    if in_time:
        yield Finding(Kind.IN_PROGRESS, State.WARNING, "no complete backup yet")
    elif collection.orphaned:
        text = "no complete backup: the full one that others build on is gone"
        yield Finding(Kind.NO_BACKUP, State.CRITICAL, text)
    elif collection.other_prefixes:
        prefixes = ", ".join(repr(prefix[:40]) for prefix in collection.other_prefixes[:3])
        text = f"no complete backup; there are files of other jobs, with prefix {prefixes}"
        yield Finding(Kind.NO_BACKUP, State.CRITICAL, text)
    elif not collection.incomplete:
        yield Finding(Kind.NO_BACKUP, State.CRITICAL, "no backup: there is no file of duplicity's")
    else:
        yield Finding(Kind.NO_BACKUP, State.CRITICAL, "no complete backup")


def newest_stamp(collection: Collection) -> str:
    """Return the time of the newest set of a chain as duplicity writes it; empty without one."""
    return f"{max(map(_time, collection.sets)):{_STAMP}}" if collection.sets else ""


def kept_stamp(collection: Collection, now: datetime) -> str:
    """Return the time of the full set that the newest backup builds on; empty without one."""
    newest = _newest(collection, now)
    return f"{newest[0].sets[0].time:{_STAMP}}" if newest else ""


def details(collection: Collection, problem: str, verbosity: int) -> Iterator[str]:
    """Yield what wasn't seen, and on request more: at 1 the chains, at 2 every set."""
    if problem:
        yield f"Not seen: {problem}"
    if verbosity < 1:
        return
    for chain in collection.chains:
        first, last = chain.sets[0], chain.sets[-1]
        count = f"{len(chain.sets)} {_plural(len(chain.sets), 'set')}"
        yield f"Chain of {count}, {format_time(first.time)} to {format_time(last.time)}"
        if verbosity > 1:
            yield from (_row(backup_set) for backup_set in chain.sets)
    if collection.unfinished is not None:
        yield "Unfinished set:"
        yield _row(collection.unfinished)


def _row(backup_set: BackupSet) -> str:
    words = ["full" if backup_set.full else "incremental", format_time(backup_set.time)]
    words.append(f"{backup_set.volumes} {_plural(backup_set.volumes, 'volume')}")
    if backup_set.encrypted is not None:
        words.append("encrypted" if backup_set.encrypted else "not encrypted")
    if backup_set.missing:
        words.append(f"{backup_set.missing_volumes} missing")
    return "  " + ", ".join(words)


def _stale(running: Running | None, now: datetime) -> Kind:
    return Kind.IN_PROGRESS if _in_time(running, now) else Kind.STALE


def _in_time(running: Running | None, now: datetime) -> bool:
    """Whether a backup runs within the limit at which check_duplicity_process is CRITICAL."""
    since = running and running.since
    return since is not None and now - since <= _LONGEST_RUN


def _leftovers(
    collection: Collection, now: datetime, running: bool, sure: bool
) -> Iterator[Finding]:
    unfinished = _newest_unfinished(collection)
    newest = unfinished.time if unfinished else max(map(_time, collection.sets), default=now)
    if newest > now + _CLOCK_TOLERANCE:
        text = f"newest backup is of {format_time(newest)}, in the future"
        yield Finding(Kind.FUTURE, State.WARNING, text)
    incomplete = collection.incomplete
    if unfinished:
        incomplete -= 1
        if not running and not unfinished.manifest_lost:
            text = f"backup of {format_time(unfinished.time)} {_stopped(unfinished, sure)}"
            text += _the_one_before(collection, now)
            yield Finding(Kind.INTERRUPTED, State.WARNING, text)
    if collection.orphaned:
        text = f"{collection.orphaned} orphaned backup {_plural(collection.orphaned, 'set')}"
        yield Finding(Kind.ORPHANED, State.WARNING, text)
    if incomplete > 0:
        text = f"{incomplete} incomplete backup {_plural(incomplete, 'set')} left over"
        yield Finding(Kind.INCOMPLETE, State.WARNING, text)


def _newest_unfinished(collection: Collection) -> BackupSet | None:
    """The unfinished set, if it is newer than all that are complete."""
    unfinished = collection.unfinished
    newer = unfinished and all(s.time < unfinished.time for s in collection.sets)
    return unfinished if newer else None


def _stopped(unfinished: BackupSet, sure: bool) -> str:
    if unfinished.complete:
        return "has lost its signature file, and doesn't count"
    volumes = f"after {unfinished.volumes} {_plural(unfinished.volumes, 'volume')}"
    return (
        f"was interrupted {volumes}" if sure else f"is unfinished {volumes}, maybe running unseen"
    )


def _the_one_before(collection: Collection, now: datetime) -> str:
    newest = _newest(collection, now)
    return f", last complete one {_ago(_seconds(now - newest[1].time))}" if newest else ""


def _newest(collection: Collection, now: datetime) -> tuple[Chain, BackupSet] | None:
    """The newest set that can be restored, with its chain.

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
    text = f"backup of {format_time(worst.time)} lacks {_plural(worst.missing_volumes, 'volume')}"
    others = f", and {len(damaged) - 1} more" if len(damaged) > 1 else ""
    return f"{text} {numbers} of {total}{others}"


def _numbers(numbers: range) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"


def _ago(seconds: int) -> str:
    return f"{format_age(seconds)} ago" if seconds >= 0 else f"{format_age(seconds)} in the future"


def _seconds(age: timedelta) -> int:
    return int(age.total_seconds())


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else noun + "s"
