"""Which processes count as a job's, and how much is spent on them: with processes of our own."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from check_duplicity.duplicity.invocation import Invocation
from check_duplicity.duplicity.names import Prefixes
from check_duplicity.processes import lock, see
from check_duplicity.processes.model import Process, Progress, Sight, Wanted
from check_duplicity.system import proc
from samples import NOW, ago

URL = "sftp://u@h/web"
ME = os.geteuid()


class Machine:
    """A machine on which these processes run, and no others."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.words: dict[int, bytes] = {}
        self.uids: dict[int, int | None] = {}
        self.parents: dict[int, int] = {}
        self.began: dict[int, float] = {}
        self.hidden = False
        names = {1000: "alice", 1001: "bob", 0: "root"}
        monkeypatch.setattr(proc, "heads", lambda: iter(list(self.words.items())))
        monkeypatch.setattr(proc, "command", lambda pid: self.words.get(pid, b""))
        monkeypatch.setattr(proc, "owner", self.uids.get)
        monkeypatch.setattr(proc, "parent", lambda pid: self.parents.get(pid, 0))
        monkeypatch.setattr(proc, "families", self.families)
        monkeypatch.setattr(proc, "is_dead", lambda pid, name: pid == 666)
        monkeypatch.setattr(proc, "hides_others", lambda: self.hidden)
        monkeypatch.setattr(proc, "uid_of", lambda name: {v: k for k, v in names.items()}[name])
        monkeypatch.setattr(see, "name_of_uid", lambda uid: names.get(uid, str(uid)))
        monkeypatch.setattr(os, "geteuid", lambda: 4711)  # who looks is none of them
        monkeypatch.setattr(psutil, "Process", self.process)
        monkeypatch.setattr(os, "readlink", lambda path: "/dev/null")  # nobody has opened the tty

    def run(
        self, pid: int, *arguments: str, uid: int | None = 1000, parent: int = 1, began: float = 0
    ) -> None:
        """Start a duplicity with these arguments."""
        line = ["/usr/bin/python3", "/usr/bin/duplicity", *arguments]
        self.words[pid] = "\0".join(line).encode() + b"\0"
        self.uids[pid], self.parents[pid], self.began[pid] = uid, parent, began or pid

    def families(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for pid, parent in self.parents.items():
            found.setdefault(parent, []).append(pid)
        return found

    def process(self, pid: int) -> Any:
        if pid not in self.parents:
            raise psutil.NoSuchProcess(pid)

        def denied() -> None:
            raise psutil.AccessDenied

        times = SimpleNamespace(user=1.0, system=20.0, children_user=300.0, children_system=4000.0)
        counters = SimpleNamespace(read_chars=5, write_chars=70)
        return SimpleNamespace(
            pid=pid,
            create_time=lambda: self.began[pid],
            cpu_times=lambda: times,
            io_counters=denied if self.uids[pid] == 1001 else lambda: counters,
            name=lambda: "pinentry-tty" if pid == 77 else "duplicity",
            uids=lambda: SimpleNamespace(effective=ME),
            environ=lambda: {"XDG_CACHE_HOME": "/cache"},
            cwd=lambda: "/cwd",
        )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """Take a machine, after the test's folder: Python 3.9 makes that with ``os.readlink``."""
    return Machine(monkeypatch)


def pids(sight: Sight) -> list[int]:
    return [process.pid for process in sight.processes]


def test_all_of_a_process_is_told(machine: Machine) -> None:
    machine.run(50, "full", "--name", "web", "/srv", URL)
    machine.run(60, "full", "/srv", URL, parent=50)
    machine.words[60] = b"gpg\0"
    machine.run(77, "x", parent=60)
    machine.words[77] = b"pinentry\0"
    expected = Process(
        pid=50,
        invocation=Invocation("full", URL, "", "web"),
        started=datetime.fromtimestamp(50, timezone.utc),
        user="alice",
        archive="/cache/duplicity/web",
        waits_for="pinentry-tty",
        progress=Progress(3 * 4321.0, 3 * 75, 0),
    )
    [found] = see.look(Wanted(url=URL)).processes
    assert found._replace(invocation=expected.invocation) == expected
    assert (found.invocation.action, found.invocation.url) == ("full", URL)


def test_the_archive_directory_is_the_progress_of_what_may_not_be_seen(
    machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "a").write_text("x" * 10)
    (tmp_path / "web" / "b").write_text("x" * 200)
    (tmp_path / "web" / "link").symlink_to("abc")
    machine.run(50, "full", "--archive-dir", str(tmp_path), "--name", "web", "/srv", URL, uid=1001)
    machine.run(60, "x", parent=50)
    machine.words[60] = b"gpg\0"
    [found] = see.look(Wanted(url=URL)).processes
    assert found.progress == Progress(2 * 4321.0, 75, 213)
    assert see._size("") == see._size(str(tmp_path / "none")) == 0


@pytest.mark.parametrize(("most", "size"), [(3, 6), (2, 0), (4, 6)])
def test_a_directory_of_too_many_files_is_not_measured(
    most: int, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        (tmp_path / str(number)).write_text("x" * (number + 1))
    monkeypatch.setattr(see, "_MOST_FILES", most)
    assert see._size(str(tmp_path)) == size


def test_the_oldest_comes_first_and_then_the_lower_pid(machine: Machine) -> None:
    for pid, began in ((5, 30.0), (6, 20.0), (8, 10.0), (7, 10.0)):
        machine.run(pid, "full", "/srv", URL, began=began)
    assert pids(see.look(Wanted(url=URL))) == [7, 8, 6, 5]


def test_what_looks_like_the_jobs_of_another_user_is_named_and_not_counted(
    machine: Machine,
) -> None:
    machine.run(5, "full", "/srv", URL, uid=1001)
    machine.run(6, "verify", URL, "/srv", uid=0)
    machine.run(7, "full", "/srv", "sftp://u@h/other", uid=1002)
    machine.run(8, "full", "/srv", URL, uid=None)
    machine.run(9, "full", "/srv", URL, uid=1000)
    machine.run(10, "full", "/srv", URL, uid=1000, parent=9)  # its fork
    machine.words[11] = b"vi\0duplicity.conf\0"
    sight = see.look(Wanted(url=URL, user="alice"))
    assert (pids(sight), sight.sure, sight.others) == ([9], True, ("bob", "somebody"))
    assert see.running_backup(Wanted(url=URL, user="alice"))[1] is False
    assert pids(see.look(Wanted(url="sftp://u:secret@h/other/"))) == [7]


def test_of_a_container_the_first_process_forks_too(machine: Machine) -> None:
    machine.run(1, "full", "/srv", URL, parent=0)
    machine.run(9, "full", "/srv", URL, parent=1)
    assert pids(see.look(Wanted(url=URL))) == [1]


def test_the_checks_own_status_is_no_job(machine: Machine) -> None:
    machine.run(5, "collection-status", URL, parent=os.getpid())
    machine.run(6, "collection-status", URL, parent=1)
    machine.run(7, "full", "/srv", URL, parent=os.getpid())
    assert pids(see.look(Wanted(url=URL))) == [6, 7]


def test_a_dead_one_counts_only_where_any_job_does(machine: Machine) -> None:
    machine.run(666, "x")
    machine.words[666] = b""
    machine.words[667] = b""
    [dead] = see.look(Wanted(user="alice")).processes
    assert (dead.pid, dead.zombie, dead.invocation) == (666, True, Invocation())
    for wanted in (
        Wanted(url=URL), Wanted(archive_dir="/a"), Wanted(name="web"),
        Wanted(prefixes=Prefixes.of_options(["--file-prefix", "x"])),
    ):  # fmt: skip
        assert pids(see.look(wanted)) == []


@pytest.mark.parametrize(("more", "left_out"), [(0, {}), (1, {"alice": 1}), (3, {"alice": 3})])
def test_a_user_with_too_many_processes_hides_only_his_own(
    more: int, left_out: dict[str, int], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(see, "_MOST", 4)
    for pid in range(10, 14 + more):
        machine.run(pid, "full", "/srv", f"{URL}{pid}")
    machine.run(50, "full", "/srv", URL, uid=1001)
    for whose, sure in (("", True), ("alice", not more), ("bob", True)):
        sight = see.look(Wanted(user=whose))
        assert pids(sight) == [
            *(range(10, 14) if whose != "bob" else ()), *([50] if whose != "alice" else ())
        ]  # fmt: skip
        assert sight.left_out == (left_out if whose != "bob" else {})
        assert sight.sure == sure


def test_without_an_owner_those_left_out_are_of_others(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(see, "_MOST", 1)
    machine.run(10, "full", "/srv", f"{URL}1", uid=None)
    machine.run(11, "full", "/srv", f"{URL}2", uid=None)
    assert see.look(Wanted()).left_out == {"others": 1}


@pytest.mark.parametrize(("children", "seen"), [(3, [10]), (4, []), (9, [])])
def test_a_process_with_too_many_children_is_left_out(
    children: int, seen: list[int], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(see, "_MOST", 4)
    machine.run(10, "full", "/srv", URL)
    for pid in range(20, 20 + children):
        machine.run(pid, "x", parent=10)
        machine.words[pid] = b"gpg\0"
    sight = see.look(Wanted(url=URL))
    assert pids(sight) == seen
    assert sight.left_out == ({} if seen else {"alice": 1})


@pytest.mark.parametrize(
    ("words", "cost"),
    [
        (b"", 1), (b"a\0" * 999, 1), (b"a\0" * 1000, 2), (b"\0" * 2000, 3),
        (b"a" * 99_999, 1), (b"a" * 100_000, 2), (b"a" * 200_000 + b"\0" * 1000, 4),
    ],
    ids=lambda value: str(len(value)) if isinstance(value, bytes) else None,
)  # fmt: skip
def test_long_arguments_cost_more(words: bytes, cost: int) -> None:
    assert see._cost(words) == cost


@pytest.mark.parametrize(
    ("hidden", "user", "sure"),
    [(False, "", True), (True, "", False), (True, "bob", False), (True, "alice", True)],
)
def test_hidden_processes_of_others_make_unsure(
    hidden: bool, user: str, sure: bool, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    machine.hidden = hidden
    assert see.look(Wanted(user=user)) == Sight((), sure)
    monkeypatch.setattr(os.path, "isdir", lambda path: False)
    assert see.look(Wanted(user="alice")) == Sight((), sure=False)


def test_a_running_backup_is_the_oldest_and_known(machine: Machine) -> None:
    machine.run(6, "incremental", "/srv", URL, began=20)
    machine.run(5, "full", "/srv", URL, began=30)
    machine.run(4, "verify", URL, "/srv", began=10)
    running, sure = see.running_backup(Wanted(url=URL))
    assert running is not None
    assert (running.pid, running.since) == (6, datetime.fromtimestamp(20, timezone.utc))
    assert sure
    assert see.running_backup(Wanted(name="web")) == (None, False)
    assert see.running_backup(Wanted(url="file:///none")) == (None, True)
    machine.hidden = True
    assert see.running_backup(Wanted(url="file:///none")) == (None, False)


@pytest.mark.parametrize(
    ("wanted", "script", "since", "users", "running"),
    [
        (Wanted(url=URL), "", 100, ["alice"], True), (Wanted(url=URL), "", 101, ["alice"], False),
        (Wanted(url=URL), "", 0, ["bob", "alice"], True), (Wanted(url=URL), "", 0, ["bob"], False),
        (Wanted(url=URL), "", 0, [], False), (Wanted(url="file:///x"), "", 0, ["alice"], False),
        (Wanted(), "/x/script a", 0, ["alice"], True), (Wanted(), "/y", 0, ["alice"], False),
        (Wanted(), "", 0, ["alice"], None), (Wanted(), "", 101, ["alice"], False),
        (Wanted(name="web"), "", 0, ["alice"], True), (Wanted(name="x"), "", 0, ["alice"], False),
        (Wanted(archive_dir="/cache/duplicity"), "/y", 0, ["alice"], True),
    ],
)  # fmt: skip
def test_whether_a_job_runs_is_known(
    wanted: Wanted,
    script: str,
    since: float,
    users: list[str],
    running: bool | None,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine.run(50, "full", "--name", "web", "/srv", URL, began=100)
    monkeypatch.setattr(proc, "is_below", lambda pid, path: (pid, path) == (50, "/x/script"))
    assert see.is_running(wanted, script, since, users) is running
    if running is False and users:
        machine.hidden = True
        assert see.is_running(wanted, script, since, users) is None


def test_a_holder_counts_whatever_it_is_and_makes_sure(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "file").write_text("12345")
    holders = {str(tmp_path / "web"): 50}
    monkeypatch.setattr(lock, "holder", lambda archive, user="": holders.get(archive))
    monkeypatch.setattr(lock, "only_writer", lambda archive: 1001)
    machine.hidden = True
    machine.run(50, "cleanup", "file:///x", uid=1001)
    machine.words[50] = b"renamed\0"
    wanted = Wanted(archive_dir=str(tmp_path), name="web", user="alice")
    [found] = see.look(wanted).processes
    assert (found.pid, found.user, found.holds_lock, found.running) == (50, "bob", True, True)
    assert see.look(wanted).sure
    # One that can't be seen is whose lock it is.
    machine.words.clear()
    expected = Process(
        50, Invocation(), user="alice", archive=wanted.archive, holds_lock=True,
        progress=Progress(archive=5),
    )  # fmt: skip
    assert see.look(wanted) == Sight((expected,), sure=True)
    assert see.look(wanted._replace(user="")).processes == (expected._replace(user="bob"),)


@pytest.mark.parametrize(
    ("place", "wanted", "is_wanted"),
    [
        ("/a/web", Wanted(), True), ("/a/web", Wanted(url=URL), True),
        ("/a/web", Wanted(url=f"{URL}//"), True), ("/a/web", Wanted(url="file:///x"), False),
        ("/a/web", Wanted(url="file:///x", archive_dir="/a", name="web"), True),
        ("/b/web", Wanted(url="file:///x", archive_dir="/a", name="web"), False),
        ("/b/web", Wanted(url=URL, archive_dir="/a", name="web"), False),
        ("/a/web", Wanted(url=URL, archive_dir="/b/../a/", name="web"), True),
        ("/a/web", Wanted(name="web"), True), ("/a/web", Wanted(name="we"), False),
        ("/a/web", Wanted(archive_dir="/a"), True), ("/a/web", Wanted(archive_dir="/"), False),
        ("/a/web", Wanted(prefixes=Prefixes.of_options([])), True),
        ("/a/web", Wanted(prefixes=Prefixes.of_options(["--file-prefix", "x"])), False),
    ],
)  # fmt: skip
def test_what_is_wanted_of_a_process(place: str, wanted: Wanted, is_wanted: bool) -> None:
    invocation = Invocation("full", f"{URL}/", "/a", "web", Prefixes.of_options([]))
    candidate = see._Candidate(5, 1000, invocation, zombie=False)
    assert see._is_wanted(candidate, place, wanted, wanted.archive) == is_wanted


@pytest.mark.parametrize(
    ("options", "archive"),
    [
        (["--name", "web"], "/cache/duplicity/web"),
        (["--name", "web", "--archive-dir", "/a"], "/a/web"),
        (["--name", "web", "--archive-dir", "a/b"], "/cwd/a/b/web"),
        (["--name", "web", "--archive-dir", "~/a"], "HOME/a/web"),
        (["--name", "web", "--archive-dir", "~"], "HOME/web"),
        (["--name", "web", "--archive-dir", "~x/a"], "/cwd/~x/a/web"),
    ],
)
def test_the_archive_directory_of_a_process(
    options: list[str], archive: str, machine: Machine
) -> None:
    machine.run(50, "full", *options, "/srv", URL)
    [found] = see.look(Wanted(url=URL)).processes
    assert found.archive == archive.replace("HOME", pwd.getpwuid(ME).pw_dir)


def test_who_has_opened_the_terminal_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = {"1": "/dev/null", "2": "/dev/tty2", "3": "/dev/tty"}

    def link(path: str) -> str:
        if path == "0":
            raise OSError
        return targets[path]

    @contextlib.contextmanager
    def opened(path: str) -> Iterator[Iterator[Any]]:
        assert path == "/proc/5/fd"
        yield iter([SimpleNamespace(path=name) for name in there])

    monkeypatch.setattr(os, "readlink", link)
    monkeypatch.setattr(os, "scandir", opened)
    process: Any = SimpleNamespace(pid=5, name=lambda: "gpg")
    there: list[str] = []
    for names, most, said in (
        ("123", 256, "gpg"), ("12", 256, ""), ("", 256, ""), ("013", 256, "gpg"),
        ("123", 3, "gpg"), ("123", 2, ""),
    ):  # fmt: skip
        there[:] = names
        monkeypatch.setattr(see, "_MOST_DESCRIPTORS", most)
        assert see._waits_for(process) == said


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/a/b", Wanted(archive_dir="/a", name="b")), ("/b", Wanted(name="b")), ("", Wanted()),
    ],
)  # fmt: skip
def test_a_job_is_known_by_its_archive_directory(path: str, wanted: Wanted) -> None:
    assert Wanted().of_archive(path) == wanted
    for known in (Wanted(url=URL), Wanted(archive_dir="/x"), Wanted(name="x")):
        assert known.of_archive(path) == known
    assert Wanted(user="u").of_archive(path) == wanted._replace(user="u")


def test_a_process_runs_if_it_is_a_backup_or_keeps_one_from_starting() -> None:
    backup = Process(5, Invocation("full", URL), NOW)
    other = Process(6, Invocation("verify", URL), ago(hours=1))
    assert [backup.running, other.running] == [True, False]
    assert other._replace(holds_lock=True).running
    dead = backup._replace(zombie=True, holds_lock=True)
    assert not dead.running
    assert Sight((other, backup, dead), sure=True).running == (backup,)
    assert Wanted(url=URL).archive
    assert [one.archive for one in (Wanted(name="n"), Wanted(archive_dir="/a"))] == ["", ""]
    assert Wanted(archive_dir="/a", name="n").archive == "/a/n"
    known = Wanted.by_job(URL, None, None, "u", ["--file-prefix", "x"])
    assert known == Wanted(URL, "", "", "u", Prefixes.of_options(["--file-prefix", "x"]))
    assert Wanted.by_job(URL, "/a", "n", "", [])[:4] == (URL, "/a", "n", "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("", ".", False), (".", "", False), ("", "", False), ("/none/a", "/none/b/../a", True),
        ("/none/a", "/none/b", False), ("/tmp", "/tmp/../tmp/", True), ("/tmp\0", "/tmp\0", True),
    ],
)  # fmt: skip
def test_which_places_are_the_same(one: str, other: str, same: bool) -> None:
    assert see._same_place(one, other) is same


def test_what_one_process_hides_is_not_counted_and_the_others_are(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    times = SimpleNamespace(user=1.0, system=2.0, children_user=4.0, children_system=8.0)
    counters = SimpleNamespace(read_chars=16, write_chars=32)

    def member(error: type[BaseException] | None = None) -> Any:
        def io_counters() -> object:
            if error is not None:
                raise error(7)
            return counters

        return SimpleNamespace(cpu_times=lambda: times, io_counters=io_counters)

    fine, gone, hidden = member(), member(psutil.NoSuchProcess), member(psutil.AccessDenied)
    of_family = see._progress
    assert of_family([fine], str(tmp_path)) == Progress(15.0, 48, 0)
    assert of_family([gone, fine], str(tmp_path)) == Progress(30.0, 48, 0)
    assert of_family([hidden, fine], str(tmp_path)) == Progress(30.0, 48, 5)
    assert of_family([hidden, gone, fine], "") == Progress(45.0, 48, 0)
    assert of_family([hidden], str(tmp_path / "none")) == Progress(15.0, 0, 0)
