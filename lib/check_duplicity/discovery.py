"""See which jobs there are: by crontabs, systemd's timers, duply's and backupninja's files.

Nothing is executed but ``crontab -l``; what may not be read is said.
"""

from __future__ import annotations

import glob
import os
import pwd
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping

from check_duplicity import jobs, rights
from check_duplicity.crontabs import Entry, Unit, cron_of_calendar, read_crontab, read_unit
from check_duplicity.findings import CannotSee
from check_duplicity.jobs import Fact, Known
from check_duplicity.mails import is_simple, name_of, program_of
from check_duplicity.scripts import Script, commands_of, job_of_backupninja, job_of_duply, jobs_of
from check_duplicity.search import Search
from check_duplicity.shell import Command, ShellError, read_variables
from check_duplicity.user import current
from check_duplicity.values import NamedTuple

_CRONS_PATH = "/usr/bin:/bin"  # crontab(5)
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")  # the names that cron.d and cron.daily heed
_DEEPEST = 3  # scripts that call scripts
_SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron")
_SYSTEM = ("/etc/crontab", "/etc/cron.d/*")
_OF_ANYBODY = {*jobs.AGES, *jobs.COUNTS, "schedule", "time_zone", "encryption", "mail"}
_PERIODS = {"hourly": "@hourly", "daily": "@daily", "weekly": "@weekly", "monthly": "@monthly"}
_UNITS = ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")


class Found(NamedTuple):
    """The jobs that were found, and what may not be read or can't be understood."""

    jobs: tuple[Known, ...]
    problems: tuple[str, ...]


def find(jobs_dir: str, root: str = "/") -> Found:
    """Return all jobs: those with a file, and those found; a file's facts beat what is found."""
    search = Search(root)
    found: dict[str, Known] = {}
    for known in (*_of_profiles(search), *_of_entries(search)):
        _add(found, known)
    filed = {known.job: known for known in _of_files(search, jobs_dir)}
    others = {name: known for name, known in found.items() if name not in filed}
    for name, known in filed.items():
        same = found.get(name) or others.pop(_found_as(known, others), None)
        filed[name] = merged(known, same)
    everything = {**others, **filed}
    ordered = tuple(everything[name] for name in sorted(everything))
    return Found(ordered, tuple(dict.fromkeys(search.problems)))


def _add(found: dict[str, Known], known: Known) -> None:
    """Add a job to those found: to what is known of the same one, or under a name of its own."""
    same = found.get(known.job)
    if same is not None and _is_same(same, known):
        active = [k for k in (same, known) if not k.commented_out] or [same]
        other = known if active[0] is same else same
        found[known.job] = active[0]._replace(facts={**other.facts, **active[0].facts})
        return
    name, count = known.job, 1
    while name in found:
        count += 1
        name = f"{known.job}-{count}"
    found[name] = known._replace(job=name)


def _of_files(search: Search, jobs_dir: str) -> Iterator[Known]:
    for name in jobs.names(jobs_dir):
        try:
            filed = jobs.load(name, jobs_dir)
        except CannotSee as reason:
            search.problems.append(reason.reason)
            continue
        if filed is not None:
            yield filed


def _found_as(filed: Known, found: Mapping[str, Known]) -> str:
    """The name of the only job that is the user's with that destination, and script, of a file.

    What is found is named by its script, and a file as its owner likes.
    """
    keys = ["user", "destination", *(["script"] if filed.get("script") else [])]
    same = [
        name
        for name, known in found.items()
        if all(filed.get(key) == known.get(key) != "" for key in keys)
    ]
    return same[0] if len(same) == 1 else ""


def _is_same(one: Known, other: Known) -> bool:
    """Whether both are one user's, and of one script or profile."""
    if one.get("user") != other.get("user"):
        return False
    return not other.get("destination") or one.get("destination") == other.get("destination")


def merged(known: Known, found: Known | None) -> Known:
    """Return a job with the facts of its file, and what was found for all that isn't there.

    Only what is found of the same user counts. A file that names nobody, and has nothing but limits
    in it, is of whoever has such a job; anything else in it is not for any user to get.
    """
    if found is None:
        return known
    if known.get("destination") and found.get("destination") not in ("", known.get("destination")):
        return known
    if known.get("user") != found.get("user") and not _is_open_to(known, found):
        return known
    doubts = found.doubts
    if known.get("destination"):
        # What of the destination could not be known, the file says.
        found = _trusted(found)
        doubts = (*known.doubts, *found.commented_out)
    facts = {**found.facts, **known.facts}
    own = bool(known.environment)
    return known._replace(
        facts=facts,
        environment=known.environment if own else found.environment,
        environment_by=known.environment_by if own else found.environment_by,
        doubts=doubts,
        starter=found.starter,
    )


