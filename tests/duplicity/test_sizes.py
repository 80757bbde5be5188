"""Which files count as empty or cut short: by sizes that good sets have, and by others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from check_duplicity.duplicity.collection import Spoiled
from check_duplicity.duplicity.names import Prefixes, read_names
from check_duplicity.duplicity.sizes import find_spoiled, group
from hypothesis import given
from hypothesis import strategies as st
from samples import ago, full, inc

KIB, MIB = 1 << 10, 1 << 20
DAY, HOUR = ago(days=1), ago(hours=1)


def sized(volumes: Sequence[int], suffix: str = ".gz", others: int = 400) -> dict[str, int]:
    """Return the files of a full set whose volumes have these sizes."""
    names = full(HOUR, len(volumes), suffix)
    sizes = [*volumes, *[others] * (len(names) - len(volumes))]
    return dict(zip(names, sizes))


def found(files: Mapping[str, int], prefixes: Prefixes = Prefixes()) -> list[Spoiled]:
    [*sets] = find_spoiled(group(files.items()), prefixes).values()
    return [file for spoiled in sets for file in spoiled]


def told(volumes: Sequence[int], suffix: str = ".gz") -> list[tuple[int, bool]]:
    return [(file.number, file.sure) for file in found(sized(volumes, suffix))]


@pytest.mark.parametrize("suffix", [".gz", ".gpg", "", ".p7m"])
def test_an_empty_volume_is_told_wherever_it_stands(suffix: str) -> None:
    whole = 25 * MIB - 60 * KIB
    assert told([0, whole, whole, 3 * MIB], suffix) == [(1, True)]
    assert told([whole, 0, whole, 3 * MIB], suffix) == [(2, True)]
    assert told([whole, whole, 0, 3 * MIB], suffix) == [(3, True)]
    assert found(sized([whole, 0, whole], suffix)) == [Spoiled("volume", 0, 2, whole)]


def test_a_last_volume_may_be_empty_only_if_it_is_packed_in_nothing() -> None:
    """Up to 3.0.7, without compression and encryption, a volume with nothing in it has no bytes."""
    assert told([MIB, 0], "") == told([0], "") == []
    assert told([MIB, 0], ".gz") == told([MIB, 0], ".gpg") == [(2, True)]
    assert told([0], ".gz") == [(1, True)]
    assert told([1], "") == [(1, True)]


def test_the_smallest_file_of_gzip_is_good_and_one_byte_less_is_not() -> None:
    assert told([20]) == []
    assert told([19]) == [(1, True)]


def test_the_smallest_volume_before_the_last_is_one_of_volsize_1_and_its_margin() -> None:
    smallest = MIB - 136 * KIB
    assert told([smallest, MIB, 5]) == [(3, True)]
    assert told([smallest, MIB, 500]) == []
    assert told([smallest - 1, MIB, 500]) == [(1, True)]
    assert told([smallest - 1, 500]) == [(1, True)]
    assert told([200 * MIB, 500]) == []


@pytest.mark.parametrize(("suffix", "margin"), [(".gz", 200), ("", 200), (".gpg", 296)])
def test_between_larger_ones_a_volume_is_short_beyond_the_margin(suffix: str, margin: int) -> None:
    large = 25 * MIB
    assert told([large, large - margin * KIB, large, 400], suffix) == []
    assert told([large, large - margin * KIB - 1, large, 400], suffix) == [(2, True)]
    assert told([large, large, large - margin * KIB - 1, large], suffix) == [(3, True)]


@pytest.mark.parametrize("large", [[25 * MIB], [25 * MIB, 25 * MIB + 600 * KIB]])
def test_what_may_be_of_bzip2_has_a_wider_margin(large: list[int]) -> None:
    """Its blocks of 900 KB leave volumes that fit no --volsize; and one alone tells nothing."""
    margin, last = 1416 * KIB, 25 * MIB + 600 * KIB
    first = max(large)
    assert told([*large, first - margin, last], ".gpg") == []
    assert told([*large, first - margin - 1, last], ".gpg") == [(len(large) + 1, True)]


def test_pieces_of_another_volume_size_are_good() -> None:
    """A run that goes on after an interruption may have got another --volsize."""
    small, large = 5 * MIB - 60 * KIB, 25 * MIB - 60 * KIB
    assert told([small, small, large, large, 400]) == []
    assert told([large, large, small, small, 400]) == []
    assert told([large, small, small + 9, large, 400]) == []


def test_a_single_volume_on_one_side_is_sure_only_if_it_fits_no_volume_size() -> None:
    large = [25 * MIB - 60 * KIB] * 3
    for suffix in (".gz", ".gpg"):
        assert told([5 * MIB - 60 * KIB, *large, 400], suffix) == [(1, False)]
        assert told([5 * MIB + 512 * KIB, *large, 400], suffix) == [(1, True)]
        assert told([*large, 5 * MIB - 60 * KIB, 400], suffix) == [(4, False)]
        assert told([*large, 5 * MIB + 512 * KIB, 400], suffix) == [(4, True)]
    assert told([12 * MIB + 512 * KIB, 20 * MIB]) == [(1, True)]
    # With bzip2 in gpg volumes have sizes that fit none.
    assert told([12 * MIB + 512 * KIB, 20 * MIB], ".gpg") == [(1, False)]
    assert told([5 * MIB + 512 * KIB, 26 * MIB - 300 * KIB, 400, 25 * MIB, 3], ".gpg")[0] == (
        1,
        False,
    )


def test_manifests_and_signature_files_are_never_empty() -> None:
    assert found(sized([500], others=20)) == []
    assert found(sized([500], others=0)) == [Spoiled("manifest", 0), Spoiled("signature file", 0)]
    assert found(sized([500], ".gpg", others=19))[0] == Spoiled("manifest", 19)


def test_what_is_not_known_is_not_judged() -> None:
    files = sized([25 * MIB, 25 * MIB, 25 * MIB, 400])
    del files[full(HOUR, 4)[1]], files[full(HOUR, 4)[3]]
    assert found(files) == []
    assert found({"duplicity-full.nonsense.vol1.difftar.gz": 0, "notes.vol2.txt": 0, "x": 0}) == []


def test_only_a_jobs_own_files_count() -> None:
    files = {f"web-{name}": 0 for name in full(HOUR)}
    assert found(files) == []
    assert len(found(files, Prefixes("web-", "web-", "web-"))) == 3
    assert len(found(files, Prefixes(volume="web-"))) == 1


def test_short_names_and_copies_are_read_as_names_are() -> None:
    files = {"df.thhs0g.1.dt.z": MIB, "df.thhs0g.2.dt.z": 0, "df.thhs0g.3.dt.z": 30}
    assert [(file.number, file.size) for file in found(files)] == [(2, 0)]
    name = full(HOUR)[0]
    assert found({f"{name}.locked": 0, f"{name}.vol2.difftar": 0}) == []
    # Of two files the larger one counts: that there are two is told otherwise.
    assert found({name: 0, name.replace(".gz", ".gpg"): 900}) == []


def test_a_set_that_is_not_complete_has_nothing_spoiled_in_its_chain() -> None:
    names = full(DAY, 3) + inc(DAY, HOUR, 3)
    spoiled = find_spoiled(group([(name, 0) for name in names]))
    collection = read_names([name for name in names if "manifest" not in name], spoiled=spoiled)
    assert collection.sets == ()
    [chain] = read_names(names, spoiled=spoiled).chains
    assert [len(s.spoiled) for s in chain.sets] == [5, 5]
    assert chain.restorable == ()


def test_a_set_counts_up_to_the_first_that_is_surely_spoiled() -> None:
    names = full(DAY) + inc(DAY, HOUR)
    for size, sets in ((0, 1), (30, 2)):
        sizes = group((name, size if "inc" in name else 300) for name in names)
        [chain] = read_names(names, spoiled=find_spoiled(sizes)).chains
        assert len(chain.restorable) == sets


def test_sizes_that_cannot_be_bytes_tell_only_what_is_empty() -> None:
    """``ls -l --block-size=1K``: all are told by a thousandth, rounded up."""
    blocks = {name: -(-size // KIB) for name, size in sized([MIB, MIB, 0, MIB, 9000]).items()}
    sizes = group(blocks.items())
    assert [[file.number for file in files] for files in find_spoiled(sizes).values()] != [[3]]
    [files] = find_spoiled(sizes, in_bytes=False).values()
    assert [(file.what, file.number) for file in files] == [("volume", 3)]
    large = sized([30_000, 30_000, 500], others=25)
    assert find_spoiled(group(large.items()), in_bytes=False) == {}


def good_piece(encrypted: bool, least: int) -> st.SearchStrategy[list[int]]:
    """Return volume sizes that one run makes with one --volsize, by duplicity's arithmetic."""
    above = 150 if encrypted else 60
    spread = st.integers(-130 * KIB, above * KIB)
    sizes = st.lists(spread, min_size=least, max_size=6)
    return st.builds(
        lambda volsize, over: [volsize * MIB + size for size in over], st.integers(1, 300), sizes
    )


