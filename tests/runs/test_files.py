"""Mailboxes and logs that grow, are rotated, cut or rewritten: the state file is only a cache."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import os
import quopri
import re
import resource
import shutil
import time
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from check_duplicity.runs import files, mailboxes
from check_duplicity.runs.judge import judge, verdicts
from check_duplicity.runs.mail import read_mail
from check_duplicity.runs.model import Logged, logged_of, values_of_logged
from check_duplicity.runs.paths import Log
from check_duplicity.runs.read import of_mail
from check_duplicity.system.memory import recall
from hypothesis import given, settings
from hypothesis import strategies as st
from plugin import Result, ageless, run_plugin
from samples import CAPTURES

RUNS = CAPTURES / "runs"
GOOD = (RUNS / "3.2.1/good-full.out").read_text()
FAILED = (RUNS / "3.2.1/nospace-dest.out").read_text()
ORPHANED = (RUNS / "0.8.23/orphan-several.out").read_text()
KILLED = (RUNS / "0.8.23/sigkill.out").read_text()
NOW = datetime.now(timezone.utc)
DAY = 86400
SPOOL = "/var/spool/duplicity"


def recent(text: str, ago: float = 0) -> str:
    """Good output whose statistics are of so many seconds ago, not of when it was captured."""
    lines = []
    for line in text.split("\n"):
        word = line.split(" ")[0]
        lines.append(
            f"{word} {time.time() - ago:.2f} (then)" if word in ("StartTime", "EndTime") else line
        )
    return "\n".join(lines)


def mail(body: str, *, job: str = "assets", ago: float = 0, failed: bool = False) -> str:
    """A mail of Debian's cron, as exim delivers it to an mbox."""
    sent = datetime.now(timezone.utc) - timedelta(seconds=ago)
    body = "\n".join(f">{line}" if line.startswith("From ") else line for line in body.split("\n"))
    return (
        f"From backup@host {sent:%a %b %d %H:%M:%S %Y}\n"
        f"From: root@host (Cron Daemon)\nTo: backup@host\n"
        f"Subject: Cron <backup@host> {SPOOL}/{job}.sh{' (failed)' if failed else ''}\n"
        f"Content-Type: text/plain; charset=US-ASCII\n"
        f"Date: {format_datetime(sent)}\n\n{body}\n\n"
    )


def check(*arguments: object, state: Path | None = None, **options: object) -> Result:
    memory = ["--state-file", state] if state else []
    return run_plugin("check_duplicity_log", [*memory, *arguments], **options)  # type: ignore[arg-type]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    return directory / "log.json"


