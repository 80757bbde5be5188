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

from check_duplicity import jobs
from check_duplicity.crontabs import Entry, Unit, cron_of_calendar, read_crontab, read_unit
from check_duplicity.findings import CannotSee
from check_duplicity.jobs import Fact, Known
from check_duplicity.mails import is_simple, name_of, program_of
from check_duplicity.scripts import Script, commands_of, job_of_backupninja, job_of_duply, jobs_of
from check_duplicity.search import Search
from check_duplicity.shell import ShellError, read_variables
from check_duplicity.user import current, who_decides
from check_duplicity.values import NamedTuple

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")  # the names that cron.d and cron.daily heed
_DEEPEST = 3  # scripts that call scripts
_SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron")
_SYSTEM = ("/etc/crontab", "/etc/cron.d/*")
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

    Only what is found of the same user counts, or if the file has nothing that is anybody's: else
    whoever has a crontab could have a share in it.
    """
    if found is None:
        return known
    if known.get("destination") and found.get("destination") not in ("", known.get("destination")):
        return known
    anybodys = not (known.get("destination") or known.get("environment_file"))
    if known.get("user") != found.get("user") and not (anybodys and not known.get("user")):
        return known
    facts = {**found.facts, **known.facts}
    # What of the destination could not be known, the file says.
    doubts = found.commented_out if known.get("destination") else found.doubts
    environment = known.environment or found.environment
    return known._replace(facts=facts, environment=environment, doubts=doubts)


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
            text = search.text(path)
            if text is not None:
                seen.add(user)
                yield from read_crontab(text, path, user)
    if not search.root and current() not in seen:
        yield from read_crontab(_own_crontab(), "crontab -l", current())
    for pattern in _SYSTEM:
        for path in search.glob(pattern):
            text = search.text(path)
            if text is not None and _PLAIN.fullmatch(os.path.basename(path)):
                yield from (entry for entry in read_crontab(text, path) if entry.user)


def is_started(command: str, user: str) -> bool:
    """Whether a command stands in a crontab of a user, or in a timer's unit, as far as is seen."""
    search = Search("")
    entries = (*_crontab_entries(search), *_periodic_entries(search), *_timer_entries(search))
    words = command.split()
    return any(e.active and e.user == user and e.command.split() == words for e in entries)


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
    seen = set()
    for directory in _UNITS:
        for path in search.glob(f"{directory}/*.timer"):
            name = os.path.basename(path)
            text = search.text(path)
            if name in seen or text is None:
                continue
            seen.add(name)
            timer = read_unit(text)
            service = timer.get("Unit") or name.removesuffix(".timer") + ".service"
            yield from _service_entries(search, service, _calendar(timer))


def _calendar(timer: Unit) -> str:
    times = timer.values.get("OnCalendar", ())
    return cron_of_calendar(times[0]) if len(times) == 1 else ""


def _service_entries(search: Search, service: str, schedule: str) -> Iterator[Entry]:
    for directory in _UNITS:
        path = f"{directory}/{service}"
        text = search.text(path)
        if text is None:
            continue
        unit = read_unit(text)
        environment: dict[str, str] = {}
        for line in unit.values.get("Environment", ()):
            environment |= _of_unit(line)
        for name in unit.values.get("EnvironmentFile", ()):
            reader = unit.get("User") or "root"
            environment |= _assignments(search.text(name.removeprefix("-"), reader) or "")
        for command in unit.values.get("ExecStart", ()):
            words = command.lstrip("-@:+!")
            yield Entry(schedule, unit.get("User") or "root", words, path, environment)
        return


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
    variables = {**_account(entry.user), **entry.environment}
    name = name_of(entry.command)
    script = Script(entry.command, entry.origin, variables)
    for known in _of_script(search, script, name, "", _DEEPEST, entry.user):
        facts = {
            "user": Fact(entry.user, entry.origin),
            "schedule": Fact(entry.schedule, entry.origin),
            "time_zone": Fact(entry.time_zone, entry.origin),
            "script": Fact(_to_run(entry.command), entry.origin),
        }
        given = {key: fact for key, fact in facts.items() if fact.value}
        of_script = dict(known.facts)
        if entry.user != "root":
            # Whom a user's script wants to be is not known to be allowed.
            of_script.pop("user", None)
        doubts = known.doubts
        if not entry.active:
            doubts = (*doubts, f"{entry.origin}: {jobs.COMMENTED_OUT}")
        yield known._replace(facts={**given, **of_script}, doubts=doubts)


def _to_run(command: str) -> str:
    """What can be run again: the command, if it is a simple one, else the script in it."""
    if is_simple(command):
        return command
    program = program_of(command)
    return program if os.path.isabs(program) and is_simple(program) else ""


def _account(user: str) -> dict[str, str]:
    try:
        home = pwd.getpwnam(user).pw_dir
    except (KeyError, ValueError):
        return {}
    return {"HOME": home, "LOGNAME": user, "USER": user}


def _of_script(
    search: Search, script: Script, name: str, path: str, depth: int, reader: str
) -> Iterator[Known]:
    """The jobs of a script, and of the scripts that it calls."""
    try:
        commands = commands_of(script)
    except ValueError as error:
        if "duplicity" in script.text:
            search.problems.append(str(error))
        return
    here = jobs_of(commands, script.origin, _proper(name))
    yield from here
    if here or depth == 0:
        return
    for command in commands:
        called = command.program
        if os.path.basename(called) == "duply" and len(command.words) > 1:
            # Its profile tells the rest.
            yield Known(os.path.basename(command.words[1]), {})
        if not os.path.isabs(called) or called == path:
            continue
        text = search.text(called, reader)
        if text is not None and "\0" not in text:
            deeper = Script(text, called, dict(command.environment))
            yield from _of_script(search, deeper, name_of(called), called, depth - 1, reader)


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
        owner = who_decides(path, search.root)
        text = search.text(path, owner)
        if text is not None:
            for known in _read(search, job_of_duply, text, profile, path):
                yield known._replace(facts={**known.facts, "user": Fact(owner, path)})
    for path in search.glob("/etc/backup.d/*.dup"):
        text = search.text(path)
        if text is not None:
            name = os.path.basename(path)[: -len(".dup")]
            yield from _read(search, job_of_backupninja, text, name, path)


def _in_homes(search: Search, homes: Iterable[str]) -> Iterator[str]:
    for home in homes:
        yield from search.glob(f"{glob.escape(home)}/.duply/*/conf")


def _read(search: Search, read: object, text: str, name: str, path: str) -> Iterator[Known]:
    try:
        yield read(text, _proper(name), path)  # type: ignore[operator]
    except ValueError as error:
        search.problems.append(str(error))
