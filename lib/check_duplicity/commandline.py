"""Command lines as the Monitoring Plugins' guidelines ask: wrong usage, help and version exit 3."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

from check_duplicity import __version__
from check_duplicity.findings import CannotSee, Kind
from check_duplicity.limits import Limit
from check_duplicity.secrets import Secrets

_T = TypeVar("_T")


class Parser(argparse.ArgumentParser):
    """An argument parser with the options that all plugins share."""

    def __init__(self, prog: str, description: str, usage: str, secrets: Secrets) -> None:
        super().__init__(
            prog=prog,
            description=description,
            usage=usage,
            epilog="Exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (could not see).",
            add_help=False,
            allow_abbrev=False,  # A mistyped option is not another one.
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self._secrets = secrets
        common = self.add_argument_group("common options")
        common.add_argument(
            "-t", "--timeout", type=argument(_positive), default=30.0, metavar="SECONDS",
            help="answer UNKNOWN after so many seconds (default 30)",
        )  # fmt: skip
        common.add_argument(
            "-v", "--verbose", action="count", default=0,
            help="say more: -v what could not be seen and the chains, -vv every backup set",
        )  # fmt: skip
        common.add_argument(
            "-q", "--quiet", action="store_true", help="print the first line only, no advice"
        )
        common.add_argument(
            "-V", "--version", action="version", version=f"{prog} {__version__}",
            help="print the version and exit with 3",
        )  # fmt: skip
        common.add_argument("-h", "--help", action="help", help="print this help and exit with 3")

    def error(self, message: str) -> NoReturn:
        """Raise `CannotSee` instead of exiting with 2, which is CRITICAL."""
        text = self._secrets.hide(message)
        raise CannotSee(Kind.USAGE, f"wrong usage: {text} ({_hint(message)})")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Exit after help or version; neither says that all is well."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
        sys.exit(3)


def _hint(message: str) -> str:
    if message.startswith("unrecognized"):
        return "see --help; what is for duplicity stands behind --"
    return "see --help"


def add_job(group: argparse._ArgumentGroup) -> None:
    """Add the options that name a job, the same in all plugins."""
    group.add_argument(
        "-d",
        "--destination",
        metavar="URL",
        default="",
        help="the backup's destination, as the job gives it to duplicity",
    )
    group.add_argument(
        "-a",
        "--archive-dir",
        help="the job's archive directory; only ever read (default ~/.cache/duplicity)",
    )
    group.add_argument("-n", "--name", help="the job's backup name (default the MD5 of the URL)")
    group.add_argument("-u", "--user", help="the user the backup belongs to")


def check_order(parser: Parser, options: argparse.Namespace, *kinds: str) -> None:
    """Refuse a critical upper limit below the warning one, if both are given: it can't be meant.

    ``kinds`` are what stands in front of "warning" and "critical" in the names of the options.
    """
    for kind in kinds:
        warning: Limit | None = getattr(options, f"{kind}warning")
        critical: Limit | None = getattr(options, f"{kind}critical")
        if warning is None or critical is None:
            continue
        if warning.text == parser.get_default(f"{kind}warning"):
            continue
        if warning.upper is None or critical.upper is None:
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


def _positive(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86400:
        raise ValueError(f"not a number of seconds: {text!r} (write a number up to 86400)")
    return seconds
