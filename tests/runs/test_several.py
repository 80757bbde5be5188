"""Several jobs in one log, whose output doesn't name them: a failure of one stays known.

A job that is repeated after a failure is different: only its last try counts.
"""

from __future__ import annotations

import re
from itertools import product

import pytest
from check_duplicity.duplicity.run import last_of, run_of, values_of
from check_duplicity.duplicity.transcript import Reader
from check_duplicity.nagios.findings import State
from check_duplicity.runs.judge import judge, verdicts
from check_duplicity.runs.model import Logged, newest
from check_duplicity.runs.read import of_log, told_apart
from check_duplicity.runs.reader import LogReader
from samples import CAPTURES, NOW

GOOD = (CAPTURES / "runs/3.2.1/good-full.out").read_text()
GIVES_UP = "Giving up after 5 attempts. OSError: x\n"
KILLED = (CAPTURES / "runs/3.2.1/sigkill.out").read_text()
OK, WARNING, CRITICAL = State.OK, State.WARNING, State.CRITICAL
LATEST = NOW.timestamp() + 86400
NIGHT = 86400
FIRST = NOW.timestamp() - 5 * NIGHT


def good(night: float, minute: float = 0) -> str:
    """A good run that begins at that minute of the night, and takes one."""
    start = FIRST + night * NIGHT + minute * 60
    text = re.sub(r"(?m)^StartTime .*", f"StartTime {start:.2f} (x)", GOOD)
    return re.sub(r"(?m)^EndTime .*", f"EndTime {start + 60:.2f} (x)", text)


def in_log(*texts: str) -> tuple[State, str]:
    """The state of a log, read at once, and what is said of it."""
    reader = LogReader(str, LATEST)
    for line in "".join(texts).split("\n"):
        reader.read(line)
    return judged([of_log("log", "log", "u", reader.runs())])


def judged(files: list[list[Logged]]) -> tuple[State, str]:
    runs = [run for found in files for run in found]
    runs = [run._replace(time=NOW.timestamp() + i) for i, run in enumerate(runs)]
    found = list(judge(verdicts(newest(told_apart(runs, "log", "log"), LATEST), 0), NOW))
    text = "\n".join(f"{finding.text}\n{finding.quote}" for finding in found)
    return max((finding.state for finding in found), default=OK), text


def nightly(nights: int, jobs: int) -> str:
    return "".join(good(night, 2 * job) for night in range(nights) for job in range(jobs))


CASES = {
    "one of two has failed, as the nights before tell": (
        nightly(2, 2) + GIVES_UP + good(2, 2), WARNING),
    "the first of three, and nothing before": (
        GIVES_UP + good(0, 2) + good(0, 4), WARNING),
    "the second of three, and nothing before": (
        good(0) + GIVES_UP + good(0, 4), WARNING),
    "the second of three is killed": (
        good(0) + KILLED + good(0, 4), WARNING),
    "the last of them": (
        nightly(1, 2) + good(1) + GIVES_UP, CRITICAL),
    "the next night is good": (
        nightly(2, 2) + GIVES_UP + good(2, 2) + good(3) + good(3, 2), OK),
    "it was the last one's, and all are good the next night": (
        nightly(2, 2) + good(2) + GIVES_UP + good(3) + good(3, 2), OK),
    "one job has tried again": (
        nightly(2, 1) + GIVES_UP + good(2, 2), OK),
    "one job has tried many times": (
        nightly(2, 1) + 4 * GIVES_UP + good(2, 5), OK),
    "the first run of all, repeated by hand": (
        GIVES_UP + good(0, 2), OK),
    "one of two has tried again, and both are good": (
        nightly(2, 2) + GIVES_UP + good(2, 2) + good(2, 4), OK),
    "good again after hours": (
        nightly(2, 1) + good(2) + GIVES_UP + good(2, 300), OK),
    "a job of every hour": (
        "".join(good(0, 60 * hour) for hour in range(9)) + GIVES_UP + good(0, 540), OK),
    "by hand once more, a day later": (
        nightly(2, 2) + GIVES_UP + good(2, 2) + good(2, 300), OK),
    "the same output twice": (
        good(0) + good(0) + GIVES_UP + good(1), OK),
    "both are good every night": (
        nightly(3, 2), OK),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_failure_is_cleared_when_as_many_runs_are_good_as_there_are_jobs(name: str) -> None:
    text, state = CASES[name]
    found, said = in_log(text)
    assert found == state, said
    assert ("several jobs write to this log; give each its own" in said) == (state == WARNING)


def test_the_failure_itself_is_quoted() -> None:
    assert "Giving up after 5 attempts" in in_log(nightly(2, 2), GIVES_UP, good(2, 2))[1]


def test_a_failure_whose_time_is_known_belongs_to_its_night() -> None:
    at = "2026-11-{:02}T02:00:01Z "
    late = "".join(at.format(23) + line + "\n" for line in GIVES_UP.split("\n")[:1])
    assert in_log(GIVES_UP, good(2), good(2, 2))[0] == WARNING
    whole = "".join(
        at.format(26) + line + "\n" for line in (good(6.5) + good(6.5, 2)).split("\n") if line
    )
    assert in_log(late, whole)[0] == OK


def test_jobs_that_say_their_names_are_known_without_that() -> None:
    opening = "Using archive dir: /a/web\nUsing backup name: web\n"
    text = good(0).replace("Last full", f"{opening}Last full", 1)
    later = good(0, 4).replace("Last full", f"{opening}Last full", 1)
    assert in_log(text, opening, GIVES_UP, later)[0] == OK


def test_a_prefix_of_all_jobs_does_not_tell_them_apart() -> None:
    text = nightly(2, 2) + GIVES_UP + good(2, 2)
    log = "".join(f"Nov 25 02:00:01 h backup[7]: {line}\n" for line in text.split("\n"))
    assert in_log(log)[0] == WARNING


def test_a_rotated_log_tells_of_how_many_jobs_it_is() -> None:
    files = []
    for text in (nightly(2, 2), GIVES_UP + good(2, 2)):
        reader = LogReader(str, LATEST)
        for line in text.split("\n"):
            reader.read(line)
        files.append(of_log("log", "log", "u", last_of(reader.runs(), 2)))
    assert judged(files)[0] == WARNING


PARTS = (nightly(2, 2), 3 * GIVES_UP, good(2, 2), good(2, 4), good(3), "")


@pytest.mark.parametrize("cuts", list(product((False, True), repeat=len(PARTS) - 1)))
def test_memory_changes_no_answer(cuts: tuple[bool, ...]) -> None:
    """What is known between two checks is what would be known if all was read anew."""
    whole, kept = Reader(str), Reader(str)
    for part, cut in zip(PARTS, (*cuts, True)):
        for line in part.split("\n"):
            whole.read(line)
            kept.read(line)
        kept = Reader(str, kept.keep()) if cut else kept
        assert kept.runs()[-1].sitting == whole.runs()[-1].sitting
        assert run_of(values_of(kept.runs()[-1])) == kept.runs()[-1]
