"""Run a plugin so that it always ends with one valid output and an exit status of 0 to 3."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from check_duplicity.nagios.answer import Answer, unseen
from check_duplicity.nagios.findings import CannotSee, Kind, State
from check_duplicity.nagios.output import Output, output
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn

_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU)
_PR_SET_DUMPABLE = 4
_AGAIN = 0.5  # seconds
_READ_WITHIN = 5  # seconds
# What a check needs once it is loaded, without what it reads. With less, Python itself goes wrong
# anywhere: SystemErrors, an error in an error's place, and 3.13 has been seen to loop for ever.
_MEMORY = 8 << 20  # bytes
_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOSPC, errno.EDQUOT)

# Why this check has to end, once it has: the exception that says so may be swallowed or replaced.
_reasons: list[CannotSee] = []
# What is left to do in the end.
_last_steps: list[Callable[[], None]] = []
# Children that are to be there until the answer is given.
lasting: set[int] = set()
# How the answer becomes output; the last one counts.
_forms: list[Callable[[Answer], Output]] = [output]


def run(title: str, main: Callable[[Sequence[str]], Answer | Output], to: int = 1) -> NoReturn:
    """Call ``main`` with the command line, print its answer at once and exit with its state.

    Whatever ``main`` raises becomes UNKNOWN; the text of an unexpected exception is not shown,
    since it may hold a secret. The plugin has blocked the ending signals in its first line. ``to``
    is the descriptor that the output is written to.
    """
    # What the parent process has blocked or ignored must not keep this one from ending.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for ending in _ENDING_SIGNALS:
        signal.signal(ending, _ended)
    # Where an error can't be raised Python would print it; the reason comes again.
    sys.unraisablehook = lambda unraisable: None
    try:
        answer = _answer(title, main)
        disarm()
    except CannotSee as ended:  # By a signal, at this very moment.
        disarm()
        answer = unseen(title, ended)
    except (MemoryError, SystemError):  # While an answer was made of one.
        disarm()
        answer = _no_memory(title)
    take_last_steps()
    given = answer if isinstance(answer, Output) else _in_form(answer)
    _exit_when_nobody_reads(given.state)
    _write(given.text, to)
    os._exit(int(given.state))


def answer_in(form: Callable[[Answer], Output]) -> None:
    """Let the answer be given in this form, however it comes about from here on."""
    _forms.append(form)


def _answer(title: str, main: Callable[[Sequence[str]], Answer | Output]) -> Answer | Output:
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _settle()
        bytearray(_MEMORY)  # Only asked for, never touched.
        answer = main(sys.argv[1:])
        overlooked = _reasons and answer.state is not State.UNKNOWN
        if overlooked:
            return unseen(title, _reasons[0])
        return answer if isinstance(answer, Output) else answer.prepared()
    except BaseException as error:
        return _answer_to(error, title)


def _in_form(answer: Answer) -> Output:
    """The answer as it is asked for; if that can't be made, UNKNOWN as Nagios reads it."""
    try:
        return _forms[-1](answer)
    except BaseException as error:
        problem = _answer_to(error, answer.title)
    try:
        return problem if isinstance(problem, Output) else output(problem)
    except (MemoryError, SystemError):
        return _no_memory(answer.title)


def _no_memory(title: str) -> Output:
    return Output(State.UNKNOWN, f"{title} UNKNOWN - {_short_of('Cannot allocate memory')}\n")


def _settle() -> None:
    """Make up for standard streams that are closed, and a current directory that is gone.

    Otherwise the next file to be opened gets the number of the stream, and what is meant for one
    goes to the other. And nothing writes a core from here on.
    """
    _write_no_core()
    with contextlib.suppress(OSError):
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            if getattr(sys, name) is None:
                setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for good
    try:
        os.getcwd()
    except OSError:
        os.chdir("/")


