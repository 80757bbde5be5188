from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from check_duplicity.system import memory
from check_duplicity.system.memory import Forgotten, default_path, recall, remember
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "state" / "process.json")


def test_what_is_remembered_is_recalled(path: str) -> None:
    assert recall(path) == {}
    with pytest.raises(Forgotten, match="No such file"):
        remember(path, {"a": 1})  # A typing error builds nothing.
    remember(path, {"a": 1}, make_directory=True)
    remember(path, {"b": [2.5, "x"]})
    assert recall(path) == {"b": [2.5, "x"]}
    assert os.listdir(os.path.dirname(path)) == ["process.json"]


def test_it_is_its_users_alone(path: str) -> None:
    remember(path, {}, make_directory=True)
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700


@given(st.binary())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_forgotten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    try:
        assert isinstance(recall(str(path)), dict)
    except Forgotten as reason:
        assert "damaged" in str(reason)
    remember(str(path), {"a": 1})
    assert recall(str(path)) == {"a": 1}


def test_a_link_is_not_followed(tmp_path: Path, path: str) -> None:
    target = tmp_path / "target"
    target.write_text('{"a": 1}')
    os.makedirs(os.path.dirname(path), mode=0o700)
    os.symlink(target, path)
    with pytest.raises(Forgotten):
        recall(path)
    with pytest.raises(Forgotten, match="is not a file"):
        remember(path, {"b": 2})
    assert target.read_text() == '{"a": 1}'


def test_a_directory_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    os.symlink(tmp_path / "real", tmp_path / "link")
    with pytest.raises(Forgotten):
        remember(str(tmp_path / "link" / "x"), {})
    assert not list((tmp_path / "real").iterdir())


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_left_alone(path: str, make: object) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700)
    make(path)  # type: ignore[operator]
    with pytest.raises(Forgotten):
        recall(path)
    with pytest.raises(Forgotten, match="is not a file"):
        remember(path, {})


