"""The result of a restore, by the real output of each duplicity version in each failure."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from check_duplicity.duplicity.restoring import (
    Ended,
    ended,
    no_space,
    problems,
    progress,
    refused,
)
from check_duplicity.nagios.findings import Kind
from hypothesis import given
from hypothesis import strategies as st
from samples import CAPTURES

RESTORES = CAPTURES / "restore"
GOOD = None
# What each capture is of; its name may go on.
EXPECTED = {
    "destination-gone": Kind.NOT_RESTORED,  # whether it is there, the look at it before tells
    "flipped-volume": Kind.ROTTEN,
    "good": GOOD,
    "key-good": GOOD,
    "key-list": GOOD,
    "key-secret-gone": Kind.NO_SECRET_KEY,
    "list-empty-archive": GOOD,
    "missing-inc-volume": Kind.MISSING_VOLUMES,
    "missing-volume": Kind.MISSING_VOLUMES,
    "no-passphrase": Kind.NO_PASSPHRASE,
    "short-volume": Kind.ROTTEN,
    "target-exists": Kind.NOT_RESTORED,
    "target-full": Kind.NO_ROOM,
    "wrong-passphrase": Kind.WRONG_PASSPHRASE,
    "zero-volume": Kind.ROTTEN,
}
# duplicity 3 asks for a passphrase even to list, and 2.1.5 took a directory that was there.
OF_VERSION = {
    "2.1.5/target-exists": GOOD,
    **{f"{version}/list-no-passphrase": Kind.NO_PASSPHRASE for version in ("3.0.7", "3.2.1")},
}


def captures() -> Iterator[object]:
    for statuses in sorted(RESTORES.rglob("statuses")):
        for line in statuses.read_text().splitlines():
            name, status = line.split()
            [path] = statuses.parent.glob(f"{name}.*")
            case = path.relative_to(RESTORES)
            yield pytest.param(path, int(status), id=str(case.with_suffix("")))


def expected(path: Path) -> Kind | None:
    case = f"{path.parent.name}/{path.stem}"
    if case in OF_VERSION:
        return OF_VERSION[case]
    names = [name for name in EXPECTED if path.stem.startswith(name)]
    return EXPECTED[max(names, key=len)] if names else GOOD


def said(path: Path, status: int) -> Ended:
    return ended(status, True, path.read_bytes().decode(errors="replace"))


def log(name: str, version: str = "3.2.1") -> str:
    return (RESTORES / "logs" / version / f"{name}.log").read_bytes().decode(errors="replace")


@pytest.mark.parametrize(("path", "status"), list(captures()))
def test_what_duplicity_said_is_read_as_what_was_wrong(path: Path, status: int) -> None:
    found = said(path, status)
    assert found.kind is expected(path)
    assert found.is_there is (path.stem != "nosuch")
    assert bool(found.reason) is (found.kind is not None)
    if found.kind is Kind.ROTTEN:
        assert found.volume.startswith("duplicity-full.2026112")
        assert found.volume.endswith("Z.vol2.difftar.gpg")
    else:
        assert found.volume == ""


@pytest.mark.parametrize("version", ["0.8.23", "3.2.1"])
def test_the_reason_is_what_a_person_can_use(version: str) -> None:
    reasons = {
        "flipped-volume": "duplicity failed with 21: Invalid data - SHA1 hash mismatch for file: ",
        "key-secret-gone": "the secret key is not on this host",
        "missing-volume": "a volume is not there",
        "no-passphrase": "no passphrase was given",
        "target-full": "no space is left to restore to",
        "wrong-passphrase": "wrong passphrase or key",
    }
    statuses = (RESTORES / "logs" / version / "statuses").read_text().split()
    for name, reason in reasons.items():
        status = int(statuses[statuses.index(name) + 1])
        assert ended(status, True, log(name, version)).reason.startswith(reason)


def test_a_volume_is_named_with_what_its_job_puts_in_front() -> None:
    text = log("flipped-volume").replace("duplicity-full", "web-duplicity-full")
    assert ended(21, True, text).volume == "web-duplicity-full.20261125T094640Z.vol2.difftar.gpg"


def test_of_many_hashes_the_last_counts() -> None:
    text = log("flipped-volume")
    later = text.replace("vol2", "vol3")
    assert ended(21, True, text + later).volume.endswith("vol3.difftar.gpg")
    assert ended(21, True, later + text).volume.endswith("vol2.difftar.gpg")


def test_without_a_name_a_hash_is_another_one_all_the_same() -> None:
    found = ended(21, True, "ERROR 21\n. Invalid data\n")
    assert (found.kind, found.volume) == (Kind.ROTTEN, "")


@pytest.mark.parametrize(
    "informing",
    [
        "INFO 1\n. Import of duplicity.backends.x Failed: No module named 'x'\n\n",
        "INFO 1\n. ImportError: cannot import name 'y'\n\n",
        "NOTICE 1\n. No space left on device, someone else's words\n\n",
        "DEBUG 1\n. Permission denied\n. EOFError\n\n",
        "INFO 1\n. gpg: decryption failed: No secret key\n\n",
    ],
)
def test_what_only_informs_is_no_cause(informing: str) -> None:
    assert ended(1, True, informing).kind is Kind.NOT_RESTORED
    # It neither hides nor replaces the one that there is.
    for text in (informing + log("missing-volume"), log("missing-volume") + informing):
        assert ended(1, True, text).kind is Kind.MISSING_VOLUMES
    assert ended(1, True, informing.replace("INFO 1", "ERROR 1")).kind is not None


def test_what_stands_between_the_records_is_kept() -> None:
    text = "INFO 1\n. one\n. two\n\nTraceback\n  File\nINFO 2 1 5\n. three\nWARNING 1\n. four\n"
    kept = [line for line in problems(text).split("\n") if line]
    assert kept == ["Traceback", "  File", "WARNING 1", ". four"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_killed_by_a_signal_is_no_fault_of_the_backup(number: signal.Signals) -> None:
    found = ended(number, False, "")
    assert found == Ended(Kind.KILLED, f"duplicity was killed by {number.name}")
    # Its number is no exit status: 21 is another hash, 19 a file that isn't there.
    assert ended(21, False, "").kind is ended(19, False, "").kind is Kind.KILLED
    assert ended(19, False, "").is_there


def test_the_exit_status_alone_says_what_it_can() -> None:
    kinds = {
        0: None, 1: Kind.NOT_RESTORED, 11: Kind.NOT_RESTORED, 19: None, 21: Kind.ROTTEN,
        30: Kind.NOT_RESTORED, 31: Kind.GPG, 37: Kind.NOT_RESTORED, 38: Kind.CONNECTION,
        49: Kind.NOT_RESTORED, 50: Kind.CONNECTION, 56: Kind.CONNECTION, 57: Kind.NOT_RESTORED,
    }  # fmt: skip
    assert {status: ended(status, True, "").kind for status in kinds} == kinds


def test_a_good_end_is_good_whatever_was_said_on_the_way() -> None:
    assert ended(0, True, log("target-full") + log("no-passphrase")) == Ended()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("gpg: decryption failed: No secret key", Kind.NO_SECRET_KEY),
        ("gpg: encrypted with 1 passphrase\n. gpg: decryption failed: No secret key",
         Kind.WRONG_PASSPHRASE),
        ("gpg: encrypted with 1 passphrase\n. gpg: decryption failed: Bad session key",
         Kind.WRONG_PASSPHRASE),
        ("BackendException: ssh connection to host:22 failed: timed out", Kind.CONNECTION),
        ("AuthenticationException: Authentication failed.", Kind.LOGIN),
        ("Host key verification failed.", Kind.HOST_KEY),
        ("OSError: [Errno 122] Disk quota exceeded", Kind.NO_ROOM),
        ("PermissionError: [Errno 13] Permission denied: '/var/tmp/x'", Kind.PERMISSION),
        ("KeyError: 3", Kind.MISSING_VOLUMES),
        ("KeyError: 'x'", Kind.NOT_RESTORED),
    ],
)  # fmt: skip
def test_the_words_of_an_error_are_its_cause(words: str, kind: Kind) -> None:
    assert ended(30, True, f"ERROR 30 X\n. {words}\n\n").kind is kind


@pytest.mark.parametrize(
    ("line", "volumes"),
    [
        ("INFO 2 1 5\n", 1),
        ("INFO 2 5 5", 5),
        ("INFO 2 123456789 123456789\n", 123456789),
        ("INFO 2 1\n", 0),
        ("INFO 20 1 5\n", 0),
        (". INFO 2 1 5\n", 0),
        ("INFO 2 x 5\n", 0),
        ("", 0),
    ],
)
def test_progress_is_how_many_volumes_have_been_read(line: str, volumes: int) -> None:
    assert progress(line) == volumes


def test_progress_is_in_the_log_of_all_versions() -> None:
    for version in ("0.8.23", "3.2.1"):
        found = filter(None, map(progress, log("good", version).splitlines(keepends=True)))
        assert list(found) == [1, 2]


def test_a_full_disk_is_seen_by_one_line() -> None:
    for version in ("0.8.23", "3.2.1"):
        assert any(map(no_space, log("target-full", version).splitlines()))
        for name in ("good", "nosuch", "no-passphrase", "flipped-volume"):
            assert not any(map(no_space, log(name, version).splitlines()))


@given(st.integers(0, 255), st.booleans(), st.text())
def test_any_text_has_an_end(status: int, by_itself: bool, text: str) -> None:
    for whole in (text, f"ERROR 30 X\n. {text}\n", log("no-passphrase") + text):
        found = ended(status, by_itself, whole)
        good = by_itself and status in (0, 19)
        assert (found.kind is None) is good
        assert bool(found.reason) is not good
        assert found.is_there is not (by_itself and status == 19)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("gpg: problem with the agent: No pinentry", Kind.NO_DRILL),
        ("gpg: can't connect to the agent: IPC connect call failed", Kind.NO_DRILL),
        ("gpg: public key decryption failed: Operation cancelled", Kind.NO_DRILL),
        ("gpg: public key decryption failed: Timeout", Kind.NO_DRILL),
        ("gpg: public key decryption failed: Inappropriate ioctl for device", Kind.NO_DRILL),
        ("gpg: public key decryption failed: Card error", Kind.NO_DRILL),
        ("MemoryError", Kind.NO_DRILL),
        ("OSError: [Errno 12] Cannot allocate memory", Kind.NO_DRILL),
        ("OSError: [Errno 5] Input/output error: '/x'", Kind.NOT_RESTORED),
        ("OSError: [Errno 24] Too many open files: '/x'", Kind.NO_DRILL),
        (
            """\