def _write_no_core() -> None:
    """Let neither this process nor what it starts write a core: memory has passwords (core(5)).

    The limit 0 stops a core that goes to a file; one that goes to a program, as systemd's and
    apport's do, only the limit 1 stops, and that no file either, which would be less than a page.
    """
    with contextlib.suppress(OSError), open("/proc/self/coredump_filter", "wb", 0) as filter_file:
        filter_file.write(b"0")  # For who takes one all the same: none of the memory is in it.
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    except (OSError, ValueError):  # It is 0, and may not be raised.
        hide_memory()


def hide_memory() -> None:
    """Let no core be made of this process, and no other of its user's look into it (prctl(2)).

    Becoming another user, and starting a program, undoes it.
    """
    import ctypes  # slow to load: for those that know a secret, and load it anyway

    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0)


def _answer_to(error: BaseException, title: str) -> Answer | Output:
    if isinstance(error, SystemExit):
        return Output(State.UNKNOWN, "")  # Help or version has been printed.
    if _reasons and not isinstance(error, CannotSee):
        error = _reasons[0]
    if _is_shortage(error):
        reason = getattr(error, "strerror", None) or "Cannot allocate memory"
        error = CannotSee(Kind.INTERNAL, _short_of(reason))
    elif not isinstance(error, CannotSee):
        text = f"error in the plugin: {type(error).__name__} at {_place(error)}; please report it"
        error = CannotSee(Kind.INTERNAL, text)
    return unseen(title, error)


def _short_of(reason: str) -> str:
    return f"this machine, or a limit of this user: {reason}"


def _is_shortage(error: BaseException) -> bool:
    if isinstance(error, (ImportError, SystemError)):  # Where a MemoryError got lost on the way.
        try:
            bytearray(_MEMORY)
        except MemoryError:
            return True
    return isinstance(error, MemoryError) or (
        isinstance(error, OSError) and error.errno in _SHORTAGES
    )


def disarm() -> None:
    """Let nothing come between the output and its exit status from here on."""
    while True:
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, (*_ENDING_SIGNALS, signal.SIGALRM))
            return
        except CannotSee:
            continue


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let signals and deadlines wait, so that nothing is made without being remembered.

    What is started meanwhile inherits that, and unblocks them itself.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    disarm()
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def in_the_end(step: Callable[[], None]) -> None:
    """Let something be done when the check ends, however it ends: undo what must not stay.

    ``finally`` can't promise that: a signal may come on the way into it.
    """
    _last_steps.append(step)


def take_last_steps() -> None:
    """Do what is to be done in the end, the newest first. Nothing may come between any more."""
    while _last_steps:
        with contextlib.suppress(Exception):  # The others, and the output, come all the same.
            _last_steps.pop()()


def begin_anew() -> None:
    """Be a process of its own: listen to signals, and leave the parent's last steps to it."""
    _last_steps.clear()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


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
        _end(CannotSee(Kind.TIMEOUT, f"no answer within {seconds:g} s"))

    signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def lift_deadline() -> None:
    """Let the check go on for as long as it takes."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def _ended(number: int, frame: FrameType | None) -> NoReturn:
    _end(CannotSee(Kind.ENDED, f"ended by {signal.Signals(number).name} before it was done"))


def _end(reason: CannotSee) -> NoReturn:
    """Raise the reason, and again until it is heeded: it may come where errors are swallowed."""

    def again(number: int, frame: FrameType | None) -> NoReturn:
        raise reason

    _reasons.append(reason)
    for ending in _ENDING_SIGNALS:
        signal.signal(ending, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, again)
    signal.setitimer(signal.ITIMER_REAL, _AGAIN, _AGAIN)
    raise reason


def _exit_when_nobody_reads(state: State) -> None:
    """Let the exit status be there in time, even if the output goes to a full pipe."""
    # A deadline that has passed meanwhile is forgotten when it is ignored.
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, lambda number, frame: os._exit(int(state)))
    signal.setitimer(signal.ITIMER_REAL, _READ_WITHIN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))


def _write(text: str, to: int) -> None:
    data = text.encode(errors="replace")
    try:
        while data:
            data = data[os.write(to, data) :]
    except OSError:
        pass  # Nobody reads it; the exit status is left.
