from __future__ import annotations

import pytest
from check_duplicity.shell import starters
from check_duplicity.shell.programs import name_of, program_of, without_redirections


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
        ("A=1 B=2 x", "x"),
        ("A-1=2", "A-1=2"),
        ("(cd /; /s/a)", "/s/a"),
        ("true && /s/a", "/s/a"),
        ("cd / || exit; a", "exit"),
        ("sh -c 'cd /; /s/b'; c", "/s/b"),
        ("sh -c ''; c", ""),
        ("nice; b", "b"),
        ("umask 1; ulimit 2; export A; set -e; . x; : y; [ a ]; sleep 1; b", "b"),
        ("a & b", "a"),
        ("a | b", "a"),
        ("A=1", ""),
        ("A=1; b", "b"),
        ("sh /s/a", "/s/a"),
        ("bash", ""),
        ("' a", "'"),
        ("cd 'b", ""),
        ("x#y", "x#y"),
        ("a;;b", "a"),
        ("sudo -u U a", "a"),
        ("command -v a; b", "b"),
        ("command a", "a"),
        ("1A=2 b", "1A=2"),
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
        ("/s/web.sh", "web"),
        ("/s/web.bash -x", "web"),
        ("a.py", "a"),
        ("a.pl", "a"),
        ("a.rb", "a.rb"),
        ("/s/a.sh.sh", "a.sh"),
        ("/s/web/", "web"),
        ("python3 /x/duplicity.py", "duplicity"),
        ("python3 -m duplicity full", "duplicity"),
        ("/usr/bin/python3.11 /usr/bin/duplicity x", "duplicity"),
        ("python /s/backup.py", "python"),
        ("/opt/duplicity.d/pythonic", "pythonic"),
        ("", ""),
        ("A=1 /s/a.sh", "a"),
        ("/s/web.shx", "web.shx"),
        ("duplicity / x", "duplicity"),
        ("xpython3 duplicity", "xpython3"),
    ],
)
def test_a_job_has_the_name_of_its_script(command: str, name: str) -> None:
    assert name_of(command) == name


def test_a_line_that_names_no_program_gives_the_name() -> None:
    assert name_of("cd /; " + "x" * 50) == "x" * 50
    assert name_of("test " + "x" * 50) == "test " + "x" * 50


@pytest.mark.parametrize(
    ("command", "rest"),
    [
        ("a >b", "a"),
        ("a >b c", "a c"),
        ("a > b c", "a c"),
        ("a", "a"),
        ("a  b", "a  b"),
        ("a  b >c", "a b"),
        ("a 2>&1 | b >c", "a | b"),
        ("a '>b' \">c\" \\>d", "a '>b' \">c\" \\>d"),
        ("a > 'b c' d", "a d"),
        ("a 'b", "a 'b"),
        ("a > 'b", "a > 'b"),
        ("a>b", "a"),
        ("a >", "a"),
        ("> b a", "a"),
        ("a <(b) >c", "a <(b)"),
        ("a;b>c&", "a;b&"),
        ("a 2>/dev/null >>'x y'z d", "a d"),
        ("a &>b c", "a c"),
        ("a >b; c 2>d", "a ; c"),
        ("a >\t b\tc", "a c"),
    ],
)
def test_redirections_are_taken_out_of_a_line(command: str, rest: str) -> None:
    assert without_redirections(command) == rest
