"""A drill next restores the volume that was proved longest ago, by its smallest file."""

from __future__ import annotations

import os
import random
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from chains import Ends, manifest, set_of
from check_duplicity.duplicity import volumes
from check_duplicity.restore.choose import of_path, of_volume, oldest, volumes_only
from check_duplicity.restore.model import Set, Volume
from hypothesis import given
from hypothesis import strategies as st
from samples import ago

FULL, FIRST, SECOND = ago(days=7), ago(days=2), ago(days=1)
BEFORE = ago(days=8).timestamp()


def bare(time: datetime, count: int) -> Set:
    """Return a set with ``count`` volumes of any contents."""
    numbered = tuple(volumes.Volume(n, (b"a",), (b"b",)) for n in range(1, count + 1))
    return Set(time, "", volumes.Manifested("h", "/srv", numbered))


CHAIN = (bare(FULL, 3), bare(FIRST, 2), bare(SECOND, 1))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.mkdir()
    return path


def write(source: Path, name: str, size: int, changed: float = BEFORE) -> None:
    path = source / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (changed, changed))


def chain_of(tmp_path: Path, source: object, ends: Ends, *files: str) -> tuple[Set]:
    """Return a chain of one full backup with only new files."""
    content = manifest(source, ends, dict.fromkeys(files, "new"))
    return (set_of(tmp_path, FULL, content),)


def test_of_what_was_never_proved_the_newest_set_comes_first() -> None:
    assert list(oldest(CHAIN, {})) == [(2, 1), (1, 1), (1, 2), (0, 1), (0, 2), (0, 3)]


def test_what_was_proved_longest_ago_comes_first() -> None:
    proved = {
        Volume(FULL, 1): 10, Volume(FULL, 2): 30, Volume(FULL, 3): 20,
        Volume(FIRST, 1): 15, Volume(SECOND, 1): 10,
    }  # fmt: skip
    # One that was never proved comes before all; at the same time the newer set.
    assert list(oldest(CHAIN, proved)) == [(1, 2), (2, 1), (0, 1), (1, 1), (0, 3), (0, 2)]


def test_what_was_proved_of_another_chain_is_no_matter() -> None:
    other = {Volume(ago(days=9), 1): 1, Volume(FULL, 4): 1}
    assert list(oldest(CHAIN, other)) == list(oldest(CHAIN, {}))
    assert list(oldest((), {})) == []


chains = st.lists(st.integers(0, 4), min_size=1, max_size=4).map(
    lambda sizes: tuple(bare(FULL + timedelta(hours=at), n) for at, n in enumerate(sizes))
)


seeds = st.integers(0, 2**32)  # of dice: to draw each throw would take most of a test's time


@given(chains, seeds)
def test_after_as_many_choices_as_volumes_every_volume_was_chosen(
    chain: tuple[Set, ...], seed: int
) -> None:
    """If each drill chooses one, and whatever was proved before and is read besides."""
    dice = random.Random(seed)
    every = sorted(Volume(one.time, v.number) for one in chain for v in one.manifest.volumes)
    proved = {volume: dice.randint(1, 100) for volume in every if dice.random() < 0.5}
    chosen = set()
    for now in range(101, 101 + len(every)):
        at, number = next(iter(oldest(chain, proved)))
        volume = Volume(chain[at].time, number)
        chosen.add(volume)
        read = set(dice.sample(every, dice.randint(0, len(every))))
        proved.update(dict.fromkeys({volume, *read} - chosen | {volume}, now))
    assert chosen == {v for v in every if proved.get(v, 0) > 100 and v in chosen}
    assert all(proved.get(volume, 0) > 100 for volume in every)


@given(chains, seeds)
def test_each_volume_is_yielded_once(chain: tuple[Set, ...], seed: int) -> None:
    dice = random.Random(seed)
    every = [(at, v.number) for at, one in enumerate(chain) for v in one.manifest.volumes]
    proved = {Volume(chain[at].time, number): dice.randint(0, 3) for at, number in every}
    found = list(oldest(chain, proved))
    assert sorted(found) == every
    when = [proved[Volume(chain[at].time, number)] for at, number in found]
    assert when == sorted(when)


def test_the_smallest_file_that_is_still_in_the_source_is_taken(
    tmp_path: Path, source: Path
) -> None:
    for name, size in (("a", 30), ("b", 20), ("c", 10), ("d", 20)):
        write(source, name, size)
    chain = chain_of(tmp_path, source, [(".", "z")], "a", "b", "c", "d", "gone")
    sample, size = of_volume(chain, 0, 1, 4)
    assert (sample.path, size) == ("c", 10)
    assert sample.volumes == (Volume(FULL, 1),)
    assert sample.wide == ()


def test_an_empty_file_can_be_compared_too(tmp_path: Path, source: Path) -> None:
    write(source, "a", 5)
    write(source, "empty", 0)
    sample, size = of_volume(chain_of(tmp_path, source, [(".", "z")], "a", "empty"), 0, 1, 4)
    assert (sample.path, size) == ("empty", 0)


