"""The judgement of a collection, at the boundaries of each rule."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from check_duplicity.destination.judge import evaluated as judge_all
from check_duplicity.destination.judge import judge, measure, with_collection
from check_duplicity.destination.model import Listing, Seen
from check_duplicity.destination.read import read
from check_duplicity.duplicity.collection import Collection
from check_duplicity.duplicity.invocation import Running
from check_duplicity.duplicity.manifest import Manifest
from check_duplicity.duplicity.names import Archive, Prefixes, read_archive, read_names
from check_duplicity.duplicity.sizes import find_spoiled, group
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.evaluation import Evaluation, evaluate
from check_duplicity.nagios.findings import CannotSee, Kind, State
from check_duplicity.nagios.limits import age_limit, count_limit
from check_duplicity.nagios.measures import Limits
from hypothesis import assume, given
from hypothesis import strategies as st
from samples import NOW, ago, full, inc, stamp, unfinished

WEEK, DAY, HOUR = ago(days=7), ago(days=1), ago(hours=1)
AGE_LIMITS = {"age": Limits(age_limit("32h"), age_limit("56h"))}


def evaluated(
    collection: Collection, now: datetime = NOW, require_encryption: bool = False
) -> Evaluation:
    found = judge(collection, now, require_encryption=require_encryption)
    return evaluate(measure(collection, now), found, AGE_LIMITS)


def kinds(collection: Collection, now: datetime = NOW) -> list[Kind]:
    return [finding.kind for finding in evaluated(collection, now).findings]


def numbers(collection: Collection, now: datetime = NOW) -> dict[str, int]:
    return {found.name: found.value for found in measure(collection, now)}


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (timedelta(hours=32), State.OK),
        (timedelta(hours=32, seconds=1), State.WARNING),
        (timedelta(hours=56), State.WARNING),
        (timedelta(hours=56, seconds=1), State.CRITICAL),
    ],
)
def test_the_limit_itself_is_still_good(age: timedelta, state: State) -> None:
    assert evaluated(read_names(full(NOW - age))).state == state


def test_the_first_line_says_how_old_and_against_which_limit() -> None:
    assert evaluated(read_names(full(ago(days=3, hours=4)))).summary == (
        "last backup 3d 4h ago (limit 56h)"
    )
    assert evaluated(read_names(full(WEEK) + inc(WEEK, HOUR))).summary == (
        "last backup 1h ago, last full 7d ago, chain of 2 sets"
    )


def test_performance_data_carry_the_limits_in_base_units() -> None:
    performance = evaluated(read_names(full(HOUR, 3))).performance.split()
    assert performance == [
        "age=3600s;115200;201600;0", "chain_length=1;;;0", "chains=1;;;0", "full_age=3600s;;;0",
        "fulls=1;;;0", "history=3600s;;;0", "incomplete=0;;;0", "missing_volumes=0;;;0",
        "orphaned=0;;;0", "volumes=3;;;0",
    ]  # fmt: skip


def test_limits_that_are_ranges_stay_ranges_in_performance_data() -> None:
    limits = {"chain_length": Limits(count_limit("2:30"), count_limit("@5"))}
    performance = evaluate(measure(read_names(full(HOUR)), NOW), [], limits).performance
    assert "chain_length=1;2:30;@0:5;0" in performance


def test_no_backup_is_critical() -> None:
    assert kinds(Collection()) == [Kind.NO_BACKUP]
    assert evaluated(Collection()).state == State.CRITICAL
    assert "age" not in numbers(Collection())


def test_a_full_backup_that_is_gone_was_there() -> None:
    """As the archive directory, or what builds on it, tells."""

    def seen(names: Sequence[str], archived: Sequence[str]) -> Evaluation:
        found = [name for name in archived if name.endswith(".manifest")]
        manifests = {name: Manifest(1) for name in found}
        archive = Archive(tuple(archived), manifests, {}, frozenset(found))
        log = f". Extracting backup chains from list of files: {list(names)!r}\n"
        return evaluated(read(Listing(archive, log=log), Prefixes()))

    chain = full(DAY) + inc(DAY, HOUR)
    gone = seen(inc(DAY, HOUR), chain)
    assert [finding.kind for finding in gone.findings] == [Kind.FULL_GONE, Kind.ORPHANED]
    text = "no complete backup: the full one of 2026-11-23 12:00 UTC that others build on is gone"
    assert gone.summary.startswith(text)
    assert kinds(read_names(inc(DAY, HOUR))) == [Kind.FULL_GONE, Kind.ORPHANED]
    # All of it, or the newest of two.
    assert [finding.kind for finding in seen([], chain).findings] == [Kind.FULL_GONE]
    older = seen(full(WEEK) + inc(DAY, HOUR), full(WEEK) + chain)
    assert Kind.FULL_GONE in [finding.kind for finding in older.findings]
    # What is there, has never been complete, or is older, is not gone.
    for names, archived in (
        (chain, chain), (full(DAY), chain), ([], []), (unfinished(full(HOUR)), full(DAY)[:1]),
        (full(HOUR) + inc(WEEK, DAY), full(HOUR) + full(WEEK)),
    ):  # fmt: skip
        assert Kind.FULL_GONE not in [found.kind for found in seen(names, archived).findings]


def test_an_unfinished_backup_is_no_backup() -> None:
    assert kinds(read_names(unfinished(full(HOUR)))) == [Kind.NO_BACKUP, Kind.INTERRUPTED]


def test_an_older_complete_backup_still_counts() -> None:
    collection = read_names(full(DAY) + unfinished(full(HOUR, 11)))
    assert kinds(collection) == [Kind.INTERRUPTED]
    assert evaluated(collection).state == State.WARNING
    assert evaluated(collection).summary == (
        "backup of 2026-11-24 11:00 UTC was interrupted after 11 volumes, last complete one 1d ago"
    )
    assert numbers(collection)["age"] == 86400


def test_an_incomplete_set_older_than_the_newest_is_left_over() -> None:
    assert kinds(read_names(unfinished(full(DAY)) + full(HOUR))) == [Kind.INCOMPLETE]


def test_a_first_backup_that_was_interrupted_is_said_so() -> None:
    collection = read_names(unfinished(full(HOUR, 10)))
    assert evaluated(collection).summary == (
        "no complete backup; the first was interrupted after 10 volumes"
    )


def test_a_lost_volume_is_critical_and_what_is_before_it_still_counts() -> None:
    two = ago(days=2)
    names = full(WEEK) + inc(WEEK, two) + inc(two, DAY, 5) + inc(DAY, HOUR)
    collection = read_names(n for n in names if "vol2" not in n)
    assert kinds(collection) == [Kind.MISSING_VOLUMES, Kind.STALE]
    assert evaluated(collection).state == State.CRITICAL
    assert evaluated(collection).summary == (
        "backup of 2026-11-23 12:00 UTC lacks volume 2 of 5; last backup 2d ago (limit 32h)"
    )
    assert numbers(collection)["age"] == 2 * 86400
    assert numbers(collection)["missing_volumes"] == 1


def test_damage_before_a_whole_newer_chain_is_told_apart() -> None:
    names = [n for n in full(WEEK, 3) if "vol2" not in n] + full(DAY)
    assert kinds(read_names(names)) == [Kind.OLD_DAMAGE]
    assert with_collection(Job("root"), read_names(names), NOW).kept == "20261123T120000Z"


def test_a_set_that_another_builds_on_was_complete_and_has_lost_its_manifest() -> None:
    """Without the archive directory, too: it was no interrupted run, and none continues it."""
    two = ago(days=2)
    names = full(WEEK) + [n for n in inc(WEEK, two) if "manifest" not in n] + inc(two, DAY)
    assert kinds(read_names(names)) == [Kind.MISSING_MANIFEST, Kind.STALE, Kind.ORPHANED]


def test_a_full_backup_that_is_gone_is_told_beside_a_damaged_chain() -> None:
    names = [n for n in full(WEEK, 3) if "vol2" not in n] + inc(DAY, HOUR)
    collection = read_names(names)._replace(lost_full=DAY)
    assert {Kind.FULL_GONE, Kind.MISSING_VOLUMES} <= set(kinds(collection))


def test_the_files_to_move_are_those_of_the_backup_in_the_future() -> None:
    ahead = NOW + timedelta(days=30)
    names = full(DAY) + [n for n in inc(DAY, ahead) if "manifest" not in n]
    collection = read_names(names)
    assert Kind.FUTURE in kinds(collection)
    assert with_collection(Job("root"), collection, NOW).stamp == f"{ahead:%Y%m%dT%H%M%SZ}"


def test_a_set_without_its_signatures_is_ignored_and_not_continued() -> None:
    names = full(WEEK) + inc(WEEK, DAY) + [n for n in inc(DAY, HOUR) if "sigtar" not in n]
    assert kinds(read_names(names)) == [Kind.DISCARDED]
    assert "has no signature file: duplicity ignores it" in evaluated(read_names(names)).summary


def spoiled(names: list[str], sizes: dict[str, int]) -> Collection:
    """Return a collection of 25 MiB volumes, with other sizes for names that have a given text."""

    def size(name: str) -> int:
        return next((size for text, size in sizes.items() if text in name), 25 << 20)

    found = find_spoiled(group((name, size(name)) for name in names))
    return read_names(names, spoiled=found)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"vol2.": 0}, "volume 2 of 5 is empty"),
        ({"vol5.": 0, "vol2.": 0}, "volumes 2, 5 of 5 are empty"),
        ({f"vol{number}.": 0 for number in range(1, 4)}, "volumes 1, 2, 3 of 5 are empty"),
        ({f"vol{number}.": 0 for number in range(1, 5)}, "volumes 1, 2, 3, … of 5 are empty"),
        ({"vol2.": 5 << 18}, "volume 2 of 5 is cut short (1.2 MiB, others 25.0 MiB)"),
        ({"vol2.": 12}, "volume 2 of 5 is cut short (12 bytes, others 25.0 MiB)"),
        ({"vol2.": 5000, "vol4": 9}, "volumes 2, 4 of 5 are cut short"),
        (
            {"vol1.": 0, "vol4": 9000},
            "volume 1 of 5 is empty, volume 4 of 5 is cut short (8.8 KiB, others 25.0 MiB)",
        ),
        ({"manifest": 0}, "its manifest is empty"),
        ({"manifest": 3, "vol2": 0}, "volume 2 of 5 is empty, its manifest is cut short"),
        ({"sigtar": 0}, "its signature file is empty"),
    ],
)  # fmt: skip
def test_what_is_empty_or_cut_short_is_critical_and_named(sizes: dict[str, int], said: str) -> None:
    collection = spoiled(full(DAY, 5), sizes)
    assert kinds(collection) == [Kind.SPOILED]
    assert evaluated(collection).state == State.CRITICAL
    assert evaluated(collection).summary == f"backup of 2026-11-23 12:00 UTC: {said}"
    assert "age" not in numbers(collection)


def test_the_newest_spoiled_set_is_named_and_what_is_before_the_first_counts() -> None:
    two = ago(days=2)
    names = full(WEEK, 2) + inc(WEEK, two, 2) + inc(two, DAY, 2) + inc(DAY, HOUR, 2)
    collection = spoiled(names, {f"to.{stamp(DAY)}.vol1": 0, f"to.{stamp(two)}.manifest": 0})
    assert kinds(collection) == [Kind.SPOILED, Kind.STALE]
    assert numbers(collection)["age"] == 7 * 86400
    assert evaluated(collection).summary.startswith(
        "backup of 2026-11-23 12:00 UTC: volume 1 of 2 is empty, and 1 more"
    )


def test_spoiled_files_before_a_whole_newer_chain_are_old_damage() -> None:
    collection = spoiled(full(WEEK, 3) + full(DAY), {f"{stamp(WEEK)}.vol2": 0})
    assert kinds(collection) == [Kind.OLD_DAMAGE]
    assert evaluated(collection).state == State.CRITICAL


def test_what_may_be_cut_short_is_a_warning_and_counts() -> None:
    collection = spoiled(full(DAY, 5), {"vol1.": 5 << 20})
    assert kinds(collection) == [Kind.SPOILED]
    assert evaluated(collection).state == State.WARNING
    assert evaluated(collection).summary == (
        "backup of 2026-11-23 12:00 UTC: volume 1 of 5 is small (5.0 MiB, others 25.0 MiB)"
    )
    assert numbers(collection)["age"] == 86400
    older = spoiled(full(WEEK, 3) + full(DAY, 5), {f"{stamp(DAY)}.vol1": 5 << 20, "vol2": 0})
    assert evaluated(older).state == State.CRITICAL


def test_lost_manifests_matter_until_there_is_a_newer_backup() -> None:
    names = [n for n in full(DAY) if "manifest" not in n]
    manifest = f"duplicity-full.{stamp(DAY)}.manifest"
    archive = Archive((manifest,), {manifest: Manifest(1)}, settled=frozenset([manifest]))
    older = read_names(names + full(WEEK) + unfinished(full(HOUR)), archive=archive)
    assert Kind.MISSING_MANIFEST in kinds(older)
    newer = read_names(names + full(HOUR), archive=archive)
    assert kinds(newer) == [Kind.INCOMPLETE]


def test_orphaned_sets_are_a_warning() -> None:
    collection = read_names(full(HOUR) + inc(WEEK, DAY))
    assert kinds(collection) == [Kind.ORPHANED]
    assert evaluated(collection).state == State.WARNING


@pytest.mark.parametrize(("ahead", "found"), [(0, []), (60, []), (61, [Kind.FUTURE])])
def test_a_backup_from_the_future_is_a_warning(ahead: int, found: list[Kind]) -> None:
    collection = read_names(full(NOW + timedelta(seconds=ahead)))
    assert kinds(collection) == found


@pytest.mark.parametrize(("ahead", "age"), [(60, 0), (61, 7 * 86400)])
def test_a_clock_may_be_a_minute_ahead(ahead: int, age: int) -> None:
    """A set of the next minute is the newest one; of a later one nobody knows when it was made."""
    collection = read_names(full(WEEK) + full(NOW + timedelta(seconds=ahead)))
    assert numbers(collection)["age"] == age


@pytest.mark.parametrize(
    ("since", "state", "kind"),
    [(timedelta(hours=24), State.WARNING, Kind.IN_PROGRESS),
     (timedelta(hours=24, seconds=1), State.CRITICAL, Kind.STALE)],
)  # fmt: skip
def test_a_backup_that_runs_for_24_hours_is_still_in_time(
    since: timedelta, state: State, kind: Kind
) -> None:
    """The limits are a namespace's, as the command line gives them."""
    names = [f"{kind}_{state}" for kind in ("full", "chain", "fulls", "history", "shrunk")
             for state in ("warning", "critical")]  # fmt: skip
    options = Namespace(**dict.fromkeys(names), require_encryption=False,
                        warning=age_limit("32h"), critical=age_limit("56h"))  # fmt: skip
    running = Running(812, NOW - since)
    for collection, found in (
        (read_names(full(WEEK)), kind),
        (Collection(), Kind.NO_BACKUP if kind is Kind.STALE else kind),
    ):
        seen = Seen(collection, Archive(), running, sure=True)
        judged = judge_all(seen, options, NOW)
        assert (judged.state, judged.findings[0].kind) == (state, found)


