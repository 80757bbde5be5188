"""Which paths lie in which volume, by the manifest and by duplicity's own rules."""

from __future__ import annotations

import io
import re

import pytest
from check_duplicity.duplicity.volumes import (
    Manifested,
    Path,
    Volume,
    below,
    files_in,
    path_of,
    read,
    unquoted,
    widened,
)
from hypothesis import given
from hypothesis import strategies as st
from samples import CAPTURES

MANIFESTS = CAPTURES / "restore" / "manifests"
FULL = (MANIFESTS / "duplicity-full.20261125T094640Z.manifest").read_bytes()
INCREMENT = next(MANIFESTS.glob("duplicity-inc.*")).read_bytes()
HEAD = b"Hostname backup-1\nLocaldir /srv\n"
FILES = b"Filelist 2\n    new      a/b\n    changed  a/c\n"

# Few letters, so that paths are often equal, or one below the other.
names = st.binary(min_size=1, max_size=2).filter(lambda name: b"/" not in name and name != b".")
paths = st.lists(names, max_size=3).map(tuple)
few = st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=3).map(tuple)


@st.composite
def volumes_of(draw: st.DrawFn) -> tuple[Volume, ...]:
    """Return the volumes of a set: each begins where the one before it ends, or later."""
    ends = sorted(draw(st.lists(paths, min_size=2, max_size=8)))
    return tuple(Volume(n, *pair) for n, pair in enumerate(zip(ends, ends[1:]), 1))


def quoted(path: Path) -> bytes:
    """Return a path as duplicity writes it: ``Quote`` of its manifest.py, 0.8.23 to 3.2.1."""
    text = b"/".join(path) if path else b"."
    if not re.search(rb"[\s\\\"']", text):
        return text
    return b'"%s"' % re.sub(rb"[\s\\\"']", lambda found: b"\\x%02x" % ord(found[0]), text)


def written(volumes: tuple[Volume, ...]) -> bytes:
    """Return a manifest's volumes as duplicity writes them: ``VolumeInfo.to_string``."""
    return b"".join(
        b"Volume %d:\n    StartingPath   %s  \n    EndingPath     %s 7\n    Hash SHA1 25e9356c\n"
        % (volume.number, quoted(volume.first), quoted(volume.last))
        for volume in volumes
    )


def lines(content: bytes) -> io.BytesIO:
    return io.BytesIO(content)


def contains(volume: Volume, prefix: Path) -> bool:
    """Apply duplicity's own rule: ``VolumeInfo.contains(index_prefix, recursive=True)``."""
    return volume.first[: len(prefix)] <= prefix <= volume.last


def test_a_real_manifest_says_where_it_is_from_and_what_is_where() -> None:
    assert read(lines(FULL)) == Manifested(
        "backup-1",
        "/srv/lab/src",
        (
            Volume(1, (), (b"big",)),
            Volume(2, (b"big",), (b"big",)),
            Volume(3, (b"big",), (b"dir", b"1")),
            Volume(4, (b"dir", b"1"), (b"link",)),
        ),
    )


def test_a_real_manifest_has_odd_names_as_they_are() -> None:
    last = read(lines(FULL)).volumes[-1]
    assert sorted(files_in(lines(FULL), last)) == [
        b"dir/1", b"dir/2", b"dir/3", b"dir/a\nline", b"dir/a name", b"dir/back\\slash",
        b"dir/it's", b"dir/tab\there", b"dir/\xc3\xa4", b"dir/\xff\xfe",
    ]  # fmt: skip


def test_what_was_deleted_is_in_no_volume() -> None:
    [volume] = read(lines(INCREMENT)).volumes
    assert list(files_in(lines(INCREMENT), volume)) == [b"dir/1"]
    assert b"deleted" in INCREMENT


@pytest.mark.parametrize("path", [(b"big",), (b"dir", b"1"), (b"dir",), (b"link",), ()])
def test_duplicity_reads_each_volume_that_may_have_a_path(path: Path) -> None:
    expected = {
        (b"big",): (1, 2, 3), (b"dir", b"1"): (3, 4), (b"dir",): (3, 4), (b"link",): (4,),
        (): (1, 2, 3, 4),
    }  # fmt: skip
    assert read(lines(FULL)).read_for(path) == expected[path]


