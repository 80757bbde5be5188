"""Which messages of a mailbox are found, and when they were sent."""

from __future__ import annotations

import io
import os
from datetime import datetime, timezone
from pathlib import Path
from unittest import mock

import pytest
from check_duplicity.runs import mailboxes
from check_duplicity.runs.mailboxes import Messages, Place

DAY = 86400
NOW = datetime(2026, 11, 28, 12, tzinfo=timezone.utc).timestamp()
FROM = "From a@h Sat Nov 28 11:00:00 2026\n"
SENT = NOW - 3600
CRON = "Subject: Cron <a@h> x\n"


def places(mbox: str, *, start: int = 0, horizon: float = NOW - DAY) -> dict[str, list[Place]]:
    """The places of each subject, without the last message's."""
    found = mailboxes.index(io.BytesIO(mbox.encode()), start, horizon)
    return {
        subject.decode(): list(messages.newest_first(1e12))
        for subject, messages in found.subjects.items()
    }


def last(mbox: str, horizon: float = NOW - DAY) -> tuple[int, Place | None]:
    found = mailboxes.index(io.BytesIO(mbox.encode()), 0, horizon)
    return found.last, found.end


def time_of(header: str, line: str = FROM) -> float | None:
    end = last(f"{line}{header}{CRON}\nx\n")[1]
    return None if end is None else end.time


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("From a@h Sat Nov 28 11:00:00 2026\n", SENT),
        ("From a@h  Sat Nov 28 11:00:00 2026 +0100\n", SENT),
        ("From a@h Sat Nov 28 11:00 2026\n", SENT),
        ("From a@h Sat Nov 28 11:00:07 CET 2026\n", SENT + 7),
        ("From a@h Sat Nov 28 11:02:07 2026\n", SENT + 127),
        ("From a b Sun Nov  29 01:00:00 2026\n", SENT + 14 * 3600),
        ("From a@h Tue Dec  1 11:00:00 2026\n", SENT + 3 * DAY),
        ("From a@h Fri Jan 1 11:00:00 2027\n", SENT + 34 * DAY),
        ("From a@h Mon Feb 1 11:00:00 2027\n", SENT + 65 * DAY),
        ("From a@h Mon Mar 1 11:00:00 2027\n", SENT + 93 * DAY),
        ("From a@h Thu Apr 1 11:00:00 2027\n", SENT + 124 * DAY),
        ("From a@h Sat May 1 11:00:00 2027\n", SENT + 154 * DAY),
        ("From a@h Tue Jun 1 11:00:00 2027\n", SENT + 185 * DAY),
        ("From a@h Thu Jul 1 11:00:00 2027\n", SENT + 215 * DAY),
        ("From a@h Sun Aug 1 11:00:00 2027\n", SENT + 246 * DAY),
        ("From a@h Wed Sep 1 11:00:00 2027\n", SENT + 277 * DAY),
        ("From a@h Fri Oct 1 11:00:00 2027\n", SENT + 307 * DAY),
        (f"From {'x' * 200} Sat Nov 28 11:00:00 2026\n", SENT),
        (f"From {'x' * 201} Sat Nov 28 11:00:00 2026\n", None),
        ("From a@h Sat Nov 28 11:00:00 2026 +0100 and something else\n", None),
        ("From a@h Sat Nov 31 11:00:00 2026\n", None),
        ("From a@h Nov 28 11:00:00 2026\n", None),
        (">From a@h Sat Nov 28 11:00:00 2026\n", None),
    ],
)
def test_a_message_begins_with_its_delivery(line: str, time: float | None) -> None:
    assert time_of("", line) == time
    place = Place(0, 1000, 0)
    if time is not None:
        mbox = io.BytesIO((line + "\nx\n").encode())
        assert mailboxes.delivered(mbox, place) == time
    assert mailboxes.delivered(io.BytesIO(b"x\n"), place) is None


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("Date: Sat, 28 Nov 2026 12:59:01 +0100", SENT + 59 * 60 + 1),
        ("Date: Sat, 28 Nov 2026 12:01:59 +0100", SENT + 60 + 59),
        ("Date: Sat, 28 Nov 2026 12:60:00 +0100", SENT),
        ("Date: Sat, 28 Nov 2026 12:00:60 +0100", SENT),
        ("Date: Sat, 28 Nov 2026 25:00:00 +0100", SENT),
        ("Date: 28 Nov 2026 12:30:00 +0100", SENT + 1800),
        ("Date: 28 Nov 2026 12:30:00 +0100 (A time)", SENT + 1800),
        ("Date: Sat, 28 Nov 2026 12:30:00 GMT", NOW + 1800),
        ("Date:Sat, 28 Nov 2026 12:30:00 +0100", SENT + 1800),
        ("DATE: Sat, 28 Nov 2026 12:30:00 +0100", SENT + 1800),
        ("Date: Sat,  8 Nov 2026 12:30:00 +0100", SENT + 1800 - 20 * DAY),
        ("Date: Sun, 01 Nov 2026 12:30:00 +0100", SENT + 1800 - 27 * DAY),
        ("Date: Sat, 31 Oct 2026 12:30:00 +0100", SENT + 1800 - 28 * DAY),
        ("Date: Thu, 29 Oct 2026 12:30:00 +0100", SENT + 1800 - 30 * DAY),
        ("Date: Thu, 29 Oct 2026 11:30:00 +0100", SENT),
        ("Date: Sun, 29 Nov 2026 11:30:00 +0100", SENT + 1800 + 23 * 3600),
        ("Date: Sun, 29 Nov 2026 12:30:00 +0100", SENT),
        ("Date: soon", SENT),
        ("Date:", SENT),
        ("X-Date: Sat, 28 Nov 2026 12:30:00 +0100", SENT),
    ],
)
def test_a_message_was_sent_at_its_date_unless_a_clock_was_wrong(date: str, time: float) -> None:
    assert time_of(f"{date}\n") == time


