"""Command lines as the Monitoring Plugins' guidelines ask: wrong usage, help and version exit 3."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from check_duplicity import __version__
from check_duplicity.lines import pasted
from check_duplicity.nagios.commands import CHECKS_OF_DEBIAN, Job
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.nagios.judged import DESTINATION, JUDGED, Judged
from check_duplicity.nagios.limits import Limit, age_limit
from check_duplicity.nagios.output import output
from check_duplicity.secrets import Secrets
from check_duplicity.system import runtime, user
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn, TypeVar

    _T = TypeVar("_T")

    from check_duplicity.jobs.model import Known
    from check_duplicity.system.writer import Writer


FORMATS = ("nagios", "json", "openmetrics", "icinga2", "nsca")
JOBS_DIR = "/etc/check-duplicity/jobs.d"
EXIT_STATUS = "Exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (could not see)."
LIMITS = """\
Limits are Nagios ranges: '32h' is at most 32 hours, '30d:' at least 30 days.
The units of an AGE are s, m, h, d and w; without a unit it is in seconds."""
SIZES = "\nThe units of a SIZE are K, M, G and T."


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help with one line for an option, where it can be: ``-w, --warning AGE  text``."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32)  # Behind the longest of the options.

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        value = self._format_args(action, action.dest.upper())
        return f"{', '.join(action.option_strings)} {value}"


class Parser(argparse.ArgumentParser):
    """An argument parser with the options that all plugins share.

    Plugins add their own options to groups: for an option added to the parser itself, argparse
    asks ``shutil``, which is slow to load, for the terminal's width.

    ``output`` is the group of options for what is printed.
    """

    def __init__(
        self,
        prog: str,
        description: str,
        usage: str,
        secrets: Secrets,
        *,
        examples: Sequence[str],
        verbose: str,
        foreign: bool = False,
        patient: bool = False,
    ) -> None:
        """``usage`` follows the name; ``examples`` are lines to paste, the most used one first.

        ``verbose`` is what -v adds, ``foreign`` whether options for duplicity can follow. A
        ``patient`` program has a timeout of an hour by default, and reads it as an AGE.
        """
        super().__init__(
            prog=prog,
            description=description,
            usage=f"{prog} {usage}",
            epilog="\n  ".join((f"{EXIT_STATUS}\n\nExamples:", *examples)),
            add_help=False,
            allow_abbrev=False,  # A mistyped option must not match another.
            formatter_class=_Help,
        )
        self.register("action", None, _Store)
        self.color = False  # Help is for mails and man pages, too; 3.14 would load a third more.
        self._secrets = secrets
        self._foreign = foreign
        self._writer: Writer | None = None
        self.output = self.add_argument_group("output")
        self.output.add_argument(
            "-v", "--verbose", action="count", default=0,
            help=verbose,
        )  # fmt: skip
        self.output.add_argument(
            "-q", "--quiet", action="store_true", help="print only the first line"
        )
        if not patient:
            _add_forms(self.output)
        other = self.add_argument_group("other options")
        if patient:
            other.add_argument(
                "-t", "--timeout", type=argument(_duration), default=3600.0, metavar="AGE",
                help="stop after this time: 90 (seconds), 20m (default 1h)",
            )  # fmt: skip
        else:
            other.add_argument(
                "-t", "--timeout", type=argument(_positive), default=30.0, metavar="SECONDS",
                help="UNKNOWN after this many seconds (default 30)",
            )  # fmt: skip
        other.add_argument(
            "-V", "--version", action=_PrintVersion, nargs=0, default=argparse.SUPPRESS,
            help="print the version; the exit status is 3",
        )  # fmt: skip
        other.add_argument(
            "-h", "--help", action="help", help="print this help; the exit status is 3"
        )
        self._last = [self.output, other]

    def format_help(self) -> str:
        """Return the help, in which the program's own options come before those of all."""
        own = [group for group in self._action_groups if group not in self._last]
        self._action_groups = [*own, *self._last]
        return super().format_help()

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """Return the options; from here on the answer has the form that they ask for."""
        options = self.parse_args(argv)
        if getattr(options, "format", None) or getattr(options, "write", None):
            self._answer_in_form(options)
        elif options.quiet:
            runtime.answer_in(partial(output, quiet=True))
        return options

    def _answer_in_form(self, options: argparse.Namespace) -> None:
        from check_duplicity.formats.form import demand, give
        from check_duplicity.formats.model import Form
        from check_duplicity.system.writer import Writer

        wanted = options.format or "nagios"
        demand(wanted, self.error)
        check = self.prog.rpartition("_")[2]
        job = getattr(options, "job", None) or ""
        named = "-".join(filter(None, ("duplicity", check, job)))
        place = getattr(options, "destination", "") or ", ".join(getattr(options, "paths", ()))
        form = Form(
            wanted,
            job or self._secrets.hide(place),
            options.host or os.uname().nodename,
            options.service or named,
            options.interval,
            options.quiet,
        )
        if options.write and self._writer is None:
            try:
                self._writer = Writer(options.write)
            except OSError as error:
                self.error(f"--write: {error.strerror}")
        runtime.answer_in(partial(give, form=form, writer=self._writer))

    def error(self, message: str) -> NoReturn:
        """Raise `CannotSee` instead of exiting with 2, which is CRITICAL."""
        text = self._secrets.hide(message)
        hint = "see --help"
        if message.startswith("unrecognized") and self._foreign:
            hint += "; options for duplicity go after --"
        raise CannotSee(Kind.USAGE, f"wrong usage: {text} ({hint})")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Exit with UNKNOWN after help or version: neither says that all is well."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
        sys.exit(3)


