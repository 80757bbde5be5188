"""The kinds of limits, for the command line and for a job's file.

The name of a kind is the prefix of "warning" and "critical" in its options and keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from check_duplicity.nagios.limits import (
    Limit,
    age_limit,
    count_limit,
    percent_limit,
    size_limit,
)
from check_duplicity.values import NamedTuple


class Judged(NamedTuple):
    """A kind of limit: how to read its limits, and their defaults."""

    read: Callable[[str], Limit]
    metavar: str
    what: str
    warning: str | None = None
    critical: str | None = None


DESTINATION = ("", "full_", "chain_", "fulls_", "history_", "shrunk_")
RUNS = ("shrunk_", "source_size_", "backup_size_", "duration_", "errors_")
PROCESS = ("process_", "stalled_")
RESTORE = ("restore_", "proved_")
JUDGED = {
    "": Judged(age_limit, "AGE", "age of the newest complete backup", "32h", "56h"),
    "full_": Judged(age_limit, "AGE", "age of the newest full backup"),
    "chain_": Judged(count_limit, "RANGE", "number of backup sets in the newest chain"),
    "fulls_": Judged(count_limit, "RANGE", "full backups that can be restored; 2: at least 2"),
    "history_": Judged(age_limit, "AGE", "age of the oldest backup that can be restored"),
    "shrunk_": Judged(percent_limit, "PERCENT", "per cent that the source shrank", "50", "90"),
    "source_size_": Judged(size_limit, "SIZE", "size of the source in the newest run"),
    "backup_size_": Judged(size_limit, "SIZE", "size of what the newest run backed up"),
    "duration_": Judged(age_limit, "AGE", "how long the newest run took"),
    "errors_": Judged(count_limit, "RANGE", "number of files that could not be read"),
    "process_": Judged(age_limit, "AGE", "run time of the oldest backup", "12h", "24h"),
    "stalled_": Judged(age_limit, "AGE", "time without any progress", "1h", "3h"),
    "restore_": Judged(age_limit, "AGE", "age of the newest good drill", "8d", "15d"),
    "proved_": Judged(count_limit, "RANGE", "per cent of volumes read by drills; 50: at least 50"),
}


def keys(kinds: Iterable[str]) -> list[str]:
    """Return the names of the limits of some kinds, as a job's file has them."""
    return [f"{kind}{state}" for kind in kinds for state in ("warning", "critical")]


def read(key: str, text: str) -> Limit:
    """Read a limit of a job's file. Raises `ValueError`."""
    return _of(key).read(text)


def longest_run(text: str) -> float:
    """Return the seconds after which a running backup is CRITICAL, by a job's ``process_critical``.

    An empty text means the default; without an upper limit it is infinite. Raises `ValueError`.
    """
    default = JUDGED["process_"].critical or ""
    upper = read("process_critical", text or default).upper
    return float("inf") if upper is None else upper


def example(key: str) -> str:
    """Return an example of a limit in a job's file."""
    metavar = _of(key).metavar if key != "lookback" else "AGE"
    if metavar == "PERCENT":
        return "50, or none"
    return {"AGE": "36h", "SIZE": "10G", "RANGE": "14"}[metavar] + ", or a Nagios range"


def _of(key: str) -> Judged:
    return JUDGED[key.removesuffix("warning").removesuffix("critical")]


def defaults(kinds: Iterable[str]) -> dict[str, str | None]:
    """Return the default limits of some kinds, by the names of `keys`."""
    values = [value for kind in kinds for value in (JUDGED[kind].warning, JUDGED[kind].critical)]
    return dict(zip(keys(kinds), values))
