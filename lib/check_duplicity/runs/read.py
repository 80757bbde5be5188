"""Read runs out of what was seen: a mail of cron's, or what a log has. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from check_duplicity.duplicity import catalogue
from check_duplicity.duplicity.run import FAILED, NOTHING, OPEN, OTHER, Run, joined
from check_duplicity.runs.model import Logged, when
from check_duplicity.secrets import Secrets
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from check_duplicity.runs.mail import Mail


def of_mail(mail: Mail, hide: Callable[[str], str], delivered: float | None) -> Logged:
    """Return the run that cron has mailed; for ``delivered`` see `when`."""
    # Mostly there is no new mail, and no need for all that is known of duplicity's words.
    from check_duplicity.duplicity.transcript import Reader
    from check_duplicity.shell.programs import name_of

    spoken = Secrets({}, mail.command.split())

    def hidden(text: str) -> str:
        return hide(spoken.hide(text))

    reader = Reader(hidden)
    for line in mail.text.split("\n"):
        reader.read(line)
    if mail.failed and not any(run.outcome == FAILED for run in reader.runs()):
        reader.fail()
    # A mail in which nothing is known says nothing of how it went.
    run = joined(reader.runs() or [Run(NOTHING)])
    if mail.succeeded and run.outcome in (OPEN, NOTHING):
        run = run._replace(outcome=OTHER)
    command = hidden(mail.command)
    # Other jobs fail, too, and in the same words; what only duplicity says, or its name, tells.
    sure = bool(re.search(f"(?i){catalogue.ITS_OWN}", f"{mail.command}\n{mail.text}"))
    time = when(mail.time, delivered)
    name = hidden(name_of(mail.command))
    job = f"{mail.user}@{mail.host} {command}"
    return Logged(job, name, mail.user, mail.host, command, time, True, sure, run)


def of_log(path: str, name: str, user: str, runs: Iterable[Run]) -> list[Logged]:
    """Return the runs of a user's log, which are one job's, in their order. The last may go on."""
    found = [
        Logged(
            job=path, name=name, user=user, host="", command="",
            time=run.statistics.end if run.statistics else None,
            whole=True, sure=True, run=run,
        )
        for run in runs
    ]  # fmt: skip
    if found:
        found[-1] = found[-1]._replace(whole=found[-1].run.outcome != OPEN)
    return found