@pytest.mark.parametrize(
    ("header", "subjects"),
    [
        ("Subject: Cron <a@h> x", [" Cron <a@h> x"]),
        ("subject: Cron <a@h> x", [" Cron <a@h> x"]),
        ("SUBJECT:Cron", ["Cron"]),
        ("To: b\nSubject: Cron\nFrom: a", [" Cron"]),
        ("Subject: Cron\n folded\n\ttwice\nTo: b", [" Cron\n folded\n\ttwice"]),
        ("subject: Cron\n folded\nTo: b", [" Cron\n folded"]),
        ("Subject: [h] Failure: x", [" [h] Failure: x"]),
        ("Subject: [h] Output: x", [" [h] Output: x"]),
        ("Subject: Anacron job 'x' on h", [" Anacron job 'x' on h"]),
        ("Subject: =?utf-8?q?x?=", [" =?utf-8?q?x?="]),
        ("Subject: [h] Success: x", []),
        ("Subject: hello", []),
        ("Subject: ?", []),
        ("Subject:", []),
        ("To: Cron", []),
    ],
)
def test_a_message_is_found_by_its_subject(header: str, subjects: list[str]) -> None:
    mbox = f"{FROM}{header}\n\nx\n\n{FROM}\n\n"
    assert list(places(mbox)) == subjects


def test_of_a_message_with_a_very_long_header_the_subject_may_be_further_down() -> None:
    longest = 1 << 16
    for size, found in ((longest - 2, []), (longest - 1, ["?"])):  # Two newlines end it.
        header = f"{FROM}X: "
        header += "x" * (size - len(header))
        assert list(places(f"{header}\n\nx\n\n{FROM}\n")) == found


def test_each_message_has_a_place() -> None:
    def of(subject: str, hour: int) -> str:
        return f"From a@h Sat Nov 28 {hour:02}:00:00 2026\nSubject: {subject}\n\nx\n\n"

    mbox = of("Cron a", 1) + of("no", 2) + of("Cron b", 3) + of("Cron a", 4) + of("Cron a", 0)
    size = len(of("Cron a", 1))
    second = size + len(of("no", 2))
    midnight = NOW - DAY / 2
    a = [Place(second + size, second + 2 * size, midnight + 4 * 3600),
         Place(0, size, midnight + 3600)]  # fmt: skip
    b = [Place(second, second + size, midnight + 3 * 3600)]
    end = (second + 2 * size, Place(second + 2 * size, second + 3 * size, midnight))
    assert places(mbox) == {" Cron a": a, " Cron b": b}
    assert last(mbox) == end
    assert places(mbox, start=second) == {" Cron b": b, " Cron a": a[:1]}
    assert last(mbox + of("no", 5)) == (second + 3 * size, None)
    assert last("") == (0, None)
    with (
        mock.patch.object(mailboxes, "_BLOCK", 100),
        mock.patch.object(mailboxes, "_LONGEST_HEADER", 60),
    ):
        assert places(mbox) == {" Cron a": a, " Cron b": b}
        assert last(mbox) == end


@pytest.mark.parametrize(("days", "found"), [(0, 1), (2, 1), (3, 0)])
def test_two_days_before_the_horizon_are_read(days: int, found: int) -> None:
    mbox = f"{FROM}{CRON}\nx\n\n{FROM}\n"
    assert len(places(mbox, horizon=NOW + days * DAY)) == found


