"""A job's collection is seen where its options say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from check_duplicity.destination import see
from check_duplicity.destination.model import Listing, Source
from check_duplicity.destination.read import read
from check_duplicity.duplicity.invocation import Running
from check_duplicity.duplicity.names import Archive, Prefixes
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.secrets import Secrets
from samples import NOW, ago, full


def test_the_checks_own_options_are_refused_without_a_secret_in_them() -> None:
    source = Source("file:///b", options=["--timeout", "--archive-dir=/hunter2"])
    with pytest.raises(CannotSee) as caught:
        see.look(source, lambda: (None, True), Secrets({"PASSPHRASE": "hunter2"}))
    assert caught.value.kind is Kind.USAGE
    assert str(caught.value) == (
        "--archive-dir=/*** is the check's own; the job's archive is named with -a and -n"
    )


def test_without_duplicity_all_that_the_archive_directory_has_counts(tmp_path: Path) -> None:
    """Only while duplicity lists can a run make a set that it doesn't list."""
    (tmp_path / "web").mkdir()
    for name in full(ago(days=1)):
        (tmp_path / "web" / name).write_bytes(b"Volume 1:\n    Hash SHA1 0\n")
    source = Source(archive_dir=str(tmp_path), name="web", from_archive=True)
    seen = see.look(source, lambda: (None, True), Secrets({}))
    assert (seen.archive.settled, seen.archive.fresh) == (frozenset(), frozenset())
    assert [one.time for one in seen.collection.sets] == [ago(days=1)]


def test_a_saved_listing_has_a_largest_size(tmp_path: Path) -> None:
    (tmp_path / "listing").touch()
    os.truncate(tmp_path / "listing", (128 << 20) + 1)
    source = Source(from_file=str(tmp_path / "listing"))
    with pytest.raises(CannotSee) as caught:
        see.look(source, lambda: (None, True), Secrets({}))
    assert str(caught.value) == f"{tmp_path}/listing: is larger than 128 MiB"


@pytest.mark.parametrize(
    ("log", "gone"),
    [
        ("ERROR 50 list\n. cd: Access failed: 550 x: No such file or directory (/x)\n\n", True),
        ("NOTICE 1\n. Local and Remote metadata are synchronized, no sync needed.\n\n", False),
    ],
)
def test_what_duplicity_says_without_a_list(log: str, gone: bool) -> None:
    listing = Listing(Archive(), log=log)
    if gone:
        assert read(listing, Prefixes()).gone
        return
    with pytest.raises(CannotSee) as caught:
        read(listing, Prefixes())
    assert caught.value.kind is Kind.NOT_RECOGNISED
    assert str(caught.value) == "duplicity ended well, but said nothing about the destination"


@pytest.mark.parametrize(
    ("finished", "runs", "looks"),
    [(True, [None], 1), (False, [Running(7, NOW)], 1), (False, [None, Running(7, NOW)], 2)],
)
def test_a_run_that_began_meanwhile_is_looked_for_once_more(
    finished: bool, runs: list[Running | None], looks: int, tmp_path: Path
) -> None:
    (tmp_path / "web").mkdir()
    (manifest,) = (name for name in full(ago(days=1)) if name.endswith(".manifest"))
    (tmp_path / "web" / (manifest + ".part" * (not finished))).write_bytes(b"Volume 1:\n")
    source = Source(archive_dir=str(tmp_path), name="web", from_archive=True)
    asked = iter(runs)
    seen = see.look(source, lambda: (next(asked), True), Secrets({}))
    assert seen.running == runs[-1]
    assert len(runs) == looks
    assert next(asked, "all were asked") == "all were asked"