def test_a_directory_that_others_can_write_to_is_not_used(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(Forgotten, match="others can write to its directory"):
        remember(str(tmp_path / "x"), {})
    assert not list(tmp_path.iterdir())


def test_no_part_of_the_way_is_another_users(tmp_path: Path) -> None:
    """Who can put a part of it away can put another in its place."""
    (tmp_path / "open" / "state").mkdir(parents=True)
    (tmp_path / "open" / "state").chmod(0o700)
    (tmp_path / "link").symlink_to("open")
    ways = [tmp_path / name / "state" / "x" for name in ("open", "link")]
    for mode, good in ((0o755, True), (0o777, False), (0o1777, True)):
        (tmp_path / "open").chmod(mode)
        for way in ways:
            if good:
                remember(str(way), {"a": mode})
                assert recall(str(way)) == {"a": mode}
                continue
            for use in (recall, lambda path: remember(path, {})):
                with pytest.raises(Forgotten, match=f"others can write to {tmp_path}/open"):
                    use(str(way))


def test_a_taken_name_is_known_by_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(memory, "_SHARED", str(tmp_path))
    first = tmp_path / f"check-duplicity-{os.geteuid()}"
    assert os.path.dirname(default_path("process", [])) == str(first)
    first.symlink_to("/")  # As good as another user's.
    (tmp_path / f"{first.name}-0").symlink_to("/")
    (tmp_path / "own").mkdir()
    other = Path(default_path("process", []))
    assert other.parent.name.startswith(f"{first.name}-")
    assert not other.parent.exists()
    assert default_path("process", []) != str(other)  # It can't be guessed.
    remember(str(other), {"a": 1}, make_directory=True)
    assert default_path("process", []) == str(other)
    assert recall(default_path("process", [])) == {"a": 1}
    # Where there are too many to find it, it isn't forgotten for yet another.
    with monkeypatch.context() as few:
        few.setattr(memory, "_MOST_NAMES", 0)
        assert os.path.dirname(default_path("process", [])) == str(first)
    # It stays the one when the name is free again.
    first.unlink()
    assert default_path("process", []) == str(other)


def test_no_place_to_write_is_said() -> None:
    with pytest.raises(Forgotten, match="/proc/x/y: "):
        remember("/proc/x/y", {})
    with pytest.raises(Forgotten, match="/dev/full/y: "):
        remember("/dev/full/y", {})


def test_what_is_recalled_leaves_no_file_open(tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    before = len(os.listdir("/proc/self/fd"))
    assert recall(path) == {}
    remember(path, {"a": 1})
    assert recall(path) == {"a": 1}
    (tmp_path / "state").write_text("damaged")
    with pytest.raises(Forgotten):
        recall(path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_too_large_to_remember_is_said_and_leaves_no_file_open(tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    before = os.listdir("/proc/self/fd")
    with pytest.raises(Forgotten, match="too much to remember"):
        remember(path, {"text": "x" * (16 << 20)})
    assert len(os.listdir("/proc/self/fd")) == len(before)
    assert recall(path) == {}


def test_jobs_and_users_have_memories_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    one, other = default_path("process", ["a", ""]), default_path("process", ["", "a"])
    assert one != other
    assert os.path.dirname(one) == f"/var/tmp/check-duplicity-{os.geteuid()}"
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_path("process", []).startswith("/state/check-duplicity/process-")


def test_what_another_user_has_written_is_not_believed(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor put away: a link to his file, or root's mistake, may have brought it there."""
    remember(path, {"a": 1}, make_directory=True)
    monkeypatch.setattr(os, "fstat", _as_of_another(os.fstat))
    monkeypatch.setattr(os, "stat", _as_of_another(os.stat))
    with pytest.raises(Forgotten, match="belongs to another user"):
        recall(path)
    with pytest.raises(Forgotten, match="another user"):
        remember(path, {"b": 2})
    monkeypatch.undo()
    assert recall(path) == {"a": 1}


def test_as_whom_it_acts_decides_and_not_who_has_started_it(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root reads what a job's user has kept as that user: effectively, and only for that long."""
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert str(54321) not in default_path("process", [])
    remember(path, {"a": 1}, make_directory=True)
    remember(path, {"a": 2})
    assert recall(path) == {"a": 2}


def _as_of_another(real: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
    """A look at files that finds the regular ones to be another user's."""

    def look(*path: Any, **how: Any) -> os.stat_result:
        found = real(*path, **how)
        if not stat.S_ISREG(found.st_mode):
            return found
        fields = list(found)
        fields[stat.ST_UID] = 54321
        return os.stat_result(fields)

    return look


def test_the_largest_memory_is_kept_and_one_byte_more_is_not(path: str) -> None:
    frame = len('00000000 {"a": ""}')
    most = "x" * ((16 << 20) - frame)
    remember(path, {"a": most}, make_directory=True)
    with pytest.raises(Forgotten, match=r"process\.json: too much to remember$"):
        remember(path, {"a": f"{most}x"})
    with open(path, "ab") as file:  # What is beyond it isn't read.
        file.write(b" ")
    assert recall(path) == {"a": most}


@pytest.mark.parametrize(
    ("content", "recalled"),
    [
        ('99914b93 {"a": 1}', None), ("x {}", None), ("", None), ("{}", None),
        ("99914b93 {}", None), ("9f61c1b1 [1]", None),
    ],
)  # fmt: skip
def test_only_what_was_kept_as_it_is_is_recalled(
    content: str, recalled: object, tmp_path: Path
) -> None:
    (tmp_path / "x").write_text(content)
    with pytest.raises(memory.Damaged) as damaged:
        recall(str(tmp_path / "x"))
    assert str(damaged.value) == f"{tmp_path / 'x'}: is damaged, begun anew"


def test_what_is_no_table_is_nothing(tmp_path: Path) -> None:
    for text in ("[1]", "{}", "null"):
        (tmp_path / "x").write_text(f"{zlib.crc32(text.encode()):08x} {text}")
        assert recall(str(tmp_path / "x")) == {}


def test_no_failure_leaves_a_directory_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    (tmp_path / "directory").mkdir()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    for use in (recall, lambda path: remember(path, {})):
        for name in ("directory", "open/x"):
            with pytest.raises(Forgotten):
                use(str(tmp_path / name))
    assert len(os.listdir("/proc/self/fd")) == before
    assert sorted(os.listdir(tmp_path)) == ["directory", "open"]


def test_a_file_is_replaced_whatever_a_killed_check_has_left(tmp_path: Path) -> None:
    (tmp_path / f".x.{os.getpid()}").write_text("left")
    directory = memory.open_directory(str(tmp_path / "x"))
    try:
        for sync in (False, True):
            memory.replace("x", b"new", directory, 0o600, sync=sync)
            assert os.listdir(tmp_path) == ["x"]
            assert (tmp_path / "x").read_text() == "new"
        (tmp_path / "d").mkdir()
        with pytest.raises(OSError, match="directory"):
            memory.replace("d", b"new", directory, 0o600)
        assert sorted(os.listdir(tmp_path)) == ["d", "x"]
    finally:
        os.close(directory)


def test_a_path_below_a_home_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    # The first 16 digits of the words' SHA-256, joined by NUL.
    digits = hashlib.sha256(b"a\0\xff").hexdigest()[:16]
    assert default_path("log", ["a", "\udcff"]) == f"/state/check-duplicity/log-{digits}.json"
    assert default_path("log", ["a", "\udcff"], "/h") == f"/h/check-duplicity/log-{digits}.json"
    for home in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", home)
        assert default_path("log", []).startswith("/var/tmp/check-duplicity-")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_path("log", [], "").startswith("/var/tmp/check-duplicity-")


@pytest.mark.parametrize(
    ("mode", "own"), [(0o700, True), (0o755, True), (0o720, False), (0o702, False)]
)
def test_a_directory_where_others_write_is_not_ones_own(
    mode: int, own: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(memory, "_SHARED", str(tmp_path))
    first = tmp_path / f"check-duplicity-{os.geteuid()}"
    first.mkdir()
    first.chmod(mode)
    found = Path(default_path("log", [])).parent
    assert (found == first) == own
    assert found.name.startswith(first.name)
    if not own:
        with pytest.raises(Forgotten, match="others can write to its directory"):
            remember(str(first / "x"), {})
    else:
        remember(str(first / "x"), {})


@pytest.mark.parametrize(
    ("path", "way"),
    [
        ("/", []), ("/a", ["/a"]), ("/a/b", ["/a", "/a/b"]), ("//a/./b/", ["/a", "/a/b"]),
        ("/a/../c", ["/a", "/c"]), ("/..", []),
        ("/in/link/x", ["/in", "/in/link", "/in/to", "/in/to/x"]),
        ("/in/far/x", ["/in", "/in/far", "/b", "/b/x"]),
    ],
)  # fmt: skip
def test_the_way_of_a_path_is_the_kernels(
    path: str, way: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    links = {"/in/link": "to", "/in/far": "/b"}
    monkeypatch.setattr(os.path, "islink", links.__contains__)
    monkeypatch.setattr(os, "readlink", links.__getitem__)
    assert [part for _, part in memory._way(path)] == way
    assert all(os.path.dirname(part) == place for place, part in memory._way(path))


def test_the_way_has_an_end(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    around = [part for _, part in memory._way(str(tmp_path / "loop")) if part.endswith("loop")]
    assert len(around) == 40


def test_only_what_is_asked_for_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[int] = []
    monkeypatch.setattr(os, "fsync", waited.append)
    directory = memory.open_directory(str(tmp_path / "x"))
    memory.replace("x", b"", directory, 0o600)
    assert waited == []
    memory.replace("x", b"", directory, 0o600, sync=True)
    assert len(waited) == 1
    os.close(directory)


def test_on_the_way_to_a_directory_none_stays_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    os.close(memory.open_others_directory(str(tmp_path)))
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_no_file_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    uses = [
        (recall, "fifo"),
        *((lambda path: remember(path, {}), n) for n in ("fifo", "directory")),
    ]
    for use, name in uses:
        with pytest.raises(Forgotten) as refused:
            use(str(tmp_path / name))
        assert str(refused.value) == f"{tmp_path / name}: is not a file"
    assert sorted(os.listdir(tmp_path)) == ["directory", "fifo"]
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)
