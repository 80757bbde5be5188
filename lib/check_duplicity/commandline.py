"""Command lines as the Monitoring Plugins' guidelines ask: wrong usage, help and version exit 3."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

from check_duplicity import __version__
from check_duplicity.findings import CannotSee, Kind
from check_duplicity.secrets import Secrets

_T = TypeVar("_T")


class Parser(argparse.ArgumentParser):
    """An argument parser with the options that all plugins share."""

    def __init__(self, prog: str, description: str, usage: str, secrets: Secrets) -> None:
        super().__init__(
            prog=prog,
            description=description,
            usage=usage,
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
        raise CannotSee(Kind.USAGE, f"wrong usage: {self._secrets.hide(message)} (see --help)")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Exit after help or version; neither says that all is well."""
        sys.exit(3)


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
        raise ValueError(f"not a number of seconds: {text!r} (write 1 to 86400)")
    return seconds
