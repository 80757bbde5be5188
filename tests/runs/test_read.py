"""What is known of a run by cron's mail or by a log: the whole of it."""

from __future__ import annotations

import pytest
from check_duplicity.duplicity.run import (
    FAILED,
    GOOD,
    NOTHING,
    OPEN,
    OTHER,
    UNREAD,
    Run,
    Statistics,
)
from check_duplicity.nagios.findings import Kind
from check_duplicity.runs.mail import Mail
from check_duplicity.runs.model import Logged
from check_duplicity.runs.read import of_log, of_mail, told_apart
from samples import CAPTURES

GOOD_TEXT = (CAPTURES / "runs/3.2.1/good-full.out").read_text()
FAILED_TEXT = (CAPTURES / "runs/3.2.1/nospace-dest.out").read_text()


def mail(
    text: str, *, command: str = "/srv/b.sh", failed: bool = False, good: bool = False
) -> Mail:
    return Mail("a", "h", command, failed, good, 5.0, text)


@pytest.mark.parametrize(
    ("text", "failed", "succeeded", "outcome", "sure"),
    [
        (GOOD_TEXT, False, False, GOOD, True),
        (GOOD_TEXT, False, True, GOOD, True),
        (GOOD_TEXT, True, False, GOOD, True),
        (FAILED_TEXT, False, False, FAILED, True),
        (FAILED_TEXT, True, False, FAILED, True),
        (FAILED_TEXT, False, True, FAILED, True),
        ("x\n", False, False, NOTHING, False),
        ("x\n", False, True, OTHER, False),
        ("x\n", True, False, FAILED, False),
        ("Local and Remote metadata are synchronized, no sync needed.\n", False, True, OTHER, True),
        ("Local and Remote metadata are synchronized, no sync needed.\n", False, False, OPEN, True),
    ],
)  # fmt: skip
def test_a_mail_is_a_run(
    text: str, failed: bool, succeeded: bool, outcome: str, sure: bool
) -> None:
    found = of_mail(mail(text, failed=failed, good=succeeded), str, None)
    assert found[:-1] == ("a@h /srv/b.sh", "b", "a", "h", "/srv/b.sh", 5.0, True, sure)
    assert found.run.outcome == outcome


def test_a_script_may_fail_behind_a_good_backup() -> None:
    found = of_mail(mail(GOOD_TEXT, failed=True), str, None)
    assert [told.kind for told in found.run.told] == [Kind.SCRIPT_FAILED]
    assert of_mail(mail(GOOD_TEXT), str, None).run.told == ()


@pytest.mark.parametrize("command", ["duplicity / file:///b", "/usr/bin/DUPLICITY x"])
def test_duplicitys_name_in_the_command_proves_its_job(command: str) -> None:
    assert of_mail(mail("x", command=command), str, None).sure


def test_secrets_of_the_command_are_shown_nowhere() -> None:
    command = "/srv/b.sh ftp://me:hunter2@host"
    found = of_mail(mail("OSError: hunter2 and hidden\n", command=command, failed=True),
                    lambda text: text.replace("hidden", "*"), None)  # fmt: skip
    assert "hunter2" not in repr(found)
    assert "hidden" not in repr(found)


def test_the_delivery_counts_if_the_date_is_wrong() -> None:
    assert of_mail(mail("x"), str, 1e9).time == 1e9
    assert of_mail(mail("x")._replace(time=None), str, None).time is None


def counted(end: float | None) -> Statistics:
    return Statistics(end=end)


@pytest.mark.parametrize(
    ("outcome", "end", "time", "ended"),
    [
        (GOOD, 5.0, 9.0, 5.0),
        (GOOD, None, 9.0, None),
        (FAILED, 5.0, 9.0, 9.0),
        (FAILED, 9.0, 5.0, 9.0),
        (FAILED, None, 5.0, 5.0),
        (FAILED, 9.0, None, None),
        (OPEN, 5.0, 9.0, 9.0),
    ],
)
def test_a_run_of_a_log_ends_with_its_last_line(
    outcome: str, end: float | None, time: float | None, ended: float | None
) -> None:
    run = Run(outcome, statistics=counted(end), time=time)
    assert of_log("/l", "l", "u", [run]) == [
        Logged("/l", "l", "u", "", "", ended, outcome != OPEN, True, run)
    ]


def test_a_run_without_statistics_ends_with_its_last_line() -> None:
    assert [run.time for run in of_log("/l", "l", "u", [Run(GOOD, time=3), Run(FAILED, time=4)])] \
        == [None, 4]  # fmt: skip


def test_only_the_last_run_of_each_job_may_be_unfinished() -> None:
    runs = [Run(OPEN, label=label) for label in ("a", "b", "a", "", "/x/y/z", "on /x/y/z")]
    found = of_log("/l", "l", "u", [*runs, Run(GOOD, label="b")])
    assert [(each.job, each.name, each.whole) for each in found] == [
        ("/l: a", "a", True),
        ("/l: b", "b", True),
        ("/l: a", "a", False),
        ("/l", "l", False),
        ("/l: /x/y/z", "z", False),
        ("/l: on /x/y/z", "on z", False),
        ("/l: b", "b", True),
    ]


def logged(outcome: str, label: str, host: str = "") -> Logged:
    return Logged("job", "name", "u", host, "", 1.0, True, True, Run(outcome, label=label))


@pytest.mark.parametrize(
    ("runs", "left"),
    [
        ("-F aG bG", "aG bG"),
        ("-F aG bG -F", "aG bG -F"),
        ("aG -F bG", "aG -F bG"),
        ("aG -F bG aG", "aG bG aG"),
        ("-F aG bF", "-F aG bF"),
        ("-F aG bG aF", "aG bG aF"),
        ("aG bG aG -F bG", "aG bG aG -F bG"),
        ("-U aG bG -U cO", "-U aG bG -U cO"),
        ("@F -F aG bG", "@F aG bG"),
    ],
)
def test_a_failure_is_any_jobs_until_all_are_good(runs: str, left: str) -> None:
    outcomes = {"F": FAILED, "G": GOOD, "U": UNREAD, "O": OTHER}

    def of(form: str) -> list[Logged]:
        return [
            logged(outcomes[each[1]], each[0].strip("-@"), "h" if each[0] == "@" else "")
            for each in form.split()
        ]

    assert told_apart(iter(of(runs)), "/l", "l") == of(left)


def test_the_runs_of_a_log_with_one_job_are_the_logs() -> None:
    runs = [logged(FAILED, ""), logged(GOOD, "a"), logged(GOOD, "b", "h")]
    own = [run._replace(job="/l", name="l") for run in runs[:2]]
    assert told_apart(runs, "/l", "l") == [*own, runs[2]]
