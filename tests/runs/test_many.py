"""Several jobs, hosts, runs and messages; and very many of them, in linear time."""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path

import pytest
from check_duplicity.duplicity.run import GOOD as IS_GOOD
from check_duplicity.nagios.findings import State
from check_duplicity.runs import files, mailboxes
from check_duplicity.runs.judge import details, judge, measure, restored, verdicts
from check_duplicity.runs.model import Logged, in_order, newest, when
from check_duplicity.runs.paths import Log
from check_duplicity.runs.read import of_log
from check_duplicity.runs.reader import LogReader
from samples import CAPTURES, NOW

RUNS = CAPTURES / "runs/3.2.1"
GOOD = (RUNS / "good-full.out").read_text()
FAILED = (RUNS / "nospace-dest.out").read_text()
NO_SPACE = "failed 2h ago, no space left at the destination"
DAY = 86400
AT = NOW.timestamp()
HOW = files.Look(AT, AT - 60 * DAY, str)


def at(text: str, ago: float, size: int | None = None) -> str:
    """Good output of so many seconds before `NOW`, of a source of that size."""
    text = re.sub(r"(?m)^StartTime .*", f"StartTime {AT - ago - 60:.2f} (x)", text)
    text = re.sub(r"(?m)^EndTime .*", f"EndTime {AT - ago:.2f} (x)", text)
    return (
        text if size is None else re.sub(r"(?m)^SourceFileSize .*", f"SourceFileSize {size}", text)
    )


def mail(body: str, subject: str, ago: float = 0, *, dated: bool = True) -> str:
    """A mail of cron's, delivered so many seconds before `NOW`."""
    sent = NOW.fromtimestamp(AT - ago, NOW.tzinfo)
    date = f"Date: {sent:%a, %d %b %Y %H:%M:%S} +0000\n" if dated else ""
    return f"From a@h {sent:%a %b %d %H:%M:%S %Y}\nSubject: {subject}\n{date}\n{body}\n\n"


def seen(path: Path, *texts: str) -> list[Logged]:
    """The runs in a file with these texts."""
    path.write_text("".join(texts))
    os.utime(path, (AT, AT))
    found = files.look(Log(str(path)), {}, HOW)
    assert found.problems == ()
    return found.runs


def judged(runs: Iterable[Logged]) -> dict[str, str]:
    """What is wrong with each job, by its name; empty if nothing is."""
    found = verdicts(runs, AT - 60 * DAY)
    wrong: dict[str, str] = {verdict.run.name: "" for verdict in found}
    for verdict in found:
        for finding in judge([verdict], NOW):
            wrong[verdict.run.name] = f"{State(finding.state).name} {finding.text}"
    return wrong


# Messages


def test_a_subject_that_is_folded_is_one_with_what_follows(tmp_path: Path) -> None:
    """Jobs whose subjects differ only behind the fold are two, however often one of them runs."""
    folded = "Cron <a@h> /srv/backup.sh\n{}--job {}"
    for blank in (" ", "\t"):
        runs = seen(
            tmp_path / "mbox",
            mail(FAILED, folded.format(blank, "web"), 7200),
            *(mail(at(GOOD, ago), folded.format(blank, "db"), ago) for ago in range(3600, 0, -60)),
            mail("x\n", "something else", 1),
        )
        assert {run.command for run in runs} == {
            "/srv/backup.sh --job web", "/srv/backup.sh --job db",
        }  # fmt: skip
        assert judged(runs) == {
            "backup --job web": f"CRITICAL backup --job web: {NO_SPACE}",
            "backup --job db": "",
        }


@pytest.mark.parametrize("last", [True, False])
def test_a_mail_without_a_date_is_of_when_it_was_delivered(last: bool, tmp_path: Path) -> None:
    undated = mail(FAILED, "Cron <a@h> /srv/web.sh", 7200, dated=False)
    runs = seen(tmp_path / "mbox", undated, "" if last else mail("x\n", "something else", 60))
    assert [run.time for run in runs] == [AT - 7200]


def test_an_older_mail_without_a_date_outranks_no_newer_one(tmp_path: Path) -> None:
    subject = "Cron <a@h> /srv/web.sh"
    good = mail(at(GOOD, 60), subject, 60)
    undated = mail(FAILED, subject, 7200, dated=False)
    end = mail("x\n", "something else", 60)
    for texts in ((undated, good, end), (good, undated, end), (good, undated)):
        assert judged(seen(tmp_path / "mbox", *texts)) == {"web": ""}


