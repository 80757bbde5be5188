"""Read a job's file, and write one from what was found.

It is ``JOBS_DIR/NAME.ini`` with one section ``[job]``. Destinations carry passwords and
``duplicity`` names a program, so a file that others may write to is refused.
"""

from __future__ import annotations

import configparser
import os
import re
import shlex
import stat
from collections.abc import Callable, Mapping

from check_duplicity.jobs.model import Fact, Known
from check_duplicity.lines import one_line
from check_duplicity.nagios import judged
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.nagios.limits import age_limit, count, size
from check_duplicity.runs.paths import THROWN_AWAY
from check_duplicity.system.rights import deciders, may, named
from check_duplicity.system.user import acting_as, current, nonblocking

LIMITS = (*judged.keys(judged.JUDGED), "lookback")
KEYS = (
    "user", "script", "destination", "archive_dir", "name", "schedule", "time_zone", "mail",
    "options", "environment_file", "encryption", "duplicity", "started",
    "drill_paths", "drill_volumes", "drill_budget", "drill_tempdir",
    *LIMITS,
)  # fmt: skip
HERE, ELSEWHERE = "here", "elsewhere"  # where a job is started, for check_duplicity_jobs
_NAME = re.compile(r"[A-Za-z0-9_@+][A-Za-z0-9_.@+-]{0,99}")
_USER = re.compile(r"(?:[A-Za-z0-9_][\w.@-]*\$?)?", re.A)
_LARGEST = 1 << 20  # bytes
_OTHERS = (
    "others may write to it or its directory: both must belong to root, and nobody else may write"
)


def path_of(job: str, jobs_dir: str) -> str:
    """Return the path of a job's file. Raises `CannotSee` for a name that can't be one."""
    if not _NAME.fullmatch(job):
        raise CannotSee(Kind.USAGE, f"not the name of a job: {job!r} (letters, digits, - _ . @ +)")
    return os.path.join(jobs_dir, f"{job}.ini")


def names(jobs_dir: str) -> list[str]:
    """Return the names of the jobs that have a file."""
    try:
        found = [name[:-4] for name in os.listdir(jobs_dir) if name.endswith(".ini")]
    except OSError:
        return []
    return sorted(name for name in found if _NAME.fullmatch(name))


def load(job: str, jobs_dir: str) -> Known | None:
    """Return what a job's file says; ``None`` if it has none. Raises `CannotSee`."""
    path = path_of(job, jobs_dir)
    try:
        with open(path, opener=nonblocking, encoding="utf-8") as opened:
            _demand_private(os.stat(jobs_dir), stat.S_ISDIR)
            _demand_private(os.fstat(opened.fileno()), stat.S_ISREG)
            by = deciders(os.path.abspath(path))
            if not may(current(), by):
                raise OSError(0, _OTHERS)
            text = opened.read(_LARGEST)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise CannotSee(Kind.NO_JOB, f"{path}: is not UTF-8") from None
    except OSError as error:
        reason = f"{path}: {error.strerror or error}"
        if isinstance(error, PermissionError):
            reason += f" to {current()}; sudo -l says what you may run with more rights"
        raise CannotSee(Kind.NO_JOB, reason) from None
    try:
        known = read(job, text, path).decided_by(by)
        environment = _environment(known.get("environment_file"), known.runs_as)
        known = known._replace(environment=environment)
        kept = sorted(environment.keys() - known.handed_on.keys())
        doubt = f"{known.get('environment_file')}: duplicity does not get {', '.join(kept)}"
        return known._replace(doubts=(doubt,) * bool(kept))
    except ValueError as error:
        raise CannotSee(Kind.NO_JOB, f"{path}: {error}") from None


def _demand_private(status: os.stat_result, is_right: Callable[[int], bool]) -> None:
    if not is_right(status.st_mode):
        raise OSError(0, "is not a file")
    if status.st_mode & 0o022 or status.st_uid not in (0, os.geteuid()):
        raise OSError(0, _OTHERS)


def _line_of(key: str, text: str) -> int:
    """Return the number of the line that sets a key."""
    keys = [line.partition("=")[0].strip().lower() for line in text.splitlines()]
    return keys.index(key) + 1


