"""The extent of a source, and when it counts as shrunk."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from check_duplicity.duplicity.collection import BackupSet, Chain
from check_duplicity.duplicity.contents import Extent, Shrunk, extents, shrunk
from check_duplicity.duplicity.jsonstat import Statistics
from check_duplicity.duplicity.manifest import Files, Manifest
from hypothesis import given
from hypothesis import strategies as st
from samples import NOW, ago


def day(count: int, files: int) -> Extent:
    """Return the extent of a set that was made ``count`` days ago."""
    return Extent(ago(days=count), files=files)


def percent(newest: int, *others: Extent) -> int | None:
    found = shrunk(Extent(NOW, files=newest), others)
    return found.percent if found else None


def test_files_are_counted_along_a_chain() -> None:
    full = BackupSet(None, ago(days=3), 1, manifest=Manifest(1, 200, None))
    first = BackupSet(full.time, ago(days=2), 1, manifest=Manifest(1, 12, Files(10, 1, 1)))
    second = BackupSet(first.time, ago(days=1), 1, manifest=Manifest(1, 209, Files(0, 0, 209)))
    assert [e.files for e in extents([Chain((full, first, second))])] == [200, 209, 0]


def test_what_was_not_counted_is_not_known_until_the_next_full_set() -> None:
    full = BackupSet(None, ago(days=3), 1, manifest=Manifest(1, 200, None))
    large = BackupSet(full.time, ago(days=2), 1, manifest=Manifest(1, 10**7, None))
    small = BackupSet(large.time, ago(days=1), 1, manifest=Manifest(1, 1, Files(1)))
    assert [e.files for e in extents([Chain((full, large, small))])] == [200, None, None]


def test_an_empty_list_of_a_full_set_counts_only_if_its_source_was_empty() -> None:
    def files(*, only_root: bool) -> int | None:
        manifest = Manifest(1, 0, None, only_root)
        return extents([Chain((BackupSet(None, NOW, 1, manifest=manifest),))])[0].files

    assert files(only_root=True) == 0
    assert files(only_root=False) is None  # --no-files-changed


def test_a_full_set_of_directories_alone_has_no_file_if_the_job_lists_files() -> None:
    before = BackupSet(None, ago(days=2), 1, manifest=Manifest(1, 60))
    bare = BackupSet(None, ago(days=1), 1, manifest=Manifest(1, 0))
    many = bare._replace(manifest=Manifest(2, 0))  # Two volumes hold more than directories.
    assert [e.files for e in extents([Chain((before,)), Chain((bare,))])] == [60, 0]
    assert [e.files for e in extents([Chain((before,)), Chain((many,))])] == [60, None]
    assert [e.files for e in extents([Chain((bare,))])] == [None]


def test_more_that_is_deleted_than_was_there_is_not_believed() -> None:
    full = BackupSet(None, ago(days=2), 1, manifest=Manifest(1, 60))
    unlisted = BackupSet(full.time, ago(days=1), 1, manifest=Manifest(1, 0, Files(0)))
    newest = BackupSet(unlisted.time, NOW, 1, manifest=Manifest(1, 80, Files(0, 0, 80)))
    assert [e.files for e in extents([Chain((full, unlisted, newest))])] == [60, 60, None]


def test_statistics_give_the_entries_and_the_size() -> None:
    full = BackupSet(None, NOW, 1, statistics=Statistics(21, 104096, 0))
    assert extents([Chain((full,))]) == [Extent(NOW, None, 21, 104096)]


@pytest.mark.parametrize(
    ("newest", "others", "expected"),
    [
        (0, [day(1, 200)], 100),
        (100, [day(1, 200)], 50),
        (101, [day(1, 200)], 50),  # 49.5, and duplicity counts the source's own directory
        (102, [day(1, 200)], 49),
        (300, [day(1, 200)], 0),
        (0, [], None),  # the first backup
        (0, [day(1, 19)], None),  # a tiny source
        (0, [day(1, 20)], 100),
        (0, [day(40, 200), day(39, 190)], 100),  # after a long rest
    ],
)
def test_by_how_much_it_has_shrunk(newest: int, others: list[Extent], expected: int) -> None:
    assert percent(newest, *others) == expected


def test_one_odd_set_before_changes_nothing() -> None:
    daily = [day(count, 200) for count in range(2, 30)]
    assert percent(200, day(1, 5000), *daily) == 0
    assert percent(0, day(1, 5000), *daily) == 100


@pytest.mark.parametrize("history", [60, 5, 1])
def test_it_ends_when_half_of_30_days_are_of_the_new_size(history: int) -> None:
    """Also for a job that is young: the first set stands for what was before it."""

    def after(days: int) -> int | None:
        whole = [day(days + count, 200) for count in range(history)]
        return percent(0, *whole, *(day(count, 0) for count in range(1, days)))

    assert [after(days) for days in (1, 2, 14, 15)] == [100] * 4
    assert after(16) is None  # The usual size is 0 now: too small to be worth it.


@pytest.mark.parametrize(
    ("since", "expected"),
    [(timedelta(days=15) - timedelta(seconds=1), 100), (timedelta(days=15), None)],
)
def test_half_of_30_days_is_the_limit_itself(since: timedelta, expected: int | None) -> None:
    assert percent(0, day(60, 200), Extent(NOW - since, files=0)) == expected


def test_what_was_before_the_30_days_counts_no_more() -> None:
    assert percent(100, day(90, 1000), day(60, 1000), day(29, 100)) == 0


def test_what_is_worse_is_said_of_files_and_bytes() -> None:
    before = Extent(ago(days=1), files=200, entries=300, size=10 << 20)
    found = shrunk(Extent(NOW, files=150, entries=250, size=1 << 20), [before])
    assert found == Shrunk(90, "size", 10 << 20, 1 << 20)
    assert str(found) == "only 1.0 MiB of the source, 10.0 MiB before"


def test_an_empty_source_is_called_so() -> None:
    assert str(Shrunk(100, "files", 200, 0)) == "an empty source, 200 files before"
    assert str(Shrunk(100, "entries", 201, 1)) == (
        "an empty source, 201 files and directories before"
    )
    assert str(Shrunk(99, "files", 200, 1)) == "only 1 files of the source, 200 before"


EXTENTS = st.lists(
    st.builds(
        Extent,
        st.timedeltas(timedelta(0), timedelta(days=90)).map(lambda before: NOW - before),
        *[st.none() | st.integers(0, 10**12)] * 3,
    )
)


@given(EXTENTS, EXTENTS)
def test_the_order_does_not_matter_and_more_is_never_less(
    others: list[Extent], newest: list[Extent]
) -> None:
    for extent in newest:
        found = shrunk(extent, others)
        assert found == shrunk(extent, others[::-1]) or len({e.time for e in others}) < len(others)
        assert found is None or 0 <= found.percent <= 100
        same = [e._replace(time=e.time + timedelta(0)) for e in (*others, extent)]
        assert shrunk(extent, same) == found


def test_a_set_of_the_future_is_not_compared() -> None:
    future: datetime = NOW + timedelta(days=1)
    assert shrunk(Extent(NOW, files=0), [Extent(future, files=200)]) is None
