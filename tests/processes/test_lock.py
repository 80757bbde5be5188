"""Who holds the lock of an archive directory, for any lockfile, and any visible processes."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from check_duplicity.processes import lock, see
from check_duplicity.processes.model import Wanted
from check_duplicity.system import proc
from check_duplicity.system.user import current
from plugin import run_plugin

# As duplicity takes it (fasteners): a lock for writing, of the process.
TAKING = (
    "import fcntl, sys; file = open(sys.argv[1], 'a'); fcntl.lockf(file, fcntl.LOCK_{}); "
    "print('taken', flush=True); sys.stdin.read()"
)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "job").mkdir()
    return tmp_path / "job"


@contextlib.contextmanager
def held(archive: Path, kind: str = "EX") -> Iterator[int]:
    """Run a process that holds the lock and has unrelated arguments; yield its pid."""
    file = archive / "lockfile"
    file.touch()
    taking = TAKING.format(kind).replace("'a'", "'r+'")
    with subprocess.Popen(
        [sys.executable, "-c", taking, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"taken\n"
        try:
            yield holder.pid
        finally:
            holder.stdin.close()


def wanted(archive: Path) -> Wanted:
    return Wanted(archive_dir=str(archive.parent), name=archive.name, user=current())


def test_who_holds_it_is_told_until_it_is_free(archive: Path) -> None:
    with held(archive) as pid:
        assert lock.holder(str(archive)) == pid
        assert lock.holder(str(archive), current()) == pid
    assert lock.holder(str(archive)) is None
    assert lock.is_free(str(archive))


def test_a_lock_for_reading_is_none(archive: Path) -> None:
    """Anybody has one who may read the file."""
    with held(archive, "SH"):
        assert lock.holder(str(archive)) is None


def test_a_holder_that_cannot_be_seen_is_a_running_backup(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with hidepid, or in another namespace: the lock alone tells of it."""
    with held(archive) as pid:
        monkeypatch.setattr(proc, "heads", lambda: iter(()))
        sight = see.look(wanted(archive))
        (process,) = sight.running
        assert (process.pid, process.holds_lock, process.started) == (pid, True, None)
        assert (process.user, process.archive) == (current(), str(archive))
        assert sight.sure
        (found, _) = see.running_backup(wanted(archive))
        assert found is not None
        assert (found.pid, found.since) == (pid, None)
    assert see.look(wanted(archive)).running == ()


def test_one_that_lets_go_while_it_is_looked_for_is_none(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(held(archive))

        def ended() -> Iterator[tuple[int, bytes]]:
            stack.close()
            return iter(())

        monkeypatch.setattr(proc, "heads", ended)
        assert see.look(wanted(archive)).running == ()


def link_to_a_file(path: Path) -> None:
    path.with_name("target").touch()
    path.symlink_to("target")


@pytest.mark.parametrize("make", [os.mkfifo, link_to_a_file, Path.mkdir])
def test_what_is_no_file_is_no_lock_and_nobody_waits_for_it(make: object, archive: Path) -> None:
    assert callable(make)
    make(archive / "lockfile")
    words = ["-a", archive.parent, "-n", archive.name, "-t", "20"]
    result = run_plugin("check_duplicity_process", words)
    assert (result.status, result.first_line) == (
        0, "DUPLICITY PROCESS OK - no backup is running",
    )  # fmt: skip


def test_a_lock_behind_a_link_is_somebody_elses(archive: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with held(other):
        (archive / "lockfile").symlink_to(other / "lockfile")
        assert lock.holder(str(archive)) is None


def test_no_archive_directory_is_not_free(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (archive / "lockfile").touch()
    monkeypatch.chdir(archive)  # What lies where the check was started is no job's.
    assert not lock.is_free("")
    assert lock.is_free(str(tmp_path))
    assert not lock.is_free(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("mode", "theirs"),
    [(0o600, True), (0o644, True), (0o660, False), (0o664, False), (0o606, False), (0o666, False)],
)
def test_another_users_lock_counts_only_where_no_other_could_take_it(
    archive: Path, monkeypatch: pytest.MonkeyPatch, mode: int, theirs: bool
) -> None:
    """Whoever may write to the file can hold the lock: its group, or anybody."""
    archive.chmod(0o755)  # Whatever the umask is: the check refuses to remember where others write.
    state = ["--state-file", archive / "state"]
    with held(archive) as pid:
        (archive / "lockfile").chmod(mode)
        monkeypatch.setattr(proc, "owner", lambda pid: 54321)
        assert lock.holder(str(archive), current()) == (pid if theirs else None)
        assert lock.only_writer(str(archive)) == (os.geteuid() if theirs else None)
        monkeypatch.setattr(proc, "heads", lambda: iter(()))
        assert bool(see.look(wanted(archive)).running) == theirs
        monkeypatch.undo()
        # Its own is one, whoever else could have taken it.
        words = ["-a", archive.parent, "-n", archive.name, "-u", current(), "--require", *state]
        assert run_plugin("check_duplicity_process", words).status == 0


@pytest.mark.parametrize(
    ("uid", "mode", "pid", "owner", "theirs"),
    [
        (1000, 0o644, 5, 1001, True), (0, 0o644, 5, 1001, True), (1001, 0o644, 5, 1001, False),
        (1001, 0o666, 5, 1000, True), (1001, 0o666, 5, 0, True), (1001, 0o666, 0, 1000, False),
        (1001, 0o666, 1, 1000, True), (1000, 0o620, 5, None, False), (1000, 0o602, 5, 1, False),
    ],
)  # fmt: skip
def test_whose_a_lock_is(
    uid: int, mode: int, pid: int, owner: int, theirs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proc, "uid_of", {"bk": 1000}.__getitem__)
    monkeypatch.setattr(proc, "owner", lambda pid: owner)
    status = os.stat_result((mode, 0, 0, 1, uid, 0, 0, 0, 0, 0))
    assert lock._is_lock_of(status, pid, "bk") == theirs


@pytest.mark.parametrize(
    ("kind", "pid", "holder"),
    [
        (fcntl.F_WRLCK, 5, 5), (fcntl.F_WRLCK, 1, 1), (fcntl.F_WRLCK, 0, 0),
        (fcntl.F_WRLCK, -1, None), (fcntl.F_WRLCK, -2, 0), (fcntl.F_RDLCK, 5, None),
        (fcntl.F_UNLCK, 5, None),
    ],
)  # fmt: skip
def test_what_the_kernel_says_of_a_lock(
    kind: int, pid: int, holder: int | None, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (archive / "lockfile").touch()
    before = len(os.listdir("/proc/self/fd"))

    def answer(file: int, command: int, question: bytes) -> bytes:
        assert command == fcntl.F_GETLK
        # The whole file: from its beginning, of no length.
        assert struct.unpack("hhqqi", question) == (fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        return struct.pack("hhqqi", kind, 0, 0, 0, pid)

    monkeypatch.setattr(fcntl, "fcntl", answer)
    assert lock.holder(str(archive)) == holder
    assert lock.only_writer(str(archive / "none")) is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_disk_that_knows_no_locks_has_no_holder(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (archive / "lockfile").touch()

    def refuse(*asked: object) -> bytes:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    assert lock.holder(str(archive)) is None
