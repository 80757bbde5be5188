"""What can't be seen is UNKNOWN, with the reason, and nothing is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from check_duplicity.system import child as ending
from lab import ENVIRONMENT, Lab, processes_of, wait_until
from plugin import BIN, Result, assert_valid, freshness

SECRET = "Xtr0ub4dor3"


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


@pytest.fixture
def fake(tmp_path: Path) -> Callable[[str], Path]:
    """Make a duplicity of a few lines of Python; it is called with duplicity's arguments."""

    def make(lines: str) -> Path:
        path = tmp_path / f"fake-{len(list(tmp_path.iterdir()))}"
        path.write_text(f"#!{sys.executable} -I\nimport os, signal, sys, time\n{lines}\n")
        path.chmod(0o755)
        return path

    return make


def ask(temporary: Path, duplicity: Path, *options: object) -> Result:
    url = f"sftp://user:{SECRET}@127.0.0.1:1/backup"
    environment = {"TMPDIR": str(temporary), "PASSPHRASE": "also " + SECRET}
    result = freshness("-d", url, "--duplicity", duplicity, *options, environment=environment)
    assert result.status == 3
    assert SECRET not in result.out
    assert list(temporary.iterdir()) == []
    return result


@pytest.mark.parametrize(
    ("url", "options", "reason"),
    [
        ("bogus://user:{}@host/x", [], "UnsupportedBackendScheme: scheme not supported in url: "),
        ("ftp://user:{}/x@host/y", [], r"Syntax error \(port\) in: "),
        ("s3://bucket/x", [], "No module named 'boto"),
        # Debian's brings paramiko.
        ("sftp://user:{}@127.0.0.1:1/x", [], "No module named 'paramiko'|Unable to connect"),
        ("file:///proc/self/fd", ["--", "--no-such-option"], "--no-such-option"),
    ],
)
@pytest.mark.parametrize("verbosity", ["-q", "-vvv"])
def test_duplicitys_own_reason_is_given_in_one_line_without_secrets(
    duplicity: Path, temporary: Path, url: str, options: list[str], reason: str, verbosity: str
) -> None:
    arguments = ["-d", url.format(SECRET), "--duplicity", duplicity, verbosity, *options]
    result = freshness(*arguments, environment={"TMPDIR": str(temporary)})
    assert result.status == 3
    assert "UNKNOWN - duplicity failed with " in result.first_line
    assert re.search(reason, result.first_line)
    assert SECRET not in result.out
    assert list(temporary.iterdir()) == []


def test_the_exit_code_is_given_its_meaning(duplicity: Path) -> None:
    result = freshness("-d", "bogus://host/x", "--duplicity", duplicity)
    assert "duplicity failed with 23 (user error): " in result.first_line


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("/no/such/duplicity", "cannot run /no/such/duplicity: No such file or directory"),
        ("/etc/passwd", "cannot run /etc/passwd: Permission denied"),
        ("/", "cannot run /: Permission denied"),
    ],
)
def test_duplicity_that_cannot_be_run(temporary: Path, command: str, reason: str) -> None:
    result = ask(temporary, Path(command))
    assert result.first_line == f"DUPLICITY FRESHNESS UNKNOWN - {reason}"
    assert "--version" in result.out


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("sys.exit(0)", "duplicity ended well, but said nothing about the destination"),
        ("sys.exit(99)", "duplicity failed with 99"),
        ("sys.exit(51)", "duplicity failed with 51 (permission denied at the destination)"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "duplicity was killed by SIGSEGV"),
        ("sys.stderr.write('a\\n\\033[1mb|c<d>\\n'); sys.exit(1)", "failed with 1: ?[1mb¦c‹d›"),
        ("os.write(2, bytes(range(256))); sys.exit(1)", "duplicity failed with 1: "),
        ("import fasteners_is_not_there", "No module named 'fasteners_is_not_there'"),
        ("print(sys.argv, file=sys.stderr); sys.exit(1)", "duplicity failed with 1: ["),
        (f"sys.stderr.write('{SECRET} ' * 100); sys.exit(1)", "failed with 1: *** ***"),
        ("os.write(2, b'. ' + b'x' * 50_000_000); sys.exit(1)", "duplicity failed with 1"),
    ],
)
def test_whatever_duplicity_does_there_is_a_valid_answer(
    temporary: Path, fake: Callable[[str], Path], lines: str, reason: str
) -> None:
    assert reason in ask(temporary, fake(lines)).first_line


