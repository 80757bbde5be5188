"""The script that a command calls, and whether it is one that can be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_duplicity.jobs import calling, duply
from check_duplicity.jobs.calling import Called
from check_duplicity.jobs.search import Search
from check_duplicity.shell.model import Command


@pytest.mark.parametrize(
    ("line", "known", "expected"),
    [
        ("/s/b.sh a b", "", [Called("/s/b.sh", ("a", "b"))]),
        ("./b.sh a b", "101", [Called("/p/b.sh", (None, "b"))]),
        ("../b.sh", "", [Called("/b.sh")]),
        ("/s/b.sh", "0", []),
        ("bash -x b.sh a", "", [Called("/p/b.sh", ("a",), "bash")]),
        ("bash -x b.sh a", "1101", []),
        ("bash -c b.sh", "", []), ("bash", "", []), ("sh -s", "", []),
        ("python3.11 -u b.py a", "", [Called("/p/b.py", ("a",))]),
        *((f"/usr/bin/{i} b.x", "", [Called("/p/b.x")])
          for i in ("python", "pypy3", "perl", "ruby", "php8.2", "node", "lua5.4", "tclsh")),
        ("pythonic b.py", "", [Called("pythonic", ("b.py",))]),
        ("perl", "", [Called("perl")]),
        ("web", "", [Called("/q/web")]), ("other x", "", [Called("other", ("x",))]),
        ("run-parts --report /parts/", "", [Called("/parts/a-1"), Called("/parts/b_2")]),
        ("run-parts /none /parts", "", [Called("/parts/a-1"), Called("/parts/b_2")]),
        ("run-parts /parts /none", "", []), ("run-parts parts", "", []),
        *((f"run-parts /etc/cron.{p}", "", []) for p in ("hourly", "daily", "weekly", "monthly/")),
        ("run-parts /etc/cron.often", "", [Called("/etc/cron.often/a")]),
    ],
)  # fmt: skip
def test_what_a_command_calls(
    tmp_path: Path, line: str, known: str, expected: list[Called]
) -> None:
    periods = [f"etc/cron.{p}/a" for p in ("hourly", "daily", "weekly", "monthly", "often")]
    for name in ("parts/a-1", "parts/b_2", "parts/c.sh", "q/web", *periods):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("#!/bin/sh\nduply web backup\n")
    sure = tuple(letter == "1" for letter in known)
    command = Command(tuple(line.split()), {"PATH": "q:/none:/q"}, 1, known=sure)
    assert list(calling.called(Search(str(tmp_path)), command, "/p")) == expected


@pytest.mark.parametrize(
    ("first", "foreign"),
    [
        *((f"#!/bin/{shell}", False) for shell in ("sh", "bash", "dash", "ash", "ksh", "mksh",
                                                   "zsh", "busybox sh")),
        ("#! /usr/bin/env bash", False), ("#!/usr/bin/env -S -i bash -e", False),
        ("#!bash", False), ("#!/usr/bin/env python3", True), ("#!/usr/bin/perl -w", True),
        ("#!/bin/fish", True), ("#!/bin/bashful", True), ("#!/usr/bin/python3 /x/sh", True),
        ("echo", False), ("", False),
    ],
)  # fmt: skip
def test_whether_a_script_is_for_a_shell(first: str, *, foreign: bool) -> None:
    text = f"{first}\nduplicity\n"
    assert calling.is_foreign(Called("/s/b"), text) is foreign
    assert calling.is_foreign(Called("/s/b", (), "bash"), text) is False


@pytest.mark.parametrize("end", ["py", "pl", "rb", "php", "sh"])
def test_without_a_first_line_the_name_tells(end: str) -> None:
    assert calling.is_foreign(Called(f"/s/b.{end}"), "x\n") is (end != "sh")
    assert calling.is_foreign(Called(f"/s/b.{end}", (), "sh"), "x\n") is False
    assert calling.is_foreign(Called(f"/s/b.{end}"), "#!/bin/sh\n") is False


@pytest.mark.parametrize(
    ("path", "text", "about"),
    [
        *(("/s/b", f"x{before}duplicity{after}x", True)
          for before in "\"' /(\n" for after in "\"' ,)\n"),
        ("/s/b", "xduplicity x", False), ("/s/b", " duplicityx", False), ("/s/b", "x", False),
        *((f"/usr/bin/{name}", " duplicity ", False)
          for name in ("duplicity", "check_duplicity", "check_duplicity_jobs", "duplicity_drill")),
        ("/usr/bin/duplicity2", " duplicity ", True), ("/s/my_duplicity", " duplicity ", True),
    ],
)  # fmt: skip
def test_whether_a_program_is_about_duplicity(path: str, text: str, *, about: bool) -> None:
    assert calling.is_about_duplicity(path, text) is about


@pytest.mark.parametrize(
    ("words", "known", "profile"),
    [
        ("/usr/bin/duply web backup", "", "web"), ("duply /etc/duply/web/ full", "", "web"),
        ("duply web", "", ""), ("duply web status", "", ""), ("duply web purge_incr", "", "web"),
        ("duply web [bkp]", "", "web"), ("duply web BACKUP-x+y", "", "web"),
        ("duply web x", "110", "web"), ("duply web x", "010", "web"), ("duply web x", "101", ""),
        ("duply web backup", "101", ""), ("duply web x", "111", ""), ("duplicity web full", "", ""),
    ],
)  # fmt: skip
def test_the_profile_of_a_command(words: str, known: str, profile: str) -> None:
    sure = tuple(letter == "1" for letter in known)
    assert duply.profile_of(Command(tuple(words.split()), {}, 1, known=sure)) == profile
