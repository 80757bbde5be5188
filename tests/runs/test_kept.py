"""What is read of files, what is kept of them, and what is said of unreadable ones."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from check_duplicity.duplicity.run import FAILED, GOOD, OPEN
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.runs import files
from check_duplicity.runs.files import Found, Look, job_of
from check_duplicity.runs.paths import Log
from check_duplicity.system.user import current
from samples import CAPTURES

GOOD_TEXT = (CAPTURES / "runs/3.2.1/good-full.out").read_text()
FAILED_TEXT = (CAPTURES / "runs/3.2.1/nospace-dest.out").read_text()
BETWEEN = "Local and Remote metadata are synchronized, no sync needed.\n"
ENDED = 1795566669.81
NOW = 1795867200.0
DAY = 86400
HOW = Look(NOW, NOW - 8 * DAY, str)
SUBJECT = "Subject: Cron <a@h> /srv/b.sh\n"
MAIL = f"From a@h Sat Nov 28 11:00:00 2026\n{SUBJECT}\n"
SENT = NOW - 3600


def write(path: Path, content: str | bytes, ago: float = 3600) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (NOW - ago, NOW - ago))
    return str(path)


def look(path: str | Log, kept: dict[str, Any] | None = None, how: Look = HOW) -> Found:
    log = Log(path) if isinstance(path, str) else path
    found = files.look(log, kept or {}, how)
    return found._replace(kept=json.loads(json.dumps(found.kept)))


def told(found: Found) -> list[tuple[object, ...]]:
    return [(run.name, run.time, run.whole, run.run.outcome) for run in found.runs]


@pytest.mark.parametrize(
    ("path", "job"),
    [
        ("/var/log/web.log", "web"),
        ("/var/log/web.txt", "web"),
        ("web.out", "web"),
        ("web.log.1", "web.log.1"),
        ("web.logs", "web.logs"),
        ("/x/web-*.log", "web"),
        ("/x/*_web.log", "web"),
        ("/x/web-*-db.log", "web db"),
        ("/x/*.log", "*"),
        (".log", ""),
    ],
)
def test_a_job_is_named_after_its_log(path: str, job: str) -> None:
    assert job_of(path) == job


@pytest.mark.parametrize(
    ("content", "runs"),
    [
        (GOOD_TEXT, [("b", ENDED, True, GOOD)]),
        (FAILED_TEXT, [("b", SENT, True, FAILED)]),
        (GOOD_TEXT + FAILED_TEXT, [("b", ENDED, True, GOOD), ("b", SENT, True, FAILED)]),
        (BETWEEN, [("b", SENT, False, OPEN)]),
        ("x\n", []),
        ("", []),
        (MAIL + GOOD_TEXT, [("b", SENT, True, GOOD)]),
        (f"From x\n{GOOD_TEXT}", []),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".1.gz", ".1.bz2", ".1.xz"])
def test_a_file_is_read_whether_compressed_or_not(
    content: str, runs: list[tuple[object, ...]], suffix: str, tmp_path: Path
) -> None:
    compress: dict[str, Callable[[bytes], bytes]] = {
        ".1.gz": gzip.compress,
        ".1.bz2": bz2.compress,
        ".1.xz": lzma.compress,
    }
    raw = content.encode()
    write(tmp_path / f"b.log{suffix}", compress[suffix](raw) if suffix else raw)
    found = look(str(tmp_path / "b.log"))
    assert told(found) == runs
    assert look(str(tmp_path / "b.log"), found.kept) == found
    mine = {("a", "h", "/srv/b.sh")} if content.startswith("From a") else {(current(), "", "")}
    assert {(run.user, run.host, run.command) for run in found.runs} <= mine


@pytest.mark.parametrize(
    ("content", "runs"),
    [
        (FAILED_TEXT, [("b", SENT, True, FAILED)]),
        (f"{MAIL}{FAILED_TEXT}", [("b", SENT, True, FAILED)]),
    ],
)
def test_a_compressed_file_is_read_up_to_where_it_was_cut(
    content: str, runs: list[tuple[object, ...]], tmp_path: Path
) -> None:
    """On a full disk logrotate leaves half a file."""
    noise = random.Random(1).randbytes(300_000).hex()  # does not get smaller than half
    cut = gzip.compress(f"{content}{noise}".encode())[:100_000]
    with pytest.raises(EOFError):
        gzip.decompress(cut)
    write(tmp_path / "b.log.1.gz", cut)
    assert told(look(str(tmp_path / "b.log"))) == runs


def test_a_file_that_is_not_compressed_hides_no_other(tmp_path: Path) -> None:
    write(tmp_path / "b.log.1.gz", "no")
    write(tmp_path / "b.log", FAILED_TEXT)
    assert told(look(str(tmp_path / "b.log"))) == [("b", SENT, True, FAILED)]


@pytest.mark.parametrize(
    ("content", "ago", "outcomes"),
    [
        ("BackendException: No space left on device", 60, []),
        ("BackendException: No space left on device", 61, [FAILED]),
        ("BackendException: No space left on device\n", 0, [FAILED]),
        (f"{MAIL}{FAILED_TEXT}", 60, []),
        (f"{MAIL}{FAILED_TEXT}", 61, [FAILED]),
        (f"{MAIL}{FAILED_TEXT}\n", 0, [FAILED]),
    ],
)
def test_the_end_of_a_file_counts_once_it_is_settled(
    content: str, ago: float, outcomes: list[str], tmp_path: Path
) -> None:
    path = write(tmp_path / "b.log", content, ago)
    assert [run.run.outcome for run in look(path).runs] == outcomes


@pytest.mark.parametrize(("ago", "count"), [(8 * DAY, 1), (8 * DAY + 1, 0)])
def test_a_file_from_before_the_horizon_does_not_count(
    ago: int, count: int, tmp_path: Path
) -> None:
    found = look(write(tmp_path / "b.log", FAILED_TEXT, ago))
    assert (len(found.runs), len(found.kept["files"])) == (count, count)


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, expected in (
        (FAILED_TEXT, [("standard input", NOW, True, FAILED)]),
        (GOOD_TEXT, [("standard input", ENDED, True, GOOD)]),
        (MAIL + FAILED_TEXT, [("b", SENT, True, FAILED)]),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        found = look("-")
        assert (told(found), found.kept, found.problems) == (expected, {}, ())


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    path = tmp_path / "b.log"
    for text in (GOOD_TEXT, MAIL + GOOD_TEXT + "\n"):
        write(path, text, 7200)
        kept = look(str(path)).kept
        entry = kept["files"][0]
        assert (entry["size"], entry["changed"]) == (len(text), NOW - 7200)
        assert entry["horizon"] == HOW.horizon
        with path.open("a") as opened:
            opened.write(text.replace(GOOD_TEXT, FAILED_TEXT))
        os.utime(path, (SENT, SENT))
        found = look(str(path), kept)
        assert found.runs == look(str(path)).runs
        assert [run.run.outcome for run in found.runs] == [GOOD, FAILED]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("identity", [0, 0]), ("offset", "x"), ("offset", 0), ("offset", 10**9), ("offset", -1),
        ("horizon", None), ("horizon", HOW.horizon + 1), ("fingerprints", [0, 0]),
        ("size", None), ("changed", 0), ("reader", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["b.log", "b.log.1.gz"])
def test_an_entry_that_is_not_of_this_file_is_not_used(
    field: str, value: object, name: str, tmp_path: Path
) -> None:
    raw = FAILED_TEXT.encode()
    write(tmp_path / name, raw if name == "b.log" else gzip.compress(raw))
    path = str(tmp_path / "b.log")
    right = look(path)
    wrong = json.loads(json.dumps(right.kept))
    wrong["files"][0][field] = value
    for key in ("runs", "end"):
        wrong["files"][0].update(
            {key: []} if key in wrong["files"][0] and field != "reader" else {}
        )
    if field != "size":
        assert look(path, wrong).runs == right.runs
    for foreign in ({"files": 3}, {"files": [3, None]}, {"files": [{}, *right.kept["files"]]}):
        assert look(path, foreign) == right


def test_an_earlier_horizon_reads_again(tmp_path: Path) -> None:
    path = write(tmp_path / "mbox", MAIL + FAILED_TEXT + "\n" + MAIL + GOOD_TEXT + "\n")
    kept = look(path, how=HOW._replace(horizon=NOW - DAY)).kept
    assert look(path, kept).kept["files"][0]["horizon"] == HOW.horizon
    assert look(path, kept, HOW._replace(horizon=NOW - DAY / 2)).kept == kept


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    def reason(path: str | Log) -> str:
        with pytest.raises(CannotSee) as error:
            look(path)
        assert error.value.kind == Kind.NOT_READABLE
        return error.value.reason

    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    no = "is neither a file nor a Maildir"
    for name, why in (("empty", no), ("pipe", no), ("nosuch", "No such file or directory")):
        assert reason(str(tmp_path / name)) == f"{tmp_path}/{name}: {why}"
    good = write(tmp_path / "a.log", GOOD_TEXT, 7200)
    link = tmp_path / "b.log"
    link.symlink_to(good)
    loop = "Too many levels of symbolic links"
    mine = frozenset([os.geteuid()])
    assert told(look(str(link))) == [("b", ENDED, True, GOOD)]
    assert reason(Log("*.log", (str(link),), mine)) == f"{link}: {loop}"
    assert reason(Log("*.log", (str(tmp_path / "pipe"),), mine)) == f"{tmp_path}/pipe: {no}"
    os.utime(link, (NOW - 9000, NOW - 9000), follow_symlinks=False)
    (tmp_path / "a.log.1").symlink_to(good)
    found = look(good)
    assert (told(found), found.problems) == (
        [("a", ENDED, True, GOOD)], (f"{tmp_path}/a.log.1: {loop}",),
    )  # fmt: skip


def test_files_of_one_log_are_read_in_order(tmp_path: Path) -> None:
    names = [
        write(tmp_path / "b-2.log", BETWEEN, 60),
        write(tmp_path / "b-1.log", FAILED_TEXT, 7200),
        str(tmp_path / "b-3.log"),
    ]
    mine = frozenset([os.geteuid()])
    found = look(Log("/x/b-*.log", tuple(names[:2]), mine))
    assert told(found) == [("b", NOW - 7200, True, FAILED), ("b", NOW - 60, False, OPEN)]
    assert {run.job for run in found.runs} == {"/x/b-*.log"}
    assert look(Log("/x/b-*.log", tuple(names[:2]), frozenset())).runs == []


def test_a_maildir_is_read_once(tmp_path: Path) -> None:
    for folder in ("new", "cur"):
        (tmp_path / folder).mkdir()
    write(tmp_path / "new/1", f"{SUBJECT}\n{GOOD_TEXT}", 7200)
    write(tmp_path / "cur/2:2,S", f"{SUBJECT}\n{FAILED_TEXT}", 3600)
    write(tmp_path / "new/3", "Subject: hello\n\nx\n", 60)
    found = look(str(tmp_path))
    assert told(found) == [("b", NOW - 7200, True, GOOD), ("b", SENT, True, FAILED)]
    after = found.kept["messages"]
    assert {name: values[:2] for name, values in after.items()} == {
        "1": [NOW - 7200, len(f"{SUBJECT}\n{GOOD_TEXT}")],
        "2": [SENT, len(f"{SUBJECT}\n{FAILED_TEXT}")],
        "3": [NOW - 60, 18],
    }
    assert after["3"][2] is None
    with mock.patch("check_duplicity.runs.mailboxes.maildir_message") as reading:
        assert look(str(tmp_path), found.kept) == found
    assert reading.call_count == 0
    for change in ([0, 1, None], [NOW - 7200, 1, None], 3, [], [*after["1"][:2], 3]):
        assert look(str(tmp_path), {"messages": {**after, "1": change}}) == found
    assert look(str(tmp_path), {"messages": 3}) == found


def test_a_message_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    for folder in ("new", "cur"):
        (tmp_path / folder).mkdir()
    for name in "123":
        write(tmp_path / "new" / name, f"{SUBJECT}\n{FAILED_TEXT}")
    errors = [FileNotFoundError(), PermissionError(13, "Permission denied"), MESSAGE]
    with mock.patch("check_duplicity.runs.mailboxes.maildir_message", side_effect=errors):
        found = look(str(tmp_path))
    assert told(found) == [("b", SENT, True, FAILED)]
    assert list(found.kept["messages"]) == ["3"]
    assert found.problems == (f"{tmp_path}/new/2: Permission denied",)


MESSAGE = f"{SUBJECT}\n{FAILED_TEXT}".encode()
