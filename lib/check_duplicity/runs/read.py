"""Make logged runs from a mail of cron's, or from the runs in a log. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from check_duplicity.duplicity import catalogue
from check_duplicity.duplicity.run import FAILED, GOOD, NOTHING, OPEN, OTHER, Run, joined
from check_duplicity.runs.model import Logged, when
from check_duplicity.secrets import Secrets
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from check_duplicity.runs.mail import Mail

_DAY = 86400  # seconds
_DIRECTORY = re.compile(r"(?:^|(?<= ))/.*/")  # of a job's archive directory


def of_mail(mail: Mail, hide: Callable[[str], str], delivered: float | None) -> Logged:
    """Return the run that cron has mailed; for ``delivered`` see `when`."""
    # Imported late: mostly there is no new mail, and the catalogue isn't needed.
    from check_duplicity.runs.reader import LogReader
    from check_duplicity.shell.programs import name_of

    spoken = Secrets({}, mail.command.split())

    def hidden(text: str) -> str:
        return hide(spoken.hide(text))

    time = when(mail.time, delivered)
    reader = LogReader(hidden, (time or 0) + _DAY)
    for line in mail.text.split("\n"):
        reader.read(line)
    if mail.failed and not any(run.outcome == FAILED for run in reader.runs()):
        reader.fail()
    # A mail without a known line has no result.
    run = joined(reader.runs() or [Run(NOTHING)])
    if mail.succeeded and run.outcome in (OPEN, NOTHING):
        run = run._replace(outcome=OTHER)
    command = hidden(mail.command)
    # Other jobs fail with the same messages: only duplicity's own messages or name prove its job.
    named = re.search(f"(?i){catalogue.ITS_NAME}", mail.command)
    sure = bool(named or re.search(f"(?i){catalogue.ITS_OWN}", mail.text))
    name = hidden(name_of(mail.command))
    job = f"{mail.user}@{mail.host} {command}"
    return Logged(job, name, mail.user, mail.host, command, time, True, sure, run)


def of_log(path: str, name: str, user: str, runs: Iterable[Run]) -> list[Logged]:
    """Return the runs of a user's log in order. The last one of each job may be unfinished."""
    found = [
        Logged(
            job=f"{path}: {run.label}" if run.label else path,
            name=_DIRECTORY.sub("", run.label) or name,
            user=user, host="", command="",
            time=_end(run),
            whole=True, sure=True, run=run,
        )
        for run in runs
    ]  # fmt: skip
    for position in {run.job: position for position, run in enumerate(found)}.values():
        found[position] = found[position]._replace(whole=found[position].run.outcome != OPEN)
    return found


def _end(run: Run) -> float | None:
    """Return when a run ended, if known; a failure behind a good backup is later than that."""
    counted = run.statistics.end if run.statistics else None
    if run.outcome == GOOD or counted is None or run.time is None:
        return counted if run.outcome == GOOD else run.time
    return max(counted, run.time)


def told_apart(runs: Iterable[Logged], path: str, name: str) -> list[Logged]:
    """Return a log's runs by job, if the log has several, else unchanged.

    A failure before the job's name is known may be any job's, until all jobs are good after it.
    """
    runs = list(runs)
    labels = {run.run.label for run in runs if not run.host} - {""}
    if len(labels) <= 1:
        return [run if run.host else run._replace(job=path, name=name) for run in runs]
    good = {run.run.label: i for i, run in enumerate(runs) if run.run.outcome == GOOD}
    cleared = min((good.get(label, -1) for label in labels), default=-1)
    return [run for i, run in enumerate(runs) if run.host or run.run.label or not i < cleared]
