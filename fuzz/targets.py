"""The targets of the fuzzer: for each reader, a function that feeds it bytes and checks the result.

A reader returns a value or raises the error that its docstring names. Any other exception is a
finding, and so is a promise that the reader breaks. Nothing here needs the fuzzer: ``tests/`` runs
every function on its kept corpus, and ``run.py TARGET FILE`` on one input. NULs separate words, as
in ``/proc/PID/cmdline``.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
import runpy
import shlex
import signal
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import nagiosplugin
from check_duplicity.duplicity import invocation
from check_duplicity.duplicity.run import run_of, values_of
from check_duplicity.jobs import backupninja, by_name, crontabs, duply, schedule, scripts, units
from check_duplicity.jobs import job_file as its_file
from check_duplicity.jobs.model import Known
from check_duplicity.nagios import limits
from check_duplicity.nagios.answer import answer, unseen
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.evaluation import evaluate
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.nagios.output import output
from check_duplicity.processes import judge as judge_processes
from check_duplicity.processes.model import Process
from check_duplicity.runs import files, mailboxes
from check_duplicity.runs import judge as judge_runs
from check_duplicity.runs import mail as mail_runs
from check_duplicity.runs import model as model_runs
from check_duplicity.runs.paths import Log
from check_duplicity.runs.read import of_log, of_mail
from check_duplicity.runs.reader import LogReader
from check_duplicity.secrets import Secrets, without_password
from check_duplicity.shell import programs
from check_duplicity.shell.model import ShellError
from check_duplicity.shell.reading import read_commands, read_variables
from check_duplicity.shell.words import without_marks
from check_duplicity.system import memory
from of_answers import told, valid
from of_duplicity import file_names, history, jsonstat, manifest, restored, saved_status, volumes
from of_duplicity import text as _text

PLUGINS = Path(__file__).parent.parent / "plugins"
NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)


class Target(NamedTuple):
    """A target: its function, and the tests and captures from which its first inputs come."""

    run: Callable[[bytes], None]
    tests: tuple[str, ...] = ()
    captures: tuple[str, ...] = ()


def runs(data: bytes) -> None:
    """Read runs: in two parts, with the state between them, as all at once."""
    lines = _text(data).split("\n")
    reader, first = LogReader(str, 2e9), LogReader(str, 2e9)
    for line in lines[: len(lines) // 2]:
        first.read(line)
    second = LogReader(str, 2e9, json.loads(json.dumps(first.keep())))
    for line in lines:
        reader.read(line)
    for line in lines[len(lines) // 2 :]:
        second.read(line)
    assert reader.runs()[-2:] == second.runs()[-2:]
    for run in reader.runs():
        assert run_of(json.loads(json.dumps(values_of(run)))) == run
    reader.fail()
    last = reader.runs()[-1]
    assert last.outcome == "failed" or Kind.SCRIPT_FAILED in {told.kind for told in last.told}
    _told(of_log("/var/log/web.log", "web", "root", reader.runs()))


def mail(data: bytes) -> None:
    """Read a message, which may be cron's or not."""
    message = mail_runs.read_mail(data)
    with mock.patch.object(mail_runs, "_read_plain", return_value=None):
        assert mail_runs.read_mail(data) == message
    mailboxes.may_be_duplicity(data)
    if message is not None:
        assert len(programs.name_of(message.command)) <= len(message.command)
        run = of_mail(message, str, None)
        assert model_runs.logged_of(json.loads(json.dumps(model_runs.values_of_logged(run)))) == run
        _told([run])


def mailbox(data: bytes) -> None:
    """Split a mailbox: in many blocks as in one, and from each message on."""
    mbox = io.BytesIO(data)
    with mock.patch.object(mailboxes, "_LONGEST_HEADER", 512):
        found = mailboxes.index(mbox, 0, 0)
        places = _places(found)
        with mock.patch.object(mailboxes, "_BLOCK", 300):
            assert _places(mailboxes.index(mbox, 0, 0)) == places
        assert mailboxes.index(mbox, found.last, 0).last == found.last
    for place, following in itertools.zip_longest(places, places[1:]):
        assert 0 <= place.start < place.end <= (following.start if following else len(data))
        mail_runs.read_mail(mailboxes.message(mbox, place))


def _places(index: mailboxes.Index) -> list[mailboxes.Place]:
    found = [place for of_one in index.subjects.values() for place in of_one.newest_first(1e12)]
    return sorted([*found, *([index.end] if index.end else [])])