@st.composite
def good_sets(draw: st.DrawFn) -> tuple[list[int], str, bool]:
    """Return a good set's volumes, their suffix, and whether a single run made the set."""
    suffix = draw(st.sampled_from(["", ".gz", ".gpg"]))
    encrypted = suffix == ".gpg"
    pieces = [draw(good_piece(encrypted, 0))]
    if draw(st.booleans()):
        pieces.append(draw(good_piece(encrypted, 1)))
    elif encrypted and draw(st.booleans()):  # bzip2
        pieces = [[size + draw(st.integers(0, 700 * KIB)) for size in pieces[0]]]
    sizes = [size for piece in pieces for size in piece]
    largest = sizes[-1] if sizes else MIB
    last = draw(st.integers(0 if not suffix else 20, largest))
    return [*sizes, last if suffix or not last else max(last, 512)], suffix, len(pieces) == 1


@given(good_sets())
def test_no_good_set_is_called_spoiled(good: tuple[list[int], str, bool]) -> None:
    sizes, suffix, one_run = good
    files = found(sized(sizes, suffix))
    assert not any(file.sure for file in files)
    assert not (files and one_run)


@given(good_sets(), st.data())
def test_an_emptied_volume_is_always_found(
    good: tuple[list[int], str, bool], data: st.DataObject
) -> None:
    sizes, suffix, _ = good
    at = data.draw(st.integers(0, len(sizes) - (1 if suffix else 2))) if len(sizes) > 1 else 0
    sizes[at] = 0
    files = found(sized(sizes, suffix or ".gz"))
    assert (at + 1, 0) in [(file.number, file.size) for file in files]
