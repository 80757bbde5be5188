"""Do the same for many things at once, each in a process of its own, and hand on what is done.

A process of its own can become another user, and can be ended if it hangs.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess

from check_duplicity import runtime
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeVar

    _Task = TypeVar("_Task")
    _Answer = TypeVar("_Answer")

_PR_SET_PDEATHSIG = 1
_MOST = 32  # at once
_SPARE = 3  # seconds for what should have ended by itself


def each(
    tasks: Sequence[_Task], do: Callable[[_Task], _Answer], timeout: float
) -> Iterator[tuple[_Task, _Answer | None]]:
    """Yield each task with its answer as soon as that is there; ``None`` if there is none in time.

    ``timeout`` is in seconds for each. Processes that are left when the check ends are ended.
    """
    waiting = list(tasks)[::-1]
    running: dict[Connection, tuple[_Task, ForkProcess, float]] = {}
    runtime.in_the_end(partial(_end_all, running))
    while waiting or running:
        while waiting and len(running) < _MOST:
            task = waiting.pop()
            # A signal finds a process that is known here, and that can answer it.
            with runtime.undisturbed():
                ours, process = _start(do, task)
                running[ours] = task, process, time.monotonic() + timeout + _SPARE
        latest = min(deadline for _, _, deadline in running.values())
        ready = wait(list(running), max(0, latest - time.monotonic()))
        late = [c for c, (_, _, at) in running.items() if at <= time.monotonic()]
        for connection in {*ready, *late}:
            assert isinstance(connection, Connection)
            task, process, _ = running[connection]
            answer = None
            if connection in ready:
                with contextlib.suppress(EOFError, OSError):
                    answer = connection.recv()
            _end(process, connection)
            del running[connection]
            yield task, answer


def die_with_parent() -> None:
    """Let this process be ended when its parent ends, however that comes (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _start(do: Callable[[_Task], _Answer], task: _Task) -> tuple[Connection, ForkProcess]:
    """Start the process of a task, with signals waiting; its answer comes by the connection."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(theirs, do, task), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def _answer(connection: Connection, do: Callable[[_Task], _Answer], task: _Task) -> None:
    answer = None
    try:
        runtime.begin_anew()
        die_with_parent()
        answer = do(task)
        runtime.disarm()
    except BaseException:  # It has no answer, then.
        runtime.disarm()
    runtime.take_last_steps()
    with contextlib.suppress(Exception):
        connection.send(answer)
    os._exit(0)


def _end(process: ForkProcess, connection: Connection) -> None:
    with contextlib.suppress(OSError):
        connection.close()  # Once more, perhaps: a signal may have come when that was just done.
    process.join(_SPARE)
    if process.is_alive():
        process.kill()
        process.join(1)


def _end_all(running: dict[Connection, tuple[_Task, ForkProcess, float]]) -> None:
    for _, process, _ in running.values():
        process.terminate()  # It ends its own children, and theirs.
    for connection, (_, process, _) in running.items():
        _end(process, connection)
