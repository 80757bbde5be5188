"""Whatever happens in a plugin, there is one answer; what was begun is ended."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone

import pytest
from check_duplicity.nagios.answer import Answer, answer
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.evaluation import evaluate
from check_duplicity.nagios.findings import CannotSee, Kind, State
from check_duplicity.nagios.measures import Measure
from check_duplicity.nagios.output import Output, output
from check_duplicity.system import runtime

HANDLED = (*runtime._ENDING_SIGNALS, signal.SIGALRM, signal.SIGCHLD)
SHORT = "T UNKNOWN - this machine, or a limit of this user: "


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin changes its own process for good: here all is as before in the end."""
    handlers = {number: signal.getsignal(number) for number in HANDLED}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    monkeypatch.setattr(runtime, "_reasons", [])
    monkeypatch.setattr(runtime, "_last_steps", [])
    monkeypatch.setattr(runtime, "_forms", [output])
    monkeypatch.setattr(runtime, "_settle", lambda: None)
    monkeypatch.setattr("sys.unraisablehook", None)
    monkeypatch.setattr("sys.argv", ["plugin", "-x"])
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class Exited(BaseException):
    """The plugin has exited with this status."""


def ended(main: Callable[[Sequence[str]], Answer | Output]) -> tuple[str, int]:
    """Run a plugin; return what it prints, and its exit status."""
    reader, to = os.pipe()

    def leave(status: int) -> None:
        raise Exited(status)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "_exit", leave)
        with pytest.raises(Exited) as exited:
            runtime.run("T", main, to)
    os.close(to)
    with open(reader) as printed:
        return printed.read(), exited.value.args[0]


def raising(error: BaseException) -> Callable[[Sequence[str]], Answer]:
    def main(argv: Sequence[str]) -> Answer:
        raise error

    return main


def good(argv: Sequence[str] = ()) -> Answer:
    evaluated = evaluate([Measure("runs", 1, text=f"one run {' '.join(argv)}")], [], {})
    return answer("T", evaluated, datetime.now(timezone.utc), Job("backup"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (CannotSee(Kind.HIDDEN, "it is hidden"), "T UNKNOWN - it is hidden"),
        (MemoryError(), f"{SHORT}Cannot allocate memory"),
        *(
            (OSError(number, os.strerror(number)), f"{SHORT}{os.strerror(number)}")
            for number in (
                errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOSPC, errno.EDQUOT,
            )
        ),
        (SystemExit(0), ""),
    ],
    ids=repr,
)  # fmt: skip
def test_what_goes_wrong_is_unknown_with_the_reason(error: BaseException, said: str) -> None:
    printed, status = ended(raising(error))
    assert status == 3
    assert printed.partition("\n")[0] == said


@pytest.mark.parametrize(
    "error", [ValueError("secret"), OSError(errno.ENOENT, "secret"), ImportError("secret")]
)
def test_an_error_of_the_plugin_names_its_place_and_no_more(error: Exception) -> None:
    printed, status = ended(raising(error))
    line = raising.__code__.co_firstlineno + 2
    assert status == 3
    assert printed.partition("\n")[0] == (
        f"T UNKNOWN - error in the plugin: {type(error).__name__} at test_runtime.py:{line};"
        " please report it"
    )
    assert "secret" not in printed


def test_a_good_answer_is_printed_and_its_state_is_the_status() -> None:
    printed, status = ended(good)
    assert (printed.partition("|")[0].strip(), status) == ("T OK - one run -x", 0)
    assert ended(lambda argv: Output(State.CRITICAL, "as it is\n")) == ("as it is\n", 2)
    assert ended(lambda argv: Output(State.WARNING, "x" * 9)) == ("x" * 9, 1)


def test_an_answer_takes_the_last_form_or_unknown() -> None:
    def broken(answer: Answer) -> Output:
        raise ValueError("secret")

    def short(answer: Answer) -> Output:
        raise MemoryError

    runtime.answer_in(lambda answer: Output(State.OK, "first\n"))
    runtime.answer_in(lambda answer: Output(State.WARNING, f"form of {answer.title}\n"))
    assert ended(good) == ("form of T\n", 1)
    assert ended(lambda argv: Output(State.CRITICAL, "has one\n")) == ("has one\n", 2)
    runtime.answer_in(broken)
    printed, status = ended(good)
    assert printed.startswith("T UNKNOWN - error in the plugin: ValueError at test_runtime.py:")
    assert status == 3
    runtime.answer_in(short)
    printed, status = ended(good)
    assert (printed.partition("\n")[0], status) == (f"{SHORT}Cannot allocate memory", 3)


