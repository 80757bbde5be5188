"""Judge the run time and the progress of running backups. Pure: the clock is an argument.

A backup makes progress if something has grown since an earlier check: CPU time and I/O of the
backup and its children, or its archive directory. Each check keeps plain values for the next one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.nagios.limits import format_age, format_time
from check_duplicity.nagios.measures import Measure
from check_duplicity.processes.model import Process, Sight
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

# The default limits, warning and critical: of the run time, and of the time without progress.
# A waiting process uses some CPU, too: threads that poll every 0.1 s take about a hundredth of one.
_IDLE_CPU = 0.02  # of the time that has passed
_IDLE_IO = 4096  # bytes
_WORTH_SAYING = 60  # seconds without progress, when all is well


def compare(
    running: Sequence[Process], before: Mapping[str, Any], now: datetime
) -> tuple[dict[str, Any], dict[int, float]]:
    """Compare running backups with what an earlier check saw.

    Returns the state for the next check, and for each pid the seconds without progress, 0 if it is
    seen for the first time. ``before`` is the state that was read, and may be malformed.
    """
    after: dict[str, Any] = {}
    still: dict[int, float] = {}
    for process in running:
        # The same pid is the same process only if it was started at the same time.
        key = f"{process.pid}@{process.started.timestamp() if process.started else ''}"
        seen = {
            "cpu": process.progress.cpu,
            "io": process.progress.io,
            "archive": process.progress.archive,
            "time": now.timestamp(),
        }
        since = _still_since(before.get(key), seen)
        if process.started is not None:
            # Not before the process started: an earlier check's clock may have been wrong.
            since = max(since, min(process.started.timestamp(), now.timestamp()))
        after[key] = {**seen, "since": since}
        if since < now.timestamp():
            # The next check compares with the same state again, so that slow growth adds up.
            after[key].update({k: before[key][k] for k in ("cpu", "io", "archive", "time")})
        still[process.pid] = now.timestamp() - since
    return after, still


def _still_since(earlier: object, seen: Mapping[str, float]) -> float:
    """Return the time since when there is no progress: now, if there is some."""
    now = seen["time"]
    if not isinstance(earlier, dict):
        return now
    numbers = [earlier.get(key) for key in ("cpu", "io", "archive", "time", "since")]
    if not all(map(_is_number, numbers)):
        return now
    cpu, io, archive, time, since = (float(number) for number in numbers)  # type: ignore[arg-type]
    passed = now - time
    if passed < 0 or since > time:
        return now  # The clock was set back, or the state is malformed.
    moved = (
        seen["cpu"] - cpu > max(0.05, passed * _IDLE_CPU)
        or seen["io"] - io > _IDLE_IO
        or seen["archive"] != archive
    )
    return now if moved else since


def _is_number(value: object) -> bool:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return plain and math.isfinite(value)  # type: ignore[arg-type]


def measure(sight: Sight, still: Mapping[int, float], now: datetime) -> Iterator[Measure]:
    """Yield the numbers: running backups, the run time of the oldest, the longest standstill.

    Both times are 0 if none is running; a number that the user may not see is left out.
    """
    running = sight.running
    started = [process.started for process in running if process.started is not None]
    if not running:
        yield Measure("elapsed", 0, "s", "no backup is running", Kind.TOO_LONG)
    elif started:
        elapsed = max(0, int((now - started[0]).total_seconds()))
        text = f"{_oldest(running)} running for {format_age(elapsed)}, pid {running[0].pid}"
        yield Measure("elapsed", elapsed, "s", text, Kind.TOO_LONG)
    yield Measure(
        "processes", len(running), text="" if started or not running else "backup running"
    )
    if still or not running:
        pid, seconds = max(still.items(), key=lambda item: item[1], default=(0, 0.0))
        text = f"no progress for {format_age(seconds)}, pid {pid}"
        said = text if seconds >= _WORTH_SAYING else ""
        yield Measure("stalled", int(seconds), "s", text, Kind.STALLED, said)


def judge(
    sight: Sight, *, required: bool = False, whose: Container[str] | None = None
) -> Iterator[Finding]:
    """Yield what is wrong, apart from the numbers.

    A backup that must be running has to be one of ``whose``: any user can imitate a backup.
    """
    running = sight.running
    if required and not any(_counts(process, whose) for process in running):
        others = ", ".join(sorted({process.user or "nobody" for process in running}))
        but = f", except for {others} (name that user with -u)" if others else ""
        yield Finding(Kind.NOT_RUNNING, State.CRITICAL, f"no backup is running{but}")
    for process in running:
        if process.waits_for:
            text = f"{process.waits_for} waits for a passphrase, pid {process.pid}"
            yield Finding(Kind.WAITING, State.WARNING, text)
    for place, count in _crowded(running):
        yield Finding(Kind.TWO_BACKUPS, State.WARNING, f"{count} backups at once on {place}")
    for process in sight.processes:
        if process.zombie:
            text = f"pid {process.pid} of {process.user} has ended, and is still listed (zombie)"
            yield Finding(Kind.ZOMBIE, State.WARNING, text)


def details(sight: Sight) -> Iterator[str]:
    """Yield a line for each duplicity process that was seen."""
    for process in sight.processes:
        if process.zombie:
            continue
        action = process.invocation.action or "something"
        words = [f"{action} by {process.user}" if process.user else action, f"pid {process.pid}"]
        if process.started is not None:
            words.append(f"since {format_time(process.started)}")
        if process.invocation.url:
            words.append(process.invocation.url)
        if process.holds_lock:
            words.append("holds the lock")
        yield ("Running: " if process.running else "No backup: ") + ", ".join(words)
    if sight.others:
        yield f"Not counted: a process of {', '.join(sight.others)} that looks like the job's"
    for user, count in sight.left_out.items():
        yield f"Not looked at: {count} more of {user}'s processes that may be duplicity's"


def uncounted(sight: Sight, whose: Iterable[str]) -> str:
    """Return why not all backups of these users were seen; empty if they were."""
    matter = [name for name in whose if name in sight.left_out]
    return f"too many processes of {matter[0]} look like duplicity" if matter else ""


def _counts(process: Process, whose: Container[str] | None) -> bool:
    return whose is None or process.user in whose


def _oldest(running: Sequence[Process]) -> str:
    return "backup" if len(running) == 1 else f"oldest of {len(running)} backups"


def _crowded(running: Sequence[Process]) -> Iterator[tuple[str, int]]:
    """Yield each archive directory, or if unknown each destination, that several backups share."""
    archives = Counter(process.archive for process in running if process.archive)
    shared = [archive for archive, count in archives.items() if count > 1]
    yield from ((archive, archives[archive]) for archive in shared)
    others = [process for process in running if process.archive not in shared]
    # Jobs with prefixes of their own can share a destination.
    places = Counter((p.invocation.url, p.invocation.prefixes) for p in others if p.invocation.url)
    yield from ((url, count) for (url, _), count in places.items() if count > 1)
