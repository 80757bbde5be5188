"""What is offered to be typed for a job."""

from __future__ import annotations

from check_duplicity.nagios.commands import CHECKS_OF_DEBIAN, Job


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
