"""The metadata of a chain in a private archive directory."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
from chains import manifest
from check_duplicity.duplicity.names import Prefixes
from check_duplicity.restore import archive
from check_duplicity.restore.archive import same_contents
from check_duplicity.restore.model import Volume
from lab import fingerprint
from samples import ago, stamp

FULL, INCREMENT, OLDER = ago(days=7), ago(days=1), ago(days=30)
TIMES = (FULL, INCREMENT)
BETWEEN = f"{stamp(FULL)}.to.{stamp(INCREMENT)}"
MANIFESTS = (f"duplicity-full.{stamp(FULL)}.manifest", f"duplicity-inc.{BETWEEN}.manifest")
SIGNATURES = (
    f"duplicity-full-signatures.{stamp(FULL)}.sigtar.gz",
    f"duplicity-new-signatures.{BETWEEN}.sigtar.gz",
)
CONTENT = manifest("/srv", [(".", "b"), ("b", "d")], {"a": "new", "c": "new"})
NONE = Prefixes()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A job's archive directory."""
    path = tmp_path / "own"
    path.mkdir()
    fill(path)
    return path


def fill(path: Path, prefix: str = "") -> None:
    for name in MANIFESTS:
        (path / f"{prefix}{name}").write_bytes(CONTENT)
    for name in SIGNATURES:
        (path / f"{prefix}{name}").write_bytes(b"signatures" * 1000)


def copied(own: Path, prefixes: Prefixes = NONE) -> tuple[bool, dict[str, bytes]]:
    """Return whether all was copied, and the copies; the job's directory must not change."""
    private = own.parent / "private"
    before = fingerprint(own)
    whole = archive.copy(str(own), str(private), TIMES, prefixes)
    assert fingerprint(own) == before
    assert private.stat().st_mode & 0o777 == 0o700
    found = {path.name: path.read_bytes() for path in private.iterdir()}
    assert all(path.is_file() and not path.is_symlink() for path in private.iterdir())
    return whole, found


def test_manifests_are_copied_and_signatures_are_names_only(own: Path) -> None:
    whole, found = copied(own)
    assert whole
    assert found == {**dict.fromkeys(MANIFESTS, CONTENT), **dict.fromkeys(SIGNATURES, b"")}


def test_only_the_sets_of_wide_volumes_have_other_manifests_meanwhile(own: Path) -> None:
    copied(own)
    chain = archive.sets(str(own.parent / "private"), TIMES, NONE)
    wide = Volume(INCREMENT, 1)
    with archive.widened(chain, [wide]):
        full, increment = (Path(one.path).read_bytes() for one in chain)
        assert full == CONTENT
        assert increment != CONTENT
    assert [Path(one.path).read_bytes() for one in chain] == [CONTENT, CONTENT]


def test_signatures_that_end_too_early_or_are_damaged_are_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "duplicity-full-signatures.sigtar.gz"
    content = gzip.compress(os.urandom(3 << 20))
    path.write_bytes(content)
    assert archive.is_whole(str(path))
    for damaged in (content[:-1000], content[:-8] + b"\0" * 8):
        path.write_bytes(damaged)
        assert not archive.is_whole(str(path))


def test_what_is_not_of_the_chain_is_left_out(own: Path) -> None:
    for name in (
        f"duplicity-full.{stamp(OLDER)}.manifest",
        f"duplicity-full-signatures.{stamp(OLDER)}.sigtar.gz",
        f"{MANIFESTS[0]}.part", f"duplicity-full-signatures.{stamp(FULL)}.sigtar.part",
        f"duplicity-new-signatures.{BETWEEN}.sigtar.part", "lockfile", "lockfile.lock", "README",
        f"duplicity-full.{stamp(FULL)}.vol1.difftar.gz", f"other-{MANIFESTS[0]}",
    ):  # fmt: skip
        (own / name).write_bytes(b"foreign")
    whole, found = copied(own)
    assert whole
    assert sorted(found) == sorted((*MANIFESTS, *SIGNATURES))


def test_a_set_of_which_only_a_part_is_there_is_not_all(own: Path) -> None:
    (own / MANIFESTS[1]).rename(own / f"{MANIFESTS[1]}.part")
    whole, found = copied(own)
    assert not whole
    assert MANIFESTS[0] in found


@pytest.mark.parametrize("name", [*MANIFESTS, *SIGNATURES])
def test_each_file_must_be_there(name: str, own: Path) -> None:
    (own / name).unlink()
    assert not copied(own)[0]


@pytest.mark.parametrize("what", ["link", "dangling", "directory", "pipe"])
def test_what_is_no_file_is_not_copied_and_leaves_nothing(what: str, own: Path) -> None:
    """duplicity would take what is left for the manifest, and not fetch the right one."""
    path = own / MANIFESTS[0]
    path.unlink()
    if what == "directory":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(MANIFESTS[1] if what == "link" else "none")
    whole, found = copied(own)
    assert not whole
    assert MANIFESTS[0] not in found


