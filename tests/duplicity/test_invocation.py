from __future__ import annotations

import shlex

import pytest
from check_duplicity.duplicity.invocation import Invocation, of_any_action, read_invocation
from check_duplicity.duplicity.names import Prefixes
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "program",
    [
        "/usr/bin/duplicity",
        "duplicity",
        "/usr/bin/python3 /usr/bin/duplicity",
        "python3 /usr/local/bin/duplicity",
        "/opt/venv/bin/python3.11 /opt/venv/bin/duplicity",
        "python3 -m duplicity",
        "python3 -Im duplicity",
        "python3 -mduplicity",
        "python3 -m duplicity.__main__",
        "/usr/bin/python3 -I -u -X utf8 -W ignore /usr/bin/duplicity",
        "pypy3 /usr/bin/duplicity",
    ],
)
def test_every_way_to_start_it_is_duplicity(program: str) -> None:
    argv = [*program.split(), "full", "/etc", "file:///backup"]
    found = read_invocation(argv)
    assert found is not None
    assert (found.action, found.url, found.backup) == ("full", "file:///backup", True)


@pytest.mark.parametrize(
    "line",
    [
        "vim /etc/duplicity.conf",
        "vim duplicity",
        "tail -f /var/log/duplicity.log",
        "less /usr/bin/duplicity",
        "grep duplicity /var/log/syslog",
        "pgrep -a duplicity",
        "bash /etc/cron.daily/duplicity full /etc file:///x",
        "/bin/sh -c 'duplicity full /etc file:///x'",
        "sudo -iu backup duplicity full /etc file:///x",
        "nice -n 10 duplicity full /etc file:///x",
        "timeout 1h duplicity full /etc file:///x",
        "flock /run/x duplicity full /etc file:///x",
        "/bin/bash /usr/bin/duply assets backup",
        "python3 /usr/bin/check_duplicity_freshness -d file:///x",
        "python3 -I /usr/bin/check_duplicity_process duplicity",
        "python3 -c 'import duplicity' full",
        "python3 - duplicity",
        "python3",
        "python3 -m",
        "python3 -m duplicity_exporter",
        "python3 -Wmodule /usr/bin/other full",
        "python3 /usr/bin/duplicity.bak full /etc file:///x",
        "ssh host duplicity full /etc file:///x",
        "",
    ],
)
def test_what_only_looks_like_it_is_not(line: str) -> None:
    assert read_invocation(shlex.split(line)) is None


@pytest.mark.parametrize(
    ("arguments", "action"),
    [
        ("full /etc file:///x", "full"),
        ("fb /etc file:///x", "full"),
        ("inc /etc file:///x", "incremental"),
        ("incremental --verbosity 9 /etc file:///x", "incremental"),
        ("backup /etc file:///x", "backup"),
        ("/etc file:///x", "backup"),
        ("--full-if-older-than 7D --exclude /proc --no-encryption /etc file:///x", "backup"),
        ("-v9 -v 9 --asynchronous-upload /etc file:///x --volsize 25", "backup"),
        ("--rename a b /etc file:///x", "backup"),
        ("file:///x /restored", "restore"),
        ("restore file:///x /restored", "restore"),
        ("-t 3D --file-to-restore a file:///x /restored", "restore"),
        ("verify file:///x /etc", "verify"),
        ("cleanup --force file:///x", "cleanup"),
        ("collection-status --log-fd 2 file:///x", "collection-status"),
        ("remove-all-but-n-full 2 --force file:///x", "remove-all-but-n-full"),
        ("remove-older-than 60D file:///x", "remove-older-than"),
        ("--archive-dir=/a list-current-files file:///x", "list-current-files"),
        # What stands behind an option is none of the words that say what is done.
        ("-v 9 collection-status file:///x", "collection-status"),
        ("-t 3D verify file:///x /etc", "verify"),
        ("-r a list-current-files file:///x", "list-current-files"),
        ("--rename a b collection-status file:///x", "collection-status"),
        ("--log-fd 2 cleanup file:///x", "cleanup"),
    ],
)
def test_the_action_is_told_in_the_old_syntax_and_the_new(arguments: str, action: str) -> None:
    found = read_invocation(["duplicity", *arguments.split()])
    assert found is not None
    assert (found.action, found.url) == (action, "file:///x")
    assert found.backup == (action in ("full", "incremental", "backup"))


def test_archive_directory_and_name_are_told() -> None:
    line = "duplicity full --archive-dir /a --name=job /etc sftp://u:geheim@h/x"
    assert read_invocation(line.split()) == Invocation(
        "full", "sftp://u@h/x", "/a", "job", Prefixes()
    )


def test_prefixes_tell_jobs_at_one_destination_apart() -> None:
    found = read_invocation(["duplicity", "full", "--file-prefix", "web-", "/etc", "file:///x"])
    assert found is not None
    assert found.prefixes == Prefixes("web-", "web-", "web-", "web-")


@pytest.mark.parametrize("url", ["sftp://u:ge/heim@h/x", "b2://k:s/heim@b", "s3://b?secret=heim"])
def test_no_password_is_kept_however_it_is_written(url: str) -> None:
    assert "heim" not in repr(read_invocation(["duplicity", "full", "/etc", url]))


def test_the_default_name_is_the_md5_of_the_url_with_its_password() -> None:
    # As duplicity 3.2.1 named it.
    found = read_invocation(["duplicity", "full", "/etc", "file:///tmp/rb/d"])
    assert found is not None
    assert found.name == "1180afcf1a22c3b9de683335b6b4cf0d"
    with_password = read_invocation(["duplicity", "full", "/etc", "sftp://u:p@h/x"])
    without = read_invocation(["duplicity", "full", "/etc", "sftp://u@h/x"])
    assert with_password is not None
    assert without is not None
    assert with_password.name != without.name
    assert with_password.url == without.url


WORDS = ["python3", "-m", "duplicity", "full", "--name", "-v", "--", "file:///x", "/etc"]


@given(st.lists(st.one_of(st.text(), st.sampled_from(WORDS))))
def test_any_argument_vector_is_read(argv: list[str]) -> None:
    found = read_invocation(argv)
    assert found is None or isinstance(found, Invocation)


def test_what_only_a_backup_needs_is_left_out() -> None:
    wanted = ["--file-prefix", "web-", "--encrypt-key=K", "--numeric-owner", "-v", "8"]
    others = [
        "--exclude", "/x", "--include=/x", "--exclude-device-files", "--filter-regexp",
        "--files-from", "/list", "--sign-key", "K", "--volsize", "50", "--encrypt-sign-key=K",
    ]  # fmt: skip
    assert of_any_action([*wanted, *others]) == wanted
    assert of_any_action([*others, *wanted]) == wanted


def test_an_option_that_is_not_known_is_handed_on_as_it_is() -> None:
    for options in (["--unknown"], ["--unknown", "value"], ["-v"], ["--exclude"]):
        assert of_any_action(options) == (options if options != ["--exclude"] else [])