def test_of_many_mails_the_newest_is_read_though_it_has_no_date(tmp_path: Path) -> None:
    subject = "Cron <a@h> /srv/web.sh"
    before = [mail(at(GOOD, ago), subject, ago) for ago in range(3600, 1200, -60)]
    undated = mail(FAILED, subject, 600, dated=False)
    (said,) = judged(seen(tmp_path / "mbox", *before, undated, mail("x\n", "x"))).values()
    assert said.startswith("CRITICAL web: failed 10m ago")


MIB = 1 << 20


@pytest.mark.parametrize(
    "size", [MIB - 1, MIB, MIB + 1, MIB + MIB // 2, 2 * MIB - 1, 2 * MIB, 2 * MIB + 1, 3 * MIB]
)
def test_of_a_large_message_beginning_and_end_are_read(size: int, tmp_path: Path) -> None:
    """All of it up to two MiB; of a larger one the first and the last, with a gap between them."""
    head = b"From a@h Sat Nov 28 02:00:00 2026\n"
    body = (b"%06d\n" * (size // 7 + 1) % tuple(range(size // 7 + 1)))[: size - len(head)]
    kept = body if size <= 2 * MIB else body[: MIB - len(head)] + b"\n\n" + body[-MIB:]
    (tmp_path / "mbox").write_bytes(b"in front" + head + body + b"behind")
    with (tmp_path / "mbox").open("rb") as mbox:
        assert mailboxes.message(mbox, mailboxes.Place(8, 8 + size, 0)) == kept
    # A Maildir's has no line in front.
    whole = body + b"x" * len(head)
    (tmp_path / "message").write_bytes(whole)
    kept = whole if size <= 2 * MIB else whole[:MIB] + b"\n\n" + whole[-MIB:]
    assert mailboxes.maildir_message(str(tmp_path / "message")) == kept


def test_what_a_message_of_one_and_a_half_mib_says_at_its_end_is_read(tmp_path: Path) -> None:
    noise = "a line of the script's own\n" * (3 * MIB // 2 // 27)
    mails = [mail(noise + FAILED, "Cron <a@h> /srv/web.sh", 7200), mail("x\n", "x", 60)]
    assert judged(seen(tmp_path / "mbox", *mails)) == {"web": f"CRITICAL web: {NO_SPACE}"}


def test_a_rotated_mailbox_that_was_compressed_is_one(tmp_path: Path) -> None:
    """Its messages are several jobs', and not one log."""
    older = [
        mail(FAILED, "Cron <a@h> /srv/web.sh", 7200),
        mail(at(GOOD, 7200), "Cron <a@h> /db.sh", 7200),
    ]
    (tmp_path / "mbox.1.gz").write_bytes(gzip.compress("".join(older).encode()))
    runs = seen(tmp_path / "mbox", mail(at(GOOD, 60), "Cron <a@h> /srv/mail.sh", 60))
    assert judged(runs) == {
        "web": f"CRITICAL web: {NO_SPACE}", "db": "", "mail": "",
    }  # fmt: skip


# Clocks


@pytest.mark.parametrize(
    ("date", "time"),
    [
        (-30 * DAY, 0), (-30 * DAY + 1, -30 * DAY + 1), (0, 0), (DAY - 1, DAY - 1), (DAY, 0),
    ],
)  # fmt: skip
def test_a_date_counts_that_is_less_than_30_days_before_and_a_day_after_delivery(
    date: int, time: int
) -> None:
    """Cron's mail may have waited; and the time in an mbox is a local one."""
    assert when(AT + date, AT) == AT + time
    assert when(AT + date, None) == AT + date
    assert when(None, AT) == AT
    assert when(None, None) is None


def test_what_is_a_day_ahead_is_the_newest_and_what_is_later_the_oldest() -> None:
    (run,) = of_text(at(GOOD, 0))
    runs = [run._replace(time=AT + seconds) for seconds in (DAY, DAY + 1, 0, DAY - 1)]
    ordered = [(found.time or 0) - AT for found in in_order(runs, HOW.latest)]
    assert ordered == [DAY + 1, 0, DAY - 1, DAY]


def test_runs_of_the_same_second_stay_in_their_order() -> None:
    """Two jobs' and two of one job: the last of these decides, whoever is called how."""
    good, failed = (of_text(text)[0]._replace(time=AT, host="h") for text in (at(GOOD, 0), FAILED))
    for first, last, states in ((good, failed, ["CRITICAL"] * 2), (failed, good, ["", ""])):
        runs = [run._replace(job=job, name=job) for run in (first, last) for job in ("b", "a")]
        found = judged(in_order(runs, HOW.latest))
        assert [found[job].split(" ")[0] for job in ("a", "b")] == states
        assert newest(runs, HOW.latest) == in_order(runs, HOW.latest)


def test_a_run_at_the_lookback_itself_still_counts() -> None:
    (run,) = of_text(at(GOOD, 0))
    assert len(verdicts([run], AT)) == 1
    assert verdicts([run], AT + 1) == []


@pytest.mark.parametrize(("later", "mended"), [(-1, False), (0, False), (1, True)])
def test_a_backup_that_was_completed_after_a_failure_mends_it(later: int, mended: bool) -> None:
    (run,) = of_text(FAILED)
    found = verdicts([run._replace(time=AT)], 0)
    complete = datetime.fromtimestamp(AT + later, timezone.utc)
    assert [verdict.failed for verdict in restored(found, complete)] == [not mended]


@pytest.mark.parametrize(
    ("later", "mended"), [(60, False), (6 * 3600, False), (6 * 3600 + 1, True)]
)
def test_what_a_run_could_not_read_is_not_mended_by_its_own_set(later: int, mended: bool) -> None:
    """The set gets its name when the last volume is sent, and the statistics are counted before."""
    (run,) = of_text(at(GOOD, 0).replace("Errors 0", "Errors 1"))
    found = verdicts([run._replace(time=AT)], 0)
    assert found[0].told
    complete = datetime.fromtimestamp(AT + later, timezone.utc)
    assert bool(restored(found, complete)[0].told) == (not mended)


# Hosts


def test_a_job_of_two_hosts_has_two_verdicts_which_name_the_host(tmp_path: Path) -> None:
    subject = "Cron <a@{}> /srv/web.sh"
    mails = [mail(FAILED, subject.format("h1"), 7200), mail(at(GOOD, 60), subject.format("h2"), 60)]
    runs = seen(tmp_path / "mbox", *mails)
    assert judged(runs) == {
        "web on h1": f"CRITICAL web on h1: {NO_SPACE}",
        "web on h2": "",
    }
    assert [line.partition(",")[0] for line in details(verdicts(runs, 0), 1)] == [
        "web on h2 (a@h2)", "web on h1 (a@h1)",
    ]  # fmt: skip


# Runs


def of_text(text: str) -> list[Logged]:
    reader = LogReader(str, AT + DAY)
    for line in text.split("\n"):
        reader.read(line)
    return of_log("web.log", "web", "a", reader.runs())


def test_of_more_than_a_hundred_runs_the_newest_decides(tmp_path: Path) -> None:
    nights = "".join(at(GOOD, night * DAY) for night in range(150, 0, -1))
    assert judged(seen(tmp_path / "web.log", nights, FAILED)) == {
        "web": "CRITICAL web: failed 0s ago, no space left at the destination"
    }
    assert judged(seen(tmp_path / "web.log", nights, FAILED, at(GOOD, 60))) == {"web": ""}


def test_of_more_than_a_hundred_runs_those_of_30_days_are_compared() -> None:
    """However many there are: what shrank 14 days ago is told, 16 days ago it isn't any more."""

    def percent(days: int) -> int:
        """By how much the newest of six runs a day has shrunk, if that was so many days ago."""
        hours = range(60 * 24, -1, -4)
        text = "".join(
            at(GOOD, hour * 3600, 100 << 20 if hour > days * 24 else 20 << 20) for hour in hours
        )
        runs = of_text(text)
        found = measure(verdicts(runs, AT - 8 * DAY), runs, AT - 8 * DAY, NOW)
        return next(one.value for one in found if one.name == "shrunk")

    assert [percent(days) for days in (1, 14, 16)] == [80, 80, 0]


# Very many


class Counted(str):
    """A name that counts how often it is looked at."""

    __slots__ = ()
    looks = 0

    def __eq__(self, other: object) -> bool:
        Counted.looks += 1
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        Counted.looks += 1
        return str.__hash__(self)


def jobs_of_their_own(number: int) -> Logged:
    return logged(f"j{number}", f"j{number}", "h")


def one_job_of_many_hosts(number: int) -> Logged:
    return logged(f"j{number}", "web", f"h{number}")


def logged(job: str, name: str, host: str) -> Logged:
    (run,) = of_text(at(GOOD, 60))
    assert run.run.outcome == IS_GOOD
    return run._replace(job=Counted(job), name=Counted(name), host=Counted(host))


@pytest.mark.parametrize("make", [jobs_of_their_own, one_job_of_many_hosts])
def test_twice_as_many_jobs_are_twice_the_work(make: Callable[[int], Logged]) -> None:
    """Anybody can send mails of as many jobs as he likes: the check must not wait for it."""

    def looks(count: int) -> int:
        runs = [make(number) for number in range(count)]
        Counted.looks = 0
        found = verdicts(runs, 0)
        assert len([*measure(found, runs, 0, NOW), *judge(found, NOW), *details(found, 1)]) > count
        return Counted.looks

    assert looks(200) < 3 * looks(100)