@pytest.mark.parametrize(("seconds", "path"), [(-1, "small"), (0, "small"), (1, "large")])
def test_a_file_that_was_changed_since_the_backup_is_not_compared(
    seconds: int, path: str, tmp_path: Path, source: Path
) -> None:
    write(source, "large", 30)
    write(source, "small", 10, FULL.timestamp() + seconds)
    chain = chain_of(tmp_path, source, [(".", "z")], "large", "small")
    assert of_volume(chain, 0, 1, 4)[0].path == path


def test_what_is_no_file_any_more_is_not_compared(tmp_path: Path, source: Path) -> None:
    write(source, "large", 30)
    (source / "link").symlink_to("large")
    (source / "dir").mkdir()
    os.mkfifo(source / "pipe")
    chain = chain_of(tmp_path, source, [(".", "z")], "dir", "large", "link", "pipe")
    assert of_volume(chain, 0, 1, 4)[0].path == "large"


def test_if_the_source_is_not_here_a_file_that_lies_in_the_volume_is_taken(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, "/nonexistent", [(".", "b"), ("b", "d")], "a", "b", "c", "d")
    assert of_volume(chain, 0, 2, 4) == (of_path(chain, 0, (b"c",)), 0)
    # Of b there is something in both.
    only_ends = chain_of(tmp_path, "/nonexistent", [(".", "b"), ("b", "b")], "b")
    sample, _ = of_volume(only_ends, 0, 2, 4)
    assert (sample.path, sample.volumes) == ("b", (Volume(FULL, 1), Volume(FULL, 2)))


def test_a_file_with_an_odd_name_is_restored_by_it(tmp_path: Path, source: Path) -> None:
    name = "dir/a 'b'\n\"c\"\\\udcff"
    write(source, name, 1)
    sample, size = of_volume(chain_of(tmp_path, source, [(".", "z")], name), 0, 1, 4)
    assert (sample.path, size) == (name, 1)


def test_where_there_is_no_file_only_the_volume_is_read(tmp_path: Path, source: Path) -> None:
    chain = chain_of(tmp_path, source, [("a", "b"), ("c", "d")], "a")
    sample, size = of_volume(chain, 0, 2, 4)
    assert (sample.path, size) == ("", 0)
    assert sample.volumes == sample.wide == (Volume(FULL, 2),)


@pytest.mark.parametrize(("through", "path"), [(3, "big"), (4, "big"), (5, "")])
def test_a_file_that_goes_on_through_too_many_volumes_is_left_out(
    through: int, path: str, tmp_path: Path, source: Path
) -> None:
    write(source, "big", 10)
    chain = chain_of(tmp_path, source, [("big", "big")] * through, "big")
    sample, size = of_volume(chain, 0, 2, 4)
    assert sample.path == path
    assert len(sample.volumes) == (through if path else 1)
    assert Volume(FULL, 2) in sample.volumes
    assert size == (10 if path else 0)


def test_what_is_read_of_the_sets_before_comes_besides(tmp_path: Path, source: Path) -> None:
    whole = [("a", "c"), ("d", "f")]
    chain = tuple(
        set_of(tmp_path, time, manifest(source, ends, {"e": word}))
        for time, ends, word in (
            (FULL, whole, "new"),
            (FIRST, [("a", "b")], "changed"),
            (SECOND, [("b", "f")], "changed"),
        )
    )
    sample, _ = of_volume(chain, 2, 1, 1)
    assert sample.path == "e"
    assert sample.volumes == (Volume(FULL, 2), Volume(SECOND, 1))
    # From the set before nothing of the newest is read.
    assert of_path(chain, 1, (b"a",)).volumes == (Volume(FULL, 1), Volume(FIRST, 1))


def test_volumes_are_read_once_even_if_they_would_be_read_anyway() -> None:
    everything = volumes.Volume(1, (), (b"\xff",))
    manifested = volumes.Manifested("h", "/srv", (everything, everything._replace(number=2)))
    chain = (Set(FULL, "", manifested),)
    sample = volumes_only(chain, 0, [1])
    assert sorted(sample.volumes) == [Volume(FULL, 1), Volume(FULL, 2)]
    assert sample.wide == (Volume(FULL, 1),)


letters = st.sampled_from("abcd")


@given(st.lists(letters, min_size=2, max_size=7).map(sorted), st.sets(letters), st.integers(1, 6))
def test_a_sample_always_reads_the_volume_that_it_is_for(
    ends: list[str], files: set[str], most: int
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        pairs = list(zip(ends, ends[1:]))
        chain = chain_of(Path(directory), "/nonexistent", pairs, *sorted(files))
        for number in range(1, len(pairs) + 1):
            sample, _ = of_volume(chain, 0, number, most)
            assert Volume(FULL, number) in sample.volumes
            assert len(sample.volumes) == len(set(sample.volumes))
            assert sample.path in {"", *files}
            assert bool(sample.path) is not bool(sample.wide)
