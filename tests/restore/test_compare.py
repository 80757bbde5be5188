"""Restored files are compared with their source."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pytest
from check_duplicity.restore import compare as comparing
from check_duplicity.restore.compare import compare
from check_duplicity.restore.model import Compared, Restored
from samples import NOW

OLD = int(NOW.timestamp()) - 86400
LATER = datetime(2100, 1, 1, tzinfo=timezone.utc)  # after whatever these tests do to a file


class Pair(NamedTuple):
    """A source, and the files restored from its backup."""

    source: Path
    restored: Path

    def write(self, name: str, contents: bytes, other: bytes | None = None) -> None:
        """Write a file, perhaps with other contents in the backup; both are from yesterday."""
        for path, what in (
            (self.source, contents),
            (self.restored, contents if other is None else other),
        ):
            (path / name).parent.mkdir(exist_ok=True)
            (path / name).write_bytes(what)
            os.utime(path / name, (OLD, OLD))

    def compared(self, source: object = None) -> Restored:
        return compare(str(self.restored), str(self.source if source is None else source), LATER)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    (tmp_path / "source").mkdir()
    (tmp_path / "restored").mkdir()
    return Pair(tmp_path / "source", tmp_path / "restored")


def test_what_is_the_same_is_the_same(pair: Pair) -> None:
    pair.write("file", b"12345")
    pair.write("dir/file", b"123")
    assert pair.compared() == Restored(2, 8, Compared(2))


def test_one_file_alone_is_compared_with_itself(pair: Pair) -> None:
    pair.write("file", b"12345", b"12x45")
    found = compare(f"{pair.restored}/file", f"{pair.source}/file", LATER)
    assert found == Restored(1, 5, Compared(0, (f"{pair.source}/file",)))


def test_of_the_same_size_and_time_the_contents_must_be_the_same(pair: Pair) -> None:
    pair.write("good", b"12345")
    pair.write("dir/bad", b"12345", b"12346")
    assert pair.compared().compared == Compared(1, (f"{pair.source}/dir/bad",))


@pytest.mark.parametrize("place", [0, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_one_byte_is_enough_wherever_it_is(place: int, pair: Pair) -> None:
    contents = bytes((1 << 20) + 2)
    pair.write("file", contents, contents[:place] + b"x" + contents[place + 1 :])
    assert len(pair.compared().compared.other) == 1


@pytest.mark.parametrize("seconds", [-1, 1])
def test_what_was_changed_at_another_time_is_not_compared(seconds: int, pair: Pair) -> None:
    pair.write("file", b"12345", b"12346")
    os.utime(pair.source / "file", (OLD + seconds, OLD + seconds))
    assert pair.compared() == Restored(1, 5)


def test_what_has_another_size_was_cut_short_if_nobody_has_touched_the_source(pair: Pair) -> None:
    pair.write("file", b"123456", b"")
    assert pair.compared().compared == Compared(0, (f"{pair.source}/file",))
    touched = datetime.fromtimestamp(int((pair.source / "file").stat().st_ctime), timezone.utc)
    assert compare(str(pair.restored), str(pair.source), touched) == Restored(1, 0)


def test_a_fraction_of_a_second_is_no_other_time(pair: Pair) -> None:
    """duplicity keeps whole seconds."""
    pair.write("file", b"12345", b"12346")
    os.utime(pair.source / "file", (OLD + 0.9, OLD + 0.9))
    assert len(pair.compared().compared.other) == 1


@pytest.mark.parametrize(("seconds", "sure"), [(-1, False), (0, False), (1, True)])
def test_only_what_nobody_touched_since_the_backup_must_be_the_same(
    seconds: int, sure: bool, pair: Pair
) -> None:
    """Whoever puts another file there with the same time, as ``cp -p`` does, changes its ctime."""
    pair.write("file", b"12345", b"12346")
    touched = int((pair.source / "file").stat().st_ctime)
    time = datetime.fromtimestamp(touched, timezone.utc) + timedelta(seconds=seconds)
    found = compare(str(pair.restored), str(pair.source), time).compared
    assert bool(found.other) is sure
    assert bool(found.touched) is not sure
    assert found.same == 0


def test_what_changes_while_it_is_compared_says_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.write("file", b"12345", b"12346")
    before = comparing._equal

    def meanwhile(one: str, other: str) -> bool | None:
        os.utime(other)
        return before(one, other)

    monkeypatch.setattr(comparing, "_equal", meanwhile)
    assert pair.compared() == Restored(1, 5)


def test_what_cannot_be_read_says_nothing(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.write("file", b"12345", b"12346")

    def refused(*arguments: object, **options: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refused)  # Root reads what nobody may read.
    assert pair.compared() == Restored(1, 5)


@pytest.mark.parametrize("what", ["link", "directory", "pipe", "nothing"])
def test_what_is_no_file_in_the_source_any_more_is_not_compared(what: str, pair: Pair) -> None:
    pair.write("file", b"12345")
    path = pair.source / "file"
    path.rename(pair.source / "other")
    if what == "link":
        path.symlink_to("other")
    elif what == "directory":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    assert pair.compared() == Restored(1, 5)


def test_a_link_that_is_restored_is_not_followed(pair: Pair) -> None:
    pair.write("file", b"12345")
    (pair.restored / "link").symlink_to("file")
    (pair.restored / "out").symlink_to(pair.source)
    (pair.restored / "loop").symlink_to(".")
    assert pair.compared() == Restored(1, 5, Compared(1))
    assert compare(f"{pair.restored}/link", f"{pair.source}/file", LATER) == Restored()


def test_a_pipe_that_is_restored_is_no_file(pair: Pair) -> None:
    os.mkfifo(pair.restored / "pipe")
    (pair.restored / "empty").mkdir()
    assert pair.compared() == Restored()


def test_nothing_restored_is_nothing(pair: Pair) -> None:
    assert compare(f"{pair.restored}/none", str(pair.source), LATER) == Restored()


def test_empty_and_sparse_files_are_files(pair: Pair) -> None:
    pair.write("empty", b"")
    pair.write("sparse", b"")
    with (pair.source / "sparse").open("r+b") as sparse:
        sparse.truncate(3 << 20)
    (pair.restored / "sparse").write_bytes(bytes(3 << 20))
    for directory in pair:
        os.utime(directory / "sparse", (OLD, OLD))
    assert pair.compared() == Restored(2, 3 << 20, Compared(2))


def test_without_a_source_it_is_counted_only(pair: Pair) -> None:
    pair.write("file", b"12345", b"12346")
    assert pair.compared("") == Restored(1, 5)
    assert pair.compared(pair.source / "gone") == Restored(1, 5)


def test_any_name_is_compared(pair: Pair) -> None:
    name = os.fsdecode(b"a 'b'\n\xff")
    pair.write(name, b"1", b"2")
    assert pair.compared().compared.other == (f"{pair.source}/{name}",)