def _is_open_to(filed: Known, found: Known) -> bool:
    """Whether a file that names no user can be the file of a job that was found."""
    if filed.get("user") or filed.get("destination"):
        return False
    return set(filed.facts) <= _OF_ANYBODY or found.get("user") == "root"


def _trusted(found: Known) -> Known:
    """Leave out what others than root and the job's user decide."""
    user = found.runs_as
    found = found.without([k for k, f in found.facts.items() if not rights.may(user, f.by)])
    if rights.may(user, found.environment_by):
        return found
    return found._replace(environment={}, environment_by=rights.NOBODY)


def _of_entries(search: Search) -> Iterator[Known]:
    for entry in (*_crontab_entries(search), *_periodic_entries(search), *_timer_entries(search)):
        yield from _of_entry(search, entry)


def _crontab_entries(search: Search) -> Iterator[Entry]:
    seen = set()
    for spool in _SPOOLS:
        for path in search.glob(f"{spool}/*"):
            user = os.path.basename(path)
            if user in seen or os.path.isdir(search.root + path):
                continue
            # Only cron reads it, and crontab lets its user write it.
            text = search.text(path)
            if text is not None:
                seen.add(user)
                by = rights.deciders(path, search.root) | {user} - {"root"}
                yield from _decided(read_crontab(text, path, user), by)
    if not search.root and current() not in seen:
        by = frozenset({current()} - {"root"})
        yield from _decided(read_crontab(_own_crontab(), "crontab -l", current()), by)
    for pattern in _SYSTEM:
        for path in search.glob(pattern):
            text, by = search.decided(path)
            if text is not None and _PLAIN.fullmatch(os.path.basename(path)):
                entries = _decided(read_crontab(text, path), by)
                yield from (entry for entry in entries if entry.user)


def _decided(entries: Iterable[Entry], by: frozenset[str]) -> Iterator[Entry]:
    return (entry._replace(by=entry.by | by) for entry in entries)


def is_started(command: str, user: str) -> bool:
    """Whether a command stands in a crontab of a user, or in a timer's unit, as far as is seen.

    And nobody else, but root, decides that, or can change what it runs.
    """
    search = Search("")
    entries = (*_crontab_entries(search), *_periodic_entries(search), *_timer_entries(search))
    words = command.split()
    same = [e for e in entries if e.active and e.user == user and e.command.split() == words]
    return any(rights.may(user, _deciders_of_entry(search, entry)) for entry in same)


def _deciders_of_entry(search: Search, entry: Entry) -> frozenset[str]:
    commands = commands_of(_line_of(entry))
    return entry.by.union(
        *(_deciders_of(search, c) for c in commands if c.user in ("", entry.user))
    )


def _line_of(entry: Entry) -> Script:
    variables = {**_account(entry.user), **entry.environment}
    return Script(entry.command, entry.origin, variables)


