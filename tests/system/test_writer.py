"""A file is written whole or not at all, by the user who started the check."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from check_duplicity.system import writer
from check_duplicity.system.writer import NotWritten, Writer
from lab import wait_until


def write(path: Path, text: str = "new\n") -> str:
    """Write it as a check does; return why that could not be done, or nothing."""
    try:
        Writer(str(path)).write(text)
    except NotWritten as error:
        return str(error)
    return ""


def test_a_file_is_made_and_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "duplicity.prom"
    assert write(path, "old\n") == ""
    with path.open() as reader:
        assert write(path, "new ü\n") == ""
        assert reader.read() == "old\n"  # Who has it open reads on in the old one.
    assert path.read_text() == "new ü\n"
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0, 0o644), (0o077, 0o600)])
def test_others_may_read_it_unless_umask_says_less(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        assert write(tmp_path / "x") == ""
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == mode


def test_what_is_no_file_stays(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    for name in ("directory", "fifo", "link"):
        assert write(tmp_path / name) == f"{tmp_path / name} can't be written: is not a file"
    assert (tmp_path / "target").read_text() == "old"
    assert len(os.listdir(tmp_path)) == 4


def test_why_it_was_not_written_is_said(tmp_path: Path) -> None:
    assert write(tmp_path / "no" / "x").endswith("can't be written: No such file or directory")
    # Of no size: an empty disk can be had without root only as a file that must not grow.
    code = (
        "import resource, signal, sys\n"
        "from check_duplicity.system.writer import Writer\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "Writer(sys.argv[1]).write('x' * 100)\n"
    )
    (tmp_path / "full").write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "full"], check=False, capture_output=True
    )
    assert b"full can't be written: File too large" in done.stderr
    assert (tmp_path / "full").read_text() == "old"
    assert os.listdir(tmp_path) == ["full"]


def test_a_check_that_is_killed_leaves_no_child_and_no_file(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from check_duplicity.system.writer import Writer\n"
        "Writer(sys.argv[1])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    reader, kept_open = os.pipe()
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "x"], pass_fds=[kept_open], check=False, timeout=30
    )
    os.close(kept_open)
    assert os.read(reader, 1) == b""  # The end of it: nobody has it open any more.
    os.close(reader)
    assert os.listdir(tmp_path) == []


def test_nobody_waits_for_the_child_to_read_the_checks_output(tmp_path: Path) -> None:
    code = "import sys\nfrom check_duplicity.system.writer import Writer\nWriter(sys.argv[1])\n"
    command = [sys.executable, "-c", code + "print('said')", str(tmp_path / "x")]
    assert subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout == b"said\n"


def test_a_disk_that_hangs_holds_no_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child waits for ever, and reads nothing of what a pipe has no room for."""
    monkeypatch.setattr(writer, "_WITHIN", 0.2)
    hanging = Writer(str(tmp_path / "x"))
    os.kill(hanging._pid, signal.SIGSTOP)
    with pytest.raises(NotWritten, match=r"x can't be written: no answer within 0\.2 s"):
        hanging.write("x" * (1 << 20))
    os.kill(hanging._pid, signal.SIGKILL)
    os.waitpid(hanging._pid, 0)
    assert os.listdir(tmp_path) == []


def test_the_child_holds_none_of_the_checks_streams(tmp_path: Path) -> None:
    waiting = Writer(str(tmp_path / "x"))

    def held() -> set[str]:
        return {os.readlink(f"/proc/{waiting._pid}/fd/{stream}") for stream in (0, 1, 2)}

    wait_until(lambda: held() == {"/dev/null"})
    waiting.write("new")
    assert (tmp_path / "x").read_text() == "new"
