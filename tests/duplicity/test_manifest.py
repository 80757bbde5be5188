from __future__ import annotations

from collections.abc import Iterator

import pytest
from check_duplicity.duplicity.manifest import Files, Manifest, read

# As duplicity 3.2.1 writes it; 0.8 to 3.2 write the volumes before or behind the list of files.
HEAD = b"Hostname backup-1\nLocaldir /srv\n"
VOLUME = b"Volume %d:\n    StartingPath   .  \n    EndingPath     a  \n    Hash SHA1 25e9356c\n"
FILES = b"Filelist 2\n    new      Volume\\x201:\n    changed  a\n"


@pytest.mark.parametrize(
    ("content", "volumes"),
    [
        (HEAD + VOLUME % 1 + FILES, 1),
        (HEAD + FILES + VOLUME % 1 + VOLUME % 2 + VOLUME % 3, 3),
        (HEAD + b"".join(VOLUME % n for n in (1, 2, 3, 2)), 2),
        (HEAD, 0),
        (HEAD + VOLUME % 7 + VOLUME % 0, 0),
        (b"", 0),
        (b"\0\xff" * 1000, 0),
    ],
)
def test_the_last_volume_of_a_manifest_counts(content: bytes, volumes: int) -> None:
    assert read([content]).volumes == volumes


def test_a_volume_is_found_across_the_blocks_in_which_a_manifest_is_read() -> None:
    for position in range(1, 14):
        padding = b"x" * ((1 << 20) - position)
        assert read(blocks(padding + b"\nVolume 12345:\n")).volumes == 12345


def test_what_looks_like_a_volume_within_a_line_is_none_wherever_blocks_end() -> None:
    for position in range(30):
        content = (
            b"\nVolume 3:\n".ljust((1 << 20) - position, b"x") + b"Volume 12345: in a file's name"
        )
        assert read(blocks(content)).volumes == 3


def blocks(content: bytes, size: int = 1 << 16) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def test_files_are_counted_by_what_became_of_them_wherever_blocks_end() -> None:
    lines = b"".join(
        b"    %-7s  %s\n" % (word, name)
        for word, name in [
            (b"new", b"new"),
            (b"new", b"a"),
            (b"changed", b"b"),
            (b"deleted", b"c/d"),
        ]
    )
    content = HEAD + VOLUME % 1 + b"Filelist 4\n" + lines
    for size in (*range(1, 40), 1 << 16):
        found = read(blocks(content, size), 1 << 16)
        assert found == Manifest(1, 4, Files(new=2, changed=1, deleted=1))


def test_what_is_too_large_is_not_counted_and_neither_is_what_is_cut_off() -> None:
    content = HEAD + VOLUME % 1 + FILES
    assert read([content], len(content) - 1) == Manifest(1, 2, None)
    assert read([content[:-12]], 1000) == Manifest(1, 2, None)
    assert read([HEAD + VOLUME % 1], 1000).entries is None


def test_a_source_without_a_file_is_told_from_a_job_that_lists_none() -> None:
    # Both were seen on 0.8.23, 2.2.4 and 3.2.1: an empty directory, and --no-files-changed.
    empty = (VOLUME % 1).replace(b"EndingPath     a", b"EndingPath     .")
    assert read([HEAD + empty + b"Filelist 0\n"]).only_root
    assert not read([HEAD + VOLUME % 1 + b"Filelist 0\n"]).only_root


@pytest.mark.parametrize(
    ("content", "most", "found"),
    [
        (HEAD + VOLUME % 1 + FILES, 1 << 16, Manifest(1, 2, Files(1, 1, 0))),
        (HEAD + VOLUME % 1 + FILES, len(HEAD + VOLUME % 1 + FILES), Manifest(1, 2, Files(1, 1, 0))),
        (HEAD + VOLUME % 1 + FILES, 0, Manifest(1, 2, None)),
        (HEAD + VOLUME % 1 + b"Filelist 0\n", 1 << 16, Manifest(1, 0, Files(0, 0, 0))),
        (FILES + b"Filelist 7\n", 1 << 16, Manifest(0, 2, Files(1, 1, 0))),
        (b"    new      a\nFilelist 1\n", 1 << 16, Manifest(0, 1, Files(1, 0, 0))),
        (b"Volume 1:\n    EndingPath     .  \n", 0, Manifest(1, None, None, True)),
        (b"Volume 2:\n    EndingPath     .  \n", 0, Manifest(2, None, None, False)),
    ],
)
def test_a_manifest_is_read_as_a_whole(content: bytes, most: int, found: Manifest) -> None:
    assert read([content], most) == found
    assert read(blocks(content, 40), most) == found


def test_the_root_is_looked_for_in_the_first_4096_bytes() -> None:
    root = b"\n    EndingPath     .  \n"
    for before, found in ((4096 - len(root), True), (4097 - len(root), False)):
        content = b"Volume 1:\n".ljust(before, b"x") + root
        assert read([content]).only_root is found
        assert read(blocks(content, 4095)).only_root is found


def test_a_list_is_found_wherever_its_number_is_cut() -> None:
    for size in range(1, 25):
        found = read(blocks(b"x" * 30 + b"\nFilelist 123456789012\n", size))
        assert found == Manifest(0, 123456789012)
