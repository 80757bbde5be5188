"""A command line that is printed is read by a shell as the words that it was made of."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest
from check_duplicity.nagios.commands import CHECKS_OF_DEBIAN, Job

HOSTILE = ("a b", "x;id", "$(id)", "`id`", "it's", 'a"b', "*", "~", "", "#x")
# What each line is made of, by the names of a job's fields.
LINES: dict[Callable[[Job], str], tuple[str, ...]] = {
    Job.ini: ("jobs_dir",),
    Job.drill: ("jobs_dir", "drilling"),
    Job.log_check: ("user", "logs"),
    Job.process_check: ("user", "url", "archive_dir", "name"),
    Job.gpg: ("user",),
}


@pytest.mark.parametrize("value", [value for value in HOSTILE if value])
@pytest.mark.parametrize(("line", "fields"), LINES.items())
def test_each_value_is_one_word_of_the_line(
    line: Callable[[Job], str], fields: tuple[str, ...], value: str
) -> None:
    of_many = ("drilling", "logs")
    values: dict[str, Any] = {field: f"{value}-{field}" for field in fields}
    values.update({field: (values[field],) for field in fields if field in of_many})
    words = shlex.split(line(Job("backup", job="web", programs="/p q")._replace(**values)))
    for field in fields:
        assert f"{value}-{field}" in words, field
    if line is not Job.gpg:
        assert any(word.startswith("/p q/") for word in words)


@pytest.mark.parametrize("value", HOSTILE)
def test_each_value_is_one_word_of_a_drill_of_no_job(value: str) -> None:
    job = Job("u", url=f"u{value}", archive_dir=f"a{value}", name=f"n{value}", options=(value, "-"))
    words = shlex.split(job.drill())
    for word in (job.url, job.archive_dir, job.name, value):
        assert word in words


def test_the_file_of_a_job_is_printed_with_the_jobs_own_place() -> None:
    job = Job("backup", job="web", programs=CHECKS_OF_DEBIAN)
    assert job.ini() == "  sudo duplicity_triage web --list-jobs --ini"
    elsewhere = job._replace(jobs_dir="/srv/jobs")
    assert elsewhere.ini() == "  sudo duplicity_triage web --list-jobs --ini --jobs-dir /srv/jobs"


def test_a_drill_has_the_jobs_own_place() -> None:
    job = Job("backup", job="web", programs=CHECKS_OF_DEBIAN, jobs_dir="/srv/jobs")
    assert job.drill() == "  sudo duplicity_drill -j web --jobs-dir /srv/jobs"


def test_programs_that_are_elsewhere_are_named_in_full() -> None:
    job = Job("backup", job="web", programs="/opt/v/bin")
    assert job.ini().startswith("  sudo /opt/v/bin/duplicity_triage web ")
    assert job.drill() == "  sudo /opt/v/bin/duplicity_drill -j web"
