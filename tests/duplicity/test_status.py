"""The three readers of duplicity's status, on captures of real output."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from check_duplicity.duplicity import status
from check_duplicity.duplicity.collection import Chain, Collection
from check_duplicity.duplicity.names import Archive, Prefixes, read_names
from check_duplicity.duplicity.status import (
    has_names,
    read_block,
    read_names_line,
    read_saved,
    read_text,
)
from check_duplicity.nagios.findings import CannotSee, Kind
from dateutil import tz
from hypothesis import given
from hypothesis import strategies as st
from samples import CAPTURES, full, inc, stamp

UTC = timezone.utc
PRIVATE = sorted(CAPTURES.glob("*/private-archive/*.log"))
TRANSLATED = sorted(CAPTURES.glob("*/*-[df][er].log"))
TEXTS = sorted(CAPTURES.glob("*/*.out"))


def name(path: Path) -> str:
    return str(path.relative_to(CAPTURES))


def known(collection: Collection) -> Collection:
    """Return what every reader can know of a collection: no volume numbers, no encryption."""
    chains = (
        Chain(tuple(s._replace(encrypted=None, missing=(), signed=True) for s in chain.sets))
        for chain in collection.chains
    )
    return collection._replace(chains=tuple(chains), unfinished=None, encrypted=None)


@pytest.mark.parametrize("path", PRIVATE, ids=name)
def test_block_and_names_agree(path: Path) -> None:
    log = path.read_text()
    names = list(read_names_line(log) or ())
    by_names = read_names(names)
    if by_names.incomplete and path.parts[-3] == "3.2.1":
        # This version lists the unfinished sets among the others.
        with pytest.raises(CannotSee, match="does not say which"):
            read_block(log)
    else:
        by_block = read_block(log)
        assert by_block is not None
        assert known(by_block) == known(by_names)
        encryption = [[s.encrypted for s in chain.sets] for chain in by_names.chains]
        assert [[s.encrypted for s in chain.sets] for chain in by_block.chains] == encryption


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_text_and_block_agree(path: Path) -> None:
    text = path.read_text()
    zone = tz.gettz("America/New_York") if "nyc" in path.name else UTC
    log = path.with_suffix(".log")
    if path.stem == "incomplete":
        with pytest.raises(CannotSee, match="does not say which"):
            read_text(text, zone)
        return
    by_text = read_text(text, zone)
    assert by_text is not None
    if log.exists():
        by_block = read_block(log.read_text())
        assert by_block is not None
        assert known(by_text) == known(by_block)


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_text_says_what_it_says(path: Path) -> None:
    """Counted by hand in the captures."""
    expected = {
        "none": (0, 0, 0), "none-de": (0, 0, 0), "none-fr": (0, 0, 0), "full": (1, 1, 0),
        "chain": (1, 3, 0), "chain-de": (1, 2, 0), "chain-fr": (1, 2, 0), "two-chains": (2, 5, 0),
        "two-chains-nyc": (2, 5, 0), "orphaned": (1, 2, 2), "orphaned-all": (0, 0, 3),
        "orphaned-de": (0, 0, 1), "sigs-only": (0, 0, 0), "interrupted": (1, 1, 0),
        "missing-volume": (2, 2, 0), "enc-withcache": (1, 1, 0),
    }  # fmt: skip
    if path.stem == "incomplete":
        return
    found = read_text(path.read_text(), UTC)
    assert found is not None
    assert (len(found.chains), len(found.sets), found.orphaned) == expected[path.stem]


@pytest.mark.parametrize("path", PRIVATE, ids=name)
def test_one_line_of_the_log_has_the_names(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    assert sum(map(has_names, lines)) == 1


@pytest.mark.parametrize("version", ["0.8.23", "1.2.3", "2.1.5", "3.2.1"])
@pytest.mark.parametrize(
    ("state", "restorable", "incomplete", "orphaned", "missing"),
    [
        ("none", 0, 0, 0, 0),
        ("healthy", 3, 0, 0, 0),
        ("chains", 4, 0, 0, 0),
        ("encrypted", 1, 0, 0, 0),
        ("orphaned", 2, 0, 1, 0),
        ("incomplete", 3, 1, 0, 0),
        ("interrupted", 0, 1, 0, 0),
        ("interrupted_inc", 1, 1, 0, 0),
        ("missing", 0, 0, 0, 1),
    ],
)
def test_every_state_is_read_from_the_names(
    version: str, state: str, restorable: int, incomplete: int, orphaned: int, missing: int
) -> None:
    found = read_saved((CAPTURES / version / "private-archive" / f"{state}.log").read_text())
    assert sum(len(chain.restorable) for chain in found.chains) == restorable
    assert (found.incomplete, found.orphaned) == (incomplete, orphaned)
    assert sum(s.missing_volumes for s in found.sets) == missing


@pytest.mark.parametrize("path", TRANSLATED, ids=name)
def test_a_translated_log_is_read_by_its_block(path: Path) -> None:
    log = path.read_text()
    assert read_names_line(log) is None
    assert len(read_saved(log).sets) == (2 if "chain" in path.name else 0)


def test_other_lines_that_end_in_a_list_are_not_taken_for_names() -> None:
    # What duplicity 0.8.22 says when it may not log in.
    line = ". BackendException: Bad authentication type; allowed types: ['publickey', 'x']\n"
    assert not has_names(line)


def test_the_newest_run_in_a_file_counts() -> None:
    older, newer = (
        (CAPTURES / "3.2.1" / f"{state}.out").read_text() for state in ("chain", "two-chains")
    )
    assert read_saved(older + newer, zone=UTC) == read_saved(newer, zone=UTC)


def test_text_asked_with_the_jobs_archive_directory_is_mended_by_it() -> None:
    text = (CAPTURES / "3.2.1" / "interrupted.out").read_text()
    assert len(read_saved(text, zone=UTC).sets) == 1
    archive = Archive(("duplicity-full.20261123T003623Z.manifest.part",))
    mended = read_saved(text, archive=archive, zone=UTC)
    assert (mended.sets, mended.incomplete) == ((), 1)


@pytest.mark.parametrize(
    ("version", "state", "lines"),
    [
        ("0.8.23", "incomplete", 1),
        ("3.2.1", "incomplete", 2),
        ("3.2.1", "orphaned", 2),
        ("3.2.1", "orphaned", 3),
        ("0.8.23", "orphaned-all", 1),
        ("3.2.1", "two-chains", 2),
    ],
)
def test_a_text_without_its_last_lines_is_refused(version: str, state: str, lines: int) -> None:
    text = (CAPTURES / version / f"{state}.out").read_text().splitlines(keepends=True)
    with pytest.raises(CannotSee, match="cut short"):
        read_saved("".join(text[:-lines]), zone=UTC)


def log(*parts: str) -> str:
    return "".join((CAPTURES / part).read_text() for part in parts)


@pytest.mark.parametrize(
    "parts",
    [
        ("3.2.1/private-archive/healthy.log", "3.2.1/none.log"),
        ("3.2.1/two-chains.log", "3.2.1/none.out"),
    ],
)
def test_runs_that_differ_in_one_file_are_refused(parts: tuple[str, ...]) -> None:
    with pytest.raises(CannotSee, match="several runs that differ"):
        read_saved(log(*parts), zone=UTC)


def test_a_last_run_that_failed_or_is_cut_off_is_refused() -> None:
    good = log("3.2.1/private-archive/healthy.log")
    with pytest.raises(CannotSee, match="the last run in it has failed"):
        read_saved(good + "ERROR 50 list\n. BackendException: gone\n")
    cut = ". Extracting backup chains from list of files: ['duplicity-full.2020"
    for text in (good + cut, cut):
        with pytest.raises(CannotSee, match="the list of files in it is cut short"):
            read_saved(text)


@pytest.mark.parametrize(
    "listing",
    [
        "old copy {}",
        "deleting {}",
        "{} old",
        "x,{},bak",
        "%{}",
        "1.2 MiB {}",
        "{0} {0}",
        "{0}, {0}",
    ],
)
def test_a_word_before_or_behind_a_name_belongs_to_it(listing: str) -> None:
    text = "\n".join(map(listing.format, LISTED[:-2]))
    try:
        assert read_saved(text).sets == ()
    except CannotSee as reason:
        assert reason.kind is Kind.NOT_RECOGNISED


def test_a_prefix_with_blanks_is_followed() -> None:
    text = "\n".join(f"-rw-r--r-- 1 u u 20 Nov 23 00:36 my job-{name}" for name in LISTED[:-2])
    assert len(read_saved(text, Prefixes("my job-", "my job-", "my job-")).sets) == 1


@pytest.mark.parametrize(
    "listing", ["web/{0}\ndb/{0}", "/srv/web:\n{0}\n\n/srv/db:\n{0}", "a/.Trash/{0}\na/{0}"]
)
def test_a_listing_of_several_directories_is_refused(listing: str) -> None:
    with pytest.raises(CannotSee, match="files of 2 directories"):
        read_saved(listing.format(LISTED[0]))


@pytest.mark.parametrize("cut", [60, 400, 700, 1000])
def test_a_text_that_is_cut_short_is_refused_or_says_less(cut: int) -> None:
    text = (CAPTURES / "3.2.1" / "two-chains.out").read_text()
    try:
        found = read_saved(text[:cut], zone=UTC)
    except CannotSee as reason:
        assert reason.kind is Kind.NOT_RECOGNISED
    else:
        assert len(found.sets) < 5


def test_the_hour_that_comes_twice_is_taken_for_the_earlier_one() -> None:
    text = (CAPTURES / "3.2.1" / "full.out").read_text()
    berlin = tz.gettz("Europe/Berlin")
    twice = text.replace("Mon Nov 23 00:36:08 2026", "Sun Oct 25 02:30:00 2026")
    [found] = read_saved(twice, zone=berlin).sets
    assert found.time == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


LISTED = [*full(datetime(2026, 11, 22, tzinfo=UTC), 2), "README", "duplicity.log"]


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "./backups/host/{}",
        "-rw-r--r-- 1 backup backup   209715 Nov 23 00:36 {}",
        "2026-11-23 00:36:13     209715 host/{}",
        '{{"Path":"{0}","Name":"{0}","Size":209715}},',
        "    209715 {}",
        "  |- {}\r",
        "-rwxr-xr-x 1 backup backup 20 Nov  3  2025 {}*",
        "{}@",
        "gs://bucket/assets/{}#1763427000123456",
        "{0}\n{0}.par2\n{0}.vol000+01.par2",
        "s3://bucket/host/{}",
    ],
)
def test_a_listing_made_by_any_tool_is_read(form: str) -> None:
    text = "\n".join(["total 12", *map(form.format, LISTED)])
    assert read_saved(text) == read_names(LISTED)


def test_a_listing_of_another_job_is_not_mistaken() -> None:
    text = "\n".join("mail-" + name for name in LISTED)
    assert read_saved(text).other_prefixes == ("mail-",)
    assert read_saved(text, Prefixes("mail-", "mail-", "mail-")).sets


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0\1\2",
        "no such file",
        "INFO 3\n",
        "-" * 17,
        ". a: []x",
        "UnsupportedBackendScheme: scheme not supported in url: bogus://x/y",
    ],
)
def test_what_is_not_recognised_is_refused(text: str) -> None:
    with pytest.raises(CannotSee, match="nothing recognised"):
        read_saved(text)


def test_an_impossible_time_is_refused() -> None:
    text = (CAPTURES / "3.2.1" / "full.out").read_text().replace("Nov 23", "Foo 99")
    with pytest.raises(CannotSee, match="no such time"):
        read_saved(text, zone=UTC)


@given(st.lists(st.text("ab,' \"\\\n[]é\udcff", max_size=6)), st.sampled_from([1, 7, 1 << 16]))
def test_any_list_of_names_is_read_as_python_writes_it(names: list[str], part: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(status, "_PART", part)
        line = f". Extracting backup chains from list of files: {names!r}"
        assert list(read_names_line(line) or ()) == names


def test_names_are_taken_out_of_pythons_quotes() -> None:
    names = r"""['it\'s', "it's", 'new\nline', 'plain', '\xff']"""
    line = f". Extracting backup chains from list of files: {names}"
    assert list(read_names_line(line) or ()) == ["it's", "it's", "new\nline", "plain", "\xff"]


PIECES = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from((CAPTURES / "3.2.1" / "two-chains.out").read_text().splitlines()),
        st.sampled_from((CAPTURES / "3.2.1" / "two-chains.log").read_text().splitlines()),
        st.sampled_from(["INFO 3", "orphaned-sets-num 0", "incomplete-sets-num 0", "chain-complete",
                         ". Extracting backup chains from list of files: ['x.manifest']", *LISTED]),
    ),
    max_size=40,
).map("\n".join)  # fmt: skip


@given(PIECES)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(read_saved(text, zone=UTC), Collection)
    except CannotSee as reason:
        assert reason.kind is Kind.NOT_RECOGNISED


def test_an_incremental_without_its_full_one_is_orphaned_in_a_block_too() -> None:
    day, hour = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)
    assert read_names(inc(day, hour)).orphaned == 1
    block = f"INFO 3 \n inc {stamp(hour)} 1 noenc\norphaned-sets-num 1\nincomplete-sets-num 0\n"
    assert read_block(block) == Collection(orphaned=1)


@pytest.mark.parametrize(
    "text",
    ["INFO 3\n", "INFO 3\n{\n", f"duplicity-inc.{'x' * 20}/", "duplicity-full", "df.", "'\\"],
)
def test_no_text_takes_long_to_refuse(text: str) -> None:
    # In quadratic time this would take many minutes.
    with pytest.raises(CannotSee):
        read_saved(text * (400_000 // len(text)) + "/")


WHOLE = sorted(CAPTURES.glob("[0-9]*/*.out"))


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: f"{path.parent.name}/{path.name}")
@pytest.mark.parametrize(
    "behind",
    [
        "--- Finished state OK at Wed Nov 25 02:00:01 CET 2026 - Runtime 00:00:01.020 ---",
        "2026-11-25",
    ],
)
def test_anything_may_be_behind_a_whole_status(path: Path, behind: str) -> None:
    text = path.read_text(errors="replace")
    try:
        alone = read_text(text)
    except CannotSee:
        return
    assert read_text(f"{text}\n{behind}\n") == alone
