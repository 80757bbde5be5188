"""Attacks by another user with forged lines, core dumps, keys and delays. Needs root.

U is the job's user, OTHER is another user.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import re
import shutil
import struct
import subprocess
import tempfile
import termios
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from lab import wait_until
from needs import needs_root
from plugin import BIN

USERS = U, OTHER = "dup-boundary-u", "dup-boundary-o"
CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")
CORE_PIPE_LIMIT = Path("/proc/sys/kernel/core_pipe_limit")
FORGED = "FORGED: OK, good"
EVIL = f"x\n{FORGED}\n  {FORGED}\r\x1b[2J{FORGED}\u2028{FORGED}\n"

pytestmark = [
    pytest.mark.root,
    needs_root,
]  # fmt: skip


@pytest.fixture(scope="module")
def homes() -> Iterator[dict[str, Path]]:
    """The homes of two ordinary users."""
    for name in USERS:
        subprocess.run(["useradd", "--create-home", "--password", "*", name], check=True)
    try:
        yield {name: Path(pwd.getpwnam(name).pw_dir) for name in USERS}
    finally:
        for name in USERS:
            subprocess.run(["pkill", "-9", "-u", name], check=False)
            subprocess.run(["userdel", "--remove", name], check=True, stderr=subprocess.DEVNULL)


@pytest.fixture
def common() -> Iterator[Path]:
    """A directory that every user can enter and write to, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o1777)
        yield Path(name)


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def job(directory: Path, name: str, **facts: object) -> None:
    directory.chmod(0o755)
    lines = [f"{key} = {value}" for key, value in facts.items()]
    (directory / f"{name}.ini").write_text("\n".join(["[job]", *lines, ""]))
    (directory / f"{name}.ini").chmod(0o644)


# Lines


def assert_not_forged(out: str) -> None:
    """Demand that no line begins with a value."""
    assert "FORGED" in out
    assert all(c.isprintable() or c == "\n" for c in out)
    begun = [line for line in out.split("\n") if line.lstrip().startswith("FORGED")]
    assert begun == []


