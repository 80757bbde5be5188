"""The limits that a job's schedule and options give."""

from __future__ import annotations

import pytest
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.schedule import limits_of
from samples import NOW


def known(**facts: str) -> Known:
    return Known("web", {key: Fact(value, "web.ini") for key, value in facts.items()})


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ("", {}),
        ("--full-if-older-than 1M", {"full_warning": "752h", "full_critical": "776h"}),
        ("--full-if-older-than=2W3D", {"full_warning": "440h", "full_critical": "464h"}),
        ("--full-if-older-than 90m", {"full_warning": "2010m", "full_critical": "3450m"}),
        ("--full-if-older-than 2026-11-01", {}),
        ("--full-if-older-than", {}),
        ("--full-if-older-than 7", {}),
        ("--full-if-n-inc 30", {"chain_warning": "31"}),
        ("--full-if-n-inc=6 --ssh-askpass", {"chain_warning": "7"}),
        ("--full-if-n-inc 0", {}),
        ("--full-if-n-inc many", {}),
    ],
)
def test_options_of_backups_give_limits(options: str, limits: dict[str, str]) -> None:
    assert limits_of(known(options=options), NOW) == limits


def test_the_schedule_is_the_slack() -> None:
    weekly = known(schedule="0 2 * * 0", options="--full-if-older-than 1M")
    assert limits_of(weekly, NOW) == {
        "warning": "176h", "critical": "344h", "full_warning": "896h", "full_critical": "1064h",
    }  # fmt: skip


def test_what_the_file_says_is_not_guessed() -> None:
    said = known(full_critical="9d", options="--full-if-older-than 1M")
    assert limits_of(said, NOW) == {}


def test_what_only_a_backup_takes_is_not_given_to_others() -> None:
    job = known(
        options="--full-if-older-than 1M --file-prefix web- --skip-if-no-change --full-if-n-inc=3"
    )
    assert job.options == ("--file-prefix", "web-")
    assert job.backup_options == {
        "--full-if-older-than": "1M", "--skip-if-no-change": "", "--full-if-n-inc": "3",
    }  # fmt: skip