def _own_crontab() -> str:
    """The user's own crontab, which only crontab itself may read."""
    try:
        done = subprocess.run(
            ["crontab", "-l"],  # noqa: S607  # nosec B607  # wherever cron is
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _periodic_entries(search: Search) -> Iterator[Entry]:
    for period, schedule in _PERIODS.items():
        for path in search.glob(f"/etc/cron.{period}/*"):
            if _PLAIN.fullmatch(os.path.basename(path)):
                yield Entry(schedule, "root", path, f"/etc/cron.{period}")


def _timer_entries(search: Search) -> Iterator[Entry]:
    names = {os.path.basename(p) for d in _UNITS for p in search.glob(f"{d}/*.timer")}
    for name in sorted(names):
        timer, _, by = _unit(search, name)
        if timer is not None:
            service = timer.get("Unit") or name.removesuffix(".timer") + ".service"
            yield from _decided(_service_entries(search, service, _calendar(timer)), by)


def _unit(search: Search, name: str) -> tuple[Unit | None, str, frozenset[str]]:
    """A unit with its drop-ins (systemd.unit(5)), its path, and who decides it."""
    path = next((p for d in _UNITS for p in search.glob(f"{d}/{glob.escape(name)}")), "")
    text, by = search.decided(path) if path else (None, rights.NOBODY)
    if text is None:
        return None, path, by
    drop_ins: dict[str, str] = {}
    for directory in _UNITS[::-1]:  # The first directory's beats others of the same name.
        for drop_in in search.glob(f"{directory}/{glob.escape(name)}.d/*.conf"):
            drop_ins[os.path.basename(drop_in)] = drop_in
    for _, drop_in in sorted(drop_ins.items()):
        more, others = search.decided(drop_in)
        text, by = f"{text}\n{more or ''}", by | others
    return read_unit(text), path, by


def _calendar(timer: Unit) -> str:
    times = timer.values.get("OnCalendar", ())
    return cron_of_calendar(times[0]) if len(times) == 1 else ""


def _service_entries(search: Search, service: str, schedule: str) -> Iterator[Entry]:
    unit, path, by = _unit(search, service)
    if unit is None:
        return
    user = unit.get("User") or "root"
    environment: dict[str, str] = {}
    for line in unit.values.get("Environment", ()):
        environment |= _of_unit(line)
    for name in unit.values.get("EnvironmentFile", ()):
        text, others = search.decided(name.removeprefix("-"), user)
        environment, by = environment | _assignments(text or ""), by | others
    for command in unit.values.get("ExecStart", ()):
        words = command.lstrip("-@:+!")
        yield Entry(schedule, user, words, path, environment, by=by)


def _of_unit(line: str) -> dict[str, str]:
    """The variables in an ``Environment=`` (systemd.exec(5)): quoted, and nothing replaced."""
    try:
        words = shlex.split(line)
    except ValueError:
        return {}
    return {name: value for name, equals, value in (w.partition("=") for w in words) if equals}


def _assignments(text: str) -> dict[str, str]:
    try:
        return read_variables(text)
    except ShellError:
        return {}


def _of_entry(search: Search, entry: Entry) -> Iterator[Known]:
    """The jobs that something started by the clock makes, if it is about duplicity at all."""
    line = _line_of(entry)
    read = _Reading(search, entry.user, entry.by, entry.by)
    for known, started_by in _of_script(read, line, name_of(entry.command), "", _DEEPEST):
        script, starter = _to_run(line, entry.user, known)
        facts = {
            "user": Fact(entry.user, entry.origin, entry.by),
            "schedule": Fact(entry.schedule, entry.origin, entry.by),
            "time_zone": Fact(entry.time_zone, entry.origin, entry.by),
            "script": Fact(script, entry.origin, started_by if starter == entry.user else known.by),
        }
        given = {key: fact for key, fact in facts.items() if fact.value}
        of_script = known.without(["user"] if known.get("user") == entry.user else [])
        doubts = known.doubts
        if not entry.active:
            doubts = (*doubts, f"{entry.origin}: {jobs.COMMENTED_OUT}")
        facts = {**given, **of_script.facts}
        yield known._replace(facts=facts, doubts=doubts, starter=starter)


def _to_run(line: Script, user: str, known: Known) -> tuple[str, str]:
    """What can be run again, and as whom: the command, if it is a simple one, else its script.

    If it is another user's (``sudo -u USER SCRIPT``), only what is run as that user.
    """
    command = line.text
    as_others = [c for c in commands_of(line) if c.user and c.user == known.get("user") != user]
    if len(as_others) == 1:
        return _program(shlex.join(as_others[0].words)), as_others[0].user
    return _program(command), user


def _program(command: str) -> str:
    if is_simple(command) and not command.startswith("-"):
        return command
    program = program_of(command)
    return program if os.path.isabs(program) and is_simple(program) else ""


def _account(user: str) -> dict[str, str]:
    try:
        home = pwd.getpwnam(user).pw_dir
    except (KeyError, ValueError):
        return {}
    return {"HOME": home, "LOGNAME": user, "USER": user, "PATH": _CRONS_PATH}


class _Reading(NamedTuple):
    """How far the reading of scripts has come: as whom the next one is run.

    ``by`` is who decides what stands there besides root, ``started_by`` who decides anything that
    is run as the user who starts the whole.
    """

    search: Search
    user: str
    by: frozenset[str]
    started_by: frozenset[str]


def _of_script(
    read: _Reading, script: Script, name: str, path: str, depth: int
) -> Iterator[tuple[Known, frozenset[str]]]:
    """The jobs of a script, and of the scripts that it calls, each with who decides its start."""
    try:
        commands = commands_of(script)
    except ValueError as error:
        if "duplicity" in script.text:
            read.search.problems.append(str(error))
        return
    for command in commands:
        if not command.user or command.user == read.user:
            read = read._replace(started_by=read.started_by | _deciders_of(read.search, command))
    here = [_as_run(known, read) for known in jobs_of(commands, script.origin, _proper(name))]
    yield from ((known, read.started_by) for known in here)
    if here or depth == 0:
        return
    for command in commands:
        called = command.program
        if os.path.basename(called) == "duply" and len(command.words) > 1:
            # Its profile tells the rest.
            duply = Known(os.path.basename(command.words[1]), {})
            yield duply.decided_by(read.by), read.started_by
        if not os.path.isabs(called) or called == path:
            continue
        # Only root can become another user without being asked.
        runner = command.user if command.user and read.user == "root" else read.user
        text, by = read.search.decided(called, runner)
        if text is not None and "\0" not in text:
            # What another user is started with is no more in the starter's name.
            started_by = read.started_by if runner == read.user else read.by
            inner = _Reading(read.search, runner, read.by | by, started_by)
            deeper = Script(text, called, dict(command.environment))
            yield from _of_script(inner, deeper, name_of(called), called, depth - 1)


def _deciders_of(search: Search, command: Command) -> frozenset[str]:
    """Who decides what a command runs, besides root: its program, or the file that it sources."""
    words = command.words
    named = words[1:2] if words[0] in (".", "source") else (command.program, words[0])
    by = rights.NOBODY
    for word in named:
        if os.path.isabs(word):
            by |= rights.deciders(word, search.root)
        elif "/" not in word:
            for directory in filter(os.path.isabs, command.environment.get("PATH", "").split(":")):
                by |= rights.deciders(directory, search.root)
    return by


def _as_run(known: Known, read: _Reading) -> Known:
    """A job as of a script that a user runs: as whom it is run, and who decides it."""
    wanted = known.facts.get("user")
    known = known.decided_by(read.by)
    if wanted is not None and read.user not in ("root", wanted.value):
        # Whom a user's script wants to be is not known to be allowed.
        doubt = f"{wanted.origin}: runs as {wanted.value} there, and is looked at as {read.user}"
        known = known._replace(doubts=(*known.doubts, doubt))
    if wanted is None or read.user != "root":
        user = Fact(read.user, known.facts["encryption"].origin, read.by)
        known = known._replace(facts={**known.facts, "user": user})
    return known


def _proper(name: str) -> str:
    """A name that a job's file can have."""
    kept = "".join(c if (c.isascii() and c.isalnum()) or c in "_.@+-" else "-" for c in name).strip(
        ".-"
    )
    return kept[:80] or "duplicity"


def _of_profiles(search: Search) -> Iterator[Known]:
    homes = ["/root", *search.glob("/home/*")]
    for path in (*search.glob("/etc/duply/*/conf"), *_in_homes(search, homes)):
        profile = os.path.basename(os.path.dirname(path))
        text, by = search.decided(path)
        if text is not None:
            owner = Fact(rights.only(by) or min(by), path)
            for known in _read(search, job_of_duply, text, profile, path):
                yield known._replace(facts={**known.facts, "user": owner}).decided_by(by)
    for path in search.glob("/etc/backup.d/*.dup"):
        text, by = search.decided(path)
        if text is not None:
            name = os.path.basename(path)[: -len(".dup")]
            for known in _read(search, job_of_backupninja, text, name, path):
                yield known.decided_by(by)


def _in_homes(search: Search, homes: Iterable[str]) -> Iterator[str]:
    for home in homes:
        yield from search.glob(f"{glob.escape(home)}/.duply/*/conf")


def _read(search: Search, read: object, text: str, name: str, path: str) -> Iterator[Known]:
    try:
        yield read(text, _proper(name), path)  # type: ignore[operator]
    except ValueError as error:
        search.problems.append(str(error))
