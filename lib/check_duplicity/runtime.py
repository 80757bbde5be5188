"""Run a plugin so that it always ends with one valid output and an exit status of 0 to 3."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

from check_duplicity.findings import CannotSee, Kind, State
from check_duplicity.output import Output, unseen

_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def run(title: str, main: Callable[[Sequence[str]], Output]) -> NoReturn:
    """Call ``main`` with the command line, print its output at once and exit with its state.

    Whatever ``main`` raises becomes UNKNOWN; the text of an unexpected exception is not shown,
    since it may hold a secret.
    """
    # What the parent process has blocked or ignored must not keep this one from ending.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for ending in _ENDING_SIGNALS:
        signal.signal(ending, _ended)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        output = main(sys.argv[1:])
    except CannotSee as reason:
        output = unseen(title, reason)
    except SystemExit:
        output = Output(State.UNKNOWN, "")  # Help or version has been printed.
    except BaseException as error:
        text = f"error in the plugin: {type(error).__name__} at {_place(error)}; please report it"
        output = unseen(title, CannotSee(Kind.INTERNAL, text))
    # Nothing must come between the output and its exit status.
    signal.pthread_sigmask(signal.SIG_BLOCK, (*_ENDING_SIGNALS, signal.SIGALRM))
    _write(output.text)
    os._exit(int(output.state))


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "?"
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"


def set_deadline(seconds: float) -> None:
    """Let the check end with `CannotSee` when so many seconds have passed."""

    def too_late(number: int, frame: FrameType | None) -> NoReturn:
        _ignore_signals()
        raise CannotSee(Kind.TIMEOUT, f"no answer within {seconds:g} s")

    signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _ended(number: int, frame: FrameType | None) -> NoReturn:
    _ignore_signals()
    raise CannotSee(Kind.ENDED, f"ended by {signal.Signals(number).name} before it was done")


def _ignore_signals() -> None:
    # What is tidied up from here on is not to be interrupted again.
    for ending in (*_ENDING_SIGNALS, signal.SIGALRM):
        signal.signal(ending, signal.SIG_IGN)


def _write(text: str) -> None:
    data = text.encode(errors="replace")
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError:
        pass  # Nobody reads it; the exit status is left.
