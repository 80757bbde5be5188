"""Run a plugin so that it always ends with one valid output and an exit status from 0 to 3."""

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
# The memory that a loaded check needs, without its data. With less, Python itself fails anywhere:
# with SystemErrors, with another error than the real one, and 3.13 was seen to loop for ever.
_MEMORY = 8 << 20  # bytes
_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOSPC, errno.EDQUOT)

# The reason why this check has to end: the exception with it may be swallowed or replaced.
_reasons: list[CannotSee] = []
# Steps that remain to be taken at the end.
_last_steps: list[Callable[[], None]] = []
# Children that must live until the answer is given.
lasting: set[int] = set()
# The functions that make the output of the answer; the last one counts.
_forms: list[Callable[[Answer], Output]] = [output]


def run(title: str, main: Callable[[Sequence[str]], Answer | Output], to: int = 1) -> NoReturn:
    """Call ``main`` with the command line, print its answer at once and exit with its state.

    Whatever ``main`` raises becomes UNKNOWN; the text of an unexpected exception is not shown,
    since it may hold a secret. The plugin has blocked the ending signals in its first line. ``to``
    is the descriptor that the output is written to.
    """
    # Signals that the parent process has blocked or ignored must still end this one.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for ending in _ENDING_SIGNALS:
        signal.signal(ending, _ended)
    # Python would print an error that it can't raise; `_end` raises the reason again.
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
    """Give the answer in this form, whatever happens from here on."""
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
    """Return the answer in the requested form; if that fails, UNKNOWN in Nagios' form."""
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

    Otherwise the next opened file gets the stream's number, and receives its text. Nothing writes a
    core from here on, either.
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
    """Keep this process and its children from writing cores: memory has passwords (core(5)).

    The limit 0 stops a core to a file, but only the limit 1 stops one to a program, such as
    systemd's and apport's; it also stops a file, which would be less than a page.
    """
    with contextlib.suppress(OSError), open("/proc/self/coredump_filter", "wb", 0) as filter_file:
        filter_file.write(b"0")  # A core that is written nevertheless has no memory in it.
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    except (OSError, ValueError):  # The limit is 0, and may not be raised.
        hide_memory()


def hide_memory() -> None:
    """Allow no core of this process, and no other process of its user to inspect it (prctl(2)).

    Becoming another user, or starting a program, undoes this.
    """
    import ctypes  # slow to load: only for plugins that know a secret, which load it anyway

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
    if isinstance(error, (ImportError, SystemError)):  # Python may have replaced a MemoryError.
        try:
            bytearray(_MEMORY)
        except MemoryError:
            return True
    return isinstance(error, MemoryError) or (
        isinstance(error, OSError) and error.errno in _SHORTAGES
    )


def disarm() -> None:
    """Ignore signals and deadlines from here on, so that the exit status matches the output."""
    while True:
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, (*_ENDING_SIGNALS, signal.SIGALRM))
            return
        except CannotSee:
            continue


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Delay signals and deadlines, so that all that is created is also registered for removal.

    A child started meanwhile inherits that, and must unblock them itself.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    disarm()
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def in_the_end(step: Callable[[], None]) -> None:
    """Register a function to call when the check ends, however it ends.

    ``finally`` can't guarantee that: a signal may come just before it.
    """
    _last_steps.append(step)


def take_last_steps() -> None:
    """Do what is to be done in the end, the newest first. Nothing may come between any more."""
    while _last_steps:
        with contextlib.suppress(Exception):  # The other steps, and the output, must still follow.
            _last_steps.pop()()


def begin_anew() -> None:
    """Start anew as a child: handle signals, and leave the parent's last steps to the parent."""
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
    """End the check with `CannotSee` after so many seconds."""

    def too_late(number: int, frame: FrameType | None) -> NoReturn:
        _end(CannotSee(Kind.TIMEOUT, f"no answer within {seconds:g} s"))

    signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def lift_deadline() -> None:
    """Remove the deadline."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def _ended(number: int, frame: FrameType | None) -> NoReturn:
    _end(CannotSee(Kind.ENDED, f"ended by {signal.Signals(number).name} before it was done"))


def _end(reason: CannotSee) -> NoReturn:
    """Raise the reason repeatedly until the check ends: some code swallows errors."""

    def again(number: int, frame: FrameType | None) -> NoReturn:
        raise reason

    _reasons.append(reason)
    for ending in _ENDING_SIGNALS:
        signal.signal(ending, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, again)
    signal.setitimer(signal.ITIMER_REAL, _AGAIN, _AGAIN)
    raise reason


def _exit_when_nobody_reads(state: State) -> None:
    """Exit in time even if the output goes to a full pipe."""
    # Ignoring the signal discards a deadline that has passed meanwhile.
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
        pass  # Nobody reads the output; only the exit status remains.