@pytest.mark.exhaustive
def test_a_gigabyte_of_output_is_not_kept(temporary: Path, fake: Callable[[str], Path]) -> None:
    duplicity = fake("for _ in range(1000): os.write(2, b'x' * 999_999 + b'\\n')\nsys.exit(1)")
    assert "duplicity failed with 1: xxx" in ask(temporary, duplicity).first_line


@contextmanager
def checking(duplicity: Path, temporary: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a check that doesn't outlive the test, even if the test fails."""
    with subprocess.Popen(
        [BIN / "check_duplicity_freshness", "-d", "sftp://h/x", "--duplicity", duplicity],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**ENVIRONMENT, "TMPDIR": str(temporary)},
    ) as check:
        try:
            yield check
        finally:
            check.kill()


STUBBORN = """
for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(ignored, signal.SIG_IGN)
sys.stderr.write("WARNING 1\\n. Attempt 1 failed. Connection refused\\n\\n")
sys.stderr.flush()
if os.fork() == 0:
    os.close(2)
time.sleep(600)
"""


def test_no_answer_in_time_is_unknown_and_no_process_is_left(
    temporary: Path, fake: Callable[[str], Path]
) -> None:
    duplicity = fake(STUBBORN)
    result = ask(temporary, duplicity, "--timeout", "0.5")
    assert result.first_line == (
        "DUPLICITY FRESHNESS UNKNOWN - no answer within 0.5 s;"
        " duplicity's last words: Attempt 1 failed. Connection refused"
    )
    assert "--timeout" in result.out
    wait_until(lambda: not processes_of(str(duplicity)))


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_check_that_is_ended_by_a_signal_ends_duplicity(
    temporary: Path, fake: Callable[[str], Path], ending: signal.Signals
) -> None:
    duplicity = fake(STUBBORN)
    with checking(duplicity, temporary) as check:
        wait_until(lambda: len(processes_of(f"\0{duplicity}\0collection-status")) == 2)
        check.send_signal(ending)
        out, error = check.communicate(timeout=60)
    result = Result(check.returncode, out.decode())
    assert_valid(result)
    assert error == b""
    assert result.status == 3
    assert f"UNKNOWN - ended by {ending.name} before it was done" in result.first_line
    assert list(temporary.iterdir()) == []
    wait_until(lambda: not processes_of(str(duplicity)))


def test_a_check_that_is_killed_takes_duplicity_with_it(
    temporary: Path, fake: Callable[[str], Path]
) -> None:
    duplicity = fake("time.sleep(600)")
    with checking(duplicity, temporary) as check:
        wait_until(lambda: bool(processes_of(f"\0{duplicity}\0collection-status")))
        check.kill()
    wait_until(lambda: not processes_of(str(duplicity)))


def test_a_child_that_has_left_duplicitys_group_is_ended_too(
    temporary: Path, fake: Callable[[str], Path]
) -> None:
    duplicity = fake("if os.fork() == 0: os.setsid(); os.close(2)\ntime.sleep(600)")
    ask(temporary, duplicity, "--timeout", "0.5")
    wait_until(lambda: not processes_of(str(duplicity)))


def test_children_that_start_others_while_they_are_ended_are_ended_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = (subprocess.Popen(["sleep", "600"]) for _ in range(2))
    seen = iter([[psutil.Process(first.pid)], [psutil.Process(second.pid)], []])
    monkeypatch.setattr(psutil.Process, "children", lambda self, recursive: next(seen))
    try:
        ending._kill_children(0)
        assert not psutil.pid_exists(first.pid)
        assert not psutil.pid_exists(second.pid)
    finally:
        for child in (first, second):
            child.kill()
            child.wait()


