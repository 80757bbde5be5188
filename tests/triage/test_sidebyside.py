"""Processes that answer, or don't: none can delay the others, or corrupt its answer."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable
from io import FileIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.system import runtime
from check_duplicity.triage import sidebyside
from check_duplicity.triage.plain import written


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits long, and this process can be looked into afterwards as before."""
    monkeypatch.setattr(sidebyside, "_SPARE", 0.3)
    monkeypatch.setattr(runtime, "hide_memory", lambda: None)


def finding(text: str) -> Finding:
    return Finding(Kind.GPG, State.WARNING, text)


def answers(
    tasks: list[str], do: Callable[[str], Finding], timeout: float = 20
) -> dict[str, Finding | None]:
    try:
        return dict(sidebyside.each(tasks, do, Finding, timeout))
    finally:
        runtime.take_last_steps()
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)


def test_each_has_its_answer() -> None:
    tasks = [f"{number} " * 100_000 for number in range(40)]  # more than at once, and than a pipe
    assert answers(tasks, finding) == {task: finding(task) for task in tasks}


def test_who_is_late_or_fails_has_none_and_the_others_have() -> None:
    def do(task: str) -> Finding:
        if task == "late":
            time.sleep(1000)
        if task == "fails":
            raise ValueError(task)
        if task == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        return finding(task)

    told = answers(["late", "fails", "good", "killed"], do, timeout=1)
    assert told == {"late": None, "fails": None, "good": finding("good"), "killed": None}


def test_who_is_stopped_while_it_answers_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = FileIO.write

    def stopping(self: FileIO, data: bytes) -> int:
        sent = write(self, data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGSTOP)
        return sent or 0

    class Stopping(FileIO):
        write = stopping  # type: ignore[assignment]

    monkeypatch.setattr(sidebyside, "FileIO", Stopping)
    # It is continued once, goes on, and is stopped again.
    assert answers(["x" * 50_000], finding, timeout=0) == {"x" * 50_000: None}


@pytest.mark.parametrize("answer", ["pickle", "endless", "other", "half"])
def test_what_is_no_answer_is_none(
    answer: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    said = {
        "pickle": pickle.dumps(Evil()),
        "endless": b"[" + b'"",' * (sidebyside._LARGEST // 2),
        "other": b'["GPG", 3, "", "", ""]',
        "half": written(finding("x"))[:-2],
    }
    monkeypatch.setattr("check_duplicity.triage.plain.written", lambda value: said[answer])
    assert answers(["x", "y"], finding) == {"x": None, "y": None}
    assert not (tmp_path / "ran").exists()


def test_who_is_late_is_asked_to_end_before_it_is_killed() -> None:
    asked: list[str] = []
    process: Any = SimpleNamespace(pid=os.getpid(), terminate=lambda: asked.append("end"))
    one = sidebyside._Running(process, None, time.monotonic() + 60)  # type: ignore[arg-type]
    assert not one.is_overdue()
    assert asked == []
    one.deadline = time.monotonic() - 1
    assert not one.is_overdue()
    assert asked == ["end"]
    one.deadline = time.monotonic() + 60
    assert not one.is_overdue()
    one.deadline = time.monotonic() - 1
    assert one.is_overdue()
    assert asked == ["end"]
