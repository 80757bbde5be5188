from __future__ import annotations

import random

import pytest
from check_duplicity.duplicity import names as reader
from check_duplicity.duplicity.collection import Collection
from check_duplicity.duplicity.manifest import Manifest
from check_duplicity.duplicity.names import Archive, Prefixes, read_archive, read_names
from hypothesis import given
from hypothesis import strategies as st
from samples import ago, full, inc, stamp, unfinished

WEEK, DAY, HOUR = ago(days=7), ago(days=1), ago(hours=1)


def test_a_full_set_and_its_incrementals_are_a_chain() -> None:
    [chain] = read_names(full(WEEK, 3) + inc(WEEK, DAY) + inc(DAY, HOUR, 2)).chains
    assert [(s.start, s.time, s.volumes, s.complete) for s in chain.sets] == [
        (None, WEEK, 3, True),
        (WEEK, DAY, 1, True),
        (DAY, HOUR, 2, True),
    ]


def test_a_set_without_manifest_is_incomplete() -> None:
    collection = read_names(full(WEEK) + unfinished(inc(WEEK, DAY, 4)))
    assert collection.incomplete == 1
    assert collection.unfinished is not None
    assert (collection.unfinished.time, collection.unfinished.volumes) == (DAY, 4)
    assert [s.time for s in collection.sets] == [WEEK]


def test_what_builds_on_an_incomplete_set_is_orphaned() -> None:
    collection = read_names(full(WEEK) + unfinished(inc(WEEK, DAY)) + inc(DAY, HOUR))
    assert (collection.incomplete, collection.orphaned) == (1, 1)
    assert [s.time for s in collection.sets] == [WEEK]


def test_of_two_that_build_on_the_same_set_the_later_counts() -> None:
    # duplicity: "Preferring Backupset over previous one!"
    collection = read_names(full(WEEK) + inc(WEEK, DAY) + inc(WEEK, HOUR))
    assert [s.time for s in collection.sets] == [WEEK, HOUR]
    assert collection.orphaned == 0


def test_what_builds_on_a_set_that_was_passed_over_is_orphaned() -> None:
    two = ago(days=2)
    collection = read_names(full(WEEK) + inc(WEEK, two) + inc(WEEK, DAY) + inc(two, HOUR))
    assert [s.time for s in collection.sets] == [WEEK, DAY]
    assert collection.orphaned == 1


def test_the_last_set_whose_signatures_are_lost_is_discarded_as_duplicity_does() -> None:
    names = full(WEEK) + inc(WEEK, DAY) + inc(DAY, HOUR)
    [lost] = [n for n in names if "new-signatures" in n and stamp(HOUR) in n]
    collection = read_names(n for n in names if n != lost)
    assert [s.time for s in collection.sets] == [WEEK, DAY]
    assert collection.incomplete == 1


def test_a_listing_without_signatures_discards_nothing() -> None:
    names = full(WEEK) + inc(WEEK, DAY) + inc(DAY, HOUR)
    collection = read_names(n for n in names if "signatures" not in n)
    assert len(collection.sets) == 3


@pytest.mark.parametrize(
    ("seen", "missing"),
    [
        ([1, 2, 3], ()),
        ([1, 3], (range(2, 3),)),
        ([3, 7], (range(1, 3), range(4, 7))),
        ([], (range(1, 2),)),
    ],
)
def test_volumes_are_numbered_without_a_gap(seen: list[int], missing: tuple[range, ...]) -> None:
    manifest = f"duplicity-full.{stamp(DAY)}.manifest"
    volumes = [f"duplicity-full.{stamp(DAY)}.vol{n}.difftar.gz" for n in seen]
    [found] = read_names([manifest, *volumes]).sets
    assert found.missing == missing


def test_the_manifest_in_the_archive_directory_knows_of_a_lost_last_volume() -> None:
    names = [n for n in full(DAY, 5) if "vol5" not in n and "vol4" not in n]
    archive = Archive(manifests={f"duplicity-full.{stamp(DAY)}.manifest": Manifest(5)})
    assert read_names(names).sets[0].missing == ()
    [found] = read_names(names, archive=archive).sets
    assert found.missing == (range(4, 6),)
    assert found.missing_volumes == 2


