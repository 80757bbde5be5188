"""A source that has shrunk, by the runs in mail and logs, and by the state file."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from check_duplicity.duplicity.run import (
    GOOD,
    Run,
    Statistics,
    extents_of,
    last_of,
    run_of,
    values_of,
)
from hypothesis import given
from hypothesis import strategies as st
from plugin import Result, run_plugin
from samples import CAPTURES

TEXT = (CAPTURES / "runs/3.2.1/good-full.out").read_text()
HOUR, DAY = 3600, 86400
ADVICE = "Is the source mounted"


def output(files: int, days: float) -> str:
    """What a good run of so many days ago printed that found so many files."""
    end = time.time() - days * DAY
    text = re.sub(r"(?m)^((?:Start|End)Time) .*", rf"\1 {end:.2f} (then)", TEXT)
    text = re.sub(r"(?m)^SourceFiles .*", f"SourceFiles {files}", text)
    return re.sub(r"(?m)^SourceFileSize .*", f"SourceFileSize {files * 10**5} (some)", text)


def mail(body: str, days: float, job: str = "web") -> str:
    sent = datetime.now(timezone.utc) - timedelta(days=days)
    head = f"From b@h {sent:%a %b %d %H:%M:%S %Y}\nFrom: root@h (Cron Daemon)\nTo: b@h\n"
    subject = f"Subject: Cron <b@h> /srv/{job}.sh\nDate: {format_datetime(sent)}\n"
    return f"{head}{subject}\n{body}\n\n"


def check(path: Path, state: str | Path = "/dev/null", *options: object) -> Result:
    return run_plugin("check_duplicity_log", [path, "--state-file", state, *options])


@pytest.mark.parametrize("form", ["log", "mbox", "Maildir"])
@pytest.mark.parametrize(("now", "state"), [(1, 2), (90, 1), (190, 0), (500, 0)])
def test_wherever_runs_are_read_the_newest_is_compared(
    form: str, now: int, state: int, tmp_path: Path
) -> None:
    runs = [(200, 5.0), (201, 4.0), (199, 3.0), (200, 2.0), (now, 0.0)]
    path = tmp_path / form
    if form == "Maildir":
        for name in ("cur", "new", "tmp"):
            (path / name).mkdir(parents=True)
        for number, (files, days) in enumerate(runs):
            message = mail(output(files, days), days).split("\n", 1)[1]
            (path / "new" / f"{number}.h").write_text(message)
    else:
        texts = [output(*run) if form == "log" else mail(output(*run), run[1]) for run in runs]
        path.write_text("".join(texts))
    result = check(path)
    assert result.status == state, result.out
    assert (ADVICE in result.out) == bool(state)
    assert result.value("shrunk") == max(0, round(100 - now / 2))


def test_the_job_that_has_shrunk_is_named_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    path.write_text(
        "".join(
            mail(output(files, days), days, job)
            for job, files, days in [
                ("web", 200, 3), ("db", 200, 3), ("web", 1, 1), ("db", 200, 0.5), ("db", 210, 0),
            ]
        )
    )  # fmt: skip
    result = check(path)
    assert result.status == 2
    assert "CRITICAL - web: the newest run found an empty source, 200 files and" in result.out
    assert "db: the newest" not in result.out
    # Performance data are the newest run's, which is another job's.
    assert result.value("files") == 210
    assert result.value("shrunk") == 0


def test_what_is_not_there_any_more_is_remembered(tmp_path: Path) -> None:
    path, state = tmp_path / "mail", tmp_path / "state"
    for day in range(5, 0, -1):
        path.write_text(mail(output(200, day), day))
        assert check(path, state).status == 0
    path.write_text(mail(output(2, 0), 0))
    assert check(path).status == 0  # It knows of nothing before.
    with path.open("w") as mailbox:
        mailbox.write(mail(output(200, 1), 1))
    check(path, state)
    with path.open("a") as mailbox:
        mailbox.write(mail(output(2, 0), 0))
    for _ in range(2):
        assert check(path, state).status == 2


RUNS = st.lists(
    st.builds(
        lambda end, files: Run(GOOD, (), Statistics(end, end, None, None, 0, files)),
        st.integers(0, 60 * 24).map(lambda hour: float(hour * HOUR)),
        st.integers(0, 1000),
    ),
    max_size=80,
    unique_by=lambda run: run.statistics,
)


@given(RUNS, st.integers(1, 5), st.integers(1, 5))
def test_however_runs_are_left_out_the_same_is_remembered(
    runs: list[Run], first: int, second: int
) -> None:
    runs.sort(key=lambda run: [past.end for past in extents_of([run])])
    stepwise: list[Run] = []
    for run in runs:
        stepwise = last_of([*stepwise, run], first + second)
    assert extents_of(last_of(stepwise, first)) == extents_of(last_of(runs, first))
    assert [run_of(values_of(run)) for run in stepwise] == stepwise


def test_of_many_runs_the_newest_and_one_a_day_are_remembered() -> None:
    runs = [
        Run(GOOD, (), Statistics(float(hour * HOUR), float(hour * HOUR))) for hour in range(2000)
    ]
    found = [past.end for past in extents_of(last_of(runs, 2))]
    assert found[-2:] == [1998 * HOUR, 1999 * HOUR]
    assert len(found) == 2 + 32  # Of 31 days, which begin within one.
    assert found[0] > (1997 - 31 * 24) * HOUR