def test_no_archive_directory_is_none(tmp_path: Path) -> None:
    assert not archive.copy(str(tmp_path / "none"), str(tmp_path / "private"), TIMES, NONE)
    assert list((tmp_path / "private").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "of_manifests", "of_signatures"),
    [
        (["--file-prefix", "web-"], "web-", "web-"),
        (["--file-prefix-manifest=m-"], "m-", ""),
        (["--file-prefix=w-", "--file-prefix-manifest=m-", "--file-prefix-signature=s-"],
         "w-m-", "w-s-"),
    ],
)  # fmt: skip
def test_names_begin_as_the_jobs_do(
    options: list[str], of_manifests: str, of_signatures: str, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for foreign in ("", "x-"):
        fill(own, foreign)
    for name in MANIFESTS:
        (own / f"{of_manifests}{name}").write_bytes(CONTENT)
    for name in SIGNATURES:
        (own / f"{of_signatures}{name}").write_bytes(b"x")
    prefixes = Prefixes.of_options(options)
    whole, found = copied(own, prefixes)
    assert whole
    assert sorted(found) == sorted(
        [f"{of_manifests}{name}" for name in MANIFESTS]
        + [f"{of_signatures}{name}" for name in SIGNATURES]
    )
    sets = archive.sets(str(tmp_path / "private"), TIMES, prefixes)
    assert [one.time for one in sets] == [FULL, INCREMENT]


def test_sets_are_in_the_order_of_their_times(own: Path) -> None:
    copied(own)
    private = str(own.parent / "private")
    found = archive.sets(private, reversed(TIMES), NONE)
    assert [one.time for one in found] == [FULL, INCREMENT]
    assert [len(one.manifest.volumes) for one in found] == [2, 2]
    assert found[0].manifest.source == "/srv"
    assert found[0].path == f"{private}/{MANIFESTS[0]}"


def test_a_manifest_that_is_not_there_is_said(own: Path) -> None:
    (own / MANIFESTS[1]).unlink()
    copied(own)
    with pytest.raises(OSError, match=f"no manifest of the backup of {stamp(INCREMENT)}"):
        archive.sets(str(own.parent / "private"), TIMES, NONE)


def test_volumes_are_wide_for_as_long_as_it_takes(own: Path) -> None:
    # As in a drill: there is room for other things beside the directory that duplicity is given.
    (own.parent / "drill" / "archive").mkdir(parents=True)
    private = own.parent / "drill" / "archive" / "job"
    archive.copy(str(own), str(private), TIMES, NONE)
    chain = archive.sets(str(private), TIMES, NONE)
    names = sorted(os.listdir(private))
    with archive.widened(chain, [Volume(FULL, 2)]):
        meanwhile = archive.sets(str(private), TIMES, NONE)
        assert sorted(os.listdir(private)) == names
        first, second = meanwhile[0].manifest.volumes
        assert second == second.wide
        assert first == chain[0].manifest.volumes[0]
        assert meanwhile[1] == chain[1]
    assert archive.sets(str(private), TIMES, NONE) == chain
    with pytest.raises(ZeroDivisionError), archive.widened(chain, [Volume(INCREMENT, 1)]):
        raise ZeroDivisionError
    assert (private / MANIFESTS[1]).read_bytes() == CONTENT
    assert os.listdir(private.parent) == ["job"]


def test_what_duplicity_removes_meanwhile_is_put_back_as_it_was(own: Path) -> None:
    (own.parent / "drill" / "archive").mkdir(parents=True)
    private = own.parent / "drill" / "archive" / "job"
    archive.copy(str(own), str(private), TIMES, NONE)
    chain = archive.sets(str(private), TIMES, NONE)
    with archive.widened(chain, [Volume(FULL, 1), Volume(INCREMENT, 2)]):
        (private / MANIFESTS[0]).unlink()
    assert (private / MANIFESTS[0]).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("contents", "same"), [(b"12345", True), (b"12346", False), (b"1234", False), (b"", False)]
)
def test_signatures_are_the_same_however_they_are_compressed(
    contents: bytes, same: bool, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.write_bytes(gzip.compress(b"12345"))
    for number, written in enumerate((contents, gzip.compress(contents, 1))):
        path = tmp_path / f"fetched-{number}"
        path.write_bytes(written)
        assert same_contents(str(path), str(own)) is same


def test_signatures_that_are_cut_short_or_gone(tmp_path: Path) -> None:
    own, fetched = tmp_path / "own", tmp_path / "fetched"
    own.write_bytes(gzip.compress(os.urandom(5000)))
    assert not same_contents(str(fetched), str(own))
    fetched.write_bytes(own.read_bytes()[:-9])
    assert not same_contents(str(fetched), str(own))
    own.unlink()  # The job has removed it meanwhile.
    assert same_contents(str(fetched), str(own))
