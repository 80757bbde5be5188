"""Limits from a schedule: how old a backup may be that is made by cron.

The times are cron's: in its own time zone, daylight saving time included (croniter).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from check_duplicity.jobs import Known

_SPARE = timedelta(hours=8)  # in which a large backup may run
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

    try:
        runs = croniter(schedule, now.astimezone(zone))
        times = [runs.get_prev(datetime).astimezone(timezone.utc) for _ in range(_LOOKED_AT)]
    except (ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"not a cron schedule: {schedule!r} ({error})") from None
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
    warning, critical = (count * between + _SPARE for count in (1, 2))
    return f"{warning.total_seconds():.0f}s", f"{critical.total_seconds():.0f}s"