def test_without_memory_for_any_form_there_is_still_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(answer: Answer) -> Output:
        raise ValueError("secret")

    def short(answer: Answer) -> Output:
        raise MemoryError

    monkeypatch.setattr(runtime, "output", short)
    runtime.answer_in(broken)
    assert ended(good) == (f"{SHORT}Cannot allocate memory\n", 3)


def test_a_reason_to_end_that_was_swallowed_counts_unless_it_is_unknown_anyway() -> None:
    def swallowing(argv: Sequence[str]) -> Answer:
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(CannotSee):
                os.kill(os.getpid(), number)
        return good()

    said = "T UNKNOWN - ended by SIGTERM before it was done"
    printed, status = ended(swallowing)
    assert (printed.partition("\n")[0], status) == (said, 3)

    def replacing(argv: Sequence[str]) -> Answer:
        swallowing(argv)
        raise ValueError

    assert ended(replacing)[0].partition("\n")[0] == said

    def unknown(argv: Sequence[str]) -> Output:
        swallowing(argv)
        return Output(State.UNKNOWN, "its own\n")

    assert ended(unknown) == ("its own\n", 3)


@pytest.mark.parametrize("number", runtime._ENDING_SIGNALS)
def test_each_ending_signal_is_named(number: signal.Signals) -> None:
    def main(argv: Sequence[str]) -> Answer:
        os.kill(os.getpid(), number)
        return good()

    printed, status = ended(main)
    said = f"T UNKNOWN - ended by {number.name} before it was done"
    assert (printed.partition("\n")[0], status) == (said, 3)


def test_signals_are_handled_although_they_were_blocked_or_ignored() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, runtime._ENDING_SIGNALS)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    seen: list[object] = []

    def main(argv: Sequence[str]) -> Output:
        seen.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        seen.append(signal.getsignal(signal.SIGCHLD))
        seen.append(signal.getsignal(signal.SIGTERM))
        return Output(State.OK, "")

    ended(main)
    assert seen == [set(), signal.SIG_DFL, runtime._ended]
    # From the answer on they can't change it; whoever doesn't read it is waited for 5 seconds.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert blocked == set(runtime._ENDING_SIGNALS)
    assert 4 < signal.getitimer(signal.ITIMER_REAL)[0] <= 5


def test_a_deadline_is_set_and_lifted() -> None:
    runtime.set_deadline(90)
    assert 80 < signal.getitimer(signal.ITIMER_REAL)[0] <= 90
    runtime.lift_deadline()
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    runtime.set_deadline(2.5)
    with pytest.raises(CannotSee) as late:
        os.kill(os.getpid(), signal.SIGALRM)
    assert (late.value.kind, late.value.reason) == (Kind.TIMEOUT, "no answer within 2.5 s")
    # It comes again and again, for code that swallows it; other signals don't.
    next_one, interval = signal.getitimer(signal.ITIMER_REAL)
    assert 0 < next_one <= interval == 0.5
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(CannotSee) as again:
        os.kill(os.getpid(), signal.SIGALRM)
    assert again.value is late.value


def test_undisturbed_signals_wait_and_come_after_it() -> None:
    signal.signal(signal.SIGTERM, runtime._ended)
    seen: list[object] = []

    def work() -> None:
        with runtime.undisturbed():
            # Not os.kill: another thread, as pytest-xdist has one, would take it at once.
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
            seen.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    with pytest.raises(CannotSee):
        work()
    assert seen == [{*runtime._ENDING_SIGNALS, signal.SIGALRM}]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


def test_the_last_steps_are_taken_once_the_newest_first_whatever_fails() -> None:
    taken: list[str] = []

    def failing() -> None:
        taken.append("failing")
        raise OSError

    for step in (lambda: taken.append("first"), failing, lambda: taken.append("last")):
        runtime.in_the_end(step)
    ended(lambda argv: Output(State.OK, ""))
    runtime.take_last_steps()
    assert taken == ["last", "failing", "first"]
    # A child leaves them to its parent.
    runtime.in_the_end(failing)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    runtime.begin_anew()
    runtime.take_last_steps()
    assert len(taken) == 3
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


def test_an_output_that_nobody_reads_is_no_error() -> None:
    reader, to = os.pipe()
    os.close(reader)
    runtime._write("x", to)
    os.close(to)
