"""Limits from schedules: the form of each, and what is beside it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from check_duplicity.jobs import schedule
from check_duplicity.jobs.model import Fact, Known

UTC = timezone.utc
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("0 2 * * *", 24), ("every 6h", 6), ("every 2D", 48), ("every 90m", 1.5), (" every 1h ", 1),
        ("every 99999m", 99999 / 60), ("0 2 * * *; 0 14 * * *", 12), ("@hourly", 1),
        ("*/20 * * * *", 1 / 3), ("0 2 * * 1-5", 72), ("0 3 1 * *", 31 * 24),
        ("every 6h; every 6h", 6), ("every 12h;every 5h", 5), ("0 1 * * 6-0", 6 * 24),
    ],
)  # fmt: skip
def test_the_longest_time_between_runs(expression: str, hours: float) -> None:
    assert schedule.interval(expression, NOW, UTC) == timedelta(hours=hours)


@pytest.mark.parametrize("expression", ["every 0h", "every 6s", "every 100000m", "every 1W", "x"])
def test_what_is_no_schedule(expression: str) -> None:
    with pytest.raises(ValueError, match=f"^not a cron schedule: '{expression}' "):
        schedule.interval(expression, NOW, UTC)


def test_cron_reads_ascii_only() -> None:
    with pytest.raises(ValueError, match="cron reads ASCII"):
        schedule.interval("0 \u0662 * * *", NOW, UTC)


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("@hourly", 1),
        (" * * * * *", 1 / 60),
        ("*/30 * * * *", 0.5),
        ("30 */6 * * *", 6),
        ("30 0,6,12,18 * * *", 7),
    ],
)
def test_where_clocks_are_put_back(expression: str, hours: float) -> None:
    """Debian's cron has no longer gap then for a job of each hour, but for others."""
    zone = schedule.zone_of("Europe/Berlin")
    now = datetime(2026, 10, 25, 12, 0, tzinfo=UTC)
    assert schedule.interval(expression, now, zone) == timedelta(hours=hours)


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "Etc/GMT-5", "America/Indiana/Knox"])
def test_a_zone_that_there_is(name: str) -> None:
    assert schedule.zone_of(name) is not None
    assert schedule.zone_of("") is None


@pytest.mark.parametrize("name", ["/etc/localtime", "Mars/Sea", "Europe/Berlin/", "1UTC", "a b"])
def test_a_zone_that_there_is_not(name: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # its whole text is compared
        schedule.zone_of(name)
    assert str(refused.value) == f"not a time zone: {name!r}"


AGES = {"warning": "32h", "critical": "56h"}


@pytest.mark.parametrize(
    ("facts", "limits"),
    [
        ({}, {}),
        ({"schedule": "every 1D"}, AGES),
        ({"schedule": "every 90m"}, {"warning": "570m", "critical": "11h"}),
        ({"schedule": "every 1D", "warning": "1D"}, AGES),
        ({"schedule": "every 1D", "warning": "1D", "critical": "2D"}, {}),
        ({"schedule": "no", "warning": "1D", "critical": "2D"}, {}),
        *(
            ({"options": f"--full-if-older-than={time}"},
             {"full_warning": f"{hours + 32}h", "full_critical": f"{hours + 56}h"})
            for time, hours in [
                ("7200s", 2), ("60m", 1), ("5h", 5), ("2D", 48), ("1W", 168), ("1M", 720),
                ("1Y", 8760), ("1W1D1h", 193), ("99999h", 99999),
            ]
        ),
        *(
            ({"options": f"--full-if-older-than={time}"}, {})
            for time in ("1W1D1h1m", "100000h", "2026-01-01", "D", "1d")
        ),
        ({"options": "--full-if-older-than=1W", "schedule": "every 2D", "warning": "1D",
          "critical": "2D"},
         {"warning": "56h", "critical": "104h", "full_warning": "224h", "full_critical": "272h"}),
        ({"options": "--full-if-older-than=1W", "full_warning": "1W"}, {}),
        ({"options": "--full-if-older-than=1W", "full_critical": "1W"}, {}),
        *(({"options": f"--full-if-n-inc={given}"}, {"chain_warning": limit} if limit else {})
          for given, limit in [("1", "2"), ("30", "31"), ("0", ""), ("999999", "1000000"),
                               ("1000000", ""), ("x", "")]),
    ],
)  # fmt: skip
def test_each_limit_of_a_job(facts: dict[str, str], limits: dict[str, str]) -> None:
    known = Known("web", {key: Fact(value, "/w") for key, value in facts.items()})
    assert schedule.limits_of(known, NOW) == limits


def test_the_time_zone_of_a_job_is_read() -> None:
    facts = {"schedule": Fact("@daily", "/w"), "time_zone": Fact("Mars/Sea", "/w")}
    with pytest.raises(ValueError, match="not a time zone: 'Mars/Sea'"):
        schedule.limits_of(Known("web", facts), NOW)
