"""Run many tasks in parallel, each in its own process, and yield each answer when it comes.

Such a process can become another user, and can be killed if it hangs. The other user can stop it at
any time. So this module never waits for a single process, and reads answers as plain values only.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from io import FileIO
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess

from check_duplicity.system import runtime
from check_duplicity.triage import plain
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeVar

    _Task = TypeVar("_Task")
    _Answer = TypeVar("_Answer")

_PR_SET_PDEATHSIG = 1
_MOST = 32  # at once
_SPARE = 3  # seconds for a process to end by itself
_AT_ONCE = 1 << 16  # bytes
_LARGEST = 8 << 20  # bytes of an answer; a hundred thousand backup sets


class _Running:
    """A process, its deadline, and its answer so far."""

    def __init__(self, process: ForkProcess, source: FileIO, deadline: float) -> None:
        self.process = process
        self.source = source
        self.deadline = deadline
        self.answer = b""
        self.told = False  # to end

    def hear(self) -> bool:
        """Read without waiting; return whether the answer is complete."""
        with contextlib.suppress(OSError):
            read = self.source.read(_AT_ONCE)
            self.answer += read or b""
            return read == b"" or len(self.answer) > _LARGEST
        return True

    def is_overdue(self) -> bool:
        """Return whether it must be killed; after the first deadline, ask it once to end."""
        if self.deadline > time.monotonic():
            return False
        if self.told:
            return True
        self.told = True
        self.deadline += _SPARE
        self.ask_to_end()
        return False

    def ask_to_end(self) -> None:
        """Ask the process to end itself and its descendants; continue it if it is stopped."""
        self.process.terminate()
        with contextlib.suppress(OSError):
            os.kill(self.process.pid or 0, signal.SIGCONT)


def each(
    tasks: Sequence[_Task],
    do: Callable[[_Task], _Answer],
    kind: type[_Answer],
    timeout: float,
) -> Iterator[tuple[_Task, _Answer | None]]:
    """Yield each task with its answer when that comes, or with ``None`` if none comes in time.

    An answer is a named tuple of that kind, as `plain` writes it. ``timeout`` is in seconds for
    each task. When the check ends, it ends the processes that are left.
    """
    waiting = list(tasks)[::-1]
    running: list[_Running] = []
    whose: dict[_Running, _Task] = {}
    runtime.hide_memory()
    runtime.in_the_end(partial(_end_all, running))
    while waiting or running:
        while waiting and len(running) < _MOST:
            task = waiting.pop()
            # Delay signals until the process is in the list, and can handle them itself.
            with runtime.undisturbed():
                process, source = _start(do, task, running)
                started = _Running(process, source, time.monotonic() + timeout + _SPARE)
                running.append(started)
            whose[started] = task
        done, overdue = _hear(running)
        _end([*done, *overdue])
        for one in (*done, *overdue):
            running.remove(one)
            yield whose.pop(one), _answer_in(one.answer, kind)


def die_with_parent() -> None:
    """End this process when its parent ends in any way, and forbid inspection (prctl(2)).

    Becoming another user undoes both.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    runtime.hide_memory()


def _hear(running: Sequence[_Running]) -> tuple[list[_Running], list[_Running]]:
    """Wait for an answer or a deadline; return the processes that are done, and the overdue."""
    latest = min(one.deadline for one in running)
    ready = wait([one.source.fileno() for one in running], max(0, latest - time.monotonic()))
    done = [one for one in running if one.source.fileno() in ready and one.hear()]
    overdue = [one for one in running if one not in done and one.is_overdue()]
    for one in overdue:
        one.process.kill()
    return done, overdue


def _answer_in(data: bytes, kind: type[_Answer]) -> _Answer | None:
    try:
        return plain.read(kind, data)
    except ValueError:
        return None


def _start(
    do: Callable[[_Task], _Answer], task: _Task, others: Iterable[_Running]
) -> tuple[ForkProcess, FileIO]:
    """Start a task's process; return it, and the file from which its answer can be read."""
    context = multiprocessing.get_context("fork")
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    source = FileIO(ours)
    sources = [source, *(other.source for other in others)]
    with FileIO(theirs, "w") as sink:
        process = context.Process(target=_answer, args=(sink, do, task, sources), daemon=True)
        process.start()
    return process, source


def _answer(
    sink: FileIO, do: Callable[[_Task], _Answer], task: _Task, sources: Iterable[FileIO]
) -> None:
    answer = b""
    try:
        runtime.begin_anew()
        die_with_parent()
        for source in sources:  # the pipes of other tasks
            source.close()
        answer = plain.written(do(task))
        runtime.disarm()
    except BaseException:  # Then the answer stays empty.
        runtime.disarm()
    runtime.take_last_steps()
    with contextlib.suppress(Exception):
        while answer:
            answer = answer[sink.write(answer) :]
    os._exit(0)


def _end(running: Iterable[_Running]) -> None:
    """Reap or kill processes. The time limit is for all of them together, not for each."""
    until = time.monotonic() + _SPARE
    for one in running:
        one.source.close()
    for one in running:
        one.process.join(max(0, until - time.monotonic()))
        if one.process.is_alive():
            one.process.kill()
            one.process.join(1)


def _end_all(running: Sequence[_Running]) -> None:
    for one in running:
        one.ask_to_end()
    _end(running)
