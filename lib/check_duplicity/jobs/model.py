"""Jobs: what is known of a backup, from a job's file or found, with where each fact comes from.

A job's file is ``JOBS_DIR/NAME.ini`` with one section ``[job]``. Destinations carry passwords and
``duplicity`` names a program, so a file that others may write to is refused.
"""

from __future__ import annotations

import configparser
import os
import re
import shlex
import stat
from collections.abc import Callable, Collection, Mapping

from check_duplicity.lines import one_line
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.nagios.limits import age_limit, count_limit
from check_duplicity.system.rights import (
    NOBODY,
    changeable,
    deciders,
    goes_along,
    may,
    named,
    started,
)
from check_duplicity.system.user import acting_as, current, nonblocking
from check_duplicity.values import NamedTuple

JOBS_DIR = "/etc/check-duplicity/jobs.d"
COMMENTED_OUT = "is commented out"
KEYS = (
    "user", "script", "destination", "archive_dir", "name", "schedule", "time_zone", "mail",
    "options", "environment_file", "encryption", "duplicity",
    "warning", "critical", "full_warning", "full_critical", "chain_warning", "chain_critical",
    "process_warning", "process_critical", "stalled_warning", "stalled_critical", "lookback",
)  # fmt: skip
AGES = (
    "warning", "critical", "full_warning", "full_critical", "process_warning", "process_critical",
    "stalled_warning", "stalled_critical", "lookback",
)  # fmt: skip
COUNTS = ("chain_warning", "chain_critical")
# What is run for a job, and as whom; the rest is only read, judged or printed.
_RUN = (
    "user", "destination", "options", "duplicity", "archive_dir", "name", "environment_file",
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9_@+][A-Za-z0-9_.@+-]{0,99}")
_LINE = re.compile(r":\d+$")
_USER = re.compile(r"(?:[A-Za-z0-9_][\w.@-]*\$?)?", re.A)
_LARGEST = 1 << 20  # bytes
_OTHERS = (
    "others may write to it or its directory: both must be root's, and writable for nobody else"
)


class Fact(NamedTuple):
    """Something known of a job, and where it stands: a file, and its line where it matters.

    ``by`` are the users besides root who decide it (`rights.deciders`).
    """

    value: str
    origin: str
    by: frozenset[str] = NOBODY


class Known(NamedTuple):
    """What is known of a job.

    ``facts`` are by the keys of a job's file, ``environment`` is what its script gives to
    duplicity, ``environment_by`` who decides that besides root, ``doubts`` say what could not be
    known without running something. ``starter`` is who starts the script, if not the job's user.
    """

    job: str
    facts: Mapping[str, Fact]
    environment: Mapping[str, str] = {}
    doubts: tuple[str, ...] = ()
    environment_by: frozenset[str] = NOBODY
    starter: str = ""

    @property
    def no_destination(self) -> str:
        """What to say if it has none."""
        return f"job {self.job} has no destination in its file, and none was found elsewhere"

    def get(self, key: str) -> str:
        """Return a fact's value, empty if it isn't known."""
        return self.facts[key].value if key in self.facts else ""

    @property
    def commented_out(self) -> tuple[str, ...]:
        """The doubts that say so of the line that starts it."""
        return tuple(doubt for doubt in self.doubts if doubt.endswith(COMMENTED_OUT))

    def words(self, key: str) -> tuple[str, ...]:
        """Return a fact that is a list, written as a shell would read it."""
        return tuple(shlex.split(self.get(key)))

    @property
    def runs_as(self) -> str:
        """The job's user; if none is known, who runs this."""
        return self.get("user") or current()

    @property
    def by(self) -> frozenset[str]:
        """Who decides what is run for it, besides root."""
        facts = [self.facts[key].by for key in _RUN if key in self.facts]
        return frozenset().union(self.environment_by, *map(deciders, self._started), *facts)

    @property
    def _started(self) -> list[str]:
        return started(self.words("options"), self.handed_on, self.get("destination"))

    @property
    def handed_on(self) -> dict[str, str]:
        """What of its environment duplicity gets."""
        return {name: value for name, value in self.environment.items() if goes_along(name)}

    def without(self, keys: Collection[str]) -> Known:
        """Return it without some of its facts."""
        facts = {key: fact for key, fact in self.facts.items() if key not in keys}
        return self._replace(facts=facts)

    def decided_by(self, by: frozenset[str]) -> Known:
        """Return it as known from a place where these users decide, too."""
        facts = {key: fact._replace(by=fact.by | by) for key, fact in self.facts.items()}
        return self._replace(facts=facts, environment_by=self.environment_by | by)

    def demand_decided(self, user: str) -> None:
        """Raise `CannotSee` if others than root and ``user`` decide what would run as ``user``."""
        others = self.by - {user}
        if others:
            reason = f"{named(others)} can change {self._place(user)} as {user}: nothing was run"
            raise CannotSee(Kind.OTHERS_DECIDE, reason)

    def _place(self, user: str) -> str:
        """What others than a user can change of it, for a sentence."""
        where = [f for key in _RUN if (f := self.facts.get(key)) and not may(user, f.by)]
        files = [_LINE.sub("", fact.origin) for fact in where[::-1]]
        for path in filter(os.path.isabs, (*files, *self._started)):
            place = changeable(path, user)
            if place:
                by = "" if place == path else f" (by {place})"
                return f"{path}{by}, which decides what runs"
        return "what would run"


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
            reason += f" to {current()}; what may be run with more rights, sudo -l tells"
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