def test_so_many_volumes_are_read_as_duplicity_says() -> None:
    """The log is of ``restore -r dir/2``, from the increment and the full backup before it."""
    log = (CAPTURES / "restore/logs/3.2.1/good.log").read_text()
    path = (b"dir", b"2")
    numbers = [read(lines(content)).read_for(path) for content in (FULL, INCREMENT)]
    assert sum(map(len, numbers)) == log.count(". Processed volume ") == 2


@given(few, few, few)
def test_a_volume_may_have_what_duplicity_reads_it_for(first: Path, last: Path, path: Path) -> None:
    volume = Volume(1, first, last)
    assert volume.may_have(path) is contains(volume, path)


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ((b"a",), False),
        ((b"b",), True),  # of the directory that it begins in
        ((b"b", b"b"), False),
        ((b"b", b"c"), True),
        ((b"b", b"c", b"x"), True),
        ((b"c",), True),
        ((b"d",), True),
        ((b"d", b"a"), False),  # behind the last
        ((b"e",), False),
        ((), True),
    ],
)
def test_the_first_and_the_last_path_are_in_a_volume(path: Path, may: bool) -> None:
    assert Volume(1, (b"b", b"c"), (b"d",)).may_have(path) is may


@given(st.text(min_size=1), paths, volumes_of())
def test_what_duplicity_writes_is_read_as_it_was(
    host: str, source: Path, volumes: tuple[Volume, ...]
) -> None:
    host = re.sub(r"[\s\"'\\]|[^ -~]", "", host) or "h"
    content = b"Hostname %s\nLocaldir %s\n" % (host.encode(), quoted((b"", b"srv", *source)))
    for whole in (content + FILES + written(volumes), content + written(volumes) + FILES):
        found = read(lines(whole))
        assert found.host == host
        assert found.source.encode(errors="surrogateescape") == b"/".join((b"", b"srv", *source))
        assert found.volumes == volumes


@given(st.binary())
def test_what_was_quoted_is_unquoted(name: bytes) -> None:
    assert unquoted(quoted((name,))) == name


@pytest.mark.parametrize(
    ("word", "path"),
    [
        (b".", ()),
        (b"a/b", (b"a", b"b")),
        (b'"a\\x20b/c"', (b"a b", b"c")),
        (b'"a\\x0Ab"', (b"a\nb",)),
        (b'"\\x22"', (b'"',)),
        (b'"a\\x5cx41"', (b"a\\x41",)),  # of a file that is called so
        (b'"', (b'"',)),
        (b'""', (b"",)),
        (b'"a', (b'"a',)),
        (b"a\xff", (b"a\xff",)),
    ],
)
def test_a_word_is_a_path(word: bytes, path: Path) -> None:
    assert path_of(word) == path


@pytest.mark.parametrize(
    ("numbers", "counted"),
    [
        ((1, 2, 3), (1, 2, 3)),
        ((1, 2, 3, 2), (1, 2)),  # a run that lost volume 3, resumed
        ((1, 2, 3, 2, 3), (1, 2, 3)),
        ((2, 1), (1,)),
        ((), ()),
        ((1, 0), ()),
    ],
)
def test_after_a_resumed_run_the_last_volume_counts(
    numbers: tuple[int, ...], counted: tuple[int, ...]
) -> None:
    content = b"".join(written((Volume(n, (b"a",), (b"b",)),)) for n in numbers)
    found = read(lines(HEAD + content)).volumes
    assert tuple(volume.number for volume in found if volume.number) == counted


def test_of_a_volume_that_is_there_twice_the_later_counts() -> None:
    first, later = Volume(1, (b"a",), (b"b",)), Volume(1, (b"a",), (b"c",))
    assert read(lines(written((first, later)))).volumes == (later,)


def test_a_volume_that_begins_anew_with_the_source_is_empty() -> None:
    """As duplicity 3.0.4 wrote it: 40 files of 100,000 bytes, --volsize 1."""
    ends: list[tuple[Path, bytes]] = [
        ((), b"18"), ((b"19",), b"27"), ((b"28",), b"36"), ((b"37",), b"9"), ((), b"9")
    ]  # fmt: skip
    volumes = [Volume(number, first, (last,)) for number, (first, last) in enumerate(ends, 1)]
    manifested = read(lines(written(tuple(volumes))))
    assert manifested.empty == {5}
    assert manifested.read_for((b"1",)) == (1, 5)


