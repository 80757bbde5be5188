"""Which commands are offered for another run, by who can change the programs that they run."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.pasting import job_of
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Kind
from check_duplicity.nagios.steps import advise
from check_duplicity.secrets import Secrets

OTHER = "daemon" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
JOBS_USER = "nobody" if OTHER != "nobody" else "daemon"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory with a script. Both belong to another user than the job's."""
    (tmp_path / "b.sh").write_text("duplicity /etc file:///b\n")
    for path in (tmp_path, tmp_path / "b.sh"):
        if os.geteuid() == 0:
            os.chown(path, pwd.getpwnam(OTHER).pw_uid, -1)
    return tmp_path


def offered(script: str, user: str = JOBS_USER) -> Job:
    facts = {"user": user, "script": script, "destination": "file:///b"}
    known = Known("web", {key: Fact(value, "/etc/web.ini") for key, value in facts.items()})
    return job_of(known, Secrets({}), Job("root"))


@pytest.mark.parametrize(
    "line",
    [
        "{home}/b.sh",
        "stdbuf -oL {home}/b.sh",
        "nice -n 19 ionice -c2 timeout -k 10 5h {home}/b.sh --full",
        "flock -n /run/x -c '{home}/b.sh'",
        "A=1 systemd-run --scope {home}/b.sh",
        "sudo -u root {home}/b.sh",
        "su -c {home}/b.sh",
        "bash -eo pipefail {home}/b.sh",
        "sh -c 'cd / && . {home}/b.sh'",
        "/usr/bin/true; {home}/b.sh",
        "cd {home} && ./b.sh",
        "cd {home}; exec bash ./b.sh",
        "X=$({home}/b.sh)",
    ],
)
def test_what_another_user_can_change_is_not_offered_whatever_starts_it(
    line: str, home: Path
) -> None:
    job = offered(line.format(home=home))
    assert (job.script, job.script_by) == ("", OTHER)
    assert "b.sh" not in str(advise([(Kind.NOT_RUNNING, job)]))


@pytest.mark.parametrize(
    "line",
    [
        "/usr/bin/true --full {home}/b.sh",
        "stdbuf -oL /usr/bin/true",
        "cd {home} && /usr/bin/true > {home}/log",
        "sudo -u {other} {home}/b.sh",
        "su {other} -c {home}/b.sh",
    ],
)
def test_what_nobody_else_can_change_is_offered_as_it_is(line: str, home: Path) -> None:
    """What becomes another user on the way is that one's: neither more nor less than before."""
    script = line.format(home=home, other=OTHER)
    job = offered(script)
    assert (job.script, job.script_by) == (script, "")
    assert "true" in job.again() or "b.sh" in job.again()


def test_its_own_users_script_is_offered(home: Path) -> None:
    job = offered(f"stdbuf -oL {home}/b.sh", OTHER)
    assert job.again() == f"  {' '.join(job.sudo)} stdbuf -oL {home}/b.sh"


def test_what_cannot_be_read_is_not_offered(home: Path) -> None:
    job = offered(f"stdbuf -oL '{home}/b.sh")
    assert job.script == job.script_by == ""


@pytest.mark.parametrize(
    "fact",
    [
        "mail = /var/log/geheim-1.log",
        "options = --ssh-options=-oProxyCommand=geheim-1",
        "script = /s/web.sh geheim-1",
        "archive_dir = /a/b\nmail = 'journal:geheim-1'",
        "duplicity = /usr/bin/env PASSPHRASE=geheim-1 duplicity",
    ],
)
def test_no_command_has_the_passphrase_wherever_it_stands(fact: str) -> None:
    """In a path or an option that is passed on it would be printed, pasted and mailed."""
    lines = ["user = nobody", "destination = sftp://u:geheim-1@h/x", *fact.split("\n")]
    pairs = (line.split(" = ", 1) for line in lines)
    known = Known("web", {key: Fact(value, "/etc/web.ini") for key, value in pairs})
    secrets = Secrets({"PASSPHRASE": "geheim-1"}, [known.get("destination")])
    job = job_of(known, secrets, Job("root"))
    assert "geheim" not in str(job)
    assert "geheim" not in str(advise([(kind, job) for kind in Kind]))