@pytest.mark.exhaustive
def test_signals_at_any_moment_leave_one_valid_output_and_nothing_else(
    temporary: Path, fake: Callable[[str], Path], tmp_path: Path
) -> None:
    """From the moment on that the check has begun, which duplicity's start tells, to its end."""
    mark = tmp_path / "started"
    duplicity = fake(f"open({str(mark)!r}, 'w').close()\ntime.sleep(0.05)\nsys.exit(50)")
    for step in range(60):
        mark.unlink(missing_ok=True)
        with checking(duplicity, temporary) as check:
            wait_until(mark.exists)
            threading.Event().wait(step * 0.002)
            check.send_signal((signal.SIGTERM, signal.SIGINT, signal.SIGHUP)[step % 3])
            out, error = check.communicate(timeout=60)
        assert error == b""
        assert_valid(Result(check.returncode, out.decode()))
        assert check.returncode == 3
        assert list(temporary.iterdir()) == []


def test_what_the_parent_blocks_and_ignores_does_not_matter(
    temporary: Path, fake: Callable[[str], Path]
) -> None:
    def spoil() -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGTERM})

    failing, hanging = fake("sys.exit(50)"), fake("time.sleep(600)")
    for duplicity, reason in ((failing, "failed with 50"), (hanging, "no answer within 0.5 s")):
        result = freshness(
            "-d", "sftp://h/x", "--duplicity", duplicity, "-t", "0.5",
            environment={"TMPDIR": str(temporary)}, preexec_fn=spoil,
        )  # fmt: skip
        assert result.status == 3
        assert reason in result.first_line


def test_duplicity_has_no_terminal_no_input_and_a_private_archive_directory(
    temporary: Path, fake: Callable[[str], Path], tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    duplicity = fake(
        "def can_open(path):\n"
        "    try: return bool(os.open(path, os.O_RDWR)) or True\n"
        "    except OSError: return False\n"
        "private = sys.argv[sys.argv.index('--archive-dir') + 1]\n"
        "print(os.readlink('/proc/self/fd/0'), can_open('/dev/tty'),\n"
        "  os.getpgrp() == os.getpid(), os.environ['TMPDIR'] == private,\n"
        "  os.listdir(private), oct(os.stat(private).st_mode),\n"
        "  sorted(v for v in os.environ if v[:2] in ('LA', 'LC')),\n"
        f"  file=open({str(seen)!r}, 'w'))"
    )
    ask(temporary, duplicity, "-a", tmp_path)
    assert seen.read_text() == "/dev/null False True True [] 0o40700 ['LC_ALL']\n"


def test_no_temporary_directory_is_unknown(fake: Callable[[str], Path], tmp_path: Path) -> None:
    # As on a full or read-only disk: a directory that nobody, not even root, can write to.
    result = freshness(
        "-d", "sftp://h/x", "--duplicity", fake("sys.exit(0)"),
        environment={"TMPDIR": "/proc", "HOME": "/proc"}, cwd="/proc",
    )  # fmt: skip
    assert result.status == 3


def test_a_destination_that_may_not_be_read_is_unknown(duplicity: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    lab = Lab(duplicity, tmp_path)
    lab.run("full")
    lab.destination.chmod(0)
    (tmp_path / "closed" / "x").mkdir(parents=True)
    (tmp_path / "closed").chmod(0)
    try:
        result = lab.check()
        hidden = lab.check("-d", f"file://{tmp_path}/closed/x")
    finally:
        (tmp_path / "closed").chmod(0o700)
        lab.destination.chmod(0o700)
    assert (result.status, hidden.status) == (3, 3)
    assert "Permission denied" in result.first_line
    assert "Permission denied" in hidden.first_line