def test_of_very_many_subjects_the_latest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "_MOST_SUBJECTS", 2)
    mbox = "".join(f"{FROM}Subject: Cron {name}\n\nx\n\n" for name in "abbc") + FROM + "\n"
    assert list(places(mbox)) == [" Cron b", " Cron c"]


def test_messages_come_newest_first() -> None:
    messages = Messages()
    assert (len(messages), list(messages.newest_first(0))) == (0, [])
    times = [DAY + 1, 5 * DAY, 3 * DAY, DAY + 2, 3 * DAY]
    for number, time in enumerate(times):
        messages.add((number, number + 1, time))
    assert len(messages) == 5

    def order(latest: float, passed_over: set[int]) -> list[int]:
        return [place.start for place in messages.newest_first(latest, passed_over)]

    assert order(9 * DAY, set()) == [1, 4, 2, 3, 0]
    assert order(5 * DAY, set()) == [1, 4, 2, 3, 0]
    assert order(5 * DAY - 1, set()) == [4, 2, 3, 0, 1]
    assert order(9 * DAY, {3}) == [1, 3, 0]
    assert order(9 * DAY, {1, 5}) == [4, 2]


def test_of_very_many_messages_some_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "_MOST_PLACES", 2)
    messages = Messages()
    counts = []
    for number in (3, 1, 2, 4, 5):
        messages.add((number, number, number))
        counts.append(len(messages))
    assert counts == [1, 2, 3, 2, 3]
    assert [place.start for place in messages.newest_first(1e9)] == [5, 4, 3]


@pytest.mark.parametrize(
    ("size", "kept"),
    [(5, "12345"), (10, "1234567890"), (15, "1234567890abcde"), (20, "1234567890abcdefghij"),
     (21, "1234567890\n\nbcdefghijk")],
)  # fmt: skip
def test_of_a_very_long_message_beginning_and_end_are_read(
    size: int, kept: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "_LONGEST", 10)
    text = "1234567890abcdefghijklmnop"[:size]
    (tmp_path / "1").write_text(text)
    assert mailboxes.maildir_message(str(tmp_path / "1")) == kept.encode()
    # In an mbox the first line is left out.
    mbox = io.BytesIO(b"before\n" + text[1:].encode() + b"behind")
    assert mailboxes.message(mbox, Place(6, 6 + size, 0)) == kept[1:].encode()


def test_a_message_is_read_without_its_first_line() -> None:
    assert mailboxes.message(io.BytesIO(b"xFrom a\nb\nc\nFrom"), Place(1, 12, 0)) == b"b\nc\n"


@pytest.mark.parametrize(
    ("raw", "may"),
    [("x", False), ("DUPLICITY x", True), ("x\nbase64", True), ("quoted-printable", True),
     ("=?", True), ("--------------[ Backup Statistics ]--------------", True)],
)  # fmt: skip
def test_a_message_may_be_duplicitys(raw: str, may: bool) -> None:
    assert mailboxes.may_be_duplicity(raw.encode()) is may


def test_messages_of_a_maildir_are_regular_new_files(tmp_path: Path) -> None:
    for folder in ("new", "cur", "tmp"):
        (tmp_path / folder).mkdir()

    def write(name: str, changed: float) -> str:
        path = tmp_path / name
        path.write_text(name)
        os.utime(path, (changed, changed))
        return str(path)

    second = write("new/2", 100)
    first = write("cur/1:2,S", 101)
    third = write("cur/3", 102)
    write("new/old", 99)
    write("tmp/4", 200)
    os.symlink(third, tmp_path / "new/0")
    (tmp_path / "cur/5").mkdir()
    assert mailboxes.maildir(str(tmp_path), 100) == (
        [("1", first, 101, 9), ("2", second, 100, 5), ("3", third, 102, 5)],
        [],
    )


def test_a_message_that_is_moved_meanwhile_is_passed_over(tmp_path: Path) -> None:
    for folder in ("new", "cur"):
        (tmp_path / folder).mkdir()

    class Entry:
        def __init__(self, name: str) -> None:
            self.name, self.path = name, str(tmp_path / "new" / name)

        def stat(self, *, follow_symlinks: bool) -> os.stat_result:
            assert not follow_symlinks
            return os.lstat(self.path)

    (tmp_path / "new/2").write_text("x")
    os.utime(tmp_path / "new/2", (100, 100))
    listed = {"new": [Entry("1"), Entry("2")], "cur": []}
    with mock.patch("os.scandir", lambda path: listed[os.path.basename(path)]):
        found = mailboxes.maildir(str(tmp_path), 0)
    assert found == ([("2", str(tmp_path / "new/2"), 100, 1)], [])