gpg: public key decryption failed: Bad passphrase
. gpg: decryption failed: No secret key""",
            Kind.WRONG_PASSPHRASE,
        ),
        ("gpg: decryption failed: No secret key", Kind.NO_SECRET_KEY),
    ],
)
def test_what_is_of_this_machine_is_no_damage(said: str, kind: Kind) -> None:
    for status in (1, 30, 31):
        assert ended(status, True, f"ERROR {status} X\n. {said}\n").kind is kind


@pytest.mark.parametrize(
    "said",
    [
        "ERROR 21\n. Invalid data - SHA1 hash mismatch for file:\n. x.vol1.difftar.gpg\n",
        "WARNING 1\n. IGNORED_ERROR: Warning: ignoring error as requested: OtherError: x\n",
    ],
)
@pytest.mark.parametrize("status", [0, 1, 21])
def test_an_error_that_was_ignored_is_one(said: str, status: int) -> None:
    assert ended(status, True, said).kind is Kind.ROTTEN


@pytest.mark.parametrize(
    ("said", "good"),
    [
        ("Error 'librsync error 103 while in patch cycle' processing .", False),
        ("Error '[Errno 28] No space left on device' processing a/b", False),
        ("Error '[Errno 1] Operation not permitted: b'/x'' processing .", True),
    ],
)
def test_what_is_only_warned_of_is_not_restored(said: str, good: bool) -> None:
    found = ended(0, True, f"WARNING 12 '.'\n. {said}\n")
    assert found == (Ended() if good else Ended(Kind.NOT_RESTORED, said))


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--file-prefix", "web-", "--time-separator", "_", "--timeout=5", "-v8"], ""),
        (["--s3-endpoint-url", "https://x", "--ignore-errors"], "--ignore-errors"),
        (["--ign"], "--ign"),
        (["--rename", "a", "b"], "--rename"),
        (["--file-to-restore=x"], "--file-to-restore=x"),
        (["-t", "1D"], "-t"),
        (["-rx"], "-rx"),
    ],
)
def test_options_with_which_a_restore_proves_nothing(options: list[str], word: str) -> None:
    assert refused(options) == (f"with {word} a restore proves nothing" if word else "")


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_of_all_errors_only_those_of_who_may_not_give_files_away_are_harmless(number: int) -> None:
    """Their numbers begin alike: 1, 13 and 122, which is a quota that is used up."""
    said = f"Error '[Errno {number}] {os.strerror(number)}: b'/x'' processing a/b"
    found = ended(0, True, f"WARNING 12 '.'\n. {said}\n")
    harmless = number in (errno.EPERM, errno.EACCES)
    assert found == (Ended() if harmless else Ended(Kind.NOT_RESTORED, said))


def record_of(level: str, *lines: str) -> str:
    return "\n".join([level, *(f". {line}" for line in lines), "", ""])


@pytest.mark.parametrize(
    ("status", "by_itself", "log", "result"),
    [
        (0, True, "", Ended()),
        (0, True, record_of("INFO 1", "MemoryError"), Ended()),
        (19, True, "", Ended(is_there=False)),
        (0, True, "Error 'x' processing y", Ended(Kind.NOT_RESTORED, "Error 'x' processing y")),
        (0, True, "Error '[Errno 1] x' processing y", Ended()),
        (0, True, "Error '[Errno 13] x' processing y", Ended()),
        (0, True, "Error '[Errno 2] x' processing y",
         Ended(Kind.NOT_RESTORED, "Error '[Errno 2] x' processing y")),
        (9, False, "", Ended(Kind.KILLED, "duplicity was killed by SIGKILL")),
        (0, False, "", Ended(Kind.KILLED, "duplicity was killed by signal 0")),
        (21, True, "", Ended(Kind.ROTTEN, "duplicity failed with 21")),
        (31, True, "", Ended(Kind.GPG, "duplicity failed with 31 (GPG failed)")),
        (38, True, "", Ended(Kind.CONNECTION, "duplicity failed with 38 (connection failed)")),
        (50, True, "", Ended(Kind.CONNECTION, "duplicity failed with 50 (backend error)")),
        (56, True, "",
         Ended(Kind.CONNECTION, "duplicity failed with 56 (backend validation failed)")),
        (49, True, "", Ended(Kind.NOT_RESTORED, "duplicity failed with 49")),
        (57, True, "", Ended(Kind.NOT_RESTORED, "duplicity failed with 57")),
        (30, True, record_of("ERROR 30", "[Errno 28] x"),
         Ended(Kind.NO_ROOM, "no space is left to restore to")),
        (30, True, record_of("ERROR 30", "Cannot allocate memory"),
         Ended(Kind.NO_DRILL, "this machine has no memory left")),
        (30, True, record_of("ERROR 30", "[Errno 24] x"),
         Ended(Kind.NO_DRILL, "too many files are open")),
        (31, True, record_of("ERROR 31", "gpg: problem with the agent: x"),
         Ended(Kind.NO_DRILL, "gpg's agent did not give the key")),
        (30, True, record_of("ERROR 30", "[Errno 5] x"),
         Ended(Kind.NOT_RESTORED, "input/output error: a disk can't be read")),
        (30, True, record_of("ERROR 30", "KeyError: 2"),
         Ended(Kind.MISSING_VOLUMES, "a volume is not there")),
        (31, True, record_of("ERROR 31", "public key decryption failed: Bad passphrase"),
         Ended(Kind.WRONG_PASSPHRASE, "wrong passphrase of the secret key")),
        (31, True, record_of("ERROR 31", "No secret key"),
         Ended(Kind.NO_SECRET_KEY, "the secret key is not on this host")),
        (31, True, record_of("ERROR 31", "encrypted with 1 passphrase", "No secret key"),
         Ended(Kind.WRONG_PASSPHRASE, "wrong passphrase or key")),
        (31, True, record_of("ERROR 31", "EOFError"),
         Ended(Kind.NO_PASSPHRASE, "no passphrase was given")),
    ],
)  # fmt: skip
def test_each_end_of_a_restore_has_its_kind_and_reason(
    status: int, by_itself: bool, log: str, result: Ended
) -> None:
    assert ended(status, by_itself, log) == result


def test_of_several_volumes_with_another_hash_the_last_is_named() -> None:
    log = "".join(
        record_of("ERROR 21", "hash mismatch for file:", f"{name} x") for name in ("vol1", "vol2")
    )
    assert ended(0, True, log)[::2] == (Kind.ROTTEN, "vol2")
    assert ended(21, True, log)[::2] == (Kind.ROTTEN, "vol2")


def test_only_what_informs_is_left_out() -> None:
    log = "one\nINFO 1\n. a\n. b\ntwo\n. c\nERROR 1 x\n. d\nNOTICE 1\n. e\nDEBUG 1\n.\nERROR 2x\n"
    assert problems(log) == "one\ntwo\n. c\nERROR 1 x\n. d\nERROR 2x"
