"""The model of a run with its job and time, which are not part of its output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from check_duplicity.duplicity.run import (
    FAILED,
    GOOD,
    UNREAD,
    Run,
    is_number,
    remembering,
    run_of,
    values_of,
)
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

_DAY = 86400  # seconds: the time in an mbox's "From " line is a local one, without its zone
_LATEST = 4e9  # seconds since the epoch, and before it
_KEPT = 2  # runs of each job: the newest decides, the one before tells how it mostly ends


class Logged(NamedTuple):
    """A run of a job.

    ``job`` identifies the job: the user, the host and the command of cron, or the log's name; a
    log's ``host`` is empty. ``time`` is the end of the run, in seconds since the epoch, ``None`` if
    only the log's own time can show it. ``whole`` is whether it is surely finished, ``sure``
    whether it is surely duplicity's. ``command`` is cron's shell command.
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

    @property
    def decisive(self) -> bool:
        """Whether the run has the result of a backup, even one that can't be interpreted."""
        return self.run.outcome in (GOOD, FAILED, UNREAD)

    def is_of(self, job: str, script: str) -> bool:
        """Whether it is a run of a job of that name and script; a log is always the job's own."""
        return not self.host or self.name == job or (bool(script) and self.command == script)


def known_as(runs: Iterable[Logged], job: str, script: str) -> list[Logged]:
    """Return the runs of a known job; the mails of its script count as duplicity's."""
    theirs = (run for run in runs if run.is_of(job, script))
    return [run._replace(sure=run.sure or run.decisive) for run in theirs]


def when(date: float | None, delivered: float | None) -> float | None:
    """Return the time of a mail: its Date, unless there is none or its sender's clock was wrong.

    Absurd times are limited, so that they can be saved.
    """
    wrong = delivered is not None and date is not None and not -30 * _DAY < date - delivered < _DAY
    time = delivered if date is None or wrong else date
    return None if time is None else max(-_LATEST, min(time, _LATEST))


def newest(runs: Iterable[Logged], latest: float) -> list[Logged]:
    """Return the runs that matter, in order (for ``latest`` see `in_order`).

    For each job these are its newest two runs, and of those that are surely duplicity's the newest,
    and the newest decisive one. The result is the same whether runs are dropped one by one or all
    at once.
    """
    jobs: dict[str, list[Logged]] = {}
    for run in in_order(runs, latest):
        jobs.setdefault(run.job, []).append(run)
    return in_order((run for of_job in jobs.values() for run in matter(of_job)), latest)


def matter(runs: Sequence[Logged]) -> list[Logged]:
    """Return the runs of one job that matter; ``runs`` are in order."""
    kept = set(range(len(runs))[-_KEPT:])
    sure = [i for i, run in enumerate(runs) if run.sure]
    kept.update(sure[-1:], [i for i in sure if runs[i].decisive][-1:])
    left = [run for i, run in enumerate(runs) if i not in kept]
    found = [runs[i] for i in sorted(kept)]
    if left:
        found[0] = found[0]._replace(run=remembering(found[0].run, [run.run for run in left]))
    return found


def in_order(runs: Iterable[Logged], latest: float) -> list[Logged]:
    """Return runs in the order of time; one job's of the same second in their own order.

    A wrong clock dated runs later than ``latest`` (seconds since the epoch): they come first, since
    they must not outrank later ones.
    """

    def order(run: Logged) -> tuple[float, str]:
        time = run.time or 0
        return (0 if time > latest else time), run.job

    return sorted(runs, key=order)


def values_of_logged(logged: Logged) -> list[Any]:
    """Return a logged run as plain values, for `logged_of`."""
    return [*logged[:-1], values_of(logged.run)]


def logged_of(values: Any) -> Logged:
    """Return what `values_of_logged` was given. Raises `ValueError` for any other values."""
    if not isinstance(values, list) or len(values) != len(Logged._fields):
        raise ValueError("not a run")
    *texts, time, whole, sure, run = values
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("not a run")
    if time is not None and not is_number(time, _LATEST):
        raise ValueError("not a time")
    flags = bool(whole), bool(sure)
    return Logged._make([*texts, time, *flags, run_of(run)])