def read(job: str, text: str, origin: str) -> Known:
    """Read a job's file. Raises `ValueError`, with what would be right."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    try:
        parser.read_string(text, origin)
    except configparser.Error as error:
        raise ValueError(_without_values(error)) from None
    if parser.sections() != ["job"] or parser.defaults():
        raise ValueError("has not the one section [job]")
    values = dict(parser["job"])
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        # Not the key itself: what stands in a wrong line may be a password.
        raise ValueError(f"a key that is none (known are {', '.join(KEYS)})")
    for key in (*AGES, *COUNTS):
        if values.get(key):
            try:
                (age_limit if key in AGES else count_limit)(values[key])
            except ValueError:
                raise ValueError(f"{key} is no limit (write 36h, or a Nagios range)") from None
    _demand_words(values)
    if values.get("encryption", "yes") not in ("yes", "no", "required"):
        raise ValueError("encryption is yes, no or required")
    return Known(job, {key: Fact(value, origin) for key, value in values.items() if value})


def _demand_words(values: Mapping[str, str]) -> None:
    for key in ("mail", "options", "duplicity"):
        try:
            shlex.split(values.get(key, ""))
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
    for key, value in values.items():
        if _is_wrong(key, value):
            raise ValueError(_is_wrong(key, value))


def _is_wrong(key: str, value: str) -> str:
    """What is wrong with a fact that sudo would take for an option of its own, or for nobody."""
    if key in ("script", "duplicity") and value.startswith("-"):
        return f"{key} is no program: it begins with -"
    if key == "user" and not _USER.fullmatch(value):
        return "user is no name of a user"
    return ""


def _without_values(error: configparser.Error) -> str:
    """What is wrong, without the line itself: it may hold a password."""
    line = getattr(error, "lineno", None)
    errors = getattr(error, "errors", None)
    if errors:
        line = errors[0][0]
    kind = re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__.replace("Error", "")).lower()
    return f"line {line}: {kind}" if line else kind


def _environment(path: str, user: str) -> dict[str, str]:
    """Return the variables of an environment file: ``NAME=value`` lines, ``export`` or not.

    It is read as the job's user, to whom duplicity will belong, and nobody else but root may be
    able to say what it is. Raises `ValueError`.
    """
    if not path:
        return {}
    if "\0" in path:
        raise ValueError("environment_file is no path")
    from check_duplicity.jobs.shell import read_variables

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
    """Return a job's file with what is known of it, and where it comes from as comments.

    A fact with a secret is left out: it goes on being read from where it stands.
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
            # In a file of root's it would be root's decision.
            lines.append(f"# {key} is left out: {named(by)} can change it in {origin}")
        elif _is_wrong(key, value):
            lines.append(f"# {_is_wrong(key, value)} ({origin})")
        elif hide(value) != value:
            lines.append(f"# {key} has a secret, and is read from {origin}")
        elif one_line(value) != value:
            lines.append(f"# {key} has characters that can't be shown, and is read from {origin}")
        else:
            lines += [f"# {origin}", f"{key} = {value}"]
    return "\n".join(lines) + "\n"
