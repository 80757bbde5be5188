"""A run with what is known of it besides its output: whose job's it is, and when."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from check_duplicity import catalogue
from check_duplicity.mails import Mail, name_of
from check_duplicity.runs import FAILED, OPEN, OTHER, Run, joined, run_of, values_of
from check_duplicity.transcript import Reader

_ITS_OWN = re.compile(catalogue.ITS_OWN, re.I)
_DAY = 86400  # seconds: the time in an mbox's "From " line is a local one, without its zone
_KEPT = 2  # runs of each job: the newest decides, the one before tells how it mostly ends


class Logged(NamedTuple):
    """A run of a job.

    ``job`` tells jobs apart: the user, the host and the command of cron, or the log's name.
    ``time`` is that of its end, in seconds since the epoch, ``None`` if only the log's own tells.
    ``whole`` is whether it can't go on any more, ``sure`` whether it is duplicity's. ``command`` is
    what cron runs, for the shell.
    """

    job: str
    name: str
    user: str
    host: str
    command: str
    time: float | None
    whole: bool
    sure: bool
    run: Run


def of_mail(mail: Mail, hide: Callable[[str], str], delivered: float | None) -> Logged:
    """Return the run that cron has mailed; for ``delivered`` see `when`."""
    reader = Reader(hide)
    for line in mail.text.split("\n"):
        reader.read(line)
    if mail.failed and not any(run.outcome == FAILED for run in reader.runs()):
        reader.fail()
    # A mail in which nothing is known says nothing of how it went.
    run = joined(reader.runs() or [Run(OPEN)])
    if mail.succeeded and run.outcome == OPEN:
        run = run._replace(outcome=OTHER)
    command = hide(mail.command)
    # Other jobs fail, too, and in the same words; what only duplicity says, or its name, tells.
    sure = bool(_ITS_OWN.search(f"{mail.command}\n{mail.text}"))
    time = when(mail.time, delivered)
    name = hide(name_of(mail.command))
    job = f"{mail.user}@{mail.host} {command}"
    return Logged(job, name, mail.user, mail.host, command, time, True, sure, run)


def when(date: float | None, delivered: float | None) -> float | None:
    """Return the time of a mail: its Date, unless there is none or its sender's clock was wrong."""
    if date is None or (delivered is not None and date > delivered + _DAY):
        return delivered
    return date


def of_log(name: str, runs: Iterable[Run]) -> list[Logged]:
    """Return the runs of a log, which are one job's, in their order. The last may go on."""
    found = [
        Logged(
            job=name, name=name, user="", host="", command="",
            time=run.statistics.end if run.statistics else None,
            whole=True, sure=True, run=run,
        )
        for run in runs
    ]  # fmt: skip
    if found:
        found[-1] = found[-1]._replace(whole=found[-1].run.outcome != OPEN)
    return found


def newest(runs: Iterable[Logged]) -> list[Logged]:
    """Return what matters of runs, the oldest first.

    Of each job that are the newest, the one before it, and if neither is surely duplicity's, the
    newest that is.
    What is left is the same whether runs are left out one by one or all at once.
    """
    jobs: dict[str, list[Logged]] = {}
    for run in in_order(runs):
        jobs.setdefault(run.job, []).append(run)
    kept = []
    for of_job in jobs.values():
        last = of_job[-_KEPT:]
        if not any(run.sure for run in last):
            kept += [run for run in of_job if run.sure][-1:]
        kept += last
    return in_order(kept)


def in_order(runs: Iterable[Logged]) -> list[Logged]:
    """Return runs in the order of time; one job's of the same second in their own order."""
    return sorted(runs, key=lambda run: (run.time or 0, run.job))


def values_of_logged(logged: Logged) -> list[Any]:
    """Return it as plain values, for `logged_of`."""
    return [*logged[:-1], values_of(logged.run)]


def logged_of(values: Any) -> Logged:
    """Return what `values_of_logged` was given. Raises `ValueError` for any other values."""
    if not isinstance(values, list) or len(values) != len(Logged._fields):
        raise ValueError("not a run")
    *texts, time, whole, sure, run = values
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("not a run")
    if time is not None and not (isinstance(time, (int, float)) and math.isfinite(time)):
        raise ValueError("not a time")
    flags = bool(whole), bool(sure)
    return Logged._make([*texts, time, *flags, run_of(run)])
