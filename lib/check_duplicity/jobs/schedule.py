"""Limits from a schedule: how old a backup may be that is made by cron.

The times are cron's, by the wall clock of its time zone. croniter is asked for these only: of
changes to and from daylight saving time its versions (1.3.5 to 7.0) think differently.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from check_duplicity.jobs.model import Known

_SPARE = timedelta(hours=8)  # in which a large backup may run
# Such jobs cron runs by the clock that knows no daylight saving time (Debian's cron(8)).
_BY_THE_HOUR = re.compile(r"\s*(@hourly|\*|\S+\s+\*)")
_LOOKED_AT = 12  # runs: enough for the gap of a weekend, or of the longest month


def zone_of(name: str) -> tzinfo | None:
    """Return a time zone by its name, the machine's for none. Raises `ValueError`."""
    from dateutil import tz

    if not name:
        return None
    zone = tz.gettz(name) if re.fullmatch(r"[A-Za-z][\w+-]*(?:/[\w+-]+)*", name) else None
    if zone is None:
        raise ValueError(f"not a time zone: {name!r}")
    return zone


def interval(schedule: str, now: datetime, zone: tzinfo | None) -> timedelta:
    """Return the longest time between two of the last runs by a cron expression.

    Raises `ValueError` if it is none, or has no times (``@reboot``).
    """
    from croniter import croniter

    wall_clock = now.astimezone(zone).replace(tzinfo=None)
    try:
        if not schedule.isascii():
            raise ValueError("cron reads ASCII")
        runs = croniter(schedule, wall_clock)
        times = [runs.get_prev(datetime) for _ in range(_LOOKED_AT)]
    except (ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"not a cron schedule: {schedule!r} ({error})") from None
    if not _BY_THE_HOUR.match(schedule):
        times = [time.replace(tzinfo=zone).astimezone(timezone.utc) for time in times]
    return max(later - earlier for later, earlier in zip(times, times[1:]))


def limits_of(known: Known, now: datetime) -> dict[str, str]:
    """Return the limits that a job's schedule gives, none if it has none. Raises `ValueError`."""
    if not known.get("schedule"):
        return {}
    zone = zone_of(known.get("time_zone"))
    warning, critical = limits(known.get("schedule"), now, zone)
    return {"warning": warning, "critical": critical}


def limits(schedule: str, now: datetime, zone: tzinfo | None = None) -> tuple[str, str]:
    """Return the warning and the critical age for a job: one and two intervals, and 8 hours.

    A daily job has 32h and 56h. Raises `ValueError`.
    """
    between = interval(schedule, now, zone)
    return _age(between + _SPARE), _age(2 * between + _SPARE)


def _age(time: timedelta) -> str:
    """An age as a person would write it."""
    minutes = time // timedelta(minutes=1)
    return f"{minutes}m" if minutes % 60 else f"{minutes // 60}h"