def test_a_part_in_the_archive_directory_is_an_unfinished_set() -> None:
    archive = Archive(names=(f"duplicity-inc.{stamp(WEEK)}.to.{stamp(HOUR)}.manifest.part",))
    collection = read_names(full(WEEK), archive=archive)
    assert collection.unfinished is not None
    assert (collection.unfinished.time, collection.unfinished.volumes) == (HOUR, 0)


def test_a_manifest_at_the_destination_outweighs_a_part_in_the_archive_directory() -> None:
    # It is uploaded last: duplicity was killed between that and the renaming of the local one.
    archive = Archive(names=(f"duplicity-full.{stamp(DAY)}.manifest.part",))
    assert read_names(full(DAY), archive=archive) == read_names(full(DAY))


def test_a_manifest_that_is_only_in_the_archive_directory_was_lost() -> None:
    names = [name for name in full(DAY) if "manifest" not in name]
    manifest = f"duplicity-full.{stamp(DAY)}.manifest"
    for settled in (True, False):
        # It may have got there after the destination was looked at.
        archive = Archive((manifest,), settled=frozenset([manifest] if settled else []))
        unfinished = read_names(names, archive=archive).unfinished
        assert unfinished is not None
        assert unfinished.manifest_lost is settled


def test_a_run_that_has_just_ended_is_complete() -> None:
    names = [name for name in full(DAY, 3) if ".vol1." in name]
    manifest = f"duplicity-full.{stamp(DAY)}.manifest"
    archive = Archive((manifest,), {manifest: Manifest(3)}, fresh=frozenset([manifest]))
    [found] = read_names(names, archive=archive).sets
    assert (found.complete, found.missing) == (True, ())


def test_a_local_manifest_that_lists_no_volume_is_none() -> None:
    manifest = f"duplicity-full.{stamp(DAY)}.manifest"
    assert read_archive(Archive((manifest,), {manifest: Manifest(0)})).incomplete == 1


def test_an_archive_directory_alone_has_manifests_but_no_volumes() -> None:
    part = f"duplicity-inc.{stamp(DAY)}.to.{stamp(HOUR)}.manifest.part"
    manifest = f"duplicity-full.{stamp(DAY)}.manifest"
    collection = read_archive(Archive((manifest, part), {manifest: Manifest(12)}))
    [found] = collection.sets
    assert (found.volumes, found.missing, found.encrypted) == (12, (), None)
    assert collection.incomplete == 1


@pytest.mark.parametrize(
    ("suffix", "encrypted"), [(".gz", False), ("", False), (".gpg", True), (".p7m", True)]
)
def test_encryption_shows_in_the_names(suffix: str, encrypted: bool) -> None:
    [found] = read_names(full(DAY, suffix=suffix)).sets
    assert found.encrypted is encrypted


def test_one_readable_volume_makes_a_set_not_encrypted() -> None:
    names = [n.replace("vol2.difftar.gpg", "vol2.difftar.gz") for n in full(DAY, 3, ".gpg")]
    [found] = read_names(names).sets
    assert found.encrypted is False


def test_short_names_are_those_that_duplicity_0_8_23_writes() -> None:
    # $ duplicity full --short-filenames ...; duplicity incremental --short-filenames ...
    names = ["df.tp0z02.1.dt.z", "df.tp0z02.m", "dfs.tp0z02.st.z", "di.tp0z02.tp0z03.1.dt.z",
             "di.tp0z02.tp0z03.m", "dns.tp0z02.tp0z03.st.z"]  # fmt: skip
    [chain] = read_names(names).chains
    assert [s.time.isoformat() for s in chain.sets] == [
        "2026-11-24T21:14:26+00:00",
        "2026-11-24T21:14:27+00:00",
    ]
    assert not any(s.missing for s in chain.sets)


