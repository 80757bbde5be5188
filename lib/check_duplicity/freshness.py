"""Judge a collection: how old, how healthy? Pure: the same values and clock, the same answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from check_duplicity.collection import BackupSet, Chain, Collection
from check_duplicity.findings import CannotSee, Finding, Kind, Measure, State
from check_duplicity.limits import format_age

# A backup may begin and end between reading the clock and reading the destination.
_CLOCK_TOLERANCE = timedelta(minutes=1)

COUNTS: dict[str, Callable[[Collection], int]] = {
    "chains": lambda collection: len(collection.chains),
    "volumes": lambda collection: sum(s.volumes for s in collection.sets),
    "orphaned": lambda collection: collection.orphaned,
    "incomplete": lambda collection: collection.incomplete,
    "missing_volumes": lambda collection: sum(s.missing_volumes for s in collection.sets),
}
"""The counts that are always there as performance data, and have no limits."""


def measure(collection: Collection, now: datetime) -> Iterator[Measure]:
    """Yield the numbers; the ages only if there is a backup. Only what can be restored counts."""
    newest = _newest(collection, now)
    if newest is not None:
        chain, backup_set = newest
        age = _seconds(now - backup_set.time)
        yield Measure("age", age, "s", f"last backup {_ago(age)}", Kind.STALE)
        full_age = _seconds(now - _newest_full(collection, now).time)
        yield Measure("full_age", full_age, "s", f"last full {_ago(full_age)}", Kind.STALE_FULL)
        length = chain.restorable.index(backup_set) + 1
        text = f"chain of {length} {_plural(length, 'set')}"
        yield Measure("chain_length", length, text=text, kind=Kind.CHAIN)
    for name, count in COUNTS.items():
        yield Measure(name, count(collection))


def judge(
    collection: Collection, now: datetime, *, require_encryption: bool = False
) -> Iterator[Finding]:
    """Yield what is wrong, apart from the numbers.

    Raises `CannotSee` if encryption is required and the source does not tell it.
    """
    newest = _newest(collection, now)
    damaged = [backup_set for backup_set in collection.sets if backup_set.missing]
    if collection.nowhere:
        text = f"there is no directory {collection.nowhere}"
        yield Finding(Kind.NO_DESTINATION, State.CRITICAL, text)
    elif damaged:
        yield Finding(Kind.MISSING_VOLUMES, State.CRITICAL, _damage(damaged))
    elif newest is None:
        yield Finding(Kind.NO_BACKUP, State.CRITICAL, _no_backup(collection))
    if newest is not None and require_encryption and not _encrypted(newest[1]):
        text = f"backup of {format_time(newest[1].time)} is not encrypted"
        yield Finding(Kind.NOT_ENCRYPTED, State.CRITICAL, text)
    yield from _leftovers(collection, now)


def encrypted(collection: Collection) -> bool | None:
    """Whether the newest complete set is encrypted; ``None`` if that is not known."""
    newest = max(collection.sets, key=lambda backup_set: backup_set.time, default=None)
    return newest.encrypted if newest else None


def details(collection: Collection, problem: str, verbosity: int) -> Iterator[str]:
    """Yield what is said on request: at 1 what wasn't seen and the chains, at 2 every set."""
    if verbosity < 1:
        return
    if problem:
        yield f"Not seen: {problem}"
    for chain in collection.chains:
        first, last = chain.sets[0], chain.sets[-1]
        count = f"{len(chain.sets)} {_plural(len(chain.sets), 'set')}"
        yield f"Chain of {count}, {format_time(first.time)} to {format_time(last.time)}"
        if verbosity > 1:
            yield from (_row(backup_set) for backup_set in chain.sets)
    if collection.unfinished is not None:
        yield "Unfinished:"
        yield _row(collection.unfinished)


def _row(backup_set: BackupSet) -> str:
    words = ["full" if backup_set.full else "incremental", format_time(backup_set.time)]
    words.append(f"{backup_set.volumes} {_plural(backup_set.volumes, 'volume')}")
    if backup_set.encrypted is not None:
        words.append("encrypted" if backup_set.encrypted else "not encrypted")
    if backup_set.missing:
        words.append(f"{backup_set.missing_volumes} missing")
    return "  " + ", ".join(words)


def format_time(time: datetime) -> str:
    """Return a time as it is printed: local, with its zone."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _leftovers(collection: Collection, now: datetime) -> Iterator[Finding]:
    unfinished = collection.unfinished
    times = [backup_set.time for backup_set in collection.sets]
    newest = max(times + ([unfinished.time] if unfinished else []), default=now)
    if newest > now + _CLOCK_TOLERANCE:
        text = f"newest backup is of {format_time(newest)}, in the future"
        yield Finding(Kind.FUTURE, State.WARNING, text)
    incomplete = collection.incomplete
    if unfinished and unfinished.time == newest:
        incomplete -= 1
        done = f"after {unfinished.volumes} {_plural(unfinished.volumes, 'volume')}"
        text = f"backup of {format_time(unfinished.time)} is unfinished, {done}"
        yield Finding(Kind.UNFINISHED, State.WARNING, text)
    if collection.orphaned:
        text = f"{collection.orphaned} orphaned backup {_plural(collection.orphaned, 'set')}"
        yield Finding(Kind.ORPHANED, State.WARNING, text)
    if incomplete > 0:
        text = f"{incomplete} incomplete backup {_plural(incomplete, 'set')} left over"
        yield Finding(Kind.INCOMPLETE, State.WARNING, text)


def _newest(collection: Collection, now: datetime) -> tuple[Chain, BackupSet] | None:
    """The newest set that can be restored, with its chain.

    A set from the future does not vouch for today: it counts only if there is no other.
    """
    candidates = [(chain, s) for chain in collection.chains for s in chain.restorable]
    return max(candidates, key=lambda found: _rank(found[1], now), default=None)


def _newest_full(collection: Collection, now: datetime) -> BackupSet:
    fulls = (chain.restorable[0] for chain in collection.chains if chain.restorable)
    return max(fulls, key=lambda full: _rank(full, now))


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


def _no_backup(collection: Collection) -> str:
    if collection.other_prefixes and not collection.chains:
        prefixes = ", ".join(map(repr, collection.other_prefixes[:3]))
        return f"no complete backup; there are files of other jobs, with prefix {prefixes}"
    return "no complete backup"


def _ago(seconds: int) -> str:
    return f"{format_age(seconds)} ago" if seconds >= 0 else f"{format_age(seconds)} in the future"


def _seconds(age: timedelta) -> int:
    return int(age.total_seconds())


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else noun + "s"