class _Store(argparse.Action):
    """Store a value; argparse's own action makes ``-w--`` an empty list until Python 3.12."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        if values == [] and self.option_strings:
            raise argparse.ArgumentError(self, "expected one argument")
        setattr(namespace, self.dest, values)


class _PrintVersion(argparse.Action):
    """Print the version; argparse's own action prepares to print help, too, which is slow."""

    def __call__(self, parser: argparse.ArgumentParser, *parsed: object) -> NoReturn:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            print(f"{parser.prog} {__version__}")
        parser.exit()


def _add_forms(group: argparse._ArgumentGroup) -> None:
    """Add the options for readers other than Nagios."""
    group.add_argument(
        "--format", choices=FORMATS, metavar="FORMAT",
        help="nagios, json, openmetrics, icinga2 or nsca",
    )  # fmt: skip
    group.add_argument(
        "--write", metavar="FILE", help="write this format to FILE, print the nagios one"
    )
    group.add_argument(
        "--interval", type=argument(_duration), default=900.0, metavar="AGE",
        help="how often this check runs (default 15m)",
    )  # fmt: skip
    group.add_argument("--host", metavar="NAME", help="host for icinga2, nsca (default: this host)")
    group.add_argument(
        "--service", metavar="NAME", help="service for icinga2, nsca (default: by job)"
    )


def add_job(group: argparse._ArgumentGroup) -> None:
    """Add the options that name a job, the same in all plugins."""
    group.add_argument(
        "-j", "--job", metavar="NAME", help="use the settings and limits of this job"
    )
    add_jobs_dir(group)
    group.add_argument(
        "-d",
        "--destination",
        metavar="URL",
        default="",
        help="the backup's URL, as given to duplicity",
    )
    group.add_argument(
        "-a",
        "--archive-dir",
        metavar="DIR",
        help="archive directory (default ~/.cache/duplicity)",
    )
    group.add_argument("-n", "--name", help="backup name (default: the MD5 of the URL)")
    group.add_argument("-u", "--user", help="the user that the backup belongs to")


def add_jobs_dir(group: argparse._ArgumentGroup) -> None:
    """Add the option that says where the jobs' files are."""
    group.add_argument(
        "--jobs-dir",
        metavar="DIR",
        default=JOBS_DIR,
        help=f"job files (default {JOBS_DIR})",
    )


def add_state_file(group: argparse._ArgumentGroup) -> None:
    """Add the option that says where a check remembers what it has seen."""
    group.add_argument(
        "--state-file", metavar="FILE", help="file in which the check remembers what it saw"
    )


def add_duplicity(group: argparse._ArgumentGroup) -> None:
    """Add the option that says how to start duplicity."""
    group.add_argument(
        "--duplicity",
        metavar="COMMAND",
        type=argument(command),
        default=("duplicity",),
        help="command that starts duplicity (default duplicity)",
    )


def add_limits(parser: Parser, kinds: Mapping[str, Judged]) -> argparse._ArgumentGroup:
    """Add the options for limits, named by the prefix of "warning" and "critical"."""
    sizes = any(what.metavar == "SIZE" for what in kinds.values())
    group = parser.add_argument_group("limits", LIMITS + SIZES * sizes)
    for kind, what in kinds.items():
        for state, default in (("warning", what.warning), ("critical", what.critical)):
            names = [f"--{kind.replace('_', '-')}{state}"]
            said = f" (default {default})" if default else ""
            group.add_argument(
                *([] if kind else [f"-{state[0]}"]), *names, metavar=what.metavar,
                type=argument(what.read), default=default, help=what.what + said,
            )  # fmt: skip
    return group


def add_destination_limits(parser: Parser) -> None:
    """Add the options that say what a good collection is."""
    group = add_limits(parser, {kind: JUDGED[kind] for kind in DESTINATION})
    group.add_argument(
        "--require-encryption",
        action="store_true",
        help="the newest complete backup must be encrypted",
    )


