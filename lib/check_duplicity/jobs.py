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
from collections.abc import Callable, Mapping

from check_duplicity.findings import CannotSee, Kind
from check_duplicity.limits import age_limit, count_limit
from check_duplicity.lines import one_line
from check_duplicity.user import current, nonblocking
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
_NAME = re.compile(r"[A-Za-z0-9_@+][A-Za-z0-9_.@+-]{0,99}")
_LARGEST = 1 << 20  # bytes


class Fact(NamedTuple):
    """Something known of a job, and where it stands: a file, and its line where it matters."""

    value: str
    origin: str


class Known(NamedTuple):
    """What is known of a job.

    ``facts`` are by the keys of a job's file, ``environment`` is what its script gives to
    duplicity, ``doubts`` say what could not be known without running something.
    """

    job: str
    facts: Mapping[str, Fact]
    environment: Mapping[str, str] = {}
    doubts: tuple[str, ...] = ()

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
        known = read(job, text, path)
        return known._replace(environment=_environment(known.get("environment_file")))
    except ValueError as error:
        raise CannotSee(Kind.NO_JOB, f"{path}: {error}") from None


def _demand_private(status: os.stat_result, is_right: Callable[[int], bool]) -> None:
    if not is_right(status.st_mode):
        raise OSError(0, "is not a file")
    if status.st_mode & 0o022 or status.st_uid not in (0, os.geteuid()):
        raise OSError(
            0, "others may write to it or its directory: both must be root's, and writable for"
            " nobody else",
        )  # fmt: skip


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
    for key in ("mail", "options", "duplicity"):
        try:
            shlex.split(values.get(key, ""))
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
    if values.get("encryption", "yes") not in ("yes", "no", "required"):
        raise ValueError("encryption is yes, no or required")
    return Known(job, {key: Fact(value, origin) for key, value in values.items() if value})


def _without_values(error: configparser.Error) -> str:
    """What is wrong, without the line itself: it may hold a password."""
    line = getattr(error, "lineno", None)
    errors = getattr(error, "errors", None)
    if errors:
        line = errors[0][0]
    kind = re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__.replace("Error", "")).lower()
    return f"line {line}: {kind}" if line else kind


def _environment(path: str) -> dict[str, str]:
    """Return the variables of an environment file: ``NAME=value`` lines, ``export`` or not."""
    if not path:
        return {}
    from check_duplicity.shell import read_variables

    try:
        with open(path, opener=nonblocking, errors="replace") as opened:
            _demand_private(os.fstat(opened.fileno()), stat.S_ISREG)
            text = opened.read(_LARGEST)
    except OSError as error:
        raise ValueError(f"environment_file {path}: {error.strerror or error}") from None
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
        value, origin = known.facts[key]
        value, origin = " ".join(value.split("\n")), one_line(origin)
        if hide(value) != value:
            lines.append(f"# {key} has a secret, and is read from {origin}")
        elif one_line(value) != value:
            lines.append(f"# {key} has characters that can't be shown, and is read from {origin}")
        else:
            lines += [f"# {origin}", f"{key} = {value}"]
    return "\n".join(lines) + "\n"
