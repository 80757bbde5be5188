"""Sizes in listings of other tools: all of one destination, whose second volume is empty.

``captures/listings`` has the output of real tools; ``az-table``, ``gsutil-ls-l`` and ``bsd-*``
are written by their documentation.
"""

from __future__ import annotations

import pytest
from check_duplicity.duplicity.listed_sizes import name_last, read_sizes
from check_duplicity.duplicity.names import Prefixes
from check_duplicity.duplicity.status import read_saved
from check_duplicity.nagios.findings import CannotSee
from hypothesis import given
from hypothesis import strategies as st
from samples import CAPTURES

LISTINGS = {path.stem: path for path in sorted((CAPTURES / "listings").glob("*.txt"))}
WITHOUT = {"ls-s", "du-a", "rclone-ls", "ls-block-size-K"}
OTHER_UNITS = {"ls-lh", "busybox-ls-lh", "lftp-cls-lh", "rclone-lsl-human", "ls-block-size-1K"}
REFUSED = {"aws-s3-ls-human"}
EXACT = sorted(LISTINGS.keys() - WITHOUT - OTHER_UNITS - REFUSED)


def spoiled(listing: str, prefixes: Prefixes = Prefixes()) -> list[tuple[str, int, int]]:
    [backup_set] = read_saved(listing, prefixes).sets
    assert backup_set.volumes == 4
    return [(file.what, file.number, file.size) for file in backup_set.spoiled]


@pytest.mark.parametrize("name", EXACT)
def test_sizes_are_read(name: str) -> None:
    listing = LISTINGS[name].read_text()
    assert spoiled(listing) == [("volume", 2, 0)]
    assert spoiled(listing.replace("\n", "\r\n")) == [("volume", 2, 0)]
    cut = listing.replace("1067890", "  67890").replace("682 ", " 10 ")
    assert spoiled(cut) == [("volume", 2, 0)], "10 bytes of a manifest may as well be KiB"
    assert spoiled(listing.replace("1067890", "  67890")) == [
        ("volume", 2, 0),
        ("volume", 3, 67890),
    ]


@pytest.mark.parametrize("name", sorted(OTHER_UNITS))
def test_of_sizes_in_other_units_only_the_empty_one_is_told(name: str) -> None:
    assert spoiled(LISTINGS[name].read_text()) == [("volume", 2, 0)]


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_blocks_are_no_sizes(name: str) -> None:
    assert spoiled(LISTINGS[name].read_text()) == []


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_words_in_front_of_names_are_refused_as_ever(name: str) -> None:
    with pytest.raises(CannotSee, match="words in front"):
        read_saved(LISTINGS[name].read_text())


def test_one_line_of_another_form_makes_all_of_them_doubtful() -> None:
    lines = LISTINGS["rclone-lsl"].read_text().splitlines()
    assert spoiled("\n".join([*lines[:-1], lines[-1].split()[-1]])) == []
    assert spoiled("\n".join([*lines, "     0 2026-11-24 11:31:07 notes.txt"])) == [
        ("volume", 2, 0)
    ]


def test_a_link_has_no_size_of_its_own() -> None:
    listing = LISTINGS["ls-l"].read_text()
    [line] = [line for line in listing.splitlines() if ".vol2." in line]
    link = line.replace("-rw-r--r--", "lrwxrwxrwx") + " -> /srv/other/" + line.split()[-1]
    names = listing.replace(line, link)
    with pytest.raises(CannotSee):
        spoiled(names)  # two names in a line


def test_paths_with_blanks_and_prefixes_stand_between_size_and_name() -> None:
    listing = LISTINGS["find-ls"].read_text().replace("./", "/srv/my backup 2/web-")
    assert spoiled(listing, Prefixes("web-", "web-", "web-")) == [("volume", 2, 0)]


@pytest.mark.parametrize(
    ("before", "size"),
    [
        ("-rw-r--r-- 1 root root 5 Nov 24 11:31 ", 5),
        ("-rw-r--r--. 1 root root 5 Nov 24  2025 ", 5),
        ("-rw-r--r--+ 1 1000 1000 5 11-24 11:31 ", 5),
        ("-rw-r--r-- 1 root root 5 2025-11-24  ", 5),
        ("-rw-r--r-- 1 root root 5 24. Nov 11:31 ", 5),
        ("-rw-r--r-- 1 root root 5 24 févr. 11:31 ", 5),
        ("-rw-r--r-- 1 root root 5 11月 24 11:31 ", 5),
        ("-rw-r--r--    ? root     root            5 Nov 24 11:31 ", 5),
        ("-rw-r--r-- 1 root root 1.5M Nov 24 11:31 ", None),
        ("-rw-r--r-- 1 root root 1,5K Nov 24 11:31 ", None),
        ("-rw-r--r-- 1 root root 25M Nov 24 11:31 ", None),
        ("-rw-r--r-- 1 root wheel 512B Nov 24 11:31 ", 512),
        ("  25 MiB  2026-11-24T11:31:07Z  gs://backup/", None),
    ],
)
def test_forms_of_a_line(before: str, size: int | None) -> None:
    expected = [] if size is None else [("name", size)]
    assert list(read_sizes([("name", before)])) == expected


@pytest.mark.parametrize(
    "before",
    [
        "5 ", "12345 5 ", "lrwxrwxrwx 1 root root 5 Nov 24 11:31 ", "Nov 24 11:31 ", "",
        "drwxr-xr-x 1 root root 5 Nov 24 11:31 ", "-rw-r--r-- 1 root root 5 ",
    ],
)  # fmt: skip
def test_what_is_no_such_form_has_no_sizes(before: str) -> None:
    with pytest.raises(ValueError, match="no size in front of"):
        list(read_sizes([("name", before)]))


def test_each_capture_is_there() -> None:
    assert len(EXACT) == 18
    assert set(LISTINGS) > WITHOUT | OTHER_UNITS | REFUSED


@given(st.text(), st.text())
def test_any_lines_are_read_or_have_no_sizes(first: str, second: str) -> None:
    try:
        sizes = list(read_sizes([("a", first), ("b", second)]))
    except ValueError:
        return
    assert len(sizes) <= 2


@given(st.text())
def test_a_line_keeps_what_it_says(line: str) -> None:
    assert name_last(line) == line or "Blob " in line