# What jobs' output looks like in each form: appended to a log, or to an mbox.
FORMS: dict[str, Callable[..., str]] = {
    "log": lambda body, failed=False, ago=0: recent(body, ago),
    "mbox": lambda body, failed=False, ago=0: mail(recent(body), failed=failed, ago=ago),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_finding_stays_until_a_good_run_and_over_rotation(
    form: str, tmp_path: Path, state: Path
) -> None:
    log = tmp_path / "assets.log"

    def append(body: str, failed: bool = False, ago: float = 0) -> None:
        with log.open("a") as opened:
            opened.write(FORMS[form](body, failed=failed, ago=ago))

    def status() -> int:
        with_memory = check(log, state=state)
        without = check(log, state=tmp_path / "state" / "other.json")
        (tmp_path / "state" / "other.json").unlink(missing_ok=True)
        assert with_memory.status == without.status
        return with_memory.status

    append(GOOD, ago=3600)
    states = [status()]
    append(FAILED, failed=True)
    states += [status(), status()]
    append(GOOD)
    states.append(status())
    append(FAILED, failed=True)
    states.append(status())
    log.rename(tmp_path / "assets.log.1")
    states.append(status())
    (tmp_path / "assets.log.1").unlink()
    states.append(status())
    assert states == [0, 2, 2, 0, 2, 2, 3]


def test_what_was_not_read_before_rotation_is_read_afterwards(tmp_path: Path, state: Path) -> None:
    log = tmp_path / "assets.log"
    log.write_text(recent(GOOD))
    assert check(log, state=state).status == 0
    with log.open("a") as opened:
        opened.write(FAILED)
    log.rename(tmp_path / "assets.log.1")
    log.touch()
    assert check(log, state=state).status == 2
    with gzip.open(tmp_path / "assets.log.2.gz", "wb") as opened:
        opened.write((tmp_path / "assets.log.1").read_bytes())
    (tmp_path / "assets.log.1").unlink()
    assert check(log, state=state).status == 2
    log.write_text(recent(GOOD))
    assert check(log, state=state).status == 0


@pytest.mark.parametrize(
    ("path", "beside"),
    [
        ("assets.log", "assets.log.1"),
        ("assets.log", "assets.log-20261123"),
        ("assets.log", "assets.log-20261123.gz"),
        ("assets.log", "assets-20261123.log"),
        ("assets.log", "assets.log.20261123"),
        ("assets.log", "assets.log.old"),
        ("assets.log", "assets.log.12.xz"),
        ("mail", "mail.1.bz2"),
    ],
)
def test_rotated_files_are_found(path: str, beside: str, tmp_path: Path) -> None:
    compressors: dict[str, Callable[[bytes], bytes]] = {
        ".gz": gzip.compress,
        ".xz": lzma.compress,
        ".bz2": bz2.compress,
    }
    compress = compressors.get(Path(beside).suffix, bytes)
    (tmp_path / beside).write_bytes(compress(FAILED.encode()))
    assert check(tmp_path / path).status == 2
    for other in ("assets.log.bak~", "assets.logs", "other.log.1", "assets.log.1.swp"):
        (tmp_path / other).write_text(recent(GOOD))
    assert check(tmp_path / path).status == 2


def look(path: Path, kept: dict[str, object], now: float) -> tuple[list[Logged], dict[str, object]]:
    found = files.look(Log(str(path)), kept, files.Look(now, now - 8 * DAY, str))
    assert found.problems == ()
    return found.runs, json.loads(json.dumps(found.kept))


TEXTS = (GOOD, FAILED, ORPHANED, KILLED, "noise\n", GOOD[: len(GOOD) // 2])
STEPS = st.sampled_from(
    ["append", "append", "append", "rotate", "compress", "copytruncate", "truncate", "rewrite",
     "delete"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    form=st.sampled_from(["log", "mbox"]),
    steps=st.lists(
        st.tuples(STEPS, st.integers(0, len(TEXTS) - 1), st.integers(0, 2), st.integers(0, 9)),
        min_size=1,
        max_size=12,
    ),
)
def test_memory_changes_no_answer(
    tmp_path_factory: pytest.TempPathFactory, form: str, steps: list[tuple[str, int, int, int]]
) -> None:
    directory = tmp_path_factory.mktemp("log")
    log = directory / "assets.log"
    log.touch()
    kept: dict[str, object] = {}
    for step, number, job, ago in steps:
        text = TEXTS[number]
        if form == "mbox":
            text = mail(text, job=f"job{job}", ago=ago * 3600.0, failed=number == 1)
        rotated = directory / "assets.log.1"
        if step == "append":
            with log.open("a") as opened:
                opened.write(text)
        elif step == "rotate":
            log.rename(rotated)
            log.touch()
        elif step == "compress" and rotated.exists():
            with gzip.open(directory / "assets.log.2.gz", "wb") as compressed:
                compressed.write(rotated.read_bytes())
            rotated.unlink()
        elif step == "copytruncate":
            shutil.copyfile(log, rotated)
            os.truncate(log, 0)
        elif step == "truncate":
            os.truncate(log, 0)
        elif step == "rewrite":
            log.write_text(text)
        elif step == "delete":
            rotated.unlink(missing_ok=True)
        now = time.time() + 5
        runs, kept = look(log, kept, now)
        assert runs == look(log, {}, now)[0]


def test_damaged_or_foreign_memory_changes_no_answer(tmp_path: Path, state: Path) -> None:
    log = tmp_path / "assets.log"
    log.write_text(recent(GOOD) + FAILED)
    os.utime(log, (time.time() - 3630,) * 2)  # So that it is an hour old however long this takes.
    right = check(log, state=state).out
    whole = recall(str(state))
    for damaged in (
        "", "{", "[]", '{"paths": 3}', '{"version": "9", "paths": {}}', "null", "\0" * 100,
    ):  # fmt: skip
        state.write_text(damaged)
        first = check(log, state=state).first_line
        assert ageless(first) == ageless(right.split("\n")[0].split(" | ")[0])
    for text in (json.dumps(whole), f"00000000 {json.dumps({**whole, 'paths': {}})}"):
        state.write_text(text)
        assert check(log, state=state).status == 2


NONSENSE: tuple[object, ...] = ("nonsense", float("inf"), 1e300, 10**30, None, -1, [], {})


def test_no_memory_is_nonsense_enough_to_end_a_check(tmp_path: Path) -> None:
    now = time.time()
    for form, written in FORMS.items():
        log = tmp_path / form
        log.write_text("".join(written(text, failed=False) for text in (GOOD, FAILED, GOOD)))
        _, kept = look(log, {}, now)
        for path in _places(kept):
            for nonsense in NONSENSE:
                changed = json.loads(json.dumps(kept))
                _set(changed, path, nonsense)
                found = files.look(Log(str(log)), changed, files.Look(now, now - DAY, str))
                list(judge(verdicts(found.runs, 0), NOW))


def _places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The ways to every value in a JSON value."""
    if isinstance(value, dict):
        return [
            p for key, item in value.items() for p in [(*path, key), *_places(item, (*path, key))]
        ]
    if isinstance(value, list):
        return [p for i, item in enumerate(value) for p in [(*path, i), *_places(item, (*path, i))]]
    return []


def _set(value: object, path: tuple[object, ...], new: object) -> None:
    for step in path[:-1]:
        value = value[step]  # type: ignore[index]
    value[path[-1]] = new  # type: ignore[index]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_half_written_is_left_for_the_next_check(
    form: str, tmp_path: Path, state: Path
) -> None:
    log = tmp_path / "log"
    text = FORMS[form](FAILED, failed=True)
    log.write_text(FORMS[form](GOOD))
    for end in (len(text) // 2, len(text) - 3):
        before = log.read_text()
        log.write_text(before + text[:end].rstrip("\n"))
        if form == "mbox":
            assert check(log, state=state).status == 0
        log.write_text(before)
    with log.open("a") as opened:
        opened.write(text)
    assert check(log, state=state).status == 2


def test_a_last_line_that_nobody_ends_is_read_after_a_while(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(recent(GOOD) + "BackendException: No space left on device")
    assert check(log).status == 0
    os.utime(log, (time.time() - 300, time.time() - 300))
    assert check(log).status == 2


def test_order_is_that_of_dates_not_of_arrival(tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    box.write_text(mail(recent(GOOD), ago=60) + mail(FAILED, ago=7200, failed=True))
    assert check(box).status == 0
    box.write_text(mail(recent(GOOD), ago=7200) + mail(FAILED, ago=60, failed=True))
    assert check(box).status == 2


def test_each_job_is_judged_by_its_own_newest_run(tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    box.write_text(
        mail(FAILED, job="assets", ago=60, failed=True)
        + mail(recent(GOOD), job="www", ago=30)
        + mail(ORPHANED, job="db", ago=20)
        + mail("rotated 3 logs\n", job="../logrotate/rotate", failed=True).replace("duplicity", "")
    )
    found = check(box)
    assert found.status == 2
    assert found.first_line.startswith("DUPLICITY LOG CRITICAL - assets: failed 1m ")
    said = r" ago, no space left at the destination; db: orphaned backup sets found, 2\ds ago$"
    assert re.search(said, found.first_line)
    assert re.search(r"WARNING: db: orphaned backup sets found, 2\ds ago", found.out)
    assert (found.value("runs"), found.value("failed"), found.value("orphaned")) == (3, 1, 1)


def test_what_is_older_than_the_lookback_does_not_count(tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    box.write_text(mail(FAILED, ago=9 * DAY, failed=True))
    found = check(box)
    assert found.status == 3
    assert "no run of duplicity within 8d" in found.first_line or "no run" in found.first_line
    assert check(box, "--lookback", "10d").status == 2


def test_a_quiet_job_is_good_again_by_its_archive_directory(tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    box.write_text(mail(FAILED, ago=7200, failed=True))
    archive = tmp_path / "archive" / "job"
    archive.mkdir(parents=True)

    def backup(ago: float, part: str = "") -> None:
        stamp = (datetime.now(timezone.utc) - timedelta(seconds=ago)).strftime("%Y%m%dT%H%M%SZ")
        manifest = archive / f"duplicity-full.{stamp}.manifest{part}"
        manifest.write_text("Volume 1:\n")
        os.utime(manifest, (time.time() - ago, time.time() - ago))
        (archive / f"duplicity-full-signatures.{stamp}.sigtar.{'part' if part else 'gz'}").touch()

    which = ("-a", archive.parent, "-n", "job")
    backup(10000)
    assert check(box, *which).status == 2
    backup(3600, ".part")
    assert check(box, *which).status == 2
    backup(1800)
    found = check(box, *which)
    assert found.status == 0
    assert re.match(r"DUPLICITY LOG OK - assets: good 30m", found.first_line)
    box.write_text("")
    assert check(box, *which).first_line.startswith("DUPLICITY LOG OK - the job: good 30m")
    # What is thrown away is not looked for in a mailbox, and that is said.
    box.write_text(mail(FAILED, ago=60, failed=True))
    silent = check("/dev/null", *which)
    assert silent.first_line.startswith("DUPLICITY LOG OK - the job: good 30m")
    assert silent.out.count("its output is thrown away; freshness alone tells") == 1
    assert check(box, "/dev/null", *which).status == 2


def test_of_a_job_whose_output_is_thrown_away_nothing_is_known() -> None:
    found = check("/dev/null")
    assert found.status == 3
    said = "DUPLICITY LOG UNKNOWN - its output is thrown away; freshness alone tells"
    assert found.first_line == said


def test_two_logs_of_one_name_are_two_jobs(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a/duplicity.log").write_text(FAILED)
    (tmp_path / "b/duplicity.log").write_text(recent(GOOD))
    found = check(tmp_path / "a/duplicity.log", tmp_path / "b/duplicity.log")
    assert (found.status, found.value("runs")) == (2, 2)
    assert f"{tmp_path}/a/duplicity.log: failed" in found.first_line


def test_another_jobs_log_is_no_rotated_one(tmp_path: Path) -> None:
    (tmp_path / "db").write_text(FAILED)
    (tmp_path / "db-2").write_text(recent(GOOD))
    assert check(tmp_path / "db").status == 2


def test_what_is_given_twice_by_a_pattern_is_one_job(tmp_path: Path) -> None:
    (tmp_path / "x.log.1").write_text(FAILED)
    os.utime(tmp_path / "x.log.1", (time.time() - 60, time.time() - 60))
    (tmp_path / "x.log").write_text(recent(GOOD))
    assert check(tmp_path / "x.log", tmp_path / "x.log.1").status == 0


STATUS = (RUNS / "3.2.1/status-good.out").read_text()


@pytest.mark.parametrize("later", [STATUS, "skipped: laptop on battery\n", KILLED])
def test_only_a_good_run_ends_a_failure(later: str, tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    box.write_text(mail(FAILED, ago=60, failed=True) + mail(later))
    assert check(box).status == 2
    box.write_text(FAILED + later)
    assert check(box).status == 2


@pytest.mark.parametrize(
    "subject",
    [
        "Re: Cron <backup@host> /s/assets.sh (failed)",
        "[ops] Re: Cron <backup@host> /s/assets.sh (failed)",
        "Fwd: Cron <backup@host> /s/assets.sh (failed)",
        "Automatic reply: Cron <backup@host> /s/assets.sh (failed)",
        "Cron <backup@host> /s/assets.sh (failed)\nIn-Reply-To: <x@y>",
        "Cron <a;reboot;@host> /s/assets.sh (failed)",
    ],
)
def test_who_answers_or_forwards_is_not_cron(subject: str, tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    other = re.sub(r"Subject: .*", lambda _: f"Subject: {subject}", mail(FAILED))
    box.write_text(mail(recent(GOOD), ago=60) + other)
    assert check(box).status == 0


@pytest.mark.parametrize(
    "subject",
    [
        "[ops] Cron <backup@host> /s/assets.sh (failed)",
        "***SPAM*** Cron <backup@host> /s/assets.sh (failed)",
        "Cron <backup@host>\n /s/assets.sh (failed)",
        "=?utf-8?Q?Cron_<backup@host>_/s/assets.sh_(failed)?=",
        "=?utf-8?B?Q3JvbiA8YmFja3VwQGhvc3Q+IC9zL2Fzc2V0cy5zaCAoZmFpbGVkKQ==?=",
        '[host] Failure: backup\'s crontab "0 2 * * * /s/assets.sh"',
        "[host] Failure: /etc/cron.daily/assets",
        "Anacron job 'assets' on host",
    ],
)
def test_cron_is_known_by_its_subject(subject: str, tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    box.write_text(re.sub(r"Subject: .*", lambda _: f"Subject: {subject}", mail(FAILED)))
    assert check(box).first_line.startswith("DUPLICITY LOG CRITICAL - assets: failed")
    box.write_text(box.read_text().replace("Subject:", "SUBJECT:"))
    assert check(box).status == 2


def test_bodies_are_decoded(tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    plain = mail("@", failed=True).replace("/duplicity/", "/x/")
    for name, encoded in (
        ("base64", base64.encodebytes(FAILED.encode())),
        ("quoted-printable", quopri.encodestring(FAILED.encode())),
    ):
        head = plain.replace("\nDate:", f"\nContent-Transfer-Encoding: {name}\nDate:")
        box.write_text(head.replace("\n\n@\n", f"\n\n{encoded.decode()}\n"))
        assert "no space left at the destination" in check(box).first_line


@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 00:10:00 +0000", "soon", ""])
def test_a_senders_wrong_clock_hides_no_failure(date: str, tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    failed = re.sub(r"\nDate: .*", f"\nDate: {date}", mail(FAILED, failed=True))
    box.write_text(mail(recent(GOOD), ago=DAY) + failed)
    assert check(box).status == 2


def test_a_run_from_the_future_outranks_nothing(tmp_path: Path, state: Path) -> None:
    box = tmp_path / "mbox"
    box.write_text(mail(recent(GOOD), ago=-9 * 365 * DAY) + mail(FAILED, ago=10, failed=True))
    assert check(box, state=state).status == 2
    assert check(box, state=state).status == 2


@pytest.mark.parametrize("year", [1, 1000, 9999])
def test_a_mail_of_another_millennium_is_remembered_like_any(year: int) -> None:
    raw = f"Subject: Cron <u@h> x\nDate: Mon, 24 Nov {year:04} 04:20:00 +0000\n\n{FAILED}"
    read = read_mail(raw.encode())
    assert read is not None
    run = of_mail(read, str, None)
    assert logged_of(values_of_logged(run)) == run
    assert of_mail(read, str, NOW.timestamp()).time == NOW.timestamp()


def test_a_damaged_neighbour_hides_nothing(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(FAILED)
    for suffix in ("bz2", "gz", "xz"):
        (tmp_path / f"a.log.2.{suffix}").write_text("junk junk junk")
    assert check(log).status == 2


def test_a_neighbour_that_asks_for_gigabytes_hides_nothing(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(FAILED)
    # One block with a dictionary of 3 GiB (the .xz file format, 3.1 and 5.3.1).
    block = b"\x02\x00\x21\x01\x27\x00\x00\x00"
    header = lzma.compress(b"")[:12] + block + zlib.crc32(block).to_bytes(4, "little")
    (tmp_path / "a.log.2.xz").write_bytes(header + b"\x01\x00\x00junk")

    def limit_memory() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

    assert check(log, preexec_fn=limit_memory).status == 2


def test_a_path_that_is_not_there_hides_no_failure(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(FAILED)
    found = check(tmp_path / "a.log", tmp_path / "nosuch")
    assert found.status == 2
    assert "nosuch: No such file or directory" in found.out
    (tmp_path / "a.log").write_text(recent(GOOD))
    assert check(tmp_path / "a.log", tmp_path / "nosuch").status == 3


def test_a_longer_lookback_reads_again(tmp_path: Path, state: Path) -> None:
    box = tmp_path / "mbox"
    box.write_text(mail(FAILED, ago=5 * DAY, failed=True) + mail("x\n", job="other"))
    assert check(box, "--lookback", "1d", state=state).status != 2
    assert check(box, state=state).status == 2


def test_a_message_of_a_maildir_that_is_written_anew_is_read_anew(
    tmp_path: Path, state: Path
) -> None:
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "M" / folder).mkdir(parents=True)
    message = tmp_path / "M/new/1"
    message.write_text(mail(recent(GOOD)).split("\n", 1)[1])
    assert check(tmp_path / "M", state=state).status == 0
    message.write_text(mail(FAILED, failed=True).split("\n", 1)[1])
    assert check(tmp_path / "M", state=state).status == 2


def test_no_secret_is_shown_or_kept(tmp_path: Path, state: Path) -> None:
    box = tmp_path / "mbox"
    command = "PASSPHRASE=geheim1 duplicity --ftp-password geheim2 / sftp://u:gehe/im3@h/x"
    body = "+ export FTP_PASSWORD=geheim4\n+ duplicity --ssh-password=geheim5\nPASSPHRASE=geheim6\n"
    text = mail(body, failed=True).replace(f"{SPOOL}/assets.sh", command)
    box.write_text(text + text)
    (tmp_path / "x.log").write_text(body + "sftp://u:geheim7@h: BackendException: x\n")
    found = check(box, tmp_path / "x.log", "-v", state=state)
    assert found.status == 2
    for text in (found.out, state.read_text()):
        assert not re.search(r"geheim|gehe/im", text)


def test_a_command_to_paste_is_one_line_of_the_jobs_own(tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    subject = base64.b64encode(b"Cron <backup@host> /s/x.sh\nrm -rf /home").decode()
    text = re.sub(r"Subject: .*", f"Subject: =?utf-8?B?{subject}?=", mail(FAILED, failed=True))
    box.write_text(text)
    found = check(box)
    assert found.status == 2
    assert not any(line.startswith("rm ") for line in found.out.split("\n"))


def test_a_log_that_is_being_written_is_in_progress(tmp_path: Path) -> None:
    log = tmp_path / "assets.log"
    log.write_text(recent(GOOD) + KILLED)
    # Root's processes, who may have it open, only root sees: then a backup of that job would tell.
    job = "-d", "sftp://nobodys.invalid/x"
    with log.open("a"):
        found = check(log, *job)
        assert found.status == 0
        assert f"in progress: {log}" in found.first_line
    assert check(log, *job).status == 2
    log.write_text(KILLED)
    with log.open("a"):
        assert "is in progress, so nothing is known yet" in check(log).first_line


def test_nothing_to_read_and_nothing_recognised_is_unknown(tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    for text in ("", "hello\n", mail("rotated\n", job="x").replace("duplicity", "y"), "\0" * 1000):
        box.write_text(text)
        assert check(box).status == 3
    assert check(tmp_path / "nosuch").first_line.endswith("nosuch: No such file or directory")
    assert check(tmp_path).status == 3
    os.mkfifo(tmp_path / "fifo")
    assert "neither a file nor a Maildir" in check(tmp_path / "fifo").first_line


def test_maildirs_are_read_without_links_and_pipes(tmp_path: Path, state: Path) -> None:
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / folder).mkdir(parents=True)
    box = tmp_path / "Maildir"
    (box / "new/1.a.host").write_text(mail(recent(GOOD), ago=60).split("\n", 1)[1])
    (tmp_path / "elsewhere").write_text(mail(FAILED, failed=True).split("\n", 1)[1])
    (box / "new/2.b.host").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(box / "new/3.c.host")
    (box / "new/4.d.host").mkdir()
    assert check(box, state=state).status == 0
    (box / "new/5.e.host").write_text(mail(FAILED, failed=True).split("\n", 1)[1])
    assert check(box, state=state).status == 2
    (box / "new/5.e.host").rename(box / "cur/5.e.host:2,S")
    assert check(box, state=state).status == 2
    (box / "cur/5.e.host:2,S").unlink()
    assert check(box, state=state).status == 0


def test_real_mailboxes_are_read(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).with_name("mail"), tmp_path / "mail")
    for name in ("mbox.duplicity", "Maildir"):
        found = check(tmp_path / "mail" / name, "--lookback", "999w")
        assert found.status == 2
        assert "dupjob cron-bad" in found.first_line
        assert "destination not reached" in found.first_line
        assert found.value("runs") == 3
    found = check(tmp_path / "mail/mbox.cron-utf8", "--lookback", "999w")
    assert "Connection refused — café" in found.out


def test_a_mailbox_is_indexed_over_block_boundaries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = tmp_path / "mbox"
    box.write_text("".join(mail(f"{i}\n" * i, job=f"j{i % 7}") for i in range(200)))
    with box.open("rb") as opened:
        whole = places(mailboxes.index(opened, 0, 0))
        monkeypatch.setattr(mailboxes, "_BLOCK", 997)
        monkeypatch.setattr(mailboxes, "_LONGEST_HEADER", 512)
        assert places(mailboxes.index(opened, 0, 0)) == whole
    assert len(whole) == 200


def places(index: mailboxes.Index) -> list[mailboxes.Place]:
    """The places of all messages, those of each subject by their times, then the last one."""
    found = [place for of_one in index.subjects.values() for place in of_one.newest_first(1e12)]
    return [*found, *([index.end] if index.end else [])]


BIG = 40 << 20
MULTIPART = 'Content-Type: multipart/mixed; boundary="b"'


@pytest.mark.parametrize(
    "text",
    [
        mail("x" * BIG),
        mail("\0" * BIG),
        mail(FAILED + "y" * BIG, failed=True),
        mail("x\n").replace("To: ", "X: y\n" * 1_000_000 + "To: "),
        mail("x\n").replace("To: ", "To: " + "a@b, " * 1_000_000),
        "Received: x\n" * 1_000_000,
        "From " * 1_000_000,
        "".join(mail("x", job=f"j{i}") for i in range(30_000)),
        "BackendException: x\n" + ("x" * 1999 + "\n") * 10_000,
        "BackendException: x\n" + ("a." * 999 + "\n") * 5_000,
        "".join(mail("Error:" * 100_000) for i in range(5)),
        "\nFrom a Mon Nov 23 01:01:01 2026\n" * 300_000,
        mail(FAILED + "--b\nContent-Type: message/rfc822\n\n" * 3000, failed=True),
        mail(f"--b\n{MULTIPART}\n\n" * 20000).replace("Content-Type: text/plain", MULTIPART),
        mail("BackendException: | <b>bold</b> \x1b[31mred\x1b[0m | a=1;2;3\n", failed=True),
        mail("x\n").replace("US-ASCII", "no-such-charset\nContent-Transfer-Encoding: base64"),
        mail("x\n").replace("Subject: Cron", "Subject: =?x-y?B?////?= =?utf-8?Q?=C3=28?= Cron"),
        mail("GPGError: sftp://u:hunter22@h/x\n", failed=True),
    ],
    ids=range(18),
)  # fmt: skip
def test_hostile_mail_gives_one_valid_output(text: str, tmp_path: Path) -> None:
    box = tmp_path / "mbox"
    box.write_text(text)
    found = check(box, "-v", "-t", "60", environment={"XDG_STATE_HOME": str(tmp_path)})
    assert "hunter22" not in found.out
    assert "\x1b" not in found.out
    assert len(found.out) < 60000
    assert "error in the plugin" not in found.out
