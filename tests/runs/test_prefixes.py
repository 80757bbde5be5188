"""The prefix of a log line: where it ends, and which time and source it names."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from check_duplicity.runs import forms, shapes

LATEST = datetime(2026, 11, 28, 12, tzinfo=timezone.utc).timestamp()
YEAR = "2026-11-28 02:00:01"


@pytest.mark.parametrize(
    ("line", "form", "time", "source"),
    [
        (f"{YEAR} |x", "T", YEAR, ""),
        ("2026/11/28 2:00:01,123456789 |x", "T", "2026/11/28 2:00:01,123456789", ""),
        ("2026.11.28_02:00:01 |x", "T", "2026.11.28_02:00:01", ""),
        ("2026-11-28T02:00:01.5Z |x", "T", "2026-11-28T02:00:01.5Z", ""),
        (f"{YEAR} UTC |x", "T", f"{YEAR} UTC", ""),
        (f"{YEAR}+01:30 |x", "T", f"{YEAR}+01:30", ""),
        (f"{YEAR} -0100 |x", "T", f"{YEAR} -0100", ""),
        (f"{YEAR} +01 |x", "T", f"{YEAR} +01", ""),
        (f"Sat {YEAR} CET |x", "T", f"Sat {YEAR} CET", ""),
        ("20261128T020001Z |x", "T", "20261128T020001Z", ""),
        ("20261128020001 |x", "T", "20261128020001", ""),
        ("20261128 02:00:01 |x", "T", "20261128 02:00:01", ""),
        ("28.11.2026 02:00:01 |x", "T", "28.11.2026 02:00:01", ""),
        ("28/Nov/2026:02:00:01 +0100 |x", "T", "28/Nov/2026:02:00:01 +0100", ""),
        ("Nov 28 02:00:01 |x", "T", "Nov 28 02:00:01", ""),
        ("Nov  8 02:00:01 |x", "T", "Nov  8 02:00:01", ""),
        ("Sat Nov 28 02:00:01 CET 2026 |x", "T", "Sat Nov 28 02:00:01 CET 2026", ""),
        ("Sat, Nov 28 02:00:01 PM CET 2026 |x", "T", "Sat, Nov 28 02:00:01 PM CET 2026", ""),
        ("Sat 28 Nov 2026 02:00:01 AM UTC |x", "T", "Sat 28 Nov 2026 02:00:01 AM", ""),
        ("Sat, 28 Nov 2026 02:00:01 +0000 |x", "T", "Sat, 28 Nov 2026 02:00:01 +0000", ""),
        ("28. Nov 02:00:01 |x", "T", "28. Nov 02:00:01", ""),
        ("1795831201 |x", "T", "1795831201", ""),
        ("1795831201.123456 |x", "T", "1795831201.123456", ""),
        ("1795831201123 |x", "T", "1795831201123", ""),
        ("1795831201123456 |x", "T", "1795831201123456", ""),
        ("02:00:01 |x", "T", "02:00:01", ""),
        (f"[{YEAR}] |x", "T", YEAR, ""),
        (f"( {YEAR} ) |x", "T", YEAR, ""),
        (f"<{YEAR}> |x", "T", YEAR, ""),
        (f"{YEAR}: |x", "T", YEAR, ""),
        (f"{YEAR} - |x", "T", YEAR, ""),
        (f"{YEAR} => |x", "T", YEAR, ""),
        (f"{YEAR} >> |x", "T", YEAR, ""),
        (f"{YEAR} -- |x", "T", YEAR, ""),
        ("<13>Nov 28 02:00:01 web bk[17]: |x", "PTI", "Nov 28 02:00:01", "web bk"),
        ("<13>1 2026-11-28T02:00:01Z web bk 17 ID1 - |x", "VTS", "2026-11-28T02:00:01Z", "web bk"),
        ('<13>1 2026-11-28T02:00:01Z web bk 1 - [a b="\\]"][c] |x', "VTS",
         "2026-11-28T02:00:01Z", "web bk"),
        ("Nov 28 02:00:01 web bk: |x", "TH", "Nov 28 02:00:01", "web bk"),
        ("bk[17]: |x", "I", "", "bk"),
        ("web bk[17]: |x", "I", "", "web bk"),
        ("web-1  | |x", "N", "", "web-1"),
        (f"web-1  | {YEAR} |x", "NT", YEAR, "web-1"),
        (f"{YEAR} stdout F |x", "TF", YEAR, ""),
        (f"{YEAR} stderr P |x", "TF", YEAR, ""),
        (f"bk[1]: {YEAR} |x", "IT", YEAR, "bk"),
        (f"{YEAR} web bk[1]: [03:00:00] |x", "TIt", YEAR, "web bk"),
        ("INFO: |x", "L", "", ""),
        ("[ warning ]: |x", "L", "", ""),
        ("(Error) |x", "L", "", ""),
        ("<E> |x", "L", "", ""),
        ("Info > |x", "L", "", ""),
        (f"{YEAR} INFO   |x", "TW", YEAR, ""),
        (f"{YEAR} root: |x", "TM", YEAR, ""),
        (f"{YEAR} root - |x", "TM", YEAR, ""),
        (f"{YEAR} [a b] |x", "TB", YEAR, ""),
        (f"{YEAR} (a b): |x", "TB", YEAR, ""),
        (f"{YEAR} [a] [b] [c] |x", "TBB", YEAR, ""),
        ("just words |x", "", "", ""),
        ("INFO | |x", "L", "", ""),
        ("", "", "", ""),
        ("root: |x", "", "", ""),
    ],
)  # fmt: skip
def test_the_longest_prefix(line: str, form: str, time: str, source: str) -> None:
    found = forms.cuts(line)
    cut = found[-1] if found else forms.Cut(0, "")
    assert cut[1:] == (form, time, source)
    if form:
        assert forms.cut_of(line, form) == cut
        assert [len(each.form) for each in found] == list(range(1, len(form) + 1))
        assert line[cut.end :].lstrip(" ").endswith("|x")


def utc(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1795831201", 1795831201.0),
        ("1795831201.5", 1795831201.0),
        ("1795831201123456", 1795831201.0),
        ("2026-11-28 02:03:04Z", utc("2026-11-28 02:03:04")),
        ("2026-11-28T02:03:04.567 UTC", utc("2026-11-28 02:03:04")),
        ("2026/11/28 02:03:04 GMT", utc("2026-11-28 02:03:04")),
        ("2026-11-28 02:03:04+01:30", utc("2026-11-28 00:33:04")),
        ("2026-11-28 02:03:04-0130", utc("2026-11-28 03:33:04")),
        ("2026-11-28 02:03:04+02", utc("2026-11-28 00:03:04")),
        ("20261128T020304Z", utc("2026-11-28 02:03:04")),
        ("20261128020304Z", utc("2026-11-28 02:03:04")),
        ("28/Nov/2026:02:03:04 +0000", utc("2026-11-28 02:03:04")),
        ("28.11.2026 02:03:04Z", utc("2026-11-28 02:03:04")),
        ("Sat, 28 Nov 2026 02:03:04 +0000", utc("2026-11-28 02:03:04")),
        ("2026-11-28 12:03:04 AM Z", utc("2026-11-28 00:03:04")),
        ("2026-11-28 02:03:04 AM Z", utc("2026-11-28 02:03:04")),
        ("2026-11-28 02:03:04 PM Z", utc("2026-11-28 14:03:04")),
        ("2026-11-28 12:03:04 PM Z", utc("2026-11-28 12:03:04")),
        ("Nov 28 12:00:00Z", LATEST),
        ("Nov 28 12:00:01Z", utc("2025-11-28 12:00:01")),
        ("Dec  9 02:03:04Z", utc("2025-12-09 02:03:04")),
        ("Sat Nov  7 02:03:04Z", utc("2026-11-07 02:03:04")),
        ("28. Nov 02:03:04Z", utc("2026-11-28 02:03:04")),
        ("Feb 28 02:03:04Z", utc("2026-02-28 02:03:04")),
        ("Feb 29 02:03:04Z", None),
        ("2024-02-29 02:03:04Z", utc("2024-02-29 02:03:04")),
        ("2026-02-29 02:03:04Z", None),
        ("2026-11-28 02:03", None),
        ("02:03:04", None),
        ("Nev 28 02:03:04", None),
        ("0000-11-28 02:03:04Z", None),
    ]
    + [
        (f"{name} 5 02:03:04Z", utc(f"2026-{number:02}-05 02:03:04"))
        for number, name in enumerate(
            ["Jan", "Febr", "Mar", "Apr", "May", "Jun", "July", "Aug", "Sept", "Oct", "November"],
            1,
        )
    ],
)  # fmt: skip
def test_the_instant_of_a_prefix(text: str, time: float | None) -> None:
    assert forms.instant(text, LATEST) == time


def test_a_leap_day_without_a_year() -> None:
    assert forms.instant("Feb 29 02:03:04Z", utc("2025-01-01 00:00:00")) == utc(
        "2024-02-29 02:03:04"
    )


def test_a_year_that_is_new_elsewhere_already() -> None:
    latest = utc("2026-12-31 23:30:00")
    assert forms.instant("Jan 01 00:10:00+01:00", latest) == utc("2026-12-31 23:10:00")


@pytest.mark.parametrize(
    ("line", "prefix"),
    [
        ("a: Last full backup date: x", "a: "),
        ("a: Local and Remote metadata are x", "a: "),
        ("a: --------------[ Backup Statistics ]-", "a: "),
        ("a: StartTime 1", "a: "),
        ("a: SourceFileSize 5", "a: "),
        ("a: . SourceFileSize 5", "a: "),
        ("a: StartTime 2", ""),
        ("SourceFileSize 5", ""),
        ("   SourceFileSize 5", ""),
        ("a" * 200 + "SourceFileSize 5", "a" * 200),
        ("a" * 201 + "SourceFileSize 5", ""),
    ],
)
def test_a_shape_begins_at_a_known_text(line: str, prefix: str) -> None:
    assert shapes.prefix(line) == prefix


CHANGING = [
    "Monday",
    "tue",
    "WED",
    "thu",
    "fri",
    "sat",
    "sun",
    "jan",
    "feb",
    "march",
    "apr",
    "may",
    "june",
    "jul",
    "aug",
    "sept",
    "oct",
    "nov",
    "dec",
    "utc",
    "gmt",
    "cet",
    "CEST",
    "am",
    "pm",
    "debug",
    "info",
    "information",
    "notice",
    "warn",
    "warning",
    "err",
    "error",
    "crit",
    "critical",
    "alert",
    "emerg",
    "fatal",
    "stdout",
    "stderr",
    "b2",
]


@pytest.mark.parametrize("word", CHANGING)
def test_words_that_change_from_line_to_line(word: str) -> None:
    assert shapes.shape(f"{word} ").match("zzz   ")


@pytest.mark.parametrize(
    ("learned", "line", "same"),
    [
        ("bk 12 ", "bk 7\t", True),
        ("bk 12 ", "bk x ", False),
        ("bk ", "bl ", False),
        ("a.c ", "abc ", False),
        ("[x] ", "[x] ", True),
        ("monitoring99x ", "q ", True),
        ("informations ", "info ", False),
        ("sunflowery ", "monday ", False),
    ],
)
def test_a_shape(learned: str, line: str, same: bool) -> None:
    assert bool(shapes.shape(learned).match(line)) == same
