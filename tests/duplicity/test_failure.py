"""Why duplicity has failed: only an unambiguous message says that a destination is gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_duplicity.destination.judge import judge
from check_duplicity.destination.model import Listing
from check_duplicity.destination.read import read
from check_duplicity.duplicity.failure import failure, last_words, no_destination
from check_duplicity.duplicity.names import Archive, Prefixes
from check_duplicity.duplicity.transcript import Reader
from check_duplicity.nagios.findings import CannotSee, Finding, Kind, State
from samples import CAPTURES, NOW

# Of each capture, what duplicity says of a destination that isn't there; of the others nothing.
GONE = {
    "gone-s3": 'S3 bucket "gone-bucket" does not exist',
    "gone-sftp": "sftp mkdir /proc/nix failed: [Errno 2] No such file",
    "gone-sftp-file": (
        "sftp chdir to /srv/lab/srv/sftp/file failed: (20, 'Not a directory: file')"
    ),
    "gone-rsync": 'change_dir "/srv/lab/srv/sftp/gone6" failed: No such file or directory (2)',
    "gone-rsync-file": 'change_dir "/srv/lab/srv/sftp/file" failed: Not a directory (20)',
    "gone-rsyncd": 'change_dir "gone" (in mod) failed: No such file or directory (2)',
    "gone-ftp": "550 No such file or directory. (/gone)",
}
CAPTURED = sorted((CAPTURES / "failed").glob("*/*.log"))


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def record(*lines: str, level: str = "ERROR") -> str:
    return "\n".join([f"{level} 50 list", *(f". {line}" for line in lines), "", ""])


@pytest.mark.parametrize("path", CAPTURED, ids=name_of)
def test_real_words_are_read(path: Path) -> None:
    log = path.read_text()
    assert no_destination(log) == GONE.get(path.stem, "")
    assert last_words(log)


def test_every_kind_of_words_was_captured() -> None:
    assert GONE.keys() <= {path.stem for path in CAPTURED}
    for name in ("gone-s3", "gone-rsync", "gone-sftp"):
        versions = {path.parent.name for path in CAPTURED if path.stem == name}
        assert versions == {"0.8.23", "1.2.3", "2.1.5", "2.2.4", "3.0.7", "3.2.1"}


@pytest.mark.parametrize("path", CAPTURED, ids=name_of)
def test_a_destination_that_is_gone_is_critical_any_other_log_of_a_failure_is_not_read(
    path: Path,
) -> None:
    listing = Listing(Archive(), log=path.read_text())
    words = GONE.get(path.stem)
    if words is None:
        with pytest.raises(CannotSee):
            read(listing, Prefixes())
        return
    text = f"the destination is not there: {words}"
    assert list(judge(read(listing, Prefixes()), NOW)) == [
        Finding(Kind.NO_DESTINATION, State.CRITICAL, text)
    ]


@pytest.mark.parametrize("path", CAPTURED, ids=name_of)
def test_a_run_that_fails_with_the_same_words_has_the_same_cause(path: Path) -> None:
    reader = Reader(lambda line: line)
    for line in path.read_text().split("\n"):
        reader.read(line)
    [run] = reader.runs()
    if path.stem == "gone-ftp":
        return  # At -v9 all that lftp does stands in between; in runs/*/ftp-gone.out it doesn't.
    found = run.told[0].kind is Kind.NO_DESTINATION
    assert found == (path.stem in GONE)


@pytest.mark.parametrize(
    "line",
    [
        "BackendException: sftp mkdir /mnt/usb/web failed: [Errno 13] Permission denied",
        "Giving up after 1 attempts. BackendException: sftp mkdir /x/y failed: Failure",
        'rsync: change_dir "/volume1/web" failed: No such file or directory (2)',
        'rsync: [sender] change_dir "/srv/x" failed: Datei oder Verzeichnis nicht gefunden (2)',
        "cd: Access failed: 550 Can't change directory to x: No such file or directory (/x)",
    ],
)
def test_what_leaves_no_doubt(line: str) -> None:
    assert no_destination(record(line))


@pytest.mark.parametrize(
    "line",
    [
        "BackendException: sftp stat /mnt/usb failed: [Errno 13] Permission denied",
        "BackendException: sftp chdir to /mnt/usb failed: [Errno 13] Permission denied",
        "BackendException: scp mkdir failed: mkdir -p '/x'",
        "Remote file or directory does not exist in command='sftp -oPort=22 host'",
        "Warning: Identity file /root/.ssh/id not accessible: No such file or directory.",
        "ClientError: An error occurred (403) when calling the HeadBucket operation: Forbidden",
        'rsync: [sender] change_dir "/srv/x" failed: Permission denied (13)',
        'rsync: [Sender] change_dir "/tmp/x" failed: No such file or directory (2)',
        'rsync: [sender] link_stat "/srv/x/file" failed: No such file or directory (2)',
        "@ERROR: Unknown module 'x'",
        "cd: Access failed: 550 Failed to change directory. (/x)",
        "FileNotFoundError: [Errno 2] No such file or directory: 'sftp'",
        "gpg: [Errno 2] No such file or directory",
    ],
)
def test_what_leaves_a_doubt(line: str) -> None:
    assert no_destination(record(line)) == ""


def test_only_the_last_error_counts() -> None:
    gone = 'FatalBackendException: S3 bucket "x" does not exist'
    assert no_destination(record(gone)) == 'S3 bucket "x" does not exist'
    assert no_destination(record(gone) + record("Connection refused")) == ""
    assert no_destination(record(gone, level="WARNING")) == ""
    assert no_destination(gone) == no_destination("") == ""
    assert no_destination(record("x" * 1000 + gone)) == ""


def test_a_long_hostile_log_is_read_in_no_time() -> None:
    assert (
        no_destination(record('rsync: change_dir "' * 100_000, *['rsync: change_dir "'] * 9999))
        == ""
    )


@pytest.mark.parametrize(
    ("status", "by_itself", "log", "said"),
    [
        (30, True, "", "duplicity failed with 30 (internal error)"),
        (1, True, "", "duplicity failed with 1"),
        (9, False, "", "duplicity was killed by SIGKILL"),
        (99, False, "", "duplicity was killed by signal 99"),
        (50, True, record("x", "y"), "duplicity failed with 50 (backend error): x y"),
        (15, False, "last\n", "duplicity was killed by SIGTERM: last"),
    ],
)
def test_a_failure_is_told_by_its_status_and_its_last_words(
    status: int, by_itself: bool, log: str, said: str
) -> None:
    assert failure(status, by_itself, log) == said


MEANT = {
    2: "wrong usage", 8: "bad URL", 9: "bad archive directory", 23: "user error",
    30: "internal error", 31: "GPG failed", 38: "connection failed", 43: "lftp is not installed",
    50: "backend error", 51: "permission denied at the destination",
    52: "not found at the destination", 53: "no space at the destination",
    54: "backend command failed", 55: "backend code error", 56: "backend validation failed",
}  # fmt: skip


@pytest.mark.parametrize(("status", "meaning"), MEANT.items())
def test_each_status_of_duplicity_has_its_meaning(status: int, meaning: str) -> None:
    assert failure(status, True, "") == f"duplicity failed with {status} ({meaning})"


TRACEBACK = "Traceback (most recent call last):"


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("one\n two \n\n", "two"),
        ("one\nNOTICE 1\n. x\n.\n", "one"),
        ("one\nINFO 1 x\nDEBUG 1\n", "one"),
        ("one\nNOTICE 1x\n", "NOTICE 1x"),
        ("one\nNotice 1\n", "Notice 1"),
        (record("a") + record("b", level="WARNING") + "plain", "b"),
        (record("b", level="WARNING") + record("a") + "plain", "a"),
        (record("a", level="NOTICE") + "plain", "plain"),
        (record("a", "", "Enter 'duplicity --help' for help", "  b  c "), "a b c"),
        (record(TRACEBACK, "  File x", "OSError: y"), "OSError: y"),
        (record("first", TRACEBACK, "OSError: y", ""), "OSError: y"),
        (record("x" * 240), "x" * 240),
        (record("x" * 241), "x" * 239 + "…"),
    ],
)
def test_the_last_words_are_of_the_last_record(log: str, words: str) -> None:
    assert last_words(log) == words


def test_a_line_is_searched_up_to_its_limit() -> None:
    said_of_s3 = "FatalBackendException: "
    gone = 'S3 bucket "x" does not exist'
    for before, said in ((600 - len(gone), gone), (601 - len(gone), "")):
        assert no_destination(record(said_of_s3.rjust(before, "x") + gone)) == said
