"""Output as on real hosts: duply, backupninja, systemd and scripts report the result of a run.

The frames are those of duply 2.4.1 and backupninja 1.2.2, from their sources, and those of systemd,
from its catalogue of messages.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from check_duplicity.duplicity import languages
from check_duplicity.nagios.findings import State
from check_duplicity.runs.judge import judge, not_made_out, restored, verdicts
from check_duplicity.runs.mail import Mail
from check_duplicity.runs.read import of_log, of_mail, told_apart
from check_duplicity.runs.reader import LogReader
from samples import CAPTURES, NOW

RUNS = CAPTURES / "runs"
GOOD = (RUNS / "3.2.1/good-full.out").read_text()
FAILED = (RUNS / "3.2.1/nospace-dest.out").read_text()
REMOVED = (RUNS / "3.2.1/good-remove-nothing.out").read_text()
LATEST = NOW.timestamp() + 86400
OK, WARNING, CRITICAL, UNKNOWN = State.OK, State.WARNING, State.CRITICAL, State.UNKNOWN
DUPLY = "Start duply v2.4.1, time is 2026-11-25 02:00:00.\nUsing profile '/etc/duply/web'.\n"
AT = "at Wed Nov 25 02:00:01 CET 2026"


def command(name: str, text: str, code: int = 0) -> str:
    """Return the lines that duply prints around one of its commands."""
    state = "OK" if code == 0 else f"FAILED 'code {code}'"
    end = f"--- Finished state {state} {AT} - Runtime 00:00:01.020 ---\n"
    task = f"Wed Nov 25 02:00:09 CET 2026 Task '{name}' failed with exit code '{code}'.\n"
    return f"\n--- Start running command {name} {AT} ---\n{text}{task if code else ''}{end}"


def told(runs: list[object]) -> tuple[State | None, str]:
    """Return the state, and all texts."""
    found = verdicts([run._replace(time=NOW.timestamp()) for run in runs], 0)  # type: ignore[attr-defined]
    if not found:
        return None, ""
    unread = not_made_out(found)
    if unread:
        return UNKNOWN, str(unread.reason)
    findings = list(judge(found, NOW))
    state = max((finding.state for finding in findings), default=OK)
    return state, "\n".join(f"{finding.text}\n{finding.quote}" for finding in findings)


def in_log(text: str) -> tuple[State | None, str]:
    reader = LogReader(str, LATEST)
    for line in text.split("\n"):
        reader.read(line)
    return told(list(of_log("web", "web", "backup", reader.runs())))


def in_mail(text: str, subject: str = "bk.sh", *, failed: bool = True) -> tuple[State | None, str]:
    return told([of_mail(Mail("root", "h", subject, failed, False, 0.0, text), str, None)])


NINJA = (
    "Nov 25 02:00:01 Info: >>>> starting action /etc/backup.d/90.dup (because of --now)\n"
    "Nov 25 02:00:01 Fatal: Duplicity failed.\n"
    "Nov 25 02:00:01 Fatal: <<<< finished action /etc/backup.d/90.dup: FAILED\n"
)
UMOUNT = "Running '/etc/duply/web/post' - FAILED (code 1)\nOutput: umount: /mnt: target is busy.\n"
FRAMES = {
    "duply failed without a word": (
        GOOD + DUPLY + command("BKP", "", 2), CRITICAL, "Task 'BKP' failed"),
    "only the end of duply's frame": (
        GOOD + "--- Finished state FAILED 'code 2' at 02:00:09 - Runtime 00:00:01.020 ---\n",
        CRITICAL, "Finished state FAILED"),
    "duply skipped the backup": (
        GOOD + "--- Skipping command BKP ! ---\n", CRITICAL, "Skipping command BKP"),
    "duply: pre failed, and so the backup was skipped": (
        GOOD + DUPLY + command("PRE", "", 1) + "\n--- Skipping command BKP ! ---\n", CRITICAL, ""),
    "duply skipped what only follows a failure": (
        DUPLY + command("INCR", GOOD) + "\n--- Skipping command FULL ! ---\n", OK, ""),
    "duply, all good": (
        DUPLY + command("PRE", "") + command("BKP", GOOD) + command("POST", ""), OK, ""),
    "duply's post script failed": (
        DUPLY + command("BKP", GOOD) + command("POST", UMOUNT, 1), WARNING, "umount: /mnt"),
    "duply's purge failed": (
        DUPLY + command("BKP", GOOD) + command("PURGE", FAILED, 50), CRITICAL,
        "the backup of the same run is good"),
    "duply's own fatal error": (
        GOOD + "Sorry. A fatal ERROR occurred: Encryption failed (Code 2). "
        "gpg: X: skipped: No public key\n", CRITICAL, "gpg lacks a key"),
    "duply's own fatal error, as it prints it": (
        GOOD + DUPLY + "\nSorry. A fatal ERROR occured:\n\nEncryption failed (Code 2).\n"
        "gpg: X: skipped: No public key\n", CRITICAL, "gpg lacks a key"),
    "backupninja": (
        NINJA, CRITICAL, "Duplicity failed"),
    "backupninja, bare": (GOOD + "Fatal: Duplicity failed.\n", CRITICAL, ""),
    "backupninja, locked": (
        GOOD + "Fatal: Could not acquire lock /var/lock/x. A backup is probably already running "
        "for /etc/backup.d/90.dup.\n", CRITICAL, ""),
    "backupninja, another action": (
        GOOD + "Fatal: <<<< finished action /etc/backup.d/20.mysql: FAILED\n", OK, ""),
    "systemd, no memory": (
        GOOD + "bk.service: Failed with result 'oom-kill'.\n", CRITICAL, "before it was done"),
    "systemd, a status": (
        GOOD + "bk.service: Main process exited, code=exited, status=50/n/a\n", CRITICAL, ""),
    "systemd, a signal": (
        GOOD + "bk.service: Main process exited, code=killed, status=9/KILL\n", CRITICAL, ""),
    "systemd, behind a good backup": (
        "Starting bk.service - Backup...\n" + GOOD
        + "bk.service: Main process exited, code=exited, status=1/FAILURE\n", WARNING, ""),
    "systemd, success": (GOOD + "bk.service: Deactivated successfully.\n", OK, ""),
    "the next run is good": (
        DUPLY + command("BKP", "", 2) + DUPLY + command("BKP", GOOD), OK, ""),
    "a shell": (GOOD + "/root/bk.sh: line 12:  1234 Killed   duplicity /a\n", CRITICAL, ""),
    "cleanup failed behind a backup": (
        GOOD + "Main action: cleanup\n" + FAILED, CRITICAL, "the backup of the same run is good"),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_what_stands_around_duplicity_counts(name: str) -> None:
    text, state, words = FRAMES[name]
    found, said = in_log(text)
    assert found == state, said
    assert words in said


@pytest.mark.parametrize("prefix", ["Nov 25 02:00:01 ", "[INFO] ", "web-1  | ", "<6>"])
@pytest.mark.parametrize("name", FRAMES)
def test_and_behind_a_prefix_too(name: str, prefix: str) -> None:
    text, state, _ = FRAMES[name]
    assert in_log("\n".join(prefix + line for line in text.split("\n")))[0] == state


def test_a_mail_of_duplys_is_duplicitys_though_its_name_is_not_in_it() -> None:
    text = (
        "Sorry. A fatal ERROR occurred: Encryption failed (Code 2). gpg: X: skipped: No public key"
    )
    state, said = in_mail(text, "duply web backup")
    assert state == CRITICAL
    assert "gpg lacks a key" in said


SCRIPTS = {
    "another program": ("curl: (28) Connection timed out", "curl: (28)"),
    "permission denied to another": ("mail: Permission denied", "mail: Permission"),
    "nothing": ("", "the script ended with an error"),
    "nothing was to be removed": (REMOVED, "the script ended with an error"),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_that_fails_behind_a_good_backup_is_a_warning_with_its_own_words(
    name: str,
) -> None:
    text, words = SCRIPTS[name]
    state, said = in_mail(GOOD + text)
    assert state == WARNING
    assert "the backup is good" in said
    assert words in said
    assert not re.search(r"not reached|permission denied,|---|No old backup", said)


def test_a_removal_that_fails_is_critical_and_the_backup_good() -> None:
    state, said = in_mail(GOOD + FAILED)
    assert state == CRITICAL
    assert "the backup of the same run is good" in said


def test_a_failure_before_a_good_backup_is_not_told_to_be_behind_it() -> None:
    state, said = in_mail(FAILED + GOOD)
    assert state == CRITICAL
    assert "of the same run is good" not in said


NAMES = (
    "S3UploadFailedError",
    "NotADirectoryError",
    "timeout",
    "Überlauf",
    "_E",
    "Http2",
    "gaierror",
)


def messages(english: str) -> list[list[str]]:
    """Return the pieces of a message of duplicity in each other language."""
    known = json.loads(Path(languages.__file__).with_name("messages.json").read_text())
    return [
        pieces for found in known.values() for original, *pieces in found if original == english
    ]


@pytest.mark.parametrize("pieces", messages("Giving up after %s attempts. %s: %s"), ids="%".join)
@pytest.mark.parametrize("name", NAMES)
def test_giving_up_is_a_failure_in_every_language_for_every_class(
    pieces: list[str], name: str
) -> None:
    text = f"{pieces[0]} 5 {pieces[1]} {name}: x".lstrip()
    assert in_log(GOOD + text)[0] == CRITICAL
    assert in_log(f"{GOOD}Nov 25 02:00:01 {text}")[0] == CRITICAL


@pytest.mark.parametrize("colon", [":", ": ", " : ", "\xa0: "])
def test_blanks_around_the_class_do_not_matter(colon: str) -> None:
    assert in_log(f"{GOOD}Rezygnacja po 2 próbach. NotADirectoryError{colon}Not")[0] == CRITICAL


@pytest.mark.parametrize(
    "pieces",
    messages("Attempt %s failed. %s: %s") + messages("Attempt of %s Nr. %s failed. %s: %s"),
    ids="%".join,
)
def test_trying_again_is_no_failure_in_any_language(pieces: list[str]) -> None:
    *begin, end, _ = pieces
    values = ("put", "1", "SSLError", "timed out")[-len(begin) - 1 :]
    text = " ".join(part for pair in zip(begin, values) for part in pair) + f"{end} {values[-1]}\n"
    assert in_log(text + GOOD)[0] == OK
    assert in_log(text)[0] is None


def test_a_retry_behind_a_time_is_nothing_alone() -> None:
    assert in_log("Nov 25 02:00:01 Attempt 1 failed. SSLError: timed out")[0] is None


def test_times_in_front_tell_when_a_run_failed() -> None:
    reader = LogReader(str, LATEST)
    reader.read("2026-11-23T02:00:05Z BackendException: x")
    [run] = of_log("web", "web", "backup", reader.runs())
    assert run.time == datetime(2026, 11, 23, 2, 0, 5, tzinfo=timezone.utc).timestamp()


LOCKED = "Another instance is already running with this archive directory"
WORDS = {
    "archive directory": (LOCKED, "another duplicity has locked the archive directory"),
    "Unauthorised. Check username": ("Unauthorised. Check username and key", "login refused"),
    "NoAuthHandlerFound": ("NoAuthHandlerFound: No handler was ready", "login refused"),
    "ExpiredToken": ("ClientError: ExpiredToken", "login refused"),
    "expired_access_token": ("AuthError: expired_access_token", "login refused"),
    "invalid_grant": ("RefreshError: invalid_grant: Bad Request", "login refused"),
    "cap": ("BackendException: storage cap exceeded", "no space left at the destination"),
    "Out of space": ("Out of space for destination file", "no space left at the destination"),
    "NoSuchBucket": ("ClientError: NoSuchBucket", "the destination is not there"),
    "bucket": ("ClientError: The specified bucket does not exist", "the destination is not there"),
    "BucketNotFound": ("B2Error: BucketNotFound", "the destination is not there"),
    "404": ("BackendException: 404 Not Found", "the destination is not there"),
}


@pytest.mark.parametrize("name", WORDS)
def test_the_words_of_other_destinations_are_known(name: str) -> None:
    text, words = WORDS[name]
    state, said = in_mail(f"{text}\nBackendException: x")
    assert state == CRITICAL
    assert words in said


def test_another_instance_is_a_failure() -> None:
    assert in_log(GOOD + LOCKED)[0] == CRITICAL


HINT = "/usr/lib/python3/dist-packages/x.py:3: DeprecationWarning: the imp module is deprecated"


@pytest.mark.parametrize(("minutes", "state"), [(1, OK), (59, OK), (61, WARNING), (-1, OK)])
def test_a_hint_alone_is_good_if_a_set_was_completed_just_before(
    minutes: int, state: State
) -> None:
    run = of_mail(Mail("root", "h", "duplicity", False, False, NOW.timestamp(), HINT), str, None)
    complete = NOW - timedelta(minutes=minutes)
    found = restored(verdicts([run], 0), complete)
    assert max((finding.state for finding in judge(found, NOW)), default=OK) == state


@pytest.mark.parametrize("failed", [True, False])
def test_a_mail_that_merely_names_duplicity_is_not_its(failed: bool) -> None:
    subject = "test -x /usr/sbin/cron-apt && /usr/sbin/cron-apt"
    for text in (
        "Setting up duplicity (1.2.2-2) ...",
        "The following packages will be upgraded:\n  duplicity gpg\nE: Sub-process failed",
    ):
        assert in_mail(text, subject, failed=failed)[0] is None


def test_a_command_that_names_it_is_its() -> None:
    for subject in ("duplicity /a file:///b", "/usr/bin/duply web backup", "/usr/sbin/backupninja"):
        assert in_mail("", subject)[0] == CRITICAL


def twice(text: str, *, record_first: bool) -> str:
    """Return each line of a run twice: as printed, and as in --log-file."""
    lines = []
    for line in text.split("\n"):
        records = ["NOTICE 1", f". {line}", ""]
        lines += [*records, line] if record_first else [line, *records]
    return "\n".join(lines)


@pytest.mark.parametrize("record_first", [True, False])
def test_output_and_log_file_in_one_file_are_one_run(record_first: bool) -> None:
    for text, state in ((GOOD, OK), (REMOVED, OK), (GOOD + REMOVED, OK), (FAILED, CRITICAL)):
        assert in_log(twice(GOOD, record_first=record_first) + text)[0] == state
        assert in_log(GOOD + twice(text, record_first=record_first))[0] == state
        assert in_log(twice(text + GOOD, record_first=record_first))[0] == OK


def test_and_a_run_that_has_no_end_still_has_none() -> None:
    killed = (RUNS / "3.2.1/sigkill.out").read_text()
    assert in_log(twice(GOOD + killed, record_first=True))[0] == CRITICAL
    assert in_log(twice(GOOD, record_first=False) + killed)[0] == CRITICAL


GIVES_UP = "Giving up after 5 attempts. OSError: x\n"
OPENINGS = {
    "the backup's name": "Using archive dir: /a/{0}\nUsing backup name: {0}\n",
    "the archive directory": "Using archive dir: /root/.cache/duplicity/{0}\n",
    "the arguments": "Args: /usr/bin/duplicity full --name {0} /srv file:///b --no-encryption\n",
    "the arguments' archive": "Args: /d/duplicity /s file:///b --archive-dir /a --name {0}\n",
    "a file in the archive directory": "Synchronizing remote metadata to local cache...\n"
    "Deleting local /a/{0}/duplicity-full.20261118T110640Z.manifest (x).\n",
    "duply's profile": "Start duply v2.4.1, time is x.\nUsing profile '/etc/duply/{0}'.\n",
}


def states(text: str) -> dict[str, State]:
    """Return the state of each job of a log."""
    reader = LogReader(str, LATEST)
    for line in text.split("\n"):
        reader.read(line)
    runs = [run._replace(time=i) for i, run in enumerate(of_log("log", "log", "u", reader.runs()))]
    return {
        verdict.run.name: max((f.state for f in judge([verdict], NOW)), default=OK)
        for verdict in verdicts(told_apart(runs, "log", "log"), 0)
    }


@pytest.mark.parametrize("name", OPENINGS)
def test_jobs_that_write_to_one_log_have_each_a_verdict(name: str) -> None:
    one, other = (OPENINGS[name].format(job) for job in ("web", "db"))
    text = one + GIVES_UP + other + GOOD
    assert states(text) == {"web": CRITICAL, "db": OK}
    assert states(text + one + GOOD) == {"web": OK, "db": OK}
    assert states(one + GIVES_UP + one + GOOD) == {"log": OK}
    assert states(one + GOOD + other + GOOD) == {"web": OK, "db": OK}


def test_the_path_tells_more_than_the_name() -> None:
    one, other = (f"Using archive dir: {at}/web\nUsing backup name: web\n" for at in ("/a", "/b"))
    assert states(one + GIVES_UP + other + GOOD) == {"log: /a/web": CRITICAL, "log: /b/web": OK}


def test_the_lock_tells_whose_job_was_locked() -> None:
    locked = (RUNS / "3.2.1/lock.out").read_text()
    text = OPENINGS["the archive directory"].format("web") + GOOD
    assert states(text + locked) == {"web": OK, "job": CRITICAL}


def test_programs_that_write_to_one_syslog_have_each_a_verdict() -> None:
    def line(program: str, text: str) -> str:
        front = f"Nov 25 02:00:01 h {program}[7]: "
        return "".join(f"{front}{line}\n" for line in text.split("\n"))

    text = line("bk-web", GIVES_UP) + line("CRON", "x") + line("bk-db", GOOD)
    assert states(text) == {"h bk-web": CRITICAL, "h bk-db": OK}
    assert states(text + line("bk-web", GOOD)) == {"h bk-web": OK, "h bk-db": OK}
    assert states(line("app", "ValueError: x") + line("bk-db", GOOD)) == {"log": OK}


def test_what_does_not_say_whose_it_is_is_cleared_when_all_are_good() -> None:
    web, db = (OPENINGS["the backup's name"].format(job) for job in ("web", "db"))
    both = web + GOOD + db + GOOD
    assert states(both + "duplicity: error: x\n")["log"] == CRITICAL
    assert states(both + "duplicity: error: x\n" + web + GOOD)["log"] == CRITICAL
    assert states(both + "duplicity: error: x\n" + both) == {"web": OK, "db": OK}


def journal(program: str, text: str) -> str:
    return "".join(f"Nov 25 02:00:01 h {program}[1]: {line}\n" for line in text.split("\n"))


def test_systemd_speaks_of_the_unit_in_its_journal() -> None:
    killed = journal("systemd", "bk.service: Failed with result 'oom-kill'.")
    good = journal("systemd", "Starting bk.service - Backup...") + journal("bk.sh", GOOD)
    assert in_log(good)[0] == OK
    assert in_log(good + journal("systemd", "Starting bk.service - Backup...") + killed)[0] == (
        CRITICAL
    )
    assert in_log(good + killed)[0] == WARNING
    assert in_log(journal("bk.sh", GOOD) + killed)[0] == CRITICAL
    assert in_log(good + journal("systemd", "Deactivated successfully."))[0] == OK


def test_systemd_speaks_of_other_units_in_a_syslog() -> None:
    apt = "apt-daily.service: Failed with result 'exit-code'."
    text = journal("systemd", "Starting cron.service - x...") + journal("bk.sh", GOOD)
    assert in_log(text + journal("systemd", apt))[0] == OK
    assert in_log(text + journal("systemd", "bk.service: Failed with result 'timeout'."))[0] == (
        CRITICAL
    )
