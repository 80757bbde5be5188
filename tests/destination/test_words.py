"""What is said and counted of a collection, word by word."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from check_duplicity.destination import archive, local, see
from check_duplicity.destination.judge import (
    damage,
    details,
    judge,
    measure,
    newest_sets,
    volumes_of_newest,
    with_collection,
)
from check_duplicity.destination.model import Listing, Seen, Source
from check_duplicity.destination.read import archive_of, read
from check_duplicity.destination.spoiled import spoiled_files
from check_duplicity.duplicity.collection import BackupSet, Chain, Collection, Spoiled
from check_duplicity.duplicity.invocation import Running
from check_duplicity.duplicity.jsonstat import Statistics
from check_duplicity.duplicity.manifest import Files, Manifest
from check_duplicity.duplicity.names import Archive, Prefixes, read_names
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import CannotSee, Kind, State
from check_duplicity.secrets import Secrets
from samples import NOW, ago, full, inc, stamp, unfinished

WEEK, TWO, DAY, HOUR = ago(days=7), ago(days=2), ago(days=1), ago(hours=1)
MIB = 1 << 20


def one(time: datetime = DAY, start: datetime | None = None, volumes: int = 1) -> BackupSet:
    return BackupSet(start, time, volumes)


def collection(*chains: tuple[BackupSet, ...]) -> Collection:
    return Collection(tuple(Chain(chain) for chain in chains))


def texts(found: Collection, running: Running | None = None, sure: bool = True) -> list[str]:
    return [finding.text for finding in judge(found, NOW, running, sure=sure)]


def volume(number: int, size: int, largest: int = 25 * MIB, sure: bool = True) -> Spoiled:
    return Spoiled("volume", size, number, largest, sure)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([volume(1, 5, 5)], "volume 1 of 5 is cut short (5 bytes)"),
        ([volume(1, 5, 6)], "volume 1 of 5 is cut short (5 bytes, others 6 bytes)"),
        ([volume(1, 1, 2)], "volume 1 of 5 is cut short (1 byte, others 2 bytes)"),
        ([volume(1, 1023, 1024)], "volume 1 of 5 is cut short (1023 bytes, others 1.0 KiB)"),
        ([volume(1, MIB - 103, MIB)], "volume 1 of 5 is cut short (1023.9 KiB, others 1.0 MiB)"),
        ([volume(1, 7), volume(2, 8)], "volumes 1, 2 of 5 are cut short"),
        ([volume(n, 8, sure=False) for n in (1, 2, 3)], "volumes 1, 2, 3 of 5 are small"),
        ([volume(n, 8) for n in (1, 2, 3, 4)], "volumes 1, 2, 3, … of 5 are cut short"),
        (
            [volume(3, 0), volume(1, 8), volume(2, MIB, sure=False), Spoiled("manifest", 0),
             Spoiled("signature file", 1)],
            ("volume 3 of 5 is empty, volume 1 of 5 is cut short (8 bytes, others 25.0 MiB),"
            " volume 2 of 5 is small (1.0 MiB, others 25.0 MiB), its manifest is empty,"
            " its signature file is cut short"),
        ),
    ],
)  # fmt: skip
def test_spoiled_files_are_said(files: list[Spoiled], said: str) -> None:
    backup_set = one(volumes=4)._replace(missing=(range(5, 6),), spoiled=tuple(files))
    assert spoiled_files(backup_set) == said


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ([range(2, 3)], "lacks volume 2 of 10"),
        ([range(2, 4)], "lacks volumes 2-3 of 11"),
        ([range(2, 3), range(5, 9), range(9, 10)], "lacks volumes 2, 5-8, 9 of 15"),
        ([range(n, n + 1) for n in (1, 3, 5, 7)], "lacks volumes 1, 3, 5, … of 13"),
    ],
)
def test_missing_volumes_are_said(missing: list[range], said: str) -> None:
    lost = one(volumes=9)._replace(missing=tuple(missing))
    assert texts(collection((lost,))) == [
        f"backup of 2026-11-23 12:00 UTC {said}", "no complete backup",
    ][:1]  # fmt: skip
    older = one(WEEK)._replace(missing=(range(2, 3),))
    other = one(TWO)._replace(missing=(range(2, 3),))
    assert texts(collection((older,), (other,), (lost,)))[0] == (
        f"backup of 2026-11-23 12:00 UTC {said}, and 2 more backups"
    )


def test_damage_is_old_only_if_all_of_it_is_before_the_newest_chain() -> None:
    lost = one(WEEK)._replace(missing=(range(2, 3),))
    short = one(WEEK)._replace(spoiled=(volume(1, 0),))
    small = one(WEEK)._replace(spoiled=(volume(1, 9, sure=False),))
    at_it = one(HOUR, DAY)._replace(missing=(range(2, 3),))
    cut = one(HOUR, DAY)._replace(spoiled=(volume(1, 0),))
    for chains, kinds in (
        ([(lost,), (one(),)], [Kind.OLD_DAMAGE]),
        ([(short,), (one(),)], [Kind.OLD_DAMAGE]),
        ([(small,), (one(),)], [Kind.SPOILED]),
        ([(one(), at_it)], [Kind.MISSING_VOLUMES]),
        ([(lost,), (one(), at_it)], [Kind.MISSING_VOLUMES]),
        ([(one(), cut)], [Kind.SPOILED]),
        ([(short,), (one(), cut)], [Kind.SPOILED]),
        ([(lost,)], [Kind.MISSING_VOLUMES]),
        ([(short,)], [Kind.SPOILED]),
    ):
        found = collection(*chains)
        assert [finding.kind for finding in judge(found, NOW)] == kinds
        seen = Seen(found, Archive(), None, sure=True)
        told = [finding.kind for finding in damage(seen, NOW)]
        assert told == [kind for kind in kinds if kind is not Kind.OLD_DAMAGE]


def test_of_two_doubled_sets_the_newer_is_named() -> None:
    found = collection((one(WEEK)._replace(doubled=3), one(DAY, WEEK)._replace(doubled=1)))
    assert texts(found) == ["backup of 2026-11-23 12:00 UTC has 1 file twice"]
    found = collection((one(WEEK)._replace(doubled=2), one(DAY, WEEK)))
    assert texts(found) == ["backup of 2026-11-17 12:00 UTC has 2 files twice"]


def test_of_two_sets_without_manifest_the_newer_is_named() -> None:
    lost = (one(TWO), one(DAY))
    found = collection((one(WEEK),))._replace(lost=lost)
    assert texts(found) == ["backup of 2026-11-23 12:00 UTC has lost its manifest"]
    found = collection((one(DAY),))._replace(lost=(one(DAY),))
    assert texts(found) == []
    found = collection((one(DAY), one(HOUR, DAY)))._replace(lost=lost)
    assert texts(found) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Collection(), ["no backup: no duplicity files there"]),
        (Collection(nowhere="/x"), ["there is no directory /x"]),
        (Collection(gone="no bucket"), ["the destination is not there: no bucket"]),
        (
            Collection(incomplete=2),
            ["no complete backup", "2 incomplete backup sets left over"],
        ),
        (
            Collection(incomplete=1),
            ["no complete backup", "1 incomplete backup set left over"],
        ),
        (
            Collection(orphaned=1),
            ["no complete backup: the full one that others build on is gone",
             "1 orphaned backup set"],
        ),
        (
            Collection(orphaned=2, lost_full=DAY),
            [("no complete backup: the full one of 2026-11-23 12:00 UTC that others build on"
             " is gone"), "2 orphaned backup sets"],
        ),
        (
            Collection(lost_full=DAY),
            ["no complete backup: the full one of 2026-11-23 12:00 UTC is gone"],
        ),
        (
            collection((one(),))._replace(lost_full=DAY),
            [("the full backup of 2026-11-23 12:00 UTC is gone, and what builds on it can't be"
             " restored")],
        ),
        (
            Collection(other_prefixes=("a" * 41, "b", "c", "d")),
            [("no complete backup; there are files of other jobs, with prefix"
             f" '{'a' * 40}', 'b', 'c'")],
        ),
        (
            collection((one(NOW + timedelta(minutes=1)),)), [],
        ),
        (
            collection((one(NOW + timedelta(minutes=1, seconds=1)),)),
            ["newest backup is dated 2026-11-24 12:01 UTC, in the future"],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(found: Collection, said: list[str]) -> None:
    assert texts(found) == said


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (unfinished(full(HOUR)), "the first was interrupted after 1 volume"),
        (
            unfinished(full(DAY) + full(HOUR, 2)),
            "backup of 2026-11-24 11:00 UTC was interrupted after 2 volumes",
        ),
        (
            inc(WEEK, DAY) + unfinished(full(HOUR)),
            "backup of 2026-11-24 11:00 UTC was interrupted after 1 volume",
        ),
        (
            full(DAY) + unfinished(inc(DAY, HOUR)),
            (
                "backup of 2026-11-24 11:00 UTC was interrupted after 1 volume,"
                " last complete one 1d ago"
            ),
        ),
    ],
)
def test_an_interrupted_backup_is_said(names: list[str], said: str) -> None:
    found = read_names(names)
    assert said in texts(found)
    maybe = said.replace("was interrupted", "is unfinished")
    first, comma, last = maybe.partition(", last")
    assert f"{first}, maybe still running{comma}{last}" in texts(found, sure=False)
    running = texts(found, Running(1, HOUR))
    assert not any("after" in text for text in running)


def test_while_the_first_backup_runs_there_is_none_yet() -> None:
    (finding,) = judge(Collection(), NOW, Running(1, HOUR))
    assert finding == (Kind.IN_PROGRESS, State.WARNING, "no complete backup yet", "", "")
    (finding,) = judge(Collection(), NOW, Running(1, None))
    assert finding.kind is Kind.NO_BACKUP


def test_details_are_said_line_by_line() -> None:
    first = one(WEEK, volumes=2)._replace(encrypted=True, manifest=Manifest(2, 7))
    second = one(TWO, WEEK)._replace(
        encrypted=False, manifest=Manifest(1, 6, Files(1, 2, 3)), missing=(range(2, 4),)
    )
    third = one(DAY)._replace(manifest=Manifest(1, 1), spoiled=(volume(1, 0),))
    last = one(HOUR, DAY)._replace(manifest=Manifest(1, 9))
    found = collection((first, second), (third, last))._replace(unfinished=one(NOW, HOUR, 3))
    short = [
        "Not seen: it is dark",
        (
            "Not seen: how many files are in the backup of 2026-11-24 11:00 UTC:"
            " its manifest is too large"
        ),
        "Chain of 2 sets, 2026-11-17 12:00 UTC to 2026-11-22 12:00 UTC",
        "Chain of 2 sets, 2026-11-23 12:00 UTC to 2026-11-24 11:00 UTC",
        "Unfinished set:",
        "  incremental, 2026-11-24 12:00 UTC, 3 volumes",
    ]
    rows = [
        "  full, 2026-11-17 12:00 UTC, 2 volumes, encrypted, 7 files",
        (
            "  incremental, 2026-11-22 12:00 UTC, 1 volume, not encrypted, 2 missing,"
            " files: 1 new, 2 changed, 3 deleted"
        ),
        "  full, 2026-11-23 12:00 UTC, 1 volume, 1 file, volume 1 of 1 is empty",
        "  incremental, 2026-11-24 11:00 UTC, 1 volume",
    ]
    assert list(details(found, "it is dark", 0)) == short[:1]
    assert list(details(found, "", 0)) == []
    assert list(details(found, "it is dark", 1)) == short
    assert list(details(found, "", 2)) == [
        short[1], short[2], *rows[:2], short[3], *rows[2:], *short[4:],
    ]  # fmt: skip
    for manifest in (None, Manifest(1), Manifest(1, 9, Files(9, 0, 0))):
        whole = collection((first, one(HOUR, WEEK)._replace(manifest=manifest)))
        assert not any("too large" in line for line in details(whole, "", 1))
    # Only the newest one is compared with others.
    older = one(DAY, WEEK)._replace(manifest=Manifest(1, 9))
    whole = collection((first, older, one(HOUR, DAY)._replace(manifest=Manifest(1))))
    assert not any("too large" in line for line in details(whole, "", 1))
    assert list(details(collection((third,)), "", 1)) == [
        "Chain of 1 set, 2026-11-23 12:00 UTC to 2026-11-23 12:00 UTC"
    ]


def test_the_newest_chain_is_told_by_its_sets_and_volumes() -> None:
    names = full(WEEK, 2) + inc(WEEK, TWO) + full(DAY, 3) + inc(DAY, HOUR, 2)
    found = read_names(names)
    assert [s.time for s in newest_sets(found, NOW)] == [DAY, HOUR]
    assert volumes_of_newest(found, NOW) == {DAY: 3, HOUR: 2}
    assert newest_sets(Collection(), NOW) == ()
    assert volumes_of_newest(Collection(), NOW) == {}
    ahead = NOW + timedelta(hours=1)
    later = read_names(full(DAY, 3) + inc(DAY, HOUR) + inc(HOUR, ahead))
    assert volumes_of_newest(later, NOW) == {DAY: 3, HOUR: 1}


def test_a_job_gets_the_times_of_its_collection() -> None:
    job = Job("bk", encrypted=True)
    assert with_collection(job, Collection(nowhere="/x"), NOW) == job._replace(directory="/x")
    found = read_names(full(WEEK) + full(DAY) + unfinished(inc(DAY, HOUR)))
    assert with_collection(job, found, NOW) == job._replace(
        encrypted=False, stamp=stamp(HOUR), kept=stamp(DAY)
    )
    found = read_names(full(DAY, suffix=".gpg"))
    assert with_collection(job._replace(encrypted=False), found, NOW) == job._replace(
        stamp=stamp(DAY), kept=stamp(DAY)
    )
    small = [one(time)._replace(statistics=Statistics(size, size << 20, 0))
             for time, size in ((WEEK, 900), (TWO, 1000), (DAY, 10))]  # fmt: skip
    shrunk = collection(*((backup_set,) for backup_set in small))
    assert with_collection(job, shrunk, NOW) == job._replace(
        stamp=stamp(DAY), kept=stamp(DAY), before=stamp(TWO)
    )


def test_all_measures_of_two_chains() -> None:
    old = (one(WEEK, volumes=2), one(TWO, WEEK, 3)._replace(missing=(range(4, 6),)))
    new = (
        one(DAY)._replace(manifest=Manifest(1, 50)),
        one(HOUR, DAY)._replace(
            manifest=Manifest(1, 6, Files(1, 2, 3)), statistics=Statistics(48, 5000, 9)
        ),
    )
    found = collection(old, new)._replace(orphaned=4, incomplete=5)
    values = {one.name: one.value for one in measure(found, NOW)}
    assert values.pop("files") == 48
    assert values == {
        "age": 3600, "full_age": 86400, "chain_length": 2, "fulls": 2, "history": 7 * 86400,
        "source_size": 5000, "deleted": 3, "chains": 2, "volumes": 7, "orphaned": 4,
        "incomplete": 5, "missing_volumes": 2, "shrunk": 4,
    }  # fmt: skip
    plain = collection((one(HOUR)._replace(statistics=Statistics(48, 5000, 9)),))
    assert {m.name: m.value for m in measure(plain, NOW)}["deleted"] == 9
    said = [m.text for m in measure(plain, NOW) if m.text]
    assert said == [
        "last backup 1h ago", "last full 1h ago", "chain of 1 set", "1 full backup kept",
        "the oldest backup is 1h old",
    ]  # fmt: skip


def test_notes_on_the_archive_directory() -> None:
    found = collection((one(),))
    known = Archive(manifests={"x": Manifest(1)})
    missing = "no manifest in the archive directory, is it the job's?"
    older = "sizes of 3 older files, for want of time"
    for listing, of, problem in (
        (Listing(Archive(), log=""), found, missing),
        (Listing(Archive(), log=""), Collection(), ""),
        (Listing(Archive()), found, ""),
        (Listing(known, log=""), found, ""),
        (Listing(Archive(problem="it"), log=""), found, "it"),
        (Listing(Archive(), log="", unsized=3), found, older),
        (Listing(Archive(problem="it"), log="", unsized=3), found, f"it; {older}"),
    ):
        assert archive_of(listing, of) == listing.archive._replace(problem=problem)


def test_a_log_without_a_word_of_the_destination_is_not_recognised() -> None:
    with pytest.raises(CannotSee) as raised:
        read(Listing(Archive(), log="Hello\n"), Prefixes())
    assert raised.value.kind is Kind.NOT_RECOGNISED
    assert raised.value.reason == "duplicity ended well, but said nothing about the destination"
    assert read(Listing(Archive(), log="", saved="", nowhere="/x"), Prefixes()) == Collection(
        nowhere="/x"
    )


# The archive directory


def test_what_is_wrong_with_manifests_is_said_of_the_newest(tmp_path: Path) -> None:
    names = [f"duplicity-full.{stamp(time)}.manifest" for time in (WEEK, TWO, DAY)]
    (tmp_path / names[0]).write_text("nothing\n")
    (tmp_path / names[1]).mkdir()
    (tmp_path / names[2]).write_text("\nVolume 1:\n")
    (tmp_path / f"duplicity-inc.{stamp(DAY)}.to.{stamp(HOUR)}.manifest.part").touch()
    seen = archive.look(str(tmp_path), 1)
    assert seen.problem == f"manifest {tmp_path}/{names[1]}: Is a directory"
    assert {name: found.volumes for name, found in seen.manifests.items()} == {
        names[0]: 0, names[2]: 1, f"duplicity-inc.{stamp(DAY)}.to.{stamp(HOUR)}.manifest.part": 0,
    }  # fmt: skip
    assert (seen.settled, seen.fresh) == (frozenset(), frozenset([names[0], names[2]]))
    (tmp_path / names[1]).rmdir()
    (tmp_path / names[1]).symlink_to(names[2])
    assert archive.look(str(tmp_path)).problem == f"manifest {tmp_path}/{names[1]}: is a link"
    (tmp_path / names[1]).unlink()
    later = archive.look(str(tmp_path), 4e9)
    assert later.problem == f"manifest {tmp_path}/{names[0]}: lists no volume"
    assert (later.settled, later.fresh) == (frozenset([names[0], names[2]]), frozenset())
    assert archive.look(str(tmp_path)).settled == frozenset()
    gone = archive.look(f"{tmp_path}/gone")
    assert gone == Archive(problem=f"archive directory {tmp_path}/gone: No such file or directory")


@pytest.mark.parametrize(
    ("written", "ended"),
    [
        (timedelta(hours=-1), WEEK),
        (timedelta(0), WEEK),
        (timedelta(hours=3), WEEK + timedelta(hours=3)),
        (timedelta(days=1), WEEK + timedelta(days=1)),
        (timedelta(days=2), WEEK + timedelta(days=1)),
    ],
)
def test_a_backup_was_completed_when_its_manifest_was_written(
    written: timedelta, ended: datetime, tmp_path: Path
) -> None:
    for name, age in ((f"duplicity-full.{stamp(WEEK)}.manifest", written),
                      (f"duplicity-full.{stamp(WEEK)}.manifest.part", timedelta(hours=20)),
                      (f"duplicity-full.{stamp(TWO)}.manifest", timedelta(hours=20))):  # fmt: skip
        (tmp_path / name).touch()
        os.utime(tmp_path / name, ((WEEK + age).timestamp(),) * 2)
    found = read_names(full(WEEK))
    assert archive.completed(found, str(tmp_path), NOW) == ended
    assert archive.completed(found, f"{tmp_path}/none", NOW) == WEEK
    assert archive.completed(Collection(), str(tmp_path), NOW) is None
    assert archive.completed(found, str(tmp_path), WEEK - timedelta(seconds=1)) is None
    assert archive.completed(found, str(tmp_path), WEEK) == WEEK


# A file with a listing


def test_a_source_is_a_file_or_an_archive_directory(tmp_path: Path) -> None:
    def look(source: Source) -> Seen:
        return see.look(source, lambda: (None, True), Secrets({}))

    with pytest.raises(CannotSee, match=r"^.*/none: No such file or directory") as raised:
        look(Source(from_file=f"{tmp_path}/none"))
    assert raised.value.kind is Kind.NOT_READABLE
    with pytest.raises(CannotSee, match=r"^archive directory .*: No such file") as raised:
        look(Source("file:///x", str(tmp_path), "web", from_archive=True))
    assert raised.value.kind is Kind.NOT_READABLE
    (tmp_path / "web").mkdir()
    assert look(Source("file:///x", str(tmp_path), "web", True)).collection == Collection()
    nowhere = look(Source(f"file://{tmp_path}/gone", str(tmp_path), "web"))
    assert nowhere.collection == Collection(nowhere=f"{tmp_path}/gone")
    saved = tmp_path / "saved"
    saved.write_text("\n".join(full(DAY)))
    assert [s.time for s in look(Source(from_file=str(saved))).collection.sets] == [DAY]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///n%C3%B6", "/nö"), ("file:///no?x=1", "/no"), ("file:///no#x", "/no"),
        ("file:no", "no"), ("par2+FILE:///no", "/no"), ("file:////no", "//no"),
    ],
)  # fmt: skip
def test_the_directory_of_a_url(url: str, path: str) -> None:
    assert local.nowhere(url) == path


def test_a_file_is_no_directory_and_has_no_sizes(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (f"{tmp_path}/file", f"{tmp_path}/file/below"):
        assert local.nowhere(f"file://{path}") == path
        assert local.sizes(f"file://{path}") == ({}, 0)
    with pytest.raises(CannotSee, match="embedded null") as raised:
        local.nowhere("file:///a%00b")
    assert raised.value.kind is Kind.NOT_READABLE
    assert local.sizes("file:///a%00b") == ({}, 0)


def test_a_loop_of_links_is_said(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(CannotSee) as raised:
        local.nowhere(f"file://{tmp_path}/loop")
    assert raised.value.kind is Kind.NOT_READABLE
    said = f"destination {tmp_path}/loop: Too many levels of symbolic links"
    assert raised.value.reason == said


@pytest.mark.parametrize(("size", "good"), [(1000, True), (1001, False)])
def test_a_listing_has_a_largest_size(
    size: int, good: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(see, "_LARGEST", 1000)
    listing = "".join(f"{name}\n" for name in full(DAY)).encode()
    path = tmp_path / "saved"
    path.write_bytes(listing + b"x" * (size - len(listing)))
    source = Source(from_file=str(path))
    if good:
        assert len(see.look(source, lambda: (None, True), Secrets({})).collection.sets) == 1
        return
    with pytest.raises(CannotSee) as raised:
        see.look(source, lambda: (None, True), Secrets({}))
    assert raised.value.kind is Kind.NOT_READABLE
    assert raised.value.reason == f"{path}: is larger than 0 MiB"


def test_lost_volumes_of_the_newest_chain_count_as_its_volumes() -> None:
    lost = [name for name in inc(DAY, HOUR, 4) if "vol2" not in name]
    assert volumes_of_newest(read_names(full(DAY, 3) + lost), NOW) == {DAY: 3}
    assert texts(read_names(full(DAY, 3) + lost)) == [
        "backup of 2026-11-24 11:00 UTC lacks volume 2 of 4"
    ]