@pytest.mark.parametrize(
    "arguments",
    [["duplicity_triage", "-q"], ["duplicity_triage", "--list-jobs"],
     ["duplicity_triage", "--list-jobs", "--ini"]],
)  # fmt: skip
def test_the_name_of_a_profile_begins_no_line(
    homes: dict[str, Path], arguments: list[str], common: Path
) -> None:
    profile = homes[U] / ".duply" / EVIL
    profile.mkdir(parents=True)
    (profile / "conf").write_text("TARGET='file:///nowhere/x'\nSOURCE='/etc'\n")
    for path in (profile.parent, profile, profile / "conf"):
        shutil.chown(path, U)
    try:
        plugin, *options = arguments
        done = subprocess.run(
            [BIN / plugin, *options, "-t", "20", "--jobs-dir", common], capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert_not_forged(done.stdout)
    finally:
        shutil.rmtree(profile.parent)


# Cores


@contextlib.contextmanager
def set_to(values: dict[Path, str]) -> Iterator[None]:
    """Change the kernel's settings during the block."""
    before = {path: path.read_text() for path in values}
    try:
        for path, value in values.items():
            path.write_text(value)
        yield
    except PermissionError as error:
        pytest.skip(f"the kernel lets nobody set {error.filename} here")
    finally:
        for path, value in before.items():
            with contextlib.suppress(PermissionError):
                path.write_text(value)


@pytest.fixture(params=["program", "file"])
def cores(request: pytest.FixtureRequest, common: Path) -> Iterator[Path]:
    """A directory for core dumps: written by a helper program, or by the kernel itself."""
    directory = common / "cores"
    directory.mkdir()
    directory.chmod(0o777)
    taker = script(common / "taker", f"exec cat > {directory}/core.$1")
    pattern = f"|{taker} %p" if request.param == "program" else f"{directory}/core.%p"
    with set_to({CORE_PIPE_LIMIT: "64", CORE_PATTERN: pattern}):
        subprocess.run(["sh", "-c", "ulimit -c unlimited; kill -SEGV $$"], check=False)
        if not list(directory.iterdir()):
            pytest.skip(f"cores don't come here by {pattern}: in a container's namespaces?")
        for core in directory.iterdir():
            core.unlink()
        yield directory


def crashing(common: Path, who: str, owner: str) -> Path:
    """Return a duplicity that crashes itself or the check."""
    wait = " & while :; do sleep 1; done" if who == "PPID" else ""
    path = script(common / f"crashing-{who}", f"kill -SEGV ${who}{wait}")
    shutil.chown(path, owner)
    return path


def check_as_user(homes: dict[str, Path], duplicity: Path, limit: str) -> None:
    """Run a check as U, with secrets and a limit of cores."""
    words = ["setpriv", "--reuid", U, "--regid", U, "--clear-groups", "prlimit", f"--core={limit}"]
    words += [f"{BIN}/check_duplicity_freshness", "-d", "sftp://u:geheim@h/x", "--duplicity"]
    # What crashes leaves its directory.
    environment = {"PATH": os.environ["PATH"], "HOME": str(homes[U]), "PASSPHRASE": "geheim"}
    environment["TMPDIR"] = str(duplicity.parent)
    subprocess.run([*words, duplicity], capture_output=True, check=False, cwd="/", env=environment)


@pytest.mark.parametrize("who", ["$", "PPID"], ids=["duplicity", "check"])
def test_no_core_is_taken_of_a_check_or_of_what_it_starts(
    homes: dict[str, Path], cores: Path, common: Path, who: str
) -> None:
    check_as_user(homes, crashing(common, who, U), "unlimited")
    assert list(cores.iterdir()) == []


@pytest.mark.parametrize("who", ["$", "PPID"], ids=["duplicity", "check"])
def test_where_the_limit_cannot_be_raised_no_core_has_anything_in_it(
    homes: dict[str, Path], cores: Path, common: Path, who: str
) -> None:
    check_as_user(homes, crashing(common, who, U), "0:0")  # as sudo does (rlimit_core)
    taken = [core.read_bytes() for core in cores.iterdir()]
    assert not any(b"geheim" in core for core in taken)
    assert not taken or who == "$"


def test_no_other_process_of_the_user_looks_into_one_that_knows_a_secret(
    homes: dict[str, Path], common: Path
) -> None:
    spy = script(common / "spy", f"cat /proc/$PPID/environ > {common}/seen 2> {common}/why")
    words = ["sudo", "-n", "-u", U, "env", "PASSPHRASE=geheim"]
    words += [f"{BIN}/check_duplicity_freshness", "-d", "sftp://h/x", "--duplicity", str(spy)]
    subprocess.run(words, capture_output=True, check=False, cwd="/")
    assert (common / "seen").read_bytes() == b""
    assert "Permission denied" in (common / "why").read_text()


# Keys


def in_a_session_with_a_key(*words: object) -> subprocess.CompletedProcess[str]:
    """Run a command as root with a key in the session keyring."""
    if not shutil.which("keyctl"):
        pytest.skip("needs keyutils")
    line = 'keyctl padd user dup-boundary @s > /dev/null || exit 77; exec "$@"'
    done = subprocess.run(
        ["keyctl", "session", "-", "sh", "-c", line, "-", *map(str, words)],
        input="geheim", capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 77 or "Joined session keyring" not in done.stderr:
        pytest.skip(f"the kernel keeps no keys here: {done.stderr}")
    return done


def test_roots_session_keyring_does_not_go_along(homes: dict[str, Path], common: Path) -> None:
    asking = "keyctl print %user:dup-boundary"
    assert in_a_session_with_a_key("sh", "-c", asking).stdout == "geheim\n"
    spy = script(common / "spy", f"(id -un; {asking}) > {common}/seen 2>&1")
    for plugin in ("check_duplicity_freshness", "duplicity_triage"):
        words = ["-u", U, "-d", "sftp://h/x", "--duplicity", spy]
        in_a_session_with_a_key(BIN / plugin, *words)
        told = (common / "seen").read_text()
        assert told.startswith(f"{U}\n")
        assert "geheim" not in told
        (common / "seen").unlink()


def test_a_user_is_become_where_the_kernel_keeps_no_keys(homes: dict[str, Path]) -> None:
    # As in a container: a filter of system calls refuses keyctl.
    refuse = (
        "import ctypes, os, struct, sys\n"
        "number = int(sys.argv[1])\n"
        "code = [(32, 0, 0, 0), (21, 0, 1, number), (6, 0, 0, 0x50001), (6, 0, 0, 0x7fff0000)]\n"
        "data = b''.join(struct.pack('HBBI', *line) for line in code)\n"
        "class Program(ctypes.Structure):\n"
        "    _fields_ = [('len', ctypes.c_ushort), ('code', ctypes.c_char_p)]\n"
        "libc = ctypes.CDLL(None)\n"
        "assert libc.prctl(22, 2, ctypes.byref(Program(4, data))) == 0\n"
        "os.execv(sys.argv[2], sys.argv[2:])\n"
    )
    from check_duplicity.system.keyring import _number

    number = _number(os.uname().machine, wide=True)
    words = [f"{BIN}/check_duplicity_freshness", "-u", U, "-d", "file:///nowhere"]
    done = subprocess.run(
        [BIN / "python", "-c", refuse, str(number), *words], capture_output=True, text=True,
        check=False, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.stderr == ""
    assert " CRITICAL - " in done.stdout


# Time


def pending(descriptor: int) -> int:
    """Return the number of unread bytes in a pipe."""
    return int(struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))[0])


def answering(name: str) -> list[int]:
    """Return triage's processes that run as a user and wait until triage reads their output."""
    uid = pwd.getpwnam(name).pw_uid
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            status = (entry / "status").read_text()
            is_theirs = f"\nUid:\t{uid}\t" in status and status.startswith("Name:\tduplicity_triag")
            if is_theirs and "pipe_write" in (entry / "wchan").read_text():
                found.append(int(entry.name))
    return found


def test_a_user_who_stops_what_answers_for_him_holds_up_nobody(
    homes: dict[str, Path], common: Path
) -> None:
    jobs = common / "jobs"
    jobs.mkdir()
    # What duplicity says makes the answer to triage larger than a pipe is.
    first = datetime(2020, 1, 1, tzinfo=timezone.utc)
    stamps = [f"{first + timedelta(hours=hour):%Y%m%dT%H%M%SZ}" for hour in range(5000)]
    kinds = ("manifest", "vol1.difftar.gz")
    names = [f"duplicity-full.{stamp}.{kind}" for stamp in stamps for kind in kinds]
    (common / "log").write_text(f". Extracting backup chains from list of files: {names}\n")
    waiting = f"while ! [ -e {common}/go ]; do sleep 0.1; done; cat {common}/log >&2"
    slow = script(common / "slow", waiting)
    job(jobs, "a", user=OTHER, destination="file:///nowhere/a", archive_dir="/x" * 100_000)
    job(jobs, "b", user=U, destination="sftp://h/b", duplicity=slow)
    words = [f"{BIN}/duplicity_triage", "-t", "8", "--jobs-dir", str(jobs), "a", "b"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as triage:
        try:
            assert triage.stdout is not None
            output = triage.stdout.fileno()
            # Nobody reads the report: triage has one job's, and doesn't read the other's answer.
            wait_until(lambda: pending(output) > 1 << 15)
            (common / "go").touch()
            wait_until(lambda: bool(answering(U)))
            [pid] = answering(U)
            stopping = f"while kill -STOP {pid} 2> /dev/null; do :; done"
            stopper = subprocess.Popen(["sudo", "-n", "-u", U, "sh", "-c", stopping], cwd="/")
            wait_until(lambda: ") T " in Path(f"/proc/{pid}/stat").read_text())
            out, error = triage.communicate(timeout=60)
            assert stopper.wait(timeout=60) == 0  # There is nobody any more to stop.
        finally:
            triage.kill()
    assert error == b""
    assert triage.returncode in (2, 3)
    # It may get through all the same: he isn't always fast enough.
    assert re.search("^b: (?:UNKNOWN, can't be seen|CRITICAL, .*)$", out.decode(), re.M)
