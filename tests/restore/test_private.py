"""A drill's private directory holds files of the backup, so nothing of it may stay."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.restore import private
from lab import processes_of, wait_until

MAKE = """\
import sys
from check_duplicity.restore import private
from check_duplicity.system import runtime
print(private.directory(sys.argv[1] or None), flush=True)
"""
ENDED = "input()\nruntime.take_last_steps()\n"
FORGETFUL = "input()\n"  # As if the machine's power were cut: nothing is undone.
CHILD = """\
import os, subprocess
subprocess.Popen(["sleep", sys.argv[2]], start_new_session=True)
print("started", flush=True)
"""


@contextmanager
def drill(code: str, tempdir: object, mark: str = "", **environment: str) -> Iterator[Drill]:
    """Run a process that has made its directory, and waits for input."""
    with subprocess.Popen(
        [sys.executable, "-c", MAKE + code, str(tempdir), mark],
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Drill(process)
        finally:
            process.kill()


class Drill:
    """A process with a private directory."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.path = Path(self.line())

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def end(self) -> None:
        self.process.communicate("\n", timeout=30)


def fill(path: Path) -> None:
    (path / "restored" / "dir").mkdir(parents=True)
    (path / "restored" / "dir" / "secret").write_text("of the backup")


def test_it_is_its_users_alone_and_gone_in_the_end(tmp_path: Path) -> None:
    with drill(ENDED, tmp_path) as making:
        assert making.path.parent == tmp_path
        assert making.path.name.startswith("check-duplicity-drill-")
        assert making.path.stat().st_mode & 0o777 == 0o700
        fill(making.path)
        making.end()
        assert list(tmp_path.iterdir()) == []


def test_no_two_drills_have_the_same(tmp_path: Path) -> None:
    with drill(ENDED, tmp_path) as one, drill(ENDED, tmp_path) as other:
        assert one.path != other.path
        assert one.path.is_dir()  # The other one's sweeping has left it.
        one.end()
        assert other.path.is_dir()


def test_all_that_is_temporary_goes_there(tmp_path: Path) -> None:
    with drill("import os; print(os.environ['TMPDIR'], flush=True)\n" + ENDED, tmp_path) as making:
        assert making.line() == str(making.path)


@pytest.mark.parametrize("variable", [True, False])
def test_by_default_it_is_below_tmpdir_else_in_var_tmp(variable: bool, tmp_path: Path) -> None:
    environment = {"TMPDIR": str(tmp_path)} if variable else {}
    with drill(ENDED, "", **environment) as making:
        assert making.path.parent == (tmp_path if variable else Path("/var/tmp"))
        making.end()
        assert not making.path.exists()


def test_killed_outright_it_is_gone_and_what_worked_in_it_too(tmp_path: Path) -> None:
    mark = "997.25"
    with drill(CHILD + FORGETFUL, tmp_path, mark) as making:
        assert making.line() == "started"
        fill(making.path)
        wait_until(lambda: bool(processes_of(f"sleep\0{mark}")))  # Its command line is there late.
        making.process.kill()
        making.process.wait(timeout=30)
        wait_until(lambda: not making.path.exists())
        wait_until(lambda: not processes_of(f"sleep\0{mark}"))


def test_whoever_waits_for_the_drills_output_does_not_wait_for_its_guardian(tmp_path: Path) -> None:
    with drill(ENDED, tmp_path) as making:
        making.end()  # That reads to the end of the output.
        assert making.process.returncode == 0


def left(parent: Path, name: str = "check-duplicity-drill-0123") -> Path:
    """Make a directory as a machine leaves it that has lost its power."""
    path = parent / name
    fill(path)
    return path


def test_what_a_dead_machine_has_left_is_swept(tmp_path: Path) -> None:
    stale, second = left(tmp_path), left(tmp_path, "check-duplicity-drill-4567")
    with drill(ENDED, tmp_path) as making:
        assert not stale.exists()
        assert not second.exists()
        assert list(tmp_path.iterdir()) == [making.path]


def test_what_another_drill_holds_is_not_swept(tmp_path: Path) -> None:
    held = left(tmp_path)
    descriptor = os.open(held, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with drill(ENDED, tmp_path) as making:
            making.end()
        assert (held / "restored" / "dir" / "secret").exists()
    finally:
        os.close(descriptor)
    with drill(ENDED, tmp_path):
        assert not held.exists()


def test_nothing_else_is_swept(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    fill(tmp_path / "precious")
    other = left(tmp_path, "check-duplicity-0123")
    (tmp_path / "check-duplicity-drill-link").symlink_to("precious")
    (tmp_path / "check-duplicity-drill-file").write_text("")
    with drill(ENDED, tmp_path) as making:
        making.end()
    assert (tmp_path / "precious" / "restored" / "dir" / "secret").exists()
    assert (other / "restored").exists()
    assert (tmp_path / "check-duplicity-drill-link").is_symlink()
    assert (tmp_path / "check-duplicity-drill-file").exists()


def test_what_is_another_users_is_left_to_him(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = left(tmp_path)
    with monkeypatch.context() as another:
        another.setattr(os, "geteuid", lambda: os.getuid() + 1)
        private._sweep(str(tmp_path))
    assert theirs.exists()
    private._sweep(str(tmp_path))
    assert not theirs.exists()


def test_a_link_out_of_what_is_swept_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    fill(tmp_path / "precious")
    (left(tmp_path) / "out").symlink_to(tmp_path / "precious")
    private._sweep(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
    assert (tmp_path / "precious" / "restored" / "dir" / "secret").exists()


def test_directories_that_nothing_can_be_removed_from_are_removed(tmp_path: Path) -> None:
    """What is restored has the modes of the source. (Root can remove them anyway.)"""
    with drill(ENDED, tmp_path) as making:
        fill(making.path)
        (making.path / "restored" / "none" / "below").mkdir(parents=True)
        for name, mode in (("dir", 0o500), ("none/below", 0o500), ("none", 0)):
            (making.path / "restored" / name).chmod(mode)
        making.end()
        wait_until(lambda: not making.path.exists(), 10)


NO_MORE = """\
import errno, os, sys
from check_duplicity.nagios.findings import CannotSee
from check_duplicity.restore import private
fork, left = os.fork, [int(sys.argv[2])]
def limited():
    if not left[0]:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    left[0] -= 1
    return fork()
os.fork = limited
try:
    private.directory(sys.argv[1])
except CannotSee as reason:
    print(reason)
"""


@pytest.mark.parametrize("possible", [0, 1])
def test_without_another_process_there_is_one_answer_and_nothing_else(
    possible: int, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NO_MORE, str(tmp_path), str(possible)],
        capture_output=True, check=True, text=True, timeout=30,
    )  # fmt: skip
    reason = "Resource temporarily unavailable"
    assert (done.stdout, done.stderr) == (f"no private directory in {tmp_path}: {reason}\n", "")
    assert list(tmp_path.iterdir()) == []


def test_no_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name, reason in (("none", "No such file or directory"), ("file", "Not a directory")):
        with pytest.raises(
            CannotSee, match=f"no private directory in .*{name}: {reason}"
        ) as raised:
            private.directory(str(tmp_path / name))
        assert raised.value.kind is Kind.NO_ROOM