@pytest.mark.parametrize(
    ("vouched", "age"),
    [
        (NOW, 0),
        (NOW + timedelta(seconds=1), 86400),
        (DAY, 86400),
        (DAY + timedelta(seconds=1), 86399),
    ],
)
def test_a_run_vouches_from_the_backup_until_now(vouched: datetime, age: int) -> None:
    found = {one.name: one for one in measure(read_names(full(DAY)), NOW, vouched=vouched)}
    assert found["age"].value == age
    assert ("nothing changed since" in found["age"].text) == (age != 86400)


def test_a_backup_from_the_future_does_not_vouch_for_today() -> None:
    collection = read_names(full(WEEK) + full(NOW + timedelta(days=3650)))
    assert kinds(collection) == [Kind.STALE, Kind.FUTURE]
    assert numbers(collection)["age"] == 7 * 86400


def test_encryption_is_judged_by_the_newest() -> None:
    mixed = read_names(full(DAY) + full(HOUR, suffix=".gpg"))
    assert evaluated(mixed, require_encryption=True).findings == ()
    plain = read_names(full(DAY, suffix=".gpg") + full(HOUR))
    assert [f.kind for f in evaluated(plain, require_encryption=True).findings] == [
        Kind.NOT_ENCRYPTED
    ]


def test_encryption_that_cannot_be_seen_is_not_judged() -> None:
    collection = read_archive(Archive(tuple(n for n in full(HOUR) if "difftar" not in n)))
    with pytest.raises(CannotSee, match="only at the destination"):
        evaluated(collection, require_encryption=True)