def read(job: str, text: str, origin: str) -> Known:
    """Read a job's file. Raises `ValueError`, which says what would be right."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    try:
        parser.read_string(text, origin)
    except configparser.Error as error:
        raise ValueError(_without_values(error)) from None
    if parser.sections() != ["job"] or parser.defaults():
        raise ValueError("it must have one section, [job]")
    values = dict(parser["job"])
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        # The line's number, not the key: a wrong line may be a password.
        where = f"line {_line_of(unknown[0], text)}: unknown key"
        raise ValueError(f"{where} (known are {', '.join(KEYS)})")
    for key in LIMITS:
        if values.get(key):
            try:
                age_limit(values[key]) if key == "lookback" else judged.read(key, values[key])
            except ValueError:
                form = judged.example(key)  # The value may be a password.
                raise ValueError(f"{key} is no limit (write {form})") from None
    _demand_words(values)
    _demand_amounts(values)
    if values.get("encryption", "yes") not in ("yes", "no", "required"):
        raise ValueError("encryption is yes, no or required")
    if values.get("started", HERE) not in (HERE, ELSEWHERE):
        raise ValueError(f"started is {HERE} or {ELSEWHERE}")
    return Known(job, {key: Fact(value, origin) for key, value in values.items() if value})


def _demand_amounts(values: Mapping[str, str]) -> None:
    for key, amount, form in (("drill_volumes", count, "4"), ("drill_budget", size, "10G")):
        if values.get(key):
            try:
                amount(values[key])
            except ValueError:
                raise ValueError(f"{key} is not an amount (write {form})") from None


def _demand_words(values: Mapping[str, str]) -> None:
    for key in ("mail", "options", "duplicity", "drill_paths"):
        try:
            shlex.split(values.get(key, ""))
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
    for key, value in values.items():
        if _mistake_in(key, value):
            raise ValueError(_mistake_in(key, value))


def _mistake_in(key: str, value: str) -> str:
    """Return why sudo would misread a fact, as an option or as no user; empty if it wouldn't."""
    if key in ("script", "duplicity") and value.startswith("-"):
        return f"{key} is no program: it begins with -"
    if key == "user" and not _USER.fullmatch(value):
        return "user is no name of a user"
    return ""


def _without_values(error: configparser.Error) -> str:
    """Return what is wrong, without the line itself: it may hold a password."""
    line = getattr(error, "lineno", None)
    errors = getattr(error, "errors", None)
    if errors:
        line = errors[0][0]
    kind = re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__.replace("Error", "")).lower()
    return f"line {line}: {kind}" if line else kind


def _environment(path: str, user: str) -> dict[str, str]:
    """Return the variables of an environment file: ``NAME=value`` lines, ``export`` or not.

    It is read as the job's user, who will run duplicity. Nobody but root and that user may be able
    to change or replace it. Raises `ValueError`.
    """
    if not path:
        return {}
    if "\0" in path:
        raise ValueError("environment_file is no path")
    from check_duplicity.shell.reading import read_variables

    try:
        others = deciders(os.path.abspath(path)) - {user}
        if others:
            raise OSError(0, f"others may write to it or replace it: {named(others)}")
        if os.path.realpath(path) != path:
            raise OSError(0, f"is no full path, or has a link in it: {os.path.realpath(path)}?")
        with acting_as(user), open(path, opener=nonblocking, errors="replace") as opened:
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise OSError(0, "is not a file")
            if status.st_mode & 0o022:
                raise OSError(0, "others may write to it")
            text = opened.read(_LARGEST)
    except OSError as error:
        reason = error.strerror or error
        if isinstance(error, PermissionError):
            reason = f"{reason} to {user}"
        raise ValueError(f"environment_file {path}: {reason}") from None
    except KeyError:
        raise ValueError(f"environment_file {path}: there is no user {user}") from None
    return read_variables(text)


def as_ini(known: Known, hide: Callable[[str], str]) -> str:
    """Return the text of a job's file with all known facts, and their origins as comments.

    A fact with a secret is left out: the checks go on reading it from its origin.
    """
    lines = [f"# {one_line(hide(doubt))}" for doubt in known.doubts] + ["[job]"]
    for key in KEYS:
        if key not in known.facts:
            if key == "mail":
                lines.append("# mail = LOG, if what the job prints goes to a log and not by mail")
            continue
        value, origin, by = known.facts[key]
        value, origin = " ".join(value.split("\n")), one_line(origin)
        if not may(known.runs_as, by):
            # In root's file it would count as root's decision.
            lines.append(f"# {key} is left out: {named(by)} can change it in {origin}")
        elif _mistake_in(key, value):
            lines.append(f"# {_mistake_in(key, value)} ({origin})")
        elif hide(value) != value:
            lines.append(f"# {key} has a secret, and is read from {origin}")
        elif one_line(value) != value:
            lines.append(f"# {key} has characters that can't be shown, and is read from {origin}")
        else:
            lines += [f"# {origin}", f"{key} = {value}"]
            if key == "mail" and known.is_silent:
                lines.insert(-1, f"# {THROWN_AWAY}")
    return "\n".join(lines) + "\n"