def log_file(data: bytes) -> None:
    """Read a log or mailbox that grows: with a state file as without."""
    before = data[: len(data) // 2]
    with _directory() as directory:
        path = os.path.join(directory, "web.log")
        kept = _look(path, before, 7200, {}).kept
        grown = _look(path, data, 3600, json.loads(json.dumps(kept)))
        assert grown.runs == _look(path, data, 3600, {}).runs
    _told(grown.runs)


def compressed(data: bytes) -> None:
    """Read a file whose name says that it is compressed, but which may not be."""
    with _directory() as directory:
        for suffix, magic in ((".bz2", b"BZh"), (".xz", b"\xfd7z"), (".gz", b"")):
            if data.startswith(magic):
                _look(os.path.join(directory, f"web.log{suffix}"), data, 3600, {})
                return


def _look(path: str, data: bytes, age: float, kept: dict[str, object]) -> files.Found:
    Path(path).write_bytes(data)
    changed = NOW.timestamp() - age
    os.utime(path, (changed, changed))
    # Look at all of time, because the mailboxes have messages of any date.
    return files.look(Log(path), kept, files.Look(NOW.timestamp(), 0, str))


def state_file(data: bytes) -> None:
    """Go on from a state file with any values in it, which must never change the answer."""
    with _directory() as directory:
        path = os.path.join(directory, "state.json")
        Path(path).write_bytes(b"%08x " % zlib.crc32(data) + data)
        try:
            value = memory.recall(path)
        except memory.Forgotten as reason:
            assert "is damaged" in str(reason)
            return
        process = Process(1, invocation.Invocation(), NOW)
        judge_processes.compare(
            [process], {**value, f"1@{NOW.timestamp()}": value.get("process")}, NOW
        )
        log = os.path.join(directory, "web.log")
        for text in (b"StartTime 1.0 \nErrors 0 \n", b"From a Tue Nov 24 00:00:00 2026\n\n"):
            entry = _look(log, text, 3600, {}).kept["files"][0]
            grown = _look(log, text * 2, 3000, {"files": [{**entry, **value}]})
            _told(grown.runs)


def crontab(data: bytes) -> None:
    """Read a crontab: entries of one line each, with a schedule or an error."""
    text = _text(data)
    for user in ("", "backup"):
        for entry in crontabs.read_crontab(text, "crontab", user):
            assert "\n" not in entry.command + entry.schedule + entry.user
            assert entry.user
            assert 0 < int(entry.origin.partition(":")[2]) <= text.count("\n") + 1
            _schedule(entry.schedule, entry.time_zone)
            programs.name_of(entry.command)


def unit(data: bytes) -> None:
    """Read a unit of systemd, and its times."""
    read = units.read_unit(_text(data))
    assert all(value and key == key.strip() for key in read.values for value in read.values[key])
    for calendar in (_text(data), read.get("OnCalendar")):
        cron, _ = units.cron_of_calendar(calendar)
        if cron:
            schedule.interval(cron, NOW, None)


def _schedule(text: str, zone: str) -> None:
    with contextlib.suppress(ValueError):
        warning, critical = schedule.limits(text, NOW, schedule.zone_of(zone))
        low, high = (limits.age_limit(limit).upper for limit in (warning, critical))
        assert low is not None
        assert high is not None
        assert 0 < low <= high


def script(data: bytes) -> None:
    """Read a script: its jobs can be written as jobs' files, and read again."""
    text = _text(data)
    try:
        commands = scripts.commands_of(scripts.Script(text, "/job.sh", {"HOME": "/root"}))
    except ValueError as error:
        assert str(error).startswith("/job.sh: line ")
        return
    for command in commands:
        assert command.line >= 1
        assert isinstance(command.program, str)
    for known in scripts.jobs_of(commands, "/job.sh", "web"):
        _written(known)


def words(data: bytes) -> None:
    """Read words without special characters as Python's shlex does."""
    text = _text(data)
    if not re.fullmatch(r"""[\w ./:'"\\@%+,-]*""", text, re.A) or text.endswith("\\"):
        return
    try:
        expected: tuple[str, ...] | None = ("echo", *shlex.split(text))
    except ValueError:
        expected = None
    try:
        read = read_commands(f"echo {text}")[0].words
    except ShellError:
        read = None
    assert read == expected


def environment(data: bytes) -> None:
    """Read an environment file: a quoted value is read as it was before quoting."""
    text = _text(data)
    with contextlib.suppress(ShellError):
        read_variables(text)
    text = without_marks(text.replace("\r", ""))
    written = "".join(f"export V{i}={shlex.quote(v)}\n" for i, v in enumerate(text.split("\n\n")))
    read = read_variables(written)
    assert list(read.values()) == text.split("\n\n")


def job_file(data: bytes) -> None:
    """Read a job's file: no error shows a value, and the job can be written again."""
    text = _text(data)
    try:
        known = its_file.read("web", text, "web.ini")
    except ValueError as error:
        assert "S3cret" not in str(error)
        return
    for key in ("mail", "options", "duplicity"):
        known.words(key)
    with contextlib.suppress(ValueError):
        schedule.limits_of(known, NOW)
    _written(known)


def profile(data: bytes) -> None:
    """Read a profile of duply, and a file of backupninja."""
    text = _text(data)
    with contextlib.suppress(ValueError):
        _written(duply.job_of_duply(text, "web", "/etc/duply/web/conf"))
    with contextlib.suppress(ValueError):
        _written(backupninja.job_of_backupninja(text, "web", "/etc/backup.d/web.dup"))


def _written(known: Known) -> None:
    """Demand that a job is the same after writing and reading its file."""
    read = its_file.read(known.job, its_file.as_ini(known, str), "web.ini")
    for key, (value, *_) in known.facts.items():
        line = " ".join(value.split("\n"))
        assert read.get(key) == (line.strip() if line.isprintable() else "")


def ranges(data: bytes) -> None:
    """Read limits and time zones: they are Nagios' ranges, or the error says what to write."""
    text = _text(data)
    for read in (limits.age_limit, limits.count_limit, limits.size_limit, limits.percent_limit):
        try:
            limit = read(text)
        except ValueError as error:
            assert "(write " in str(error)
            continue
        limits.format_age(limit.upper or 0) if limit.upper != float("inf") else None
        bounds = nagiosplugin.Range(limit.spec)
        assert limit.upper is None or bounds.match(limit.upper)
    with contextlib.suppress(ValueError):
        schedule.zone_of(text)
    _schedule(text, "")
    mail_runs.read_date(text)


def arguments(data: bytes) -> None:
    """Read a process's arguments: its options can be used again, its password isn't shown."""
    argv = _words(data)
    read, seen = invocation.read_arguments(argv), invocation.read_invocation(argv)
    assert (read is None) == (seen is None)
    if read is None or seen is None:
        return
    assert seen.url == without_password(seen.url)
    assert seen.backup == read.backup
    again = invocation.read_arguments(["duplicity", *read.options(re.compile("--"))])
    assert again is not None
    assert dict(again.values) == {
        name: "" if name in read.options(re.compile("--")) else value
        for name, value in read.values.items()
    }


def command_line(data: bytes) -> None:
    """Read each plugin's command line: options, or UNKNOWN."""
    argv = _words(data)
    for parse in _parsers():
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                parse(argv, Secrets({}, argv))
            except CannotSee as reason:
                valid(output(unseen("T", reason)))
            except SystemExit as end:
                assert end.code == 3


def _parsers() -> list[Callable[[list[str], Secrets], object]]:
    if not _PARSERS:
        # The result must not depend on this machine's jobs, and the fuzzer needs the alarm.
        mock.patch.object(by_name, "job", _no_job).start()
        mock.patch("check_duplicity.system.runtime.set_deadline").start()
        checks = (f"check_duplicity_{name}" for name in ("freshness", "process", "log", "restore"))
        for name in (*checks, "duplicity_drill"):
            _PARSERS.append(partial(_parse_of(name), now=NOW))
        for name in ("check_duplicity_jobs", "duplicity_triage"):
            _PARSERS.append(_parse_of(name))
    return _PARSERS


def _parse_of(plugin: str) -> Callable[..., object]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        found: Callable[..., object] = runpy.run_path(str(PLUGINS / plugin))["parse"]
        return found
    finally:
        # A plugin's first lines block signals, and processes started later would inherit that.
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_PARSERS: list[Callable[[list[str], Secrets], object]] = []


def _no_job(name: str, jobs_dir: str) -> Known:
    return its_file.read(
        name, "[job]\nwarning = 1h\nschedule = 0 2 * * *", its_file.path_of(name, jobs_dir)
    )


def secrets(data: bytes) -> None:
    """Hide secrets: no text has a known secret, and hiding twice is the same as hiding once."""
    secret, text, *argv = [*_words(data), ""]
    # A secret with "*" could be a part of the three stars that replace another one.
    if len(secret) >= 4 and "*" not in secret:
        assert secret not in Secrets({"PASSPHRASE": secret}, argv).hide(text + secret + text)
    # Hiding a blank or a quote joins words, and hiding a secret inside a word changes where the
    # rest of that word begins. So try this only with a secret that stands alone.
    if re.fullmatch(r"\w{4,}", secret) and secret not in text:
        known = Secrets({"PASSPHRASE": secret})
        hidden = known.hide(f"{text}\n{secret}\n{text}")
        assert known.hide(hidden) == hidden
    if re.fullmatch(r"[\w.~!$&'()+,;=%:@-]{4,}", secret, re.A):
        url = f"sftp://user:{secret}@host/dir"
        assert secret not in Secrets({}, [url]).hide(text + url + text).replace(text, "")
        assert without_password(url) == without_password("sftp://user:x@host/dir")


def _told(found: list[model_runs.Logged]) -> None:
    """Demand that any runs that were read can be judged and printed."""
    verdicts = judge_runs.verdicts(model_runs.in_order(found, NOW.timestamp()), 0)
    evaluated = evaluate(
        judge_runs.measure(verdicts, found, 0, NOW), judge_runs.judge(verdicts, NOW), {}
    )
    by_job = {verdict.run.job: Job("backup") for verdict in verdicts}
    details = judge_runs.details(verdicts, 1)
    valid(output(answer("T", evaluated, NOW, by_job, details)))


def _words(data: bytes) -> list[str]:
    return data.decode("utf-8", "surrogateescape").split("\0")


@contextlib.contextmanager
def _directory() -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as path:
        yield path


_STATUS = tuple(
    f"duplicity/captures/{version}" for version in ("0.8.23", "1.2.3", "2.1.5", "3.2.1")
)
_RESTORE = "duplicity/captures/restore"
TARGETS: Mapping[str, Target] = {
    "names": Target(file_names, ("duplicity/test_names", "duplicity/test_sizes")),
    "status": Target(
        saved_status,
        ("duplicity/test_status", "duplicity/test_listed_sizes"),
        (
            "duplicity/captures/listings",
            "duplicity/captures/0.8.23",
            "duplicity/captures/1.2.3",
            "duplicity/captures/2.1.5",
            "duplicity/captures/3.2.1",
        ),
    ),
    "manifest": Target(manifest, ("duplicity/test_manifest",)),
    "volumes": Target(
        volumes, ("duplicity/test_volumes", "duplicity/test_manifest"), (_RESTORE + "/manifests",)
    ),
    "restored": Target(restored, ("duplicity/test_restoring",), (_RESTORE + "/logs",)),
    "history": Target(history, ("restore/test_history",)),
    "jsonstat": Target(jsonstat, ("duplicity/test_jsonstat",)),
    "runs": Target(runs, ("duplicity/test_transcript",), ("duplicity/captures/runs",)),
    "mail": Target(mail, ("runs/test_files",), ("runs/mail",)),
    "mailbox": Target(mailbox, ("runs/test_files",), ("runs/mail",)),
    "log": Target(log_file, ("runs/test_files",), ("runs/mail", "duplicity/captures/runs/3.2.1")),
    "compressed": Target(compressed),
    "state": Target(state_file, ("system/test_memory", "runs/test_files")),
    "crontab": Target(crontab, ("jobs/test_jobs",)),
    "unit": Target(unit, ("jobs/test_jobs",)),
    "script": Target(script, ("shell/test_shell", "jobs/test_jobs")),
    "words": Target(words, ("shell/test_shell",)),
    "environment": Target(environment, ("shell/test_shell", "jobs/test_jobs")),
    "job": Target(job_file, ("jobs/test_jobs",)),
    "profile": Target(profile, ("jobs/test_jobs",)),
    "ranges": Target(ranges, ("nagios/test_limits",)),
    "arguments": Target(arguments, ("duplicity/test_invocation", "real/test_processes")),
    "command_line": Target(command_line, ("plugins/test_command_line", "destination/test_judge")),
    "secrets": Target(secrets, ("test_secrets",)),
    "told": Target(told, ("nagios/test_output",)),
}