def test_names_of_another_job_are_pointed_out() -> None:
    found = evaluated(read_names("web-" + name for name in full(HOUR)))
    assert found.summary == "no complete backup; there are files of other jobs, with prefix 'web-'"


def test_of_other_jobs_three_prefixes_are_named() -> None:
    found = evaluated(read_names(f"{job}-{name}" for name in full(HOUR) for job in "abcd"))
    assert found.summary.endswith("files of other jobs, with prefix 'a-', 'b-', 'c-'")


def test_a_chain_is_as_long_as_what_can_be_restored_of_it() -> None:
    collection = read_names(full(WEEK) + inc(WEEK, DAY) + inc(DAY, HOUR))
    assert numbers(collection)["chain_length"] == 3


INSTANTS = st.integers(0, 60 * 24).map(lambda minutes: ago(minutes=minutes))


@st.composite
def collections(draw: st.DrawFn) -> Collection:
    names: list[str] = []
    times = sorted(draw(st.lists(INSTANTS, min_size=1, max_size=8, unique=True)))
    for position, time in enumerate(times):
        start = draw(st.sampled_from([None, *times[:position]]))
        made = inc(start, time, 2) if start else full(time, 2)
        names += [n for n in made if draw(st.integers(0, 9))]
    return read_names(names)


