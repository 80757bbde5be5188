"""Make the answer of a check, which ``output`` or ``formats/`` turn into text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone

from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.evaluation import Evaluation
from check_duplicity.nagios.findings import CannotSee, Finding, State
from check_duplicity.nagios.measures import Bounded
from check_duplicity.nagios.steps import advise
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any


class Answer(NamedTuple):
    """The answer of a check, without any secret.

    ``found`` are the findings, the most important first; the summary has a single one already.
    ``jobs`` is the job of all findings, or maps each finding's ``job`` to its job; without one
    there is no advice. ``advice`` is set by `prepared`. ``time`` is when the check looked: ages are
    relative to it. ``values`` is for JSON, if the program has its own.
    """

    title: str
    state: State
    summary: str
    time: datetime
    measures: tuple[Bounded, ...] = ()
    found: tuple[Finding, ...] = ()
    jobs: Job | Mapping[str, Job] | None = None
    details: tuple[str, ...] = ()
    values: Any = None
    advice: tuple[list[str], ...] | None = None

    def prepared(self) -> Answer:
        """Return the answer with the advice on each finding.

        Very many findings take seconds, so call this while the check still has its deadline.
        """
        return self._replace(advice=self._advice())

    def advised(self) -> list[tuple[Finding, list[str]]]:
        """Return each finding with the paragraphs of its advice."""
        return list(zip(self.found, self._advice() if self.advice is None else self.advice))

    def _advice(self) -> tuple[list[str], ...]:
        jobs = self.jobs
        if jobs is None:
            return tuple([] for _ in self.found)
        about = [(f.kind, jobs if isinstance(jobs, Job) else jobs[f.job]) for f in self.found]
        return tuple(advise(about))


def answer(
    title: str,
    evaluated: Evaluation,
    now: datetime,
    jobs: Job | Mapping[str, Job],
    details: Iterable[str] = (),
) -> Answer:
    """Return the answer of a check that has judged what it saw at ``now``."""
    state, summary, measures, found = evaluated
    return Answer(title, state, summary, now, measures, found, jobs, tuple(details))


def unseen(title: str, reason: CannotSee, job: Job | None = None) -> Answer:
    """Return the answer of a check that could not see, with advice if a job is given."""
    found = (Finding(reason.kind, State.UNKNOWN, reason.reason),)
    now = datetime.now(timezone.utc)
    return Answer(title, State.UNKNOWN, reason.reason, now, found=found, jobs=job)
