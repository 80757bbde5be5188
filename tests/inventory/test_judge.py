"""What is said of each job, and in which order."""

from __future__ import annotations

import pytest
from check_duplicity.inventory import judge
from check_duplicity.inventory.model import Job, Seen
from check_duplicity.jobs.model import Fact, Known, Start
from check_duplicity.nagios.findings import Kind, State

ON = Start("/c:1", "x")
ON2 = Start("/u/web.timer", "x")
OFF = Start("/c:2", "x", "is commented out")
GONE = Start("/c:3", "x", "there is no /s/x")
NOT_EXECUTABLE = Start("/c:4", "x", "/s/x is not executable")


def job(name: str, *starts: Start, filed: bool = True, gone: str = "", **facts: str) -> Job:
    known = {key: Fact(value, "/w") for key, value in facts.items()}
    return Job(Known(name, known, starts=starts), filed, starts, gone)


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (job("a"), "a: monitored, started by nothing found"),
        (job("a", ON), "a: monitored, started by /c:1"),
        (job("a", ON, ON2), "a: monitored, started by /c:1, /u/web.timer"),
        (job("a", OFF), "a: monitored, started by /c:2 is commented out"),
        (job("a", OFF, ON), "a: monitored, started by /c:1, /c:2 is commented out"),
        (job("a", ON, started="elsewhere"), "a: monitored, started elsewhere, as its file says"),
        (job("a", ON, started="here"), "a: monitored, started by /c:1"),
        (job("a", filed=False), "a: not monitored, started by nothing found"),
        (job("a", ON, OFF, filed=False),
         "a: not monitored, started by /c:1, /c:2 is commented out"),
        (job("a", OFF, GONE, filed=False),
         ("a: passed over, since it has no job's file and is off: /c:2 is commented out, "
          "/c:3 there is no /s/x")),
    ],
)  # fmt: skip
def test_the_line_of_each_job(one: Job, line: str) -> None:
    assert list(judge.details(Seen((one,)))) == [line]
    assert list(judge.details(Seen((job("b", OFF, filed=False), one, job("c", ON))))) == [
        "b: passed over, since it has no job's file and is off: /c:2 is commented out",
        line,
        "c: monitored, started by /c:1",
    ]


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (job("a", OFF), "/c:2 is commented out"),
        (job("a", OFF, OFF), "/c:2 is commented out"),
        (job("a", GONE, NOT_EXECUTABLE),
         "there is no /s/x (/c:3), /s/x is not executable (/c:4)"),
        (job("a", GONE, gone="there is no /s/x"), "there is no /s/x (/c:3)"),
        (job("a", OFF, gone="there is no /s/x"), "/c:2 is commented out, there is no /s/x"),
        (job("a", gone="there is no /s/x"), "there is no /s/x"),
        (job("a"), "what started it until now is gone: /c:9"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("hidden", [(), ("/root",)])
def test_why_each_job_is_not_started(one: Job, why: str, hidden: tuple[str, ...]) -> None:
    seen = Seen((one, job("b", ON), job("c", OFF)), hidden)
    found = [tuple(finding)[:4] for finding in judge.judge(seen, {"a": ["/c:9", "now"]})]
    known = not (hidden and why.startswith("what"))
    assert found == [
        *[(Kind.NOT_STARTED, State.CRITICAL, f"a is not started: {why}", "a")] * known,
        (Kind.NOT_STARTED, State.CRITICAL, "c is not started: /c:2 is commented out", "c"),
    ]


@pytest.mark.parametrize(
    ("hidden", "unread", "said"),
    [
        ((), (), ""),
        (("/a",), ("x",), "not all jobs can be seen by me, who may not look into /a"),
        (("/a", "/b"), (), "not all jobs can be seen by me, who may not look into /a, /b"),
        (("/a", "/b", "/c"), (),
         "not all jobs can be seen by me, who may not look into /a, /b and 1 more"),
        ((), ("x",), "not all jobs can be seen: x"),
        ((), ("x", "y"), "not all jobs can be seen: x (and 1 more)"),
        ((), ("x", "y", "z"), "not all jobs can be seen: x (and 2 more)"),
    ],
)  # fmt: skip
def test_what_cannot_be_seen(hidden: tuple[str, ...], unread: tuple[str, ...], said: str) -> None:
    assert judge.unseen(Seen((), hidden, unread), "me") == said