@given(collections(), st.timedeltas(timedelta(0), timedelta(days=30)))
def test_waiting_never_improves(collection: Collection, wait: timedelta) -> None:
    assume(all(s.time <= NOW for s in collection.sets))
    assert evaluated(collection, NOW + wait).state >= evaluated(collection, NOW).state


@given(collections())
def test_what_is_ok_has_a_fresh_backup_and_nothing_wrong(collection: Collection) -> None:
    if evaluated(collection).state == State.OK:
        assert numbers(collection)["age"] <= 32 * 3600
        assert collection.orphaned == collection.incomplete == 0
        assert not any(s.missing for s in collection.sets)


@given(collections())
def test_every_finding_has_a_sentence_for_the_first_line(collection: Collection) -> None:
    for finding in evaluated(collection).findings:
        assert 0 < len(finding.text) <= 110
        assert "\n" not in finding.text


def test_a_set_with_a_missing_and_an_empty_volume_has_both_told() -> None:
    """Neither hides the other, nor what is wrong with another set."""
    names = [name for name in full(DAY, 5) if ".vol2." not in name] + full(HOUR, 3)
    collection = spoiled(names, {f"{stamp(DAY)}.vol4": 0, f"{stamp(HOUR)}.vol2": 0})
    texts = [finding.text for finding in judge(collection, NOW)]
    assert any("lacks volume 2 of 5" in text for text in texts)
    assert any("volume 2 of 3 is empty, and 1 more backup" in text for text in texts)


@pytest.mark.parametrize("made", [NOW, NOW + timedelta(seconds=1)])
def test_a_backup_of_just_now_is_no_second_old(made: datetime) -> None:
    found = numbers(read_names(full(made)))
    assert (found["age"], found["full_age"], found["history"]) == (0, 0, 0)
    before = numbers(read_names(full(NOW - timedelta(seconds=1))))
    assert (before["age"], before["full_age"], before["history"]) == (1, 1, 1)