def command(text: str) -> tuple[str, ...]:
    """Read how to start a program, as a shell would. Raises `ValueError`."""
    words = shlex.split(text)
    if not words:
        raise ValueError("no command")
    return tuple(words)


def parse(
    parser: Parser, argv: Sequence[str], keys: Mapping[str, str], secrets: Secrets, now: datetime
) -> tuple[argparse.Namespace, Known | None]:
    """Return the options; with ``--job`` the facts of that job are their defaults.

    ``keys`` maps an option's name to the key of a job's file. An option on the command line
    replaces the job's fact. Raises `CannotSee`.
    """
    options = parser.read(argv)
    if not options.job:
        return options, None
    given = {
        key: getattr(options, name)
        for name, key in keys.items()
        if getattr(options, name) != parser.get_default(name)
    }
    from check_duplicity.jobs import by_name

    runtime.set_deadline(options.timeout)
    known = by_name.job(options.job, options.jobs_dir)
    secrets.learn(known.environment, [known.get("destination"), *known.words("options")])
    values = {name: known.get(key) for name, key in keys.items() if known.get(key)}
    said = {"warning", "critical"} <= values.keys() and not known.backup_options
    if "warning" in keys.values() and not said:
        by_job = _limits_of(parser, known, now)
        if any(key.startswith("full_") for key in given):
            by_job = {key: text for key, text in by_job.items() if not key.startswith("full_")}
        values = {**by_job, **values}
    parser.set_defaults(**values)
    others = [key for key, value in given.items() if value != known.get(key)]
    return parser.read(argv), known.without(others)


def unknown_job(secrets: Secrets) -> Job:
    """Return a job whose only known commands are those of these plugins."""
    directory = os.path.dirname(os.path.abspath(sys.argv[0]))
    if not os.path.exists(os.path.join(directory, "check_duplicity_log")):
        directory = CHECKS_OF_DEBIAN  # Debian's package has duplicity_triage elsewhere.
    check = pasted(map(secrets.hide, sys.argv))
    return Job(user.current(), check=check, programs=directory)


def called(job: Job, name: str, jobs_dir: str) -> Job:
    """Return a job whose commands can name it with ``--job``."""
    return job._replace(job=name, jobs_dir=os.path.abspath(jobs_dir) * (jobs_dir != JOBS_DIR))


def job_of(options: argparse.Namespace, known: Known | None, secrets: Secrets) -> Job:
    """Return what the commands that are printed need, from the options that name a job."""
    job = unknown_job(secrets)
    if options.job:
        job = called(job, options.job, options.jobs_dir)
    owner = options.user or job.user
    if known is not None and known.get("destination") == options.destination:
        from check_duplicity.jobs import pasting

        job = pasting.job_of(known, secrets, job._replace(user=owner))
        if job.others:
            return job  # It may be offered to another user only, or to nobody.
    return job._replace(
        user=owner,
        login=user.has_shell(owner),
        url=secrets.hide(options.destination),
        archive_dir=options.archive_dir,
        name=options.name,
    )


def _limits_of(parser: Parser, known: Known, now: datetime) -> dict[str, str]:
    """Return the limits that a job's schedule and options give."""
    from check_duplicity.jobs import schedule

    try:
        return schedule.limits_of(known, now)
    except ValueError as error:
        parser.error(f"job {known.job}: {error}")


def check_order(parser: Parser, options: argparse.Namespace, *kinds: str) -> None:
    """Refuse a critical upper limit below the warning one, if both are given: it is a mistake.

    ``kinds`` are the prefixes of "warning" and "critical" in the names of the options.
    """
    for kind in kinds:
        warning: Limit | None = getattr(options, f"{kind}warning")
        critical: Limit | None = getattr(options, f"{kind}critical")
        if warning is None or critical is None:
            continue
        if warning.text == parser.get_default(f"{kind}warning"):
            continue
        if warning.upper in (None, float("inf")) or critical.upper is None:
            continue
        if critical.upper < warning.upper:
            parser.error(f"--{kind.replace('_', '-')}critical is below the warning limit")


def argument(read: Callable[[str], _T]) -> Callable[[str], _T]:
    """Make a reader that raises `ValueError` an argument type that keeps its message."""

    def typed(text: str) -> _T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return typed


def _duration(text: str) -> float:
    seconds = age_limit(text).upper if re.fullmatch(r"[\w.]+", text) else None
    if seconds is None or not 0 < seconds <= 7 * 86400:
        raise ValueError(f"not a time to wait: {text!r} (write 90, 20m or 2h, up to 7d)")
    return seconds


def _positive(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86400:
        raise ValueError(f"not a number of seconds: {text!r} (write a number up to 86400)")
    return seconds
