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


DEBIAN = Job("backup", programs=CHECKS_OF_DEBIAN)
KNOWN = Job(
    "backup",
    programs="/opt/v/bin",
    url="sftp://h/x",
    archive_dir="/a",
    name="n",
    options=("--no-encryption",),
    command=("/opt/d", "-v"),
    variables=("GNUPGHOME=/k",),
    drilling=("-t", "5"),
    logs=("/l/1", "/l/2"),
    script="/s/b.sh now",
    starter="root",
    jobs_dir="/j",
)
SUDO = "sudo -iu backup -- "
PLUGINS = "/usr/lib/nagios/plugins/check_duplicity_"


@pytest.mark.parametrize(
    ("job", "line", "shown"),
    [
        (DEBIAN, Job.gpg, SUDO + "gpg"),
        (DEBIAN, Job.again, f"  {SUDO}SCRIPT"),
        (DEBIAN, Job.log_check, f"  sudo {PLUGINS}log -u backup"),
        (DEBIAN, Job.process_check, f"  sudo -u backup -- {PLUGINS}process -u backup"),
        (DEBIAN._replace(user="root"), Job.process_check, f"  sudo {PLUGINS}process -u root"),
        (DEBIAN, Job.ini, "  sudo duplicity_triage JOB --list-jobs --ini"),
        (DEBIAN, Job.drill, ("  sudo --preserve-env=PASSPHRASE -u backup -- duplicity_drill"
         " -d DESTINATION")),
        (KNOWN, Job.gpg, SUDO + "env GNUPGHOME=/k gpg"),
        (KNOWN._replace(login=False), Job.gpg, "sudo -Hu backup -- env GNUPGHOME=/k gpg"),
        (KNOWN, Job.again, "  sudo -iu root -- /s/b.sh now"),
        (KNOWN._replace(starter=""), Job.again, f"  {SUDO}/s/b.sh now"),
        (KNOWN._replace(script="a; b"), Job.again, "  sudo -iu root -- sh -c 'a; b'"),
        (KNOWN, Job.log_check, "  sudo /opt/v/bin/check_duplicity_log -u backup /l/1 /l/2"),
        (KNOWN._replace(logs=("/dev/null",)), Job.log_check,
         "  (what it says is thrown away, and only seen when it is run by hand)"),
        (DEBIAN._replace(logs=("/dev/null", "/x")), Job.log_check,
         f"  sudo {PLUGINS}log -u backup /dev/null /x"),
        (KNOWN, Job.process_check, ("  sudo -u backup -- /opt/v/bin/check_duplicity_process"
         " -u backup -d sftp://h/x -a /a -n n")),
        (KNOWN, Job.ini, "  sudo /opt/v/bin/duplicity_triage JOB --list-jobs --ini --jobs-dir /j"),
        (KNOWN, Job.drill, ("  sudo --preserve-env=PASSPHRASE -u backup -- env GNUPGHOME=/k"
         " /opt/v/bin/duplicity_drill -d sftp://h/x -a /a -n n --duplicity '/opt/d -v' -t 5"
         " -- --no-encryption")),
        (KNOWN._replace(job="web"), Job.drill,
         "  sudo /opt/v/bin/duplicity_drill -j web --jobs-dir /j -t 5"),
    ],
)  # fmt: skip
def test_each_line_is_as_an_operator_pastes_it(
    job: Job, line: Callable[[Job], str], shown: str
) -> None:
    assert line(job) == shown


NO_SECRET = "sftp://h/x"
WITH_SECRET = "sftp://u:***@h/x"
FOUND = "'sftp://u[A-Za-z0-9_.~:/?#@!&()*+,;=%-]*'"
EXPORTS = "'^ *export +[A-Za-z_][A-Za-z0-9_]*='"


@pytest.mark.parametrize(
    ("fields", "started"),
    [
        ({}, f"{SUDO}duplicity verify /t DESTINATION"),
        ({"url": NO_SECRET}, f"{SUDO}duplicity verify /t {NO_SECRET}"),
        ({"url": "sftp://$h"}, "sudo -Hu backup -- duplicity verify /t 'sftp://$h'"),
        ({"url": NO_SECRET, "archive_dir": "/a", "name": "n", "options": ("-v9", "--x"),
          "variables": ("A=b",), "command": ("/opt/d", "-q")},
         f"{SUDO}env A=b /opt/d -q verify /t --archive-dir /a --name n -v9 --x {NO_SECRET}"),
    ],
)  # fmt: skip
def test_duplicity_is_started_as_the_job_does(fields: dict[str, Any], started: str) -> None:
    assert DEBIAN._replace(**fields).duplicity("verify", "/t") == "  " + started


@pytest.mark.parametrize(
    ("fields", "script", "url"),
    [
        ({"environment_from": "/s/b"}, f'eval "$(grep -hE {EXPORTS} /s/b)"; ', "DESTINATION"),
        ({"url": NO_SECRET, "environment_file": "/e f", "environment_from": "/s"},
         "set -a; . '/e f'; ", NO_SECRET),
        ({"url": WITH_SECRET, "url_from": "/s b"}, "", f"\"$(sudo grep -ohm1 {FOUND} '/s b')\""),
        ({"url": WITH_SECRET, "url_from": "/s", "url_reader": "me"}, "",
         f'"$(sudo -u me -- grep -ohm1 {FOUND} /s)"'),
    ],
)  # fmt: skip
def test_duplicity_reads_secrets_from_the_jobs_files(
    fields: dict[str, Any], script: str, url: str
) -> None:
    line = shlex.quote(f'{script}exec duplicity verify /t "$1"')
    shown = DEBIAN._replace(**fields).duplicity("verify", "/t")
    assert shown == f"  sudo -Hu backup -- bash -c {line} - {url}"
