from __future__ import annotations

import pytest
from check_duplicity.shell import starters
from check_duplicity.shell.programs import name_of, program_of


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("/s/web.sh", "/s/web.sh"),
        ("cd /s && test -x web.sh && ./web.sh > /dev/null 2>&1", "./web.sh"),
        ("A=1 B=2 nice -n 19 ionice -c2 -n7 /s/web.sh --full", "/s/web.sh"),
        ("stdbuf -oL /s/web.sh", "/s/web.sh"),
        ("systemd-run --scope -p CPUQuota=20% taskset 1 cpulimit -l 20 /s/web.sh", "/s/web.sh"),
        ("sudo -Hu bk env -i PATH=/bin timeout -k 10 5h chronic /s/web.sh", "/s/web.sh"),
        ("flock -n /run/x -c 'nice /s/web.sh -v'", "/s/web.sh"),
        ("su - bk -c '/s/web.sh --full'", "/s/web.sh"),
        ("runuser -l bk -c /s/web.sh", "/s/web.sh"),
        ("bash -lc 'cd /s; exec ./web.sh'", "./web.sh"),
        ("bash -eo pipefail /s/web.sh /etc", "/s/web.sh"),
        ("command -v chronic > /dev/null && chronic /s/web.sh", "/s/web.sh"),
        ("( . /etc/profile; /s/web.sh )", "/s/web.sh"),
        ("/s/web.sh 'a quote without its end", "/s/web.sh"),
        ("cd /", ""),
        ("", ""),
    ],
)
def test_the_program_is_what_is_started_in_the_end(command: str, program: str) -> None:
    assert program_of(command) == program


@pytest.mark.parametrize("starter", starters._WRAPPERS)
def test_every_starter_is_looked_through(starter: str) -> None:
    """One table is for both: what reads scripts, and what names the job of a mail."""
    operands = "1 " * starters._WRAPPERS[starter].operands
    user = "-u bk " if starter == "runuser" else ""  # Without it, it is su.
    assert program_of(f"{starter} {user}{operands}/s/web.sh") == "/s/web.sh"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("nice stdbuf -oL /s/web.sh", "web"),
        ("/usr/bin/python3 /usr/bin/duplicity / file:///b", "duplicity"),
    ],
)
def test_a_job_has_the_name_of_its_script(command: str, name: str) -> None:
    assert name_of(command) == name