def test_volumes_of_short_names_are_numbered_in_base_36() -> None:
    names = [f"df.tp0z02.{n}.dt.g" for n in "123456789abc"] + ["df.tp0z02.m.g"]
    [found] = read_names(names).sets
    assert (found.volumes, found.missing, found.encrypted) == (12, (), True)


@pytest.mark.parametrize(
    "options",
    [
        ["--file-prefix", "web-"],
        ["--file-prefix=web-"],
        ["--file-prefix=old-", "--file-prefix", "web-"],
        ["--ssh-options", "-p 22", "--file-prefix=web-", "--s3-region-name=x"],
    ],
)
def test_only_names_with_the_jobs_prefix_are_its(options: list[str]) -> None:
    names = ["web-" + n for n in full(DAY)] + ["mail-" + n for n in full(HOUR)] + full(HOUR)
    collection = read_names(names, Prefixes.of_options(options))
    assert [s.time for s in collection.sets] == [DAY]
    assert collection.other_prefixes == ("", "mail-")


def test_each_kind_of_file_can_have_a_prefix_of_its_own() -> None:
    prefixes = Prefixes.of_options(
        ["--file-prefix", "a-", "--file-prefix-manifest=m-", "--file-prefix-archive=v-",
         "--file-prefix-signature=s-"]
    )  # fmt: skip
    assert prefixes == Prefixes("a-v-", "a-m-", "a-s-", "a-")
    kinds = {"difftar": "a-v-", "manifest": "a-m-", "sigtar": "a-s-"}
    names = [next(p for k, p in kinds.items() if k in n) + n for n in full(DAY, 2)]
    [found] = read_names(names, prefixes).sets
    assert (found.volumes, found.missing, found.signed) == (2, (), True)


@pytest.mark.parametrize(
    "name",
    [
        "duplicity-full.20261123T003608Z.jsonstat.gz",
        ".duplicity-full.20261123T003608Z.vol1.difftar.gz.Xy12Ab",
        "duplicity-full.20261323T003608Z.vol1.difftar.gz",
        "duplicity-full.20261123T003608Z.vol0.difftar.gz",
        "duplicity-full.20261122T003608Z.to.20261123T003608Z.vol1.difftar.gz",
        "duplicity-inc.20261123T003608Z.vol1.difftar.gz",
        "duplicity-full-signatures.20261123T003608Z.manifest",
        "duplicity-full.٢٠٢٦١١٢٣T٠٠٣٦٠٨Z.vol1.difftar.gz",
        "duplicity.conf",
        "di.tp0z02.1.dt.z",
        "index.html",
        "",
    ],
)
def test_what_is_no_backup_file_is_passed_over(name: str) -> None:
    assert read_names([name]) in (Collection(), Collection(other_prefixes=(".",)))
    assert read_names([*full(DAY), name]).sets == read_names(full(DAY)).sets


@pytest.mark.parametrize("copy", [".bak", ".gz", ".partial", ".par2", ".duplicity-bak"])
def test_a_file_that_is_there_twice_is_counted_as_duplicity_counts_it(copy: str) -> None:
    # "Volume 1 is already in the volume list": 0.8.23 to 3.2.1 stop with 30.
    names = full(DAY, 2, suffix="")
    [volume] = [name for name in names if ".vol1." in name]
    [found] = read_names([*names, volume, volume + copy]).sets
    assert (found.volumes, found.doubled) == (2, 1)
    [found] = read_names(full(DAY, 2)).sets
    assert found.doubled == 0


@pytest.mark.parametrize("behind", [".locked", ".part", ".bak"])
def test_a_volume_that_duplicity_cannot_read_is_lost(behind: str) -> None:
    # By what its name ends with duplicity knows that it is encrypted or compressed. 0.8.23 to 3.2.1
    # end with 0, or 20 if no volume can be read, and have restored nothing of it.
    names = [n + behind if ".vol2." in n else n for n in full(DAY, 3)]
    [found] = read_names(names).sets
    assert (found.volumes, found.missing, found.doubled) == (2, (range(2, 3),), 0)
    names = [n + behind if ".vol" in n else n for n in full(DAY, 3)]
    [found] = read_names(names).sets
    assert (found.volumes, found.missing) == (0, (range(1, 4),))


