"""Two jobs in one archive directory, and two sets of the same second, in any order."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from chains import manifest
from check_duplicity.destination import archive
from check_duplicity.destination.judge import judge, measure
from check_duplicity.destination.model import Listing
from check_duplicity.destination.read import read
from check_duplicity.duplicity.collection import Collection
from check_duplicity.duplicity.names import Prefixes, read_archive, read_names
from check_duplicity.nagios.findings import Kind
from samples import NOW, ago, full, inc, stamp

WEEK, DAY, HALF, HOUR = ago(days=7), ago(days=1), ago(hours=12), ago(hours=1)


def numbers(collection: Collection, now: datetime = NOW) -> dict[str, int]:
    return {found.name: found.value for found in measure(collection, now)}


def kinds(collection: Collection) -> list[Kind]:
    return [finding.kind for finding in judge(collection, NOW)]


def in_any_order(names: Sequence[str]) -> Iterable[list[str]]:
    """Return names in their order, backwards, and shuffled."""
    yield from (list(names), list(names[::-1]))
    for seed in range(20):
        shuffled = list(names)
        random.Random(seed).shuffle(shuffled)
        yield shuffled


# Two jobs


def job_of(prefix: str) -> Prefixes:
    return Prefixes.of_options(["--file-prefix", prefix])


def prefixed(prefix: str, names: Iterable[str]) -> list[str]:
    return [prefix + name for name in names]


def test_two_jobs_at_one_destination_are_judged_apart() -> None:
    """One of them is old, and lost a volume; neither sees anything of the other."""
    web = prefixed("web-", full(WEEK, 3)[1:])
    db = prefixed("db-", full(DAY) + inc(DAY, HOUR))
    for names in in_any_order(web + db):
        found = read_names(names, job_of("web-"))
        assert (numbers(found)["volumes"], numbers(found)["missing_volumes"]) == (2, 1)
        assert kinds(found) == [Kind.MISSING_VOLUMES]
        found = read_names(names, job_of("db-"))
        assert (numbers(found)["age"], numbers(found)["chain_length"]) == (3600, 2)
        assert kinds(found) == []
        other = read_names(names, job_of("mail-"))
        assert kinds(other) == [Kind.NO_BACKUP]
        assert other.other_prefixes == ("db-", "web-")


def test_two_jobs_in_one_archive_directory_are_judged_apart(tmp_path: Path) -> None:
    """Sets of the same second, of which one job's manifest knows of more volumes and files."""
    volumes = {"web-": 3, "db-": 1}
    for prefix, count in volumes.items():
        ends = [(f"a{number}", f"b{number}") for number in range(count)]
        text = manifest("/srv", ends, {f"f{number}": "new" for number in range(30 * count)})
        (tmp_path / f"{prefix}duplicity-full.{stamp(DAY)}.manifest").write_bytes(text)
        (tmp_path / f"{prefix}duplicity-full-signatures.{stamp(DAY)}.sigtar.gz").touch()
    (tmp_path / f"db-duplicity-inc.{stamp(DAY)}.to.{stamp(HOUR)}.manifest.part").touch()
    seen = archive.look(str(tmp_path))
    for prefix, count in volumes.items():
        found = read_archive(seen, job_of(prefix))
        assert (numbers(found)["volumes"], numbers(found)["files"]) == (count, 30 * count)
        assert (found.unfinished is not None) == (prefix == "db-")
        # Of a destination where each has one volume, web's manifest says that two are lost.
        names = [*prefixed("web-", full(DAY)), *prefixed("db-", full(DAY))]
        log = f". Extracting backup chains from list of files: {names!r}\n"
        listed = read(Listing(seen, log=log), job_of(prefix))
        assert numbers(listed)["missing_volumes"] == count - 1
        assert (listed.unfinished is not None) == (prefix == "db-")


# The same second


def test_two_full_sets_of_the_same_second_are_one_that_is_doubled() -> None:
    """Encrypted and not: which of them is read is duplicity's guess."""
    for names in in_any_order(full(DAY) + full(DAY, suffix=".gpg")):
        found = read_names(names)
        assert (numbers(found)["chains"], numbers(found)["volumes"]) == (1, 1)
        assert kinds(found) == [Kind.DOUBLED]


def test_of_a_full_set_and_an_incremental_of_the_same_second_the_older_chain_goes_on() -> None:
    """As duplicity has it: it offers a set to one chain after the other (0.8 to 3.2)."""
    for names in in_any_order(full(WEEK) + inc(WEEK, DAY) + full(DAY, 2) + inc(DAY, HOUR)):
        found = read_names(names)
        times = [[backup_set.time for backup_set in chain.sets] for chain in found.chains]
        assert times == [[WEEK, DAY, HOUR], [DAY]]
        assert kinds(found) == []
        assert numbers(found)["chain_length"] == 3
    # What the older chain lost counts, and the other chain is no way around it.
    damaged = full(WEEK, 2)[1:] + inc(WEEK, DAY) + full(DAY, 2) + inc(DAY, HOUR)
    for names in in_any_order(damaged):
        found = read_names(names)
        assert numbers(found)["age"] == 86400
        assert Kind.MISSING_VOLUMES in kinds(found) or Kind.OLD_DAMAGE in kinds(found)


def test_of_two_incrementals_of_the_same_second_the_one_of_the_older_chain_goes_on() -> None:
    both = full(WEEK) + inc(WEEK, HOUR) + full(DAY) + inc(DAY, HOUR)
    for names in in_any_order(both + inc(HOUR, ago(minutes=1))):
        found = read_names(names)
        assert [len(chain.sets) for chain in found.chains] == [3, 2]
        assert kinds(found) == []


def test_a_chain_that_went_on_otherwise_leaves_the_set_to_the_other() -> None:
    """Both ended at that second, and then the older one's last set was replaced by a later one."""
    names = full(WEEK) + inc(WEEK, DAY) + full(DAY) + inc(WEEK, HALF) + inc(DAY, HOUR)
    for listed in in_any_order(names):
        found = read_names(listed)
        times = [[backup_set.time for backup_set in chain.sets] for chain in found.chains]
        assert times == [[WEEK, HALF], [DAY, HOUR]]
        assert found.orphaned == 0


def test_two_incrementals_on_one_set_are_one_that_counts_and_the_later_wins() -> None:
    for names in in_any_order(full(WEEK) + inc(WEEK, DAY, 2) + inc(WEEK, HOUR, 5)):
        found = read_names(names)
        (chain,) = found.chains
        assert [backup_set.time for backup_set in chain.sets] == [WEEK, HOUR]
        assert chain.sets[-1].volumes == 5


def test_two_incrementals_of_the_same_second_are_one_chain_and_an_orphan() -> None:
    """One builds on a set that is gone."""
    for names in in_any_order(full(WEEK) + inc(WEEK, HOUR) + inc(DAY, HOUR)):
        found = read_names(names)
        assert (numbers(found)["chain_length"], found.orphaned) == (2, 1)
        assert kinds(found) == [Kind.ORPHANED]