def test_a_volume_without_an_end_has_nothing() -> None:
    content = HEAD + b"Volume 1:\n    StartingPath   .  \n" + FILES
    [volume] = read(lines(content)).volumes
    assert volume == Volume(1, (), ())
    assert list(files_in(lines(content), volume)) == []


def test_a_file_whose_name_is_a_manifests_word_is_none() -> None:
    name = b"    new      EndingPath\n    new      Volume\\x201:\n"
    content = HEAD + written((Volume(1, (b"a",), (b"b",)),)) + b"Filelist 2\n" + name
    assert read(lines(content)).volumes == (Volume(1, (b"a",), (b"b",)),)


def test_a_file_without_a_name_is_none() -> None:
    content = written((Volume(1, (), (b"b",)),)) + b'Filelist 1\n    new      ""\n    new      .\n'
    [volume] = read(lines(content)).volumes
    assert list(files_in(lines(content), volume)) == []


@pytest.mark.parametrize(
    "content", [b"", b"\0\xff" * 1000, b"\n" * 10, b"Volume 1", b"StartingPath a\n", b"Hostname\n"]
)
def test_what_is_no_manifest_has_no_volumes(content: bytes) -> None:
    assert read(lines(content)) == Manifested()


@given(st.binary(), st.sets(st.integers(0, 3)))
def test_any_bytes_are_read(content: bytes, numbers: set[int]) -> None:
    for whole in (content, FULL[:200] + content, FULL + content, content + FULL):
        for volume in read(lines(whole)).volumes:
            assert all(files_in(lines(whole), volume))
        read(widened(lines(whole), numbers))


@given(st.permutations(FULL.splitlines(keepends=True)))
def test_lines_in_any_order_are_read(shuffled: list[bytes]) -> None:
    for volume in read(shuffled).volumes:
        assert all(files_in(shuffled, volume))


@given(volumes_of(), st.sets(st.integers(1, 8)), paths)
def test_a_widened_volume_may_have_every_path_and_the_others_what_they_had(
    volumes: tuple[Volume, ...], numbers: set[int], path: Path
) -> None:
    content = HEAD + FILES + written(volumes)
    new = b"".join(widened(lines(content), numbers))
    for before, after in zip(volumes, read(lines(new)).volumes):
        if before.number not in numbers:
            assert written((before,)) in new
            assert after == before
        elif not path or path[0] < b"\xff" * 8:
            assert after == before.wide
            assert contains(after, path)
    assert len(new.splitlines()) == len(content.splitlines())


def test_widened_is_what_was_asked_for_and_nothing_else() -> None:
    assert b"".join(widened(lines(FULL), ())) == FULL
    assert b"".join(widened(lines(FULL), [9])) == FULL
    kept = FULL.splitlines(keepends=True)
    new = list(widened(lines(FULL), [2]))
    changed = [n for n, (old, line) in enumerate(zip(kept, new)) if old != line]
    assert [kept[n].split()[0] for n in changed] == [b"StartingPath", b"EndingPath"]
    assert kept[changed[0] - 1] == b"Volume 2:\n"
    assert new[changed[1]] == b'    EndingPath     "%s"  \n' % (b"\\xff" * 8)


def test_a_volume_that_is_there_twice_is_widened_twice() -> None:
    twice = written((Volume(1, (b"a",), (b"b",)), Volume(1, (b"a",), (b"c",))))
    [volume] = read(widened(lines(twice), [1])).volumes
    assert volume == volume.wide


@pytest.mark.parametrize(
    ("path", "source", "found"),
    [
        ("alice/mail", "/home", (b"alice", b"mail")),
        ("/home/alice/mail", "/home", (b"alice", b"mail")),
        ("/home/alice/mail", "/home/", (b"alice", b"mail")),
        ("/home//alice/./mail/", "/home", (b"alice", b"mail")),
        ("/etc/passwd", "/", (b"etc", b"passwd")),
        ("etc/passwd", "/", (b"etc", b"passwd")),
        ("/homes/alice", "/home", (b"homes", b"alice")),  # beside it: nothing of the source
        ("b\udcff", "/home", (b"b\xff",)),
        (".", "/home", ()),
        ("/home", "/home", ()),
        ("/home/", "/home", ()),
        ("/", "/", ()),
    ],
)
def test_a_path_is_meant_below_the_source(path: str, source: str, found: Path) -> None:
    assert below(path, source) == found
