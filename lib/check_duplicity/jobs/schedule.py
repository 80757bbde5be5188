"""Derive limits from a schedule: how old a backup that cron makes may be.

cron's times are those of the wall clock in its time zone. croniter computes only these times: its
versions (1.3.5 to 7.0) differ at changes to and from daylight saving time.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from check_duplicity.jobs.model import Known

_SPARE = timedelta(hours=8)  # for the run of a large backup
_DAY = timedelta(days=1)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "D": 86400, "W": 604800, "M": 2592000, "Y": 31536000}
# cron runs these jobs by a clock without daylight saving time (Debian's cron(8)).
_BY_THE_HOUR = re.compile(r"\s*(@hourly|\*|\S+\s+\*)")
_EVERY = re.compile(r"every ([1-9][0-9]{0,4})([mhD])")  # of timers without a time of day
_LOOKED_AT = 12  # runs: enough for the gap of a weekend, or of the longest month


def zone_of(name: str) -> tzinfo | None:
    """Return a time zone by its name; ``None``, the machine's, for no name. Raises `ValueError`."""
    from dateutil import tz

    if not name:
        return None
    zone = tz.gettz(name) if re.fullmatch(r"[A-Za-z][\w+-]*(?:/[\w+-]+)*", name) else None
    if zone is None:
        raise ValueError(f"not a time zone: {name!r}")
    return zone


def interval(schedule: str, now: datetime, zone: tzinfo | None) -> timedelta:
    """Return the longest time between two of the last runs by a cron expression.

    Semicolons separate several expressions. ``every 6h`` has no times of day. Raises `ValueError`
    if an expression is wrong, or has no times (``@reboot``).
    """
    from croniter import croniter

    wall_clock = now.astimezone(zone).replace(tzinfo=None)
    times: set[datetime] = set()
    for expression in schedule.split(";"):
        every = _EVERY.fullmatch(expression.strip())
        if every:
            step = timedelta(seconds=int(every[1]) * _SECONDS[every[2]])
            times |= {now - step * count for count in range(1, _LOOKED_AT + 1)}
        else:
            times |= set(_runs(croniter, expression.strip(), wall_clock, zone))
    # With several expressions only the period that all of them cover counts.
    ordered = sorted(times)[-_LOOKED_AT:]
    return max(later - earlier for earlier, later in zip(ordered, ordered[1:]))


def _runs(
    croniter: type, expression: str, wall_clock: datetime, zone: tzinfo | None
) -> list[datetime]:
    """Return the last runs by a cron expression, with their zone."""
    try:
        if not expression.isascii():
            raise ValueError("cron reads ASCII")
        runs = croniter(expression, wall_clock)
        times = [runs.get_prev(datetime) for _ in range(_LOOKED_AT)]
    except (ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"not a cron schedule: {expression!r} ({error})") from None
    if _BY_THE_HOUR.match(expression):
        return [time.replace(tzinfo=timezone.utc) for time in times]
    return [time.replace(tzinfo=zone).astimezone(timezone.utc) for time in times]


def limits_of(known: Known, now: datetime) -> dict[str, str]:
    """Return the limits that a job's schedule and options give, by the keys of its file.

    Raises `ValueError`.
    """
    options = known.backup_options
    full = _duplicitys_time(options.get("--full-if-older-than", ""))
    if known.get("full_warning") or known.get("full_critical"):
        full = None
    found = {}
    between = _DAY
    if known.get("schedule") and (full or not (known.get("warning") and known.get("critical"))):
        between = interval(known.get("schedule"), now, zone_of(known.get("time_zone")))
        found["warning"], found["critical"] = _one_and_two(between)
    if full:
        # The first run after that time makes the full backup.
        found["full_warning"], found["full_critical"] = _one_and_two(between, full)
    incrementals = options.get("--full-if-n-inc", "")
    if re.fullmatch(r"[1-9][0-9]{0,5}", incrementals):
        found["chain_warning"] = str(int(incrementals) + 1)  # and the full one
    return found


def _duplicitys_time(text: str) -> timedelta | None:
    """Read ``1M``, ``2W3D``: an interval as duplicity's ``--full-if-older-than`` takes it.

    Seen in ``dup_time.py`` of 0.8.23 to 3.2.1. A date, which duplicity takes, too, gives ``None``.
    """
    if not re.fullmatch(r"(?:[0-9]{1,5}[smhDWMY]){1,3}", text):
        return None
    parts = re.findall(r"([0-9]+)([smhDWMY])", text)
    return timedelta(seconds=sum(int(count) * _SECONDS[unit] for count, unit in parts))


def limits(schedule: str, now: datetime, zone: tzinfo | None = None) -> tuple[str, str]:
    """Return the warning and the critical age for a job: one and two intervals, and 8 hours.

    A daily job has 32h and 56h. Raises `ValueError`.
    """
    return _one_and_two(interval(schedule, now, zone))


def _one_and_two(between: timedelta, first: timedelta = timedelta()) -> tuple[str, str]:
    """Return the limits of an age that a job's next run resets: one run may fail, but not two."""
    return _age(first + between + _SPARE), _age(first + 2 * between + _SPARE)


def _age(time: timedelta) -> str:
    """Return an age as a person would write it."""
    minutes = time // timedelta(minutes=1)
    return f"{minutes}m" if minutes % 60 else f"{minutes // 60}h"