def test_an_encrypted_manifest_that_duplicity_cannot_read_is_none() -> None:
    names = full(DAY, 2, suffix=".gpg")
    [manifest] = [name for name in names if "manifest" in name]
    assert not read_names([n for n in names if n != manifest] + [manifest + ".locked"]).sets
    for order in (1, -1):
        both = [*names, manifest + ".bak"][::order]
        assert [found.doubled for found in read_names(both).sets] == [1]
    # One that isn't encrypted is read whatever stands behind.
    names = [n + ".old" if "manifest" in n else n for n in full(DAY, 2)]
    assert len(read_names(names).sets) == 1


def test_lower_case_stamps_are_read_as_duplicity_reads_them() -> None:
    names = [n.replace("T", "t").replace("Z", "z") for n in full(DAY, 2)]
    assert read_names(names) == read_names(full(DAY, 2))


NAMES = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.from_regex(
            r"(x-)?duplicity-(full|inc|new-signatures)\.(2026112[0-3]T00000[0-3]Z\.to\.)?"
            r"2026112[0-3]T00000[0-3]Z\.(vol[0-9]{1,3}\.difftar|manifest|sigtar)(\.part)?(\.gz|\.gpg)?",
            fullmatch=True,
        ),
        st.from_regex(
            r"d[fins]{1,2}\.tp0z0[0-3](\.tp0z0[0-3])?\.(1\.dt|m|st)(\.z)?", fullmatch=True
        ),
    ),
    max_size=60,
)


@given(NAMES, st.integers(), st.sampled_from([Prefixes(), Prefixes("x-", "x-", "x-")]))
def test_the_order_of_names_does_not_matter(
    names: list[str], seed: int, prefixes: Prefixes
) -> None:
    shuffled = random.Random(seed).sample(names, len(names))
    assert read_names(shuffled, prefixes) == read_names(names, prefixes)


@given(NAMES)
def test_any_names_are_read_and_only_what_is_whole_is_restorable(names: list[str]) -> None:
    collection = read_names(names, archive=Archive(tuple(names)))
    for chain in collection.chains:
        assert chain.sets[0].full
        assert all(s.complete for s in chain.sets)
        assert all(
            later.start == earlier.time for earlier, later in zip(chain.sets, chain.sets[1:])
        )
        assert not any(s.missing for s in chain.restorable)


HEADS = st.builds(
    "{}duplicity-full.20261123T003608{}{}".format,
    st.sampled_from(["", "x", "duplicity-full.20261123T003608Z.vol1.difftar."]),
    st.sampled_from("Zz"),
    st.sampled_from(["", ".vol1.difftar", ".manifest"]),
)
TAILS = st.sampled_from(
    [
        "1.difftar",
        "1.difftar.gz",
        "2.difftar.gpg",
        "2.difftar.bak",
        "0.difftar",
        "1.difftar.par2",
        "",
    ]
)


@given(st.lists(st.builds("{}.vol{}".format, HEADS, TAILS)))
def test_what_is_read_by_parts_is_read_as_if_each_name_were_alone(texts: list[str]) -> None:
    alone: dict[object, dict[int, set[str]]] = {}
    for text in texts:
        for key, files in reader._sort([text], Prefixes()).files.items():
            of_set = alone.setdefault(key, {})
            for volume in files.volumes:
                of_set.setdefault(volume.number, set()).add(text)
    together = reader._sort(texts, Prefixes()).files
    assert {key: {v.number for v in files.volumes} for key, files in together.items()} == {
        key: set(of_set) for key, of_set in alone.items()
    }
    for key, files in together.items():
        twice = {number for number, spelled in alone[key].items() if len(spelled) > 1}
        assert files.doubled() == twice
