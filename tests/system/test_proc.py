"""Whose a process is: what anybody can choose of it does not count."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from check_duplicity.inventory.see import clocks
from check_duplicity.system import proc


@pytest.mark.parametrize(
    ("mode", "uids", "counts"),
    [
        (0o755, {0}, True),
        (0o755, {54321}, False),
        (0o755, {54321, 0}, False),  # as of sudo, which anybody starts with any name
        (0o4755, {0}, False),  # as of what has become root for anybody
    ],
)
def test_a_cron_that_another_may_have_started_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, uids: set[int], counts: bool
) -> None:
    cron = tmp_path / "cron"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", cron)
    cron.chmod(mode)
    with subprocess.Popen([cron, "600"]) as started:
        try:
            monkeypatch.setattr(proc, "heads", lambda: iter([(started.pid, b"cron\0")]))
            monkeypatch.setattr(proc, "uids_of", lambda pid: frozenset(uids))
            monkeypatch.setattr(proc, "hides_others", lambda: False)
            assert os.path.basename(os.readlink(f"/proc/{started.pid}/exe")) == "cron"
            assert clocks(str(tmp_path)).cron == ("" if counts else "cron is not running")
        finally:
            started.kill()


def fake(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
    """Let these be the files of /proc, and no others."""
    pids = list(dict.fromkeys(path.split("/")[2] for path in files))
    monkeypatch.setattr(proc, "_read", lambda path, *rest, **more: files.get(path, b""))
    monkeypatch.setattr(os, "listdir", lambda path: [*pids, "self", "stat"])


def stat_of(pid: int, parent: int, state: str = "S", name: str = "sh", began: int = 0) -> bytes:
    """The line of proc(5); the time when it began is field 22."""
    return f"{pid} ({name}) {state} {parent} {'4 ' * 17}{began} 9 9\n".encode()


@pytest.mark.parametrize(
    ("words", "argv"),
    [
        (b"", [""]), (b"a\0", ["a"]), (b"a\0b\0", ["a", "b"]), (b"a\0\0b\0\0", ["a", "", "b"]),
        (b"a b", ["a b"]), (b"\xff\0", ["\ufffd"]),
    ],
)  # fmt: skip
def test_arguments_end_with_nul(words: bytes, argv: list[str]) -> None:
    assert proc.argv(words) == argv


def test_who_started_a_process_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "/proc/1/stat": stat_of(1, 0), "/proc/1/cmdline": b"/x\0",
        "/proc/7/stat": stat_of(7, 1, name="a) S 5"), "/proc/7/cmdline": b"sh\0/y\0",
        "/proc/8/stat": stat_of(8, 1),
        "/proc/9/stat": stat_of(9, 7), "/proc/9/cmdline": b"/z\0",
        "/proc/20/stat": stat_of(20, 21), "/proc/21/stat": stat_of(21, 20),
    }  # fmt: skip
    fake(monkeypatch, files)
    assert [proc.parent(pid) for pid in (1, 7, 9, 99)] == [0, 1, 7, 0]
    assert proc.families() == {0: [1], 1: [7, 8], 7: [9], 21: [20], 20: [21]}
    below = [(9, "/z"), (9, "/y"), (7, "/y"), (7, "/z"), (9, "/x"), (1, "/x"), (20, "/z")]
    assert [proc.is_below(*one) for one in below] == [True, True, True, False, False, False, False]
    assert proc.command(7) == b"sh\0/y\0"


@pytest.mark.parametrize(
    ("state", "dead", "stopped"),
    [("S", 0, 0), ("R", 0, 0), ("Z", 1, 0), ("T", 0, 1), ("t", 0, 1), ("X", 0, 0), ("D", 0, 0)],
)
def test_what_a_process_does_is_told(
    state: str, dead: bool, stopped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(monkeypatch, {"/proc/7/stat": stat_of(7, 1, state, "duplicity")})
    assert proc.is_dead(7, b"duplicity") == dead
    assert not proc.is_dead(7, b"dupl")
    assert not proc.is_dead(8, b"duplicity")
    assert proc.is_stopped(7) == stopped
    assert proc._runs_still(7) == (state not in "ZX")
    assert not proc._runs_still(8)


@pytest.mark.parametrize(
    ("uids", "owner", "all_of_them"),
    [
        ("5 5 5 5", 5, {5}), ("0 0 0 0", 0, {0}), ("6 5 5 5", None, {5, 6}),
        ("5 6 5 5", None, {5, 6}), ("5 5 6 5", None, {5, 6}), ("5 5 5 6", None, {5, 6}),
        ("1 2 3 4", None, {1, 2, 3, 4}), ("5 5 5", None, set()), ("", None, set()),
    ],
)  # fmt: skip
def test_the_owner_is_the_only_user_of_a_process(
    uids: str, owner: int | None, all_of_them: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    status = "Name:\tsh\nUid:\t" + uids.replace(" ", "\t") + "\nGid:\t9\t9\t9\t9\n"
    fake(monkeypatch, {"/proc/4194305/status": status.encode(), "/proc/4194305/comm": b"cron\n"})
    assert proc.owner(4194305) == owner
    assert proc.uids_of(4194305) == all_of_them
    monkeypatch.setattr(proc, "heads", lambda: iter([(4194304, b""), (4194305, b"x")]))
    assert proc.runs([b"crond", b"cron"], 5) == (owner == 5)
    assert not proc.runs([b"crond"], 5)


@pytest.mark.parametrize(
    ("name", "uid"),
    [
        ("root", 0), ("4711", 4711), ("no-such-user", -1), ("", -1), ("\u00b2", -1), ("a\0", -1),
        ("-5", -1),
    ],
)  # fmt: skip
def test_a_user_is_given_by_name_or_number(name: str, uid: int) -> None:
    assert proc.uid_of(name) == uid


def test_files_of_proc_are_read_whole_or_up_to_a_size(tmp_path: Path) -> None:
    part = 1 << 16
    before = len(os.listdir("/proc/self/fd"))
    for length in (0, 5, part - 1, part, part + 1, 3 * part + 5):
        path = tmp_path / "x"
        path.write_bytes(b"x" * length)
        assert len(proc._read(str(path))) == length
        assert len(proc._read(str(path), size=part)) == min(length, part)
        assert len(proc._read(str(path), size=part + 1)) == min(length, 2 * part)
    assert proc._read(str(tmp_path / "none")) == proc._read(str(tmp_path)) == b""
    own = [words for pid, words in proc.heads() if pid == os.getpid()]
    assert own == [proc.command(os.getpid())] != [b""]
    assert len(os.listdir("/proc/self/fd")) == before


def refused(*path: object, **how: object) -> Any:
    raise PermissionError(13, "Permission denied")


def test_others_are_hidden_if_the_first_process_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not proc.hides_others()
    monkeypatch.setattr(os.path, "isdir", lambda path: False)
    assert proc.hides_others()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("builtins.open", lambda *path: io.BytesIO(b"init\0"))
    assert not proc.hides_others()
    monkeypatch.setattr("builtins.open", refused)
    assert proc.hides_others()
    monkeypatch.setattr(os, "open", refused)
    assert list(proc.heads()) == []


BOOT, HZ = 1000, os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(
    ("mode", "changed", "written"),
    [
        ("r", {}, False), ("a", {}, True), ("r+", {}, True),
        ("a", {"since": BOOT + 2}, True), ("a", {"since": BOOT + 2.5}, False),
        ("a", {"since": BOOT + 2.5, "stat": b"7 (sh) S 1\n"}, True),
        ("a", {"uids": [6]}, False), ("a", {"uids": [6, 5]}, True),
        ("a", {"comm": b"rsyslogd\n"}, None), ("a", {"comm": b"containerd-shim-runc\n"}, None),
        ("a", {"comm": b"systemd-journald\n"}, None), ("a", {"comm": b"my-rsyslogd\n"}, True),
        ("r", {"comm": b"rsyslogd\n"}, False),
        ("r", {"hidden": True}, None), ("a", {"hidden": True}, True),
        ("a", {"refused": True}, None), ("a", {"refused": True, "uids": [6]}, False),
        ("a", {"refused": True, "stat": stat_of(7, 1, "Z")}, False),
        ("a", {"refused": True, "words": b"python3\0-I\0/x/check_duplicity_log\0"}, False),
        ("a", {"refused": True, "words": b"/x/duplicity_triage\0"}, False),
        ("a", {"refused": True, "words": b"sh\0-c\0x\0/x/check_duplicity_log\0"}, None),
        ("a", {"refused": True, "words": b"/x/my_check_duplicity_log\0"}, None),
    ],
)  # fmt: skip
def test_a_file_is_written_by_who_has_it_open_for_that(
    mode: str,
    changed: dict[str, Any],
    written: bool | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "log").write_text("")
    (tmp_path / "other").write_text("")
    pid, read = os.getpid(), proc._read
    files = {
        f"/proc/{pid}/status": b"Uid:\t5\t5\t5\t5\n",
        f"/proc/{pid}/stat": changed.get("stat", stat_of(7, 1, began=2 * HZ)),
        f"/proc/{pid}/comm": changed.get("comm", b"sh\n"),
        f"/proc/{pid}/cmdline": changed.get("words", b"sh\0"),
        "/proc/stat": b"cpu 1\nbtime %d\n" % BOOT,
    }
    with open(tmp_path / "other", "a"), open(tmp_path / "log", mode):
        monkeypatch.setattr(
            proc, "_read", lambda path, *rest, **more: files.get(path) or read(path)
        )
        monkeypatch.setattr(proc, "hides_others", lambda: changed.get("hidden", False))
        monkeypatch.setattr(os, "listdir", lambda path: ["self", "1", str(pid)])
        if "refused" in changed:
            monkeypatch.setattr(os, "scandir", refused)
        wanted = (str(tmp_path / "log"), changed.get("uids", [5]), changed.get("since", 0))
        # This process itself only reads.
        assert proc.is_written(*wanted) is (None if changed.get("hidden") else False)
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert proc.is_written(*wanted) is written
        assert proc.is_written(str(tmp_path / "none"), [5]) is False
